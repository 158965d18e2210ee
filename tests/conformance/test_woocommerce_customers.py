"""Accounts of the WooCommerce double: read back, found by their change, told by deliveries; and as recorded."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.woocommerce import accounts
from adapters.woocommerce.adapter import WooCommerce
from adapters.woocommerce.settings import Dialect
from simulators.woocommerce import CUSTOMER_TOPICS, Shop
from tallystick.canonical.money import amount
from tallystick.customers.ports import CustomerSource
from tallystick.errors import Unreadable
from tallystick.ports import NeedsRead, NotOurs, Reading, Window
from tallystick.v1 import customer_pb2
from tests.conformance.woocommerce_help import START, Time, connected
from tests.unit.adapters.woocommerce.recorded import deliveries, exchange

_DIALECT = Dialect(
    terms_meta=("payment_terms",), credit_limit_meta=("credit",), credit_limit_currency="EUR", account_meta=("erp_no",)
)
_BILLING = {"company": "Nord GmbH", "address_1": "Markt 1", "city": "Kiel", "country": "DE", "phone": "+49 1"}
_SHIPPING = {"first_name": "Lager", "address_1": "Hafen 2", "city": "Kiel", "country": "DE"}
_META = {"vat_number": "DE123", "payment_terms": "30", "credit": "5000.00", "erp_no": "70012"}


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def shop(time: Time) -> Shop:
    shop = Shop(now=time)
    for topic in CUSTOMER_TOPICS:
        shop.outbox.subscribe(topic, "http://nowhere.example", "whs-secret-1")
    return shop


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[WooCommerce]:
    async with connected(shop, dialect=_DIALECT) as adapter:
        yield adapter


def nord(shop: Shop) -> str:
    account = shop.accounts.register(
        "einkauf@nord.example", "Ina", "Nord", role="wholesale", billing=_BILLING, shipping=_SHIPPING, meta=dict(_META)
    )
    return str(account.id)


def told(adapter: WooCommerce, shop: Shop) -> list[Reading | NeedsRead | NotOurs]:
    """What the deliveries that are owed say."""
    sent = [shop.take(owed) for owed in shop.pending_deliveries()]
    return [adapter.reading({name.lower(): value for name, value in one.headers}, one.body) for one in sent]


async def changed(adapter: WooCommerce, window: Window) -> list[str]:
    return [one.object_id async for page in adapter.changed_customers(window) for one in page]


def test_the_ability(adapter: WooCommerce) -> None:
    assert isinstance(adapter, CustomerSource)


async def test_a_wholesale_account_in_full(adapter: WooCommerce, shop: Shop) -> None:
    """The core knows no B2B: the role is the tier, and the connection names the keys of the plugins."""
    found = (await adapter.read_customer(nord(shop))).customer
    assert found is not None
    assert (found.kind, found.name, found.email) == (
        customer_pb2.CUSTOMER_KIND_COMPANY,
        "Ina Nord",
        "einkauf@nord.example",
    )
    company = found.company
    assert (company.name, company.tax_id, company.account_number) == ("Nord GmbH", "DE123", "70012")
    assert (company.payment_terms, company.pricing_tier) == ("30", "wholesale")
    assert (amount(company.credit_limit), company.credit_limit.currency_code) == (Decimal(5000), "EUR")
    assert [(one.id, one.address.line1) for one in company.locations] == [("shipping", "Hafen 2")]


async def test_a_body_says_what_a_read_says(adapter: WooCommerce, shop: Shop) -> None:
    """`created` is followed by `updated` at once."""
    account = nord(shop)
    read = await adapter.read_customer(account)
    assert told(adapter, shop) == [read, read]


async def test_a_deletion_is_read_again(adapter: WooCommerce, shop: Shop) -> None:
    account = nord(shop)
    told(adapter, shop)
    shop.accounts.delete(int(account))
    (found,) = told(adapter, shop)
    assert isinstance(found, NeedsRead)
    assert (await adapter.read_customer(found.object_id)).gone


async def test_what_changed_in_a_window(adapter: WooCommerce, shop: Shop, time: Time) -> None:
    """The list has no filter by date and leaves out other roles unless asked; who runs the shop is no customer."""
    account, plain = nord(shop), shop.accounts.register("erika@shop.example", "Erika", "Beispiel")
    time.forward(7200)
    assert await changed(adapter, Window(time.moment - timedelta(minutes=5), time.moment)) == []
    assert await changed(adapter, Window(START, time.moment)) == [account, str(plain.id)]
    shop.accounts.edit(int(account), billing={**_BILLING, "phone": "+49 2"})
    assert await changed(adapter, Window(time.moment - timedelta(minutes=5), time.moment)) == [account]


async def test_more_accounts_than_one_page_shows(adapter: WooCommerce, shop: Shop, time: Time) -> None:
    made = [str(shop.accounts.register(f"{n}@shop.example", "A", str(n)).id) for n in range(230)]
    assert await changed(adapter, Window(START, time.moment)) == made


async def test_one_that_cannot_be_translated_stops_no_other(adapter: WooCommerce, shop: Shop, time: Time) -> None:
    account, plain = nord(shop), shop.accounts.register("erika@shop.example", "Erika", "Beispiel")
    shop.accounts.edit(int(account), meta={"credit": "a lot"})
    assert await changed(adapter, Window(START, time.moment)) == [account, str(plain.id)]
    with pytest.raises(Unreadable, match="credit limit"):
        await adapter.read_customer(account)


def test_who_runs_the_shop_is_no_customer(adapter: WooCommerce, shop: Shop) -> None:
    shop.accounts.edit(1, first_name="New")
    (found,) = told(adapter, shop)
    assert isinstance(found, NotOurs)


# ---- the real shop -----------------------------------------------------------------------------------------------


def test_the_recorded_deliveries_and_the_recorded_read_are_one_customer(adapter: WooCommerce) -> None:
    bodies = [one for one in deliveries("excl-tax") if one.topic in ("customer.created", "customer.updated")]
    assert bodies
    found = [adapter.reading(one.headers, one.raw) for one in bodies]
    assert all(isinstance(one, Reading) for one in found)
    (listed,) = [row for row in exchange("excl-tax", "082").json() if accounts.is_customer(row)]
    assert accounts.reading(listed, "woocommerce", _DIALECT).customer == found[0].customer  # type: ignore[union-attr]


def test_the_recorded_customer_that_is_not_there() -> None:
    missing = exchange("excl-tax", "085")
    assert (missing.status, json.loads(missing.body)["data"]["status"]) == (404, 404)
