"""What pickings are made of: moves of goods from one location to another, by a type of operation of a warehouse."""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from ..fields import ACTIVE, Field
from ..model import Model, Values
from ..table import Row

_USAGES = (("internal", "Internal Location"), ("customer", "Customer Location"))
_USAGES_19 = (("internal", "Internal"), ("customer", "Customer"))
_LOCATION = (
    Field("name", "char", "Location Name", required=True),
    Field("usage", "selection", "Location Type", required=True, selection=_USAGES, default="internal", only=16),
    Field("usage", "selection", "Location Type", required=True, selection=_USAGES_19, default="internal", only=19),
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
_STATES = (("draft", "New"), ("assigned", "Available"), ("done", "Done"), ("cancel", "Cancelled"))
_ZERO = Decimal(0)
_MOVE = (
    Field("name", "char", "Description", required=True, only=16),
    Field("product_id", "many2one", "Product", "product.product", required=True),
    Field("product_uom_qty", "float", "Demand", required=True, digits=2, default=_ZERO),
    Field("product_uom", "many2one", "UoM", "uom.uom", required=True, only=16),
    Field("product_uom", "many2one", "Unit", "uom.uom", required=True, only=19),
    Field("quantity_done", "float", "Quantity Done", digits=2, default=_ZERO, only=16),
    Field("quantity", "float", "Quantity", digits=2, default=_ZERO, only=19),
    Field("picked", "boolean", "Picked", default=False, only=19),
    Field("state", "selection", "Status", readonly=True, selection=_STATES, default="draft"),
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

    @property
    def shelf(self) -> int:
        """The id of the company's own stock."""
        return self.db.external_ids.named("stock.stock_location_stock")

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

    def finish(self, move_id: int, quantity: Decimal) -> None:
        """These goods have moved; what was demanded beyond them is another move's."""
        done = {"state": "done", "product_uom_qty": quantity, self.done_field: quantity, "write_date": self.db.now}
        self.table.update(move_id, done if self.db.version < 17 else {**done, "picked": True})
