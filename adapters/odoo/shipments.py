"""Shipments: pickings that took goods of our orders to a buyer, read set-based, a constant number of calls a page.

`write_date` is kept with microseconds, read back cut to seconds, and compared whole by 16 and in seconds by 19. So a
window is all from its first second on and before the second after its last, the same in both.
Pages follow the id: a picking that changes during the walk would shift an offset, and here leaves the window at most.
What went to a customer's location is a shipment, whichever way the warehouse works: a return goes the other way, and
in 16 it shows so on its moves only. What is reserved stands on a picking that is not done.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from tallystick.canonical.quantities import quantity_text
from tallystick.canonical.times import to_timestamp
from tallystick.contract.pricing import sold_line
from tallystick.ports import Reading, Window
from tallystick.v1 import event_pb2, fulfilment_pb2

from . import names, tracking
from .records import Records
from .transport import Json
from .values import instant, link, moment, number, text

PER_PAGE = 100
_SECOND = timedelta(seconds=1)
_TO_BUYER = ("location_dest_id.usage", "=", "customer")
#: Of a move; 16 calls it `quantity_done`.
_QUANTITY = "quantity"
_HEAD = ("sale_id", "picking_type_id", "date_done", "write_date")


class Goods(NamedTuple):
    """What quantities are summed by. `sku` is given where the goods stand on no line of ours."""

    line_id: str
    sku: str


Packed = Mapping[Goods, Decimal]


class Shipments:
    """Reads of one connection. Raises `Unavailable`, `Unauthorised`."""

    def __init__(self, connection: str, records: Records) -> None:
        self._connection = connection
        self._records = records

    async def changed(self, window: Window) -> AsyncIterator[Sequence[Reading]]:
        """Pages of those that left or changed in the window; other people's orders are left out."""
        last_id = 0
        while True:
            pickings = await self._pickings(window, last_id)
            yield await self._readings(pickings)
            if len(pickings) < PER_PAGE:
                return
            last_id = pickings[-1]["id"]

    async def _pickings(self, window: Window, after_id: int) -> list[Json]:
        known = await self._records.fields("stock.picking")
        span = (
            ("write_date", ">=", moment(window.start)),
            ("write_date", "<", moment(window.end.replace(microsecond=0) + _SECOND)),
        )
        domain = [*span, ("state", "=", "done"), ("sale_id", "!=", False), (f"move_ids.{_TO_BUYER[0]}", *_TO_BUYER[1:])]
        fields = (*_HEAD, *(name for name in tracking.FIELDS if name in known))
        return await self._records.find(
            "stock.picking", [("id", ">", after_id), *domain], fields, limit=PER_PAGE, order="id"
        )

    async def _readings(self, pickings: Sequence[Json]) -> list[Reading]:
        orders = await self._orders(pickings)
        ours = [picking for picking in pickings if link(picking["sale_id"]) in orders]
        packed = await self._packed(ours)
        warehouses = await self._warehouses(ours)
        return [
            self._reading(picking, orders[link(picking["sale_id"]) or 0], packed[picking["id"]], warehouses)
            for picking in ours
            if packed.get(picking["id"])
        ]

    def _reading(self, picking: Json, order: tuple[str, str], packed: Packed, warehouses: Mapping[int, str]) -> Reading:
        changed = instant(picking["write_date"])
        left = instant(picking["date_done"]) if picking["date_done"] else changed
        shipped = fulfilment_pb2.Fulfilment(
            connection=self._connection,
            id=str(picking["id"]),
            order_connection=order[0],
            order_id=order[1],
            warehouse_id=warehouses.get(link(picking["picking_type_id"]) or 0, ""),
            shipped_at=to_timestamp(left),
            lines=[_line(goods, packed[goods]) for goods in sorted(packed)],
            trackings=tracking.trackings(picking),
        )
        return Reading(event_pb2.ENTITY_TYPE_FULFILMENT, shipped.id, changed, fulfilment=shipped)

    # ---- what stands around a page of pickings

    async def _orders(self, pickings: Sequence[Json]) -> dict[int | None, tuple[str, str]]:
        """The store and its order id, by the id of the sales order."""
        ids = {link(picking["sale_id"]) or 0 for picking in pickings}
        found = {
            order_id: names.order_of(self._connection, name)
            for order_id, name in await self._records.names("sale.order", ids)
        }
        return {order_id: order for order_id, order in found.items() if order is not None}

    async def _packed(self, pickings: Sequence[Json]) -> dict[int, dict[Goods, Decimal]]:
        """What was done of each picking, all moves of the same goods together."""
        moves = await self._moves([picking["id"] for picking in pickings])
        lines = await self._lines({line_id for move in moves if (line_id := link(move["sale_line_id"]))})
        keyed = [(move, lines.get((link(move["sale_line_id"]), link(move["product_id"])), "")) for move in moves]
        skus = await self._skus({link(move["product_id"]) or 0 for move, line_key in keyed if not line_key})
        packed: dict[int, dict[Goods, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for move, line_key in keyed:
            goods = Goods(line_key, "" if line_key else skus.get(link(move["product_id"]) or 0, ""))
            packed[link(move["picking_id"]) or 0][goods] += number(move[_QUANTITY])
        return packed

    async def _moves(self, picking_ids: Collection[int]) -> list[Json]:
        """Moves that took goods to the buyer, with the quantity done as `_QUANTITY`."""
        if not picking_ids:
            return []
        known = await self._records.fields("stock.move")
        done = "quantity_done" if "quantity_done" in known else _QUANTITY
        domain = [("picking_id", "in", sorted(picking_ids)), ("state", "=", "done"), _TO_BUYER]
        moves = await self._records.find("stock.move", domain, ("picking_id", "sale_line_id", "product_id", done))
        return [{**move, _QUANTITY: move[done]} for move in moves if number(move[done]) > 0]

    async def _lines(self, ids: Collection[int]) -> dict[tuple[int | None, int | None], str]:
        """The store's line by the order's line and its product: goods of another product were not sold there."""
        rows = await self._records.by_id("sale.order.line", ids, ("product_id",))
        return {
            (line_id, link(rows[line_id]["product_id"])): sold_line(key)
            for line_id, name in await self._records.names("sale.order.line", ids)
            if line_id in rows and (key := names.line_of(self._connection, name))
        }

    async def _skus(self, product_ids: Collection[int]) -> dict[int, str]:
        rows = await self._records.by_id("product.product", product_ids, ("default_code",))
        return {product_id: text(row["default_code"]) for product_id, row in rows.items()}

    async def _warehouses(self, pickings: Sequence[Json]) -> dict[int, str]:
        """The warehouse's short name, such as WH, by the type of the operation."""
        types = await self._records.by_id(
            "stock.picking.type", {link(picking["picking_type_id"]) or 0 for picking in pickings}, ("warehouse_id",)
        )
        places = {type_id: link(row["warehouse_id"]) or 0 for type_id, row in types.items()}
        rows = await self._records.by_id("stock.warehouse", set(places.values()) - {0}, ("code",))
        return {type_id: text(rows[place]["code"]) for type_id, place in places.items() if place in rows}


def _line(goods: Goods, quantity: Decimal) -> fulfilment_pb2.FulfilmentLine:
    return fulfilment_pb2.FulfilmentLine(line_id=goods.line_id, sku=goods.sku, quantity=quantity_text(quantity))
