"""Customers and companies of a shop: what staff does with them, what the API shows, what the shop sends.

Whether a company's own date moves with its locations is not known; here it does not, which is the harder case.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from simulators.shopify.graph import stamp
from simulators.shopify.model import Address
from simulators.shopify.selection import Connection, Malformed
from simulators.shopify.window import within

if TYPE_CHECKING:
    from simulators.shopify.shop import Shop

Json = dict[str, Any]


@dataclass(slots=True)
class Client:
    """A customer."""

    id: int
    first_name: str
    last_name: str
    email: str
    updated_at: datetime
    phone: str = ""
    address: Address | None = None


@dataclass(slots=True)
class Location:
    """A place where a company buys, with its own terms."""

    id: int
    name: str
    updated_at: datetime
    shipping: Address | None = None
    billing: Address | None = None
    terms: str = ""
    tax_id: str = ""
    catalogues: tuple[str, ...] = ()


@dataclass(slots=True)
class Firm:
    """A company."""

    id: int
    name: str
    updated_at: datetime
    account: str = ""
    email: str = ""
    #: The metafield `custom.credit_limit` as its text, of type money.
    credit_limit: str = ""
    locations: dict[int, Location] = field(default_factory=dict)


class Clients:
    """All of one shop."""

    def __init__(self, shop: "Shop") -> None:
        self.customers: dict[int, Client] = {}
        self.companies: dict[int, Firm] = {}
        self._shop = shop
        self._last_id = 5_000_000
        #: What the API answers, by the field's name.
        self.roots: dict[str, Callable[[Mapping[str, Any]], Json | None]] = {
            "customer": lambda values: _customer(self.customers.get(_number(values))),
            "company": lambda values: _company(self.companies.get(_number(values)), values),
            "customers": self._found_customers,
            "companies": self._found_companies,
            "companyLocations": self._found_locations,
        }

    # ---- what staff does

    def add(self, first_name: str, last_name: str, email: str, **parts: Any) -> Client:
        """A customer."""
        made = Client(self._id(), first_name, last_name, email, self._now(), **parts)
        self.customers[made.id] = made
        self._announce("customers/create", made.id, rest(made))
        return made

    def edit(self, customer_id: int, **parts: Any) -> Client:
        """The customer is saved with these parts changed."""
        made = replace(self.customers[customer_id], updated_at=self._now(), **parts)
        self.customers[customer_id] = made
        self._announce("customers/update", made.id, rest(made))
        return made

    def delete(self, customer_id: int) -> None:
        """The customer goes."""
        del self.customers[customer_id]
        self._announce("customers/delete", customer_id, {"id": customer_id})

    def found(self, name: str, **parts: Any) -> Firm:
        """A company, without a location."""
        made = Firm(self._id(), name, self._now(), **parts)
        self.companies[made.id] = made
        self._announce("companies/create", made.id, _told(made))
        return made

    def reform(self, company_id: int, **parts: Any) -> Firm:
        """The company is saved with these parts changed."""
        made = replace(self.companies[company_id], updated_at=self._now(), **parts)
        self.companies[company_id] = made
        self._announce("companies/update", made.id, _told(made))
        return made

    def open(self, company_id: int, name: str, **parts: Any) -> Location:
        """One more location."""
        made = Location(self._id(), name, self._now(), **parts)
        self.companies[company_id].locations[made.id] = made
        self._tell_of(company_id, made, "create")
        return made

    def move(self, company_id: int, location_id: int, **parts: Any) -> Location:
        """The location is saved with these parts changed."""
        places = self.companies[company_id].locations
        places[location_id] = replace(places[location_id], updated_at=self._now(), **parts)
        self._tell_of(company_id, places[location_id], "update")
        return places[location_id]

    def dissolve(self, company_id: int) -> None:
        """The company goes, with its locations."""
        made = self.companies.pop(company_id)
        self._announce("companies/delete", company_id, _told(made))

    def request_privacy(self, topic: str, customer: Client) -> None:
        """Somebody asks for the data, or that it is deleted."""
        person = {"id": customer.id, "email": customer.email, "phone": customer.phone}
        self._announce(topic, customer.id, {"shop_id": 548380009, "shop_domain": self._shop.domain, "customer": person})

    # ---- inside

    def _tell_of(self, company_id: int, place: Location, event: str) -> None:
        company = self.companies[company_id]
        body = {
            "name": place.name,
            "admin_graphql_api_id": f"gid://shopify/CompanyLocation/{place.id}",
            "company": {"name": company.name, "admin_graphql_api_id": f"gid://shopify/Company/{company_id}"},
        }
        self._announce(f"company_locations/{event}", company_id, body)

    def _announce(self, topic: str, object_id: int, body: Json) -> None:
        self._shop.journal.note(topic, str(object_id))
        self._shop.hooks.announce(self._shop.now(), object_id, {topic: body})

    def _found_customers(self, values: Mapping[str, Any]) -> Json:
        found = within(self.customers.values(), values["query"])
        return _page([_customer(one) for one in found], values)

    def _found_companies(self, values: Mapping[str, Any]) -> Json:
        found = within(self.companies.values(), values["query"])
        return _page([_company(one, {}) for one in found], values)

    def _found_locations(self, values: Mapping[str, Any]) -> Json:
        owners = {place.id: firm for firm in self.companies.values() for place in firm.locations.values()}
        places = [place for firm in self.companies.values() for place in firm.locations.values()]
        found = within(places, values["query"])
        return _page([{"company": _company(owners[one.id], {})} for one in found], values)

    def _now(self) -> datetime:
        return self._shop.now().replace(microsecond=0)

    def _id(self) -> int:
        self._last_id += 1
        return self._last_id


# ---- spellings -------------------------------------------------------------------------------------------------------


def rest(client: Client) -> Json:
    """As a webhook's body."""
    return {
        "id": client.id,
        "email": client.email,
        "updated_at": stamp(client.updated_at),
        "first_name": client.first_name,
        "last_name": client.last_name,
        "state": "disabled",
        "tags": "",
        "tax_exempt": False,
        "phone": client.phone or None,
        "default_address": _rest_address(client.address),
        "admin_graphql_api_id": f"gid://shopify/Customer/{client.id}",
    }


def _customer(client: Client | None) -> Json | None:
    if client is None:
        return None
    where = client.address
    codes = {} if where is None else {"provinceCode": where.province_code, "countryCodeV2": where.country_code}
    return {
        "__typename": "Customer",
        "id": f"gid://shopify/Customer/{client.id}",
        "firstName": client.first_name,
        "lastName": client.last_name,
        "updatedAt": stamp(client.updated_at),
        "defaultEmailAddress": {"emailAddress": client.email} if client.email else None,
        "defaultPhoneNumber": {"phoneNumber": client.phone} if client.phone else None,
        "defaultAddress": {**_words(where), **codes} if where is not None else None,
    }


def _company(firm: Firm | None, values: Mapping[str, Any]) -> Json | None:
    if firm is None:
        return None
    named = f"{values.get('namespace')}.{values.get('key')}"
    contact = {"defaultEmailAddress": {"emailAddress": firm.email}, "defaultPhoneNumber": None}
    return {
        "__typename": "Company",
        "id": f"gid://shopify/Company/{firm.id}",
        "name": firm.name,
        "externalId": firm.account or None,
        "updatedAt": stamp(firm.updated_at),
        "mainContact": {"customer": contact} if firm.email else None,
        "metafield": {"value": firm.credit_limit} if firm.credit_limit and named == "custom.credit_limit" else None,
        "locations": Connection([_location(place) for place in firm.locations.values()]),
    }


def _location(place: Location) -> Json:
    template = {"name": place.terms} if place.terms else None
    return {
        "__typename": "CompanyLocation",
        "id": f"gid://shopify/CompanyLocation/{place.id}",
        "name": place.name,
        "externalId": None,
        "billingAddress": _company_address(place.billing),
        "shippingAddress": _company_address(place.shipping),
        "buyerExperienceConfiguration": {"paymentTermsTemplate": template},
        "taxSettings": {"taxExempt": False, "taxRegistrationId": place.tax_id or None},
        "catalogs": Connection([{"title": title} for title in place.catalogues]),
    }


def _company_address(address: Address | None) -> Json | None:
    if address is None:
        return None
    words = _words(address)
    return {
        **words,
        "recipient": words["name"],
        "companyName": address.company,
        "zoneCode": address.province_code,
        "countryCode": address.country_code,
    }


def _words(address: Address) -> Json:
    return {
        "name": f"{address.first_name} {address.last_name}",
        "firstName": address.first_name,
        "lastName": address.last_name,
        "company": address.company or None,
        "address1": address.address1,
        "address2": address.address2 or None,
        "city": address.city,
        "province": address.province,
        "zip": address.zip,
        "phone": address.phone or None,
    }


def _rest_address(address: Address | None) -> Json | None:
    if address is None:
        return None
    words = _words(address)
    named = {"first_name": words.pop("firstName"), "last_name": words.pop("lastName")}
    return {**words, **named, "province_code": address.province_code, "country_code": address.country_code}


def _told(firm: Firm) -> Json:
    return {
        "name": firm.name,
        "external_id": firm.account or None,
        "updated_at": stamp(firm.updated_at),
        "admin_graphql_api_id": f"gid://shopify/Company/{firm.id}",
    }


def _page(nodes: list[Json | None], values: Mapping[str, Any]) -> Json:
    return Connection(nodes).page(int(values["first"]), values.get("after"))


def _number(values: Mapping[str, Any]) -> int:
    number = str(values["id"]).rpartition("/")[2]
    if not number.isdigit():
        raise Malformed(f"Invalid global id '{values['id']}'")
    return int(number)
