"""Stock: what lies in the company's warehouses and is promised to nobody, read set-based, the same few calls a page.

Available is quantity less reserved over the internal locations of a warehouse, by the kept
`stock.location.warehouse_id`: 16 refuses to group quants by their own warehouse, which is computed (measured).
A quant of nothing is removed without a trace, so what changed is told by products, not by quants: those whose quants
were written, and those whose moves were. Each is then read in all warehouses; no quant is nothing there.
Goods are promised when their order is confirmed, which is how an operation type reserves unless told otherwise; a draft
promises none.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

import structlog

from tallystick.canonical.keys import key
from tallystick.canonical.quantities import quantity_text
from tallystick.ports import Reading, Window
from tallystick.v1 import event_pb2, inventory_pb2

from .records import Records
from .transport import Json
from .values import link, moment, number, text

log = structlog.get_logger(__name__)

PER_PAGE = 200
_SECOND = timedelta(seconds=1)
#: Where the product stands in a record of each model that tells of a change.
_TELLING = (("stock.quant", "product_id"), ("stock.move", "product_id"), ("product.product", "id"))
#: Of a sum of floats; no unit of measure is kept finer.
_EXACT = Decimal("0.000001")
#: On hand and reserved.
_Held = tuple[Decimal, Decimal]
_NONE: _Held = (Decimal(0), Decimal(0))


class Stock:
    """Reads of one connection. Raises `Unavailable`, `Unauthorised`."""

    def __init__(self, connection: str, records: Records) -> None:
        self._connection = connection
        self._records = records

    async def changed(self, window: Window) -> AsyncIterator[Sequence[Reading]]:
        """Pages of levels of what changed in the window; each product once, however often it changed."""
        seen: set[int] = set()
        for model, field in _TELLING:
            async for products in self._told(model, field, window):
                fresh = products - seen
                seen |= fresh
                if fresh:
                    yield await self._levels(await self._codes(fresh))

    async def read(self, skus: Sequence[str]) -> list[Reading]:
        """The levels of these products in all warehouses."""
        return await self._levels(skus)

    async def _told(self, model: str, field: str, window: Window) -> AsyncIterator[set[int]]:
        """Products that records of the model tell of; pages follow the id, so that nobody is shifted out of one."""
        last_id = 0
        span = [
            ["write_date", ">=", moment(window.start)],
            ["write_date", "<", moment(window.end.replace(microsecond=0) + _SECOND)],
        ]
        while True:
            domain = [["id", ">", last_id], *span]
            rows = await self._records.find(model, domain, (field,), archived=True, limit=PER_PAGE, order="id")
            yield {row["id"] if field == "id" else link(row[field]) or 0 for row in rows}
            if len(rows) < PER_PAGE:
                return
            last_id = rows[-1]["id"]

    async def _codes(self, product_ids: Collection[int]) -> list[str]:
        rows = await self._records.by_id("product.product", product_ids, ("default_code",))
        return [text(row["default_code"]) for row in rows.values()]

    # ---- levels ------------------------------------------------------------------------------------------------------

    async def _levels(self, skus: Sequence[str]) -> list[Reading]:
        wanted = {sku for sku in skus if sku}
        if not wanted:
            return []
        products = await self._products(wanted)
        warehouses = await self._warehouses() if products else {}
        held = await self._held(products, await self._places(warehouses))
        return [
            self._reading(sku, code, held.get((product_id, warehouse_id), _NONE))
            for product_id, sku in sorted(products.items())
            for warehouse_id, code in sorted(warehouses.items())
        ]

    def _reading(self, sku: str, warehouse: str, held: _Held) -> Reading:
        level = inventory_pb2.InventoryLevel(
            connection=self._connection,
            sku=sku,
            warehouse_id=warehouse,
            on_hand=quantity_text(held[0]),
            available=quantity_text(held[0] - held[1]),
        )
        return Reading(event_pb2.ENTITY_TYPE_INVENTORY_LEVEL, key(warehouse, sku), None, level=level)

    async def _products(self, skus: Collection[str]) -> dict[int, str]:
        """Products in use whose stock is kept, by id. A code that two of them bear says nothing of either."""
        known = await self._records.fields("product.product")
        field, kept = ("is_storable", True) if "is_storable" in known else ("type", "product")
        domain = [["default_code", "in", sorted(skus)]]
        rows = await self._records.find("product.product", domain, ("default_code", field))
        times = Counter(text(row["default_code"]) for row in rows)
        for sku in sorted(sku for sku, count in times.items() if count > 1):
            log.warning("several products bear one internal reference: its stock is not told", sku=sku)
        return {
            row["id"]: text(row["default_code"])
            for row in rows
            if times[text(row["default_code"])] == 1 and row[field] == kept
        }

    async def _warehouses(self) -> dict[int, str]:
        """By short name, such as WH, which is unique in a company only."""
        company = self._records.company_id
        domain = [["company_id", "=", company]] if company else []
        rows = await self._records.find("stock.warehouse", domain, ("code",))
        times = Counter(text(row["code"]) for row in rows)
        for code in sorted(code for code, count in times.items() if count > 1):
            log.warning("warehouses of several companies share a short name: set `company_id`", warehouse=code)
        return {row["id"]: text(row["code"]) for row in rows if row["code"] and times[text(row["code"])] == 1}

    async def _places(self, warehouses: Mapping[int, str]) -> dict[int, int]:
        """Internal locations with their warehouse."""
        if not warehouses:
            return {}
        domain = [["usage", "=", "internal"], ["warehouse_id", "in", sorted(warehouses)]]
        rows = await self._records.find("stock.location", domain, ("warehouse_id",), archived=True)
        return {row["id"]: link(row["warehouse_id"]) or 0 for row in rows}

    async def _held(self, products: Collection[int], places: Mapping[int, int]) -> dict[tuple[int, int], _Held]:
        """By product and warehouse; lots, packages and owners together."""
        held: dict[tuple[int, int], _Held] = defaultdict(lambda: _NONE)
        for row in await self._sums(products, places):
            at = (link(row["product_id"]) or 0, places[link(row["location_id"]) or 0])
            on_hand, reserved = held[at]
            held[at] = (on_hand + _exact(row["quantity"]), reserved + _exact(row["reserved_quantity"]))
        return held

    async def _sums(self, products: Collection[int], places: Collection[int]) -> list[Json]:
        if not products or not places:
            return []
        domain = [["product_id", "in", sorted(products)], ["location_id", "in", sorted(places)]]
        sums, by = ("quantity", "reserved_quantity"), ("product_id", "location_id")
        return await self._records.sums("stock.quant", domain, sums, by)


def _exact(value: object) -> Decimal:
    """A sum without the noise of the server's floats."""
    return number(value).quantize(_EXACT)
