"""sale.order: quotations and sales orders, what they come to, and what happens when they are confirmed or cancelled."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, cast

from .. import errors
from ..database import Database
from ..fields import Field
from ..model import Values
from ..table import Row
from .partners import Partners
from .pickings import Pickings
from .priced import PricedHeads
from .states import STATES, STATES_16

if TYPE_CHECKING:
    from .lines import SaleOrderLines

_OPEN = ("draft", "sent")
_METHODS = frozenset({"action_cancel", "action_confirm", "action_draft", "action_quotation_sent", "action_unlock"})
_INVOICING = (
    ("upselling", "Upselling Opportunity"),
    ("invoiced", "Fully Invoiced"),
    ("to invoice", "To Invoice"),
    ("no", "Nothing to Invoice"),
)
_DELIVERY = (("pending", "Not Delivered"), ("partial", "Partially Delivered"), ("full", "Fully Delivered"))
_DELIVERY_19 = (_DELIVERY[0], ("started", "Started"), *_DELIVERY[1:])
_POLICIES = (("direct", "As soon as possible"), ("one", "When all products are ready"))
_FIELDS = (
    Field("partner_id", "many2one", "Customer", "res.partner", required=True),
    Field("name", "char", "Order Reference", required=True, readonly=True, only=16),
    Field("name", "char", "Order Reference", required=True, only=19),
    Field("state", "selection", "Status", readonly=True, selection=STATES_16, default="draft", only=16),
    Field("state", "selection", "Status", readonly=True, selection=STATES, default="draft", only=19),
    Field("locked", "boolean", "Locked", default=False, only=19),
    Field("partner_invoice_id", "many2one", "Invoice Address", "res.partner", required=True),
    Field("partner_shipping_id", "many2one", "Delivery Address", "res.partner", required=True),
    Field("client_order_ref", "char", "Customer Reference"),
    Field("origin", "char", "Source Document"),
    Field("reference", "char", "Payment Ref."),
    Field("date_order", "datetime", "Order Date", required=True),
    Field("commitment_date", "datetime", "Delivery Date"),
    Field("pricelist_id", "many2one", "Pricelist", "product.pricelist", required=True, only=16),
    Field("pricelist_id", "many2one", "Pricelist", "product.pricelist", only=19),
    Field("currency_id", "many2one", "Currency", "res.currency", readonly=True),
    Field("company_id", "many2one", "Company", "res.company", required=True, default=1),
    Field("warehouse_id", "many2one", "Warehouse", "stock.warehouse", required=True, default=1, only=16),
    Field("warehouse_id", "many2one", "Warehouse", "stock.warehouse", default=1, only=19),
    Field("carrier_id", "many2one", "Delivery Method", "delivery.carrier"),
    Field("payment_term_id", "many2one", "Payment Terms", "account.payment.term"),
    Field("user_id", "many2one", "Salesperson", "res.users", default=2),
    Field("team_id", "many2one", "Sales Team", "crm.team"),
    Field("note", "html", "Terms and conditions"),
    Field("order_line", "one2many", "Order Lines", "sale.order.line", "order_id"),
    Field("picking_ids", "one2many", "Transfers", "stock.picking", "sale_id"),
    Field(
        "picking_policy",
        "selection",
        "Shipping Policy",
        required=True,
        readonly=True,
        selection=_POLICIES,
        default="direct",
        only=16,
    ),
    Field(
        "picking_policy", "selection", "Shipping Policy", required=True, selection=_POLICIES, default="direct", only=19
    ),
    Field("amount_untaxed", "monetary", "Untaxed Amount", readonly=True),
    Field("amount_tax", "monetary", "Taxes", readonly=True),
    Field("amount_total", "monetary", "Total", readonly=True),
    Field("invoice_status", "selection", "Invoice Status", readonly=True, selection=_INVOICING, computed=True),
    Field(
        "delivery_status", "selection", "Delivery Status", readonly=True, selection=_DELIVERY, computed=True, only=16
    ),
    Field(
        "delivery_status", "selection", "Delivery Status", readonly=True, selection=_DELIVERY_19, computed=True, only=19
    ),
)


class SaleOrders(PricedHeads):
    """Orders. The same `client_order_ref` may stand on many."""

    name: ClassVar[str] = "sale.order"
    label: ClassVar[str] = "Sales Order"
    order: ClassVar[str] = "date_order desc, id desc"
    declared: ClassVar[Sequence[Field]] = _FIELDS
    line_model: ClassVar[str] = "sale.order.line"

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self.on_records |= _METHODS | {"action_done" if db.version < 17 else "action_lock"}
        self._last_number = 0

    @property
    def lines(self) -> "SaleOrderLines":
        """The model of the lines."""
        return cast("SaleOrderLines", self.db.models["sale.order.line"])

    @property
    def _pickings(self) -> Pickings:
        return cast(Pickings, self.db.models["stock.picking"])

    # ---- values ------------------------------------------------------------------------------------------------------

    def fill(self, row: Row, given: Values) -> None:
        self._last_number += 1
        if row.get("name") in (None, "New"):
            row["name"] = f"S{self._last_number:05d}"
        if row.get("date_order") is None:
            row["date_order"] = self.db.now
        if row.get("partner_id") is not None:
            self._follow_partner(row, given)
        row["currency_id"] = self._currency(row)
        row["amount_untaxed"] = row["amount_tax"] = row["amount_total"] = Decimal(0)

    def _follow_partner(self, row: Row, given: Values) -> None:
        """What the customer decides as long as nobody says otherwise."""
        partners = cast(Partners, self.db.models["res.partner"])
        partner = partners.table.rows[row["partner_id"]]
        found = {
            "partner_invoice_id": partners.address(partner["id"], "invoice"),
            "partner_shipping_id": partners.address(partner["id"], "delivery"),
            "payment_term_id": partner.get("property_payment_term_id"),
            "pricelist_id": partner.get("property_product_pricelist") or self._first_pricelist(),
        }
        row.update({name: value for name, value in found.items() if not given.get(name)})

    def _first_pricelist(self) -> int | None:
        """Odoo 16 always has one, Odoo 19 needs none."""
        if self.db.version >= 17:
            return None
        return next(iter(self.db.models["product.pricelist"].search(())), None)

    def _currency(self, row: Row) -> int:
        pricelist = row.get("pricelist_id")
        if pricelist:
            return int(self.db.models["product.pricelist"].table.rows[pricelist]["currency_id"])
        return int(self.db.models["res.company"].table.rows[row["company_id"]]["currency_id"])

    def changed(self, row_id: int, given: Values, before: Row | None) -> None:
        row = self.table.rows[row_id]
        if before is not None and any(row.get(name) != before.get(name) for name in ("partner_id", "pricelist_id")):
            row = dict(row)
            if row["partner_id"] != before["partner_id"] and row["state"] in _OPEN:
                self._follow_partner(row, given)
            row["currency_id"] = self._currency(row)
            self.table.update(row_id, row)
        self.touched(row_id)
        self.db.note("created" if before is None else "updated", self.name, row_id)

    def compute(self, field: str, row: Row) -> Any:
        if field == "delivery_status":
            return self._delivery_status(row["id"])
        if field == "invoice_status":
            return "to invoice" if row["state"] in ("sale", "done") else "no"
        return row["name"]

    def _delivery_status(self, row_id: int) -> str | None:
        pickings = self.db.models["stock.picking"].table
        states = {pickings.rows[one]["state"] for one in pickings.matching("sale_id", row_id)} - {"cancel"}
        if not states:
            return None
        if states == {"done"}:
            return "full"
        return "partial" if "done" in states else "pending"

    def is_locked(self, row_id: int) -> bool:
        """Locked orders refuse changes of their lines' goods and money."""
        row = self.table.rows[row_id]
        return row["state"] == "done" or bool(row.get("locked"))

    def moved(self, line: Row, before: Row | None) -> None:
        """A line was written: of a sale its goods are to leave as it says now. A locked one of 16 is none."""
        order = self.table.rows[line["order_id"]]
        more = line["product_uom_qty"] - (before["product_uom_qty"] if before is not None else 0)
        if order["state"] == "sale" and more and self.lines.is_goods(line):
            self._pickings.follow(order, line, more)

    # ---- what a person or a client does with it ----------------------------------------------------------------------

    def action_confirm(self, ids: Iterable[int]) -> bool:
        """Make it a sale: the order date becomes now, and goods get a picking."""
        found = self.existing(ids)
        states = {self.table.rows[row_id]["state"] for row_id in found}
        if self.db.version >= 17 and not states <= set(_OPEN):
            raise errors.user_error("Some orders are not in a state requiring confirmation.")
        if states & {"done", "cancel"}:
            raise errors.user_error("It is not allowed to confirm an order in the following states: cancel, done")
        for row_id in found:
            self._change(row_id, self._confirmed())
            self._pickings.prepare(self.table.rows[row_id], self.lines.goods(row_id))
            self.db.note("confirmed", self.name, row_id)
        return True

    def _confirmed(self) -> Row:
        row: Row = {"state": "sale", "date_order": self.db.now}
        if self.db.settings.lock_confirmed:
            row.update({"state": "done"} if self.db.version < 17 else {"locked": True})
        return row

    def action_cancel(self, ids: Iterable[int]) -> bool | dict[str, Any]:
        """Odoo 16 asks back before it cancels what is no draft, unless the context waives that."""
        found = self.existing(ids)
        if self.db.version >= 17 and any(self.is_locked(row_id) for row_id in found):
            raise errors.user_error("You cannot cancel a locked order. Please unlock it first.")
        asks = any(self.table.rows[row_id]["state"] != "draft" for row_id in found)
        if self.db.version < 17 and asks and not self.db.context.get("disable_cancel_warning"):
            return _cancel_wizard(found[0])
        for row_id in found:
            self.cancel(row_id)
        return True

    def cancel(self, row_id: int) -> None:
        """Cancelled, and its open pickings with it."""
        self._pickings.cancel(row_id)
        self._change(row_id, {"state": "cancel"})
        self.db.note("cancelled", self.name, row_id)

    def action_draft(self, ids: Iterable[int]) -> bool:
        """Back to a quotation, from cancelled or sent."""
        for row_id in self.existing(ids):
            if self.table.rows[row_id]["state"] in ("cancel", "sent"):
                self._change(row_id, {"state": "draft"})
        return True

    def action_quotation_sent(self, ids: Iterable[int]) -> None:
        """Mark as sent. It answers nothing: XML-RPC turns that into a fault after the commit."""
        found = self.existing(ids)
        if any(self.table.rows[row_id]["state"] != "draft" for row_id in found):
            raise errors.user_error("Only draft orders can be marked as sent directly.")
        for row_id in found:
            self._change(row_id, {"state": "sent"})

    def action_done(self, ids: Iterable[int]) -> bool:
        """Lock, in Odoo 16."""
        for row_id in self.existing(ids):
            self._change(row_id, {"state": "done"})
        return True

    def action_lock(self, ids: Iterable[int]) -> None:
        """Lock, in Odoo 19."""
        for row_id in self.existing(ids):
            self._change(row_id, {"locked": True})

    def action_unlock(self, ids: Iterable[int]) -> None:
        """Open again what was locked."""
        for row_id in self.existing(ids):
            self._change(row_id, {"state": "sale"} if self.db.version < 17 else {"locked": False})

    def _change(self, row_id: int, values: Mapping[str, Any]) -> None:
        self.table.update(row_id, {**values, "write_date": self.db.now})

    def removing(self, ids: Sequence[int]) -> None:
        if any(self.table.rows[row_id]["state"] not in ("draft", "cancel") for row_id in ids):
            raise errors.user_error(
                "You can not delete a sent quotation or a confirmed sales order. You must first cancel it."
            )
        for row_id in ids:
            self.db.note("deleted", self.name, row_id, self.table.rows[row_id])
            # The database itself removes the lines, and their External IDs stay behind.
            for line in list(self.lines.table.matching("order_id", row_id)):
                self.lines.table.delete(line)


def _cancel_wizard(row_id: int) -> dict[str, Any]:
    return {
        "name": "Cancel Sales Order",
        "view_mode": "form",
        "res_model": "sale.order.cancel",
        "type": "ir.actions.act_window",
        "context": {"default_order_id": row_id},
        "target": "new",
    }
