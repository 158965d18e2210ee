"""stock.picking: deliveries of the goods of orders, their backorders, and what comes back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, cast

from .. import errors
from ..fields import Field
from ..model import Model, Values
from ..table import Row
from .stock import Locations, PickingTypes, StockMoves

if TYPE_CHECKING:
    from ..database import Database

_STATES = (
    ("draft", "Draft"),
    ("waiting", "Waiting Another Operation"),
    ("confirmed", "Waiting"),
    ("assigned", "Ready"),
    ("done", "Done"),
    ("cancel", "Cancelled"),
)
_FIELDS = (
    Field("name", "char", "Reference", readonly=True),
    Field("state", "selection", "Status", readonly=True, selection=_STATES, default="draft"),
    Field("origin", "char", "Source Document"),
    Field("note", "html", "Notes"),
    Field("sale_id", "many2one", "Sales Order", "sale.order"),
    Field("partner_id", "many2one", "Contact", "res.partner"),
    Field("picking_type_id", "many2one", "Operation Type", "stock.picking.type", required=True),
    Field("location_id", "many2one", "Source Location", "stock.location", required=True),
    Field("location_dest_id", "many2one", "Destination Location", "stock.location", required=True),
    Field("date_done", "datetime", "Date of Transfer", readonly=True),
    Field("backorder_id", "many2one", "Back Order of", "stock.picking", readonly=True),
    Field("return_id", "many2one", "Return of", "stock.picking", readonly=True, only=19),
    Field("move_ids", "one2many", "Stock Moves", "stock.move", "picking_id"),
    Field("carrier_id", "many2one", "Carrier", "delivery.carrier"),
    Field("carrier_tracking_ref", "char", "Tracking Reference"),
    Field("carrier_tracking_url", "char", "Tracking URL", readonly=True, store=False, computed=True),
)
_OPEN = ("confirmed", "assigned")
_DONE = (
    "You cannot cancel a stock move that has been set to 'Done'. "
    "Create a return in order to reverse the moves which took place."
)
#: The place in a carrier's link that the tracking reference takes.
_NUMBER = "<shipmenttrackingnumber>"
#: Quantities by line of the order.
Quantities = Mapping[int, Decimal]


class Pickings(Model):
    """Numbered. Its people ship and take back; clients read, and write what is on the parcel."""

    name: ClassVar[str] = "stock.picking"
    label: ClassVar[str] = "Transfer"
    order: ClassVar[str] = "id desc"
    declared: ClassVar[Sequence[Field]] = _FIELDS

    def __init__(self, db: "Database") -> None:
        super().__init__(db)
        self.on_records |= {"action_confirm", "action_cancel"}

    @property
    def moves(self) -> StockMoves:
        """The model of the moves."""
        return cast(StockMoves, self.db.models["stock.move"])

    @property
    def _places(self) -> Locations:
        return cast(Locations, self.db.models["stock.location"])

    def fill(self, row: Row, given: Values) -> None:
        row["name"] = f"WH/{'RET' if self._comes_back(row) else 'OUT'}/{len(self.table.rows) + 1:05d}"

    def _comes_back(self, row: Row) -> bool:
        types = self.db.models["stock.picking.type"].table.rows
        return bool(types[row["picking_type_id"]]["code"] == "incoming")

    def compute(self, field: str, row: Row) -> Any:
        if field != "carrier_tracking_url":
            return self.display_name(row["id"])
        carrier = self.db.models["delivery.carrier"].table.rows.get(row.get("carrier_id") or 0, {})
        link, number = carrier.get("tracking_url"), row.get("carrier_tracking_ref")
        return link.replace(_NUMBER, number) if link and number else None

    def changed(self, row_id: int, given: Values, before: Row | None) -> None:
        """A transfer that a client makes finds its order by what its moves are for."""
        lines = self.db.models["sale.order.line"].table.rows
        sold = [lines[self.moves.table.rows[one]["sale_line_id"] or 0] for one in self.written(row_id)]
        if sold and self.table.rows[row_id].get("sale_id") is None:
            self.table.update(row_id, {"sale_id": sold[0]["order_id"]})

    def action_confirm(self, ids: Iterable[int]) -> bool:
        """Drafts become ready; what is further stays as it is."""
        for row_id in self.existing(ids):
            if self.table.rows[row_id]["state"] == "draft":
                self.table.update(row_id, {"state": "assigned", "write_date": self.db.now})
                for move in list(self.written(row_id)):
                    self.moves.table.update(move, {"state": "assigned"})
        return True

    def action_cancel(self, ids: Iterable[int]) -> bool:
        """What is not done yet never will be; a second call changes nothing."""
        found = self.existing(ids)
        if any(self.table.rows[one]["state"] == "done" for one in found):
            raise errors.user_error(_DONE)
        for row_id in found:
            if self.table.rows[row_id]["state"] != "cancel":
                self._call_off(row_id)
                self.db.note("cancelled", self.name, row_id)
        return True

    def _call_off(self, row_id: int) -> None:
        self.table.update(row_id, {"state": "cancel", "write_date": self.db.now})
        for move in list(self.written(row_id)):
            self.moves.release(move)
            self.moves.table.update(move, {"state": "cancel", "write_date": self.db.now})

    def receive(self, picking_id: int) -> None:
        """The warehouse takes in a transfer that is ready, all of it."""
        for one in list(self.written(picking_id)):
            move = self.moves.table.rows[one]
            self.moves.finish(one, move["product_uom_qty"])
            self._delivered(move["sale_line_id"], -move["product_uom_qty"])
        self._finish(picking_id)

    def written(self, picking_id: int) -> Collection[int]:
        """The moves of a picking."""
        return self.moves.table.matching("picking_id", picking_id)

    # ---- what becomes of an order's goods ----------------------------------------------------------------------------

    def prepare(self, order: Row, goods: Sequence[Row]) -> None:
        """One delivery for all goods of a confirmed order; a second confirmation adds none."""
        known = self.table.matching("sale_id", order["id"])
        if not goods or any(self.table.rows[one]["state"] != "cancel" for one in known):
            return
        picking_id = self._for(order, "outgoing", carrier_id=order.get("carrier_id"))
        for line in goods:
            self._move(picking_id, line["id"], line["product_id"], line["product_uom_qty"])
        self.settle(picking_id)

    def follow(self, order: Row, line: Row, more: Decimal) -> None:
        """The line of a confirmed order was changed by so much: what is still to leave follows (measured; down, by
        the vendor's source since 15)."""
        waiting = [one for one in self.table.matching("sale_id", order["id"]) if self.table.rows[one]["state"] in _OPEN]
        waiting = [one for one in waiting if not self._comes_back(self.table.rows[one])]
        known = [
            move
            for one in waiting
            for move in self.written(one)
            if self.moves.table.rows[move]["sale_line_id"] == line["id"]
        ]
        if more > 0:
            self._add(order, line, more, known, waiting)
        for move in known if more < 0 else ():
            more -= self.moves.change(move, more)
        for one in waiting:
            self.settle(one)

    def _add(self, order: Row, line: Row, more: Decimal, known: Sequence[int], waiting: Sequence[int]) -> None:
        """To its own move, else to the open delivery, else with one of its own."""
        if known:
            self.moves.change(known[0], more)
            return
        picking_id = waiting[0] if waiting else self._for(order, "outgoing", carrier_id=order.get("carrier_id"))
        self._move(picking_id, line["id"], line["product_id"], more)
        self.settle(picking_id)

    def settle(self, picking_id: int) -> None:
        """Ready when some of its goods are promised, else it waits for them."""
        states = {self.moves.table.rows[one]["state"] for one in self.written(picking_id)} - {"cancel"}
        if self.table.rows[picking_id]["state"] in _OPEN:
            state = "confirmed" if states == {"confirmed"} else "assigned" if states else "cancel"
            self.table.update(picking_id, {"state": state, "write_date": self.db.now})

    def cancel(self, order_id: int) -> None:
        """What has not left never will."""
        for one in list(self.table.matching("sale_id", order_id)):
            if self.table.rows[one]["state"] != "done":
                self._call_off(one)

    def ship(self, order_id: int, quantities: Quantities | None, **parcel: Any) -> int:
        """The open delivery leaves with these goods, or with all; the rest becomes a backorder. Its id."""
        waiting = [one for one in self.table.matching("sale_id", order_id) if self.table.rows[one]["state"] in _OPEN]
        if not waiting:
            raise LookupError("no delivery of this order is open")
        picking_id = waiting[0]
        rest = self._pack(picking_id, quantities)
        self._finish(picking_id, **parcel)
        if rest:
            order = self.db.models["sale.order"].table.rows[order_id]
            later = self._for(order, "outgoing", backorder_id=picking_id)
            for move, quantity in rest:
                self._move(later, move["sale_line_id"], move["product_id"], quantity)
            self.settle(later)
        return picking_id

    def _pack(self, picking_id: int, quantities: Quantities | None) -> list[tuple[Row, Decimal]]:
        """Finish the moves; what is left of each."""
        rest = []
        for one in list(self.written(picking_id)):
            move = self.moves.table.rows[one]
            line_id, wanted = move["sale_line_id"], move["product_uom_qty"]
            quantity = wanted if quantities is None else quantities.get(line_id, Decimal(0))
            if quantity:
                self.moves.finish(one, quantity)
                self._delivered(line_id, quantity)
            else:
                self.moves.release(one)
                self.moves.table.delete(one)
            if quantity < wanted:
                rest.append((move, wanted - quantity))
        return rest

    def take_back(self, picking_id: int, quantities: Quantities) -> int:
        """Goods of a delivery come back and are received; the id of their picking."""
        shipped = self.table.rows[picking_id]
        order = self.db.models["sale.order"].table.rows[shipped["sale_id"]]
        origin = {"return_id": picking_id} if self.db.version >= 17 else {"origin": f"Return of {shipped['name']}"}
        back_id = self._for(order, "incoming", **origin)
        for one in list(self.written(picking_id)):
            move = self.moves.table.rows[one]
            quantity = quantities.get(move["sale_line_id"], Decimal(0))
            if quantity:
                back = self._move(back_id, move["sale_line_id"], move["product_id"], quantity, returns=one)
                self.moves.finish(back, quantity)
                self._delivered(move["sale_line_id"], -quantity)
        self._finish(back_id)
        return back_id

    # ---- parts -------------------------------------------------------------------------------------------------------

    def _for(self, order: Row, code: str, **values: Any) -> int:
        types = cast(PickingTypes, self.db.models["stock.picking.type"])
        warehouse = order.get("warehouse_id") or 1
        there = (self._places.stock_of(warehouse), self._places.buyers)
        source, target = there if code == "outgoing" else reversed(there)
        known = {
            "sale_id": order["id"],
            "origin": order["name"],
            "partner_id": order["partner_shipping_id"],
            "picking_type_id": types.of_warehouse(warehouse, code),
            "location_id": source,
            "location_dest_id": target,
            "state": "assigned",
        }
        return self.create_one({**known, **values})

    def _move(
        self, picking_id: int, line_id: int, product_id: int, quantity: Decimal, returns: int | None = None
    ) -> int:
        picking = self.table.rows[picking_id]
        values = {"picking_id": picking_id, "sale_line_id": line_id, "product_id": product_id, "state": "assigned"}
        way = {name: picking[name] for name in ("location_id", "location_dest_id")}
        made = self.moves.create_one({**values, **way, "origin_returned_move_id": returns, "product_uom_qty": quantity})
        self.moves.reserve(made)
        return made

    def _finish(self, picking_id: int, **parcel: Any) -> None:
        done = {"state": "done", "date_done": self.db.now, "write_date": self.db.now}
        self.table.update(picking_id, {**done, **parcel})
        self.db.note("received" if self._comes_back(self.table.rows[picking_id]) else "shipped", self.name, picking_id)

    def _delivered(self, line_id: int | None, quantity: Decimal) -> None:
        if line_id is not None:
            lines = self.db.models["sale.order.line"].table
            lines.update(line_id, {"qty_delivered": lines.rows[line_id]["qty_delivered"] + quantity})
