"""What keeps trouble small: a circuit per target, and a limiter for poison per (connection, reason)."""

from collections import defaultdict, deque
from collections.abc import Sequence

import structlog

from tallystick.clock import Clock, Timing
from tallystick.ledger.ledger import Ledger
from tallystick.ports import Answer, Doubt, NotApplied
from tallystick.reasons import HoldReason
from tallystick.telemetry import Metrics
from tallystick.turn import Turn

log = structlog.get_logger(__name__)

#: Failures in a row before the target counts as down. One may be chance, three on separate requests are not.
FAILURES_MAX = 3
OPEN_FIRST_S = 2.0
OPEN_MAX_S = 60.0
REFUSED_S = 60.0


class Breaker:
    """A target that is down is one row that all workers ask; no attempts are used up while it is open.

    Verdicts are collected during a wave and written once at its end.
    """

    def __init__(self, ledger: Ledger, timing: Timing, metrics: Metrics) -> None:
        self._ledger = ledger
        self._scale = timing.scale
        self._state = metrics.circuit_state.labels(ledger.target)
        self._failures = 0
        self._silent = 0
        self._silent_lanes: set[str] = set()
        self._openings = 0
        self._detail = ""
        self._reason = "DOWN"
        self._dirty = False
        self._unheard = False
        self.open = False

    def failed(self, detail: str) -> None:
        """A request could not be made or was not answered at all."""
        self._failures += 1
        self._detail, self._reason, self._dirty = detail, "DOWN", True

    def refused(self, detail: str) -> None:
        """The credentials are refused: nothing goes on until a person mends them."""
        self._failures = FAILURES_MAX
        self._detail, self._reason, self._dirty = detail, "UNAUTHORISED", True

    def answered(self) -> None:
        """The target answered, whatever it said."""
        self._dirty = self._dirty or self.open
        self._failures = 0

    @property
    def mute(self) -> bool:
        """The last writes, of several lanes, came to nothing, whatever look-ups say: the target is at fault, and not
        what is sent. One lane alone may be."""
        return self._silent >= FAILURES_MAX and len(self._silent_lanes) > 1

    def heard(self, lanes: Sequence[str], answers: Sequence[Answer]) -> None:
        """What came of one request that writes for these lanes; `answers` is parallel to them."""
        left = [(lane, one) for lane, one in zip(lanes, answers, strict=True) if not _is_no_word(one)]
        lost = [
            lane for lane, one in left if isinstance(one, NotApplied) or (isinstance(one, Doubt) and one.unanswered)
        ]
        if len(lost) < len(left):
            self._silent = 0
            self._silent_lanes.clear()
        elif lost:
            self._silent += 1
            self._silent_lanes.update(lost)
            self._unheard = self.mute
            self._detail, self._reason, self._dirty = "writes are not answered", "DOWN", True

    async def write(self) -> None:
        """Open or close the circuit according to what this wave saw. While writes come to nothing, only one that is
        answered closes it."""
        if not self._dirty:
            return
        self._dirty = False
        unheard, self._unheard = self._unheard, False
        if self._failures >= FAILURES_MAX or unheard:
            await self._open()
        elif self._failures == 0 and self.open and not self.mute:
            await self._ledger.close_circuit()
            self._set(False)
            self._openings = 0

    async def _open(self) -> None:
        for_s = min(OPEN_MAX_S, OPEN_FIRST_S * 2.0**self._openings)
        if self._reason == "UNAUTHORISED":
            for_s = REFUSED_S
        self._openings += 1
        log.warning("target is down", target=self._ledger.target, reason=self._reason, detail=self._detail)
        await self._ledger.open_circuit(for_s * self._scale, self._reason, self._detail)
        self._set(True)

    def _set(self, is_open: bool) -> None:
        self.open = is_open
        self._state.set(2 if is_open else 0)

    async def left_s(self) -> float | None:
        """Seconds until the target may be tried (zero or less: try it with little); None while all is well."""
        left_s = await self._ledger.circuit()
        self._set(left_s is not None)
        if left_s is not None and left_s <= 0:
            self._state.set(1)
        return left_s


def _is_no_word(answer: Answer) -> bool:
    """It tells nothing of how the target takes writes: it was throttled, or never sent."""
    return isinstance(answer, NotApplied) and (answer.throttled or not answer.reached)


class PoisonLimiter:
    """Many lanes of one source held for one reason in a short time are one fault, not many: the route is paused."""

    HELD_MAX = 50
    WINDOW_S = 60.0
    PAUSE_S = 60.0

    def __init__(self, ledger: Ledger, clock: Clock, timing: Timing) -> None:
        self._ledger = ledger
        self._clock = clock
        self._scale = timing.scale
        self._held: defaultdict[tuple[str, HoldReason], deque[float]] = defaultdict(deque)

    async def watch(self, turns: Sequence[Turn]) -> None:
        """Count the holds of one wave; pause a route that exceeds its limit."""
        now_s = self._clock.monotonic_s()
        for turn in turns:
            if turn.outcome is None or turn.outcome.hold is None:
                continue
            recent = self._held[(turn.head.connection, turn.outcome.hold)]
            recent.append(now_s)
            while recent and recent[0] < now_s - self.WINDOW_S * self._scale:
                recent.popleft()
            if len(recent) >= self.HELD_MAX:
                recent.clear()
                await self._pause(turn.head.connection, turn.outcome.hold)

    async def _pause(self, connection: str, reason: HoldReason) -> None:
        log.warning("route paused", connection=connection, target=self._ledger.target, reason=reason)
        await self._ledger.pause(connection, reason, self.PAUSE_S * self._scale)
