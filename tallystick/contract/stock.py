"""Which goods an order holds, and from which warehouse: the contract's rules for stock, compiled."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallystick.contract.charges import charges
from tallystick.contract.document import LineRole
from tallystick.contract.paths import Path
from tallystick.contract.products import ProductTable
from tallystick.contract.stock_rules import Stock
from tallystick.v1 import order_pb2

_STOCKED = (order_pb2.LINE_KIND_UNSPECIFIED, order_pb2.LINE_KIND_GOODS, order_pb2.LINE_KIND_BUNDLE)


@dataclass(frozen=True, slots=True)
class Reserved:
    """Pieces of one line that are sold; the SKU is the ERP's."""

    line_id: str
    sku: str
    warehouse: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Stocking:
    """The contract's rules for stock, compiled. `by` is the compiled path of `reserve_from.by`."""

    rules: Stock
    by: Path | None
    products: ProductTable

    def reserved(self, order: order_pb2.Order) -> Sequence[Reserved]:
        """What a placed order holds. What was refunded stays: its return is a document of its own in the ERP."""
        warehouse = self._warehouse(order)
        if not warehouse:
            return ()
        goods = [(one, one.line) for one in charges(order) if one.role is LineRole.GOODS]
        found = [
            Reserved(one.key, self.products.sku(line.sku), warehouse, one.quantity)
            for one, line in goods
            if isinstance(line, order_pb2.OrderLine) and line.kind in _STOCKED
        ]
        return [one for one in found if one.sku]

    def _warehouse(self, order: order_pb2.Order) -> str:
        rule = self.rules.reserve_from
        if rule is None:
            return ""
        value = None if self.by is None else self.by.get(order)
        return rule.rows.get("" if value is None else str(value), rule.otherwise)
