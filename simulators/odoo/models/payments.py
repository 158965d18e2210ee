"""account.payment: money of customers, and the journal entry that posting makes of it.

The card does not have it. Until Odoo 17 a payment is a journal entry itself and shares its number, state and `ref`
(from memory); since 18 it is a record of its own with states of its own and a `memo`, and posting it again changes
nothing (read in the vendor's source). The double keeps the same fields for both, by their names of the version.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import ClassVar

from .. import errors
from ..database import Database
from ..fields import Field
from ..model import Model, Values
from ..table import Row

_STATES_16 = (("draft", "Draft"), ("posted", "Posted"), ("cancel", "Cancelled"))
_STATES = (
    ("draft", "Draft"),
    ("in_process", "In Process"),
    ("paid", "Paid"),
    ("canceled", "Canceled"),
    ("rejected", "Rejected"),
)
_TYPES = (("outbound", "Send"), ("inbound", "Receive"))
_PARTNERS = (("customer", "Customer"), ("supplier", "Vendor"))
_PAYMENT = (
    Field("name", "char", "Number"),
    Field("date", "date", "Date", required=True),
    Field("move_id", "many2one", "Journal Entry", "account.move"),
    Field("journal_id", "many2one", "Journal", "account.journal", required=True),
    Field("state", "selection", "Status", readonly=True, selection=_STATES_16, default="draft", only=16),
    Field("state", "selection", "Status", required=True, selection=_STATES, default="draft", only=19),
    Field("amount", "monetary", "Amount", default=Decimal(0)),
    Field("payment_type", "selection", "Payment Type", required=True, selection=_TYPES, default="inbound"),
    Field("partner_type", "selection", "Partner Type", required=True, selection=_PARTNERS, default="customer"),
    Field("partner_id", "many2one", "Customer/Vendor", "res.partner"),
    Field("currency_id", "many2one", "Currency", "res.currency"),
    Field("ref", "char", "Reference", only=16),
    Field("memo", "char", "Memo", only=19),
    Field("payment_reference", "char", "Payment Reference"),
)


class Payments(Model):
    """The same memo may stand on many."""

    name: ClassVar[str] = "account.payment"
    label: ClassVar[str] = "Payments"
    order: ClassVar[str] = "date desc, name desc"
    declared: ClassVar[Sequence[Field]] = _PAYMENT

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self.on_records |= {"action_post", "action_cancel", "action_draft"}

    def fill(self, row: Row, given: Values) -> None:
        row["date"] = row.get("date") or self.db.now.date()
        row["currency_id"] = row.get("currency_id") or self.db.models["res.company"].table.rows[1]["currency_id"]
        row["name"] = "/" if self.db.version < 17 else None

    def changed(self, row_id: int, given: Values, before: Row | None) -> None:
        row = self.table.rows[row_id]
        if row["amount"] < 0:
            raise errors.validation_error("The payment amount cannot be negative.")
        journal = self.db.models["account.journal"].table.rows[row["journal_id"]]
        if journal["type"] not in ("bank", "cash"):
            raise errors.validation_error("The journal of a payment has to be of type bank or cash.")
        self.db.note("created" if before is None else "updated", self.name, row_id)

    def action_post(self, ids: Iterable[int]) -> None:
        """Book it, give it its number and its journal entry. Like many methods of Odoo it answers nothing."""
        found = self.existing(ids)
        for row_id in found:
            row = self.table.rows[row_id]
            if self.db.version < 17 and row["state"] == "posted":
                raise errors.user_error(f"The entry {row['name']} (id {row['id']}) is already posted.")
        for row_id in found:
            if self.table.rows[row_id]["state"] == "draft":
                self._post(row_id)

    def _post(self, row_id: int) -> None:
        row = self.table.rows[row_id]
        entry = self._entry(row)
        state = "posted" if self.db.version < 17 else "in_process"
        self._change(row_id, {"state": state, "name": entry["name"], "move_id": entry["id"]})
        self.db.note("posted", self.name, row_id)

    def _entry(self, row: Row) -> Row:
        """The journal entry, numbered by its journal."""
        moves = self.db.models["account.move"]
        code = self.db.models["account.journal"].table.rows[row["journal_id"]]["code"]
        prefix = f"P{code}/{row['date'].year}/"
        taken = [str(one["name"]) for one in moves.table.rows.values() if str(one["name"]).startswith(prefix)]
        entry: Row = {
            "move_type": "entry",
            "state": "posted",
            "name": f"{prefix}{len(taken) + 1:05d}",
            "ref": row.get("ref") or row.get("memo"),
            "date": row["date"],
            "journal_id": row["journal_id"],
            "partner_id": row.get("partner_id"),
            "currency_id": row["currency_id"],
            "company_id": 1,
            "amount_untaxed": row["amount"],
            "amount_tax": Decimal(0),
            "amount_total": row["amount"],
            "create_date": self.db.now,
            "write_date": self.db.now,
        }
        return moves.table.rows[moves.table.insert(entry)]

    def action_cancel(self, ids: Iterable[int]) -> None:
        """Cancelled, with its journal entry."""
        self._end(ids, "cancel" if self.db.version < 17 else "canceled", "cancel")

    def action_draft(self, ids: Iterable[int]) -> None:
        """Back to a draft."""
        self._end(ids, "draft", "draft")

    def _end(self, ids: Iterable[int], state: str, entry_state: str) -> None:
        for row_id in self.existing(ids):
            self._change(row_id, {"state": state})
            if move := self.table.rows[row_id].get("move_id"):
                moves = self.db.models["account.move"].table
                moves.update(move, {"state": entry_state, "write_date": self.db.now})

    def removing(self, ids: Sequence[int]) -> None:
        for row_id in ids:
            self.db.note("deleted", self.name, row_id, self.table.rows[row_id])
            if move := self.table.rows[row_id].get("move_id"):
                self.db.models["account.move"].table.delete(move)

    def _change(self, row_id: int, values: Row) -> None:
        self.table.update(row_id, {**values, "write_date": self.db.now})
