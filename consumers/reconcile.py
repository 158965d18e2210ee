"""Reconciliation as it runs: passes come round by themselves or are asked for; each is worked window by window.

Between two windows a pass is given back, so that several processes may help and a short one is not held up by a long
one. While targets have much to do it waits: live traffic goes first.
"""

import asyncio
import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from tallystick.away import AWAY, persist, sleep_unless
from tallystick.clock import Clock
from tallystick.crashpoints import reach
from tallystick.errors import Unauthorised, Unavailable
from tallystick.ledger.cursors import Cursors
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.pool import Pool
from tallystick.ports import Window
from tallystick.reconcile.findings import Result
from tallystick.reconcile.plan import DOCUMENTS, Place
from tallystick.reconcile.runs import WINDOW_S, Runs, Span, Taken
from tallystick.reconcile.walk import Walkable
from tallystick.settings import ReconcileSettings
from tallystick.telemetry import Metrics

log = structlog.get_logger(__name__)

_LEASE_S = 300.0
#: How often is looked whether a pass has come round.
_LOOK_EVERY_S = 30.0
_BUSY_AGAIN_S = 5.0
_BROKEN_AGAIN_S = 30.0
#: A window on which our own code fails so often is named in the pass, which goes on behind it.
_ATTEMPTS_MAX = 5
#: Lanes of a target that may be unfinished.
_OUTSTANDING_MAX = 200
#: The longest window, and how much one should compare.
_WINDOW_MAX_S, _COMPARED = 604_800.0, 200
_KEPT_S = 30 * 86_400.0


class Reconcile:
    """Works passes. `scale` shortens its durations in tests and the demo."""

    def __init__(
        self, pool: Pool, walks: Sequence[Walkable], ledgers: Sequence[Ledger], clock: Clock, metrics: Metrics,
        settings: ReconcileSettings | None = None, *, every_s: float = 1.0, scale: float = 1.0,
    ) -> None:  # fmt: skip
        self._runs = Runs(pool)
        self._cursors = Cursors(pool)
        self._walks: dict[Place, Walkable] = {(walk.connection, walk.flow): walk for walk in walks}
        self._ledgers = ledgers
        self._clock = clock
        self._metrics = metrics
        self._settings = settings or ReconcileSettings()
        self._every_s = every_s
        self._scale = scale

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        looked_at_s = -math.inf
        while not stop.is_set():
            if self._clock.monotonic_s() - looked_at_s >= _LOOK_EVERY_S * self._scale:
                looked_at_s = self._clock.monotonic_s()
                await persist(self.schedule, stop, "reconciliation: schedule")
                await persist(self.measure, stop, "reconciliation: measure")
            while not stop.is_set() and await persist(self.turn, stop, "reconciliation"):
                pass
            await sleep_unless(stop, self._every_s)

    async def schedule(self) -> None:
        """Begin the passes whose time has come round."""
        settings = self._settings
        for walk in self._walks.values():
            end = await self._end(walk)
            if end is None or end <= walk.since:
                continue
            for depth, every_s, back in (
                ("recent", settings.every_s, timedelta(hours=settings.back_h)),
                ("whole", settings.whole_every_h * 3600, timedelta(days=settings.whole_back_d)),
            ):
                span = Span(walk.connection, walk.flow, max(walk.since, end - back), end)
                await self._runs.schedule(span, depth, WINDOW_S, every_s)
        await self._runs.forget(_KEPT_S)

    async def _end(self, walk: Walkable) -> datetime | None:
        """Up to where polls have been; what is younger is theirs. None while the first one is still under way."""
        end = self._clock.now() - timedelta(seconds=self._settings.lag_s)
        if walk.flow == DOCUMENTS:
            return end
        cursor = await self._cursors.load(walk.connection, walk.flow)
        return None if cursor is None else min(end, cursor)

    async def measure(self) -> None:
        """Show what the newest passes came to."""
        for place, number in (await self._runs.mismatches()).items():
            self._metrics.reconcile_mismatches.labels(*place).set(number)
        for place, at_s in (await self._runs.last_success()).items():
            self._metrics.reconcile_last_success.labels(*place).set(at_s)

    async def turn(self) -> bool:
        """Work one window of the pass that goes first; False when none is due."""
        connections = sorted({connection for connection, _ in self._walks})
        taken = await self._runs.claim(_LEASE_S * self._scale, connections)
        if taken is None:
            return False
        reach("reconcile.claimed")
        walk = self._walks.get((taken.connection, taken.flow))
        if walk is None or await self._busy():
            await self._runs.later(taken, _BUSY_AGAIN_S * self._scale, tried=False)
        else:
            await self._window(walk, taken)
        return True

    async def _busy(self) -> bool:
        return any([await ledger.unfinished(_OUTSTANDING_MAX) >= _OUTSTANDING_MAX for ledger in self._ledgers])

    async def _window(self, walk: Walkable, taken: Taken) -> None:
        end = min(taken.span_end, taken.position + timedelta(seconds=taken.window_s))
        try:
            result = await walk.window(Window(taken.position, end), taken.id)
        except (Unavailable, Unauthorised) as error:
            log.warning("window not compared", connection=walk.connection, flow=walk.flow, error=str(error))
            await self._runs.later(taken, _BROKEN_AGAIN_S * self._scale, str(error))
            return
        except AWAY:
            raise
        except Exception as error:
            log.exception("window not compared", connection=walk.connection, flow=walk.flow)
            what = f"the window from {taken.position.isoformat()} was not compared ({type(error).__name__})"
            if taken.attempts < _ATTEMPTS_MAX:
                await self._runs.later(taken, _BROKEN_AGAIN_S * self._scale, what)
                return
            result = Result(problem=what)
        reach("reconcile.compared")
        size_s = _next_size_s(taken.window_s, sum(result.compared.values()))
        pause_s = self._settings.pause_s * self._scale
        if await self._runs.advance(taken, end, size_s, result, pause_s=pause_s) and result.findings:
            log.warning("disagreements", connection=walk.connection, flow=walk.flow, number=len(result.findings))
        if end >= taken.span_end:
            await self.measure()


def _next_size_s(size_s: float, compared: int) -> float:
    """Windows as long as to compare a fair number each."""
    if compared > 2 * _COMPARED:
        return max(60.0, size_s / 2)
    return min(_WINDOW_MAX_S, size_s * 2) if compared < _COMPARED / 2 else size_s
