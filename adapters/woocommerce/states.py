"""WooCommerce's words for where an order stands and whether it is paid."""

from collections.abc import Mapping
from decimal import Decimal

from tallystick.v1 import order_pb2

from .amounts import Amounts
from .fields import Json, gmt, rows, text

_STATES: Mapping[str, order_pb2.OrderState.ValueType] = {
    "checkout-draft": order_pb2.ORDER_STATE_DRAFT,
    "draft": order_pb2.ORDER_STATE_DRAFT,
    "auto-draft": order_pb2.ORDER_STATE_DRAFT,
    "new": order_pb2.ORDER_STATE_DRAFT,
    "pending": order_pb2.ORDER_STATE_PENDING,
    "failed": order_pb2.ORDER_STATE_FAILED,
    "cancelled": order_pb2.ORDER_STATE_CANCELLED,
    # Still in the shop and may be taken out again: cancelled, not gone.
    "trash": order_pb2.ORDER_STATE_CANCELLED,
}

_PAYMENT_KINDS: Mapping[str, order_pb2.PaymentKind.ValueType] = {
    "cod": order_pb2.PAYMENT_KIND_CASH_ON_DELIVERY,
    "bacs": order_pb2.PAYMENT_KIND_BANK_TRANSFER,
    "cheque": order_pb2.PAYMENT_KIND_BANK_TRANSFER,
}


def order_state(status: str) -> order_pb2.OrderState.ValueType:
    """on-hold, processing, completed and refunded are placed, and so is every state that a plugin adds."""
    return _STATES.get(status, order_pb2.ORDER_STATE_PLACED if status else order_pb2.ORDER_STATE_UNSPECIFIED)


def payment_state(order: Json, amounts: Amounts) -> order_pb2.PaymentState.ValueType:
    """Paid is what has a date of payment. `needs_payment` and the status do not tell.

    Cash on delivery is `processing` with `needs_payment` false though nobody has paid (seen on WooCommerce 11.0.1).
    """
    back, total = refunded(order, amounts), amounts.read(order, "total", "the order")
    if text(order.get("status")) == "refunded":
        return order_pb2.PAYMENT_STATE_REFUNDED
    if not _paid(order, total):
        return order_pb2.PAYMENT_STATE_UNPAID
    if back == 0:
        return order_pb2.PAYMENT_STATE_PAID
    whole = total is not None and back is not None and back >= total
    return order_pb2.PAYMENT_STATE_REFUNDED if whole else order_pb2.PAYMENT_STATE_PARTIALLY_REFUNDED


def refunded(order: Json, amounts: Amounts) -> Decimal | None:
    """What refunds gave back so far; their totals are negative texts. None where one of them cannot be read.

    Such a refund is held as what it is; of its order it only tells that something went back.
    """
    silent = Amounts(amounts.currency, amounts.tax_mode)
    given = [silent.read(row, "total", "a refund") for row in rows(order.get("refunds"))]
    known = [part for part in given if part is not None]
    return abs(sum(known, Decimal(0))) if len(known) == len(given) else None


def _paid(order: Json, total: Decimal | None) -> bool:
    if gmt(order, "date_paid") or text(order.get("date_paid")):
        return True
    placed = order_state(text(order.get("status"))) == order_pb2.ORDER_STATE_PLACED
    return placed and total == 0


def payment_kind(method: str) -> order_pb2.PaymentKind.ValueType:
    """The kinds of the core's own methods; every other is a gateway."""
    return _PAYMENT_KINDS.get(method, order_pb2.PAYMENT_KIND_GATEWAY)
