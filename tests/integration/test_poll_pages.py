"""Walks whose ground moves: pages shift, clocks differ, old orders change, and more is new than a page holds."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from simulators.faults import Fault, Rule
from simulators.shopify import Cart
from simulators.woocommerce import Shop
from tallystick.stack import Stack
from tests.integration.intake_help import Side, mugs, open_side
from tests.unit.adapters.shopify.shops import MUG

MINUTE_S = 60.0


@pytest.fixture
async def side(stack: Stack, database: str, topic_prefix: str) -> AsyncIterator[Side]:
    async with open_side(stack, database, topic_prefix) as side:
        yield side


async def seen(side: Side, connection: str = "woo") -> set[str]:
    return {event.object_id for event in await side.events() if event.connection == connection}


async def test_pages_that_shift_while_they_are_read_leave_nothing_out(side: Side) -> None:
    """FC-105: between two pages orders of the first are changed, deleted and bought; WooCommerce counts by offsets."""
    async with side.woocommerce() as woo:
        placed = []
        for _ in range(230):
            placed.append(woo.place_order(mugs()).id)
            side.time.forward(1)
        calls = 0

        def shifts() -> bool:
            nonlocal calls
            calls += 1
            if calls == 2:
                woo.delete(placed[3])
                for order_id in placed[10:20]:
                    woo.set_quantity(order_id, 0, 2)
                placed.append(woo.place_order(mugs()).id)
            return False

        woo.faults.rules = [Rule(Fault.SLOW, "GET /orders", while_true=shifts)]
        await side.pollers().turn("woo")
        side.time.forward(5 * MINUTE_S)
        await side.pollers().turn("woo")
        assert calls > 2
        assert await seen(side) == {str(order_id) for order_id in placed}
        assert [event.order.lines[0].quantity.ordered for event in await side.events(placed[10])][-1] == "2"


async def test_more_new_orders_than_a_page_holds_are_all_read(side: Side) -> None:
    """FC-106: a page is a hundred of WooCommerce and eight of Shopify; the minute between two turns was a busy one."""
    async with side.woocommerce() as woo, side.shopify() as shop:
        pollers = side.pollers()
        for name in ("woo", "shopify"):
            await pollers.turn(name)
        placed = {str(woo.place_order(mugs()).id) for _ in range(250)}
        sold = {str(shop.place_order(Cart([MUG])).id) for _ in range(30)}
        side.time.forward(MINUTE_S)
        for name in ("woo", "shopify"):
            await pollers.turn(name)
        assert await seen(side) == placed
        assert await seen(side, "shopify") == sold


async def test_an_old_order_that_changes_is_seen_within_one_turn(side: Side) -> None:
    """FC-107: the cursor follows the date of change, not the number of the order."""
    async with side.woocommerce() as woo, side.shopify() as shop:
        pollers = side.pollers()
        order, sold = woo.place_order(mugs()), shop.place_order(Cart([MUG]))
        for _ in range(30):
            side.time.forward(24 * 3600)
            woo.place_order(mugs())
            shop.place_order(Cart([MUG]))
        for name in ("woo", "shopify"):
            await pollers.turn(name)
        side.time.forward(MINUTE_S)
        woo.set_quantity(order.id, 0, 4)
        shop.edit_order(sold.id, {sold.lines[0].id: 1})
        side.time.forward(MINUTE_S)
        for name in ("woo", "shopify"):
            await pollers.turn(name)
        assert await side.revisions(order.id) == [1, 2]
        assert await side.revisions(sold.id) == [1, 2]


@pytest.mark.parametrize("ahead_s", [-20 * MINUTE_S, 20 * MINUTE_S])
async def test_clocks_that_differ_by_minutes_lose_nothing(side: Side, ahead_s: float) -> None:
    """FC-059: the shop's dates are only compared with one another; ours say when to look, never what is new."""
    async with side.woocommerce() as woo:
        _runs_ahead(woo, side, ahead_s)
        pollers, placed = side.pollers(), []
        for _ in range(6):
            placed.append(woo.place_order(mugs()))
            side.time.forward(MINUTE_S)
            await pollers.turn("woo")
            # An edit in the same minute as the look at what it changed.
            woo.set_quantity(placed[-1].id, 0, 3)
            side.time.forward(4 * MINUTE_S)
        side.time.forward(abs(ahead_s) + MINUTE_S)
        await pollers.turn("woo")
        assert await seen(side) == {str(order.id) for order in placed}
        for order in placed:
            assert [event.order.lines[0].quantity.ordered for event in await side.events(order.id)][-1] == "3"


def _runs_ahead(woo: Shop, side: Side, seconds: float) -> None:
    """The shop's own clock."""

    def now() -> datetime:
        return side.time.now() + timedelta(seconds=seconds)

    woo._now = now
