"""StatusService: the whole installation at a glance."""

import asyncio
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from service.callers import Context
from tallystick.canonical.times import to_timestamp
from tallystick.errors import TallystickError
from tallystick.installation import Installation
from tallystick.ledger.pool import Pool
from tallystick.ledger.status import Standing, standing
from tallystick.reasons import words
from tallystick.v1 import status_pb2 as pb
from tallystick.v1 import status_pb2_grpc

#: The flow whose cursors the pollers keep.
_FLOW = "orders"
_WEBHOOKS_WITHIN_S = 10.0


class Status(status_pb2_grpc.StatusServiceServicer):
    """One per process."""

    def __init__(self, installation: Installation, pool: Pool) -> None:
        self._installation = installation
        self._pool = pool

    async def GetStatus(self, request: pb.GetStatusRequest, context: Context) -> pb.GetStatusResponse:  # noqa: N802
        """Look once."""
        now = await standing(self._pool, _FLOW)
        routes = self._installation.settings.routes
        answer = pb.GetStatusResponse(
            version=version("tallystick"),
            postgres_version=now.server["version"].split(" ")[0],
            at=to_timestamp(now.server["at"]),
            targets=[self._target(name, now) for name in sorted({route.erp for route in routes})],
            connections=[self._connection(name, now) for name in sorted({route.store for route in routes})],
        )
        if request.with_webhooks:
            await asyncio.gather(*(self._webhooks(store, context) for store in answer.connections))
        return answer

    # ---- targets ---------------------------------------------------------------------------------------------------

    def _target(self, name: str, now: Standing) -> pb.TargetStatus:
        status = pb.TargetStatus(
            target=name,
            kind=self._installation.settings.connections[name].kind,
            lanes=[_lanes(row) for row in now.lanes if row["target"] == name],
            routes=self._routes(name, now),
        )
        row = now.circuits.get(name)
        if row is not None:
            status.circuit.CopyFrom(
                pb.Circuit(
                    until=to_timestamp(row["open_until"]),
                    failures=row["failures"],
                    reason=row["reason"],
                    detail=row["detail"],
                )
            )
        return status

    def _routes(self, target: str, now: Standing) -> Sequence[pb.RouteStatus]:
        return [
            pb.RouteStatus(
                connection=route.store,
                mode=route.mode,
                contract_version=contract.version,
                pauses=[
                    pb.RoutePause(reason=row["reason"], until=to_timestamp(row["paused_until"]))
                    for row in now.pauses
                    if (row["connection"], row["target"]) == (route.store, target)
                ],
            )
            for route, contract in self._installation.contracts.items()
            if route.erp == target
        ]

    # ---- stores ----------------------------------------------------------------------------------------------------

    def _connection(self, name: str, now: Standing) -> pb.ConnectionStatus:
        polled = now.polled.get(name)
        return pb.ConnectionStatus(
            connection=name,
            kind=self._installation.settings.connections[name].kind,
            polled_until=to_timestamp(polled["cursor_at"]) if polled else None,
            polled_at=to_timestamp(polled["polled_at"]) if polled else None,
            pending=[
                pb.PendingCount(reason=row["reason"], number=row["number"], oldest_at=to_timestamp(row["oldest_at"]))
                for row in now.pending
                if row["connection"] == name
            ],
            not_eligible=[
                pb.NotEligibleCount(reason=row["reason"], words=words(row["reason"]), number=row["number"])
                for row in now.not_eligible
                if row["connection"] == name
            ],
        )

    async def _webhooks(self, status: pb.ConnectionStatus, context: Context) -> None:
        """Ask the store; a store that does not answer is told about, and spoils nothing."""
        within_s = min(_WEBHOOKS_WITHIN_S, 0.8 * (context.time_remaining() or _WEBHOOKS_WITHIN_S))
        try:
            async with asyncio.timeout(within_s):
                found = await self._installation.adapters[status.connection].webhooks()
        except (TallystickError, TimeoutError) as error:
            status.webhooks_error = str(error) or "the store did not answer in time"
            return
        status.webhooks.extend(pb.WebhookStatus(topic=w.topic, active=w.active, address=w.address) for w in found)


def _lanes(row: Any) -> pb.LaneCount:
    return pb.LaneCount(
        state=pb.LaneState.Value("LANE_STATE_" + row["state"]),
        reason=row["reason"],
        words=words(row["reason"]) if row["reason"] else "",
        number=row["number"],
        oldest_since=_stamp(row["oldest_since"]),
    )


def _stamp(instant: Any) -> Timestamp | None:
    return to_timestamp(instant) if instant is not None else None
