"""account.tax: percentages of a price, inside it or on top."""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from ..fields import ACTIVE, Field
from ..model import Model, Values
from ..table import Row

_KINDS_16 = (("percent", "Percentage of Price"),)
_KINDS = (("percent", "Percentage"),)
_USES = (("sale", "Sales"), ("purchase", "Purchases"), ("none", "None"))
_INCLUDED = (("tax_included", "Tax Included"), ("tax_excluded", "Tax Excluded"))
_FIELDS = (
    Field("name", "char", "Tax Name", required=True),
    Field("amount", "float", "Amount", required=True, digits=4, default=Decimal(0)),
    # The vendor has more ways to compute; the double knows percentages.
    Field(
        "amount_type", "selection", "Tax Computation", required=True, selection=_KINDS_16, default="percent", only=16
    ),
    Field("amount_type", "selection", "Tax Computation", required=True, selection=_KINDS, default="percent", only=19),
    Field("price_include", "boolean", "Included in Price", default=False, only=16),
    Field("price_include", "boolean", "Price Include", readonly=True, store=False, computed=True, only=19),
    Field("price_include_override", "selection", "Included in Price", selection=_INCLUDED, only=19),
    Field("type_tax_use", "selection", "Tax Type", required=True, selection=_USES, default="sale"),
    Field("sequence", "integer", "Sequence", required=True, default=1),
    Field("company_id", "many2one", "Company", "res.company", required=True, readonly=True, default=1),
    ACTIVE,
)


class Taxes(Model):
    """Whether a price contains it is said by another field since Odoo 18."""

    name: ClassVar[str] = "account.tax"
    label: ClassVar[str] = "Tax"
    order: ClassVar[str] = "sequence, id"
    declared: ClassVar[Sequence[Field]] = _FIELDS

    def changed(self, row_id: int, given: Values, before: Row | None) -> None:
        if self.db.version >= 17:
            row = self.table.rows[row_id]
            self.table.update(row_id, {"price_include": row.get("price_include_override") == "tax_included"})

    def compute(self, field: str, row: Row) -> object:
        return row["price_include"] if field == "price_include" else self.display_name(row["id"])
