"""Documents that come to a sum: heads whose amounts follow from priced lines. Orders and invoices compute alike
(measured on 16.0 and 19.0: 60 random carts in three currencies, no difference)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, cast

from ..arithmetic import Amounts, Arithmetic, Priced, Tax
from ..model import Model
from ..table import Row

if TYPE_CHECKING:
    from ..database import Database


class PricedHeads(Model):
    """Their amounts are worked out once at the end of a call."""

    line_model: ClassVar[str]

    def __init__(self, db: "Database") -> None:
        super().__init__(db)
        self._dirty: dict[int, None] = {}
        db.at_the_end.append(self._settle)

    def touched(self, row_id: int) -> None:
        """The amounts are to be worked out again."""
        self._dirty[row_id] = None

    def _settle(self) -> None:
        lines = cast(PricedLines, self.db.models[self.line_model])
        while self._dirty:
            row_id, _ = self._dirty.popitem()
            if row_id in self.table.rows:
                self.table.update(row_id, lines.totals(self, row_id))


class PricedLines(Model):
    """Lines with a price, a discount and taxes."""

    head_field: ClassVar[str]
    quantity_field: ClassVar[str]
    #: A line that says something and counts nothing.
    texts: ClassVar[frozenset[str]] = frozenset({"line_section", "line_subsection", "line_note"})

    @property
    def tax_field(self) -> str:
        """The field of the taxes."""
        return "tax_ids"

    def totals(self, heads: PricedHeads, head_id: int) -> Row:
        """Work out every line, and give the sums of the head."""
        rows = [self.table.rows[row_id] for row_id in self.table.matching(self.head_field, head_id)]
        sold = [row for row in rows if not self.is_text(row)]
        head = heads.table.rows[head_id]
        lines, amounts = self._arithmetic(head).document([self._priced(row) for row in sold])
        for row, line in zip(sold, lines, strict=True):
            self._keep(row, line)
        return {
            "amount_untaxed": amounts.untaxed,
            "amount_tax": amounts.tax,
            "amount_total": amounts.untaxed + amounts.tax,
        }

    def is_text(self, row: Row) -> bool:
        """Whether the line only says something."""
        return row.get("display_type") in self.texts

    def _arithmetic(self, head: Row) -> Arithmetic:
        currency = self.db.models["res.currency"].table.rows[head["currency_id"]]
        company = self.db.models["res.company"].table.rows[head["company_id"]]
        globally = company["tax_calculation_rounding_method"] == "round_globally"
        return Arithmetic(self.db.version, Decimal(1).scaleb(-currency["decimal_places"]), globally=globally)

    def _priced(self, row: Row) -> Priced:
        return Priced(row["price_unit"], row[self.quantity_field], row["discount"], self._taxes(row))

    def _taxes(self, row: Row) -> Sequence[Tax]:
        taxes = self.db.models["account.tax"]
        rows = taxes.table.rows
        found = taxes.sorted(row.get(self.tax_field) or ())
        return [Tax(one, rows[one]["amount"], bool(rows[one].get("price_include"))) for one in found]

    def _keep(self, row: Row, amounts: Amounts) -> None:
        whole = {"price_subtotal": amounts.untaxed, "price_tax": amounts.tax}
        whole["price_total"] = amounts.untaxed + amounts.tax
        found = {name: value for name, value in whole.items() if name in self.fields}
        if any(row.get(name) != value for name, value in found.items()):
            self.table.update(row["id"], found)
