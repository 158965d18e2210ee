"""What we ask Shopify for exists in its schema, and stays below what one request may cost."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.shopify import buyer_documents, documents, levels, pricebook, shipping, subscriptions
from adapters.shopify.adapter import _PAGE, _READ, _READ_WITH_MONEY
from simulators.shopify.bucket import REQUEST_MAX
from simulators.shopify.selection import Field, Query, parse, points
from tests.shared import shared

VERSIONS = ("2026-04", "2026-07")
ALL = (*documents.ALL, *shipping.ALL, *levels.ALL, *subscriptions.ALL, *pricebook.ALL, *buyer_documents.ALL)
QUERIES = {parse(document).name: parse(document) for document in ALL}
MUTATIONS = {parse(document).name for document in ALL if document.startswith("mutation")}
_VARIABLES: Mapping[str, Mapping[str, Any]] = {
    "ReadOrder": _READ,
    "ReadOrderWithMoney": _READ_WITH_MONEY,
    "ChangedOrders": {**_PAGE, "first": 8},
    "ListOrders": {"first": documents.LISTED},
    "ReadOrders": {**_PAGE, "ids": ["gid://shopify/Order/1"] * 8},
    "CountOrders": {},
    "OrderLines": {"first": documents.LINES},
    "ReadRefund": {"lines": documents.REFUND_LINES},
    "ReadReturn": {"lines": documents.RETURN_LINES},
    "ReadPayments": {"first": documents.PAYMENTS},
    "ReadShop": {},
    "ReadSubscriptions": {"first": 100},
    "CreateSubscription": {},
    "ReadFulfilmentOrders": {"first": shipping.ORDERS, "lines": shipping.LINES},
    "ReadFulfilmentOrderLines": {"first": shipping.FULFILMENT_LINES},
    "ReadFulfilments": {"first": shipping.FULFILMENTS},
    "ReadFulfilment": {},
    "CreateFulfilment": {},
    "ReadCustomer": {},
    "ChangedCustomers": {"first": buyer_documents.CUSTOMERS},
    "ReadCompany": {"first": buyer_documents.LOCATIONS, "catalogues": buyer_documents.CATALOGUES},
    "ChangedCompanies": {"first": buyer_documents.COMPANIES},
    "ChangedLocations": {"first": buyer_documents.COMPANIES},
    "UpdateTracking": {},
    "ReadLocations": {"first": 2},
    "ReadLevels": {"first": levels.VARIANTS},
    "SetQuantities": {},
    "ReadCurrency": {},
    "FindVariants": {"first": pricebook.VARIANTS},
    "ReadVariants": {},
    "ReadFixedPrices": {"first": pricebook.IDS},
    "UpdateVariants": {},
    "UpdateProduct": {},
    "AddFixedPrices": {},
}


@dataclass(frozen=True)
class Shown:
    """A field of the schema: its type's name, and the names of its arguments."""

    type: str
    arguments: frozenset[str]


@dataclass(frozen=True)
class Schema:
    """As much of the SDL as names fields."""

    types: Mapping[str, Mapping[str, Shown]]
    #: By the name of a union or an interface.
    members: Mapping[str, set[str]]

    def check(self, fields: list[Field], on: str, where: str) -> None:
        for one in fields:
            owner = one.on or on
            assert one.on in ("", on) or one.on in self.members.get(on, ()), f"{where}: {one.on} is no {on}"
            shown = self.types[owner].get(one.name)
            assert shown is not None, f"{where}: {owner} has no field {one.name}"
            assert set(one.arguments) <= shown.arguments, f"{where}: arguments of {owner}.{one.name}"
            assert bool(one.fields) == (shown.type in self.types or shown.type in self.members), f"{where}.{one.name}"
            self.check(one.fields, shown.type, f"{where}.{one.name}")


def schema(version: str) -> Schema:
    text = shared(f"vendors/shopify/schema/admin-graphql-{version}.graphql").read_text(encoding="utf-8")
    bare = re.sub(r'"""(?:.*?)"""', "", text, flags=re.DOTALL)
    blocks = re.findall(
        r"^(?:type|interface) (\w+)(?: implements ([\w &]+))? \{\n(.*?)^\}", bare, flags=re.MULTILINE | re.DOTALL
    )
    members = {
        name: set(re.findall(r"\w+", listed))
        for name, listed in re.findall(r"^union (\w+) =([^\n]*(?:\n\s+\|[^\n]*)*)", bare, flags=re.MULTILINE)
    }
    for name, interfaces, _ in blocks:
        for interface in re.findall(r"\w+", interfaces):
            members.setdefault(interface, set()).add(name)
    return Schema({name: _fields(body) for name, _, body in blocks}, members)


def _fields(body: str) -> dict[str, Shown]:
    found = re.findall(r"^  (\w+)(\(.*?\n  \)|\([^)\n]*\))?: \[?(\w+)", body, flags=re.MULTILINE | re.DOTALL)
    return {
        name: Shown(kind, frozenset(re.findall(r"^\s+(\w+):", arguments, flags=re.MULTILINE)))
        for name, arguments, kind in found
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_every_field_that_is_asked_for_is_in_the_vendors_schema(version: str) -> None:
    known = schema(version)
    for name, query in QUERIES.items():
        known.check(query.fields, "Mutation" if name in MUTATIONS else "QueryRoot", name)


def test_the_check_finds_what_is_not_there() -> None:
    known = schema("2026-07")
    for document in (
        "query Q { shop { colour } }",
        "query Q { order(number: 1) { id } }",
        "query Q { order { purchasingEntity { ... on Order { id } } } }",
        "query Q { order { totalPriceSet } }",
    ):
        with pytest.raises(AssertionError):
            known.check(parse(document).fields, "QueryRoot", "Q")


@pytest.mark.parametrize("name", QUERIES)
def test_no_request_costs_more_than_one_may(name: str) -> None:
    query: Query = QUERIES[name]
    cost = points(query.fields, _VARIABLES[name])
    assert 0 < cost <= REQUEST_MAX


def test_every_document_names_itself() -> None:
    """Throttling and pacing are kept for each operation by its name."""
    assert len(QUERIES) == len(ALL)
