"""Pollers: what no delivery told is found by walking through the orders that changed.

A walk covers a closed window of source time, begins before its cursor (search lag, whole seconds), and moves the
cursor only when it is finished and only to what it has covered: the newest change seen, never "now". An hourly second
pass over the last hours finds what became visible late.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from tallystick.away import AWAY, persist, sleep_unless
from tallystick.clock import Clock
from tallystick.crashpoints import reach
from tallystick.errors import TallystickError, Unauthorised
from tallystick.intake.delivery import Waits, to_waiting, wish
from tallystick.intake.door import Arrival, Door
from tallystick.ledger.cursors import Cursors
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import PendingDeliveries, PendingReason
from tallystick.ports import NeedsRead, OrderSource, Reading, Window
from tallystick.telemetry import Metrics
from tallystick.v1 import event_pb2

log = structlog.get_logger(__name__)

FLOW = "orders"
SECOND_PASS = "orders, second pass"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Pace:
    """How pollers go about it; all in seconds."""

    every_s: float = 60.0
    #: The window of one walk where there is something to see, so that a long gap is caught up in parts that count.
    window_s: float = 86_400.0
    #: How far a store's clock may be behind ours before an empty walk would skip something.
    skew_s: float = 3_600.0
    second_pass_every_s: float = 3_600.0
    second_pass_back_s: float = 7_200.0
    #: How much earlier than its cursor the first walk begins after an unclean start.
    unclean_back_s: float = 3_600.0
    watch_every_s: float = 300.0


class Pollers:
    """Polls and watches the given stores. `since` is where a store's very first walk begins."""

    def __init__(
        self,
        stores: Mapping[str, OrderSource],
        since: Mapping[str, datetime],
        cursors: Cursors,
        objects: Objects,
        door: Door,
        pending: PendingDeliveries,
        clock: Clock,
        *,
        pace: Pace = Pace(),
        unclean: bool = False,
        metrics: Metrics | None = None,
    ) -> None:
        self._stores = stores
        self._since = since
        self._cursors = cursors
        self._objects = objects
        self._door = door
        self._pending = pending
        self._clock = clock
        self._pace = pace
        self._unclean = unclean
        self._metrics = metrics
        self._active: dict[str, bool] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; each store in a loop of its own."""
        async with asyncio.TaskGroup() as tasks:
            for connection in self._stores:
                tasks.create_task(self._poll(connection, stop))
                tasks.create_task(self._watch(connection, stop))

    async def _poll(self, connection: str, stop: asyncio.Event) -> None:
        back_s = self._pace.unclean_back_s if self._unclean else 0.0
        # The first turn is taken at once: something may have happened while nobody looked.
        every_s = 0.0
        while not stop.is_set():
            done = await persist(lambda: self._turns(connection, every_s, back_s), stop, f"poll: {connection}")  # noqa: B023
            every_s = self._pace.every_s
            back_s = 0.0 if done else back_s
            await sleep_unless(stop, self._pace.every_s)

    async def _turns(self, connection: str, every_s: float, back_s: float) -> bool:
        try:
            await self.turn(connection, every_s, back_s)
            await self.second_pass(connection)
        except Unauthorised:
            log.warning("poll refused", connection=connection)
            if self._metrics is not None:
                self._metrics.auth_failures.labels(connection).inc()
        except TallystickError as error:
            log.warning("poll not finished", connection=connection, error=str(error))
        except AWAY:
            raise
        except Exception:
            log.exception("poll not finished", connection=connection)
        else:
            return True
        return False

    # ---- walks -----------------------------------------------------------------------------------------------------

    async def turn(self, connection: str, every_s: float = 0.0, back_s: float = 0.0) -> bool:
        """Catch up from the cursor to now; False when somebody else took the turn. Raises what the store raises."""
        now = self._clock.now()
        first = min(self._since.get(connection, now), now)
        cursor = await self._cursors.take_turn(connection, FLOW, first, every_s)
        if cursor is None:
            return False
        overlap = timedelta(seconds=max(back_s, self._stores[connection].overlap_s))
        span = usual = timedelta(seconds=self._pace.window_s)
        while True:
            window = Window(cursor - overlap, min(now, cursor + span))
            newest = await self._walk(connection, window)
            # Years in which nothing changed are crossed in few walks.
            span = usual if newest else 2 * span
            cursor = self._covered(cursor, window, newest, now)
            await self._cursors.advance(connection, FLOW, cursor)
            reach("poll.advanced")
            if window.end >= now:
                return True

    def _covered(self, cursor: datetime, window: Window, newest: datetime | None, now: datetime) -> datetime:
        """Up to where a finished walk has seen everything, by the source's own dates."""
        settled = now - timedelta(seconds=self._pace.skew_s)
        if window.end <= settled:
            return max(cursor, window.end)
        return max(cursor, min(window.end, settled), newest or cursor)

    async def second_pass(self, connection: str) -> bool:
        """Walk over the last hours once more, if it is time; the cursor stays."""
        now = self._clock.now()
        if await self._cursors.take_turn(connection, SECOND_PASS, now, self._pace.second_pass_every_s) is None:
            return False
        await self._walk(connection, Window(now - timedelta(seconds=self._pace.second_pass_back_s), now))
        return True

    async def _walk(self, connection: str, window: Window) -> datetime | None:
        """Take in all pages of a window; the newest change seen inside it."""
        newest: datetime | None = None
        async for page, started in self._pages(connection, window):
            await self._take_in(connection, page, started)
            dates = [r.source_modified for r in page if isinstance(r, Reading) and r.source_modified is not None]
            newest = max((date for date in (newest, *dates) if date and date <= window.end), default=newest)
        return newest

    async def _pages(self, connection: str, window: Window) -> AsyncIterator[tuple[Sequence[Reading | NeedsRead], int]]:
        """Each page with the number that was drawn before its request."""
        pages = aiter(self._stores[connection].changed_orders(window))
        while True:
            [started] = await self._objects.draw()
            try:
                page = await anext(pages)
            except StopAsyncIteration:
                return
            reach("poll.page")
            yield page, started

    async def _take_in(self, connection: str, page: Sequence[Reading | NeedsRead], started: int) -> None:
        """Through the door; what has to be read again is left to the relay, durably, before the cursor moves."""
        now = self._clock.now()
        unique = {found.object_id: found for found in page}
        arrivals = [
            Arrival(connection, found, event_pb2.ORIGIN_POLL, now, started)
            for found in unique.values()
            if isinstance(found, Reading)
        ]
        again = [found.object_id for found in unique.values() if isinstance(found, NeedsRead)]
        for arrival, entered in zip(arrivals, await self._door.enter(arrivals), strict=True):
            if entered.read_again or entered.too_large:
                again.append(arrival.reading.object_id)
        later = Waits(PendingReason.READ_LATER, "found by a poll")
        wishes = [wish(connection, order_id, event_pb2.ORIGIN_POLL, now) for order_id in again]
        await self._pending.put([to_waiting(wished, later) for wished in wishes])

    # ---- webhooks --------------------------------------------------------------------------------------------------

    async def _watch(self, connection: str, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.watch(connection)
            await sleep_unless(stop, self._pace.watch_every_s)

    async def watch(self, connection: str) -> bool | None:
        """Whether the store still sends deliveries: it has subscriptions and all are active. None: it did not say."""
        try:
            states = await self._stores[connection].webhooks()
        except TallystickError as error:
            log.warning("webhooks not checked", connection=connection, error=str(error))
            return None
        except Exception:
            log.exception("webhooks not checked", connection=connection)
            return None
        silent = sorted(state.topic for state in states if not state.active)
        active = bool(states) and not silent
        if self._active.get(connection) is not active:
            report = log.info if active else log.warning
            report("webhooks", connection=connection, active=active, silent=silent, subscriptions=len(states))
        self._active[connection] = active
        if self._metrics is not None:
            self._metrics.webhooks_active.labels(connection).set(active)
        return active
