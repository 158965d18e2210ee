"""Who stands on a document: a company in full, a person as a light reference, or the one anonymous customer."""

from collections.abc import Mapping, Sequence

from tallystick.canonical.keys import guest_key
from tallystick.contract.document import CustomerDocument
from tallystick.contract.paths import Path
from tallystick.contract.report import Report
from tallystick.contract.rows import Row, apply, fit
from tallystick.contract.schema import Anonymous, Customer
from tallystick.v1 import customer_pb2, order_pb2


class CustomerPolicy:
    """The contract's customer policy, compiled."""

    def __init__(self, policy: Customer, tax_id: Sequence[Path], rows: Sequence[Row]) -> None:
        self._policy = policy
        self._tax_id = tuple(tax_id)
        self._rows = tuple(rows)

    def document(self, order: order_pb2.Order, report: Report) -> CustomerDocument:
        """The customer of an order. A buyer whom nobody names shares the anonymous one; strangers never merge."""
        key = self._key(order)
        return self._named(order, key, report) if key else self._anonymous(order.connection, report)

    def _key(self, order: order_pb2.Order) -> str:
        customer = order.customer
        if customer.kind == customer_pb2.CUSTOMER_KIND_ANONYMOUS:
            return ""
        if customer.id or customer.kind == customer_pb2.CUSTOMER_KIND_COMPANY:
            return customer.key or customer.id or customer.company.id
        if self._policy.guests == "anonymous":
            return ""
        return customer.key or guest_key(order.connection, customer.email)

    def _anonymous(self, connection: str, report: Report) -> CustomerDocument:
        policy = self._policy.anonymous
        if not isinstance(policy, Anonymous):
            report.missing("customer", "", "the order names no buyer, and the contract has no `customer.anonymous`")
            policy = Anonymous()
        return CustomerDocument(
            connection=connection,
            key=policy.key,
            name=policy.name,
            email="",
            phone="",
            company=False,
            tax_id="",
            street="",
            street2="",
            city="",
            postal_code="",
            country_code="",
            region_code="",
        )

    def _named(self, order: order_pb2.Order, key: str, report: Report) -> CustomerDocument:
        customer = order.customer
        address = _first(order.billing, customer.billing, order.shipping, customer.shipping)
        company = customer.kind == customer_pb2.CUSTOMER_KIND_COMPANY
        limits = self._policy.limits
        street, street2 = _streets(address.line1, address.line2, limits)
        return CustomerDocument(
            connection=order.connection,
            key=key,
            name=_cut(_name(order, address, company) or key, "name", limits),
            email=_cut(customer.email.strip(), "email", limits),
            phone=_cut(customer.phone or address.phone, "phone", limits),
            company=company,
            tax_id=next((str(value) for path in self._tax_id if (value := path.get(order))), ""),
            street=street,
            street2=street2,
            city=_cut(address.city, "city", limits),
            postal_code=_cut(address.postal_code, "postal_code", limits),
            country_code=address.country_code,
            region_code=address.region_code,
            fields=apply(self._rows, order, report),
        )


def _name(order: order_pb2.Order, address: customer_pb2.Address, company: bool) -> str:
    if company:
        return order.customer.company.name or address.company or order.customer.name
    return order.customer.name or address.name or order.shipping.name or order.customer.email


def _first(*addresses: customer_pb2.Address) -> customer_pb2.Address:
    return next((address for address in addresses if address.ListFields()), addresses[0])


def _streets(street: str, street2: str, limits: Mapping[str, int]) -> tuple[str, str]:
    """A street that is too long goes on in the second line where that is free, at a space where there is one."""
    most = limits.get("street")
    if most and len(street) > most and not street2:
        at = street.rfind(" ", 0, most + 1)
        at = at if at > 0 else most
        street, street2 = street[:at], street[at:].strip()
    return _cut(street, "street", limits), _cut(street2, "street2", limits)


def _cut(text: str, name: str, limits: Mapping[str, int]) -> str:
    most = limits.get(name)
    return fit(text, most) if most else text


#: The fields that `limits` may name.
LIMITED = ("name", "email", "phone", "street", "street2", "city", "postal_code")
