"""Subscriptions are mended whoever else mends them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.shopify.adapter import ShopifyAdapter
from simulators.serving import serve
from simulators.shopify import Shop, application
from tallystick.clock import SystemClock
from tallystick.errors import Unreadable
from tallystick.registry import Pace
from tests.unit.adapters.shopify.shops import CONNECTION, settings

_FAST = Pace(rate_per_s=1000, burst=1000, parallel=8)


@asynccontextmanager
async def process(url: str, address: str = "https://edge.example/webhooks/shopify") -> AsyncIterator[ShopifyAdapter]:
    """One process that may mend them."""
    given = settings(url, pace=_FAST, webhook_repair=True, webhook_address=address)
    adapter = ShopifyAdapter(CONNECTION, given, SystemClock())
    try:
        yield adapter
    finally:
        await adapter.close()


async def test_two_processes_that_mend_side_by_side_lack_none() -> None:
    """FC-098: what the other one made meanwhile is refused as taken, which is no reason to stop."""
    shop = Shop()
    async with serve(application(shop)) as url, process(url) as one, process(url) as other:
        await asyncio.gather(one.mend_webhooks(), other.mend_webhooks())
        states = await one.webhooks()
        assert {state.active for state in states} == {True}
        assert len({state.topic for state in states}) == len(states)


async def test_what_stays_refused_is_told_by_topic() -> None:
    shop = Shop()
    async with serve(application(shop)) as url, process(url, "mailto:nobody@edge.example") as adapter:
        with pytest.raises(Unreadable, match="orders/create: Address is invalid"):
            await adapter.mend_webhooks()
