"""The sweeper of one target: takes the lanes whose time has come and gives them to the same `work`.

It is the one that finishes what nobody finishes: waiting lanes, lanes of dead workers, lanes whose target was down.
"""

import asyncio

import structlog

from consumers.hands import LEDGER_AWAY, Hands, pause
from tallystick.errors import Unavailable
from tallystick.ledger.rows import Claim
from tallystick.settings import WorkSettings

log = structlog.get_logger(__name__)

#: While the circuit is half open: enough to learn whether the target is back, too little to hurt it.
TRIAL_LANES = 2


class Sweeper:
    """One per process and target; any number may run, they never take the same lane."""

    def __init__(self, hands: Hands, settings: WorkSettings) -> None:
        self._hands = hands
        self._settings = settings

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Sweeps again soon while there is more than one sweep's worth."""
        while not stop.is_set():
            try:
                claims = await self._due()
            except (*LEDGER_AWAY, Unavailable) as error:
                log.warning("sweeper waits", target=self._hands.engine.ledger.target, kind=type(error).__name__)
                claims = ()
            self._hands.take(claims)
            await pause(stop, self._settings.sweep_every_s if len(claims) < self._settings.batch else 0.01)

    async def _due(self) -> tuple[Claim, ...]:
        engine = self._hands.engine
        left_s = await engine.breaker.left_s()
        if left_s is not None and left_s > 0:
            return ()
        limit = min(self._hands.room, self._settings.batch if left_s is None else TRIAL_LANES)
        if not limit:
            return ()
        return await engine.ledger.take_due(limit=limit, per_connection=max(1, limit // 2))
