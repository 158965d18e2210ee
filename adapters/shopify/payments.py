"""The payments of an order, and the risk that it is a fraud.

A sale and a capture bring money, an authorisation does not (Shopify, "OrderTransactionKind"); what the till gave back
as change was never kept. Where single transactions are not shown, each way of payment is told, and what it paid only
where one paid all.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from adapters.shopify.booking import Booking
from adapters.shopify.state import GIFT_CARD, ZERO, ShopifyOrder, Transaction
from tallystick.canonical.money import money
from tallystick.canonical.times import to_timestamp
from tallystick.v1 import order_pb2

STATES = {
    "pending": order_pb2.PAYMENT_STATE_UNPAID,
    "authorized": order_pb2.PAYMENT_STATE_AUTHORISED,
    "partially_paid": order_pb2.PAYMENT_STATE_PARTIALLY_PAID,
    "paid": order_pb2.PAYMENT_STATE_PAID,
    "partially_refunded": order_pb2.PAYMENT_STATE_PARTIALLY_REFUNDED,
    "refunded": order_pb2.PAYMENT_STATE_REFUNDED,
    "voided": order_pb2.PAYMENT_STATE_VOIDED,
    # The authorisation ran out before anybody captured it: nothing was paid.
    "expired": order_pb2.PAYMENT_STATE_UNPAID,
}
#: Shopify names its manual ways of payment by the text of its admin.
_MANUAL = {
    "bank deposit": order_pb2.PAYMENT_KIND_BANK_TRANSFER,
    "money order": order_pb2.PAYMENT_KIND_BANK_TRANSFER,
    "cash on delivery (cod)": order_pb2.PAYMENT_KIND_CASH_ON_DELIVERY,
    "cash on delivery": order_pb2.PAYMENT_KIND_CASH_ON_DELIVERY,
    GIFT_CARD: order_pb2.PAYMENT_KIND_GIFT_CARD,
}
_BRINGS_MONEY = frozenset({"sale", "capture"})
_RISKS: Mapping[str, order_pb2.RiskLevel.ValueType] = {
    "cancel": order_pb2.RISK_LEVEL_HIGH,
    "investigate": order_pb2.RISK_LEVEL_MEDIUM,
    "accept": order_pb2.RISK_LEVEL_LOW,
}


def risk(source: ShopifyOrder) -> order_pb2.RiskLevel.ValueType:
    """By Shopify's summary of all assessments: the levels of single ones may contradict each other."""
    return _RISKS.get(source.recommendation, order_pb2.RISK_LEVEL_UNSPECIFIED)


def payments(source: ShopifyOrder, booked: Booking) -> list[order_pb2.Payment]:
    """What was paid, then the ways of payment that paid nothing yet."""
    if source.transactions is None:
        return [_way(source, booked, gateway) for gateway in source.gateways]
    paid = list(_paid(source, source.transactions))
    came_by = {one.gateway for one in paid}
    waiting = [_waiting(source.transactions, gateway) for gateway in source.gateways if gateway not in came_by]
    return [*paid, *waiting]


def _paid(source: ShopifyOrder, shown: tuple[Transaction, ...]) -> Iterator[order_pb2.Payment]:
    done = [one for one in shown if one.status == "success"]
    change = {one.parent: one.amount for one in done if one.kind == "change" and one.parent}
    for one in done:
        value: Decimal = one.amount - change.get(one.id, ZERO)
        if one.kind in _BRINGS_MONEY and value > 0:
            payment = order_pb2.Payment(
                id=one.id,
                kind=_kind(one.gateway),
                gateway=one.gateway,
                amount=money(source.currency, value),
                state=order_pb2.PAYMENT_STATE_PAID,
                reference=one.reference,
            )
            if one.at is not None:
                payment.paid_at.CopyFrom(to_timestamp(one.at))
            yield payment


def _waiting(shown: tuple[Transaction, ...], gateway: str) -> order_pb2.Payment:
    reserved = any(one.gateway == gateway and one.kind == "authorization" and one.status == "success" for one in shown)
    state = order_pb2.PAYMENT_STATE_AUTHORISED if reserved else order_pb2.PAYMENT_STATE_UNPAID
    return order_pb2.Payment(id=gateway, kind=_kind(gateway), gateway=gateway, state=state)


def _way(source: ShopifyOrder, booked: Booking, gateway: str) -> order_pb2.Payment:
    payment = order_pb2.Payment(
        id=gateway,
        kind=_kind(gateway),
        gateway=gateway,
        state=STATES.get(source.financial_status, order_pb2.PAYMENT_STATE_UNSPECIFIED),
    )
    if source.financial_status == "paid" and len(source.gateways) == 1:
        payment.amount.CopyFrom(money(source.currency, booked.stated.price))
    elif gateway == GIFT_CARD and source.gift_cards is not None:
        payment.amount.CopyFrom(money(source.currency, source.gift_cards))
    return payment


def _kind(gateway: str) -> order_pb2.PaymentKind.ValueType:
    return _MANUAL.get(gateway.lower(), order_pb2.PAYMENT_KIND_GATEWAY)
