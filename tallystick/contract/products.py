"""Which product of the target a charge is: its SKU by a stated rule, or what the contract names for its kind."""

from collections.abc import Callable, Mapping

from tallystick.contract.charges import Charge
from tallystick.contract.document import LineRole
from tallystick.contract.report import Report
from tallystick.contract.schema import ByCode, Products, Sku
from tallystick.v1 import order_pb2, refund_pb2

_CASES: Mapping[str, Callable[[str], str]] = {"keep": str, "upper": str.upper, "lower": str.lower}


class ProductTable:
    """The contract's products and SKU rule."""

    def __init__(self, products: Products, sku: Sku) -> None:
        self._products = products
        self._sku = sku
        self._by_role: Mapping[LineRole, str | ByCode | None] = {
            LineRole.SHIPPING: products.shipping,
            LineRole.FEE: products.fee,
            LineRole.TIP: products.tip,
            LineRole.DUTY: products.duty,
            LineRole.ROUNDING: products.rounding,
            LineRole.GOODWILL: products.goodwill,
            LineRole.KEPT: products.kept,
        }

    def resolve(self, charge: Charge, report: Report) -> str:
        """The target's product code; empty and reported when there is none, for a line is never left out."""
        if charge.product:
            return charge.product
        if charge.line is not None:
            return self._goods(charge, charge.line, report)
        return self._configured(charge, report)

    def _goods(self, charge: Charge, line: order_pb2.OrderLine | refund_pb2.RefundLine, report: Report) -> str:
        if line.kind == order_pb2.LINE_KIND_GIFT_CARD and self._products.gift_card:
            return self._products.gift_card
        sku = self.sku(line.sku)
        if sku:
            report.missing("product", sku, f"the product {sku!r} is looked up in the ERP", in_target=True)
        elif line.kind == order_pb2.LINE_KIND_CUSTOM and self._products.custom:
            return self._products.custom
        else:
            report.missing("product", charge.key, _no_sku(charge, line))
        return sku

    def sku(self, sku: str) -> str:
        """The target's code for a store's SKU; empty when there is none."""
        code = _CASES[self._sku.case](sku.strip() if self._sku.trim else sku)
        return self._sku.rows.get(code, code)

    def store_sku(self, sku: str) -> str:
        """The store's SKU for the target's code: its row read backwards, else the same."""
        return next((store for store, target in self._sku.rows.items() if target == sku), sku)

    def _configured(self, charge: Charge, report: Report) -> str:
        product = self._by_role[charge.role]
        if isinstance(product, ByCode):
            product = product.by_code.get(charge.code, product.otherwise)
        if not product:
            role = charge.role.value
            code = f" with the code {charge.code!r}" if charge.code else ""
            report.missing("product", role, f"{charge.key}{code} needs a product: name it under `products.{role}`")
        return product or ""


def _no_sku(charge: Charge, line: order_pb2.OrderLine | refund_pb2.RefundLine) -> str:
    if line.kind == order_pb2.LINE_KIND_CUSTOM:
        return f"line {charge.key} was typed by hand: name a product under `products.custom`"
    return f"line {charge.key} has no SKU (its product may be deleted in the store); the order is not booked without it"
