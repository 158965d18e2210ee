"""WatchOrderSync: the event log as a stream.

Each watcher reads the log at its own pace and waits for its client before it reads on, so nothing piles up. The log
is polled: LISTEN does not pass a pgbouncer in transaction mode.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

from service import asking
from service.callers import Context, host
from service.errors import exhausted, invalid
from tallystick.canonical.times import to_timestamp
from tallystick.clock import Clock
from tallystick.errors import Unreadable
from tallystick.ledger.events import Events, Position, Watched, position_of
from tallystick.ledger.views import Views
from tallystick.v1 import order_sync_pb2 as pb


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """How long and how many; all times in seconds."""

    ends_after_s: float = 3600.0
    heartbeat_s: float = 15.0
    poll_s: float = 0.5
    page: int = 200
    per_caller: int = 16
    in_all: int = 128


class Watches:
    """The watchers of this process."""

    def __init__(self, views: Views, events: Events, clock: Clock, limits: WatchLimits) -> None:
        self._views = views
        self._events = events
        self._clock = clock
        self._limits = limits
        self._watching: Counter[str] = Counter()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End all streams, so that their clients go on elsewhere."""
        self._stopping.set()

    async def watch(
        self, request: pb.WatchOrderSyncRequest, context: Context
    ) -> AsyncIterator[pb.WatchOrderSyncResponse]:
        """Events after the request's position, with heartbeats, until the hour is over."""
        self._admit(host(context), context)
        watched = await self._watched(request)
        position = await self._begin(request)
        yield self._heartbeat(position)
        async for answer in self._follow(watched, position):
            yield answer

    async def _follow(self, watched: Watched, position: Position) -> AsyncIterator[pb.WatchOrderSyncResponse]:
        limits, now_s = self._limits, self._clock.monotonic_s
        quiet_since_s = now_s()
        ends_at_s = quiet_since_s + limits.ends_after_s
        while now_s() < ends_at_s and not self._stopping.is_set():
            found, position = await self._events.after(position, watched, limits.page)
            for event, after in found:
                yield pb.WatchOrderSyncResponse(event=event, resume_token=after.token)
            if not found and now_s() - quiet_since_s >= limits.heartbeat_s:
                yield self._heartbeat(position)
                quiet_since_s = now_s()
            elif found:
                quiet_since_s = now_s()
            if len(found) < limits.page:
                await self._pause(limits.poll_s)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _heartbeat(self, position: Position) -> pb.WatchOrderSyncResponse:
        beat = pb.Heartbeat(at=to_timestamp(self._clock.now()))
        return pb.WatchOrderSyncResponse(heartbeat=beat, resume_token=position.token)

    async def _watched(self, request: pb.WatchOrderSyncRequest) -> Watched:
        target = asking.target(self._views, request.target)
        connection = asking.connection(self._views, request.connection)
        order = await asking.order(self._views, request.name) if request.name else None
        return Watched(order, connection, target)

    async def _begin(self, request: pb.WatchOrderSyncRequest) -> Position:
        if not request.resume_token:
            return await self._events.now()
        try:
            return position_of(request.resume_token)
        except Unreadable as error:
            raise invalid("resume_token", f"{error}; leave it empty to begin now") from error

    def _admit(self, caller: str, context: Context) -> None:
        if self._watching[caller] >= self._limits.per_caller or self._watching.total() >= self._limits.in_all:
            raise exhausted("TOO_MANY_WATCHERS", "too many streams are open; close one, or watch a whole connection")
        self._watching[caller] += 1
        context.add_done_callback(lambda _: self._leave(caller))  # type: ignore[arg-type]

    def _leave(self, caller: str) -> None:
        self._watching[caller] -= 1
        if not self._watching[caller]:
            del self._watching[caller]
