"""A customer spelled as a contact of Odoo: its cells, those of its further addresses, and what differs from them."""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.contract.document import CustomerDocument, CustomerLocation, Value

from . import fields, names
from .contacts import Contact
from .references import Ids
from .transport import Json
from .values import link, same

Cells = dict[str, str]
_ADDRESS = ("street", "street2", "city", "zip")
#: Columns of each part of a customer.
_COLUMNS: Mapping[str, str] = {
    "name": "name",
    "email": "email",
    "phone": "phone",
    "vat": "tax_id",
    "ref": "account_number",
}


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was looked up for a batch."""

    types: fields.Types
    countries: Mapping[str, Ids]
    states: Mapping[tuple[int, str], Ids]
    references: Mapping[fields.Reference, Ids]

    def place(self, one: CustomerDocument | CustomerLocation) -> tuple[int, int]:
        """Country and state, 0 for none."""
        country = next(iter(self.countries.get(one.country_code, ())), 0)
        return country, next(iter(self.states.get((country, one.region_code), ())), 0)


def lacking(customer: CustomerDocument, found: Found) -> list[str]:
    """What leads nowhere, in words. A state that Odoo does not know is no reason to hold an order."""
    told = fields.unfit("res.partner", customer.fields, found.types)
    told += fields.unresolved(fields.references(customer.fields, found.types), found.references)
    codes = dict.fromkeys(place.country_code for place in places(customer) if place.country_code)
    return told + [f"Odoo knows no country {code!r}" for code in codes if not found.countries[code]]


def places(customer: CustomerDocument) -> tuple[CustomerDocument | CustomerLocation, ...]:
    """Everything of it that has an address."""
    return (customer, *customer.locations)


def whole(customer: CustomerDocument, found: Found) -> Cells:
    """Of a contact that is made now."""
    texts = {column: _text(customer, part) for column, part in _COLUMNS.items()}
    own = {**texts, "is_company": "1" if customer.company else "0", **_address(customer, found)}
    return {**own, **_fields(found, customer.fields)}


def changes(customer: CustomerDocument, found: Found) -> Cells:
    """Of a contact that is there: what the store says and owns; all else stays as it is."""
    return {**_owned(customer, found), **_fields(found, _owned_fields(customer))}


def address_cells(named: str, location: CustomerLocation, found: Found) -> Cells:
    """A row of `child_ids`."""
    cells = {"id": names.external_id(named), **_location(location, found)}
    return {f"child_ids/{column}": value for column, value in cells.items()}


def differing(customer: CustomerDocument, contact: Contact, found: Found) -> list[str]:
    """What of the contact and its addresses is not as the store has it, by the names of the fields."""
    given, stored = _owned_fields(customer), contact.values
    ids = _ids(found, given)
    own = [column for column, value in _owned(customer, found).items() if not _holds(stored, column, value)]
    own += [name for name, value in given.items() if not fields.holds(stored.get(name), value, found.types[name], ids)]
    return own + [f"the address {one.key}" for one in customer.locations if _moved(contact, one, found)]


def _moved(contact: Contact, location: CustomerLocation, found: Found) -> bool:
    stored = contact.addresses.get(location.key)
    cells = _location(location, found)
    return stored is None or any(not _holds(stored, column, value) for column, value in cells.items())


def _holds(stored: Json, column: str, cell: str) -> bool:
    name, _, by = column.partition("/")
    return str(link(stored.get(name)) or "") == cell if by else same(stored.get(name), cell, "char")


def _owned(customer: CustomerDocument, found: Found) -> Cells:
    """The parts that the store owns. What it does not say is left out; an address is one thing."""
    once = customer.given_once
    cells = {
        column: value for column, part in _COLUMNS.items() if part not in once and (value := _text(customer, part))
    }
    said = customer.street or customer.city or customer.postal_code
    return {**cells, **_address(customer, found)} if said and "address" not in once else cells


def _owned_fields(customer: CustomerDocument) -> dict[str, Value]:
    return {name: value for name, value in customer.fields.items() if name not in customer.given_once}


def _location(location: CustomerLocation, found: Found) -> Cells:
    head = {"name": location.name, "type": location.use, "phone": location.phone}
    return {**head, **_address(location, found)}


def _text(customer: CustomerDocument, part: str) -> str:
    return str(getattr(customer, part))


def _address(one: CustomerDocument | CustomerLocation, found: Found) -> Cells:
    country, state = found.place(one)
    texts = dict(zip(_ADDRESS, (one.street, one.street2, one.city, one.postal_code), strict=True))
    return {**texts, "country_id/.id": str(country or ""), "state_id/.id": str(state or "")}


def _fields(found: Found, given: Mapping[str, Value]) -> Cells:
    return fields.cells(given, found.types, _ids(found, given))


def _ids(found: Found, given: Mapping[str, Value]) -> dict[fields.Reference, int]:
    wanted = fields.references(given, found.types)
    return {reference: found.references[reference][0] for reference in wanted}


#: What is read of a contact beside the contract's fields, to compare it.
READ = (*_COLUMNS, *_ADDRESS, "country_id", "state_id")
