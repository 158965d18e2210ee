"""The cheap list of changed orders, and the queue for points."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.shopify.adapter import ShopifyAdapter
from simulators.serving import serve
from simulators.shopify import Cart, Shop, application
from tallystick.canonical.digest import digest
from tallystick.clock import SystemClock
from tallystick.listing import OrderListing
from tallystick.ports import NeedsRead, Reading, Window
from tallystick.registry import Pace
from tests.unit.adapters.shopify.shops import CARTS, CONNECTION, MUG, settings


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
    return shop


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[ShopifyAdapter]:
    async with serve(application(shop)) as address:
        given = settings(address, pace=Pace(rate_per_s=1000, burst=1000, parallel=8))
        adapter = ShopifyAdapter(CONNECTION, given, SystemClock())
        try:
            yield adapter
        finally:
            await adapter.close()


def window() -> Window:
    now = datetime.now(UTC)
    return Window(now - timedelta(minutes=5), now + timedelta(minutes=5))


async def whole(adapter: ShopifyAdapter) -> dict[str, Reading | NeedsRead]:
    return {found.object_id: found async for page in adapter.changed_orders(window()) for found in page}


async def listed(adapter: ShopifyAdapter) -> dict[str, datetime]:
    return {one.order_id: one.modified async for page in adapter.list_orders(window()) for one in page}


async def test_a_list_shows_the_dates_of_what_a_walk_shows(adapter: ShopifyAdapter, shop: Shop) -> None:
    assert isinstance(adapter, OrderListing)
    for _ in range(120):
        shop.place_order(Cart([MUG]))
    shown = await whole(adapter)
    assert len(shown) == 120
    assert await listed(adapter) == {
        order_id: found.source_modified for order_id, found in shown.items() if isinstance(found, Reading)
    }


async def test_orders_that_are_read_together_are_what_they_are_read_alone(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-003: else each of the two would make a revision of its own. What is not there is gone."""
    placed = [str(shop.place_order(cart).id) for cart in CARTS.values()]
    found = await adapter.read_orders([*placed, "404"])
    assert [one.object_id for one in found] == [*placed, "404"]
    for one in found[:-1]:
        alone = await adapter.read_order(one.object_id)
        assert isinstance(one, Reading)
        assert one.order is not None
        assert alone.order is not None
        assert digest(one.order) == digest(alone.order)
    assert isinstance(found[-1], Reading)
    assert found[-1].gone


async def test_a_list_costs_a_small_part_of_the_content(adapter: ShopifyAdapter, shop: Shop) -> None:
    for _ in range(100):
        shop.place_order(Cart([MUG]))
    shop.bucket.give_back(shop.bucket.maximum)
    shop.bucket.restore_per_s = 0.001
    before = shop.bucket.available
    await listed(adapter)
    for_list = before - shop.bucket.available
    before = shop.bucket.available
    await whole(adapter)
    assert for_list * 10 < before - shop.bucket.available


async def test_many_small_requests_do_not_keep_the_points_from_a_large_one(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-038: the large one needs a full bucket, which the small ones alone would never leave to fill."""
    for _ in range(90):
        shop.place_order(Cart([MUG]))
    await whole(adapter)
    await listed(adapter)
    shop.bucket.maximum, shop.bucket.restore_per_s = 1000, 300
    large = asyncio.create_task(whole(adapter))

    async def ask_on() -> None:
        while not large.done():
            await listed(adapter)

    async with asyncio.timeout(300):
        await asyncio.gather(*(ask_on() for _ in range(4)))
    assert len(await large) == 90
