"""A connection that does not trust bodies: every change is read, with single payments and the risk of fraud."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.shopify.adapter import ShopifyAdapter
from simulators.serving import serve
from simulators.shopify import Cart, Shop, application
from tallystick.canonical.digest import digest
from tallystick.canonical.payments import received
from tallystick.clock import SystemClock
from tallystick.errors import Unreadable
from tallystick.money_ports import PaymentSource, RiskSource
from tallystick.ports import NeedsRead, Reading, Window
from tallystick.registry import Pace
from tallystick.v1 import order_pb2
from tests.unit.adapters.shopify.shops import CONNECTION, MUG, D, settings

TOPICS = ("orders/create", "orders/updated", "order_transactions/create", "orders/risk_assessment_changed")


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
    shop.subscribe("https://receiver.example", TOPICS)
    return shop


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[ShopifyAdapter]:
    async with serve(application(shop)) as address:
        given = settings(address, trust_bodies=False, pace=Pace(rate_per_s=1000, burst=1000, parallel=8))
        adapter = ShopifyAdapter(CONNECTION, given, SystemClock())
        try:
            yield adapter
        finally:
            await adapter.close()


async def order(adapter: ShopifyAdapter, order_id: int) -> order_pb2.Order:
    found = await adapter.read_order(str(order_id))
    assert found.order is not None
    return found.order


async def test_every_delivery_leads_to_a_read(adapter: ShopifyAdapter, shop: Shop) -> None:
    sold = shop.place_order(Cart([MUG], paid=False))
    shop.authorise(sold.id)
    shop.capture(sold.id, D("10.00"))
    shop.assess(sold.id, "CANCEL")
    deliveries = shop.pending_deliveries()
    assert {one.topic for one in deliveries} == set(TOPICS)
    for one in deliveries:
        headers = {name.lower(): value for name, value in one.headers.items()}
        found = adapter.reading(headers, one.body)
        assert isinstance(found, NeedsRead)
        assert (found.object_id, adapter.hint(headers, one.body).object_id) == (str(sold.id), str(sold.id))


async def test_a_read_shows_single_payments_and_the_risk(adapter: ShopifyAdapter, shop: Shop) -> None:
    sold = shop.place_order(Cart([MUG], paid=False))
    shop.authorise(sold.id)
    captures = [shop.capture(sold.id, D("10.00")), shop.capture(sold.id, D("7.00"))]
    shop.assess(sold.id, "CANCEL")
    found = await order(adapter, sold.id)
    assert [one.id for one in received(found)] == [str(one.id) for one in captures]
    assert found.risk == order_pb2.RISK_LEVEL_HIGH


async def test_a_poll_shows_the_same_content_as_a_read(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-003: else each of the two would make a revision of its own."""
    sold = shop.place_order(Cart([MUG], gift_card=D("20")))
    now = datetime.now(UTC)
    window = Window(now - timedelta(minutes=5), now + timedelta(minutes=5))
    pages = [page async for page in adapter.changed_orders(window)]
    (polled,) = [one for page in pages for one in page]
    assert isinstance(polled, Reading)
    assert polled.order is not None
    assert digest(polled.order) == digest(await order(adapter, sold.id))
    assert len(list(received(polled.order))) == 2


async def test_more_transactions_than_a_read_shows_are_refused(adapter: ShopifyAdapter, shop: Shop) -> None:
    """A payment that is cut off would be missing in the books for good."""
    sold = shop.place_order(Cart([MUG], paid=False))
    shop.authorise(sold.id)
    for _ in range(49):
        shop.capture(sold.id, D("0.10"))
    with pytest.raises(Unreadable, match="50 transactions or more"):
        await adapter.read_order(str(sold.id))


async def test_it_says_what_it_brings_and_which_topics_it_wants(adapter: ShopifyAdapter) -> None:
    assert isinstance(adapter, PaymentSource)
    assert isinstance(adapter, RiskSource)
    assert (adapter.lacks_payments, adapter.lacks_risk) == ("", "")
    trusting = ShopifyAdapter(CONNECTION, settings(), SystemClock())
    assert trusting.lacks_payments == trusting.lacks_risk == "set `trust_bodies: false` on it"
    await trusting.close()
    missing = {state.topic for state in await adapter.webhooks() if not state.active}
    assert "orders/edited" in missing
    assert "order_transactions/create" not in missing
