"""From a delivery on the intake topic to a revision on the orders topic, on real Kafka and Postgres."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer

from simulators.faults import Fault, Rule
from simulators.shopify import Cart
from simulators.woocommerce import Item
from tallystick.canonical.digest import digest
from tallystick.intake.delivery import Dealt, Delivery, Waits
from tallystick.kafka.producer import Message
from tallystick.kafka.topics import INTAKE, ORDERS, QUARANTINE, VALUE_MAX
from tallystick.ledger.pending import PendingReason
from tallystick.stack import Stack
from tallystick.v1 import event_pb2, order_pb2
from tests.integration.intake_help import Side, mugs, open_side
from tests.unit.adapters.shopify.shops import MUG, TEA

TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
async def side(stack: Stack, database: str, topic_prefix: str) -> AsyncIterator[Side]:
    async with open_side(stack, database, topic_prefix) as side:
        yield side


# ---- the whole way -------------------------------------------------------------------------------------------------


async def test_a_delivery_becomes_a_revision_of_its_order(side: Side) -> None:
    async with side.woocommerce() as woo, side.shopify() as shopify:
        bought, sold = woo.place_order(mugs(2)), shopify.place_order(Cart([MUG, TEA]))
        deliveries = [replace(one, traceparent=TRACE) for one in side.all_taken("woo", woo)]
        deliveries += [side.arrived("shopify", one.headers, one.body) for one in shopify.pending_deliveries()]
        async with side.consuming():
            await side.put(deliveries)
            await side.caught_up()
        events = {event.connection: event for event in await side.events()}
        assert len(await side.events()) == 2
    assert (events["woo"].object_id, events["shopify"].object_id) == (str(bought.id), str(sold.id))
    for event in events.values():
        assert (event.revision, event.origin) == (1, event_pb2.ORIGIN_WEBHOOK)
        assert (event.type, list(event.findings)) == (event_pb2.ENTITY_TYPE_ORDER, [])
        assert event.received_at.ToDatetime(side.time.now().tzinfo) == side.time.now()
    (record,) = [one for one in await side.records(ORDERS) if one.key == f"woo/{bought.id}".encode()]
    assert record.header("traceparent") == TRACE
    assert await side.waiting() == {}


async def test_everything_delivered_twice_and_shuffled_is_one_revision_of_each(side: Side) -> None:
    """FC-002, FC-003, FC-061, FC-115: `order.updated` comes before `order.created`, and both come again."""
    async with side.woocommerce() as woo:
        orders = [woo.place_order(mugs()) for _ in range(20)]
        deliveries = side.all_taken("woo", woo) * 2
        random.Random(5).shuffle(deliveries)
        woo.faults.rules = [Rule(Fault.SERVER_ERROR, "GET *")]
        async with side.consuming(batch=7):
            await side.put(deliveries)
            await side.caught_up()
        events = await side.events()
    assert {event.object_id for event in events} == {str(order.id) for order in orders}
    assert {event.revision for event in events} == {1}
    assert len(events) == len(orders)


async def test_updated_before_created_needs_neither_read_nor_second_revision(side: Side) -> None:
    """FC-061, FC-115: the two deliveries of a checkout in both orders of arrival, each in a batch of its own."""
    async with side.woocommerce() as woo:
        for backwards in (False, True):
            order = woo.place_order(mugs())
            deliveries = side.all_taken("woo", woo)
            assert [one.headers["x-wc-webhook-topic"] for one in deliveries] == ["order.updated", "order.created"]
            for one in reversed(deliveries) if backwards else deliveries:
                await side.admit([one])
            assert await side.revisions(order.id) == [1]


async def test_a_body_retried_hours_later_never_wins(side: Side) -> None:
    """FC-064: Shopify sends the original body again for four hours; by then the order was edited."""
    async with side.shopify() as shop:
        order = shop.place_order(Cart([MUG, TEA]))
        old = [side.arrived("shopify", one.headers, one.body) for one in shop.pending_deliveries()]
        side.time.forward(60)
        shop.edit_order(order.id, {order.lines[0].id: 0})
        new = [side.arrived("shopify", one.headers, one.body) for one in shop.pending_deliveries()][len(old) :]
        await side.admit(new)
        side.time.forward(4 * 3600)
        for one in old:
            await side.admit([one])
        events = await side.events(order.id)
    assert {event.order.lines[0].quantity.removed_by_edit for event in events} == {"3"}
    assert {event.revision for event in events} == {1}


async def test_a_shop_whose_bodies_show_the_state_before_the_change_is_read(side: Side) -> None:
    """FC-100: there a body is a hint and nothing more, so what the shop really holds is published."""
    async with side.woocommerce(trust_bodies=False) as woo:
        order = woo.place_order(mugs(), status="pending")
        before = side.all_taken("woo", woo)
        woo.pay(order.id)
        await side.admit(before)
        (event,) = await side.events(order.id)
    assert event.order.payment_state == order_pb2.PAYMENT_STATE_PAID


async def test_two_states_of_one_second_end_in_the_present_one(side: Side) -> None:
    """A second holds many states: on a tie of dates with other content the order is read."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        first = side.all_taken("woo", woo)
        woo.set_quantity(order.id, 0, 3)
        woo.set_quantity(order.id, 0, 5)
        for one in [*side.all_taken("woo", woo), *first]:
            await side.admit([one])
        events = await side.events(order.id)
    assert events[-1].order.lines[0].quantity.ordered == "5"
    assert [event.revision for event in events] == [1, *range(2, len(events) + 1)]


async def test_thousands_of_updates_of_one_order_are_a_few_revisions(side: Side) -> None:
    """FC-103: a loop on the store's side; the ERP hears of it as often as there were batches, not as updates."""
    async with side.woocommerce() as woo:
        order, other = woo.place_order(mugs()), woo.place_order(mugs())
        await side.admit(side.all_taken("woo", woo))
        storm: list[Delivery] = []
        for number in range(3000):
            if number % 3 == 0:
                side.time.forward()
            woo.set_quantity(order.id, 0, number % 50 + 1)
            storm += side.all_taken("woo", woo)
        woo.set_quantity(other.id, 0, 2)
        async with side.consuming():
            await side.put([*storm, *side.all_taken("woo", woo)])
            await side.caught_up()
        events = await side.events(order.id)
        assert [event.order.lines[0].quantity.ordered for event in await side.events(other.id)][-1] == "2"
    assert len(storm) == 3000
    assert len(events) <= 30
    assert events[-1].order.lines[0].quantity.ordered == str(2999 % 50 + 1)
    [sightings] = await side.pool.fetch(
        "SELECT sightings FROM source_object WHERE connection = 'woo' AND id = $1", str(order.id)
    )
    assert sightings["sightings"] >= 3000


# ---- bodies that are no orders -------------------------------------------------------------------------------------


async def test_an_error_body_is_neither_an_order_nor_set_aside(side: Side) -> None:
    """FC-116: the order was gone before the shop's queue ran; the delivery is correctly signed all the same."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        woo.delete(order.id)
        gone = side.all_taken("woo", woo)
        assert {b"woocommerce_rest_shop_order_invalid_id" in one.raw for one in gone} == {True}
        async with side.consuming():
            await side.put(gone)
            await side.caught_up()
        assert (await side.events(), await side.records(QUARANTINE), await side.waiting()) == ([], [], {})


async def test_an_order_that_is_really_gone_is_a_revision(side: Side) -> None:
    """FC-116: a deletion that can be read names the order; the shop answers 404, and that is published."""
    async with side.woocommerce() as woo, side.shopify() as shopify:
        order, sold = woo.place_order(mugs()), shopify.place_order(Cart([MUG]))
        await side.admit(side.all_taken("woo", woo))
        await side.admit([side.arrived("shopify", o.headers, o.body) for o in shopify.pending_deliveries()])
        seen = len(shopify.pending_deliveries())
        woo.trash(order.id)
        (trashed,) = side.all_taken("woo", woo)
        woo.delete(order.id)
        shopify.delete_order(sold.id)
        deleted = [side.arrived("shopify", o.headers, o.body) for o in shopify.pending_deliveries()[seen:]]
        await side.admit([trashed, *deleted])
        for connection, order_id in (("woo", order.id), ("shopify", sold.id)):
            events = await side.events(order_id)
            assert [(event.revision, event.gone) for event in events] == [(1, False), (2, True)], connection


async def test_an_order_in_the_trash_is_cancelled_and_comes_back(side: Side) -> None:
    """The trash is no deletion: the order may be taken out of it again, under the same number."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        await side.admit(side.all_taken("woo", woo))
        side.time.forward(60)
        woo.trash(order.id)
        await side.admit(side.all_taken("woo", woo))
        side.time.forward(60)
        woo.untrash(order.id)
        await side.admit(side.all_taken("woo", woo))
        states = [event.order.state for event in await side.events(order.id)]
    assert states == [order_pb2.ORDER_STATE_PLACED, order_pb2.ORDER_STATE_CANCELLED, order_pb2.ORDER_STATE_PLACED]


async def test_drafts_and_ghosts_are_drafts_until_they_are_placed(side: Side) -> None:
    """FC-120: a checkout that was never finished is delivered; it becomes an order only when somebody places it."""
    async with side.woocommerce() as woo:
        ghost, draft = (woo.place_order(mugs(), status="checkout-draft") for _ in range(2))
        await side.admit(side.all_taken("woo", woo))
        side.time.forward(60)
        woo.pay(draft.id)
        await side.admit(side.all_taken("woo", woo))
        (left,) = await side.events(ghost.id)
        states = [event.order.state for event in await side.events(draft.id)]
    assert left.order.state == order_pb2.ORDER_STATE_DRAFT
    assert states == [order_pb2.ORDER_STATE_DRAFT, order_pb2.ORDER_STATE_PLACED]


async def test_an_order_that_does_not_add_up_is_published_with_its_finding(side: Side) -> None:
    """Only the engine holds; intake says what it found, and others need not ask the store again."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        woo.spoiled[order.id] = lambda shown: {**shown, "total": "999.00"}
        await side.admit(side.all_taken("woo", woo))
        (event,) = await side.events(order.id)
    assert [finding.reason for finding in event.findings] == ["UNBALANCED"]


async def test_an_order_and_its_refund_are_published_together_the_order_first(side: Side) -> None:
    """A delivery about a refund leads to a read of its order; a part never overtakes the whole."""
    async with side.shopify() as shop:
        order = shop.place_order(Cart([MUG, TEA]))
        shop.refund(order.id, {order.lines[0].id: 1})
        (about,) = [one for one in shop.pending_deliveries() if one.topic == "refunds/create"]
        await side.admit([side.arrived("shopify", about.headers, about.body)])
        events = await side.events()
        keys = {record.key for record in await side.records(ORDERS)}
    assert [event.type for event in events] == [event_pb2.ENTITY_TYPE_ORDER, event_pb2.ENTITY_TYPE_REFUND]
    assert keys == {f"shopify/{order.id}".encode()}


async def test_refunds_that_a_body_does_not_show_are_read_and_come_once(side: Side) -> None:
    """FC-062: WooCommerce tells a refund by `order.updated`; its pieces are listed apart. Seen again, it is not new."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs(3))
        await side.admit(side.all_taken("woo", woo))
        side.time.forward(60)
        woo.refund(order.id, back={order.lines[0].id: 1}, reason="broken")
        for _ in range(2):
            woo.edit(order.id)
            await side.admit(side.all_taken("woo", woo))
        events = await side.events()
    kinds = [event.type for event in events]
    assert kinds == [event_pb2.ENTITY_TYPE_ORDER, event_pb2.ENTITY_TYPE_ORDER, event_pb2.ENTITY_TYPE_REFUND]
    assert [(line.quantity, line.sku) for line in events[-1].refund.lines] == [("1", "MUG")]
    assert events[-1].refund.order_id == str(order.id)


# ---- what cannot be dealt with -------------------------------------------------------------------------------------


async def test_bytes_that_nobody_can_read_are_set_aside_and_the_partition_moves_on(side: Side) -> None:
    """F19: nonsense under a right signature, records that no edge wrote; what comes behind them is not held up."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        good = side.all_taken("woo", woo)
        html = replace(good[0], raw=b"<html>\x00\xff")
        deep = replace(good[0], raw=b'{"id":7,"status":' + b"[" * 100_000)
        woo_is, when = ("connection", b"woo"), ("received-at", b"2026-11-23T06:00:00+00:00")
        strange = [
            Message(INTAKE, good[0].object_key.encode(), b"\x00\x01", [("connection", b"\xff")]),
            Message(INTAKE, b"a\x00b/1", b"NUL in the key", [woo_is, when]),
            Message(INTAKE, b"woo/1", b"NUL in a header", [woo_is, when, ("h-x-a", b"\x00")]),
            Message(INTAKE, b"x/1", b"no end", [("connection", b"x" * 5000), when]),
            Message(INTAKE, b"woo/1", b"year 1", [woo_is, ("received-at", b"0001-01-01T00:00:00+14:00")]),
        ]
        async with side.consuming():
            await side.put([html, deep])
            await side.producer.send_all([*strange, Message(INTAKE, b"", b"", ())])
            await side.put(good)
            await side.caught_up()
        aside = {record.value: record for record in await side.records(QUARANTINE)}
        assert await side.revisions(order.id) == [1]
    assert set(aside) == {html.raw, deep.raw, b"", *(message.value for message in strange)}
    assert aside[html.raw].header("quarantine-reason") == b"the bytes are no JSON"
    assert aside[html.raw].header("quarantine-source") is not None
    assert aside[html.raw].header("connection") == b"woo"
    assert await side.waiting() == {}
    assert side.metrics.registry.get_sample_value(
        "tallystick_quarantined_total", {"topic": side.settings.prefix + INTAKE.name, "reason": "undecodable"}
    ) == len(aside)


async def test_a_record_larger_than_ours_is_set_aside_in_part(side: Side) -> None:
    """F19: another producer may press 20 MB into one record. What was cut off is said; nothing is stuck."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        good = side.all_taken("woo", woo)
        async with AIOKafkaProducer(
            bootstrap_servers=side.kafka, compression_type="lz4", max_request_size=30_000_000
        ) as foreign:
            topic, key = side.settings.prefix + INTAKE.name, good[0].object_key.encode()
            await foreign.send_and_wait(topic, b"\x00" * 20_000_000, key, headers=[("x", b"y" * 200_000)])
        async with side.consuming():
            await side.put(good)
            await side.caught_up()
        (record,) = await side.records(QUARANTINE)
        assert await side.revisions(order.id) == [1]
    assert record.header("quarantine-cut-from") == b"20000000"
    assert len(record.value or b"") == VALUE_MAX


async def test_an_order_larger_than_the_topics_take_waits_and_holds_nobody_up(side: Side) -> None:
    async with side.woocommerce() as woo:
        large, small = woo.place_order(mugs(), note="x" * 5_000_000), woo.place_order(mugs())
        woo.outbox.owe("order.deleted", large.id)
        # The body names the order only, so it is read.
        (thin,) = [one for one in woo.pending_deliveries() if one.topic == "order.deleted"]
        fine = [one for one in woo.pending_deliveries() if one.object_id == small.id]
        outcomes = await side.admit([side.taken("woo", woo, one) for one in (thin, *fine)])
        assert await side.revisions(large.id) == []
        assert await side.revisions(small.id) == [1]
    assert isinstance(outcomes[0], Waits)
    assert outcomes[0].reason is PendingReason.TOO_LARGE


async def test_two_strikes_pause_the_store_that_is_down_and_no_other(side: Side) -> None:
    """One store hangs in a maintenance page; the partition that both share moves on, and nothing is lost."""
    async with side.woocommerce("down", trust_bodies=False) as down, side.woocommerce("up", trust_bodies=False) as up:
        down.faults.rules = [Rule(Fault.SERVER_ERROR)]
        lost = [down.place_order(mugs()) for _ in range(50)]
        kept = [up.place_order(mugs()) for _ in range(50)]
        both = [
            one for pair in zip(side.all_taken("down", down), side.all_taken("up", up), strict=True) for one in pair
        ]
        async with side.consuming(batch=25):
            await side.put(both)
            await side.caught_up()
        # Four reads at a time, three tries each; whoever came after them was told that the store is left alone.
        assert down.faults.struck[Fault.SERVER_ERROR] <= 3 * 4 * 4
        assert {event.connection for event in await side.events()} == {"up"}
        assert {event.object_id for event in await side.events()} == {str(order.id) for order in kept}
        assert set(await side.waiting()) == {"STORE_DOWN"}
        down.faults.rules = []
        side.pauses.clear("down")
        await side.relayed()
        assert {e.object_id for e in await side.events() if e.connection == "down"} == {str(o.id) for o in lost}


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (Rule(Fault.THROTTLED, retry_after="120"), PendingReason.THROTTLED),
        (Rule(Fault.SERVER_ERROR), PendingReason.STORE_DOWN),
        (Rule(Fault.SLOW, seconds=3), PendingReason.STORE_DOWN),
    ],
    ids=["throttled", "down", "hanging"],
)
async def test_what_cannot_be_read_now_waits_with_its_reason(side: Side, rule: Rule, reason: PendingReason) -> None:
    async with side.woocommerce(trust_bodies=False) as woo:
        woo.place_order(mugs())
        woo.faults.rules = [rule]
        first, second = await side.admit(side.all_taken("woo", woo), within_s=1 if rule.seconds else 10)
        woo.faults.rules = []
    assert isinstance(first, Waits)
    assert first.reason is reason
    assert first.due_in_s >= (120 if reason is PendingReason.THROTTLED else 0)
    # One delivery stands for the order; the other needs not wait as well.
    assert second == Dealt("duplicate")


async def test_refused_keys_leave_everything_waiting(side: Side) -> None:
    """Nothing is dropped because somebody changed a password."""
    async with side.woocommerce(trust_bodies=False) as woo:
        order = woo.place_order(mugs())
        keys, woo.settings.keys = woo.settings.keys, {}
        async with side.consuming():
            await side.put(side.all_taken("woo", woo))
            await side.caught_up()
        assert await side.waiting() == {"UNAUTHORISED": 1}
        woo.settings.keys = keys
        side.pauses.clear("woo")
        await side.relayed()
        assert await side.revisions(order.id) == [1]


async def test_a_connection_that_nobody_configured_waits(side: Side) -> None:
    """A process of the old configuration must not drop what the new edge took in."""
    async with side.woocommerce() as woo:
        woo.place_order(mugs())
        stranger = [replace(one, connection="new", object_key="new/1") for one in side.all_taken("woo", woo)]
        async with side.consuming():
            await side.put(stranger)
            await side.caught_up()
    assert await side.waiting() == {"UNKNOWN_CONNECTION": 2}


async def test_a_fault_of_our_own_on_one_delivery_holds_nobody_up(side: Side) -> None:
    """A parser that fails on one order: it is kept for a corrected version, and all others become revisions."""
    async with side.woocommerce() as woo:
        orders = [woo.place_order([Item("MUG"), Item("MUG")]) for _ in range(9)]
        deliveries = side.all_taken("woo", woo)
        adapter, poison = side.stores["woo"], str(orders[4].id).encode()
        translate = adapter.reading

        def failing(headers: dict[str, str], raw: bytes) -> object:
            if raw.startswith(b'{"id":' + poison):
                raise KeyError("a field that this shop leaves out")
            return translate(headers, raw)

        adapter.reading = failing
        async with side.consuming():
            await side.put(deliveries)
            await side.caught_up()
        assert len({event.object_id for event in await side.events()}) == 8
        assert await side.waiting() == {"PARSER": 2}
        adapter.reading = translate
        await side.pool.fetch("UPDATE pending_delivery SET due_at = clock_timestamp()")
        await side.relayed()
        (event,) = await side.events(orders[4].id)
    assert event.origin == event_pb2.ORIGIN_RELAY


async def test_two_members_of_the_group_and_a_repeat_make_the_same_revisions(side: Side) -> None:
    """FC-002: both see the same deliveries at the same moment, each in its own transaction."""
    async with side.woocommerce() as woo:
        orders = [woo.place_order(mugs(number % 5 + 1)) for number in range(60)]
        deliveries = side.all_taken("woo", woo)
        async with side.consuming(batch=10), side.consuming(batch=10):
            await side.put([*deliveries, *deliveries])
            await side.caught_up()
        events = await side.events()
        held = {str(order.id): digest((await side.stores["woo"].read_order(str(order.id))).order) for order in orders}
    assert {event.revision for event in events} == {1}
    assert {event.object_id: digest(event.order) for event in events} == held
