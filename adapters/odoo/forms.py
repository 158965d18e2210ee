"""The kinds of documents that the adapter makes, and how Odoo names their parts."""

from collections.abc import Callable
from dataclasses import dataclass

from . import names


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of document, the same in Odoo 16 and 19."""

    #: For people.
    word: str
    model: str
    line_model: str
    #: The head's field of the lines, and their field of the quantity.
    lines: str
    quantity: str
    #: The External ID of the document with a reference of ours.
    named: Callable[[str, str], str]
    #: States in which it may be changed, and states in which an order is confirmed, a credit note posted.
    open: tuple[str, ...]
    closed: tuple[str, ...]
    #: What is read of the head.
    head: tuple[str, ...]


_HEAD = ("name", "state", "amount_total", "currency_id", "partner_id")
#: "done" is locked, in Odoo 16.
ORDER = Form(
    word="order",
    model="sale.order",
    line_model="sale.order.line",
    lines="order_line",
    quantity="product_uom_qty",
    named=names.order_name,
    open=("draft", "sent"),
    closed=("sale", "done"),
    head=(*_HEAD, "date_order"),
)
CREDIT = Form(
    word="credit note",
    model="account.move",
    line_model="account.move.line",
    lines="invoice_line_ids",
    quantity="quantity",
    named=names.refund_name,
    open=("draft",),
    closed=("posted",),
    head=(*_HEAD, "ref", "invoice_origin", "invoice_date"),
)
#: "posted" until Odoo 17, "in_process" and "paid" since.
PAYMENT = Form(
    word="payment",
    model="account.payment",
    line_model="",
    lines="",
    quantity="",
    named=names.payment_name,
    open=("draft",),
    closed=("posted", "in_process", "paid"),
    head=("name", "state", "amount", "currency_id", "partner_id", "journal_id", "date", "payment_type"),
)
#: A return is closed when it is ready for the warehouse, or people have received or cancelled it.
RETURN = Form(
    word="return",
    model="stock.picking",
    line_model="stock.move",
    lines="move_ids",
    quantity="product_uom_qty",
    named=names.return_name,
    open=("draft",),
    closed=("waiting", "confirmed", "assigned", "done", "cancel"),
    head=("name", "state", "origin"),
)
