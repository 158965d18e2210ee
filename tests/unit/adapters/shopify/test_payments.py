"""What of Shopify's transactions is money that came in, and what Shopify says about the risk of fraud."""

import json
from decimal import Decimal

import pytest

from adapters.shopify.translate import reading
from adapters.shopify.translate_graphql import order_from_graphql
from simulators.shopify import Cart, Shop
from simulators.shopify.graph import order_node
from simulators.shopify.model import Order, Payment
from tallystick.canonical.money import amount
from tallystick.canonical.payments import received
from tallystick.v1 import order_pb2
from tests.unit.adapters.shopify.shops import CONNECTION, MUG, D, shop_of
from tests.unit.adapters.shopify.test_translate import plain


def read(order: Order) -> order_pb2.Order:
    """As a read with money shows it."""
    node = json.loads(json.dumps(plain(order_node(order, with_added=False))), parse_float=Decimal)
    found = reading(CONNECTION, order_from_graphql(node))
    assert found.order is not None
    assert list(found.findings) == []
    return found.order


def paid(order: Order) -> list[tuple[str, str, Decimal]]:
    return [(one.id, one.gateway, amount(one.amount)) for one in received(read(order))]


def authorised() -> tuple[Shop, Order]:
    """Mugs whose money is reserved."""
    shop, order = shop_of(Cart([MUG], paid=False))
    shop.authorise(order.id)
    return shop, order


def test_an_authorisation_is_no_payment_and_each_capture_is_one() -> None:
    """Money in two parts; a capture that failed is none."""
    shop, order = authorised()
    assert paid(order) == []
    assert [one.state for one in read(order).payments] == [order_pb2.PAYMENT_STATE_AUTHORISED]
    first, failed = shop.capture(order.id, D("10.00")), shop.capture(order.id, D("5.00"), status="FAILURE")
    second = shop.capture(order.id, D("7.00"))
    assert paid(order) == [
        (str(first.id), "shopify_payments", D("10.00")),
        (str(second.id), "shopify_payments", D("7.00")),
    ]
    assert str(failed.id) not in {one.id for one in read(order).payments}


def test_a_payment_tells_its_day_and_the_gateways_own_id() -> None:
    shop, order = authorised()
    made = shop.capture(order.id, D("10.00"))
    (payment,) = received(read(order))
    assert made.at is not None
    assert payment.paid_at.ToDatetime() == made.at.replace(microsecond=0, tzinfo=None)
    assert payment.reference == f"pay-{made.id}"


def test_fc_071_gift_card_and_card_are_two_payments_that_make_the_total() -> None:
    """FC-071"""
    _, order = shop_of(Cart([MUG], gift_card=D("20")))
    found = read(order)
    payments = list(received(found))
    assert [one.kind for one in payments] == [order_pb2.PAYMENT_KIND_GIFT_CARD, order_pb2.PAYMENT_KIND_GATEWAY]
    assert sum(amount(one.amount) for one in payments) == amount(found.totals.total)


def test_a_refund_takes_nothing_from_a_payment_and_is_none() -> None:
    shop, order = shop_of(Cart([MUG]))
    before = paid(order)
    shop.refund(order.id, {order.lines[0].id: 1})
    shop.refund(order.id, {order.lines[0].id: 1}, status="PENDING")
    assert paid(order) == before != []


@pytest.mark.parametrize(("kind", "status"), [("VOID", "SUCCESS"), ("SALE", "PENDING"), ("SALE", "ERROR")])
def test_what_is_void_or_on_its_way_is_no_payment(kind: str, status: str) -> None:
    """FC-121: cash on delivery is a sale that pends until somebody marks it as paid."""
    _, order = shop_of(Cart([MUG], paid=False))
    order.payments.append(Payment(9, kind, "Cash on Delivery (COD)", D("10"), status))
    assert paid(order) == []
    assert [one.kind for one in read(order).payments] == [order_pb2.PAYMENT_KIND_CASH_ON_DELIVERY]


def test_change_that_the_till_gave_back_was_never_kept() -> None:
    _, order = shop_of(Cart([MUG], paid=False))
    order.payments.append(Payment(9, "SALE", "cash", D("50.00")))
    order.payments.append(Payment(10, "CHANGE", "cash", D("17.90"), parent_id=9))
    assert paid(order) == [("9", "cash", D("32.10"))]


@pytest.mark.parametrize(
    ("said", "risk"),
    [("NONE", "UNSPECIFIED"), ("ACCEPT", "LOW"), ("INVESTIGATE", "MEDIUM"), ("CANCEL", "HIGH")],
)
def test_fc_083_the_risk_is_what_shopify_recommends(said: str, risk: str) -> None:
    """FC-083"""
    shop, order = shop_of(Cart([MUG]))
    shop.assess(order.id, said)
    assert order_pb2.RiskLevel.Name(read(order).risk) == f"RISK_LEVEL_{risk}"
