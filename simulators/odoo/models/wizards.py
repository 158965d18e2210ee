"""What Odoo 16 asks with before it cancels an order that is no draft."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, cast

from ..database import Database
from ..fields import Field
from ..model import Model
from .orders import SaleOrders


class CancelWizards(Model):
    """sale.order.cancel: made from the answer of `action_cancel`, and answered in turn."""

    name: ClassVar[str] = "sale.order.cancel"
    label: ClassVar[str] = "Sales Order Cancel"
    declared: ClassVar[Sequence[Field]] = (Field("order_id", "many2one", "Sale Order", "sale.order", required=True),)

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self.on_records |= {"action_cancel"}

    def action_cancel(self, ids: Iterable[int]) -> bool:
        """Yes, cancel."""
        orders = cast(SaleOrders, self.db.models["sale.order"])
        for row_id in self.existing(ids):
            orders.cancel(self.table.rows[row_id]["order_id"])
        return True
