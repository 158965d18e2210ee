"""stock.picking: deliveries, one for the goods of an order."""

from collections.abc import Sequence
from typing import ClassVar

from ..fields import Field
from ..model import Model, Values
from ..table import Row

_STATES = (
    ("draft", "Draft"),
    ("waiting", "Waiting Another Operation"),
    ("confirmed", "Waiting"),
    ("assigned", "Ready"),
    ("done", "Done"),
    ("cancel", "Cancelled"),
)
_FIELDS = (
    Field("name", "char", "Reference", readonly=True),
    Field("state", "selection", "Status", readonly=True, selection=_STATES, default="draft"),
    Field("origin", "char", "Source Document"),
    Field("sale_id", "many2one", "Sales Order", "sale.order"),
    Field("partner_id", "many2one", "Contact", "res.partner"),
    Field("carrier_id", "many2one", "Carrier", "delivery.carrier"),
    Field("carrier_tracking_ref", "char", "Tracking Reference"),
)


class Pickings(Model):
    """Numbered; nobody picks anything here but tests."""

    name: ClassVar[str] = "stock.picking"
    label: ClassVar[str] = "Transfer"
    order: ClassVar[str] = "id desc"
    declared: ClassVar[Sequence[Field]] = _FIELDS

    def fill(self, row: Row, given: Values) -> None:
        row["name"] = f"WH/OUT/{len(self.table.rows) + 1:05d}"
