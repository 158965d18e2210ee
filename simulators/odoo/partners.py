"""res.partner: customers and their addresses."""

from typing import Any

from . import errors
from .model import Model, Values
from .table import Row


class Partners(Model):
    """Contacts. A contact has a name; an address of another type need not have one."""

    def compute(self, field: str, row: Row) -> Any:
        if field == "commercial_partner_id":
            return self.commercial(row["id"])
        return self.display_name(row["id"])

    def changed(self, row_id: int, given: Values, *, new: bool) -> None:
        row = self.table.rows[row_id]
        if row.get("type") == "contact" and not row.get("name"):
            raise errors.validation_error("Contacts require a name")
        if "credit_limit" in given:
            self.table.update(row_id, {"use_partner_credit_limit": bool(row["credit_limit"])})
        self.db.note("created" if new else "updated", self.name, row_id)

    def display_name(self, row_id: int) -> str:
        row = self.table.rows[row_id]
        parent = row.get("parent_id")
        name = row.get("name") or (self.fields["type"].label_of(row.get("type")) if parent else "")
        if parent and not row.get("is_company"):
            return f"{self.table.rows[parent].get('name') or ''}, {name}"
        return name

    def commercial(self, row_id: int) -> int:
        """The company that a contact belongs to, or the contact itself."""
        row = self.table.rows[row_id]
        parent = row.get("parent_id")
        return row_id if row.get("is_company") or not parent else self.commercial(parent)

    def address(self, row_id: int, kind: str) -> int:
        """The partner's address of a type (invoice, delivery), else the partner."""
        for child in self.table.matching("parent_id", row_id):
            if self.table.rows[child].get("type") == kind and self.table.rows[child].get("active"):
                return child
        return row_id
