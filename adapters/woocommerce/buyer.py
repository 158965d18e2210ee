"""Who bought: the address blocks of the order, and the one key that all orders of one buyer share."""

import re
from collections.abc import Mapping

from tallystick.canonical.keys import guest_key
from tallystick.v1 import customer_pb2

from .fields import Json, first, flag, part, reference, text
from .settings import Dialect

_REGION_CODE = re.compile(r"[A-Z]{2}-?[A-Z0-9]{1,3}|[A-Z0-9]{1,3}")


def address(block: object) -> customer_pb2.Address | None:
    """A `billing` or `shipping` block; None when nothing is filled in, as for orders that are not shipped."""
    row = part(block)
    found = customer_pb2.Address(
        name=full_name(row),
        company=text(row.get("company")),
        line1=text(row.get("address_1")),
        line2=text(row.get("address_2")),
        city=text(row.get("city")),
        region=text(row.get("state")),
        region_code=_region_code(text(row.get("state"))),
        postal_code=text(row.get("postcode")),
        country_code=text(row.get("country")).upper(),
        phone=text(row.get("phone")),
    )
    return found if found.ListFields() else None


def customer(order: Json, meta: Mapping[str, str], connection: str, dialect: Dialect) -> customer_pb2.Customer:
    """The buyer as this order names them: B2B by company or VAT number, a guest by the digest of the e-mail."""
    billing, account = part(order.get("billing")), reference(order.get("customer_id"))
    email, tax_id = text(billing.get("email")), first(meta, dialect.vat_meta)
    name, company = full_name(billing), text(billing.get("company"))
    found = customer_pb2.Customer(
        connection=connection,
        id=account,
        key=account or guest_key(connection, email),
        kind=kind_of(bool(company or tax_id), named=bool(account or email or name)),
        name=name,
        email=email,
        phone=text(billing.get("phone")),
        billing=address(billing),
        shipping=address(order.get("shipping")),
        tax_exempt=flag(meta.get("is_vat_exempt")),
    )
    if company or tax_id:
        found.company.CopyFrom(customer_pb2.Company(name=company or name, tax_id=tax_id))
    return found


def kind_of(company: bool, *, named: bool) -> customer_pb2.CustomerKind.ValueType:
    """A company by its name or VAT number."""
    if company:
        return customer_pb2.CUSTOMER_KIND_COMPANY
    return customer_pb2.CUSTOMER_KIND_PERSON if named else customer_pb2.CUSTOMER_KIND_ANONYMOUS


def full_name(row: Json) -> str:
    """First and last name."""
    return f"{text(row.get('first_name'))} {text(row.get('last_name'))}".strip()


def _region_code(state: str) -> str:
    """WooCommerce keeps codes for the countries it knows ("NY", "JP13", "DE-BY") and free text for the others."""
    return state if _REGION_CODE.fullmatch(state) else ""
