"""The pace of requests to one connection: a token bucket, and a ceiling on requests at a time.

A permit is taken *before* an intent is written: intents for 500 orders before a target of one request a second
would all expire. A permit that is far away is not waited for; the lane gets a due time instead.

Both bounds learn from the other side: a throttled answer halves rate and ceiling, quiet raises them again step by step
up to what the settings allow. What can wait (a backfill, a walk through a catalogue) runs inside `yielding`: it takes
what is left over, and never makes what cannot wait queue behind it.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Protocol, runtime_checkable

from tallystick.clock import Clock

#: How much of the rate of the settings comes back in each second without a throttled answer.
RECOVERY_PER_S = 0.02
#: The rate never falls below this part of what the settings allow.
SLOWEST = 1 / 32
#: Several answers to one burst are one piece of news: the next cut is that many seconds away at least.
_CUT_AGAIN_S = 1.0
#: How long a ceiling that was too high is not tried again, in seconds.
_TOO_MANY_FOR_S = 10.0
#: How long what yields leaves room for what was refused a permit and comes back, in seconds.
_COMES_BACK_S = 1.0
_WITHOUT_SHARE_S = 1.0

_yields: ContextVar[bool] = ContextVar("yields", default=False)


@contextmanager
def yielding(yields: bool = True) -> Iterator[None]:
    """What runs inside, tasks that it begins included, gives way to everything else at the pacers."""
    token = _yields.set(yields)
    try:
        yield
    finally:
        _yields.reset(token)


def yields_now() -> bool:
    """Whether the present task gives way to others."""
    return _yields.get()


def spread(seconds: float) -> float:
    """At least that long, and not everybody at the same moment."""
    return seconds * random.uniform(1.0, 1.2)


class Pacer:
    """One connection's budget in this process.

    `rate_per_s` requests a second with `burst` at once; a throttled answer closes the bucket until its time.
    """

    def __init__(self, clock: Clock, *, rate_per_s: float, burst: float, parallel: int) -> None:
        self._clock = clock
        self._rate_max = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._share = 1.0
        self._pace = 1.0
        self._filled_at_s = clock.monotonic_s()
        self._closed_until_s = self._cut_until_s = self._wanted_until_s = float("-inf")
        self._slots = Slots(parallel)

    @property
    def rate_per_s(self) -> float:
        """Requests a second, as learned by now, of this process's share."""
        self._fill(self._clock.monotonic_s())
        return self._rate_now

    @property
    def parallel(self) -> int:
        """Requests at a time, as learned, of this process's share."""
        return self._slots.room

    def take_share(self, share: float) -> None:
        """The part of the connection's whole quota that this process may use; 0 stops it."""
        self._fill(self._clock.monotonic_s())
        self._share = share
        self._tokens = min(self._tokens, self._burst_now)
        self._slots.share(share)

    @property
    def _rate_now(self) -> float:
        return self._rate_max * self._share * self._pace

    @property
    def _burst_now(self) -> float:
        return max(1.0, self._burst * self._share)

    def permit(self, wait_max_s: float = 1.0) -> float:
        """Take one permit. Returns the seconds to wait before using it, or a negative number of seconds when it is
        further away than `wait_max_s`: then nothing was taken and the caller comes back after that time."""
        now_s = self._clock.monotonic_s()
        self._fill(now_s)
        if not self._share:
            return -spread(_WITHOUT_SHARE_S)
        wait_s = max(0.0, (1 - self._tokens) / self._rate_now, self._closed_until_s - now_s)
        if _yields.get():
            # Never on credit: whoever cannot wait would have to pay it back.
            wait_s, wait_max_s = max(wait_s, self._wanted_until_s - now_s), 0.0
        if wait_s > wait_max_s:
            if not _yields.get():
                self._wanted_until_s = max(self._wanted_until_s, now_s + wait_s + _COMES_BACK_S)
            return -spread(wait_s)
        self._tokens -= 1
        return wait_s

    async def wait(self) -> None:
        """Take one permit however far away it is (for reads that no lane waits for)."""
        wait_s = self.permit(60.0)
        while wait_s < 0:
            await asyncio.sleep(min(5.0, -wait_s))
            wait_s = self.permit(60.0)
        await asyncio.sleep(wait_s)

    def close_for(self, retry_after_s: float) -> None:
        """The other side throttles: nothing leaves before then, everybody does not come back at once, and slower."""
        now_s = self._clock.monotonic_s()
        self._fill(now_s)
        news = now_s >= max(self._cut_until_s, self._closed_until_s)
        self._closed_until_s = max(self._closed_until_s, now_s + spread(retry_after_s))
        self._tokens = min(self._tokens, 1.0)
        self._slots.refusals += 1
        if news:
            self._pace = max(SLOWEST, self._pace / 2)
            self._slots.cut(now_s)
            self._cut_until_s = now_s + _CUT_AGAIN_S

    def _fill(self, now_s: float) -> None:
        past_s = now_s - self._filled_at_s
        self._filled_at_s = now_s
        self._tokens = min(self._burst_now, self._tokens + past_s * self._rate_now)
        if now_s > self._closed_until_s:
            quiet_s = min(past_s, now_s - self._closed_until_s)
            self._pace = min(1.0, self._pace + quiet_s * RECOVERY_PER_S)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """One of the requests at a time."""
        await self._slots.take(_yields.get())
        refusals = self._slots.refusals
        try:
            yield
        finally:
            self._slots.give_back()
            if refusals == self._slots.refusals:
                self._slots.grow(self._clock.monotonic_s())


@runtime_checkable
class Paced(Protocol):
    """An adapter that keeps to a pace."""

    @property
    def pacer(self) -> Pacer:
        """The pace of its connection in this process."""
        ...


class Slots:
    """A semaphore whose number moves: halved by a cut, one more after a round of requests that nobody refused.

    It stays below what was too many, and tries that again after a while.
    """

    def __init__(self, parallel: int) -> None:
        self._parallel = parallel
        self._share = 1.0
        self._ceiling = float(parallel)
        self._too_many = parallel + 1
        self._too_many_until_s = float("-inf")
        self._taken = 0
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._yielding: deque[asyncio.Future[None]] = deque()
        self.refusals = 0

    @property
    def room(self) -> int:
        """How many there may be at a time."""
        return max(1, int(min(self._ceiling, self._parallel * self._share)))

    def share(self, share: float) -> None:
        """The part of all slots that this process may use."""
        self._share = share
        self._wake()

    def cut(self, now_s: float) -> None:
        """Too many at a time, perhaps."""
        self._too_many, self._too_many_until_s = self.room, now_s + _TOO_MANY_FOR_S
        self._ceiling = max(1.0, self._ceiling / 2)

    def grow(self, now_s: float) -> None:
        """One request was not refused."""
        most = self._parallel if now_s >= self._too_many_until_s else max(1, self._too_many - 1)
        self._ceiling = max(self._ceiling, min(most, self._ceiling + 1 / self._ceiling))
        self._wake()

    async def take(self, yields: bool) -> None:
        """Wait for a free one; what yields comes after everybody else who waits."""
        place = asyncio.get_running_loop().create_future()
        (self._yielding if yields else self._urgent).append(place)
        self._wake()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Done with one."""
        self._taken -= 1
        self._wake()

    def _wake(self) -> None:
        while self._taken < self.room and (waiting := self._urgent or self._yielding):
            place = waiting.popleft()
            if not place.done():
                self._taken += 1
                place.set_result(None)
