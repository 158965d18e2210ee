"""Who stands on a document: a company in full, a person as a light reference, or the one anonymous customer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from tallystick.canonical.keys import guest_key
from tallystick.canonical.masks import is_masked, names_nobody, plain
from tallystick.contract.document import CustomerDocument, CustomerLocation, Value
from tallystick.contract.paths import Path
from tallystick.contract.report import Report
from tallystick.contract.rows import Row, apply, fit
from tallystick.contract.schema import Anonymous, Customer, CustomerKey
from tallystick.reasons import NotEligible
from tallystick.v1 import customer_pb2, order_pb2

_COMPANY = customer_pb2.CUSTOMER_KIND_COMPANY
#: How a path of the order begins that a customer alone can answer.
_OWN = "customer."


class CustomerPolicy:
    """The contract's customer policy, compiled."""

    def __init__(self, policy: Customer, tax_id: Sequence[Path], rows: Sequence[Row]) -> None:
        self._policy = policy
        self._tax_id = tuple(tax_id)
        self._rows = tuple(rows)
        self._own_rows = tuple(row for row in rows if not row.path or row.path.startswith(_OWN))
        once = {row.to for row in rows if row.given_once}
        self._given_once = frozenset(once | {part.value for part in policy.owned_by_erp})

    # ---- of an order

    def document(self, order: order_pb2.Order, report: Report) -> CustomerDocument:
        """The customer of an order. A buyer whom nobody names shares the anonymous one; strangers never merge."""
        key = self._key(order)
        if not key:
            return self._anonymous(order.connection, report)
        return self._named(order, key, apply(self._rows, order, report), own=False)

    def _key(self, order: order_pb2.Order) -> str:
        customer = order.customer
        if customer.kind == customer_pb2.CUSTOMER_KIND_ANONYMOUS or names_nobody(customer):
            return ""
        if customer.id or customer.kind == _COMPANY:
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

    # ---- of its own

    def eligibility(self, customer: customer_pb2.Customer) -> NotEligible | None:
        """Why a customer does not cross by itself; None when it does."""
        if customer.kind != _COMPANY and self._policy.which == "b2b":
            return NotEligible.CONSUMER
        company = customer.company.name if customer.kind == _COMPANY else ""
        return NotEligible.MASKED if names_nobody(customer) or is_masked(company) else None

    def revision(self, customer: customer_pb2.Customer, report: Report) -> CustomerDocument:
        """A revision of the customer's own: as an order would show it that says nothing else."""
        alone = order_pb2.Order(connection=customer.connection, customer=customer)
        return self._named(alone, customer.key, apply(self._own_rows, alone, report), own=True)

    # ---- both

    def _named(self, order: order_pb2.Order, key: str, fields: Mapping[str, Value], *, own: bool) -> CustomerDocument:
        customer, limits = order.customer, self._policy.limits
        address = _first(order.billing, customer.billing, order.shipping, customer.shipping)
        company = customer.kind == _COMPANY
        street, street2 = _streets(address, limits)
        document = CustomerDocument(
            connection=order.connection,
            key=key,
            name=_cut(_name(order, address, company) or key, "name", limits),
            email=_cut(customer.email.strip(), "email", limits),
            phone=_cut(plain(customer.phone or address.phone), "phone", limits),
            company=company,
            tax_id=next((str(value) for path in self._tax_id if (value := path.get(order))), ""),
            street=street,
            street2=street2,
            city=_cut(plain(address.city), "city", limits),
            postal_code=_cut(plain(address.postal_code), "postal_code", limits),
            country_code=address.country_code,
            region_code=address.region_code,
            fields=fields,
            account_number=customer.company.account_number,
            locations=tuple(self._locations(customer)) if own else (),
            own=own,
            given_once=self._given_once,
        )
        return replace(document, match=_match(self._policy, document))

    def _locations(self, customer: customer_pb2.Customer) -> Iterator[CustomerLocation]:
        """Where a company's goods go, and where its invoices go if that is elsewhere."""
        for location in customer.company.locations:
            if location.address.ListFields():
                yield self._location(location.id, "delivery", location, location.address)
            if location.billing.ListFields() and location.billing != location.address:
                yield self._location(f"{location.id}-billing", "invoice", location, location.billing)

    def _location(
        self, key: str, use: str, location: customer_pb2.CompanyLocation, address: customer_pb2.Address
    ) -> CustomerLocation:
        limits = self._policy.limits
        street, street2 = _streets(address, limits)
        return CustomerLocation(
            key=key,
            use=use,
            name=_cut(location.name or address.company or address.name or location.id, "name", limits),
            phone=_cut(plain(address.phone), "phone", limits),
            street=street,
            street2=street2,
            city=_cut(plain(address.city), "city", limits),
            postal_code=_cut(plain(address.postal_code), "postal_code", limits),
            country_code=address.country_code,
            region_code=address.region_code,
        )


def _match(policy: Customer, document: CustomerDocument) -> tuple[tuple[str, str], ...]:
    """By what a company is looked for before it is made; consumers are never looked for."""
    values = {
        CustomerKey.ACCOUNT_NUMBER: document.account_number,
        CustomerKey.TAX_ID: document.tax_id,
        CustomerKey.EMAIL: document.email,
    }
    return tuple((key.value, values[key]) for key in policy.match if values[key]) if document.company else ()


def _name(order: order_pb2.Order, address: customer_pb2.Address, company: bool) -> str:
    customer = order.customer
    if company:
        named = [customer.company.name, address.company, customer.name]
    else:
        named = [customer.name, address.name, order.shipping.name, customer.email]
    return next((name for name in named if name and not is_masked(name)), "")


def _first(*addresses: customer_pb2.Address) -> customer_pb2.Address:
    return next((address for address in addresses if address.ListFields()), addresses[0])


def _streets(address: customer_pb2.Address, limits: Mapping[str, int]) -> tuple[str, str]:
    """A street that is too long goes on in the second line where that is free, at a space where there is one."""
    street, street2 = plain(address.line1), plain(address.line2)
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
