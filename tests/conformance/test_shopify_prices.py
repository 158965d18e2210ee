"""Prices told to the Shopify double: what is set, what is left alone, what is refused."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.shopify.adapter import ShopifyAdapter
from adapters.shopify.prices import CATALOG, PRICE, PRODUCT
from simulators.faults import Fault, Rule
from simulators.shopify import Shop
from simulators.shopify.pricebook import Asked
from tallystick.contract.document import CatalogPrice, Hold, Sale
from tallystick.ports import Answer, Applied, Capability, Doubt, Needless, NotApplied, Refused, Verdict
from tallystick.prices.ports import PriceSink
from tallystick.reasons import HoldReason
from tests.conformance.test_shopify_fulfilments import connected
from tests.unit.price_jobs import budget, price_job, probed, tell

D = Decimal
_AT = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
_BOTH = frozenset({"price", "compare_at"})
_LATER = _AT + timedelta(days=2)


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop(currency="EUR", now=lambda: _AT)
    shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
    for sku in ("MUG", "BOOK"):
        shop.pricebook.add(sku, "10.00")
    shop.pricebook.add("TEE-M", "19.90", title="Tee")
    shop.pricebook.add("TEE-L", "19.90", beside="TEE-M")
    yield shop
    assert all(rule.struck for rule in shop.faults.rules), "a fault was scripted and never struck"


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[ShopifyAdapter]:
    async with connected(shop) as adapter:
        yield adapter


def changes(shop: Shop, what: str = "price set") -> list[tuple[str, Any]]:
    """What was set, in its order."""
    return [(one.key, one.detail) for one in shop.journal.entries if one.what == what]


def refused(answer: Answer | Needless) -> Refused:
    assert isinstance(answer, Refused), answer
    return answer


async def test_a_price_is_set_and_nothing_else(adapter: ShopifyAdapter, shop: Shop) -> None:
    assert isinstance(adapter, PriceSink)
    traits = adapter.prices.traits
    assert (traits.capability, traits.conditional_update) == (Capability.E1, False)
    tag = shop.pricebook.tag("MUG")
    tag.compare_at, tag.barcode = D("15.00"), "12345670"
    job = price_job("MUG", "12.50", title="Other", barcode="4006381333931", active=False)
    assert adapter.prices.steps(job.document) == (PRICE,)
    assert [type(one) for one in await tell(adapter.prices, job)] == [Applied]
    assert changes(shop) == [("MUG", Asked("12.50", "15.00", "12345670"))]
    assert (tag.product.title, tag.product.status) == ("Mug", "ACTIVE")
    assert (await probed(adapter.prices, job)).verdict is Verdict.THIS


async def test_the_variants_of_a_product_are_one_mutation(adapter: ShopifyAdapter, shop: Shop) -> None:
    rule = Rule(Fault.SLOW, "UpdateVariants")
    shop.faults.rules.append(rule)
    skus = ("TEE-M", "MUG", "TEE-L")
    await tell(adapter.prices, *(price_job(sku, "21.00") for sku in skus))
    assert ([shop.pricebook.tag(sku).price for sku in skus], rule.seen) == ([D("21.00")] * 3, 2)


async def test_what_is_shown_already_is_not_sent(adapter: ShopifyAdapter, shop: Shop) -> None:
    await tell(adapter.prices, price_job("MUG", "10"), price_job("BOOK", "10.0"))
    assert changes(shop) == []


async def test_what_the_shop_keeps_is_compared_with_what_was_sent(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-125: the answer's value against ours."""
    shop.pricebook.keeps = lambda price: price.to_integral_value()
    (answer,) = await tell(adapter.prices, price_job("MUG", "12.40"))
    assert "price 12.40 was sent, 12 is kept" in refused(answer).detail


# ---- sales, and what is struck through ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sale", "compare_at", "shown"),
    [
        (Sale(D("8.00"), None, _LATER), None, ("8.00", "10.00")),
        # Shopify knows no dates: what is to come is told when it is time.
        (Sale(D("8.00"), _LATER, None), None, ("10.00", "")),
        (None, D("15.00"), ("10.00", "15.00")),
        # What is not higher is no price to compare with.
        (None, D("10.00"), ("10.00", "")),
        (None, None, ("10.00", "")),
    ],
)
async def test_the_price_in_force_and_the_one_struck_through(
    adapter: ShopifyAdapter, shop: Shop, sale: Sale | None, compare_at: Decimal | None, shown: tuple[str, str]
) -> None:
    tag = shop.pricebook.tag("MUG")
    tag.price, tag.compare_at = D("1.00"), D("99.00")
    await tell(adapter.prices, price_job("MUG", "10.00", sale=sale, compare_at=compare_at, owned=_BOTH))
    assert (f"{tag.price:f}", f"{tag.compare_at:f}" if tag.compare_at else "") == shown


# ---- price lists of markets and companies ------------------------------------------------------------------------


async def test_prices_of_a_market_go_to_its_list(adapter: ShopifyAdapter, shop: Shop) -> None:
    dollars = shop.pricebook.add_list("USD")
    jobs = [
        price_job(sku, "10.00", catalogs=(CatalogPrice(str(dollars.id), "USD", D("11.50")),)) for sku in ("MUG", "BOOK")
    ]
    assert adapter.prices.steps(jobs[0].document) == (PRICE, CATALOG)
    assert (await probed(adapter.prices, jobs[0], 1)).verdict is Verdict.ABSENT
    rule = Rule(Fault.SLOW, "AddFixedPrices")
    shop.faults.rules.append(rule)
    await tell(adapter.prices, *jobs)
    assert (sorted(dollars.prices.values()), rule.seen) == ([D("11.50"), D("11.50")], 1)
    assert (await probed(adapter.prices, jobs[0], 1)).verdict is Verdict.THIS
    await tell(adapter.prices, *jobs)
    assert rule.seen == 1


async def test_a_list_in_another_currency_is_held(adapter: ShopifyAdapter, shop: Shop) -> None:
    dollars = shop.pricebook.add_list("USD")
    (answer,) = await tell(
        adapter.prices, price_job("MUG", "10.00", catalogs=(CatalogPrice(str(dollars.id), "GBP", D("9.00")),))
    )
    assert refused(answer).reason is HoldReason.MAPPING
    assert "PRICE_LIST_CURRENCY_MISMATCH" in refused(answer).detail
    (answer,) = await tell(adapter.prices, price_job("MUG", "10.00", catalogs=(CatalogPrice("5", "USD", D("9.00")),)))
    assert "PRICE_LIST_NOT_FOUND" in refused(answer).detail


# ---- what else the ERP may own -----------------------------------------------------------------------------------


async def test_title_barcode_and_status_are_told_where_they_are_owned(adapter: ShopifyAdapter, shop: Shop) -> None:
    """A product with several variants has its title and its status from none of them."""
    owned = frozenset({"title", "barcode", "active"})
    parts: dict[str, Any] = {"owned": owned, "title": "New", "barcode": "4006381333931", "active": False}
    jobs = [price_job(sku, **parts) for sku in ("MUG", "TEE-L")]
    assert adapter.prices.steps(jobs[0].document) == (PRICE, PRODUCT)
    await tell(adapter.prices, *jobs)
    mug, tee = (shop.pricebook.tag(sku) for sku in ("MUG", "TEE-L"))
    assert (mug.product.title, mug.product.status, mug.barcode, mug.price) == ("New", "DRAFT", "4006381333931", D(10))
    assert (tee.product.title, tee.product.status, tee.barcode) == ("Tee", "ACTIVE", "4006381333931")
    assert (await probed(adapter.prices, jobs[0], 1)).verdict is Verdict.THIS
    assert len(changes(shop, "product changed")) == 1


# ---- what is not told --------------------------------------------------------------------------------------------


async def test_what_the_shop_does_not_sell_needs_nothing(adapter: ShopifyAdapter) -> None:
    (answer,) = await tell(adapter.prices, price_job("NOTHING", "5.00"))
    assert answer == Needless("the store has no variant with the SKU 'NOTHING'")


async def test_what_cannot_be_told_holds_only_what_the_shop_sells(adapter: ShopifyAdapter) -> None:
    hold = Hold(HoldReason.DATA, "the price is 0.00")
    sold, unsold = await tell(adapter.prices, *(price_job(sku, hold=hold) for sku in ("MUG", "NOTHING")))
    assert (sold, type(unsold)) == (Refused(HoldReason.DATA, "the price is 0.00"), Needless)


@pytest.mark.parametrize(
    ("sku", "currency", "words"),
    [
        ("MUG", "USD", "the store sells in EUR, and the contract's prices are in USD"),
        ("DOUBLE", "EUR", "2 variants in the store bear the SKU 'DOUBLE'"),
        ("mug", "EUR", "the store spells the SKU 'mug' otherwise: 'MUG'"),
    ],
)
async def test_what_has_no_place_is_held(
    adapter: ShopifyAdapter, shop: Shop, sku: str, currency: str, words: str
) -> None:
    """FC-078: an ambiguous SKU is never the first that matches."""
    for _ in range(2):
        shop.pricebook.add("DOUBLE", "1.00")
    (answer,) = await tell(adapter.prices, price_job(sku, "12.00", currency=currency))
    assert (refused(answer).reason, refused(answer).detail) == (HoldReason.MAPPING, words)
    assert changes(shop) == []


async def test_a_variant_that_is_refused_leaves_its_sisters_alone(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-092: all or nothing, so what is refused by its place is taken out, and the rest goes again."""
    jobs = [price_job("TEE-M", "21.00"), price_job("TEE-L", "22.00")]
    ready = [job for job in await adapter.prices.prepare(jobs) if not isinstance(job, Refused | Needless)]
    shop.pricebook.remove("TEE-M")
    one, other = await adapter.prices.send(PRICE, ready, budget())
    assert "PRODUCT_VARIANT_DOES_NOT_EXIST" in refused(one).detail
    assert (isinstance(other, Applied), shop.pricebook.tag("TEE-L").price) == (True, D("22.00"))


# ---- faults ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.CUT_JSON, Fault.HTML_ANSWER])
async def test_a_lost_answer_is_in_doubt_and_found_done(adapter: ShopifyAdapter, shop: Shop, fault: Fault) -> None:
    shop.faults.rules.append(Rule(fault, "UpdateVariants", first=1))
    job = price_job("MUG", "12.00")
    (answer,) = await tell(adapter.prices, job)
    assert isinstance(answer, Doubt)
    assert (await probed(adapter.prices, job)).verdict is Verdict.THIS
    await tell(adapter.prices, job)
    assert len(changes(shop)) == 1


@pytest.mark.parametrize("fault", [Fault.NEVER_APPLIED, Fault.SERVER_ERROR])
async def test_what_never_arrived_is_told_again(adapter: ShopifyAdapter, shop: Shop, fault: Fault) -> None:
    shop.faults.rules.append(Rule(fault, "UpdateVariants", first=1))
    job = price_job("MUG", "12.00")
    (answer,) = await tell(adapter.prices, job)
    assert isinstance(answer, Doubt)
    assert (await probed(adapter.prices, job)).verdict is Verdict.OLDER
    await tell(adapter.prices, job)
    assert shop.pricebook.tag("MUG").price == D("12.00")


async def test_a_throttled_mutation_was_not_applied(adapter: ShopifyAdapter, shop: Shop) -> None:
    shop.faults.rules.append(Rule(Fault.THROTTLED, "UpdateVariants", first=1, retry_after="1"))
    (answer,) = await tell(adapter.prices, price_job("MUG", "12.00"))
    assert (isinstance(answer, NotApplied) and answer.throttled, changes(shop)) == (True, [])
