"""Whether every order up to a moment is in the reservations: asked before more is shown than a store shows now.

A walk over the stores' orders that begins after the moment, then all that is on Kafka by its end is waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from consumers.walks import Trail, Walks
from tallystick.clock import Clock
from tallystick.errors import TallystickError
from tallystick.ledger.stock import Stocks

log = structlog.get_logger(__name__)

_WITHIN_S = 20.0
_AGAIN_S = 0.05
#: What could not become canonical for so long is for a person, and does not stop everything else.
_PATIENCE_S = 900.0

Ends = Callable[[], Awaitable[Mapping[str, int]]]


class _Walked:
    """One store's orders; one walk serves all who ask meanwhile."""

    def __init__(self, trail: Trail, walks: Walks, clock: Clock) -> None:
        self._trail = trail
        self._walks = walks
        self._clock = clock
        self._turn = asyncio.Lock()
        #: When the last finished walk began.
        self._to_s = float("-inf")

    async def up_to(self, moment_s: float) -> bool:
        """Whether a walk that began after `moment_s` is finished; walks if need be."""
        async with self._turn:
            if self._to_s >= moment_s:
                return True
            began_s = self._clock.monotonic_s()
            if await self._walk():
                self._to_s = began_s
            return self._to_s >= moment_s

    async def within(self, patience_s: float, moment_s: float) -> None:
        """Try for so long: it may be closed for long, or slow, and is told of in the log."""
        try:
            async with asyncio.timeout(patience_s):
                await self.up_to(moment_s)
        except TimeoutError:
            log.warning("orders not walked through in time", connection=self._trail.connection)

    async def _walk(self) -> bool:
        try:
            return await self._walks.turn(self._trail)
        except TallystickError as error:
            log.warning("orders not walked through", connection=self._trail.connection, error=str(error))
            return False


class OrdersKnown:
    """For all stores that sell what one ERP has."""

    def __init__(
        self,
        trails: Mapping[str, Trail],
        walks: Walks,
        ends: Ends,
        stocks: Stocks,
        clock: Clock,
        *,
        within_s: float = _WITHIN_S,
    ) -> None:
        self._walked = {name: _Walked(trail, walks, clock) for name, trail in trails.items()}
        self._ends = ends
        self._stocks = stocks
        self._clock = clock
        self._within_s = within_s

    async def up_to(self, store: str, moment_s: float) -> bool:
        """Whether all orders of `store` placed before `moment_s` (monotonic) are reserved; walks if need be.

        Those of the other stores too, as far as they answer in time: no slow store keeps another one's figures low.
        """
        others = (walked.within(self._within_s, moment_s) for name, walked in self._walked.items() if name != store)
        known, _ = await asyncio.gather(self._walked[store].up_to(moment_s), asyncio.gather(*others))
        return known and await self._covered() and not await self._stocks.pending([store], _PATIENCE_S)

    async def _covered(self) -> bool:
        """Until all that is on Kafka now is in the reservations; False when that takes too long."""
        try:
            ends = await self._ends()
        except TallystickError:
            return False
        ends_at_s = self._clock.monotonic_s() + self._within_s
        while not await self._stocks.covers(ends):
            if self._clock.monotonic_s() >= ends_at_s:
                return False
            await asyncio.sleep(_AGAIN_S)
        return True
