"""Backfills over gRPC: asked for, listed, shown and cancelled; what feeds them is tested in `test_backfill`."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from tallystick.canonical.times import to_timestamp
from tallystick.ledger.operations import BACKFILL, RESYNC
from tallystick.stack import Stack
from tallystick.v1 import operation_pb2
from tallystick.v1 import order_sync_pb2 as pb
from tests.integration.api_help import ACTOR, DEADLINE_S, World, open_world, refused

SINCE = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
async def world(stack: Stack, database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(stack, database, tmp_path) as world:
        yield world


def window(days: int | None = None) -> pb.ResyncWindow:
    until = None if days is None else to_timestamp(SINCE + timedelta(days=days))
    return pb.ResyncWindow(connection="shop", since=to_timestamp(SINCE), until=until, from_store=True)


async def listed(world: World, **fields: object) -> pb.ListOperationsResponse:
    request = pb.ListOperationsRequest(**fields)  # type: ignore[arg-type]
    answer: pb.ListOperationsResponse = await world.syncs.ListOperations(request, timeout=DEADLINE_S)
    return answer


async def test_a_backfill_is_an_operation_of_its_own_kind(world: World) -> None:
    """The workers of resyncs leave it alone; the same request again is the same operation."""
    asked = (await world.resync(window=window(2), request_id="b-1")).operation
    assert (asked.what, asked.connection, asked.total, asked.actor) == (BACKFILL, "shop", 0, "Ada")
    assert asked.since == to_timestamp(SINCE)
    assert asked.until == to_timestamp(SINCE + timedelta(days=2))
    assert not asked.HasField("covered_until")
    assert not await world.resyncs.turn()
    again = await world.resync(window=window(2), request_id="b-1")
    assert again.operation.operation_id == asked.operation_id
    refusal = await refused(world.resync(window=window(3), request_id="b-1"))
    assert refusal.reason == "REQUEST_ID_REUSED"


async def test_without_an_end_it_goes_as_far_as_it_was_asked_for(world: World) -> None:
    """What changes later is told by deliveries and polls."""
    asked = (await world.resync(window=window())).operation
    assert asked.until == asked.created_at


@pytest.mark.parametrize(
    ("change", "field"),
    [({"window": window(-1)}, "window.until"), ({"window": window(), "target": "erp"}, "target")],
)
async def test_what_cannot_be_is_refused(world: World, change: dict[str, object], field: str) -> None:
    refusal = await refused(world.resync(**change))  # type: ignore[arg-type]
    assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, [field])


async def test_operations_are_listed_newest_first_page_by_page(world: World) -> None:
    names = [(await world.resync(window=window(day))).operation.operation_id for day in (1, 2, 3)]
    world.shop.put("1")
    await world.take("1")
    names.append((await world.resync("shop/1")).operation.operation_id)
    first = await listed(world, page_size=3)
    second = await listed(world, page_size=3, page_token=first.next_page_token)
    assert [one.operation_id for one in (*first.operations, *second.operations)] == names[::-1]
    assert not second.next_page_token
    assert [one.what for one in first.operations] == [RESYNC, BACKFILL, BACKFILL]


async def test_those_that_run_are_told_from_those_that_have_ended(world: World) -> None:
    done, runs = [(await world.resync(window=window(day))).operation.operation_id for day in (1, 2)]
    request = pb.CancelOperationRequest(operation_id=done)
    answer = await world.syncs.CancelOperation(request, timeout=DEADLINE_S, metadata=ACTOR)
    assert answer.operation.state == operation_pb2.OPERATION_STATE_CANCELLED
    assert [one.operation_id for one in (await listed(world, running=True)).operations] == [runs]
