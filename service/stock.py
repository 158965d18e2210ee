"""StockService: what stores show, what the ERP says, and what lies between the two."""

from collections.abc import Mapping, Sequence

from service import asking
from service.callers import Context
from service.paging import cursor_of, next_token, page_size
from tallystick.canonical.quantities import quantity_text
from tallystick.canonical.times import to_timestamp
from tallystick.contract.stock_rules import Location, Stock
from tallystick.installation import Installation
from tallystick.ledger.pool import Pool
from tallystick.ledger.shelves import ShelfRow, ShelfTable
from tallystick.ledger.stock import Standing, Stocks
from tallystick.ledger.views import Views
from tallystick.stock.arithmetic import Figure, sellable
from tallystick.v1 import stock_pb2 as pb
from tallystick.v1 import stock_pb2_grpc

_USUAL = 100
_Figures = Mapping[str, Standing]


class StockShelves(stock_pb2_grpc.StockServiceServicer):
    """One per process."""

    def __init__(self, installation: Installation, views: Views, pool: Pool) -> None:
        self._views = views
        self._table = ShelfTable(pool)
        self._stocks = Stocks(pool, {})
        self._rules = {(r.store, r.erp): contract.stock for r, contract in installation.contracts.items()}

    async def ListStock(self, request: pb.ListStockRequest, context: Context) -> pb.ListStockResponse:  # noqa: N802
        """A page of shelves."""
        store = asking.connection(self._views, request.connection)
        limit = page_size(request.page_size, _USUAL)
        rows = await self._table.page(store, request.sku, cursor_of(request, (str, str, str)), limit + 1)
        more = rows[limit - 1].cursor if len(rows) > limit else None
        shown = rows[:limit]
        figures = await self._figures(shown)
        return pb.ListStockResponse(
            shelves=[self._shelf(row, figures.get((row.erp, row.sku), {})) for row in shown],
            next_page_token=next_token(request, more),
        )

    async def _figures(self, rows: Sequence[ShelfRow]) -> dict[tuple[str, str], dict[str, Standing]]:
        found: dict[tuple[str, str], dict[str, Standing]] = {}
        for erp in sorted({row.erp for row in rows}):
            for one in await self._stocks.figures(erp, sorted({row.sku for row in rows if row.erp == erp})):
                found.setdefault((erp, one.sku), {})[one.warehouse] = one
        return found

    def _shelf(self, row: ShelfRow, figures: _Figures) -> pb.StockShelf:
        rules = self._rules.get((row.store, row.erp), Stock())
        place = next((one for one in rules.locations if one.location == row.location), None)
        return pb.StockShelf(
            connection=row.store,
            location=row.location,
            sku=row.sku,
            erp=row.erp,
            published=row.shown,
            why=row.why,
            wrong=row.wrong,
            sellable=None if place is None else _sellable(place, figures, rules, row.sku),
            buffer=rules.buffer.of(row.sku),
            figures=[] if place is None else _told(place, figures),
            looked_at=to_timestamp(row.looked_at),
            decided_at=None if row.decided_at is None else to_timestamp(row.decided_at),
        )


def _sellable(place: Location, figures: _Figures, rules: Stock, sku: str) -> int | None:
    known = {name: Figure(one.available, one.reserved) for name, one in figures.items()}
    return sellable(place, known, rules.buffer.of(sku), rules.negative)


def _told(place: Location, figures: _Figures) -> list[pb.WarehouseFigure]:
    return [
        pb.WarehouseFigure(
            warehouse=source.warehouse,
            available=quantity_text(one.available),
            on_hand=quantity_text(one.on_hand),
            reserved=quantity_text(one.reserved),
            share=quantity_text(source.share),
            read_at=to_timestamp(one.read_at),
        )
        for source in place.warehouses
        if (one := figures.get(source.warehouse)) is not None
    ]
