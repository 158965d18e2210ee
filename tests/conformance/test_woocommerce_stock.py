"""Stock told to the WooCommerce double: what it shows, what is set, and what a shop that compares nothing costs."""

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import pytest

from adapters.woocommerce.adapter import WooCommerce
from simulators.faults import Fault, Rule
from simulators.woocommerce import Item, Shop, SoldOut
from tallystick.clock import Budget, SystemClock
from tallystick.contract.document import StockDocument
from tallystick.marks import mark
from tallystick.ports import Answer, Applied, Doubt, Found, Job, NotApplied, NotOurs, Refused, Verdict
from tallystick.reasons import HoldReason
from tallystick.registry import Pace
from tallystick.stock.ports import Shelf, Shown, StockSink

from .woocommerce_help import SECRET, Time, connected

_CLOCK = SystemClock()
_BATCH = "POST /products/batch"


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop(now=Time())
    for sku, stock in (("MUG", 10), ("TEA", 7), ("HAT", 3)):
        shop.add_product(sku, "10").stock = stock
    yield shop
    assert all(rule.struck for rule in shop.faults.rules), "a fault was scripted and never struck"


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[WooCommerce]:
    async with connected(shop) as adapter:
        yield adapter


def figure(sku: str, quantity: int, expected: int, location: str = "") -> Job:
    document = StockDocument("woocommerce", sku, location, quantity, expected, "", "1")
    ref = f"stock/woocommerce/{sku}"
    return Job(ref, 1, str(mark(ref, 1, repr(document).encode())), document)


async def tell(adapter: WooCommerce, *jobs: Job) -> list[Answer]:
    ready = await adapter.stock.prepare(jobs)
    sent = [one for one in ready if isinstance(one, Job)]
    (step,) = adapter.stock.steps(jobs[0].document)
    answers = iter(await adapter.stock.send(step, sent, Budget(_CLOCK, _CLOCK.monotonic_s() + 20)) if sent else ())
    return [one if isinstance(one, Refused) else next(answers) for one in ready]


async def look(adapter: WooCommerce, *jobs: Job) -> list[Found]:
    (step,) = adapter.stock.steps(jobs[0].document)
    return list(await adapter.stock.probe(step, jobs))


async def show(adapter: WooCommerce, *skus: str, location: str = "") -> list[Shown]:
    return list(await adapter.stock.shown([Shelf(sku, location) for sku in skus]))


def figures(shop: Shop) -> list[tuple[str, int, int]]:
    """Everything that was set over the API: (SKU, before, after)."""
    return [(one.key, one.detail.before, one.detail.after) for one in shop.journal.of("stock set")]


# ---- what is shown -----------------------------------------------------------------------------------------------


async def test_what_the_shop_shows(adapter: WooCommerce, shop: Shop) -> None:
    assert isinstance(adapter, StockSink)
    assert not adapter.stock.compares
    shirt = shop.add_product("SHIRT", "10")
    small = shop.catalogue.add_variation(shirt, "SHIRT-S", "10")
    small.stock = 5
    shop.place_order([Item("MUG", 4)])
    mug, none, shirt_s = await show(adapter, "MUG", "NONE", "SHIRT-S")
    assert (mug.quantity, mug.external_id) == (6, str(shop.products["MUG"].id))
    assert (none.quantity, none.wrong) == (None, False)
    assert (shirt_s.quantity, shirt_s.external_id) == (5, f"{shirt.id}/{small.id}")


async def test_what_has_no_figure_of_its_own(adapter: WooCommerce, shop: Shop) -> None:
    """Not counted, counted by the parent for all variations, or two of one SKU (FC-078)."""
    shop.add_product("SONG", "1")
    shirt = shop.add_product("SHIRT", "10")
    shirt.stock = 9
    shop.catalogue.add_variation(shirt, "SHIRT-S", "10").stock_of_parent = True
    shop.catalogue.add_double("TEA", "3").stock = 1
    song, small, parent, tea = await show(adapter, "SONG", "SHIRT-S", "SHIRT", "TEA")
    assert [(one.quantity, one.wrong) for one in (song, small, tea)] == [(None, False), (None, True), (None, True)]
    assert parent.quantity == 9
    (placed,) = await show(adapter, "MUG", location="7")
    assert (placed.quantity, placed.wrong) == (None, True)


async def test_many_are_shown_by_few_calls(adapter: WooCommerce, shop: Shop) -> None:
    skus = [f"S{number}" for number in range(150)]
    for number, sku in enumerate(skus):
        shop.add_product(sku, "1").stock = number
    counted = Rule(Fault.SLOW, "GET /products")
    shop.faults.rules.append(counted)
    assert [one.quantity for one in await show(adapter, *skus)] == list(range(150))
    assert counted.struck == 2


# ---- what is set -------------------------------------------------------------------------------------------------


async def test_figures_are_set_in_one_call_for_each_parent(adapter: WooCommerce, shop: Shop) -> None:
    shirt = shop.add_product("SHIRT", "10")
    for sku in ("SHIRT-S", "SHIRT-M"):
        shop.catalogue.add_variation(shirt, sku, "10").stock = 1
    counted = Rule(Fault.SLOW, "POST /products*")
    shop.faults.rules.append(counted)
    jobs = [figure("MUG", 4, 10), figure("SHIRT-S", 2, 1), figure("TEA", 0, 7), figure("SHIRT-M", 3, 1)]
    assert all(isinstance(one, Applied) for one in await tell(adapter, *jobs))
    assert [shop.storeroom.available(sku) for sku in ("MUG", "SHIRT-S", "TEA", "SHIRT-M")] == [4, 2, 0, 3]
    assert counted.struck == 2
    assert {found.verdict for found in await look(adapter, *jobs)} == {Verdict.THIS}


async def test_another_figure_than_expected_is_not_overwritten(adapter: WooCommerce, shop: Shop) -> None:
    """FC-091: the shop is read right before the write; the rest of the batch goes on (FC-092)."""
    shop.place_order([Item("MUG", 3)])
    mug, tea = await tell(adapter, figure("MUG", 12, 10), figure("TEA", 5, 7))
    assert isinstance(mug, Doubt)
    assert not mug.unanswered
    assert isinstance(tea, Applied)
    assert figures(shop) == [("TEA", 7, 5)]
    assert [found.verdict for found in await look(adapter, figure("MUG", 12, 10))] == [Verdict.NEWER]


async def test_one_bad_item_does_not_keep_the_others(adapter: WooCommerce, shop: Shop) -> None:
    """FC-092: a product that is gone by the time of the call is refused by itself."""
    shop.faults.rules.append(Rule(Fault.SLOW, _BATCH, while_true=lambda: shop.products.pop("HAT", None) is not None))
    mug, hat, none, tea = await tell(
        adapter, figure("MUG", 4, 10), figure("HAT", 1, 3), figure("NONE", 1, 1), figure("TEA", 5, 7)
    )
    assert isinstance(mug, Applied)
    assert isinstance(tea, Applied)
    for refused in (hat, none):
        assert isinstance(refused, Refused)
        assert refused.reason is HoldReason.MAPPING


async def test_what_the_shop_keeps_is_compared_with_what_was_sent(adapter: WooCommerce, shop: Shop) -> None:
    """FC-124: a batch is taken whatever is in it; a plugin that changes the figure is no success."""
    shop.storeroom.keeps = lambda quantity: quantity * 10
    (answer,) = await tell(adapter, figure("MUG", 4, 10))
    assert isinstance(answer, Refused)
    assert "4 was sent, and the shop keeps 40" in answer.detail


async def test_what_is_no_figure_never_leaves(adapter: WooCommerce, shop: Shop) -> None:
    """FC-124: the batch would make 0 of it."""
    nonsense = StockDocument("woocommerce", "MUG", "", Decimal("4.5"), 10, "", "1")  # type: ignore[arg-type]
    (answer,) = await tell(adapter, Job("stock/woocommerce/MUG", 1, "", nonsense))
    assert isinstance(answer, Refused)
    assert (answer.reason, figures(shop)) == (HoldReason.DATA, [])


@pytest.mark.parametrize(
    ("fault", "landed", "verdict"),
    [(Fault.LOST_REPLY, 4, Verdict.THIS), (Fault.NEVER_APPLIED, 10, Verdict.NEWER)],
)
async def test_an_answer_that_is_lost_is_looked_up(
    adapter: WooCommerce, shop: Shop, fault: Fault, landed: int, verdict: Verdict
) -> None:
    shop.faults.rules.append(Rule(fault, _BATCH, first=1))
    (answer,) = await tell(adapter, figure("MUG", 4, 10))
    assert isinstance(answer, Doubt)
    assert answer.unanswered
    assert shop.storeroom.available("MUG") == landed
    assert [found.verdict for found in await look(adapter, figure("MUG", 4, 10))] == [verdict]


async def test_a_shop_that_cannot_be_read_is_not_written(adapter: WooCommerce, shop: Shop) -> None:
    shop.settings.keys.clear()
    (answer,) = await tell(adapter, figure("MUG", 4, 10))
    assert isinstance(answer, NotApplied)
    assert figures(shop) == []


async def test_each_further_call_takes_its_own_permit(shop: Shop) -> None:
    shirt = shop.add_product("SHIRT", "10")
    shop.catalogue.add_variation(shirt, "SHIRT-S", "10").stock = 1
    async with connected(shop, pace=Pace(rate_per_s=0.01, burst=1, parallel=1)) as adapter:
        mug, small = await tell(adapter, figure("MUG", 4, 10), figure("SHIRT-S", 2, 1))
    assert isinstance(mug, Applied)
    assert isinstance(small, NotApplied)
    assert small.throttled


async def test_our_own_write_is_no_news(adapter: WooCommerce, shop: Shop) -> None:
    """FC-065: each write makes the shop tell `product.updated`, which no flow carries."""
    shop.outbox.subscribe("product.updated", "http://127.0.0.1:9/", SECRET)
    await tell(adapter, figure("MUG", 4, 10))
    (delivery,) = set(shop.pending_deliveries())
    request = shop.take(delivery)
    headers = {name.lower(): value for name, value in request.headers}
    assert adapter.verify(headers, request.body)
    assert isinstance(adapter.reading(headers, request.body), NotOurs)


# ---- the double --------------------------------------------------------------------------------------------------


def test_orders_take_and_give_back(shop: Shop) -> None:
    """A pending order takes nothing yet, the checkout refuses what is not there, and the API does not."""
    order = shop.place_order([Item("MUG", 4)], status="pending")
    assert shop.storeroom.available("MUG") == 10
    shop.pay(order.id)
    assert shop.storeroom.available("MUG") == 6
    with pytest.raises(SoldOut):
        shop.place_order([Item("MUG", 7)])
    shop.place_order([Item("MUG", 7)], created_via="rest-api")
    assert shop.storeroom.available("MUG") == -1
    shop.cancel(order.id)
    shop.cancel(order.id)
    assert shop.storeroom.available("MUG") == 3
    assert [one.detail.after for one in shop.journal.of("stock sold")] == [6, -1]
