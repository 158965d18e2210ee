"""Stores that no longer deliver are noticed and mended, and what was lost meanwhile is looked for."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from consumers.watch import Watch
from simulators.faults import Fault, Rule
from simulators.shopify import Cart
from simulators.shopify import Shop as ShopifyShop
from simulators.woocommerce import Shop
from tallystick.ledger.watched import Watched
from tallystick.stack import Stack
from tests.integration.intake_help import Side, mugs, open_side
from tests.unit.adapters.shopify.shops import MUG

ADDRESS = "http://127.0.0.1:9/"
MENDED: dict[str, Any] = {"webhook_address": ADDRESS, "webhook_repair": True}
HOUR_S = 3600.0


@pytest.fixture
async def side(stack: Stack, database: str, topic_prefix: str) -> AsyncIterator[Side]:
    async with open_side(stack, database, topic_prefix) as side:
        yield side


def watch(side: Side) -> Watch:
    return Watch(side.stores, side.pollers(), Watched(side.pool), side.time, side.metrics)


def lost(side: Side, connection: str) -> float:
    labels = {"connection": connection}
    return side.metrics.registry.get_sample_value("tallystick_webhooks_lost_total", labels) or 0.0


async def refuse(woo: Shop, times: int) -> None:
    """Our edge is away while so many deliveries are made."""
    for _ in range(times):
        woo.place_order(mugs())
        await woo.deliver_all()


def refuse_shopify(shop: ShopifyShop, side: Side, times: int) -> set[str]:
    """The same of a shop that tries again until it deletes its subscriptions."""
    sold = {str(shop.place_order(Cart([MUG])).id) for _ in range(times)}
    for delivery in shop.pending_deliveries():
        shop.hooks.settled(delivery, side.time.now(), delivered=False)
    return sold


async def test_a_store_that_no_longer_delivers_is_reported(side: Side) -> None:
    """FC-098: WooCommerce disables a webhook after seven failures, Shopify deletes a subscription after eight. Where
    the settings do not allow to mend that, it is told and nothing is written."""
    async with side.woocommerce() as woo, side.shopify() as shop:
        watching = watch(side)
        assert [await watching.look(name) for name in ("woo", "shopify")] == [True, True]
        woo.outbox.webhooks[1].status = "disabled"
        shop.hooks.subscriptions.popitem()
        assert [await watching.look(name) for name in ("woo", "shopify")] == [False, False]
        for name in ("woo", "shopify"):
            labels = {"connection": name}
            assert side.metrics.registry.get_sample_value("tallystick_webhooks_active", labels) == 0.0
            assert lost(side, name) == 1
        woo.outbox.webhooks[1].status = "active"
        assert await watching.look("woo") is True
        woo.settings.keys = {}
        assert await watching.look("woo") is None
        # A fault of our own ends neither the watch nor, with it, everything else in the process.
        side.stores["woo"].webhooks = None
        assert await watching.look("woo") is None


async def test_subscriptions_are_restored_and_the_hole_is_looked_through(side: Side) -> None:
    """FC-098, FC-097: both shops gave our endpoint up; what they could not deliver is published, each order once."""
    async with side.woocommerce(**MENDED) as woo, side.shopify(**MENDED) as shop:
        watching = watch(side)
        assert [await watching.look(name) for name in ("woo", "shopify")] == [True, True]
        side.time.forward(HOUR_S)
        await refuse(woo, 7)
        sold = refuse_shopify(shop, side, 8)
        assert "disabled" in {webhook.status for webhook in woo.outbox.webhooks.values()}
        assert "orders/create" not in {one.topic for one in shop.hooks.subscriptions.values()}
        side.time.forward(HOUR_S)
        assert [await watching.look(name) for name in ("woo", "shopify")] == [True, True]
        assert {webhook.status for webhook in woo.outbox.webhooks.values()} == {"active"}
        assert {state.active for state in await side.stores["shopify"].webhooks()} == {True}
        events = await side.events()
        assert sorted(event.object_id for event in events) == sorted([*map(str, woo.orders), *sold])
        # All is well again: there is no hole any more.
        assert [await Watched(side.pool).hole(name) for name in ("woo", "shopify")] == [None, None]


async def test_a_webhook_that_is_disabled_again_and_again_alarms_and_loses_nothing(side: Side) -> None:
    """FC-126: being activated does not reset its count of failures, so that one more disables it again."""
    async with side.woocommerce(**MENDED) as woo:
        watching = watch(side)
        assert await watching.look("woo") is True
        side.time.forward(HOUR_S)
        await refuse(woo, 7)
        for times in (1, 2, 3):
            assert await watching.look("woo") is True
            assert lost(side, "woo") == times
            assert {event.object_id for event in await side.events()} == set(map(str, woo.orders))
            side.time.forward(HOUR_S)
            await refuse(woo, 1)
            assert "disabled" in {webhook.status for webhook in woo.outbox.webhooks.values()}


async def test_missing_webhooks_are_made_with_our_secret(side: Side) -> None:
    """One without a secret would be signed with one that nobody knows."""
    async with side.woocommerce(**MENDED) as woo:
        woo.outbox.webhooks.clear()
        assert await watch(side).look("woo") is True
        assert sorted(webhook.topic for webhook in woo.outbox.webhooks.values()) == [
            "order.created",
            "order.deleted",
            "order.restored",
            "order.updated",
        ]
        order = woo.place_order(mugs())
        await side.admit(side.all_taken("woo", woo))
        assert await side.revisions(order.id) == [1]


async def test_a_hole_stays_open_until_the_store_could_be_looked_through(side: Side) -> None:
    """The walk breaks off: the next look takes it up again, and only then all is well."""
    async with side.woocommerce(**MENDED) as woo:
        watching = watch(side)
        await watching.look("woo")
        side.time.forward(HOUR_S)
        await refuse(woo, 7)
        down = True
        woo.faults.rules = [Rule(Fault.SERVER_ERROR, "GET /orders", while_true=lambda: down)]
        assert await watching.look("woo") is None
        assert await Watched(side.pool).hole("woo") is not None
        down = False
        assert await watching.look("woo") is True
        assert await Watched(side.pool).hole("woo") is None
        assert {event.object_id for event in await side.events()} == set(map(str, woo.orders))
