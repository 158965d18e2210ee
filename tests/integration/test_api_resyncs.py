"""Resyncs over gRPC: read again by intake's door, compared in the ERP, written only where something differs."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from consumers.resyncs import Resyncs
from tallystick.canonical.times import to_timestamp
from tallystick.ledger.rows import Kind, Row
from tallystick.stack import Stack
from tallystick.v1 import operation_pb2
from tallystick.v1 import order_sync_pb2 as pb
from tests.integration.api_help import ACTOR, DEADLINE_S, World, open_world, refused

DONE, CANCELLED = operation_pb2.OPERATION_STATE_DONE, operation_pb2.OPERATION_STATE_CANCELLED


@pytest.fixture
async def world(stack: Stack, database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(stack, database, tmp_path) as world:
        yield world


async def operation(world: World, operation_id: str) -> operation_pb2.Operation:
    request = pb.GetOperationRequest(operation_id=operation_id)
    answer = await world.syncs.GetOperation(request, timeout=DEADLINE_S)
    found: operation_pb2.Operation = answer.operation
    return found


async def effects(world: World, lane: str = "shop/1") -> list[tuple[str, str]]:
    rows = await world.pool.fetch("SELECT op_id, state FROM effect WHERE lane_key = $1 ORDER BY seq", lane)
    return [(row["op_id"], row["state"]) for row in rows]


async def test_five_presses_on_a_healthy_order_write_nothing(world: World) -> None:
    """FC-007: zero new documents, zero writes; each press is a comparison."""
    world.shop.put("1")
    await world.take("1")
    before = world.writes()
    for _ in range(5):
        answer = await world.resync("shop/1")
        await world.finish()
        done = await operation(world, answer.operation.operation_id)
        assert (done.state, done.total, done.done, done.failed) == (DONE, 1, 1, 0)
    assert world.writes() == before
    assert [state for _, state in await effects(world)] == ["APPLIED", *["VERIFIED"] * 5]
    assert await world.state() == ("SYNCED", "")
    assert (await world.kinds()).count("VERIFIED") == 5


async def test_five_presses_at_once_fold_into_one_comparison(world: World) -> None:
    world.shop.put("1")
    await world.take("1")
    before = world.writes()
    await asyncio.gather(*(world.resync("shop/1") for _ in range(5)))
    while await world.resyncs.turn():
        pass
    await world.work()
    states = [state for _, state in await effects(world)]
    assert sorted(states) == ["APPLIED", *["SUPERSEDED"] * 4, "VERIFIED"]
    assert world.writes() == before


async def test_the_same_request_again_is_the_same_operation(world: World) -> None:
    world.shop.put("1")
    await world.take("1")
    first = await world.resync("shop/1", request_id="r-1")
    again = await world.resync("1", request_id="r-1")
    assert first.operation.operation_id == again.operation.operation_id
    await world.finish()
    assert len(await effects(world)) == 2
    world.shop.put("2")
    await world.see("2")
    refusal = await refused(world.resync("shop/2", request_id="r-1"))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REQUEST_ID_REUSED")


async def test_a_document_that_was_changed_in_the_erp_is_written_again(world: World) -> None:
    world.shop.put("1")
    await world.take("1")
    (document,) = world.erp.of("orders")
    right = dict(document.content)
    document.content = {**right, "total": "1"}
    await world.resync("shop/1")
    await world.finish()
    assert document.content == right
    assert await world.state() == ("SYNCED", "")
    assert (await effects(world))[-1][1] == "APPLIED"


async def test_what_the_store_changed_in_silence_arrives_with_its_revision(world: World) -> None:
    world.shop.put("1")
    await world.take("1")
    world.shop.put("1", "12")
    await world.resync("shop/1")
    await world.finish()
    sync = await world.sync()
    assert (sync.revision, sync.targets[0].applied_revision) == (2, 2)
    await world.take("1")
    assert len(world.erp.of("orders")) == 1
    assert await world.state() == ("SYNCED", ""), "its revision from the topic finds it applied"


async def test_last_weeks_resync_that_is_worked_after_newer_revisions_changes_nothing(world: World) -> None:
    """FC-068: what is replayed late is superseded; nothing falls back."""
    world.shop.put("1")
    await world.take("1")
    await world.resync("shop/1")
    while await world.resyncs.turn():
        pass
    world.shop.put("1", "12")
    await world.take("1")
    await world.work()
    assert (await effects(world))[1][1] == "SUPERSEDED"
    assert (await world.sync()).targets[0].applied_revision == 2
    assert world.erp.of("orders")[0].revision == 2


async def test_a_document_that_was_deleted_is_held_and_never_made_anew(world: World) -> None:
    world.shop.put("1")
    await world.take("1")
    document = world.erp.of("orders")[0]
    world.erp.documents.remove(document)
    del world.erp._by_id[document.id]
    world.erp._by_ref[("orders", document.ref)].remove(document)
    await world.resync("shop/1")
    await world.finish()
    assert await world.state() == ("HELD", "DELETED_IN_TARGET")
    assert world.erp.of("orders") == []


async def test_a_held_order_is_tried_again(world: World) -> None:
    """The refused effect gives way to the resync at its own revision; nothing lies behind a hold for ever."""
    await world.hold()
    world.erp.refuses.clear()
    await world.resync("shop/1")
    await world.finish()
    assert await world.state() == ("SYNCED", "")
    assert [state for _, state in await effects(world)] == ["SUPERSEDED", "APPLIED"]
    assert world.writes().count("created") == 1


async def test_an_order_held_in_doubt_is_looked_up_first(world: World) -> None:
    """What is in doubt never gives way."""
    await world.hold()
    await world.pool.fetch(
        "UPDATE effect SET state = 'IN_DOUBT', intents = 1, doubt_at = now(), attempts = 9 WHERE lane_key = 'shop/1'"
    )
    world.erp.refuses.clear()
    await world.resync("shop/1")
    await world.finish()
    assert [state for _, state in await effects(world)] == ["APPLIED", "VERIFIED"]
    assert world.writes().count("created") == 1


async def test_a_skipped_order_is_sent_after_all(world: World) -> None:
    await world.hold()
    await world.skip()
    world.erp.refuses.clear()
    await world.resync("shop/1")
    await world.finish()
    assert await world.state() == ("SYNCED", "")


async def test_a_lane_that_is_held_for_a_refund_tries_that_again_too(world: World) -> None:
    await world.hold()
    lane = "shop/1"
    row = Row(lane, "shop", "order", f"{lane}/r", "refund", "r", Kind.DELTA, 1, b"", f"{lane}/r", datetime.now(UTC))
    await world.engine.deliver([row])
    await world.skip()
    await world.work()
    assert await world.state() == ("HELD", "PARENT_SKIPPED")
    world.erp.refuses.clear()
    await world.resync("shop/1")
    while await world.resyncs.turn():
        pass
    assert await world.state() == ("SYNCING", "")


async def test_an_order_that_nobody_told_us_of_is_read_by_its_full_name(world: World) -> None:
    world.shop.put("9")
    answer = await world.resync("shop/9")
    await world.finish()
    assert (await operation(world, answer.operation.operation_id)).failed == 0
    assert await world.state("shop/9") == ("SYNCED", "")


async def test_an_order_that_its_store_does_not_know_is_a_problem_and_no_order(world: World) -> None:
    """A typing error must not become an order that is gone."""
    answer = await world.resync("shop/404")
    await world.finish()
    done = await operation(world, answer.operation.operation_id)
    assert (done.state, done.done, done.failed) == (DONE, 1, 1)
    assert list(done.problems) == ["shop/404: its store does not know it"]
    refusal = await refused(world.syncs.GetOrderSync(pb.GetOrderSyncRequest(name="shop/404"), timeout=DEADLINE_S))
    assert refusal.code is grpc.StatusCode.NOT_FOUND


async def test_an_order_that_is_not_for_the_erp_stays_so(world: World) -> None:
    world.shop.put("1", state="draft")
    await world.take("1")
    await world.resync("shop/1")
    await world.finish()
    assert await world.state() == ("NOT_ELIGIBLE", "DRAFT")
    assert world.erp.of("orders") == []


async def test_a_store_that_is_away_is_waited_for_and_then_given_up(world: World) -> None:
    world.shop.put("1")
    await world.take("1")
    world.shop.down = True
    answer = await world.resync("shop/1")
    await world.resyncs.turn()
    waiting = await operation(world, answer.operation.operation_id)
    assert (waiting.state, waiting.done) == (operation_pb2.OPERATION_STATE_RUNNING, 0)
    async with asyncio.timeout(60):
        while (await operation(world, answer.operation.operation_id)).state != DONE:
            await world.resyncs.turn()
            await asyncio.sleep(0.02)
    done = await operation(world, answer.operation.operation_id)
    assert (done.failed, next(iter(done.problems)).split(":")[0]) == (1, "shop/1")
    world.shop.down = False
    again = await world.resync("shop/1")
    await world.finish()
    assert (await operation(world, again.operation.operation_id)).failed in (0, 1)


async def test_a_window_takes_all_orders_of_a_store_in_parts(world: World) -> None:
    ids = [str(number) for number in range(60)]
    for one in ids:
        world.shop.put(one)
    await world.take(*ids)
    await world.settled()
    before = len(world.erp.journal.entries)
    since = to_timestamp(datetime.now(UTC) - timedelta(hours=1))
    answer = await world.resync(window=pb.ResyncWindow(connection="shop", since=since))
    assert answer.operation.total == 60
    assert await world.resyncs.turn()
    assert 0 < (await operation(world, answer.operation.operation_id)).done < 60
    await world.finish()
    done = await operation(world, answer.operation.operation_id)
    assert (done.state, done.done, done.failed) == (DONE, 60, 0)
    assert len(world.erp.journal.entries) == before
    rows = await world.pool.fetch("SELECT count(*) AS n FROM effect WHERE state = 'VERIFIED' AND entity_type = 'order'")
    assert rows[0]["n"] == 60


async def test_a_window_takes_only_what_may_have_changed_in_it(world: World) -> None:
    world.shop.put("1")
    await world.take("1")
    middle = to_timestamp(datetime.now(UTC))
    world.shop.put("2")
    await world.take("2")
    later = to_timestamp(datetime.now(UTC))
    for since, until, total in ((middle, None, 1), (later, None, 0), (middle, middle, 0)):
        answer = await world.resync(window=pb.ResyncWindow(connection="shop", since=since, until=until))
        assert answer.operation.total == total
    await world.finish()


async def test_a_window_waits_while_the_erp_has_much_to_do(world: World) -> None:
    """Live orders go first; what a person names goes on all the same."""
    world.shop.put("1")
    await world.take("1")
    await world.pool.fetch(
        "INSERT INTO lane (target, lane_key, connection, due_at)"
        " SELECT 'erp', 'shop/busy' || n, 'shop', now() + interval '1 h' FROM generate_series(1, 200) n"
    )
    since = to_timestamp(datetime.now(UTC) - timedelta(hours=1))
    window = await world.resync(window=pb.ResyncWindow(connection="shop", since=since))
    named = await world.resync("shop/1")
    async with asyncio.timeout(60):
        while (await operation(world, named.operation.operation_id)).state != DONE:
            await world.resyncs.turn()
    assert (await operation(world, window.operation.operation_id)).done == 0
    await world.pool.fetch("UPDATE lane SET due_at = NULL WHERE lane_key LIKE 'shop/busy%'")
    async with asyncio.timeout(60):
        while (await operation(world, window.operation.operation_id)).state != DONE:
            await world.finish()


async def test_a_cancelled_operation_leaves_the_rest_undone(world: World) -> None:
    ids = [str(number) for number in range(60)]
    for one in ids:
        world.shop.put(one)
    await world.take(*ids)
    answer = await world.resync(*(f"shop/{one}" for one in ids))
    assert await world.resyncs.turn()
    request = pb.CancelOperationRequest(operation_id=answer.operation.operation_id)
    for _ in range(2):
        cancelled = await world.syncs.CancelOperation(request, timeout=DEADLINE_S, metadata=ACTOR)
        assert (cancelled.operation.state, cancelled.operation.done) == (CANCELLED, 50)
    assert not await world.resyncs.turn()
    rows = await world.pool.fetch("SELECT what, actor FROM event WHERE entity_type = 'operation' ORDER BY id")
    assert [tuple(row) for row in rows] == [("resync requested", "Ada"), ("cancelled", "Ada")]


async def test_two_processes_share_the_work_and_do_nothing_twice(world: World) -> None:
    ids = [str(number) for number in range(30)]
    for one in ids:
        world.shop.put(one)
    await world.take(*ids)
    for one in ids:
        await world.resync(f"shop/{one}")
    other = Resyncs(world.pool, world.rereads, world.door, world.resyncs._targets, world.installation.clock, scale=0.2)
    stop = asyncio.Event()
    loops = [asyncio.create_task(one.run(stop)) for one in (world.resyncs, other)]
    async with asyncio.timeout(60):
        while (await world.pool.fetch("SELECT count(*) AS n FROM operation WHERE finished_at IS NULL"))[0]["n"]:
            await asyncio.sleep(0.05)
    stop.set()
    await asyncio.gather(*loops)
    await world.work()
    rows = await world.pool.fetch("SELECT state, count(*) AS n FROM effect WHERE forced GROUP BY state")
    assert [tuple(row) for row in rows] == [("VERIFIED", 30)]


async def test_a_part_that_is_done_again_after_a_crash_records_nothing_twice(world: World) -> None:
    """FC-113: the lease of whoever died is over; its late news of the part changes nothing."""
    world.shop.put("1")
    await world.take("1")
    answer = await world.resync("shop/1")
    dead = await world.resyncs._operations.claim(60)
    assert dead is not None
    await world.resyncs._force(dead, await world.see("1"))
    await world.pool.fetch("UPDATE operation SET due_at = clock_timestamp()")
    await world.finish()
    assert [state for _, state in await effects(world)] == ["APPLIED", "VERIFIED"]
    assert (await world.kinds()).count("RESYNC_REQUESTED") == 1
    await world.resyncs._operations.later(dead, 0, tried=True)
    assert (await operation(world, answer.operation.operation_id)).state == DONE


async def test_an_operation_is_waited_for_within_the_deadline(world: World) -> None:
    world.shop.put("1")
    await world.take("1")
    answer = await world.resync("shop/1")
    request = pb.GetOperationRequest(operation_id=answer.operation.operation_id, wait=Duration(seconds=60))
    short = await world.syncs.GetOperation(request, timeout=1.5)
    assert short.operation.state == operation_pb2.OPERATION_STATE_RUNNING
    waiting = asyncio.create_task(_get(world, request))
    await world.finish()
    assert (await waiting).state == DONE


async def _get(world: World, request: pb.GetOperationRequest) -> operation_pb2.Operation:
    answer = await world.syncs.GetOperation(request, timeout=DEADLINE_S)
    found: operation_pb2.Operation = answer.operation
    return found


async def test_what_cannot_be_resynced_is_refused(world: World) -> None:
    since = to_timestamp(datetime.now(UTC))
    for fields, name in (
        ({}, "names"),
        ({"names": ["shop/1"], "window": pb.ResyncWindow(connection="shop", since=since)}, "names"),
        ({"window": pb.ResyncWindow(connection="shop")}, "window"),
        ({"window": pb.ResyncWindow(connection="ebay", since=since)}, "window.connection"),
        ({"names": [f"shop/{number}" for number in range(501)]}, "names"),
        ({"names": [""]}, "names"),
        ({"names": ["shop/1"], "target": "sap"}, "target"),
    ):
        request = pb.ResyncOrdersRequest(request_id=uuid.uuid4().hex, **fields)
        refusal = await refused(world.syncs.ResyncOrders(request, timeout=DEADLINE_S))
        assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, [name])
    for name in ("#404", "404", "ebay/1"):
        assert (await refused(world.resync(name))).code is grpc.StatusCode.NOT_FOUND
    for call in (
        world.syncs.GetOperation(pb.GetOperationRequest(operation_id="op-1"), timeout=DEADLINE_S),
        world.syncs.CancelOperation(pb.CancelOperationRequest(operation_id="op-1"), timeout=DEADLINE_S),
    ):
        refusal = await refused(call)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "OPERATION_NOT_FOUND")
