"""The sweeper of one target: takes the lanes whose time has come and gives them to the same `work`.

It is the one that finishes what nobody finishes: waiting lanes, lanes of dead workers, lanes whose target was down.
"""

import asyncio

import structlog

from consumers.hands import LEDGER_AWAY, Hands, pause
from tallystick.errors import Unavailable
from tallystick.settings import WorkSettings

log = structlog.get_logger(__name__)

#: While the circuit is half open: enough to learn whether the target is back, too little to hurt it.
TRIAL_LANES = 2
#: Between two sweeps while there is more to take.
MORE_AFTER_S = 0.05


class Sweeper:
    """One per process and target; any number may run, they never take the same lane."""

    def __init__(self, hands: Hands, settings: WorkSettings) -> None:
        self._hands = hands
        self._settings = settings

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Sweeps again soon while there is more than one sweep's worth."""
        while not stop.is_set():
            try:
                more = await self._sweep()
            except (*LEDGER_AWAY, Unavailable) as error:
                log.warning("sweeper waits", target=self._hands.engine.ledger.target, kind=type(error).__name__)
                more = False
            await pause(stop, MORE_AFTER_S if more else self._settings.sweep_every_s)

    async def _sweep(self) -> bool:
        """Take what is due, and of what yields as much as may wait in hand; whether to come again soon."""
        left_s = await self._hands.engine.breaker.left_s()
        if left_s is not None and left_s > 0:
            return False
        limit = min(self._hands.room, self._settings.batch if left_s is None else TRIAL_LANES)
        half = max(1, limit // 2)
        taken = await self._take(limit, half)
        if taken < half:
            # No connection has more than it got: what yields may go on.
            await self._take(min(self._hands.yielding_room, limit - taken), limit, yields=True)
        return taken == self._settings.batch or (left_s is None and self._hands.yielding > 0)

    async def _take(self, limit: int, per_connection: int, *, yields: bool = False) -> int:
        if limit <= 0:
            return 0
        ledger = self._hands.engine.ledger
        claims = await ledger.take_due(limit=limit, per_connection=per_connection, yielding=yields)
        self._hands.take(claims, yields=yields)
        return len(claims)
