"""Stock told to the Shopify double: what it shows, what is set, and that no sale in between is lost."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from adapters.shopify.adapter import ShopifyAdapter
from simulators.faults import Fault, Rule
from simulators.serving import serve
from simulators.shopify import Cart, Shop, SoldOut, application
from simulators.shopify.fulfilments import MAIN
from tallystick.clock import Budget, SystemClock
from tallystick.contract.document import StockDocument
from tallystick.marks import mark
from tallystick.ports import Answer, Applied, Doubt, Found, Job, NotApplied, Refused, Verdict
from tallystick.reasons import HoldReason
from tallystick.registry import Pace
from tallystick.stock.ports import Shelf, Shown, StockSink
from tests.unit.adapters.shopify.shops import CONNECTION, MUG, TEA, settings

_CLOCK = SystemClock()
_AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
EAST = 70_000_002


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop(now=lambda: _AT)
    shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
    shop.stockroom.add("MUG", 10)
    shop.stockroom.add("TEA", 7)
    yield shop
    assert all(rule.struck for rule in shop.faults.rules), "a fault was scripted and never struck"


@asynccontextmanager
async def connected(shop: Shop, **options: object) -> AsyncIterator[ShopifyAdapter]:
    async with serve(application(shop)) as address:
        pace = Pace(rate_per_s=1000, burst=1000, parallel=8)
        adapter = ShopifyAdapter(CONNECTION, settings(address, pace=pace, **options), _CLOCK)
        try:
            yield adapter
        finally:
            await adapter.close()


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[ShopifyAdapter]:
    async with connected(shop) as adapter:
        yield adapter


def figure(sku: str, quantity: int, expected: int, *, location: str = "", item: str = "", revision: int = 1) -> Job:
    document = StockDocument(CONNECTION, sku, location, quantity, expected, item, "1")
    ref = f"stock/{CONNECTION}/{sku}"
    return Job(ref, revision, str(mark(ref, revision, repr(document).encode())), document)


async def tell(adapter: ShopifyAdapter, *jobs: Job) -> list[Answer]:
    ready = await adapter.stock.prepare(jobs)
    sent = [one for one in ready if isinstance(one, Job)]
    (step,) = adapter.stock.steps(jobs[0].document)
    answers = iter(await adapter.stock.send(step, sent, Budget(_CLOCK, _CLOCK.monotonic_s() + 20)) if sent else ())
    return [one if isinstance(one, Refused) else next(answers) for one in ready]


async def look(adapter: ShopifyAdapter, *jobs: Job) -> list[Found]:
    (step,) = adapter.stock.steps(jobs[0].document)
    return list(await adapter.stock.probe(step, jobs))


async def show(adapter: ShopifyAdapter, *skus: str, location: str = "") -> list[Shown]:
    return list(await adapter.stock.shown([Shelf(sku, location) for sku in skus]))


def calls(shop: Shop) -> int:
    return len([one for one in shop.journal.of("read") if one.key == "SetQuantities"])


# ---- what is shown -----------------------------------------------------------------------------------------------


async def test_what_the_shop_shows(adapter: ShopifyAdapter, shop: Shop) -> None:
    assert isinstance(adapter, StockSink)
    shop.place_order(Cart([MUG]))
    mug, none, tea = await show(adapter, "MUG", "NONE", "TEA")
    assert (mug.quantity, tea.quantity) == (7, 7)
    assert mug.external_id == str(shop.stockroom.variants[0].item_id)
    assert (none.quantity, none.wrong) == (None, False)


async def test_one_sku_on_two_variants_is_wrong(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-078: never the first that matches; one that differs in case or space is no match, and said."""
    shop.stockroom.add("MUG", 3)
    shop.stockroom.add("cup ", 3)
    mug, cup = await show(adapter, "MUG", "CUP")
    assert (mug.quantity, mug.wrong, cup.quantity, cup.wrong) == (None, True, None, True)
    assert "2 variants" in mug.why
    assert "'cup '" in cup.why
    (answer,) = await tell(adapter, figure("MUG", 1, 10))
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.MAPPING


async def test_what_is_not_counted_or_not_kept_there(adapter: ShopifyAdapter, shop: Shop) -> None:
    shop.stockroom.add("SONG", 0, tracked=False)
    shop.stockroom.add("HAT", {EAST: 4})
    song, hat = await show(adapter, "SONG", "HAT", location=str(MAIN))
    assert (song.quantity, song.wrong, hat.quantity, hat.wrong) == (None, False, None, False)
    (east,) = await show(adapter, "HAT", location=f"gid://shopify/Location/{EAST}")
    assert east.quantity == 4


async def test_without_a_location_the_shops_primary_one_is_meant(adapter: ShopifyAdapter, shop: Shop) -> None:
    shop.stockroom.add("HAT", {MAIN: 2, EAST: 4})
    assert [one.quantity for one in await show(adapter, "HAT")] == [2]


async def test_many_are_shown_by_few_calls(adapter: ShopifyAdapter, shop: Shop) -> None:
    skus = [f"S'{number}" for number in range(150)]
    for number, sku in enumerate(skus):
        shop.stockroom.add(sku, number)
    shown = await show(adapter, *skus)
    assert [one.quantity for one in shown] == list(range(150))
    assert len([one for one in shop.journal.of("read") if one.key == "ReadLevels"]) == 2


# ---- what is set -------------------------------------------------------------------------------------------------


async def test_figures_are_set_in_one_call(adapter: ShopifyAdapter, shop: Shop) -> None:
    jobs = [figure("MUG", 4, 10), figure("TEA", 0, 7)]
    mug, tea = await tell(adapter, *jobs)
    assert isinstance(mug, Applied)
    assert isinstance(tea, Applied)
    assert mug.external_id == str(shop.stockroom.variants[0].item_id)
    assert (shop.stockroom.available("MUG"), shop.stockroom.available("TEA"), calls(shop)) == (4, 0, 1)
    assert [found.verdict for found in await look(adapter, *jobs)] == [Verdict.THIS, Verdict.THIS]


async def test_a_sale_between_read_and_write_is_not_lost(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-091: the figure is compared in the same call; what is not shown any more is decided anew."""
    job = figure("MUG", 12, 10)
    shop.place_order(Cart([MUG]))
    (answer,) = await tell(adapter, job)
    assert isinstance(answer, Doubt)
    assert not answer.unanswered
    (found,) = await look(adapter, job)
    assert (found.verdict, shop.stockroom.available("MUG")) == (Verdict.NEWER, 7)


async def test_one_bad_item_does_not_keep_the_others(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-092: each refusal is answered to its own, and the rest is set in the same cycle."""
    rest = [f"S{number}" for number in range(20)]
    for sku in rest:
        shop.stockroom.add(sku, 1)
    bad = [figure("GONE", 1, 1, item="999"), figure("TEA", 3, 99), figure("MUG", 5, 10, location="123")]
    given = await tell(adapter, *bad, *(figure(sku, 2, 1) for sku in rest))
    gone, stale, nowhere, *fine = given
    assert isinstance(gone, Refused)
    assert (gone.reason, "INVALID_INVENTORY_ITEM" in gone.detail) == (HoldReason.MAPPING, True)
    assert isinstance(stale, Doubt)
    assert isinstance(nowhere, Refused)
    assert all(isinstance(one, Applied) for one in fine)
    assert [shop.stockroom.available(sku) for sku in rest] == [2] * 20
    assert calls(shop) == 2


async def test_the_same_call_again_is_answered_and_not_applied_again(adapter: ShopifyAdapter, shop: Shop) -> None:
    job = figure("MUG", 4, 10)
    assert isinstance((await tell(adapter, job))[0], Applied)
    shop.stockroom.count("MUG", 10)
    assert isinstance((await tell(adapter, job))[0], Applied)
    assert shop.stockroom.available("MUG") == 10
    assert len(shop.journal.of("answered again")) == 1
    assert isinstance((await tell(adapter, replace(job, revision=2)))[0], Applied)
    assert shop.stockroom.available("MUG") == 4


@pytest.mark.parametrize(
    ("fault", "landed", "verdict"),
    [(Fault.LOST_REPLY, 4, Verdict.THIS), (Fault.NEVER_APPLIED, 10, Verdict.NEWER)],
)
async def test_an_answer_that_is_lost_is_looked_up(
    adapter: ShopifyAdapter, shop: Shop, fault: Fault, landed: int, verdict: Verdict
) -> None:
    """What is shown is `this`, or decided anew; it is never called absent."""
    job = figure("MUG", 4, 10)
    shop.faults.rules.append(Rule(fault, "SetQuantities", first=1))
    (answer,) = await tell(adapter, job)
    assert isinstance(answer, Doubt)
    assert answer.unanswered
    assert shop.stockroom.available("MUG") == landed
    assert [found.verdict for found in await look(adapter, job)] == [verdict]


async def test_a_figure_below_zero_never_leaves(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-124: what the store would falsify or refuse is refused before."""
    (answer,) = await tell(adapter, figure("MUG", -1, 10))
    assert isinstance(answer, Refused)
    assert (answer.reason, calls(shop)) == (HoldReason.DATA, 0)


async def test_two_figures_of_one_level_do_not_meet_in_a_call(adapter: ShopifyAdapter, shop: Shop) -> None:
    first, second = await tell(adapter, figure("MUG", 4, 10), figure("MUG", 5, 10, location=str(MAIN)))
    assert isinstance(first, Applied)
    assert isinstance(second, NotApplied)
    assert shop.stockroom.available("MUG") == 4


async def test_a_version_that_does_not_compare_is_refused(shop: Shop) -> None:
    async with connected(shop, api_version="2026-01") as adapter:
        (answer,) = await tell(adapter, figure("MUG", 4, 10))
    assert isinstance(answer, Refused)
    assert "2026-04" in answer.detail


# ---- the double --------------------------------------------------------------------------------------------------


def test_carts_beyond_the_stock_are_refused(shop: Shop) -> None:
    shop.place_order(Cart([TEA]))
    with pytest.raises(SoldOut):
        shop.place_order(Cart([TEA]))
    assert shop.stockroom.available("TEA") == 0
    shop.stockroom.variants[1].policy = "continue"
    order = shop.place_order(Cart([TEA]))
    assert shop.stockroom.available("TEA") == -7
    shop.cancel(order.id)
    assert shop.stockroom.available("TEA") == 0
    assert [one.detail.after for one in shop.journal.of("stock sold")] == [0, -7]
