"""Walks: what changed in a source is found by walking through a closed window of its time.

A walk begins before its cursor (search lag, whole seconds), and moves the cursor only when it is finished and only to
what it has covered: the newest change seen, never "now". An hourly second pass over the last hours finds what became
visible late.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from consumers.news import News, Unchanged
from tallystick.clock import Clock
from tallystick.crashpoints import reach
from tallystick.intake.door import Door
from tallystick.intake.way_in import WayIn
from tallystick.ledger.cursors import Cursors
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import PendingDeliveries
from tallystick.listing import OrderListing
from tallystick.pacing import yielding
from tallystick.ports import NeedsRead, OrderSource, Reading, Window
from tallystick.settings import FlowName
from tallystick.v1 import event_pb2

log = structlog.get_logger(__name__)

#: Of these a single one can be read again.
_READ_BACK = (event_pb2.ENTITY_TYPE_ORDER, event_pb2.ENTITY_TYPE_CUSTOMER)

#: The cursor of what never happened.
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
Found = Reading | NeedsRead | Unchanged
Pages = AsyncIterator[Sequence[Found]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How pollers go about it; all in seconds."""

    every_s: float = 60.0
    #: The window of one walk where there is something to see, so that a long gap is caught up in parts that count.
    window_s: float = 86_400.0
    #: How far a store's clock may be behind ours before an empty walk would skip something.
    skew_s: float = 3_600.0
    #: How often a walk that shows all there is, whatever its window, is worth its calls.
    rare_every_s: float = 3_600.0
    second_pass_every_s: float = 3_600.0
    second_pass_back_s: float = 7_200.0
    #: What leaves no trace when it changes is found by reading everything anew so often.
    whole_every_s: float = 21_600.0
    #: How much earlier than its cursor the first walk begins after an unclean start.
    unclean_back_s: float = 3_600.0


@dataclass(frozen=True, slots=True)
class Trail:
    """What is walked through: one flow of one connection."""

    connection: str
    #: Under this name its cursor is kept.
    flow: str
    changed: Callable[[Window], Pages]
    overlap_s: float
    #: Where its very first walk begins.
    since: datetime
    #: The same as `changed` for less, without what was read before and is dated as it was.
    news: Callable[[Window], Pages] | None = None
    #: Everything there is, where changes alone do not tell the whole truth.
    whole: Callable[[], Pages] | None = None
    #: Takes the ids of what has to be read again; None: orders, which the relay reads.
    again: Callable[[Sequence[str]], Awaitable[None]] | None = None
    #: Each walk shows all there is, whatever its window: it is made rarely, in one part, and never twice.
    rare: bool = False


def order_trails(
    stores: Mapping[str, OrderSource], since: Mapping[str, datetime], objects: Objects, clock: Clock
) -> dict[str, Trail]:
    """The orders of each store; `since` is where its very first walk begins, now where it is not given."""
    return {
        name: Trail(
            name,
            FlowName.ORDERS,
            store.changed_orders,
            store.overlap_s,
            since.get(name, clock.now()),
            news=News(name, store, objects).changed if isinstance(store, OrderListing) else None,
        )
        for name, store in stores.items()
    }


class Walks:
    """Walks of one process; others may take turns at the same trails."""

    def __init__(
        self,
        cursors: Cursors,
        objects: Objects,
        door: Door,
        pending: PendingDeliveries,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self._cursors = cursors
        self._objects = objects
        self._way_in = WayIn(door, pending, event_pb2.ORIGIN_POLL, "found by a poll")
        self._clock = clock
        self._pace = pace

    async def turn(self, trail: Trail, every_s: float = 0.0, back_s: float = 0.0) -> bool:
        """Catch up from the cursor to now; False when somebody else took the turn. Raises what the store raises."""
        now = self._clock.now()
        every_s = max(every_s, self._pace.rare_every_s) if trail.rare and every_s else every_s
        cursor = await self._cursors.take_turn(trail.connection, trail.flow, min(trail.since, now), every_s)
        if cursor is None:
            return False
        overlap = timedelta(seconds=max(back_s, trail.overlap_s))
        span = usual = now - cursor if trail.rare else timedelta(seconds=self._pace.window_s)
        while True:
            window = Window(cursor - overlap, min(now, cursor + span))
            newest = await self._walk(trail, (trail.news or trail.changed)(window), window.end)
            # Years in which nothing changed are crossed in few walks.
            span = usual if newest else 2 * span
            cursor = self._covered(cursor, window, newest, now)
            await self._cursors.advance(trail.connection, trail.flow, cursor)
            reach("poll.advanced")
            if window.end >= now:
                return True

    def _covered(self, cursor: datetime, window: Window, newest: datetime | None, now: datetime) -> datetime:
        """Up to where a finished walk has seen everything, by the source's own dates."""
        settled = now - timedelta(seconds=self._pace.skew_s)
        if window.end <= settled:
            return max(cursor, window.end)
        return max(cursor, min(window.end, settled), newest or cursor)

    async def second_pass(self, trail: Trail) -> bool:
        """Walk over the last hours once more, if it is time; the cursor stays."""
        if trail.rare:
            return False
        now = self._clock.now()
        again = f"{trail.flow}, second pass"
        if await self._cursors.take_turn(trail.connection, again, now, self._pace.second_pass_every_s) is None:
            return False
        window = Window(now - timedelta(seconds=self._pace.second_pass_back_s), now)
        await self._walk(trail, trail.changed(window), window.end)
        return True

    async def whole_pass(self, trail: Trail) -> bool:
        """Read everything anew, if the trail can and it is time. A pass that was cut is begun anew at the next turn."""
        if trail.whole is None:
            return False
        again, now = f"{trail.flow}, whole", self._clock.now()
        last = await self._cursors.take_turn(trail.connection, again, _NEVER, self._pace.every_s)
        if last is None or now < last + timedelta(seconds=self._pace.whole_every_s):
            return False
        # A sweep through a catalogue has time: whatever else is asked of that system goes first.
        with yielding():
            async for page, started in self._numbered(trail.whole()):
                await self._take_in(trail, page, started)
        await self._cursors.advance(trail.connection, again, now)
        return True

    async def again(self, trail: Trail, since: datetime) -> None:
        """Walk once more from `since`, overlap included, in parts up to now; the cursor stays."""
        now = self._clock.now()
        start = since - timedelta(seconds=trail.overlap_s)
        while start < now:
            end = min(now, start + timedelta(seconds=self._pace.window_s))
            await self._walk(trail, trail.changed(Window(start, end)), end)
            start = end

    async def _walk(self, trail: Trail, pages: Pages, end: datetime) -> datetime | None:
        """Take in all pages of a window that ends there; the newest change seen inside it."""
        newest: datetime | None = None
        async for page, started in self._numbered(pages):
            await self._take_in(trail, page, started)
            dates = [one.source_modified for one in page if not isinstance(one, NeedsRead)]
            newest = max((date for date in (newest, *dates) if date and date <= end), default=newest)
        return newest

    async def _numbered(self, pages: Pages) -> AsyncIterator[tuple[Sequence[Found], int]]:
        """Each page with the number that was drawn before its request."""
        while True:
            [started] = await self._objects.draw()
            try:
                page = await anext(pages)
            except StopAsyncIteration:
                return
            reach("poll.page")
            yield page, started

    async def _take_in(self, trail: Trail, page: Sequence[Found], started: int) -> None:
        """Through the door; an order that has to be read again is left to the relay, durably, before the cursor moves.

        Of anything else a newer reading came in meanwhile, and the next walk begins before this one, unless the trail
        says who reads it."""
        now, kinds = self._clock.now(), None if trail.again is not None else _READ_BACK
        told = [one for one in page if not isinstance(one, Unchanged)]
        _, again = await self._way_in.enter(trail.connection, told, started, now, kinds)
        if trail.again is not None:
            await trail.again([object_id for _, object_id in again])
        else:
            await self._way_in.leave(trail.connection, again, now)
