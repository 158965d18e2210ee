"""One quota for all replicas: each process uses its part of a connection's rate, so that no request has to ask anybody.

The parts are divided anew every few seconds. A process that joins takes what the others have let go; the part of one
that died is free when its lease is over. One that cannot reach the ledger for a lease stops asking other systems.
"""

import asyncio
from collections.abc import Mapping

import structlog

from tallystick.away import AWAY, sleep_unless
from tallystick.clock import Clock
from tallystick.ledger.quota import Quota
from tallystick.pacing import Pacer
from tallystick.telemetry import Metrics

log = structlog.get_logger(__name__)

EVERY_S = 2.0
#: Of `EVERY_S`.
_LEASE = 5.0


class Shares:
    """The parts of one process."""

    def __init__(
        self, quota: Quota, pacers: Mapping[str, Pacer], clock: Clock, metrics: Metrics, *, every_s: float = EVERY_S
    ) -> None:
        self._quota = quota
        self._pacers = pacers
        self._clock = clock
        self._metrics = metrics
        self._every_s = every_s
        self._parts = dict.fromkeys(pacers, 1.0)
        self._good_until_s = clock.monotonic_s()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then the others may have this process's parts."""
        while not stop.is_set():
            await sleep_unless(stop, self._every_s)
            try:
                await self.turn()
            except AWAY as error:
                log.warning("quota not divided", kind=type(error).__name__)
                if self._clock.monotonic_s() >= self._good_until_s:
                    self._take(dict.fromkeys(self._pacers, 0.0))
        try:
            await self._quota.give_back()
        except AWAY as error:
            log.warning("quota not given back", kind=type(error).__name__)

    async def turn(self) -> None:
        """Divide anew. Raises what asyncpg raises."""
        if not self._pacers:
            return
        lease_s = self._every_s * _LEASE
        good_until_s = self._clock.monotonic_s() + lease_s
        parts = await self._quota.divide(sorted(self._pacers), lease_s, self._take_less)
        self._take(parts)
        self._good_until_s = good_until_s

    def _take_less(self, parts: Mapping[str, float]) -> None:
        self._take({name: min(part, self._parts[name]) for name, part in parts.items()})

    def _take(self, parts: Mapping[str, float]) -> None:
        for name, part in parts.items():
            pacer = self._pacers[name]
            if part != self._parts[name]:
                pacer.take_share(part)
                log.info("quota", connection=name, share=round(part, 3))
            self._parts[name] = part
            self._metrics.limiter_rate.labels(name).set(pacer.rate_per_s)
            self._metrics.limiter_parallel.labels(name).set(pacer.parallel)
