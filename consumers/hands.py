"""The lanes a process has in hand for one target: worked in the background, bounded, drained at the end."""

import asyncio
import contextlib
from collections.abc import Sequence

import asyncpg
import structlog

from tallystick.engine import Engine
from tallystick.ledger.rows import Claim
from tallystick.pacing import yielding
from tallystick.telemetry import Metrics

log = structlog.get_logger(__name__)

#: Postgres restarting, failing over or out of connections. What was in hand is finished under its lease or swept.
LEDGER_AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)

#: How many lanes that yield may be in hand at once where the target takes them one by one.
YIELDING_LEAST = 16


class Hands:
    """Shared by the worker and the sweeper of a target, so that one bound holds for both."""

    def __init__(self, engine: Engine, metrics: Metrics, lanes_max: int) -> None:
        self.engine = engine
        self._lanes_max = lanes_max
        self._gauge = metrics.key_lanes.labels(engine.ledger.target)
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes = 0
        #: Lanes in hand that yield.
        self.yielding = 0
        self._yielding_max = min(lanes_max, max(2 * engine.chunk, YIELDING_LEAST))

    @property
    def room(self) -> int:
        """How many more lanes may be taken."""
        return max(0, self._lanes_max - self._lanes)

    @property
    def yielding_room(self) -> int:
        """How many more of those that yield: few, so that what comes later does not find every place taken."""
        return min(self.room, self._yielding_max - self.yielding)

    def take(self, claims: Sequence[Claim], *, yields: bool = False) -> None:
        """Work these lanes in the background."""
        if not claims:
            return
        self._add(len(claims), yields)
        with yielding(yields):
            task = asyncio.create_task(self._work(claims, yields))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, claims: Sequence[Claim], yields: bool) -> None:
        try:
            await self.engine.work(claims)
        except LEDGER_AWAY as error:
            log.warning("work left to the sweeper", target=self.engine.ledger.target, kind=type(error).__name__)
        finally:
            self._add(-len(claims), yields)

    def _add(self, lanes: int, yields: bool) -> None:
        self._lanes += lanes
        self.yielding += lanes if yields else 0
        self._gauge.set(self._lanes)

    async def drain(self) -> None:
        """Let every lane end its wave and be given back."""
        self.engine.stopping = True
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but not longer than until `stop`."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
