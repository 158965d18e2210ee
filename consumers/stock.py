"""Everything of the flow of stock that loops in one process: books, reads, desks."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping

from consumers.desk import Desk, Pace, StockGauges
from consumers.stock_books import GROUP, StockBooks
from consumers.stock_orders import OrdersKnown
from consumers.stock_reads import StockReads
from consumers.target import Target
from consumers.walks import Trail, Walks
from tallystick.canonical.keys import parts
from tallystick.installation import Installation
from tallystick.intake.door import Door
from tallystick.kafka.consumer import Consumer, Times
from tallystick.kafka.topics import INVENTORY, ORDERS
from tallystick.ledger.objects import Objects
from tallystick.ledger.pool import Pool
from tallystick.ledger.shelves import ShelfTable
from tallystick.ledger.stock import Stocks
from tallystick.settings import FlowName
from tallystick.stock.agreement import reserving, shops

Loop = Callable[[asyncio.Event], Coroutine[None, None, None]]
_GAUGES_EVERY_S = 10.0


class StockFlow:
    """Built once; nothing runs where no route carries stock."""

    def __init__(self, installation: Installation, pool: Pool, door: Door) -> None:
        self._installation = installation
        self._pool = pool
        self._door = door
        self._shops = shops(installation.settings.routes)
        self.stocks = Stocks(pool, self._shops)

    def trails(self) -> Iterator[Trail]:
        """What ERPs tell of their stock, polled."""
        for name, since in self._installation.sources(FlowName.STOCK).items():
            erp = self._installation.adapters[name]
            yield Trail(name, FlowName.STOCK, erp.changed_stock, erp.overlap_s, since, again=self._again(name))

    def _again(self, erp: str) -> Callable[..., Coroutine[None, None, None]]:
        async def again(ids: list[str]) -> None:
            await self.stocks.wish(erp, [parts(one)[-1] for one in ids])

        return again

    def loops(self, walks: Walks, orders: Mapping[str, Trail], targets: Mapping[str, Target]) -> Iterator[Loop]:
        """All of them; `orders` are those of each store."""
        sources = self._installation.sources(FlowName.STOCK)
        if not sources:
            return
        books = self._books()
        yield books.run
        for erp in sources:
            yield self._reads(erp).run
        for erp, stores in self._shops.items():
            known = OrdersKnown(self._reserving(erp, orders), walks, books.ends, self.stocks, self._installation.clock)
            for store in stores:
                yield self._desk(store, erp, known, targets[store]).run
        table = ShelfTable(self._pool)
        every_s = _GAUGES_EVERY_S * self._installation.timing.scale
        yield StockGauges(table, self._shops, self._installation.metrics, every_s).run

    def _books(self) -> StockBooks:
        installation = self._installation
        settings = installation.settings
        consumer = Consumer(
            installation.addresses.kafka,
            GROUP,
            [ORDERS, INVENTORY],
            prefix=settings.kafka.prefix,
            times=Times().scaled(settings.work.time_scale),
            metrics=installation.metrics,
        )
        routes = {route: installation.contracts[route] for route in reserving(settings.routes)}
        return StockBooks(consumer, self.stocks, routes, batch=settings.work.batch)

    def _reads(self, erp: str) -> StockReads:
        installation = self._installation
        work = installation.settings.work
        return StockReads(
            erp,
            installation.adapters[erp],
            self.stocks,
            Objects(self._pool),
            self._door,
            installation.clock,
            every_s=work.sweep_every_s,
            scale=work.time_scale,
        )

    def _reserving(self, erp: str, orders: Mapping[str, Trail]) -> dict[str, Trail]:
        """The orders of all stores that take goods of this ERP."""
        names = {route.store for route in reserving(self._installation.settings.routes) if route.erp == erp}
        return {name: orders[name] for name in sorted(names)}

    def _desk(self, store: str, erp: str, known: OrdersKnown, target: Target) -> Desk:
        installation = self._installation
        work = installation.settings.work
        pace = Pace(
            every_s=work.sweep_every_s,
            lease_s=60.0 * work.time_scale,
            again_s=2.0 * work.time_scale,
            scale=work.time_scale,
        )
        contract = next(
            contract for route, contract in installation.contracts.items() if (route.store, route.erp) == (store, erp)
        )
        return Desk(
            store,
            erp,
            contract,
            installation.adapters[store].stock,
            self.stocks,
            ShelfTable(self._pool),
            known,
            target.take_in,
            installation.clock,
            installation.metrics,
            pace,
        )
