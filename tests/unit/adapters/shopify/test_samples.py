"""Every order among the vendor's samples is read and proves itself; what is no whole order is said to be none."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from adapters.shopify.adapter import ShopifyAdapter
from tallystick.canonical import checks
from tallystick.canonical.money import amount
from tallystick.clock import SystemClock
from tallystick.errors import Unreadable
from tallystick.ports import Reading
from tallystick.v1 import order_pb2
from tests.shared import shared
from tests.unit.adapters.shopify.shops import CONNECTION, settings

#: Orders in the REST spelling, one in each file.
ORDERS = (
    "rest-order-cancelled-refunded",
    "rest-order-discount-code-usd",
    "rest-order-eur-tax-exclusive",
    "rest-order-jpy-zero-decimal",
    "rest-order-partially-refunded-usd",
    "rest-order-pending-payment",
    "rest-order-pln-vat23-multi-fulfillment",
    "rest-orders-list-page",
    "webhook-order-create-hkd-discount-b",
    "webhook-order-create-hkd-line-discount",
)


@pytest.fixture
async def adapter() -> ShopifyAdapter:
    return ShopifyAdapter(CONNECTION, settings(), SystemClock())


def sample(name: str) -> bytes:
    return shared(f"vendors/shopify/samples/{name}.json").read_bytes()


def order_of(found: Reading) -> order_pb2.Order:
    assert found.order is not None
    return found.order


def orders(content: Any) -> Iterator[dict[str, Any]]:
    """Everything in a payload that has the looks of an order in the REST spelling."""
    if isinstance(content, dict):
        if "line_items" in content and "total_price" in content:
            yield content
        else:
            for value in content.values():
                yield from orders(value)
    elif isinstance(content, list):
        for value in content:
            yield from orders(value)


def test_no_order_among_the_samples_is_left_out() -> None:
    holding = {
        path.stem
        for path in shared("vendors/shopify/samples").glob("*.json")
        if list(orders(json.loads(path.read_bytes())))
    }
    assert holding == set(ORDERS)


@pytest.mark.parametrize("name", ORDERS)
def test_every_order_is_read_and_adds_up(adapter: ShopifyAdapter, name: str) -> None:
    raw = sample(name)
    found = adapter.parse_order(raw)
    (stated,) = orders(json.loads(raw, parse_float=Decimal))
    order = order_of(found)
    assert found.findings == ()
    assert checks.findings(order) == []
    assert (found.object_id, order.currency_code) == (str(stated["id"]), stated["currency"])
    assert len(order.lines) == len(stated["line_items"])
    assert amount(order.totals.total) == Decimal(stated["total_price"])


def test_what_was_refunded_is_a_part_and_the_order_is_booked_as_ordered(adapter: ShopifyAdapter) -> None:
    """598.94 were ordered and 199.65 are left after refunds: both figures are in the body, one of them is booked."""
    found = adapter.parse_order(sample("rest-order-partially-refunded-usd"))
    order = order_of(found)
    assert str(amount(order.totals.total)) == "598.94"
    assert order.payment_state == order_pb2.PAYMENT_STATE_PARTIALLY_REFUNDED
    (refund,) = found.parts
    assert refund.refund is not None
    assert list(order.refund_ids) == [refund.object_id]


def test_yen_have_no_decimals(adapter: ShopifyAdapter) -> None:
    """FC-032."""
    order = order_of(adapter.parse_order(sample("rest-order-jpy-zero-decimal")))
    assert (order.currency_code, str(amount(order.totals.total))) == ("JPY", "5900")


def test_a_capture_that_shows_a_part_of_an_order_is_not_taken_for_one(adapter: ShopifyAdapter) -> None:
    """Their queries asked for a few fields only; booked as they are, tax and lines would be missing."""
    captured = json.loads(sample("gql-order-presentment-vs-shop-money"))
    with pytest.raises(Unreadable, match="no currencyCode, taxesIncluded"):
        adapter.parse_order(json.dumps(captured["orderCreate"]["response"]["payload"]["data"]["orderCreate"]).encode())
    captured = json.loads(sample("gql-returns-read"))
    with pytest.raises(Unreadable, match="no taxesIncluded"):
        adapter.parse_order(json.dumps(captured["setup"]["orderReadAfterFulfillment"]["response"]["payload"]).encode())


def test_other_samples_are_no_orders(adapter: ShopifyAdapter) -> None:
    refused = 0
    for path in sorted(shared("vendors/shopify/samples").glob("*.json")):
        if path.stem not in ORDERS:
            with pytest.raises(Unreadable):
                adapter.parse_order(path.read_bytes())
            refused += 1
    assert refused > 10
