"""The watch over webhooks: whether stores still send deliveries, mended where the settings allow it, and what was lost
meanwhile looked for.

A store disables or deletes what it cannot deliver to. A look that finds that opens a hole, which is looked through once
all is well again: from the last look at which all was well, with the overlap of a poll.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from consumers.pollers import Pollers
from tallystick.away import AWAY, persist, sleep_unless
from tallystick.clock import Clock
from tallystick.errors import TallystickError
from tallystick.ledger.watched import Watched
from tallystick.ports import OrderSource, WebhookState
from tallystick.reconcile.ports import WebhookKeeper
from tallystick.telemetry import Metrics

log = structlog.get_logger(__name__)

EVERY_S = 300.0
#: So often within a day, and it is no accident any more: deliveries are refused at our end.
_OFTEN = 3


class Watch:
    """Watches the stores of one process."""

    def __init__(
        self, stores: Mapping[str, OrderSource], pollers: Pollers, watched: Watched, clock: Clock, metrics: Metrics,
        *, every_s: float = EVERY_S,
    ) -> None:  # fmt: skip
        self._stores = stores
        self._pollers = pollers
        self._watched = watched
        self._clock = clock
        self._metrics = metrics
        self._every_s = every_s
        self._active: dict[str, bool] = {}
        for connection in stores:
            metrics.webhooks_lost.labels(connection)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        async with asyncio.TaskGroup() as tasks:
            for connection in self._stores:
                tasks.create_task(self._watch(connection, stop))

    async def _watch(self, connection: str, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await persist(lambda: self.look(connection), stop, f"webhooks: {connection}")
            await sleep_unless(stop, self._every_s)

    async def look(self, connection: str) -> bool | None:
        """Whether the store sends deliveries, after what can be mended was. None: it did not say.

        Raises one of `away.AWAY` when our own parts are away.
        """
        began = self._clock.now()
        try:
            active = await self._is_active(connection)
            if not active and await self._lost(connection, began):
                active = await self._is_active(connection)
            await self._note(connection, active, began)
        except TallystickError as error:
            log.warning("webhooks not checked", connection=connection, error=str(error))
            return None
        except AWAY:
            raise
        except Exception:
            log.exception("webhooks not checked", connection=connection)
            return None
        return active

    async def _is_active(self, connection: str) -> bool:
        """It has subscriptions, and all are active."""
        states = await self._stores[connection].webhooks()
        active = bool(states) and all(state.active for state in states)
        self._tell(connection, active, states)
        return active

    def _tell(self, connection: str, active: bool, states: Sequence[WebhookState]) -> None:
        if self._active.get(connection) is not active:
            silent = sorted(state.topic for state in states if not state.active)
            report = log.info if active else log.warning
            report("webhooks", connection=connection, active=active, silent=silent, subscriptions=len(states))
        self._active[connection] = active
        self._metrics.webhooks_active.labels(connection).set(active)

    async def _lost(self, connection: str, at: datetime) -> bool:
        """Take note, and mend; whether something was mended. One process mends at a time."""
        lost = await self._watched.lost(connection, at)
        if lost is None:
            return False
        if lost.opened:
            self._metrics.webhooks_lost.labels(connection).inc()
        if lost.opened and lost.times >= _OFTEN:
            log.error("webhooks are lost again and again", connection=connection, times=lost.times)
        store = self._stores[connection]
        if not isinstance(store, WebhookKeeper) or not store.mends_webhooks:
            return False
        mended = await store.mend_webhooks()
        log.warning("webhooks mended", connection=connection, topics=list(mended))
        return bool(mended)

    async def _note(self, connection: str, active: bool, began: datetime) -> None:
        """All is well: look through the hole, if there is one."""
        if not active:
            return
        since = await self._watched.hole(connection)
        if since is not None:
            await self._pollers.again(connection, since)
            log.info("what no webhook told was looked for", connection=connection, since=since.isoformat())
        await self._watched.well(connection, began)
