"""The pace of requests to one connection: a token bucket, and a ceiling on requests at a time.

A permit is taken *before* an intent is written: intents for 500 orders before a target of one request a second
would all expire. A permit that is far away is not waited for; the lane gets a due time instead.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tallystick.clock import Clock


class Pacer:
    """One connection's budget in this process.

    `rate_per_s` requests a second with `burst` at once; a throttled answer closes the bucket until its time.
    """

    def __init__(self, clock: Clock, *, rate_per_s: float, burst: float, parallel: int) -> None:
        self._clock = clock
        self._rate = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._filled_at_s = clock.monotonic_s()
        self._closed_until_s = 0.0
        self._slots = asyncio.Semaphore(parallel)

    def permit(self, wait_max_s: float = 1.0) -> float:
        """Take one permit. Returns the seconds to wait before using it, or a negative number of seconds when it is
        further away than `wait_max_s`: then nothing was taken and the caller comes back after that time."""
        now_s = self._clock.monotonic_s()
        self._tokens = min(self._burst, self._tokens + (now_s - self._filled_at_s) * self._rate)
        self._filled_at_s = now_s
        wait_s = max(0.0, (1 - self._tokens) / self._rate, self._closed_until_s - now_s)
        if wait_s > wait_max_s:
            return -wait_s
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
        """The other side throttles: nothing leaves before then, and everybody does not come back at once."""
        until_s = self._clock.monotonic_s() + retry_after_s * (1 + random.random() * 0.2)
        self._closed_until_s = max(self._closed_until_s, until_s)
        self._tokens = min(self._tokens, 1.0)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """One of the requests at a time."""
        async with self._slots:
            yield
