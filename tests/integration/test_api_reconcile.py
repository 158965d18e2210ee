"""Passes over gRPC: begun once for one request, seen as they go on, told with what they found."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from consumers.reconcile import Reconcile
from tallystick.canonical.times import to_timestamp
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import PendingDeliveries
from tallystick.reconcile.documents import Documents, Into
from tallystick.reconcile.source import Sources
from tallystick.reconcile.walk import Side, SourceWalk
from tallystick.settings import ReconcileSettings
from tallystick.stack import Stack
from tallystick.v1 import reconcile_pb2 as pb
from tallystick.v1.reconcile_pb2_grpc import ReconcileServiceStub
from tests.integration.api_help import ACTOR, DEADLINE_S, World, open_world, refused

LONG_AGO = datetime(2020, 1, 2, tzinfo=UTC)


@pytest.fixture
async def world(stack: Stack, database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(stack, database, tmp_path) as world:
        yield world


def passes(world: World) -> Reconcile:
    """The loop beside the API, with the documents of the plain ERP."""
    clock = world.installation.clock
    side = Side(
        Sources(world.pool), Objects(world.pool), world.door, PendingDeliveries(world.pool), world.rereads, clock
    )
    sinks = {"order": world.installation.adapters["erp"].orders}
    documents = Documents(world.pool, Into(world.engine.ledger, world.router, sinks))
    walk = SourceWalk(side, "shop", "orders", "order", world.shop.changed_orders, LONG_AGO, [documents])
    ledgers = [world.engine.ledger]
    return Reconcile(world.pool, [walk], ledgers, clock, world.installation.metrics, ReconcileSettings(pause_s=0))


def service(world: World) -> Any:
    return ReconcileServiceStub(world.channel)


async def start(world: World, request_id: str = "r-1", **fields: Any) -> list[pb.ReconcileRun]:
    given = {"since": to_timestamp(datetime.now(UTC) - timedelta(hours=3)), **fields}
    request = pb.StartReconcileRequest(request_id=request_id, **given)
    answer = await service(world).StartReconcile(request, timeout=DEADLINE_S, metadata=ACTOR)
    return list(answer.runs)


async def get(world: World, run_id: int, wait_s: int = 0) -> pb.ReconcileRun:
    request = pb.GetReconcileRunRequest(run_id=run_id, wait=Duration(seconds=wait_s))
    answer = await service(world).GetReconcileRun(request, timeout=DEADLINE_S)
    found: pb.ReconcileRun = answer.run
    return found


async def test_a_pass_is_begun_once_worked_and_told(world: World) -> None:
    world.shop.put("1")
    await world.take("1")
    world.shop.put("2")
    [run] = await start(world)
    assert (run.connection, run.flow, run.depth, run.progress) == ("shop", "orders", "asked", 0.0)
    assert [again.run_id for again in await start(world)] == [run.run_id]
    loop = passes(world)
    while await loop.turn():
        pass
    done = await get(world, run.run_id, wait_s=5)
    assert done.HasField("finished_at")
    assert (done.progress, done.mismatches, done.problem) == (1.0, 1, "")
    [finding] = done.findings
    assert (finding.flow, finding.what, finding.name) == ("orders", "missing", "shop/2")
    tallies = {tally.flow: tally.compared for tally in done.tallies}
    assert tallies == {"orders": 2, "documents": 1}
    listed = await service(world).ListReconcileRuns(pb.ListReconcileRunsRequest(), timeout=DEADLINE_S)
    assert [(one.run_id, one.mismatches, list(one.findings)) for one in listed.runs] == [(run.run_id, 1, [])]


async def test_pages_of_passes_follow_one_another(world: World) -> None:
    begun = [(await start(world, f"r-{number}"))[0].run_id for number in range(3)]
    seen: list[int] = []
    token = ""
    while True:
        request = pb.ListReconcileRunsRequest(page_size=2, page_token=token, connection="shop")
        page = await service(world).ListReconcileRuns(request, timeout=DEADLINE_S)
        seen += [run.run_id for run in page.runs]
        token = page.next_page_token
        if not token:
            break
    assert seen == begun[::-1]


async def test_what_cannot_be_is_refused_in_words(world: World) -> None:
    stub = service(world)
    for call, reason in (
        (stub.StartReconcile(pb.StartReconcileRequest(request_id="r-1"), timeout=DEADLINE_S), "since"),
        (start(world, connection="elsewhere"), "connection"),
        (start(world, until=to_timestamp(LONG_AGO)), "until"),
    ):
        refusal = await refused(call)
        assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
        assert reason in refusal.fields
    unknown = await refused(get(world, 999))
    assert unknown.code is grpc.StatusCode.NOT_FOUND
