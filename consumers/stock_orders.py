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


class OrdersKnown:
    """For all stores that sell what one ERP has; one walk serves all who ask meanwhile."""

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
        self._trails = trails
        self._walks = walks
        self._ends = ends
        self._stocks = stocks
        self._clock = clock
        self._within_s = within_s
        self._turn = asyncio.Lock()
        #: By store: when the last walk began that is covered.
        self._known_to_s: dict[str, float] = {}

    async def up_to(self, store: str, moment_s: float) -> bool:
        """Whether all orders of `store` placed before `moment_s` (monotonic) are reserved; walks if need be.

        Of the other stores too, unless one does not answer: it may be closed for long, and is told of in the log.
        """
        async with self._turn:
            if self._known_to_s.get(store, float("-inf")) >= moment_s:
                return True
            began_s = self._clock.monotonic_s()
            walked = {name for name, trail in self._trails.items() if await self._walk(trail)}
            if store not in walked or not await self._covered() or await self._stocks.pending([store], _PATIENCE_S):
                return False
            self._known_to_s.update(dict.fromkeys(walked, began_s))
            return began_s >= moment_s

    async def _walk(self, trail: Trail) -> bool:
        try:
            return await self._walks.turn(trail)
        except TallystickError as error:
            log.warning("orders not walked through", connection=trail.connection, error=str(error))
            return False

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
