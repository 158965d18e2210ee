"""Customers of a shop by their own revisions: a company in full as far as WooCommerce and its plugins know it.

WooCommerce has no B2B of its own: the role stands for the pricing tier, and plugins keep terms, credit limit and
account number in `meta_data`, under keys that the connection's settings name.
"""

from decimal import Decimal

from tallystick.canonical.money import money, parse_amount
from tallystick.errors import Unreadable
from tallystick.ports import Reading
from tallystick.v1 import customer_pb2, event_pb2

from .buyer import address, full_name, kind_of
from .fields import Json, first, flag, gmt, meta, part, reference, text
from .settings import Dialect

_CUSTOMER = event_pb2.ENTITY_TYPE_CUSTOMER
#: The roles that WordPress and WooCommerce come with: their holders run the shop, and buy nothing.
STAFF = frozenset({"administrator", "editor", "author", "contributor", "shop_manager"})
#: The role of everybody who registers; no tier.
_PLAIN = ("customer", "subscriber")


def is_customer(row: Json) -> bool:
    """Whether a body is a whole customer, and none of the shop's own people."""
    return bool(reference(row.get("id"))) and "email" in row and text(row.get("role")) not in STAFF


def reading(row: Json, connection: str, dialect: Dialect) -> Reading:
    """The customer as the API or a delivery shows it."""
    found = _customer(row, connection, dialect)
    return Reading(_CUSTOMER, found.id, gmt(row, "date_modified"), customer=found)


def gone(customer_id: str) -> Reading:
    """The shop does not know it."""
    return Reading(_CUSTOMER, customer_id, None, gone=True)


def _customer(row: Json, connection: str, dialect: Dialect) -> customer_pb2.Customer:
    entries, billing, account = meta(row.get("meta_data")), part(row.get("billing")), reference(row.get("id"))
    tax_id, company = first(entries, dialect.vat_meta), text(billing.get("company"))
    found = customer_pb2.Customer(
        connection=connection,
        id=account,
        key=account,
        kind=kind_of(bool(company or tax_id), named=True),
        name=full_name(row) or full_name(billing),
        email=text(row.get("email")) or text(billing.get("email")),
        phone=text(billing.get("phone")),
        billing=address(billing),
        shipping=address(row.get("shipping")),
        tax_exempt=flag(entries.get("is_vat_exempt")),
    )
    if company or tax_id:
        found.company.CopyFrom(_company(row, company or found.name, tax_id, dialect))
    return found


def _company(row: Json, name: str, tax_id: str, dialect: Dialect) -> customer_pb2.Company:
    entries, role = meta(row.get("meta_data")), text(row.get("role"))
    company = customer_pb2.Company(
        name=name,
        tax_id=tax_id,
        account_number=first(entries, dialect.account_meta),
        payment_terms=first(entries, dialect.terms_meta),
        pricing_tier="" if role in _PLAIN else role,
    )
    limit = first(entries, dialect.credit_limit_meta)
    if limit and dialect.credit_limit_currency:
        company.credit_limit.CopyFrom(money(dialect.credit_limit_currency, _amount(limit)))
    shipping = address(row.get("shipping"))
    if shipping is not None and shipping != address(row.get("billing")):
        company.locations.append(customer_pb2.CompanyLocation(id="shipping", name=shipping.name, address=shipping))
    return company


def _amount(written: str) -> Decimal:
    try:
        return parse_amount(written)
    except Unreadable as error:
        raise Unreadable("the customer's credit limit is no number") from error
