"""What the product itself says, asked over gRPC like any other service would."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import grpc.aio

from tallystick.v1 import held_pb2, held_pb2_grpc, status_pb2, status_pb2_grpc

_DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class HeldOrder:
    """One order that waits for a person."""

    name: str
    number: str
    reason: str
    detail: str


class Office:
    """A client of the API. While the API does not answer, nothing is known: not idle, not open, nobody held."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def __aenter__(self) -> Self:
        self._channel = grpc.aio.insecure_channel(self._address)
        self._status = status_pb2_grpc.StatusServiceStub(self._channel)
        self._held = held_pb2_grpc.HeldServiceStub(self._channel)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channel.close()

    async def ready(self) -> None:
        """Wait until the API answers."""
        await self._channel.channel_ready()

    async def circuit_open(self) -> bool:
        """Whether a target is known to be down."""
        return any(target.HasField("circuit") for target in await self._targets())

    async def idle(self) -> bool:
        """Whether nothing is unfinished or waiting, in any target and at any store."""
        status = await self._ask()
        busy = [lane for target in status.targets for lane in target.lanes if lane.state != status_pb2.LANE_STATE_HELD]
        return not any(lane.number for lane in busy) and not any(one.pending for one in status.connections)

    async def held(self) -> Sequence[HeldOrder]:
        """The orders that wait for a person."""
        answer = await self._held.ListHeld(held_pb2.ListHeldRequest(), timeout=_DEADLINE_S)
        return [HeldOrder(one.name, one.number, one.reason, one.detail or one.words) for one in answer.held]

    async def _targets(self) -> Sequence[status_pb2.TargetStatus]:
        return (await self._ask()).targets

    async def _ask(self) -> status_pb2.GetStatusResponse:
        return await self._status.GetStatus(status_pb2.GetStatusRequest(), timeout=_DEADLINE_S)
