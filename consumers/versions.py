"""Watches the API versions that the adapters speak: an end that comes is seen weeks ahead, and not on its day."""

import asyncio
from collections.abc import Mapping

import structlog

from tallystick.away import sleep_unless
from tallystick.clock import Clock
from tallystick.support import Versioned
from tallystick.telemetry import Metrics

log = structlog.get_logger(__name__)

_EVERY_S = 3600.0
_FIRST_S = 60.0
#: A warning is repeated after so many looks.
_AGAIN = 24


class VersionWatch:
    """The versions of one process's connections."""

    def __init__(self, adapters: Mapping[str, object], clock: Clock, metrics: Metrics) -> None:
        self._versioned = {name: one for name, one in adapters.items() if isinstance(one, Versioned)}
        self._clock = clock
        self._metrics = metrics
        self._looks = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. The second look comes early: by then the vendors have told something."""
        while not stop.is_set():
            self.look()
            await sleep_unless(stop, _FIRST_S if self._looks == 1 else _EVERY_S)

    def look(self) -> None:
        """Set the gauge of each connection, and warn about what ends soon."""
        now = self._clock.now()
        for name, adapter in self._versioned.items():
            support = adapter.support()
            if support.ends_at is not None:
                left_s = (support.ends_at - now).total_seconds()
                self._metrics.api_version_ends.labels(name, support.version).set(left_s)
            warning = support.warning(now)
            if warning and self._looks % _AGAIN < 2:
                log.warning("API version", connection=name, what=warning)
        self._looks += 1
