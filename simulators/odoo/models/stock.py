"""What pickings are made of: moves of goods from one location to another, by a type of operation of a warehouse."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar, cast

from ..fields import ACTIVE, Field
from ..model import Model, Values
from ..table import Row
from .quants import Quants

_USAGES = (("internal", "Internal Location"), ("customer", "Customer Location"))
_USAGES_19 = (("internal", "Internal"), ("customer", "Customer"))
_LOCATION = (
    Field("name", "char", "Location Name", required=True),
    Field("usage", "selection", "Location Type", required=True, selection=_USAGES, default="internal", only=16),
    Field("usage", "selection", "Location Type", required=True, selection=_USAGES_19, default="internal", only=19),
    Field("warehouse_id", "many2one", "Warehouse", "stock.warehouse", readonly=True),
    ACTIVE,
)
_CODES = (("incoming", "Receipt"), ("outgoing", "Delivery"))
_TYPE = (
    Field("name", "char", "Operation Type", required=True),
    Field("code", "selection", "Type of Operation", required=True, selection=_CODES),
    Field("warehouse_id", "many2one", "Warehouse", "stock.warehouse"),
    Field("return_picking_type_id", "many2one", "Operation Type for Returns", "stock.picking.type"),
    ACTIVE,
)
_PARTLY = ("partially_available", "Partially Available")
_LATER = (("assigned", "Available"), ("done", "Done"), ("cancel", "Cancelled"))
_STATES_16 = (("draft", "New"), ("confirmed", "Waiting Availability"), _PARTLY, *_LATER)
_STATES = (("draft", "New"), ("confirmed", "Waiting"), _PARTLY, *_LATER)
#: For goods that are not there, or not all.
WAITING = ("confirmed", "partially_available")
_ZERO = Decimal(0)
_MOVE = (
    Field("name", "char", "Description", required=True, only=16),
    Field("product_id", "many2one", "Product", "product.product", required=True),
    Field("product_uom_qty", "float", "Demand", required=True, digits=2, default=_ZERO),
    Field("product_uom", "many2one", "UoM", "uom.uom", required=True, only=16),
    Field("product_uom", "many2one", "Unit", "uom.uom", required=True, only=19),
    Field(
        "reserved_availability",
        "float",
        "Quantity Reserved",
        readonly=True,
        store=False,
        computed=True,
        digits=2,
        only=16,
    ),
    Field("quantity_done", "float", "Quantity Done", digits=2, default=_ZERO, only=16),
    Field("quantity", "float", "Quantity", digits=2, default=_ZERO, only=19),
    Field("picked", "boolean", "Picked", default=False, only=19),
    Field("state", "selection", "Status", readonly=True, selection=_STATES_16, default="draft", only=16),
    Field("state", "selection", "Status", readonly=True, selection=_STATES, default="draft", only=19),
    Field("picking_id", "many2one", "Transfer", "stock.picking"),
    Field("sale_line_id", "many2one", "Sale Line", "sale.order.line"),
    Field("location_id", "many2one", "Source Location", "stock.location", required=True),
    Field("location_dest_id", "many2one", "Destination Location", "stock.location", required=True),
    Field("picking_type_id", "many2one", "Operation Type", "stock.picking.type", readonly=True, only=16),
    Field("picking_type_id", "many2one", "Operation Type", "stock.picking.type", only=19),
    Field("origin_returned_move_id", "many2one", "Origin return move", "stock.move"),
    Field("to_refund", "boolean", "Update quantities on SO/PO", default=False),
)


class Locations(Model):
    """Where goods are; a buyer is a location too."""

    name: ClassVar[str] = "stock.location"
    label: ClassVar[str] = "Inventory Locations"
    declared: ClassVar[Sequence[Field]] = _LOCATION

    def stock_of(self, warehouse_id: int) -> int:
        """The id of a warehouse's own stock."""
        return int(self.db.models["stock.warehouse"].table.rows[warehouse_id]["lot_stock_id"])

    @property
    def buyers(self) -> int:
        """The id of the place of all customers."""
        return self.db.external_ids.named("stock.stock_location_customers")


class PickingTypes(Model):
    """Deliveries and receipts, made with their warehouse."""

    name: ClassVar[str] = "stock.picking.type"
    label: ClassVar[str] = "Picking Type"
    declared: ClassVar[Sequence[Field]] = _TYPE

    def equip(self, warehouse_id: int) -> None:
        """Give a new warehouse its types."""
        back = self.create_one({"name": "Receipts", "code": "incoming", "warehouse_id": warehouse_id})
        out = {"name": "Delivery Orders", "code": "outgoing", "return_picking_type_id": back}
        self.create_one({**out, "warehouse_id": warehouse_id})

    def of_warehouse(self, warehouse_id: int, code: str) -> int:
        """The id of a warehouse's type."""
        rows = self.table.rows
        return next(one for one in self.table.matching("warehouse_id", warehouse_id) if rows[one]["code"] == code)


class StockMoves(Model):
    """Goods of one order line in one picking. Odoo 19 fills in the quantity when goods are reserved."""

    name: ClassVar[str] = "stock.move"
    label: ClassVar[str] = "Stock Move"
    declared: ClassVar[Sequence[Field]] = _MOVE

    @property
    def done_field(self) -> str:
        """Renamed in Odoo 17."""
        return "quantity_done" if self.db.version < 17 else "quantity"

    def fill(self, row: Row, given: Values) -> None:
        row["product_uom"] = (
            row.get("product_uom") or self.db.models["product.product"].table.rows[row["product_id"]]["uom_id"]
        )
        picking = self.db.models["stock.picking"].table.rows[row["picking_id"]]
        row["picking_type_id"] = row.get("picking_type_id") or picking["picking_type_id"]
        if self.db.version < 17:
            row.setdefault("name", self.db.models["product.product"].display_name(row["product_id"]))
        elif "quantity" not in given:
            row["quantity"] = row["product_uom_qty"]

    def compute(self, field: str, row: Row) -> Any:
        if field == "reserved_availability":
            return row.get("promised", _ZERO)
        return super().compute(field, row)

    # ---- goods on the shelf ------------------------------------------------------------------------------------------

    def reserve(self, move_id: int) -> None:
        """Promise it what is free where its goods lie: at once, as an operation type does unless told otherwise."""
        row = self.table.rows[move_id]
        if not self._from_stock(row):
            return
        had, place = row.get("promised", _ZERO), (row["product_id"], row["location_id"])
        taken = min(max(self._quants.free(*place), _ZERO), row["product_uom_qty"] - had)
        self._quants.move(*place, _ZERO, taken)
        promised = had + taken
        whole = promised >= row["product_uom_qty"]
        state = "assigned" if whole else "partially_available" if promised else "confirmed"
        shown = {} if self.db.version < 17 else {"quantity": promised}
        self.table.update(move_id, {"promised": promised, "state": state, "write_date": self.db.now, **shown})

    def release(self, move_id: int) -> None:
        """Take the promise back."""
        row = self.table.rows[move_id]
        self._quants.move(row["product_id"], row["location_id"], _ZERO, -row.get("promised", _ZERO))
        self.table.update(move_id, {"promised": _ZERO})

    def change(self, move_id: int, by: Decimal) -> Decimal:
        """More or less of it is to leave, nothing at the least; by how much it is."""
        self.release(move_id)
        demand: Decimal = self.table.rows[move_id]["product_uom_qty"]
        wanted = max(_ZERO, demand + by)
        # Without a stock that is counted the whole is there.
        shown = {} if self.db.version < 17 else {"quantity": wanted}
        state = "assigned" if wanted else "cancel"
        self.table.update(move_id, {"product_uom_qty": wanted, "state": state, "write_date": self.db.now, **shown})
        if wanted:
            self.reserve(move_id)
        return wanted - demand

    def arrived(self, product_id: int, location_id: int) -> set[int]:
        """Goods have come: what waits for them is served, the oldest first; the pickings that were."""
        rows = self.table.rows
        waiting = [
            one
            for one in sorted(self.table.matching("product_id", product_id))
            if rows[one]["state"] in WAITING and rows[one]["location_id"] == location_id
        ]
        for one in waiting:
            self.reserve(one)
        return {rows[one]["picking_id"] for one in waiting}

    @property
    def _quants(self) -> Quants:
        return cast(Quants, self.db.models["stock.quant"])

    def _from_stock(self, row: Row) -> bool:
        return self._internal(row["location_id"]) and self._quants.counted(row["product_id"])

    def _internal(self, location_id: int) -> bool:
        return bool(self.db.models["stock.location"].table.rows[location_id]["usage"] == "internal")

    def finish(self, move_id: int, quantity: Decimal) -> None:
        """These goods have moved; what was demanded beyond them is another move's."""
        self.release(move_id)
        row = self.table.rows[move_id]
        for place, moved in ((row["location_id"], -quantity), (row["location_dest_id"], quantity)):
            if self._internal(place):
                self._quants.move(row["product_id"], place, moved)
        done = {"state": "done", "product_uom_qty": quantity, self.done_field: quantity, "write_date": self.db.now}
        self.table.update(move_id, done if self.db.version < 17 else {**done, "picked": True})
