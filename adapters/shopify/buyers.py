"""Customers and companies of a shop by their own revisions, in both spellings where Shopify has two.

Terms, tax number and catalogue hang on a company's locations; the company has those that all of them share. Shopify has
no credit limit: a metafield of type money holds it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.shopify.fields import Json, identifier, instant, joined, objects, parse, part, text
from tallystick.canonical.money import money, parse_amount
from tallystick.errors import Unreadable
from tallystick.ports import Reading
from tallystick.v1 import customer_pb2, event_pb2

_CUSTOMER = event_pb2.ENTITY_TYPE_CUSTOMER
_COMPANY = "company-"


def company_key(number: str) -> str:
    """The canonical key of a company; customers and companies are numbered apart."""
    return _COMPANY + number


def company_number(key: str) -> str | None:
    """The company's number of a key; None for a customer's."""
    return key.removeprefix(_COMPANY) if key.startswith(_COMPANY) else None


def gone(key: str) -> Reading:
    """The shop does not know it."""
    return Reading(_CUSTOMER, key, None, gone=True)


# ---- customers: a light reference --------------------------------------------------------------------------------


def customer_from_rest(connection: str, body: Json) -> Reading:
    """The body of `customers/create` and `customers/update`."""
    where = part(body.get("default_address"))
    place = _address(
        where, "province_code", "country_code", joined(text(where.get("first_name")), text(where.get("last_name")))
    )
    name = joined(text(body.get("first_name")), text(body.get("last_name")))
    reach = (text(body.get("email")), text(body.get("phone")))
    return _light(connection, identifier(body.get("id")), name, *reach, place, body.get("updated_at"))


def customer_from_graphql(connection: str, node: Json) -> Reading:
    """A `Customer`."""
    where = part(node.get("defaultAddress"))
    place = _address(
        where, "provinceCode", "countryCodeV2", joined(text(where.get("firstName")), text(where.get("lastName")))
    )
    name = joined(text(node.get("firstName")), text(node.get("lastName")))
    reach = (
        text(part(node.get("defaultEmailAddress")).get("emailAddress")),
        text(part(node.get("defaultPhoneNumber")).get("phoneNumber")),
    )
    return _light(connection, identifier(node.get("id")), name, *reach, place, node.get("updatedAt"))


def _light(
    connection: str, number: str, name: str, email: str, phone: str, place: customer_pb2.Address, changed: object
) -> Reading:
    customer = customer_pb2.Customer(
        connection=connection,
        id=number,
        key=number,
        kind=customer_pb2.CUSTOMER_KIND_PERSON,
        name=name or place.name,
        email=email,
        phone=phone,
        billing=place if place.ListFields() else None,
    )
    return Reading(_CUSTOMER, number, instant(changed), customer=customer)


# ---- companies: in full ------------------------------------------------------------------------------------------


def company_from_graphql(connection: str, node: Json, locations: list[Json]) -> Reading:
    """A `Company` with all its locations."""
    number = identifier(node.get("id"))
    contact = part(part(node.get("mainContact")).get("customer"))
    places = [_location(one) for one in locations]
    company = customer_pb2.Company(
        id=number,
        name=text(node.get("name")),
        account_number=text(node.get("externalId")),
        tax_id=_shared(one.tax_id for one in places),
        payment_terms=_shared(one.payment_terms for one in places),
        pricing_tier=_shared(one.pricing_tier for one in places),
        locations=places,
    )
    _limit(company, part(node.get("metafield")))
    first = places[0] if places else customer_pb2.CompanyLocation()
    main = first.billing if first.billing.ListFields() else first.address
    customer = customer_pb2.Customer(
        connection=connection,
        id=company_key(number),
        key=company_key(number),
        kind=customer_pb2.CUSTOMER_KIND_COMPANY,
        name=company.name,
        email=text(part(contact.get("defaultEmailAddress")).get("emailAddress")),
        phone=text(part(contact.get("defaultPhoneNumber")).get("phoneNumber")),
        billing=main if main.ListFields() else None,
        company=company,
        tax_exempt=bool(locations) and all(part(one.get("taxSettings")).get("taxExempt") is True for one in locations),
    )
    return Reading(_CUSTOMER, customer.key, instant(node.get("updatedAt")), customer=customer)


def _location(node: Json) -> customer_pb2.CompanyLocation:
    terms = part(part(node.get("buyerExperienceConfiguration")).get("paymentTermsTemplate"))
    shipping, billing = _company_address(node.get("shippingAddress")), _company_address(node.get("billingAddress"))
    return customer_pb2.CompanyLocation(
        id=identifier(node.get("id")),
        name=text(node.get("name")),
        address=shipping or billing,
        billing=billing if shipping and billing != shipping else None,
        payment_terms=text(terms.get("name")),
        tax_id=text(part(node.get("taxSettings")).get("taxRegistrationId")),
        pricing_tier=_only([text(one.get("title")) for one in objects(part(node.get("catalogs")).get("nodes"))]),
        account_number=text(node.get("externalId")),
    )


def _company_address(value: object) -> customer_pb2.Address | None:
    node = part(value)
    found = _address(node, "zoneCode", "countryCode", text(node.get("recipient")))
    found.company = text(node.get("companyName"))
    return found if found.line1 or found.city else None


def _address(node: Json, region_code: str, country_code: str, named: str) -> customer_pb2.Address:
    return customer_pb2.Address(
        name=text(node.get("name")) or named,
        company=text(node.get("company")),
        line1=text(node.get("address1")),
        line2=text(node.get("address2")),
        city=text(node.get("city")),
        region=text(node.get("province")),
        region_code=text(node.get(region_code)),
        postal_code=text(node.get("zip")),
        country_code=text(node.get(country_code)),
        phone=text(node.get("phone")),
    )


def _limit(company: customer_pb2.Company, metafield: Mapping[str, Any]) -> None:
    """`{"amount":"5000.0","currency_code":"EUR"}`, as metafields of type money are written."""
    if not metafield.get("value"):
        return
    value = part(parse(text(metafield["value"]).encode()))
    if not value.get("currency_code"):
        raise Unreadable("the metafield of the credit limit is not of the type money")
    company.credit_limit.CopyFrom(money(text(value["currency_code"]), parse_amount(str(value.get("amount")))))


def _shared(values: Iterable[str]) -> str:
    """What all locations say; empty when they differ."""
    return _only(list(dict.fromkeys(values)))


def _only(values: list[str]) -> str:
    return values[0] if len(values) == 1 else ""
