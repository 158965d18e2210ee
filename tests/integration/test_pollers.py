"""What no delivery told is found by polling, on real Kafka and Postgres, over the doubles of both stores."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consumers.pollers import Pollers
from consumers.walks import Pace
from simulators.faults import Fault, Rule
from simulators.shopify import Cart
from tallystick.errors import Unavailable
from tallystick.settings import FlowName
from tallystick.stack import Stack
from tallystick.v1 import event_pb2
from tests.integration.intake_help import Side, mugs, open_side, running, until
from tests.unit.adapters.shopify.shops import MUG, TEA

MINUTE_S = 60.0


@pytest.fixture
async def side(stack: Stack, database: str, topic_prefix: str) -> AsyncIterator[Side]:
    async with open_side(stack, database, topic_prefix) as side:
        yield side


async def seen(side: Side, connection: str = "woo") -> set[str]:
    """The ids of the orders that were published."""
    return {event.object_id for event in await side.events() if event.connection == connection}


async def cursor(side: Side, connection: str = "woo") -> datetime:
    found = await side.cursors.load(connection, FlowName.ORDERS)
    assert found is not None
    return found


# ---- what is found -------------------------------------------------------------------------------------------------


async def test_orders_that_no_delivery_told_of_are_found(side: Side) -> None:
    """FC-099: single webhooks are never sent, without a pattern. The next poll finds what they were about."""
    async with side.woocommerce() as woo, side.shopify() as shop:
        pollers = side.pollers()
        placed: list[str] = []
        for number in range(40):
            order = woo.place_order(mugs())
            placed.append(str(order.id))
            owed = woo.pending_deliveries()
            if number % 3:
                await side.admit([side.taken("woo", woo, one) for one in owed])
            else:
                for one in owed:
                    woo.outbox.drop(one)
            side.time.forward(7)
        sold = shop.place_order(Cart([MUG]))
        for delivery in shop.pending_deliveries():
            shop.lose(delivery)
        assert len(await seen(side)) < 40
        side.time.forward(MINUTE_S)
        await pollers.turn("woo")
        await pollers.turn("shopify")
        events = await side.events()
    assert {event.object_id for event in events if event.connection == "woo"} == set(placed)
    assert {event.object_id for event in events if event.connection == "shopify"} == {str(sold.id)}
    # Those that were delivered and polled are one revision all the same.
    assert {event.revision for event in events} == {1}
    assert len(events) == 41


async def test_delivered_and_polled_is_one_revision(side: Side) -> None:
    """FC-003: the poll's sighting is a repeated one, whoever comes first."""
    async with side.woocommerce() as woo, side.shopify() as shop:
        pollers = side.pollers()
        first, second = woo.place_order(mugs()), shop.place_order(Cart([MUG, TEA], shipping=None))
        await side.admit(side.all_taken("woo", woo))
        await pollers.turn("woo")
        await pollers.turn("shopify")
        await side.admit([side.arrived("shopify", one.headers, one.body) for one in shop.pending_deliveries()])
        for order, origin in ((first, event_pb2.ORIGIN_WEBHOOK), (second, event_pb2.ORIGIN_POLL)):
            assert [(event.revision, event.origin) for event in await side.events(order.id)] == [(1, origin)]


async def test_an_edit_whose_delivery_was_lost_is_found(side: Side) -> None:
    async with side.woocommerce() as woo:
        pollers = side.pollers()
        order = woo.place_order(mugs())
        await pollers.turn("woo")
        side.time.forward(MINUTE_S)
        woo.set_quantity(order.id, 0, 4)
        side.time.forward(MINUTE_S)
        await pollers.turn("woo")
        events = await side.events(order.id)
    assert [(event.revision, event.order.lines[0].quantity.ordered) for event in events] == [(1, "1"), (2, "4")]


async def test_five_hours_without_our_endpoint_lose_nothing(side: Side) -> None:
    """FC-097: Shopify gives up after eight tries and deletes its subscriptions, WooCommerce never tries twice.

    On return everything is found by one turn of the poll, and a second one finds nothing new.
    """
    async with side.woocommerce() as woo, side.shopify() as shop:
        pollers = side.pollers()
        await pollers.turn("woo")
        await pollers.turn("shopify")
        placed: dict[str, set[str]] = {"woo": set(), "shopify": set()}
        for _ in range(60):
            side.time.forward(5 * MINUTE_S)
            placed["woo"].add(str(woo.place_order(mugs()).id))
            placed["shopify"].add(str(shop.place_order(Cart([MUG])).id))
            for owed in woo.pending_deliveries():
                woo.take(owed)
            for delivery in shop.pending_deliveries():
                shop.hooks.settled(delivery, side.time.now(), delivered=False)
        assert not {"orders/create", "orders/updated"} & {one.topic for one in shop.hooks.subscriptions.values()}
        side.time.forward(MINUTE_S)
        async with asyncio.timeout(60):
            await pollers.turn("woo")
            await pollers.turn("shopify")
        for connection, ids in placed.items():
            assert await seen(side, connection) == ids
        before = len(await side.events())
        await pollers.turn("woo")
        await pollers.turn("shopify")
        assert len(await side.events()) == before == 120


async def test_a_week_is_caught_up_in_parts_that_count(side: Side) -> None:
    """Each part moves the cursor, so that an interruption does not begin the week anew."""
    async with side.woocommerce() as woo:
        start = side.time.now()
        placed = []
        for _ in range(7 * 4):
            placed.append(str(woo.place_order(mugs()).id))
            side.time.forward(6 * 3600)
        calls = iter(range(100))
        # The shop breaks down in the middle of the week.
        woo.faults.rules = [Rule(Fault.SERVER_ERROR, "GET /orders", while_true=lambda: next(calls) >= 8)]
        pollers = side.pollers(start)
        with pytest.raises(Unavailable):
            await pollers.turn("woo")
        assert start + timedelta(days=2) < await cursor(side) < start + timedelta(days=6)
        half = await seen(side)
        assert 0 < len(half) < len(placed)
        woo.faults.rules = []
        await side.pollers(start).turn("woo")
        assert await seen(side) == set(placed)


# ---- time ----------------------------------------------------------------------------------------------------------


async def test_every_zone_of_a_shop_gives_the_same_orders(side: Side) -> None:
    """FC-056, FC-129: dates go out in GMT, in the one form that no version of the shop shifts by its own zone."""
    for hours in range(-12, 15):
        name = f"gmt{hours}"
        async with side.woocommerce(name) as woo:
            woo.settings.zone = f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"
            woo.place_order(mugs())
            side.time.forward(2 * 3600)
            since = side.time.now() - timedelta(seconds=5)
            placed = []
            for _ in range(4):
                placed.append(str(woo.place_order(mugs()).id))
                side.time.forward(20 * MINUTE_S)
            await side.pollers(since).turn(name)
            assert await seen(side, name) == set(placed), woo.settings.zone


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("Europe/Zurich", datetime(2026, 3, 29, 0, 0, tzinfo=UTC)),
        ("Europe/Zurich", datetime(2026, 10, 25, 0, 0, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 5, 0, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 14, 0, tzinfo=UTC)),
    ],
)
async def test_polls_through_the_nights_when_clocks_are_changed(side: Side, zone: str, night: datetime) -> None:
    """FC-057: no run is skipped, no window doubled, no order lost; the hour that comes twice makes no second one."""
    async with side.woocommerce() as woo:
        woo.settings.zone, side.time.moment = zone, night
        pollers, placed = side.pollers(night), []
        for _ in range(12):
            placed.append(str(woo.place_order(mugs()).id))
            side.time.forward(15 * MINUTE_S)
            assert await pollers.turn("woo")
        events = await side.events()
    assert sorted(event.object_id for event in events) == placed
    assert {event.revision for event in events} == {1}


# ---- cursors -------------------------------------------------------------------------------------------------------


async def test_the_cursor_outlives_the_process(side: Side) -> None:
    """What was seen before is not asked for again, but for the overlap."""
    async with side.woocommerce() as woo:
        start = side.time.now()
        await side.pollers(start).turn("woo")
        early = woo.place_order(mugs())
        side.time.forward(10 * 3600)
        woo.outbox.drop(woo.pending_deliveries()[0])
        late = woo.place_order(mugs())
        await side.pollers(start).turn("woo")
        assert await seen(side) == {str(early.id), str(late.id)}
        assert await cursor(side) == late.modified
        woo.faults.rules = [Rule(Fault.SLOW, "GET /orders", seconds=0)]
        await side.pollers(start).turn("woo")
        # One short window, both states of an order.
        assert woo.faults.struck[Fault.SLOW] <= 3


async def test_the_cursor_is_the_newest_change_seen_and_never_now(side: Side) -> None:
    """FC-060: the walk took a while; what changed meanwhile is after the cursor and read by the next turn."""
    async with side.woocommerce() as woo:
        orders = [woo.place_order(mugs()) for _ in range(3)]
        changed = side.time.now()
        meanwhile: list[str] = []

        def buys_meanwhile() -> bool:
            if not meanwhile:
                side.time.forward(90)
                meanwhile.append(str(woo.place_order(mugs()).id))
                side.time.forward(90)
            return False

        woo.faults.rules = [Rule(Fault.SLOW, "GET /orders", while_true=buys_meanwhile)]
        pollers = side.pollers()
        await pollers.turn("woo")
        assert await cursor(side) == changed
        await pollers.turn("woo")
        assert await seen(side) == {*(str(order.id) for order in orders), *meanwhile}


async def test_an_empty_walk_does_not_run_ahead_of_the_stores_clock(side: Side) -> None:
    """The store's clock may be behind ours; its next order is dated before our now."""
    async with side.woocommerce() as woo:
        pollers = side.pollers()
        side.time.forward(12 * 3600)
        await pollers.turn("woo")
        assert await cursor(side) <= side.time.now() - timedelta(seconds=Pace().skew_s)
        now, side.time.moment = side.time.moment, side.time.moment - timedelta(minutes=30)
        order = woo.place_order(mugs())
        side.time.moment = now + timedelta(minutes=1)
        await pollers.turn("woo")
        assert await seen(side) == {str(order.id)}


async def test_a_walk_that_breaks_off_leaves_the_cursor(side: Side) -> None:
    async with side.woocommerce() as woo:
        for _ in range(120):
            woo.place_order(mugs())
        pollers = side.pollers()
        await pollers.turn("woo")
        stood = await cursor(side)
        side.time.forward(5 * MINUTE_S)
        placed = {str(woo.place_order(mugs()).id) for _ in range(120)}
        calls = iter(range(100))
        woo.faults.rules = [Rule(Fault.SERVER_ERROR, "GET /orders", while_true=lambda: next(calls) >= 1)]
        with pytest.raises(Unavailable):
            await pollers.turn("woo")
        assert await cursor(side) == stood
        woo.faults.rules = []
        await pollers.turn("woo")
        assert placed <= await seen(side)


async def test_of_two_pollers_one_takes_the_turn(side: Side) -> None:
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        one, other = side.pollers(), side.pollers()
        took = await asyncio.gather(one.turn("woo", every_s=60), other.turn("woo", every_s=60))
        assert sorted(took) == [False, True]
        assert await side.revisions(order.id) == [1]


async def test_after_an_unclean_start_the_first_walk_begins_earlier(side: Side) -> None:
    """A lone broker may have lost what it acknowledged from memory; the store still has it."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        side.time.forward(30 * MINUTE_S)
        newest = woo.place_order(mugs())
        pollers = side.pollers()
        await pollers.turn("woo")
        # As if the broker had lost the first of them with its row.
        await side.pool.fetch("DELETE FROM source_object WHERE id = $1", str(order.id))
        await side.pollers().turn("woo")
        assert await side.revisions(order.id) == [1]
        await _run_until(side.pollers(unclean=True), side, str(order.id), 2)
        assert await side.revisions(newest.id) == [1]


async def _run_until(pollers: Pollers, side: Side, order_id: str, number: int) -> None:
    """The loops as they run, until an order was published so often."""

    async def published() -> bool:
        return len(await side.events(order_id)) == number

    async with running(pollers):
        await until(published)


# ---- late, torn and large ------------------------------------------------------------------------------------------


async def test_the_second_pass_finds_what_became_visible_late(side: Side) -> None:
    """Search lags for longer than the overlap; an hour later the last hours are walked over once more."""
    async with side.shopify() as shop:
        pollers = side.pollers()
        shop.search_lag_s = 20 * MINUTE_S
        hidden = shop.place_order(Cart([MUG]))
        side.time.forward(10 * MINUTE_S)
        shop.search_lag_s = 0
        shown = shop.place_order(Cart([MUG]))
        await pollers.turn("shopify")
        assert await seen(side, "shopify") == {str(shown.id)}
        side.time.forward(30 * MINUTE_S)
        shop.place_order(Cart([MUG]))
        await pollers.turn("shopify")
        assert str(hidden.id) not in await seen(side, "shopify")
        stood = await cursor(side, "shopify")
        assert await pollers.second_pass("shopify")
        assert str(hidden.id) in await seen(side, "shopify")
        assert await cursor(side, "shopify") == stood
        assert not await pollers.second_pass("shopify")


async def test_a_page_that_is_older_than_a_body_does_not_undo_it(side: Side) -> None:
    """The page was asked for before the delivery came in: it is not believed, the order is read again."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        await side.admit(side.all_taken("woo", woo))
        side.time.forward(MINUTE_S)

        class Between:
            """The shop's adapter, with a delivery that overtakes the page."""

            overlap_s = 120.0

            async def changed_orders(self, window: object) -> AsyncIterator[object]:
                async for page in adapter.changed_orders(window):
                    woo.set_quantity(order.id, 0, 9)
                    await side.admit(side.all_taken("woo", woo))
                    yield page

        adapter = side.stores["woo"]
        side.stores["woo"] = Between()
        pollers = side.pollers()
        side.stores["woo"] = adapter
        await pollers.turn("woo")
        assert await side.waiting() == {"READ_LATER": 1}
        await side.relayed()
        events = await side.events(order.id)
    assert [event.order.lines[0].quantity.ordered for event in events] == ["1", "9"]


async def test_an_order_that_a_page_cannot_show_is_left_to_the_relay(side: Side) -> None:
    """One order that cannot be translated neither stops the walk nor holds the cursor, and is not forgotten."""
    async with side.woocommerce() as woo:
        good, bad = woo.place_order(mugs()), woo.place_order(mugs())
        woo.spoiled[bad.id] = lambda shown: {"id": shown["id"], "status": "processing"}
        await side.pollers().turn("woo")
        assert await seen(side) == {str(good.id)}
        assert await side.waiting() == {"READ_LATER": 1}
        await side.relay().turn("woo")
        assert await side.waiting() == {"PARSER": 1}
        del woo.spoiled[bad.id]
        await side.pool.fetch("UPDATE pending_delivery SET due_at = clock_timestamp()")
        await side.relayed()
        assert await seen(side) == {str(good.id), str(bad.id)}


async def test_an_order_larger_than_the_topics_take_does_not_stop_the_walk(side: Side) -> None:
    async with side.woocommerce() as woo:
        woo.place_order(mugs(), note="x" * 5_000_000)
        small = woo.place_order(mugs())
        await side.pollers().turn("woo")
        assert await seen(side) == {str(small.id)}
        assert await side.waiting() == {"READ_LATER": 1}


async def test_the_loops_go_on_after_a_store_was_down(side: Side) -> None:
    """As it runs: each store polled in a loop of its own; one that refuses its keys stops no other."""
    async with side.woocommerce("down") as down, side.woocommerce("up") as up, side.shopify() as shop:
        down.settings.keys, keys = {}, down.settings.keys
        pace = replace(Pace(), every_s=0.2)
        async with running(side.pollers(pace=pace)):
            lost = down.place_order(mugs())
            placed = {str(up.place_order(mugs()).id), str(shop.place_order(Cart([MUG])).id)}

            async def others() -> bool:
                return placed <= {event.object_id for event in await side.events() if event.connection != "down"}

            async def found() -> bool:
                return await seen(side, "down") == {str(lost.id)}

            await until(others)
            refused = {"connection": "down"}
            assert side.metrics.registry.get_sample_value("tallystick_auth_failures_total", refused)
            down.settings.keys = keys
            await until(found)
