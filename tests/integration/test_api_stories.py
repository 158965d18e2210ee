"""The story of an order across everything that belongs to it, over gRPC: there and back, forwards and backwards."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tallystick.ledger.rows import EffectState
from tallystick.reasons import HoldReason
from tallystick.stack import Stack
from tallystick.v1 import order_sync_pb2 as pb
from tests.integration.api_help import DEADLINE_S, World
from tests.integration.records_help import (
    CANARY,
    end,
    open_records,
    payment,
    price,
    refund,
    shipment,
    shown,
    story,
    take,
    to_store,
)


@pytest.fixture
async def world(stack: Stack, database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_records(stack, database, tmp_path) as world:
        yield world


def told(events: list[pb.OrderEvent]) -> list[tuple[str, str, str]]:
    """What happened to what, and where; without the steps of the order itself."""
    names = pb.OrderEventKind
    return [
        (names.Name(one.kind).removeprefix("ORDER_EVENT_KIND_"), one.record.rpartition("shop/1/")[2], one.target)
        for one in events
        if one.kind != pb.ORDER_EVENT_KIND_STEP_DONE
    ]


async def lived(world: World) -> None:
    """An order that was paid, shipped, given back in part, held and resumed."""
    ledger, back = world.engine.ledger, to_store(world)
    world.shop.put("1")
    await world.take("1")
    await end(ledger, await take(ledger, payment("p1")))
    await end(back, await take(back, shipment("31")))
    await shown(world, "1", "9")
    claims = await take(ledger, refund("9"))
    await end(ledger, claims, state=EffectState.QUEUED, hold=HoldReason.MAPPING, detail="no journal for 'card'")
    await world.resume()
    await end(ledger, list(await ledger.take_due(limit=9, per_connection=9)))


async def test_everything_of_an_order_in_the_order_in_which_it_happened(world: World) -> None:
    """Payment, shipment and refund; what stopped and who acted; each with its name, its content and its document."""
    await lived(world)
    events = await story(world)
    assert told(events) == [
        ("FIRST_SEEN", "shop/1", ""),
        ("RECORDED", "shop/1", "erp"),
        ("APPLIED", "shop/1", "erp"),
        ("RECORDED", "payment/p1", "erp"),
        ("APPLIED", "payment/p1", "erp"),
        ("RECORDED", "erp/fulfilment/31", "shop"),
        ("APPLIED", "erp/fulfilment/31", "shop"),
        ("FIRST_SEEN", "refund/9", ""),
        ("RECORDED", "refund/9", "erp"),
        ("HELD", "refund/9", "erp"),
        ("RESUMED", "refund/9", "erp"),
        ("APPLIED", "refund/9", "erp"),
    ]
    times = [event.at.ToNanoseconds() for event in events]
    assert times == sorted(times)
    words = {(event.kind, event.entity_type): event for event in events}
    paid = words[pb.ORDER_EVENT_KIND_RECORDED, "payment"]
    assert (paid.words, paid.content) == ("payment p1: revision 1 was written down for erp", "25.00 EUR")
    shipped = words[pb.ORDER_EVENT_KIND_RECORDED, "fulfilment"]
    assert (shipped.words, shipped.content) == ("fulfilment 31: revision 1 was written down for shop", "DHL 1Z999")
    booked = words[pb.ORDER_EVENT_KIND_APPLIED, "payment"]
    assert (booked.words, booked.document) == ("payment p1: revision 1 is in erp as DOC/2", "DOC/2")
    resumed = words[pb.ORDER_EVENT_KIND_RESUMED, "refund"]
    assert (resumed.actor, resumed.reason) == ("Ada", "MAPPING")
    assert not any(CANARY in str(event) for event in events)


@pytest.mark.parametrize("page_size", [1, 5, 500])
async def test_a_story_goes_backwards_as_well(world: World, page_size: int) -> None:
    await lived(world)
    forwards = await story(world)
    assert await story(world, page_size=page_size) == forwards
    assert await story(world, page_size=page_size, newest_first=True) == forwards[::-1]


async def test_a_story_of_one_target(world: World) -> None:
    """What concerns all of them is in each."""
    await lived(world)
    back = told(await story(world, target="shop"))
    assert {record for _, record, _ in back} == {"shop/1", "refund/9", "erp/fulfilment/31"}
    assert {target for _, _, target in back} == {"", "shop"}
    assert {target for _, _, target in told(await story(world, target="erp"))} == {"", "erp"}


async def test_who_watches_orders_sees_their_parts_by_name_and_no_prices(world: World) -> None:
    """A price has a lane of its own in the store; it is no order."""
    ledger, back = world.engine.ledger, to_store(world)
    world.shop.put("1")
    await world.take("1")
    stream = world.syncs.WatchOrderSync(pb.WatchOrderSyncRequest(connection="shop"), timeout=DEADLINE_S)
    assert (await stream.read()).HasField("heartbeat")
    await end(back, await take(back, price("MUG")))
    await end(ledger, await take(ledger, payment("p1")))
    answer = await stream.read()
    while answer.HasField("heartbeat"):
        answer = await stream.read()
    assert (answer.event.order, answer.event.record) == ("shop/1", "shop/1/payment/p1")
    stream.cancel()
