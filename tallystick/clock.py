"""Time comes in by argument. Leases and due times are judged by Postgres; this clock is for budgets and people."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the current time comes from."""

    def now(self) -> datetime:
        """The instant, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never jump, for budgets inside this process."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """The instant, in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Timing:
    """The protocol's durations in seconds. `scale` also shortens what adapters declare, so that tests run fast."""

    lease_s: float = 15.0
    request_s: float = 30.0
    margin_s: float = 5.0
    dependency_s: float = 1.0
    parent_s: float = 900.0
    scale: float = 1.0

    def scaled(self, scale: float) -> "Timing":
        """The same proportions at another speed."""
        return Timing(
            self.lease_s * scale,
            self.request_s * scale,
            self.margin_s * scale,
            self.dependency_s * scale,
            self.parent_s * scale,
            self.scale * scale,
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """How long one request may still take: read from the monotonic clock before its intent was written."""

    clock: Clock
    ends_at_s: float

    def left_s(self) -> float:
        """Seconds left, never negative. A request whose budget is over is not sent."""
        return max(0.0, self.ends_at_s - self.clock.monotonic_s())
