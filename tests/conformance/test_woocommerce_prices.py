"""Prices told to the WooCommerce double: what is set, what is left alone, what is refused."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.woocommerce import prices
from adapters.woocommerce.adapter import WooCommerce
from simulators.faults import Fault, Rule
from simulators.woocommerce import Shop, ShopSettings
from simulators.woocommerce.catalogue import Asked
from tallystick.contract.document import CatalogPrice, Hold, Sale
from tallystick.ports import Answer, Applied, Capability, Doubt, Needless, NotApplied, Refused, Verdict
from tallystick.prices.ports import PriceSink
from tallystick.reasons import HoldReason
from tests.conformance.test_woocommerce_fulfilments import connected
from tests.unit.price_jobs import budget, price_job, probed, tell

D = Decimal
_AT = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
_BATCH = "POST /products/batch"


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop(ShopSettings(), now=lambda: _AT)
    for sku in ("MUG", "BOOK"):
        shop.add_product(sku, "10.00", sku.title())
    tee = shop.add_product("TEE", "0", "Tee")
    for sku in ("TEE-M", "TEE-L"):
        shop.catalogue.add_variation(tee, sku, "19.90")
    yield shop
    assert all(rule.struck for rule in shop.faults.rules), "a fault was scripted and never struck"


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[WooCommerce]:
    async with connected(shop) as adapter:
        yield adapter


def saves(shop: Shop) -> list[tuple[str, Any]]:
    """What was saved, in its order."""
    return [(one.key, one.detail) for one in shop.journal.entries if one.what == "product saved"]


def refused(answer: Answer | Needless) -> Refused:
    assert isinstance(answer, Refused), answer
    return answer


async def test_a_price_is_set_and_nothing_else(adapter: WooCommerce, shop: Shop) -> None:
    assert isinstance(adapter, PriceSink)
    traits = adapter.prices.traits
    assert (traits.capability, traits.conditional_update, traits.batch_max) == (Capability.E1, False, 100)
    mug = shop.products["MUG"]
    job = price_job("MUG", "12.50", title="Other", barcode="4006381333931", active=False)
    assert await tell(adapter.prices, job) == [Applied(str(mug.id))]
    assert (mug.price, mug.sale, mug.name, mug.status, mug.barcode) == (D("12.50"), None, "Mug", "publish", "")
    assert (await probed(adapter.prices, job)).verdict is Verdict.THIS


async def test_money_leaves_in_the_shops_own_form(adapter: WooCommerce, shop: Shop) -> None:
    """FC-125: with a dot, as text, in the coins of the currency."""
    shop.settings.currency, shop.settings.decimals = "JPY", 0
    await tell(adapter.prices, price_job("MUG", "1250", currency="JPY"))
    assert saves(shop) == [("MUG", Asked("1250", "", "publish"))]


async def test_what_the_shop_keeps_is_compared_with_what_was_sent(adapter: WooCommerce, shop: Shop) -> None:
    """FC-124, FC-125: an entry that was falsified is an alarm, and the others are done."""
    shop.catalogue.keeps = lambda price: price * 100 if price == D("12.50") else price
    one, other = await tell(adapter.prices, price_job("MUG", "12.50"), price_job("BOOK", "7.00"))
    assert "regular_price '12.50' was sent, '1250.00' is kept" in refused(one).detail
    assert isinstance(other, Applied)


async def test_many_prices_are_one_call_for_each_product_with_variations(adapter: WooCommerce, shop: Shop) -> None:
    skus = ("MUG", "TEE-M", "BOOK", "TEE-L")
    calls: list[Rule] = []
    for path in (_BATCH, "POST /products/{id}/variations/batch"):
        calls.append(Rule(Fault.SLOW, path))
    shop.faults.rules += calls
    answers = await tell(adapter.prices, *(price_job(sku, "21.00") for sku in skus))
    assert [one.external_id for one in answers if isinstance(one, Applied)] == [
        str(shop.products[sku].id) for sku in skus
    ]
    assert {shop.products[sku].price for sku in skus} == {D("21.00")}
    assert [rule.seen for rule in calls] == [1, 1]


async def test_what_is_shown_already_is_not_sent(adapter: WooCommerce, shop: Shop) -> None:
    """FC-065: our own write comes back as product.updated, which is no news to anybody."""
    job = price_job("MUG", "10")
    assert [type(one) for one in await tell(adapter.prices, job, job)] == [Applied, Applied]
    assert saves(shop) == []
    shop.outbox.subscribe("product.updated", "http://127.0.0.1:9/", "whs-secret-1")
    await tell(adapter.prices, price_job("MUG", "11.00"))
    (echo,) = [one for one in shop.pending_deliveries() if one.topic == "product.updated"]
    request = shop.take(echo)
    headers = {name.lower(): value for name, value in request.headers}
    assert type(adapter.reading(headers, request.body)).__name__ == "NotOurs"


# ---- sales -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("starts", [None, _AT + timedelta(days=2)])
async def test_a_sale_with_its_dates(adapter: WooCommerce, shop: Shop, starts: datetime | None) -> None:
    """The shop's end is the last moment of the sale, ours the first after it."""
    job = price_job("MUG", "10.00", sale=Sale(D("8.00"), starts, _AT + timedelta(days=9)))
    await tell(adapter.prices, job)
    mug = shop.products["MUG"]
    assert (mug.price, mug.sale, mug.sale_from) == (D("10.00"), D("8.00"), starts)
    assert mug.sale_to == _AT + timedelta(days=9, seconds=-1)
    await tell(adapter.prices, price_job("MUG", "10.00", revision=2))
    assert {mug.sale, mug.sale_from, shop.products["MUG"].sale_to} == {None}


async def test_a_sale_that_began_by_itself_is_as_it_should_be(adapter: WooCommerce, shop: Shop) -> None:
    mug = shop.products["MUG"]
    mug.sale, mug.sale_from = D("8.00"), datetime(2020, 1, 1, tzinfo=UTC)
    await tell(adapter.prices, price_job("MUG", "10.00", sale=Sale(D("8.00"), None, None)))
    assert saves(shop) == []


# ---- what else the ERP may own -----------------------------------------------------------------------------------


async def test_title_barcode_and_shelf_are_told_where_they_are_owned(adapter: WooCommerce, shop: Shop) -> None:
    """A variation is named by its attributes; a barcode is told where the shop shows one."""
    owned = frozenset({"title", "barcode", "active"})
    parts: dict[str, Any] = {"owned": owned, "title": "New & old", "barcode": "4006381333931"}
    await tell(adapter.prices, price_job("MUG", **parts), price_job("TEE-M", active=False, **parts))
    mug, tee = shop.products["MUG"], shop.products["TEE-M"]
    assert (mug.name, mug.barcode, mug.status, mug.price) == ("New & old", "", "publish", D("10.00"))
    assert (tee.name, tee.barcode, tee.status, tee.price) == ("Tee-M", "4006381333931", "private", D("19.90"))
    await tell(adapter.prices, price_job("MUG", active=False, **parts))
    assert mug.status == "draft"


# ---- what is not told --------------------------------------------------------------------------------------------


async def test_what_the_shop_does_not_sell_needs_nothing(adapter: WooCommerce, shop: Shop) -> None:
    (answer,) = await tell(adapter.prices, price_job("NOTHING", "5.00"))
    assert answer == Needless("the shop has no product with the SKU 'NOTHING'")


async def test_what_cannot_be_told_holds_only_what_the_shop_sells(adapter: WooCommerce) -> None:
    hold = Hold(HoldReason.DATA, "the price is 0.00")
    sold, unsold = await tell(adapter.prices, *(price_job(sku, hold=hold) for sku in ("MUG", "NOTHING")))
    assert (sold, type(unsold)) == (Refused(HoldReason.DATA, "the price is 0.00"), Needless)


@pytest.mark.parametrize(
    ("sku", "parts", "words"),
    [
        ("DOUBLE", {}, "2 products of the shop have the SKU 'DOUBLE'"),
        ("MUG", {"currency": "USD"}, "the shop sells in EUR, and the contract's prices are in USD"),
        ("TEE", {}, "which has no price of its own"),
        ("MUG", {"compare_at": D("15.00"), "owned": frozenset({"price", "compare_at"})}, "regular and a sale price"),
        ("MUG", {"catalogs": (CatalogPrice("1", "EUR", D("9.00")),)}, "regular and a sale price only"),
        ("A,B", {}, "a comma stands between two SKUs"),
        ("mug", {}, "the shop spells the SKU 'mug' otherwise: 'MUG'"),
    ],
)
async def test_what_has_no_place_is_held(
    adapter: WooCommerce, shop: Shop, sku: str, parts: dict[str, Any], words: str
) -> None:
    """FC-078: an ambiguous SKU is never the first that matches."""
    shop.add_product("DOUBLE", "1.00")
    shop.catalogue.add_double("DOUBLE", "2.00")
    (answer,) = await tell(adapter.prices, price_job(sku, "12.00", **parts))
    assert refused(answer).reason is HoldReason.MAPPING
    assert words in refused(answer).detail
    assert saves(shop) == []


async def test_one_entry_that_is_refused_leaves_the_others_alone(adapter: WooCommerce, shop: Shop) -> None:
    """FC-092: a product that was deleted between the look and the save."""
    jobs = [price_job("MUG", "12.00"), price_job("BOOK", "13.00")]
    ready = [job for job in await adapter.prices.prepare(jobs) if not isinstance(job, Refused | Needless)]
    del shop.products["MUG"]
    one, other = await adapter.prices.send(prices.PRICE, ready, budget())
    assert refused(one).detail.endswith("woocommerce_rest_product_invalid_id")
    assert (isinstance(other, Applied), shop.products["BOOK"].price) == (True, D("13.00"))


# ---- faults ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.CUT_JSON, Fault.HTML_ANSWER])
async def test_a_lost_answer_is_in_doubt_and_found_done(adapter: WooCommerce, shop: Shop, fault: Fault) -> None:
    shop.faults.rules.append(Rule(fault, _BATCH, first=1))
    job = price_job("MUG", "12.00")
    (answer,) = await tell(adapter.prices, job)
    assert isinstance(answer, Doubt)
    assert (await probed(adapter.prices, job)).verdict is Verdict.THIS
    assert [type(one) for one in await tell(adapter.prices, job)] == [Applied]
    assert len(saves(shop)) == 1


@pytest.mark.parametrize("fault", [Fault.NEVER_APPLIED, Fault.SERVER_ERROR])
async def test_what_never_arrived_is_told_again(adapter: WooCommerce, shop: Shop, fault: Fault) -> None:
    shop.faults.rules.append(Rule(fault, _BATCH, first=1))
    job = price_job("MUG", "12.00")
    (answer,) = await tell(adapter.prices, job)
    assert isinstance(answer, Doubt)
    assert (await probed(adapter.prices, job)).verdict is Verdict.OLDER
    await tell(adapter.prices, job)
    assert shop.products["MUG"].price == D("12.00")


async def test_a_throttled_save_was_not_applied(adapter: WooCommerce, shop: Shop) -> None:
    shop.faults.rules.append(Rule(Fault.THROTTLED, _BATCH, first=1, retry_after="1"))
    (answer,) = await tell(adapter.prices, price_job("MUG", "12.00"))
    assert (isinstance(answer, NotApplied) and answer.throttled, shop.products["MUG"].price) == (True, D("10.00"))
