"""res.partner: customers and their addresses."""

from collections.abc import Sequence
from typing import Any, ClassVar

from .. import errors
from ..fields import ACTIVE, Field
from ..model import Model, Values
from ..table import Row

_ADDRESSES = (("contact", "Contact"), ("invoice", "Invoice"), ("delivery", "Delivery"), ("other", "Other"))
_ADDRESSES_16 = (
    ("contact", "Contact"),
    ("invoice", "Invoice Address"),
    ("delivery", "Delivery Address"),
    ("private", "Private Address"),
    ("other", "Other Address"),
)
_AUTOPOST = (("always", "Always"), ("ask", "Ask after 3 validations without edits"), ("never", "Never"))
_FIELDS = (
    Field("name", "char", "Name"),
    Field("is_company", "boolean", "Is a Company", default=False),
    Field("ref", "char", "Reference"),
    Field("email", "char", "Email"),
    Field("phone", "char", "Phone"),
    Field("mobile", "char", "Mobile", only=16),
    Field("vat", "char", "Tax ID"),
    Field("street", "char", "Street"),
    Field("street2", "char", "Street2"),
    Field("city", "char", "City"),
    Field("zip", "char", "Zip"),
    Field("state_id", "many2one", "State", "res.country.state"),
    Field("country_id", "many2one", "Country", "res.country"),
    Field("lang", "selection", "Language", selection=(("en_US", "English (US)"),), default="en_US"),
    Field("parent_id", "many2one", "Related Company", "res.partner"),
    Field("child_ids", "one2many", "Contact", "res.partner", "parent_id"),
    Field("commercial_partner_id", "many2one", "Commercial Entity", "res.partner", readonly=True, computed=True),
    Field("type", "selection", "Address Type", selection=_ADDRESSES_16, default="contact", only=16),
    Field("type", "selection", "Address Type", selection=_ADDRESSES, default="contact", only=19),
    Field("company_name", "char", "Company Name"),
    Field("company_id", "many2one", "Company", "res.company"),
    Field("user_id", "many2one", "Salesperson", "res.users"),
    Field("function", "char", "Job Position"),
    Field("website", "char", "Website Link"),
    Field("comment", "html", "Notes"),
    Field("customer_rank", "integer", "Customer Rank", default=0),
    Field("credit_limit", "float", "Credit Limit", store=False, only=16),
    Field("credit_limit", "float", "Credit Limit", only=19),
    Field("use_partner_credit_limit", "boolean", "Partner Limit", store=False),
    Field(
        "property_payment_term_id", "many2one", "Customer Payment Terms", "account.payment.term", store=False, only=16
    ),
    Field("property_payment_term_id", "many2one", "Customer Payment Terms", "account.payment.term", only=19),
    Field("property_product_pricelist", "many2one", "Pricelist", "product.pricelist", store=False),
    Field("autopost_bills", "selection", "Auto-post bills", required=True, selection=_AUTOPOST, default="ask", only=19),
    ACTIVE,
)


class Partners(Model):
    """Contacts. A contact has a name; an address of another type need not have one."""

    name: ClassVar[str] = "res.partner"
    label: ClassVar[str] = "Contact"
    order: ClassVar[str] = "display_name, id desc"
    declared: ClassVar[Sequence[Field]] = _FIELDS

    def compute(self, field: str, row: Row) -> Any:
        if field == "commercial_partner_id":
            return self.commercial(row["id"])
        return self.display_name(row["id"])

    def changed(self, row_id: int, given: Values, before: Row | None) -> None:
        row = self.table.rows[row_id]
        if row.get("type") == "contact" and not row.get("name"):
            raise errors.validation_error("Contacts require a name")
        if "credit_limit" in given:
            self.table.update(row_id, {"use_partner_credit_limit": bool(row["credit_limit"])})
        self.db.note("created" if before is None else "updated", self.name, row_id)

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
