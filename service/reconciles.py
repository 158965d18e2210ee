"""ReconcileService: passes that compared, what they found, and new ones."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from service import asking
from service.callers import Context, actor
from service.errors import invalid, not_found
from service.paging import cursor_of, next_token, page_size
from tallystick.canonical.times import to_timestamp
from tallystick.clock import Clock
from tallystick.reconcile.findings import COMPARED
from tallystick.reconcile.plan import Place
from tallystick.reconcile.runs import WINDOW_S, Run, Runs, Span
from tallystick.v1 import reconcile_pb2 as pb
from tallystick.v1 import reconcile_pb2_grpc

_USUAL = 50
_LOOK_AGAIN_S = 0.2


class Reconciles(reconcile_pb2_grpc.ReconcileServiceServicer):
    """One per process."""

    def __init__(self, runs: Runs, places: Mapping[Place, datetime], clock: Clock) -> None:
        self._runs = runs
        self._places = places
        self._clock = clock

    async def ListReconcileRuns(  # noqa: N802
        self, request: pb.ListReconcileRunsRequest, context: Context
    ) -> pb.ListReconcileRunsResponse:
        """A page of passes."""
        cursor = cursor_of(request, (int,))
        limit = page_size(request.page_size, _USUAL)
        found = await self._runs.page(self._connection(request.connection), limit + 1, cursor[0] if cursor else None)
        more = [found[limit - 1].id] if len(found) > limit else None
        return pb.ListReconcileRunsResponse(
            runs=[_message(run) for run in found[:limit]], next_page_token=next_token(request, more)
        )

    async def GetReconcileRun(  # noqa: N802
        self, request: pb.GetReconcileRunRequest, context: Context
    ) -> pb.GetReconcileRunResponse:
        """A pass, when it has ended or the time to wait is over."""
        ends_at_s = self._clock.monotonic_s() + asking.wait_s(request.wait, context, _LOOK_AGAIN_S)
        run = await self._runs.get(request.run_id)
        while run is not None and run.finished_at is None and self._clock.monotonic_s() < ends_at_s:
            await asyncio.sleep(_LOOK_AGAIN_S)
            run = await self._runs.get(request.run_id)
        if run is None:
            raise not_found("RECONCILE_RUN", "there is no such pass; those of the last thirty days are kept")
        return pb.GetReconcileRunResponse(run=_message(run))

    async def StartReconcile(  # noqa: N802
        self, request: pb.StartReconcileRequest, context: Context
    ) -> pb.StartReconcileResponse:
        """Begin passes."""
        request_id = asking.request_id(request.request_id)
        runs = await self._runs.ask(self._spans(request), request_id, actor(context), WINDOW_S)
        return pb.StartReconcileResponse(runs=[_message(run) for run in runs])

    def _spans(self, request: pb.StartReconcileRequest) -> list[Span]:
        if not request.HasField("since"):
            raise invalid("since", "say from when on, in the time of the source")
        since = asking.instant(request.since, "since")
        now = self._clock.now()
        until = min(now, asking.instant(request.until, "until")) if request.HasField("until") else now
        if until <= since:
            raise invalid("until", "is not after `since`")
        wanted = self._connection(request.connection)
        return [Span(name, flow, since, until) for name, flow in self._places if wanted in ("", name)]

    def _connection(self, text: str) -> str:
        names = sorted({connection for connection, _ in self._places})
        if text and text not in names:
            raise invalid("connection", f"{text[:60]!r} is not reconciled; there are {', '.join(names)}")
        return text


def _message(run: Run) -> pb.ReconcileRun:
    message = pb.ReconcileRun(
        run_id=run.id,
        connection=run.connection,
        flow=run.flow,
        depth=run.depth,
        since=to_timestamp(run.span_start),
        until=to_timestamp(run.span_end),
        started_at=to_timestamp(run.started_at),
        progress=run.share,
        tallies=_tallies(run),
        mismatches=sum(number for (_, what), number in run.tallies.items() if what != COMPARED),
        problem=run.problem,
        waits=run.waits,
        findings=[
            pb.ReconcileFinding(flow=one.flow, what=one.what, name=one.name, target=one.target, detail=one.detail)
            for one in run.findings
        ],
    )
    if run.finished_at is not None:
        message.finished_at.CopyFrom(to_timestamp(run.finished_at))
    return message


def _tallies(run: Run) -> list[pb.ReconcileTally]:
    """By flow; a kind of finding is called as its field."""
    found: dict[str, pb.ReconcileTally] = {}
    for (flow, what), number in run.tallies.items():
        setattr(found.setdefault(flow, pb.ReconcileTally(flow=flow)), what, number)
    return list(found.values())
