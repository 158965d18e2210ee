"""A store that fails twice in a row is left alone for a while, by this process; others are not held up by it."""

import random
from dataclasses import dataclass

from tallystick.clock import Clock
from tallystick.errors import TallystickError, Throttled, Unauthorised, Unavailable
from tallystick.intake.delivery import Waits
from tallystick.ledger.pending import PendingReason

_STRIKES = 2
_FIRST_S = 2.0
_MAX_S = 300.0


@dataclass(slots=True)
class _Pause:
    strikes: int = 0
    until_s: float = 0.0
    reason: PendingReason = PendingReason.STORE_DOWN


class Pauses:
    """The pauses of this process. Two strikes begin one; each further strike doubles it, up to five minutes."""

    def __init__(self, clock: Clock, scale: float = 1.0) -> None:
        self._clock = clock
        self._scale = scale
        self._pauses: dict[str, _Pause] = {}

    def waits(self, connection: str) -> Waits | None:
        """What to say of a delivery whose store is not to be asked now; None when it may be."""
        pause = self._pauses.get(connection)
        left_s = pause.until_s - self._clock.monotonic_s() if pause else 0.0
        if pause is None or left_s <= 0:
            return None
        return Waits(pause.reason, "the store is left alone for a while", left_s)

    def clear(self, connection: str) -> None:
        """The store answered."""
        self._pauses.pop(connection, None)

    def strike(self, connection: str, error: TallystickError) -> Waits:
        """The store failed; what to say of the delivery."""
        pause = self._pauses.setdefault(connection, _Pause())
        pause.strikes += 1
        pause.reason = _reason(error)
        wait_s = self._wait_s(pause.strikes, error)
        if pause.strikes >= _STRIKES or isinstance(error, Throttled | Unauthorised):
            pause.until_s = max(pause.until_s, self._clock.monotonic_s() + wait_s)
        return Waits(pause.reason, str(error), wait_s)

    def _wait_s(self, strikes: int, error: TallystickError) -> float:
        asked_s = error.retry_after_s if isinstance(error, Unavailable) else None
        if asked_s is not None:
            return min(asked_s, _MAX_S) * random.uniform(1.0, 1.2)
        doubled = _FIRST_S * 2.0 ** min(strikes, 10)
        return min(_MAX_S, doubled) * random.uniform(0.7, 1.3) * self._scale


def _reason(error: TallystickError) -> PendingReason:
    if isinstance(error, Throttled):
        return PendingReason.THROTTLED
    return PendingReason.UNAUTHORISED if isinstance(error, Unauthorised) else PendingReason.STORE_DOWN
