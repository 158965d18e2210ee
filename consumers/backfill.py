"""Backfills that people asked for: the orders that a store shows of a span of time, page by page, in by the one door.

A job is worked in parts, each a span of the store's time, and its position is the end of the last whole part: after
kill -9 the part is walked through again, and what was let in before is a repetition. Whoever works it says so with
every page (a lease), so that no two processes feed one job at a time, and a cancelled one ends at the next page. At
most `OUTSTANDING_MAX` orders of a job are let in and not yet dealt with in every target; the rest stays in the store.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from tallystick.away import AWAY, persist, sleep_unless
from tallystick.clock import Clock
from tallystick.counting import OrderCount
from tallystick.crashpoints import reach
from tallystick.errors import TallystickError
from tallystick.intake.door import Door
from tallystick.intake.way_in import WayIn
from tallystick.ledger.backfills import Hand, NoLongerOurs
from tallystick.ledger.objects import Objects
from tallystick.ledger.operations import BACKFILL, Operations, Part, Taken
from tallystick.ledger.pending import PendingDeliveries
from tallystick.ledger.pool import Pool
from tallystick.pacing import yielding
from tallystick.ports import NeedsRead, OrderSource, Reading, Window
from tallystick.v1 import event_pb2

log = structlog.get_logger(__name__)

OUTSTANDING_MAX = 200
#: A slice of a page is let in when there is room for that many, so that a slow ERP is not fed one by one.
_LEAST = 25
_LEASE_S = 60.0
_AGAIN_S = 5.0
_AGAIN_MAX_S = 300.0
_LOOK_AGAIN_S = 0.25
#: Parts grow and shrink until one holds about so many orders, which is what is walked through again after a crash.
_PART_ORDERS = 500
_SPAN_FIRST, _SPAN_LEAST, _SPAN_MOST = timedelta(hours=1), timedelta(seconds=1), timedelta(days=92)

_ORDERS = (event_pb2.ENTITY_TYPE_ORDER,)

Found = Reading | NeedsRead


@dataclass(frozen=True, slots=True)
class Source:
    """A store, and the targets that its routes lead to."""

    store: OrderSource
    targets: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Job:
    """An operation in hand, and the part of its window that comes next."""

    taken: Taken
    hand: Hand
    window: Window
    #: Nothing of the operation comes after it.
    last: bool

    def counts(self, found: Found) -> bool:
        """Whether it belongs to this part: both ends of a window are included, and stores answer a little wider."""
        moment = found.source_modified if isinstance(found, Reading) else None
        after = self.window.start if self.taken.position else datetime.min.replace(tzinfo=self.window.start.tzinfo)
        return moment is None or after < moment <= self.window.end


class Backfills:
    """Works backfills, one of each store at a time. `scale` shortens its durations in tests and the demo."""

    def __init__(
        self,
        pool: Pool,
        sources: Mapping[str, Source],
        objects: Objects,
        door: Door,
        pending: PendingDeliveries,
        clock: Clock,
        *,
        every_s: float = 1.0,
        scale: float = 1.0,
        outstanding_max: int = OUTSTANDING_MAX,
    ) -> None:
        self._pool = pool
        self._operations = Operations(pool)
        self._sources = sources
        self._objects = objects
        self._way_in = WayIn(door, pending, event_pb2.ORIGIN_BACKFILL, "found by a backfill")
        self._clock = clock
        self._every_s = every_s
        self._scale = scale
        self._look_again_s = max(0.02, _LOOK_AGAIN_S * scale)
        self._outstanding_max = outstanding_max
        self._spans: dict[str, timedelta] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set, or cut anywhere."""
        async with asyncio.TaskGroup() as tasks:
            for connection in self._sources:
                tasks.create_task(self._feed(connection, stop))

    async def _feed(self, connection: str, stop: asyncio.Event) -> None:
        while not stop.is_set():
            busy = await persist(lambda: self.turn(connection), stop, f"backfill: {connection}")
            if not busy:
                await sleep_unless(stop, self._every_s)

    async def turn(self, connection: str) -> bool:
        """Work one part of the backfill of this store that waits longest; False when none is due."""
        taken = await self._operations.claim(_LEASE_S * self._scale, BACKFILL, connection)
        if taken is None:
            return False
        reach("backfill.claimed")
        await self._work(taken)
        return True

    async def _work(self, taken: Taken) -> None:
        try:
            with yielding():
                await self._part(taken)
        except NoLongerOurs as error:
            log.info("backfill given up", reason=str(error))
        except TallystickError as error:
            await self._later(taken, error)
        except AWAY:
            raise
        except Exception as error:
            log.exception("backfill not finished", operation=taken.id)
            await self._later(taken, error)

    async def _later(self, taken: Taken, error: Exception) -> None:
        log.warning("backfill waits", operation=taken.id, error=str(error), kind=type(error).__name__)
        in_s = min(_AGAIN_MAX_S, _AGAIN_S * 2.0 ** min(taken.attempts, 10))
        await self._operations.later(taken, in_s * self._scale, tried=True)

    # ---- a part ----------------------------------------------------------------------------------------------------

    async def _part(self, taken: Taken) -> None:
        source = self._sources[taken.wanted.connection]
        job = self._job(taken, source)
        if not taken.position:
            await self._expect(job, source.store)
        seen: set[str] = set()
        async for page, started in self._pages(job, source.store):
            await self._enter(job, page, started)
            seen |= {found.object_id for found in page if job.counts(found)}
        if job.last:
            await self._room(job, self._outstanding_max)
            await job.hand.hold()
        self._measure(job, len(seen))
        await self._operations.advance(taken, Part(job.window.end.isoformat(), len(seen), last=job.last))
        reach("backfill.advanced")

    def _job(self, taken: Taken, source: Source) -> _Job:
        wanted = taken.wanted
        assert wanted.since is not None
        start = datetime.fromisoformat(taken.position) if taken.position else wanted.since
        last = wanted.until or taken.created_at
        end = min(last, start + self._spans.get(taken.id, _SPAN_FIRST))
        hand = Hand(self._pool, taken, source.targets, _LEASE_S * self._scale)
        return _Job(taken, hand, Window(min(start, end), end), last=end >= last)

    def _measure(self, job: _Job, orders: int) -> None:
        """The next part is longer where little happened and shorter where much did."""
        span = self._spans.pop(job.taken.id, _SPAN_FIRST)
        if orders < _PART_ORDERS // 2:
            span = min(_SPAN_MOST, span * (2 if orders else 8))
        elif orders > _PART_ORDERS * 2:
            span = max(_SPAN_LEAST, span / 2)
        if not job.last:
            self._spans[job.taken.id] = span

    async def _expect(self, job: _Job, store: OrderSource) -> None:
        if not isinstance(store, OrderCount):
            return
        wanted = job.taken.wanted
        assert wanted.since is not None
        total = await store.count_orders(Window(wanted.since, wanted.until or job.taken.created_at))
        if total is not None:
            await job.hand.expect(total)

    async def _pages(self, job: _Job, store: OrderSource) -> AsyncIterator[tuple[Sequence[Found], int]]:
        """Each page with the number that was drawn before its request; the lease goes on while the store thinks."""
        pages = aiter(store.changed_orders(job.window))
        while True:
            await job.hand.hold()
            [started] = await self._objects.draw()
            asked = asyncio.ensure_future(anext(pages, None))
            try:
                while not (await asyncio.wait({asked}, timeout=self._look_again_s))[0]:
                    await job.hand.hold()
                page = asked.result()
            finally:
                asked.cancel()
            if page is None:
                return
            reach("backfill.page")
            yield page, started

    async def _enter(self, job: _Job, page: Sequence[Found], started: int) -> None:
        """Let a page in, a slice at a time as there is room."""
        left = list({found.object_id: found for found in page}.values())
        while left:
            room = await self._room(job, min(len(left), _LEAST))
            some, left = left[:room], left[room:]
            # Before they are let in: whoever goes on after a crash waits for these, too.
            fresh = await job.hand.hold(found.object_id for found in some)
            reach("backfill.held")
            connection, now = job.taken.wanted.connection, self._clock.now()
            published, again = await self._way_in.enter(connection, some, started, now, _ORDERS)
            await self._way_in.leave(connection, again, now)
            reach("backfill.entered")
            job.hand.drop(fresh - published - {order_id for _, order_id in again})

    async def _room(self, job: _Job, wanted: int) -> int:
        """How many more may be let in, once that is `wanted` at least."""
        while True:
            await job.hand.look()
            room = self._outstanding_max - len(job.hand)
            if room >= min(wanted, self._outstanding_max):
                return room
            await job.hand.hold()
            await asyncio.sleep(self._look_again_s)
