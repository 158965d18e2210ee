"""Pollers: what no delivery told is found by walking through what changed. Each connection in a loop of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from consumers.walks import Pace, Trail, Walks
from tallystick.away import AWAY, persist, sleep_unless
from tallystick.clock import Clock
from tallystick.errors import TallystickError, Unauthorised
from tallystick.intake.door import Door
from tallystick.ledger.cursors import Cursors
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import PendingDeliveries
from tallystick.telemetry import Metrics

log = structlog.get_logger(__name__)


class Pollers:
    """Polls the orders of stores, and the trails `beside` them."""

    def __init__(
        self,
        orders: Mapping[str, Trail],
        cursors: Cursors,
        objects: Objects,
        door: Door,
        pending: PendingDeliveries,
        clock: Clock,
        *,
        beside: Sequence[Trail] = (),
        pace: Pace | None = None,
        unclean: bool = False,
        metrics: Metrics | None = None,
    ) -> None:
        self._orders = orders
        self._beside = beside
        self._pace = pace or Pace()
        self._walks = Walks(cursors, objects, door, pending, clock, self._pace)
        self._unclean = unclean
        self._metrics = metrics

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        async with asyncio.TaskGroup() as tasks:
            for trail in (*self._orders.values(), *self._beside):
                tasks.create_task(self._poll(trail, stop))

    async def _poll(self, trail: Trail, stop: asyncio.Event) -> None:
        back_s = self._pace.unclean_back_s if self._unclean else 0.0
        # The first turn is taken at once: something may have happened while nobody looked.
        every_s = 0.0
        what = f"poll: {trail.connection}, {trail.flow}"
        while not stop.is_set():
            done = await persist(lambda: self._turns(trail, every_s, back_s), stop, what)  # noqa: B023
            every_s = self._pace.every_s
            back_s = 0.0 if done else back_s
            await sleep_unless(stop, self._pace.every_s)

    async def _turns(self, trail: Trail, every_s: float, back_s: float) -> bool:
        connection, flow = trail.connection, trail.flow
        try:
            await self._walks.turn(trail, every_s, back_s)
            await self._walks.second_pass(trail)
            await self._walks.whole_pass(trail)
        except Unauthorised:
            log.warning("poll refused", connection=connection, flow=flow)
            if self._metrics is not None:
                self._metrics.auth_failures.labels(connection).inc()
        except TallystickError as error:
            log.warning("poll not finished", connection=connection, flow=flow, error=str(error))
        except AWAY:
            raise
        except Exception:
            log.exception("poll not finished", connection=connection, flow=flow)
        else:
            return True
        return False

    async def turn(self, connection: str, every_s: float = 0.0, back_s: float = 0.0) -> bool:
        """Catch up with a store's orders now; False when somebody else took the turn. Raises what the store raises."""
        return await self._walks.turn(self._orders[connection], every_s, back_s)

    async def second_pass(self, connection: str) -> bool:
        """Walk over the last hours of a store once more, if it is time; the cursor stays."""
        return await self._walks.second_pass(self._orders[connection])

    async def again(self, connection: str, since: datetime) -> None:
        """Walk over a store once more from `since` to now; the cursor stays. Raises what the store raises."""
        await self._walks.again(self._orders[connection], since)
