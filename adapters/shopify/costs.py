"""Pacing by points: what the replies tell about the leaky bucket, so that requests wait rather than be throttled."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.shopify.fields import part
from tallystick.clock import Clock


@dataclass(frozen=True, slots=True)
class Cost:
    """`extensions.cost` of one reply, in points and points a second."""

    requested: float
    available: float
    restored_per_s: float

    @property
    def wait_s(self) -> float:
        """Seconds until a request of this cost would pass."""
        return max(0.0, (self.requested - self.available) / self.restored_per_s)


def cost_of(payload: Mapping[str, Any]) -> Cost | None:
    """The cost a reply tells; None when it tells none."""
    told = part(part(payload.get("extensions")).get("cost"))
    status = part(told.get("throttleStatus"))
    requested, available = told.get("requestedQueryCost"), status.get("currentlyAvailable")
    rate = status.get("restoreRate")
    if requested is None or available is None or not rate:
        return None
    return Cost(float(requested), float(available), float(rate))


class Points:
    """The bucket as the last reply told it, and what each operation asked for when it was last sent."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: Cost | None = None
        self._told_at_s = 0.0
        self._asked: dict[str, float] = {}

    def told(self, operation: str, cost: Cost) -> None:
        """Take over what a reply tells."""
        self._last = cost
        self._told_at_s = self._clock.monotonic_s()
        self._asked[operation] = cost.requested

    def wait_s(self, operation: str) -> float:
        """Seconds until this operation would pass; 0 takes its points, so that two do not go for the same ones."""
        if self._last is None or operation not in self._asked:
            return 0.0
        now_s = self._clock.monotonic_s()
        filled = self._last.available + (now_s - self._told_at_s) * self._last.restored_per_s
        needed, rate = self._asked[operation], self._last.restored_per_s
        if filled < needed:
            return (needed - filled) / rate
        self._last, self._told_at_s = Cost(needed, filled - needed, rate), now_s
        return 0.0
