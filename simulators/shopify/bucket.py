"""The leaky bucket of points: the cost asked for is taken first, what was not used is given back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: More than this is refused before anything runs.
REQUEST_MAX = 1000


@dataclass(slots=True)
class Bucket:
    """One app at one shop. A Standard plan restores 100 points a second into a bucket of 2000."""

    seconds: Callable[[], float]
    maximum: float = 2000.0
    restore_per_s: float = 100.0
    _available: float = field(init=False)
    _at_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._available = self.maximum
        self._at_s = self.seconds()

    @property
    def available(self) -> float:
        """Points at this moment."""
        now_s = self.seconds()
        self._available = min(self.maximum, self._available + (now_s - self._at_s) * self.restore_per_s)
        self._at_s = now_s
        return self._available

    def take(self, points: float) -> bool:
        """Take the points if they are there."""
        if self.available < points:
            return False
        self._available -= points
        return True

    def give_back(self, points: float) -> None:
        """The difference between what was asked for and what it cost."""
        self._available = min(self.maximum, self.available + points)

    def told(self, requested: int, actual: int | None) -> dict[str, Any]:
        """`extensions.cost` of a reply."""
        return {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": self.maximum,
                "currentlyAvailable": int(self.available),
                "restoreRate": self.restore_per_s,
            },
        }
