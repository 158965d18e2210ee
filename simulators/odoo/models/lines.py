"""sale.order.line: what is sold, at what price, with which taxes."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, cast

from .. import commands, errors
from ..fields import ONE, Field
from ..model import Values
from ..table import Row
from .priced import PricedLines
from .pricelists import PricelistRules
from .states import STATES, STATES_16

if TYPE_CHECKING:
    from .orders import SaleOrders

_FIELDS = (
    Field("order_id", "many2one", "Order Reference", "sale.order", required=True),
    Field("sequence", "integer", "Sequence", default=10),
    Field("name", "text", "Description", required=True),
    Field("product_id", "many2one", "Product", "product.product"),
    Field("product_uom_qty", "float", "Quantity", required=True, digits=2, default=ONE),
    Field("product_uom", "many2one", "Unit of Measure", "uom.uom", only=16),
    Field("product_uom_id", "many2one", "Unit", "uom.uom", only=19),
    Field("price_unit", "float", "Unit Price", required=True, digits=2, default=Decimal(0), only=16),
    Field("price_unit", "float", "Unit Price", required=True, default=Decimal(0), only=19),
    Field("discount", "float", "Discount (%)", digits=2, default=Decimal(0)),
    Field("tax_id", "many2many", "Taxes", "account.tax", only=16),
    Field("tax_ids", "many2many", "Taxes", "account.tax", only=19),
    Field("price_subtotal", "monetary", "Subtotal", readonly=True),
    Field("price_tax", "float", "Total Tax", readonly=True),
    Field("price_total", "monetary", "Total", readonly=True),
    Field(
        "display_type",
        "selection",
        "Display Type",
        only=16,
        selection=(("line_section", "Section"), ("line_note", "Note")),
    ),
    Field(
        "display_type",
        "selection",
        "Display Type",
        only=19,
        selection=(("line_section", "Section"), ("line_subsection", "Subsection"), ("line_note", "Note")),
    ),
    Field("is_delivery", "boolean", "Is a Delivery", default=False),
    Field("is_downpayment", "boolean", "Is a down payment", default=False),
    Field("qty_delivered", "float", "Delivery Quantity", digits=2, default=Decimal(0)),
    Field("qty_invoiced", "float", "Invoiced Quantity", readonly=True, digits=2, default=Decimal(0)),
    Field("customer_lead", "float", "Lead Time", required=True, default=Decimal(0)),
    Field("currency_id", "many2one", "Currency", "res.currency", readonly=True, computed=True),
    Field("company_id", "many2one", "Company", "res.company", readonly=True, computed=True),
    Field("order_partner_id", "many2one", "Customer", "res.partner", readonly=True, computed=True),
    Field("state", "selection", "Order Status", readonly=True, selection=STATES_16, computed=True, only=16),
    Field("state", "selection", "Order Status", readonly=True, selection=STATES, computed=True, only=19),
)


class SaleOrderLines(PricedLines):
    """Lines. What nobody sends comes from the product."""

    name: ClassVar[str] = "sale.order.line"
    label: ClassVar[str] = "Sales Order Line"
    order: ClassVar[str] = "order_id, sequence, id"
    declared: ClassVar[Sequence[Field]] = _FIELDS
    head_field: ClassVar[str] = "order_id"
    quantity_field: ClassVar[str] = "product_uom_qty"

    @property
    def orders(self) -> "SaleOrders":
        """The model of the orders."""
        return cast("SaleOrders", self.db.models["sale.order"])

    @property
    def tax_field(self) -> str:
        """Renamed in Odoo 17 and later."""
        return "tax_id" if self.db.version < 17 else "tax_ids"

    @property
    def unit_field(self) -> str:
        """Renamed in Odoo 17 and later."""
        return "product_uom" if self.db.version < 17 else "product_uom_id"

    @property
    def _guarded(self) -> frozenset[str]:
        """What a locked order keeps."""
        return frozenset({"product_id", "name", "price_unit", "product_uom_qty", self.tax_field, self.unit_field})

    # ---- values ------------------------------------------------------------------------------------------------------

    def fill(self, row: Row, given: Values) -> None:
        row.setdefault("product_uom_qty", ONE)
        if row.get("display_type"):
            return
        product = self.db.models["product.product"].table.rows.get(row.get("product_id") or 0)
        if product is None:
            raise errors.validation_error("Missing required fields on accountable sale order line.")
        if not row.get("name"):
            shown = self.db.models["product.product"].display_name(product["id"])
            row["name"] = "\n".join(part for part in (shown, product.get("description_sale")) if part)
        row[self.unit_field] = row.get(self.unit_field) or product["uom_id"]
        if self.tax_field not in given:
            row[self.tax_field] = product.get("taxes_id", ())
        if "price_unit" not in given:
            row["price_unit"] = self._listed(row, product)

    def _listed(self, row: Row, product: Row) -> Decimal:
        rules = cast(PricelistRules, self.db.models["product.pricelist.item"])
        order = self.orders.table.rows.get(row.get("order_id") or 0, {})
        return rules.price(order.get("pricelist_id"), product, row["product_uom_qty"], self.db.now)

    def write_one(self, row_id: int, values: Values) -> None:
        order = self.table.rows[row_id]["order_id"]
        refused = [name for name in self._guarded if name in values and self._differs(row_id, name, values[name])]
        if refused and self.orders.is_locked(order):
            labels = "\n".join(sorted(self.fields[name].label for name in refused))
            raise errors.user_error(f"It is forbidden to modify the following fields in a locked order:\n{labels}")
        self._require_delivered(row_id, values)
        super().write_one(row_id, values)
        self.orders.touched(order)

    def _require_delivered(self, row_id: int, values: Values) -> None:
        """What has left was ordered (the vendor's source)."""
        delivered = self.table.rows[row_id]["qty_delivered"]
        if self._taken(values)[0].get("product_uom_qty", delivered) < delivered:
            raise errors.user_error(
                "The ordered quantity of a sale order line cannot be decreased below the amount already delivered. "
                "Instead, create a return in your inventory."
            )

    def changed(self, row_id: int, given: Values, before: Row | None) -> None:
        row = self.table.rows[row_id]
        self.orders.touched(row["order_id"])
        self.orders.moved(row, before)
        self.db.note("updated", self.orders.name, row["order_id"])

    def removing(self, ids: Sequence[int]) -> None:
        for row_id in ids:
            order = self.table.rows[row_id]["order_id"]
            if self.orders.table.rows[order]["state"] in ("sale", "done") and not self.is_text(self.table.rows[row_id]):
                raise errors.user_error(
                    "You can not remove an order line once the sales order is confirmed.\n"
                    "You should rather set the quantity to 0."
                )
            self.orders.touched(order)
            self.db.note("updated", self.orders.name, order)

    def compute(self, field: str, row: Row) -> Any:
        order = self.orders.table.rows[row["order_id"]]
        if field == "order_partner_id":
            return order["partner_id"]
        if field == "display_name":
            return f"{order['name']} - {str(row['name']).partition(chr(10))[0]}"
        return order.get(field)

    # ---- amounts -----------------------------------------------------------------------------------------------------

    def goods(self, order_id: int) -> list[Row]:
        """Lines that somebody has to pick."""
        rows = [self.table.rows[row_id] for row_id in self.table.matching("order_id", order_id)]
        return [row for row in rows if row["product_uom_qty"] > 0 and self.is_goods(row)]

    def is_goods(self, row: Row) -> bool:
        """Whether somebody has to pick it at all."""
        products = self.db.models["product.product"].table.rows
        return bool(row.get("product_id") and products[row["product_id"]]["type"] != "service")

    def _differs(self, row_id: int, name: str, value: Any) -> bool:
        """Whether a written value is another one."""
        given, to_many = self._taken({name: value})
        for field, written in to_many.items():
            given[name] = commands.linked(self, field, row_id, written)
        return bool(given[name] != self.table.rows[row_id].get(name))
