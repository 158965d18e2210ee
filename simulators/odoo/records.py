"""The state in plain Python, for tests and the demo: what stands in the Odoo, read without a call."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from .database import Database
from .table import Row


@dataclass(frozen=True, slots=True)
class Document:
    """What the journal keeps of an order, a credit note, a payment or a partner at the moment when it changed."""

    model: str
    id: int
    external_id: str
    name: str
    #: `client_order_ref` of an order, `ref` of a credit note and of a partner, the memo of a payment.
    reference: str
    state: str = ""
    currency: str = ""
    amount_untaxed: Decimal = Decimal(0)
    amount_tax: Decimal = Decimal(0)
    amount_total: Decimal = Decimal(0)


class Record:
    """One record as it is now; attributes are its fields, `None` for nothing, a relation is an id."""

    def __init__(self, db: Database, model: str, row_id: int) -> None:
        self._db = db
        self._model = model
        self.id = row_id

    @property
    def external_id(self) -> str:
        """Its External ID, or ""."""
        return self._db.external_ids.of_record(self._model, self.id)

    @property
    def row(self) -> Row:
        """All kept fields."""
        return self._db.models[self._model].table.rows[self.id]

    def __repr__(self) -> str:
        return f"<{self._model} {self.id} {self.external_id}>"


class Partner(Record):
    """A customer."""

    @property
    def name(self) -> str:
        return self.row["name"] or ""

    @property
    def email(self) -> str:
        return self.row.get("email") or ""

    @property
    def country(self) -> str:
        """ISO code, or ""."""
        found = self.row.get("country_id")
        return self._db.models["res.country"].table.rows[found]["code"] if found else ""


class Line(Record):
    """A line of an order or of a credit note."""

    @property
    def name(self) -> str:
        return str(self.row["name"])

    @property
    def product(self) -> str:
        """Internal reference, or "" for a text line."""
        found = self.row.get("product_id")
        return self._db.models["product.product"].table.rows[found]["default_code"] or "" if found else ""

    @property
    def quantity(self) -> Decimal:
        return Decimal(self.row["product_uom_qty" if self._model == "sale.order.line" else "quantity"])

    @property
    def price_unit(self) -> Decimal:
        return Decimal(self.row["price_unit"])

    @property
    def discount(self) -> Decimal:
        """Percent."""
        return Decimal(self.row["discount"])

    @property
    def taxes(self) -> tuple[str, ...]:
        """External IDs."""
        field = "tax_id" if "tax_id" in self._db.models[self._model].fields else "tax_ids"
        return tuple(self._db.external_ids.of_record("account.tax", one) for one in self.row.get(field) or ())

    @property
    def price_subtotal(self) -> Decimal:
        return Decimal(self.row["price_subtotal"])

    @property
    def price_tax(self) -> Decimal:
        return Decimal(self.row["price_tax"])

    @property
    def price_total(self) -> Decimal:
        return Decimal(self.row["price_total"])


class Sum(Record):
    """An order or a credit note: what both come to, and for whom."""

    lines_field: ClassVar[str]

    @property
    def name(self) -> str:
        return str(self.row["name"] or "")

    @property
    def state(self) -> str:
        """draft, sent, sale, done (locked, Odoo 16), posted or cancel."""
        return str(self.row["state"])

    @property
    def currency(self) -> str:
        """ISO code."""
        return str(self._db.models["res.currency"].table.rows[self.row["currency_id"]]["name"])

    @property
    def amount_untaxed(self) -> Decimal:
        return Decimal(self.row["amount_untaxed"])

    @property
    def amount_tax(self) -> Decimal:
        return Decimal(self.row["amount_tax"])

    @property
    def amount_total(self) -> Decimal:
        return Decimal(self.row["amount_total"])

    @property
    def partner(self) -> Partner:
        """The customer."""
        return Partner(self._db, "res.partner", self.row["partner_id"])

    @property
    def lines(self) -> list[Line]:
        """In their order."""
        model = self._db.models[self._model]
        field = model.fields[self.lines_field]
        return [Line(self._db, field.relation, one) for one in model.related(field, self.id)]


class Credit(Sum):
    """A customer's credit note."""

    lines_field: ClassVar[str] = "invoice_line_ids"

    @property
    def ref(self) -> str:
        return self.row.get("ref") or ""

    @property
    def origin(self) -> str:
        return self.row.get("invoice_origin") or ""

    @property
    def invoice_date(self) -> date | None:
        found: date | None = self.row.get("invoice_date")
        return found


class Payment(Record):
    """Money of a customer, as far as it was posted or is to be."""

    @property
    def name(self) -> str:
        return str(self.row["name"] or "")

    @property
    def state(self) -> str:
        """draft, posted and cancel until Odoo 17; draft, in_process, paid and canceled since."""
        return str(self.row["state"])

    @property
    def amount(self) -> Decimal:
        return Decimal(self.row["amount"])

    @property
    def currency(self) -> str:
        """ISO code."""
        return str(self._db.models["res.currency"].table.rows[self.row["currency_id"]]["name"])

    @property
    def memo(self) -> str:
        """`ref` until Odoo 17."""
        return self.row.get("memo") or self.row.get("ref") or ""

    @property
    def journal(self) -> str:
        """External ID of where it is booked."""
        return self._db.external_ids.of_record("account.journal", self.row["journal_id"])

    @property
    def partner(self) -> Partner:
        """The customer."""
        return Partner(self._db, "res.partner", self.row["partner_id"])

    @property
    def entry(self) -> Record | None:
        """Its journal entry; None before it is posted."""
        found = self.row.get("move_id")
        return Record(self._db, "account.move", found) if found else None


class Order(Sum):
    """A sales order."""

    lines_field: ClassVar[str] = "order_line"

    @property
    def client_order_ref(self) -> str:
        return self.row.get("client_order_ref") or ""

    @property
    def origin(self) -> str:
        return self.row.get("origin") or ""

    @property
    def date_order(self) -> datetime:
        """Naive UTC."""
        found: datetime = self.row["date_order"]
        return found

    @property
    def pickings(self) -> list[Record]:
        """Deliveries, newest first."""
        model = self._db.models["sale.order"]
        return [Record(self._db, "stock.picking", one) for one in model.related(model.fields["picking_ids"], self.id)]


def document(db: Database, model: str, row_id: int, row: Row) -> Document:
    """The record as the journal keeps it."""
    external_id = db.external_ids.of_record(model, row_id)
    if model == "account.payment":
        code = str(db.models["res.currency"].table.rows[row["currency_id"]]["name"])
        memo = row.get("memo") or row.get("ref") or ""
        money = {"state": row["state"], "currency": code, "amount_total": row["amount"]}
        return Document(model, row_id, external_id, row["name"] or "", memo, **money)
    if model not in ("sale.order", "account.move"):
        return Document(model, row_id, external_id, row.get("name") or "", row.get("ref") or "")
    found: dict[str, Any] = {name: row[name] for name in ("amount_untaxed", "amount_tax", "amount_total", "state")}
    currency = str(db.models["res.currency"].table.rows[row["currency_id"]]["name"])
    reference = row.get("client_order_ref" if model == "sale.order" else "ref") or ""
    return Document(model, row_id, external_id, row["name"] or "", reference, currency=currency, **found)
