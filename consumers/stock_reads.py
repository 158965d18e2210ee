"""Fresh reads of stock that somebody wished for: after a booking, or where a level was never seen. In batches."""

import asyncio

import structlog

from tallystick.away import persist, sleep_unless
from tallystick.clock import Clock
from tallystick.crashpoints import reach
from tallystick.errors import TallystickError
from tallystick.intake.door import Arrival, Door
from tallystick.ledger.objects import Objects
from tallystick.ledger.stock import Stocks
from tallystick.stock.ports import StockSource
from tallystick.v1 import event_pb2

log = structlog.get_logger(__name__)

_BATCH = 100
_LEASE_S = 60.0


class StockReads:
    """Reads of one ERP; any number may run, they do not take the same SKU."""

    def __init__(
        self,
        erp: str,
        source: StockSource,
        stocks: Stocks,
        objects: Objects,
        door: Door,
        clock: Clock,
        *,
        every_s: float = 1.0,
        scale: float = 1.0,
    ) -> None:
        self._erp = erp
        self._source = source
        self._stocks = stocks
        self._objects = objects
        self._door = door
        self._clock = clock
        self._every_s = every_s
        self._scale = scale

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Between two rounds wishes for one SKU become one."""
        while not stop.is_set():
            await persist(self._round, stop, f"stock reads: {self._erp}")
            await sleep_unless(stop, self._every_s)

    async def _round(self) -> int:
        try:
            return await self.turn()
        except TallystickError as error:
            log.warning("stock not read", erp=self._erp, error=str(error))
            return 0

    async def turn(self) -> int:
        """Read what is wished for; how many SKUs. Raises what the ERP raises: the wishes are due again later."""
        wished = await self._stocks.claim_wishes(self._erp, _BATCH, _LEASE_S * self._scale)
        if not wished:
            return 0
        # Drawn after the wishes were seen: whatever they were made for had happened by then.
        [started] = await self._objects.draw()
        now = self._clock.now()
        levels = {found.object_id: found for found in await self._source.read_stock(sorted(wished))}
        arrivals = [Arrival(self._erp, one, event_pb2.ORIGIN_POLL, now, started) for one in levels.values()]
        await self._door.enter(arrivals)
        reach("reads.entered")
        await self._stocks.drop_wishes(self._erp, wished)
        return len(wished)
