"""Payments of an order: which of them are money that has come in. Pure, and the same for all stores."""

from collections.abc import Iterator

from tallystick.canonical.money import amount
from tallystick.v1 import order_pb2


def received(order: order_pb2.Order) -> Iterator[order_pb2.Payment]:
    """Money that is there, in the order of the store.

    What is authorised, on its way, void, failed, or to be paid at the door has come to nobody yet. A refund is no
    payment, and takes nothing from one.
    """
    for payment in order.payments:
        if payment.state == order_pb2.PAYMENT_STATE_PAID and payment.id and amount(payment.amount) > 0:
            yield payment


def alone(order: order_pb2.Order, payment: order_pb2.Payment) -> order_pb2.Order:
    """As much of the order as the booking of one of its payments needs, and nothing about the buyer."""
    return order_pb2.Order(
        connection=order.connection,
        id=order.id,
        number=order.number,
        currency_code=order.currency_code,
        payments=[payment],
    )
