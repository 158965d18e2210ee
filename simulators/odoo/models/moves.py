"""account.move: invoices and credit notes of customers, as far as they come from outside; their lines and journals.

The vendor keeps journal items of taxes and of the receivable beside the lines; the double has the lines alone. What is
written here was measured on 16.0 and 19.0 where it differs.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import ClassVar, cast

from .. import errors
from ..database import Database
from ..fields import ONE, Field
from ..model import Model, Values
from ..table import Row
from .priced import PricedHeads, PricedLines

_STATES = (("draft", "Draft"), ("posted", "Posted"), ("cancel", "Cancelled"))
_TYPES = (
    ("entry", "Journal Entry"),
    ("out_invoice", "Customer Invoice"),
    ("out_refund", "Customer Credit Note"),
)
_PREFIXES = {"out_invoice": "INV", "out_refund": "RINV", "entry": "MISC"}
_KINDS = (("product", "Product"), ("line_section", "Section"), ("line_note", "Note"))
_MOVE = (
    Field("name", "char", "Number"),
    Field("ref", "char", "Reference"),
    Field("state", "selection", "Status", required=True, readonly=True, selection=_STATES, default="draft"),
    Field("move_type", "selection", "Type", required=True, readonly=True, selection=_TYPES, default="entry"),
    Field("partner_id", "many2one", "Partner", "res.partner", readonly=True, only=16),
    Field("partner_id", "many2one", "Partner", "res.partner", only=19),
    Field("currency_id", "many2one", "Currency", "res.currency", required=True),
    Field("company_id", "many2one", "Company", "res.company", default=1),
    Field("journal_id", "many2one", "Journal", "account.journal", required=True, default=1),
    Field("invoice_date", "date", "Invoice/Bill Date", readonly=True, only=16),
    Field("invoice_date", "date", "Invoice/Bill Date", only=19),
    Field("date", "date", "Date", required=True),
    Field("invoice_origin", "char", "Origin", readonly=True),
    Field("narration", "html", "Terms and Conditions"),
    Field("payment_reference", "char", "Payment Reference"),
    Field("invoice_line_ids", "one2many", "Invoice lines", "account.move.line", "move_id"),
    Field("amount_untaxed", "monetary", "Untaxed Amount", readonly=True),
    Field("amount_tax", "monetary", "Tax", readonly=True),
    Field("amount_total", "monetary", "Total", readonly=True),
)
_LINE = (
    Field("move_id", "many2one", "Journal Entry", "account.move", required=True, readonly=True),
    Field("sequence", "integer", "Sequence", default=10),
    Field("name", "char", "Label"),
    Field("product_id", "many2one", "Product", "product.product"),
    Field("quantity", "float", "Quantity", digits=2, default=ONE),
    Field("price_unit", "float", "Unit Price", digits=2, default=Decimal(0), only=16),
    Field("price_unit", "float", "Unit Price", default=Decimal(0), only=19),
    Field("discount", "float", "Discount (%)", digits=2, default=Decimal(0)),
    Field("tax_ids", "many2many", "Taxes", "account.tax"),
    Field("price_subtotal", "monetary", "Subtotal", readonly=True),
    Field("price_total", "monetary", "Total", readonly=True),
    Field("display_type", "selection", "Display Type", required=True, selection=_KINDS, default="product"),
)
_JOURNAL_TYPES = (("sale", "Sales"), ("bank", "Bank"), ("cash", "Cash"), ("general", "Miscellaneous"))
_JOURNAL = (
    Field("name", "char", "Journal Name", required=True),
    Field("code", "char", "Short Code", required=True),
    Field("type", "selection", "Type", required=True, selection=_JOURNAL_TYPES),
)
_EMPTY_16, _EMPTY = "You need to add a line before posting.", "Even magicians can't post nothing!"
_UNDELETABLE_16 = "You cannot delete an item linked to a posted entry."
_UNDELETABLE = (
    "You can't delete a posted journal item. Don\u2019t play games with your accounting records; "
    "reset the journal entry to draft before deleting it."
)
#: What Odoo 19 keeps of a posted document, even where the value is the same.
_KEPT = ("invoice_date", "partner_id", "currency_id", "invoice_line_ids")


class Journals(Model):
    """Where documents are numbered."""

    name: ClassVar[str] = "account.journal"
    label: ClassVar[str] = "Journal"
    declared: ClassVar[Sequence[Field]] = _JOURNAL


class AccountMoves(PricedHeads):
    """The same reference may stand on many. 16 lets a posted document be loaded over, 19 does not."""

    name: ClassVar[str] = "account.move"
    label: ClassVar[str] = "Journal Entry"
    order: ClassVar[str] = "date desc, name desc, id desc"
    declared: ClassVar[Sequence[Field]] = _MOVE
    line_model: ClassVar[str] = "account.move.line"

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self.on_records |= {"action_post", "button_cancel", "button_draft"}

    def fill(self, row: Row, given: Values) -> None:
        row["currency_id"] = row.get("currency_id") or self.db.models["res.company"].table.rows[1]["currency_id"]
        row["date"] = row.get("date") or row.get("invoice_date") or self.db.now.date()
        row["amount_untaxed"] = row["amount_tax"] = row["amount_total"] = Decimal(0)
        row["name"] = row.get("name") or ("/" if self.db.version < 17 else None)

    def write_one(self, row_id: int, values: Values) -> None:
        refused = [name for name in _KEPT if name in values]
        if refused and self.db.version >= 17 and self.table.rows[row_id]["state"] == "posted":
            names = ", ".join(refused)
            raise errors.user_error(f"You cannot modify the following readonly fields on a posted move: {names}")
        super().write_one(row_id, values)

    def changed(self, row_id: int, given: Values, before: Row | None) -> None:
        self.touched(row_id)
        self.db.note("created" if before is None else "updated", self.name, row_id)

    def removing(self, ids: Sequence[int]) -> None:
        for row_id in ids:
            if self.table.rows[row_id]["state"] == "posted":
                raise errors.user_error(_UNDELETABLE_16 if self.db.version < 17 else _UNDELETABLE)
            self.db.note("deleted", self.name, row_id, self.table.rows[row_id])
            lines = self.db.models[self.line_model]
            for line in list(lines.table.matching("move_id", row_id)):
                lines.table.delete(line)
                self.db.external_ids.forget(lines.name, line)

    # ---- what a person or a client does with it ----------------------------------------------------------------------

    def action_post(self, ids: Iterable[int]) -> bool:
        """Book it and give it its number. It answers false, as the vendor does."""
        found = self.existing(ids)
        for row_id in found:
            self._require_postable(self.table.rows[row_id])
        for row_id in found:
            self._change(row_id, {"state": "posted", "name": self._number(self.table.rows[row_id])})
            self.db.note("posted", self.name, row_id)
        return False

    def _require_postable(self, row: Row) -> None:
        if self.db.version < 17 and row["state"] == "posted":
            raise errors.user_error(f"The entry {row['name']} (id {row['id']}) is already posted.")
        if self.db.version >= 17 and row["state"] != "draft":
            raise errors.user_error(f"The entry {row['name'] or False} (id {row['id']}) must be in draft.")
        if not self.db.models[self.line_model].table.matching("move_id", row["id"]):
            raise errors.user_error(_EMPTY_16 if self.db.version < 17 else _EMPTY)
        if row["amount_total"] < 0:
            raise errors.user_error(
                "You cannot validate an invoice with a negative total amount. "
                "You should create a credit note instead. "
                "Use the action menu to transform it into a credit note or refund."
            )

    def _number(self, row: Row) -> str:
        if row["name"] not in (None, "/"):
            return str(row["name"])
        prefix = f"{_PREFIXES[row['move_type']]}/{row['date'].year}/"
        taken = [str(one["name"]) for one in self.table.rows.values() if str(one["name"]).startswith(prefix)]
        return f"{prefix}{max((int(name.removeprefix(prefix)) for name in taken), default=0) + 1:05d}"

    def button_draft(self, ids: Iterable[int]) -> None:
        """Back to a draft; the number stays."""
        for row_id in self.existing(ids):
            self._change(row_id, {"state": "draft"})

    def button_cancel(self, ids: Iterable[int]) -> None:
        """Cancelled."""
        for row_id in self.existing(ids):
            self._change(row_id, {"state": "cancel"})

    def _change(self, row_id: int, values: Row) -> None:
        self.table.update(row_id, {**values, "write_date": self.db.now})


class AccountMoveLines(PricedLines):
    """Lines of documents. What nobody sends comes from the product."""

    name: ClassVar[str] = "account.move.line"
    label: ClassVar[str] = "Journal Item"
    order: ClassVar[str] = "move_id, sequence, id"
    declared: ClassVar[Sequence[Field]] = _LINE
    head_field: ClassVar[str] = "move_id"
    quantity_field: ClassVar[str] = "quantity"

    @property
    def moves(self) -> AccountMoves:
        """The model of the documents."""
        return cast(AccountMoves, self.db.models["account.move"])

    def fill(self, row: Row, given: Values) -> None:
        product = self.db.models["product.product"].table.rows.get(row.get("product_id") or 0)
        if product is None:
            return
        row["name"] = row.get("name") or self.db.models["product.product"].display_name(product["id"])
        if "tax_ids" not in given:
            row["tax_ids"] = product.get("taxes_id", ())
        if "price_unit" not in given:
            row["price_unit"] = product["list_price"]

    def changed(self, row_id: int, given: Values, before: Row | None) -> None:
        move = self.table.rows[row_id]["move_id"]
        self.moves.touched(move)
        self.db.note("updated", self.moves.name, move)
