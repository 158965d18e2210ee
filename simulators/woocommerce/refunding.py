"""What a refund does to its order, and to the stock."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from .model import Back, Line, Order, Product, Refund


def add(order: Order, refund: Refund) -> None:
    """The newest refund stands first. Without an amount it is what it gives back; with all that is left, the last."""
    if refund.amount is None and refund.back:
        refund.amount = sum((one.gross for one in refund.back), Decimal(0))
    order.refunds.insert(0, refund)
    if sum((one.amount or Decimal(0) for one in order.refunds), Decimal(0)) >= order.sums.total:
        refund.full, order.status = True, "refunded"


def restock(given: Sequence[Back], products: Mapping[str, Product]) -> None:
    """Pieces go back into stock where stock is managed; the order's line counts them, the refund does not tell."""
    for one in given:
        product = products.get(one.of.sku or "") if isinstance(one.of, Line) else None
        if isinstance(one.of, Line) and product is not None and product.stock is not None and one.quantity:
            product.stock += one.quantity
            counted = int(one.of.meta.get("_restock_refunded_items", 0))
            one.of.meta["_restock_refunded_items"] = str(counted + one.quantity)
