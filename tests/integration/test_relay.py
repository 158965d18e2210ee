"""What waited is offered again, and what was accepted but never published is published, on real Kafka and Postgres."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from simulators.faults import Fault, Rule
from simulators.shopify import Cart
from tallystick.intake.delivery import Delivery, Waits, to_waiting, wish
from tallystick.kafka.topics import ORDERS, QUARANTINE
from tallystick.ledger.pending import PendingReason
from tallystick.stack import Stack
from tallystick.v1 import event_pb2
from tests.integration.intake_help import Side, mugs, open_side, running, until
from tests.unit.adapters.shopify.shops import MUG

_LEFT = "due_at - clock_timestamp() AS left"


@pytest.fixture
async def side(stack: Stack, database: str, topic_prefix: str) -> AsyncIterator[Side]:
    async with open_side(stack, database, topic_prefix) as side:
        yield side


async def keep(side: Side, deliveries: list[Delivery], reason: PendingReason = PendingReason.KAFKA_DOWN) -> None:
    """Put aside, as the edge does while Kafka is away."""
    await side.pending.put([to_waiting(delivery, Waits(reason)) for delivery in deliveries])


async def due(side: Side) -> None:
    """As if the time that everything waits for had passed."""
    await side.pool.fetch("UPDATE pending_delivery SET due_at = clock_timestamp()")


async def test_what_the_edge_kept_while_kafka_was_away_becomes_revisions(side: Side) -> None:
    async with side.woocommerce() as woo:
        orders = [woo.place_order(mugs()) for _ in range(120)]
        await keep(side, side.all_taken("woo", woo))
        heard_at = side.time.now()
        side.time.forward(600)
        await side.relayed()
        events = await side.events()
    assert {event.object_id for event in events} == {str(order.id) for order in orders}
    assert len(events) == len(orders)
    assert {event.origin for event in events} == {event_pb2.ORIGIN_RELAY}
    # Its age counts from when it was first heard of, not from when it could be dealt with.
    assert {event.received_at.ToDatetime(heard_at.tzinfo) for event in events} == {heard_at}


async def test_the_relay_as_it_runs_takes_up_what_comes(side: Side) -> None:
    """The loop of each connection, the gauges beside it, and a clean end."""
    async with side.woocommerce() as woo:
        orders = [woo.place_order(mugs()) for _ in range(3)]

        async def published() -> bool:
            return {event.object_id for event in await side.events()} == {str(order.id) for order in orders}

        async def gauged() -> bool:
            labels = {"connection": "woo", "reason": "KAFKA_DOWN"}
            return side.metrics.registry.get_sample_value("tallystick_pending_deliveries", labels) in (None, 0.0)

        async with running(side.relay()):
            await keep(side, side.all_taken("woo", woo))
            await until(published)
            await until(gauged)
    assert await side.waiting() == {}


async def test_a_store_that_is_down_is_left_alone_and_loses_nothing(side: Side) -> None:
    side.run_at(1.0)
    async with side.woocommerce(trust_bodies=False) as woo:
        orders = [woo.place_order(mugs()) for _ in range(10)]
        await keep(side, side.all_taken("woo", woo))
        woo.faults.rules = [Rule(Fault.SERVER_ERROR)]
        relay = side.relay()
        await relay.turn("woo")
        asked = woo.faults.struck[Fault.SERVER_ERROR]
        for _ in range(5):
            await due(side)
            await relay.turn("woo")
        # The process leaves the store alone; its deliveries wait in the meantime.
        assert woo.faults.struck[Fault.SERVER_ERROR] == asked
        assert await side.waiting() == {"STORE_DOWN": 10}
        woo.faults.rules = []
        side.pauses.clear("woo")
        await due(side)
        await side.relayed()
        assert {event.object_id for event in await side.events()} == {str(order.id) for order in orders}


async def test_one_store_that_is_slow_does_not_hold_up_another(side: Side) -> None:
    """Each connection has a loop of its own: what came second to the quick store is out first."""
    async with side.woocommerce("slow", trust_bodies=False) as slow, side.woocommerce("quick") as quick:
        slow.faults.rules = [Rule(Fault.SLOW, seconds=4)]
        side.run_at(1.0)
        slow.place_order(mugs())
        quick.place_order(mugs())
        await keep(side, [*side.all_taken("slow", slow), *side.all_taken("quick", quick)])

        async def both() -> bool:
            return len(await side.events()) == 2

        async with running(side.relay()):
            await until(both)
        by_time = sorted(await side.records(ORDERS), key=lambda record: record.timestamp_ms)
    assert [(record.key or b"").partition(b"/")[0] for record in by_time] == [b"quick", b"slow"]


async def test_a_relay_that_dies_gives_its_deliveries_back(side: Side) -> None:
    """Taken and not settled: due again when the lease is over."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        await keep(side, side.all_taken("woo", woo))
        taken = await side.pending.claim("woo", 10, lease_s=0.2)
        assert len(taken) == 2
        await side.relayed()
        assert await side.revisions(order.id) == [1]


async def test_our_own_fault_is_tried_again_less_and_less_often(side: Side) -> None:
    """Only a corrected version of ours mends it; it is never thrown away."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        (delivery, _) = side.all_taken("woo", woo)
        await keep(side, [delivery])
        translate = side.stores["woo"].reading
        side.stores["woo"].reading = lambda headers, raw: {}[headers["a field that is not there"]]
        relay, waits = side.relay(), []
        for _ in range(4):
            await due(side)
            await relay.turn("woo")
            [row] = await side.pool.fetch(
                "SELECT reason, detail, due_at - clock_timestamp() AS left FROM pending_delivery"
            )
            assert (row["reason"], row["detail"]) == ("PARSER", "KeyError")
            waits.append(row["left"])
        assert waits[0] > timedelta(seconds=60 * side.scale / 2)
        await side.pool.fetch("UPDATE pending_delivery SET attempts = 12, due_at = clock_timestamp()")
        await relay.turn("woo")
        [row] = await side.pool.fetch(f"SELECT {_LEFT} FROM pending_delivery")
        assert timedelta(seconds=3600 * side.scale) >= row["left"] > 10 * waits[0]
        side.stores["woo"].reading = translate
        await due(side)
        await side.relayed()
        assert await side.revisions(order.id) == [1]


async def test_bytes_that_nobody_can_read_are_set_aside(side: Side) -> None:
    async with side.woocommerce() as woo:
        woo.place_order(mugs())
        (delivery, _) = side.all_taken("woo", woo)
        await keep(side, [replace(delivery, raw=b"<html>")])
        await side.relayed()
        (record,) = await side.records(QUARANTINE)
    assert (record.value, record.key) == (b"<html>", delivery.object_key.encode())
    assert record.header("h-x-wc-webhook-topic") is not None
    assert (record.header("quarantine-source") or b"").startswith(b"pending_delivery/")


async def test_an_order_too_large_for_the_topics_stays_and_is_seen(side: Side) -> None:
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs(), note="x" * 5_000_000)
        await side.pending.put(
            [
                to_waiting(
                    wish("woo", str(order.id), event_pb2.ORIGIN_POLL, side.time.now()), Waits(PendingReason.READ_LATER)
                )
            ]
        )
        await side.relay().turn("woo")
        assert await side.waiting() == {"TOO_LARGE": 1}
        await side.pool.fetch("UPDATE source_object SET changed_at = changed_at - interval '1 hour'")
        assert await side.relay().publish_again("woo") == 0
        woo.edit(order.id, lambda order, cart: setattr(order, "note", "short"))
        await due(side)
        await side.relayed()
        assert await side.revisions(order.id) != []


async def test_a_wish_of_the_engine_is_a_read(side: Side) -> None:
    """FC-063: before a create that has waited, the order is read again; what it is by now is published."""
    async with side.shopify() as shop:
        order = shop.place_order(Cart([MUG]))
        await side.admit([side.arrived("shopify", one.headers, one.body) for one in shop.pending_deliveries()])
        shop.cancel(order.id)
        wished = wish("shopify", str(order.id), event_pb2.ORIGIN_RELAY, side.time.now())
        await keep(side, [wished], PendingReason.READ_LATER)
        await side.relayed()
        states = [
            event.order.state for event in await side.events(order.id) if event.type == event_pb2.ENTITY_TYPE_ORDER
        ]
    assert len(states) == 2
    assert states[0] != states[1]


# ---- accepted, never published -------------------------------------------------------------------------------------


async def test_a_revision_that_was_accepted_and_never_published_is_published(side: Side) -> None:
    """Kafka goes away between the acceptance and the publication; the number stays the same."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        deliveries = side.all_taken("woo", woo)
        await side.producer.stop()
        outcome = (await asyncio.gather(side.admit(deliveries), return_exceptions=True))[0]
        assert isinstance(outcome, Exception)
        await side.producer.start()
        assert await side.revisions(order.id) == []
        await side.pool.fetch("UPDATE source_object SET changed_at = changed_at - interval '1 hour'")
        assert await side.relay().publish_again("woo") == 1
        assert await side.revisions(order.id) == [1]
        assert await side.relay().publish_again("woo") == 0


async def test_the_same_delivery_again_publishes_it_too(side: Side) -> None:
    """The offset had not moved: the batch comes again, and equal content is published under its revision."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        deliveries = side.all_taken("woo", woo)
        await side.producer.stop()
        await asyncio.gather(side.admit(deliveries), return_exceptions=True)
        await side.producer.start()
        await side.admit(deliveries)
        await side.admit(deliveries)
        assert await side.revisions(order.id) == [1]


async def test_published_and_not_noted_is_the_same_revision_twice(side: Side) -> None:
    """A crash between the acknowledgement and the note: harmless, downstream compares revisions."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        await side.admit(side.all_taken("woo", woo))
        await side.pool.fetch(
            "UPDATE source_object SET published_revision = 0, changed_at = changed_at - interval '1 hour'"
        )
        await side.relay().publish_again("woo")
        events = await side.events(order.id)
    assert [event.revision for event in events] == [1, 1]
    assert events[0].order == events[1].order


async def test_a_young_revision_is_left_to_whoever_is_publishing_it(side: Side) -> None:
    async with side.woocommerce() as woo:
        woo.place_order(mugs())
        deliveries = side.all_taken("woo", woo)
        await side.producer.stop()
        await asyncio.gather(side.admit(deliveries), return_exceptions=True)
        await side.producer.start()
        assert await side.relay().publish_again("woo") == 0
    assert await side.records(ORDERS) == []


async def test_the_relay_waits_while_kafka_is_away_and_goes_on(side: Side) -> None:
    """Nothing of what it took is lost or marked as dealt with."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        await keep(side, side.all_taken("woo", woo))
        await side.producer.stop()

        async def tried() -> bool:
            return bool(await side.pool.fetch("SELECT 1 FROM pending_delivery WHERE attempts > 1"))

        async def published() -> bool:
            return set(await side.revisions(order.id)) == {1} and await side.waiting() == {}

        async with running(side.relay()):
            await until(tried)
            await side.producer.start()
            await until(published)
