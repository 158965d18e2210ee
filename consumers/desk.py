"""The desk of one store: what its shelves show is held against what may be sold, and what differs is told.

    touched SKUs -> what the store shows now -> what may be sold, of this moment -> less: told at once
                                                                                 -> more: first every order is known
    -> a decision each, in the ledger lane of its shelf, which the store's engine carries out

A decision expects what was shown: a store that compares refuses it when a sale came between, and the SKU is touched
again. Nothing that was decided is ever sent later than at once (`flows.stock.FRESH_S`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from consumers.stock_orders import OrdersKnown
from tallystick.away import AWAY, persist, sleep_unless
from tallystick.clock import Clock
from tallystick.contract.compile import Contract
from tallystick.crashpoints import reach
from tallystick.errors import TallystickError
from tallystick.flows.stock import decision
from tallystick.ledger.rows import Row
from tallystick.ledger.shelves import Place, Seen, ShelfTable
from tallystick.ledger.stock import Stocks
from tallystick.stock.arithmetic import Figure, Move, move, sellable
from tallystick.stock.ports import Shelf, Shelves, Shown
from tallystick.telemetry import Metrics
from tallystick.v1 import inventory_pb2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a desk goes about it; in seconds where it ends in `_s`."""

    every_s: float = 1.0
    #: SKUs in one round.
    batch: int = 200
    #: A round that died in between is taken up again after so long.
    lease_s: float = 60.0
    #: More cannot be shown yet: look again then.
    again_s: float = 2.0
    #: The slow round over shelves that nothing touched.
    idle_s: float = 3600.0
    #: Multiplies what adapters declare; below 1 only in tests and the demo.
    scale: float = 1.0


class Desk:
    """One store that sells what one ERP has. Any number may run, they do not take the same SKU."""

    def __init__(
        self,
        store: str,
        erp: str,
        contract: Contract,
        shelves: Shelves,
        stocks: Stocks,
        table: ShelfTable,
        orders: OrdersKnown,
        tell: Callable[[Sequence[Row]], Awaitable[None]],
        clock: Clock,
        metrics: Metrics,
        pace: Pace | None = None,
    ) -> None:
        self._store = store
        self._erp = erp
        self._contract = contract
        self._shelves = shelves
        self._stocks = stocks
        self._table = table
        self._orders = orders
        self._tell = tell
        self._clock = clock
        self._metrics = metrics
        self._pace = pace or Pace()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            looked_at = await persist(self._round, stop, f"desk: {self._store}")
            if not looked_at:
                await sleep_unless(stop, self._pace.every_s)

    async def _round(self) -> int:
        try:
            return await self.turn()
        except AWAY:
            raise
        except TallystickError as error:
            log.warning("shelves not looked at", store=self._store, error=str(error))
        except Exception:
            log.exception("shelves not looked at", store=self._store)
        return 0

    async def turn(self) -> int:
        """One round; how many SKUs. Raises what the store raises: what was touched is taken up again later."""
        await self._stocks.touch_idle(self._erp, self._store, self._pace.idle_s, self._pace.batch)
        touched = await self._stocks.claim_touches(self._erp, self._store, self._pace.batch, self._pace.lease_s)
        if not touched:
            return 0
        try:
            later = await self._look(sorted(touched))
        except TallystickError:
            await self._stocks.later(self._erp, self._store, list(touched), self._pace.again_s)
            raise
        await self._stocks.later(self._erp, self._store, sorted(later), self._pace.again_s)
        await self._stocks.drop_touches(self._erp, self._store, {s: v for s, v in touched.items() if s not in later})
        return len(touched)

    # ---- parts -----------------------------------------------------------------------------------------------------

    async def _look(self, skus: Sequence[str]) -> set[str]:
        """Decide about these; answers those to come back to."""
        looked_at_s = self._clock.monotonic_s()
        shown = await self._shown([(place.location, sku) for place in self._contract.stock.locations for sku in skus])
        wanted = await self._wanted(skus)
        await self._wish_for_levels(shown, wanted)
        await self._decide(shown, wanted, looked=False)
        more = [at for at, one in shown.items() if _move(one, wanted.get(at), looked=False) is Move.LOOK_FIRST]
        return await self._show_more({at: shown[at] for at in more}, looked_at_s) if more else set()

    async def _show_more(self, shown: Mapping[Place, Shown], looked_at_s: float) -> set[str]:
        """The way up: after a walk over the orders that began when every order of before the look can be found."""
        lag_s = self._shelves.order_search_lag_s * self._pace.scale
        await asyncio.sleep(max(0.0, looked_at_s + lag_s - self._clock.monotonic_s()))
        skus = {sku for _, sku in shown}
        if not await self._orders.up_to(self._store, looked_at_s + lag_s):
            return skus
        still = shown if self._shelves.compares else await self._unchanged(shown)
        await self._decide(still, await self._wanted(sorted({sku for _, sku in still})), looked=True)
        return skus - {sku for _, sku in still}

    async def _unchanged(self, shown: Mapping[Place, Shown]) -> dict[Place, Shown]:
        """Of a store that does not compare: what shows the same still, right before it is written over."""
        now = await self._shown(list(shown))
        return {at: one for at, one in now.items() if one.quantity == shown[at].quantity}

    async def _shown(self, places: Sequence[Place]) -> dict[Place, Shown]:
        shelves = [Shelf(self._contract.store_sku(sku), location) for location, sku in places]
        shown = dict(zip(places, await self._shelves.shown(shelves), strict=True))
        seen = [Seen(at, one.quantity, one.why, one.wrong) for at, one in shown.items()]
        await self._table.looked(self._store, self._erp, seen)
        return shown

    async def _wanted(self, skus: Sequence[str]) -> dict[Place, int | None]:
        figures: dict[str, dict[str, Figure]] = {}
        for one in await self._stocks.figures(self._erp, skus):
            figures.setdefault(one.sku, {})[one.warehouse] = Figure(one.available, one.reserved)
        rules = self._contract.stock
        return {
            (place.location, sku): sellable(place, figures.get(sku, {}), rules.buffer.of(sku), rules.negative)
            for place in rules.locations
            for sku in skus
        }

    async def _wish_for_levels(self, shown: Mapping[Place, Shown], wanted: Mapping[Place, int | None]) -> None:
        """What the store sells and no read has told of yet."""
        unknown = {sku for (at, sku), one in shown.items() if one.quantity is not None and wanted[at, sku] is None}
        if unknown:
            await self._stocks.wish(self._erp, unknown)

    async def _decide(self, shown: Mapping[Place, Shown], wanted: Mapping[Place, int | None], *, looked: bool) -> None:
        figures = {
            at: quantity
            for at, one in shown.items()
            if (quantity := wanted.get(at)) is not None and _move(one, quantity, looked=looked) is Move.SET
        }
        if not figures:
            return
        revisions = await self._table.decide(self._store, figures)
        reach("desk.decided")
        now = self._clock.now()
        await self._tell([
            decision(self._erp, at[1], self._figure(at, shown[at], quantity), revisions[at], now)
            for at, quantity in figures.items()
        ])  # fmt: skip
        reach("desk.told")
        self._count(figures, shown)

    def _figure(self, at: Place, shown: Shown, quantity: int) -> inventory_pb2.ShelfFigure:
        return inventory_pb2.ShelfFigure(
            connection=self._store,
            sku=shown.shelf.sku,
            location=at[0],
            quantity=quantity,
            expected=shown.quantity or 0,
            external_id=shown.external_id,
        )

    def _count(self, figures: Mapping[Place, int], shown: Mapping[Place, Shown]) -> None:
        for at, quantity in figures.items():
            way = "up" if quantity > (shown[at].quantity or 0) else "down"
            self._metrics.stock_decisions.labels(self._store, way).inc()


def _move(shown: Shown, wanted: int | None, *, looked: bool) -> Move:
    return Move.LEAVE if shown.quantity is None else move(shown.quantity, wanted, looked=looked)


class StockGauges:
    """What operators see of stock; every process shows the same figures."""

    def __init__(self, table: ShelfTable, shops: Mapping[str, Iterable[str]], metrics: Metrics, every_s: float) -> None:
        self._table = table
        self._shops = [(erp, store) for erp, stores in shops.items() for store in stores]
        self._metrics = metrics
        self._every_s = every_s

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            await persist(self.measure, stop, "stock gauges")
            await sleep_unless(stop, self._every_s)

    async def measure(self) -> None:
        """Look once."""
        found = {(what, erp, store): number for what, erp, store, number in await self._table.counts()}
        m = self._metrics
        for erp, store in self._shops:
            m.stock_negative_levels.labels(erp).set(found.get(("negative", erp, ""), 0))
            m.stock_reads_wished.labels(erp).set(found.get(("wished", erp, ""), 0))
            m.stock_wrong_shelves.labels(store).set(found.get(("wrong", erp, store), 0))
            m.stock_touched.labels(store).set(found.get(("touched", erp, store), 0))
