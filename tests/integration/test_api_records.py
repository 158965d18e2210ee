"""Where refunds, payments, shipments, customers and prices are, over gRPC: states, lists whose pages stay stable."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest

from tallystick.canonical.times import to_timestamp
from tallystick.ledger import records
from tallystick.ledger.rows import EffectState
from tallystick.reasons import HoldReason, NotEligible, WaitReason
from tallystick.stack import Stack
from tallystick.v1 import customer_pb2, held_pb2
from tallystick.v1 import order_sync_pb2 as syncs
from tallystick.v1 import record_pb2 as pb
from tests.integration.api_help import ACTOR, DEADLINE_S, World, refused
from tests.integration.records_help import (
    CANARY,
    customer,
    end,
    goods_back,
    listed,
    met,
    open_records,
    pages,
    payment,
    price,
    record,
    refund,
    request_id,
    service,
    shipment,
    shown,
    stands,
    take,
    to_store,
)

_REFUND = "shop/1/refund/9"


@pytest.fixture
async def world(stack: Stack, database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_records(stack, database, tmp_path) as world:
        yield world


async def applied(world: World, order_id: str = "1") -> None:
    """An order in the ERP."""
    world.shop.put(order_id)
    await world.take(order_id)


# ---- one record ----------------------------------------------------------------------------------------------------


async def test_a_refund_in_the_books_with_its_amount_and_its_document(world: World) -> None:
    await applied(world)
    await shown(world, "1", "9")
    await end(world.engine.ledger, await take(world.engine.ledger, refund("9", total="19.90")))
    one = await record(world, _REFUND)
    assert (one.name, one.kind, one.order, one.source_id) == (_REFUND, "refund", "shop/1", "9")
    assert (one.connection, one.target, one.state) == ("shop", "erp", syncs.SYNC_STATE_SYNCED)
    assert one.words == f"it is in erp as {one.document_number}"
    assert (one.external_id, one.applied_revision, one.contract_version) == ("72", 1, "1+test")
    assert (one.money.amount.units, one.money.amount.nanos, one.money.amount.currency_code) == (19, 900_000_000, "EUR")
    assert one.HasField("applied_at")
    assert not one.HasField("due_at")
    assert (one.reason, one.advice, one.behind, one.in_doubt) == ("", "", "", False)


async def test_every_state_of_a_refund_has_its_reason_in_words(world: World) -> None:
    """Accepted, syncing, waiting, held, skipped: as orders have them."""
    ledger = world.engine.ledger
    await applied(world)
    await shown(world, "1", "9")
    assert await stands(world, _REFUND) == ("ACCEPTED", "")
    claims = await take(ledger, refund("9"))
    assert await stands(world, _REFUND) == ("SYNCING", "")
    await end(ledger, claims, state=EffectState.QUEUED, wait=WaitReason.THROTTLED, detail="429")
    assert await stands(world, _REFUND) == ("WAITING", "THROTTLED")
    one = await record(world, _REFUND)
    assert (one.words, one.detail) == ("it waits and goes on by itself: the target asks for a slower pace", "429")
    assert one.due_at.ToDatetime(UTC) > datetime.now(UTC)
    await world.pool.fetch("UPDATE lane SET due_at = clock_timestamp() WHERE lane_key = 'shop/1'")
    claims = list(await ledger.take_due(limit=9, per_connection=9))
    await end(ledger, claims, state=EffectState.QUEUED, hold=HoldReason.MAPPING, detail="no journal for 'card'")
    assert await stands(world, _REFUND) == ("HELD", "MAPPING")
    one = await record(world, _REFUND)
    assert (one.detail, one.advice) == ("no journal for 'card'", HoldReason.MAPPING.advice)
    assert one.HasField("since")
    await world.skip("shop/1")
    assert await stands(world, _REFUND) == ("SKIPPED", "")


async def test_what_waits_behind_something_held_says_behind_what(world: World) -> None:
    await world.hold("1")
    await shown(world, "1", "9")
    await take(world.engine.ledger, refund("9"))
    one = await record(world, _REFUND)
    assert (one.state, one.reason, one.behind) == (syncs.SYNC_STATE_WAITING, "DATA", "shop/1")
    assert one.words == "it waits behind shop/1, which is held: the target refused the content"
    assert (one.HasField("due_at"), one.advice) == (False, "")


async def test_a_refund_of_an_order_that_is_not_for_the_erp_is_not_either(world: World) -> None:
    """Nothing of it is in the ledger of the target; a person who looks for it is told why."""
    world.shop.put("1", state="draft")
    await world.take("1")
    await shown(world, "1", "9")
    assert await stands(world, _REFUND) == ("NOT_ELIGIBLE", "DRAFT")


@pytest.mark.parametrize("booked", [False, True])
async def test_a_later_word_that_changes_nothing_leaves_it_where_it_is(world: World, booked: bool) -> None:
    ledger = world.engine.ledger
    await applied(world)
    if booked:
        await end(ledger, await take(ledger, refund("9")))
    claims = await take(ledger, refund("9", revision=2) if booked else refund("9"))
    ended = {"state": EffectState.SUPERSEDED, "what": "not eligible", "detail": NotEligible.UNCHANGED.words}
    await end(ledger, claims, **ended)
    assert await stands(world, _REFUND) == (("SYNCED", "") if booked else ("NOT_ELIGIBLE", "UNCHANGED"))
    assert await listed(world, reason="UNCHANGED") == ([] if booked else [_REFUND])


async def test_a_lost_answer_is_said_to_be_in_doubt(world: World) -> None:
    """FC-008"""
    await applied(world)
    claims = await take(world.engine.ledger, payment("p1"))
    await end(world.engine.ledger, claims, state=EffectState.IN_DOUBT, wait=WaitReason.QUIET_TIME, doubt=True)
    one = await record(world, "shop/1/payment/p1")
    assert (one.in_doubt, one.state, one.attempts) == (True, syncs.SYNC_STATE_WAITING, 1)


async def test_a_customer_that_an_order_made_sure_of_is_there(world: World) -> None:
    """Its own revision may not be for the ERP; it is known from its order alone, or shown by the store as well."""
    ledger, name = world.engine.ledger, "customer/shop/guest-1"
    await end(ledger, await take(ledger, customer("guest-1", revision=0)))
    one = await record(world, name)
    assert (one.state, one.order, one.source_id) == (syncs.SYNC_STATE_SYNCED, "", "")
    assert one.customer.kind == customer_pb2.CUSTOMER_KIND_COMPANY
    assert one.customer.payment_terms == "Net 30"
    assert await listed(world, kind="customer") == [name]
    # Once the store shows it as well, it is one record still, at the moment at which it was shown.
    await met(world, "guest-1")
    await end(ledger, await take(ledger, customer("guest-2", revision=0)))
    both = ["customer/shop/guest-2", name]
    assert await listed(world, kind="customer") == both
    assert await listed(world, kind="customer", page_size=1) == both
    assert (await record(world, name)).source_id == "guest-1"


async def test_goods_that_come_back_are_told_with_their_number(world: World) -> None:
    """A kind that nothing here was made for; its order's sightings bring it."""
    await applied(world)
    await end(world.engine.ledger, await take(world.engine.ledger, goods_back("r1")))
    one = await record(world, "shop/1/return/r1")
    assert (one.kind, one.state, one.order) == ("return", syncs.SYNC_STATE_SYNCED, "shop/1")
    assert (one.returned.number, one.returned.pieces) == ("#1042-R1", "2")


async def test_what_goes_to_a_store_names_it_as_its_target(world: World) -> None:
    """Shipments and prices cross the other way."""
    await applied(world)
    back = to_store(world)
    await end(back, await take(back, shipment("31"), price("MUG")))
    told = await record(world, "erp/fulfilment/31")
    assert (told.connection, told.target, told.order) == ("erp", "shop", "shop/1")
    assert [(one.carrier, one.number) for one in told.shipment.trackings] == [("DHL", "1Z999")]
    priced = await record(world, "shop/price/MUG")
    assert (priced.connection, priced.target, priced.price.sku, priced.order) == ("erp", "shop", "MUG", "")
    assert await listed(world, target="shop") == ["shop/price/MUG", "erp/fulfilment/31"]
    assert await listed(world, connection="erp", kind="price") == ["shop/price/MUG"]


async def test_nothing_personal_is_in_an_answer(world: World) -> None:
    ledger = world.engine.ledger
    await applied(world)
    await end(ledger, await take(ledger, refund("9"), customer("42")))
    request = pb.ListRecordsRequest()
    answer = await service(world).ListRecords(request, timeout=DEADLINE_S)
    assert {one.kind for one in answer.records} == {"refund", "customer"}
    assert CANARY.encode() not in answer.SerializeToString()


async def test_what_nobody_showed_and_what_cannot_be_a_name(world: World) -> None:
    for name in ("shop/1/refund/404", "shop/1", "erp/fulfilment/1", "x"):
        refusal = await refused(service(world).GetRecord(pb.GetRecordRequest(name=name), timeout=DEADLINE_S))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "RECORD_NOT_FOUND")
    for name in ("", "x" * 401, "a\0b"):
        refusal = await refused(service(world).GetRecord(pb.GetRecordRequest(name=name), timeout=DEADLINE_S))
        assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["name"])


async def test_a_call_without_a_deadline_is_refused(world: World) -> None:
    refusal = await refused(service(world).ListRecords(pb.ListRecordsRequest()))
    assert refusal.reason == "DEADLINE_REQUIRED"


# ---- lists ---------------------------------------------------------------------------------------------------------


async def test_lists_go_from_the_last_known_to_the_first_and_are_filtered(world: World) -> None:
    ledger = world.engine.ledger
    await applied(world, "1")
    await applied(world, "2")
    buyers = await listed(world, kind="customer")
    await shown(world, "1", "9", "95")
    await end(ledger, await take(ledger, refund("9"), payment("p1")))
    between = to_timestamp(datetime.now(UTC))
    await shown(world, "2", "11")
    claims = await take(ledger, payment("p2", "2"))
    await end(ledger, claims, state=EffectState.QUEUED, hold=HoldReason.MAPPING)
    whole = ["shop/2/payment/p2", "shop/2/refund/11", "shop/1/payment/p1", "shop/1/refund/95", _REFUND, *buyers]
    assert await listed(world) == whole
    assert await listed(world, page_size=2) == whole
    assert await listed(world, kind="refund") == [whole[1], *whole[3:5]]
    assert await listed(world, kind="refund", page_size=1) == [whole[1], *whole[3:5]]
    assert await listed(world, order="#2") == whole[:2]
    assert await listed(world, order="shop/1", kind="payment") == ["shop/1/payment/p1"]
    assert await listed(world, order="shop/1", page_size=1) == whole[2:5]
    assert await listed(world, since=between) == whole[:2]
    assert await listed(world, before=between, page_size=1) == whole[2:]
    assert await listed(world, state=syncs.SYNC_STATE_ACCEPTED, page_size=1) == [whole[1], whole[3]]
    assert await listed(world, state=syncs.SYNC_STATE_SYNCED, kind="payment") == ["shop/1/payment/p1"]
    assert await listed(world, state=syncs.SYNC_STATE_HELD) == ["shop/2/payment/p2"]
    assert await listed(world, reason="MAPPING", connection="shop", target="erp") == ["shop/2/payment/p2"]
    assert await listed(world, state=syncs.SYNC_STATE_HELD, since=between, kind="refund") == []
    assert await listed(world, target="shop") == []


async def test_pages_stay_stable_while_records_come_in_and_change(world: World) -> None:
    ledger = world.engine.ledger
    await shown(world, "1", *map(str, range(10)))
    await applied(world)
    request = pb.ListRecordsRequest(page_size=4, kind="refund")
    first = await service(world).ListRecords(request, timeout=DEADLINE_S)
    seen = [one.source_id for one in first.records]
    await shown(world, "2", "20", "21")
    await end(ledger, await take(ledger, refund("1"), refund("7")))
    request.page_token = first.next_page_token
    while request.page_token:
        page = await service(world).ListRecords(request, timeout=DEADLINE_S)
        seen += [one.source_id for one in page.records]
        request.page_token = page.next_page_token
    assert seen == [str(number) for number in reversed(range(10))]


async def test_a_page_looks_at_a_bounded_number_and_the_next_goes_on_behind_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few among many: a page may be short or empty, and none is left out."""
    monkeypatch.setattr(records, "LOOKED_AT", 3)
    ledger = world.engine.ledger
    await applied(world)
    await shown(world, "1", *map(str, range(8)))
    await end(ledger, await take(ledger, refund("1"), refund("6")))
    synced = await pages(world, kind="refund", state=syncs.SYNC_STATE_SYNCED, page_size=2)
    assert [one.source_id for page in synced for one in page] == ["6", "1"]
    none = await pages(world, kind="refund", state=syncs.SYNC_STATE_NOT_ELIGIBLE)
    # Eight, and twice those that the target has heard of.
    assert [len(page) for page in none] == [0, 0, 0, 0]


async def test_a_list_takes_the_same_number_of_statements_for_any_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shown(world, "1", *map(str, range(12)))
    statements: list[str] = []
    fetch = world.pool.fetch

    async def counted(query: str, *arguments: object) -> Any:
        statements.append(query)
        return await fetch(query, *arguments)

    monkeypatch.setattr(world.pool, "fetch", counted)
    for size in (1, 12):
        request = pb.ListRecordsRequest(page_size=size)
        answer = await service(world).ListRecords(request, timeout=DEADLINE_S)
        assert len(answer.records) == size
    assert len(statements) == 2 * 2


async def test_what_no_filter_can_be_is_refused_by_field(world: World) -> None:
    for fields, name in (
        ({"kind": "order"}, "kind"),
        ({"connection": "ebay"}, "connection"),
        ({"target": "sap"}, "target"),
        ({"state": 99}, "state"),
        ({"since": {"seconds": -(10**14)}}, "since"),
        ({"since": {"seconds": 10}, "before": {"seconds": 9}}, "before"),
        ({"order": "x" * 401}, "order"),
        ({"page_token": "bm8"}, "page_token"),
    ):
        refusal = await refused(service(world).ListRecords(pb.ListRecordsRequest(**fields), timeout=DEADLINE_S))
        assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, [name])
    refusal = await refused(service(world).ListRecords(pb.ListRecordsRequest(order="404"), timeout=DEADLINE_S))
    assert refusal.code == grpc.StatusCode.NOT_FOUND


async def test_a_page_token_holds_for_its_filters_only(world: World) -> None:
    await shown(world, "1", "8", "9")
    first = await service(world).ListRecords(pb.ListRecordsRequest(page_size=1), timeout=DEADLINE_S)
    other = pb.ListRecordsRequest(page_token=first.next_page_token, kind="refund")
    refusal = await refused(service(world).ListRecords(other, timeout=DEADLINE_S))
    assert refusal.fields == ["page_token"]


# ---- and the acts of people ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [shipment("31"), price("MUG")], ids=["shipment", "price"])
async def test_what_is_held_on_its_way_to_a_store_is_resumed_by_its_name(world: World, row: Any) -> None:
    """As the list of what is held names it, without saying where."""
    await applied(world)
    back = to_store(world)
    await end(back, await take(back, row), state=EffectState.QUEUED, hold=HoldReason.DATA, detail="refused")
    answer = await world.held.ListHeld(held_pb2.ListHeldRequest(target="shop"), timeout=DEADLINE_S)
    (held,) = answer.held
    assert (held.name, held.advice) == (row.lane_key, HoldReason.DATA.advice)
    request = held_pb2.ResumeHeldRequest(name=held.name, request_id=request_id())
    resumed = await world.held.ResumeHeld(request, timeout=DEADLINE_S, metadata=ACTOR)
    assert resumed.resumed.target == "shop"
    async with asyncio.timeout(30):
        while (await stands(world, row.entity_id))[0] == "HELD":
            await asyncio.sleep(0.02)
