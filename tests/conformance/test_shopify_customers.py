"""Customers and companies of the Shopify double: read back, found by their change, told by deliveries."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from adapters.shopify.adapter import ShopifyAdapter
from adapters.shopify.buyers import customer_from_rest
from simulators.shopify import CUSTOMER_TOPICS, Address, Shop
from simulators.shopify.clients import Firm
from tallystick.canonical.money import amount
from tallystick.customers.ports import CustomerSource
from tallystick.errors import Unreadable
from tallystick.ports import NeedsRead, NotOurs, Reading, Window
from tallystick.v1 import customer_pb2
from tests.conformance.test_shopify import Time, connected
from tests.shared import shared
from tests.unit.adapters.shopify.shops import CONNECTION

_ROAD = Address(first_name="Ann", last_name="Siam", company="Siam Trading", address1="9 Silom", province_code="TH-10")
_DOCK = Address(first_name="Boon", last_name="Siam", company="Siam Trading", address1="Pier 4", city="Rayong")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def shop(time: Time) -> Shop:
    shop = Shop(now=time)
    shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
    shop.subscribe("http://nowhere.example", CUSTOMER_TOPICS)
    return shop


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[ShopifyAdapter]:
    async with connected(shop) as adapter:
        yield adapter


def siam(shop: Shop) -> Firm:
    """A company at two places with the same terms."""
    limit = '{"amount":"50000.0","currency_code":"THB"}'
    firm = shop.clients.found("Siam Trading", account="70012", email="buy@siam.example", credit_limit=limit)
    for name, where in (("Bangkok", _ROAD), ("Rayong", _DOCK)):
        shop.clients.open(
            firm.id, name, shipping=where, billing=_ROAD, terms="Net 30", tax_id="0105", catalogues=("Wholesale",)
        )
    return firm


def told(adapter: ShopifyAdapter, shop: Shop) -> list[Reading | NeedsRead | NotOurs]:
    """What the deliveries that are owed say."""
    owed = [(one.headers, one.body) for one in shop.pending_deliveries()]
    shop.hooks.queue.clear()
    return [adapter.reading({name.lower(): value for name, value in head.items()}, body) for head, body in owed]


async def changed(adapter: ShopifyAdapter, start: datetime, end: datetime) -> list[str]:
    return [one.object_id async for page in adapter.changed_customers(Window(start, end)) for one in page]


async def customer(adapter: ShopifyAdapter, key: str) -> customer_pb2.Customer:
    found = (await adapter.read_customer(key)).customer
    assert found is not None
    return found


def test_the_ability(adapter: ShopifyAdapter) -> None:
    assert isinstance(adapter, CustomerSource)


async def test_a_company_in_full(adapter: ShopifyAdapter, shop: Shop) -> None:
    firm = siam(shop)
    found = await customer(adapter, f"company-{firm.id}")
    assert (found.key, found.kind) == (f"company-{firm.id}", customer_pb2.CUSTOMER_KIND_COMPANY)
    assert (found.email, found.billing.line1) == ("buy@siam.example", "9 Silom")
    company = found.company
    assert (company.name, company.account_number, company.tax_id) == ("Siam Trading", "70012", "0105")
    assert (company.payment_terms, company.pricing_tier) == ("Net 30", "Wholesale")
    assert (amount(company.credit_limit), company.credit_limit.currency_code) == (Decimal(50000), "THB")
    assert [(one.name, one.address.line1, one.billing.line1) for one in company.locations] == [
        ("Bangkok", "9 Silom", ""),
        ("Rayong", "Pier 4", "9 Silom"),
    ]


async def test_locations_that_differ_leave_the_company_without(adapter: ShopifyAdapter, shop: Shop) -> None:
    firm = siam(shop)
    shop.clients.move(firm.id, next(iter(firm.locations)), terms="Net 15", catalogues=("Wholesale", "Summer"))
    company = (await customer(adapter, f"company-{firm.id}")).company
    assert (company.payment_terms, company.pricing_tier) == ("", "")
    assert [one.payment_terms for one in company.locations] == ["Net 15", "Net 30"]


async def test_more_locations_than_one_page_shows(adapter: ShopifyAdapter, shop: Shop) -> None:
    firm = shop.clients.found("Chain")
    for number in range(95):
        shop.clients.open(firm.id, f"Branch {number}", shipping=_ROAD)
    company = (await customer(adapter, f"company-{firm.id}")).company
    assert [one.name for one in company.locations] == [f"Branch {number}" for number in range(95)]


async def test_a_credit_limit_that_is_no_money_is_unreadable(adapter: ShopifyAdapter, shop: Shop) -> None:
    firm = shop.clients.found("Siam", credit_limit="50000")
    with pytest.raises(Unreadable, match="type money"):
        await adapter.read_customer(f"company-{firm.id}")


async def test_a_consumer_is_a_light_reference_in_either_spelling(adapter: ShopifyAdapter, shop: Shop) -> None:
    made = shop.clients.add("Erika", "Beispiel", "erika@shop.example", phone="+49 1", address=_ROAD)
    (body,) = told(adapter, shop)
    read = await adapter.read_customer(str(made.id))
    assert isinstance(body, Reading)
    assert body == read
    assert body.customer is not None
    given = {field.name for field, _ in body.customer.ListFields()}
    assert given == {"connection", "id", "key", "kind", "name", "email", "phone", "billing"}


async def test_what_is_not_there_is_gone(adapter: ShopifyAdapter, shop: Shop) -> None:
    firm = siam(shop)
    shop.clients.dissolve(firm.id)
    assert (await adapter.read_customer(f"company-{firm.id}")).gone
    assert (await adapter.read_customer("4711")).gone


async def test_what_changed_in_a_window(adapter: ShopifyAdapter, shop: Shop, time: Time) -> None:
    """A company is found by its locations too, once."""
    firm, erika = siam(shop), shop.clients.add("Erika", "Beispiel", "erika@shop.example")
    time.forward(3600)
    begin = time.moment
    assert await changed(adapter, begin, begin + timedelta(hours=1)) == []
    shop.clients.move(firm.id, next(iter(firm.locations)), terms="Net 60")
    shop.clients.edit(erika.id, phone="+49 2")
    time.forward(10)
    assert await changed(adapter, begin, time.moment) == [f"company-{firm.id}", str(erika.id)]
    whole = await changed(adapter, datetime(2020, 1, 1, tzinfo=UTC), time.moment)
    assert sorted(whole) == sorted([f"company-{firm.id}", str(erika.id)])


async def test_deliveries_about_companies_are_hints(adapter: ShopifyAdapter, shop: Shop) -> None:
    firm = siam(shop)
    shop.clients.dissolve(firm.id)
    found = told(adapter, shop)
    assert len(found) == 4
    assert all(isinstance(one, NeedsRead) and one.object_id == f"company-{firm.id}" for one in found)


async def test_a_deleted_customer_is_read_again(adapter: ShopifyAdapter, shop: Shop) -> None:
    erika = shop.clients.add("Erika", "Beispiel", "erika@shop.example")
    shop.clients.delete(erika.id)
    _, deleted = told(adapter, shop)
    assert isinstance(deleted, NeedsRead)
    assert (await adapter.read_customer(deleted.object_id)).gone


def test_a_body_without_some_fields_is_a_hint(adapter: ShopifyAdapter) -> None:
    found = adapter.reading({"x-shopify-topic": "customers/update"}, b'{"id":7,"updated_at":"2026-11-23T06:00:00Z"}')
    assert isinstance(found, NeedsRead)


@pytest.mark.parametrize("topic", ["customers/redact", "customers/data_request", "shop/redact"])
def test_what_the_law_asks_is_told_to_a_person_without_naming_anybody(adapter: ShopifyAdapter, topic: str) -> None:
    body = {"shop_id": 1, "customer": {"id": 7, "email": "erika@shop.example", "phone": "+49 1"}}
    found = adapter.reading({"x-shopify-topic": topic}, json.dumps(body).encode())
    assert isinstance(found, NotOurs)
    assert found.tell
    assert topic in found.why
    assert "erika" not in found.why


def test_the_kafka_key_is_apart_from_an_orders(adapter: ShopifyAdapter) -> None:
    order = adapter.hint({"x-shopify-topic": "orders/updated"}, b'{"id":7}')
    own = adapter.hint({"x-shopify-topic": "customers/update"}, b'{"id":7}')
    company = adapter.hint(
        {"x-shopify-topic": "company_locations/update"},
        b'{"admin_graphql_api_id":"gid://shopify/CompanyLocation/9","company":{"id":7}}',
    )
    assert [order.object_id, own.object_id, company.object_id] == ["7", "customer-7", "customer-company-7"]


def test_the_vendors_own_sample() -> None:
    sample = json.loads(shared("vendors/shopify/samples/rest-customer.json").read_text(encoding="utf-8"))["customer"]
    found = customer_from_rest(CONNECTION, sample).customer
    assert found is not None
    assert (found.key, found.name, found.phone) == ("207119551", "Bob Norman", "+16136120707")
    assert (found.billing.line1, found.billing.region_code) == ("Chestnut Street 92", "KY")
