"""The Shopify adapter against the double: reads, windows, deliveries, points, tokens, and what each failure means."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from adapters import KINDS
from adapters.shopify.adapter import ShopifyAdapter
from simulators.faults import Fault, Rule
from simulators.serving import serve
from simulators.shopify import Cart, Item, Shop, application
from simulators.shopify.model import Order
from simulators.shopify.shop import WEBHOOK_TOPICS
from tallystick.canonical import checks
from tallystick.canonical.digest import digest
from tallystick.clock import Clock, SystemClock
from tallystick.errors import SetupError, Throttled, Unauthorised, Unavailable, Unreadable
from tallystick.ports import ConnectionTest, Identified, NeedsRead, OrderSource, Reading, WebhookSource, Window
from tallystick.registry import Pace, find_kind
from tallystick.secrets import Secret
from tallystick.settings import Connection
from tests.unit.adapters.shopify.shops import CARTS, CONNECTION, MUG, TEA, VAT7, D, settings

_CLOCK = SystemClock()
_START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


class Time:
    """A clock for the shop that only the test moves."""

    def __init__(self) -> None:
        self.moment = _START

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, seconds: float = 1) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def shop(time: Time) -> Iterator[Shop]:
    shop = Shop(now=time)
    # The largest plan's points, so that tests which are not about them do not wait for them.
    shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
    yield shop
    assert not shop.faults.rules or shop.faults.struck, "a fault was scripted and never struck"


@asynccontextmanager
async def connected(shop: Shop, *, clock: Clock = _CLOCK, **options: object) -> AsyncIterator[ShopifyAdapter]:
    async with serve(application(shop)) as address:
        quick = settings(address, **{"pace": Pace(rate_per_s=1000, burst=1000, parallel=8), **options})
        adapter = ShopifyAdapter(CONNECTION, quick, clock)
        try:
            yield adapter
        finally:
            await adapter.close()


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[ShopifyAdapter]:
    async with connected(shop) as adapter:
        yield adapter


async def changed(adapter: ShopifyAdapter, start: datetime, end: datetime) -> list[Reading | NeedsRead]:
    return [found async for page in adapter.changed_orders(Window(start, end)) for found in page]


def ids(found: list[Reading | NeedsRead]) -> list[str]:
    return sorted({reading.object_id for reading in found}, key=int)


def bought(shop: Shop, count: int) -> list[str]:
    return [str(shop.place_order(Cart([MUG])).id) for _ in range(count)]


def test_the_abilities(adapter: ShopifyAdapter) -> None:
    for ability in (WebhookSource, OrderSource, Identified, ConnectionTest):
        assert isinstance(adapter, ability)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shop": "example", "colour": "red", "access_token": "env:X"}, "colour"),
        ({"shop": "https://shop.example/admin"}, "write the name before .myshopify.com"),
        ({"shop": "example"}, "either client_id and client_secret, or access_token"),
    ],
)
def test_settings_are_explained(options: dict[str, str], words: str) -> None:
    connection = Connection.model_validate({"kind": "shopify", **options})
    with pytest.raises(SetupError, match=words):
        find_kind(KINDS, "shopify").build("shop", connection, SystemClock())


# ---- reading -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cart", CARTS)
async def test_an_order_of_every_kind_is_read_whole(adapter: ShopifyAdapter, shop: Shop, cart: str) -> None:
    order = shop.place_order(CARTS[cart])
    found = await adapter.read_order(str(order.id))
    assert found.order is not None
    assert (found.findings, checks.findings(found.order)) == ((), [])
    assert (found.object_id, found.source_modified) == (str(order.id), _START)
    assert len(found.order.lines) == len(order.lines) - (cart == "tip as a line")


async def test_an_order_that_is_not_there_is_gone(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    shop.delete_order(order.id)
    found = await adapter.read_order(str(order.id))
    assert (found.gone, found.order, found.object_id) == (True, None, str(order.id))


@pytest.mark.parametrize(
    "happens",
    [
        lambda shop, order: None,
        lambda shop, order: shop.edit_order(order.id, {order.lines[0].id: 1}, add=[TEA]),
        lambda shop, order: shop.refund(order.id, {order.lines[0].id: 1}, shipping=D("5")),
        lambda shop, order: shop.cancel(order.id),
    ],
    ids=["placed", "edited", "refunded", "cancelled"],
)
async def test_a_delivered_body_and_a_read_are_one_content(
    adapter: ShopifyAdapter, shop: Shop, happens: Callable[[Shop, Order], object]
) -> None:
    """FC-003: the bytes of the webhook and the answer of the API, as they really travel."""
    shop.subscribe("http://127.0.0.1:9/", ["orders/create", "orders/updated"])
    order = shop.place_order(Cart([MUG, TEA], shipping=D("50"), shipping_rates=VAT7))
    happens(shop, order)
    delivery = shop.pending_deliveries()[-1]
    given = {name.lower(): value for name, value in delivery.headers.items()}
    assert adapter.verify(given, delivery.body)
    body, read = adapter.reading(given, delivery.body), await adapter.read_order(str(order.id))
    assert isinstance(body, Reading)
    assert body.order is not None
    assert read.order is not None
    assert digest(body.order) == digest(read.order)
    assert [digest(p.refund) for p in body.parts if p.refund] == [digest(p.refund) for p in read.parts if p.refund]


async def test_an_order_of_hundreds_of_lines_has_all_of_them(adapter: ShopifyAdapter, shop: Shop) -> None:
    """Ten requests: the lines come in pages of 25, and no page may be left out."""
    items = [Item(f"Item {n}", D("1.05"), sku=f"S{n}", rates=VAT7) for n in range(230)]
    order = shop.place_order(Cart(items))
    found = await adapter.read_order(str(order.id))
    assert found.order is not None
    assert [line.sku for line in found.order.lines] == [f"S{n}" for n in range(230)]
    assert checks.findings(found.order) == []


async def test_an_order_that_changes_between_its_pages_is_read_anew(
    adapter: ShopifyAdapter, shop: Shop, time: Time
) -> None:
    """Lines of two states would be an order that never was."""
    order = shop.place_order(Cart([Item(f"Item {n}", D("3"), 2, sku=f"S{n}") for n in range(60)]))

    def edit_once() -> bool:
        if not order.edited:
            time.forward(5)
            shop.edit_order(order.id, {line.id: 1 for line in order.lines})
        return False

    shop.faults.rules = [Rule(Fault.SLOW, "OrderLines", while_true=edit_once)]
    found = await adapter.read_order(str(order.id))
    shop.faults.rules = []
    assert found.order is not None
    assert {line.quantity.removed_by_edit for line in found.order.lines} == {"1"}


async def test_an_order_of_last_year_is_hidden_without_the_scope_for_it(
    adapter: ShopifyAdapter, shop: Shop, time: Time
) -> None:
    """Without read_all_orders the shop answers null: what it hides is not taken for an order that changed."""
    old = shop.place_order(Cart([MUG], placed_at=_START - timedelta(days=61)))
    new = shop.place_order(Cart([MUG]))
    shop.scopes = ("read_orders", "read_customers", "read_returns")
    assert ids(await changed(adapter, _START, _START)) == [str(new.id)]
    assert (await adapter.read_order(str(old.id))).gone


# ---- windows -----------------------------------------------------------------------------------------------------


async def test_both_ends_belong_to_the_window(adapter: ShopifyAdapter, shop: Shop, time: Time) -> None:
    placed = []
    for _ in range(6):
        placed += bought(shop, 1)
        time.forward(60)
    found = await changed(adapter, _START + timedelta(seconds=60), _START + timedelta(seconds=180))
    assert ids(found) == placed[1:4]
    # Whole seconds: a change at 00.9 s is stamped with the second it began in.
    half = timedelta(milliseconds=500)
    assert ids(await changed(adapter, _START + half, _START + half)) == placed[:1]
    assert ids(await changed(adapter, _START - half, _START - half)) == placed[:1]
    assert ids(await changed(adapter, _START + 2 * half, _START + timedelta(seconds=59))) == []


async def test_the_shops_zone_does_not_matter(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-056: dates are sent and answered in UTC; a window given in another zone is the same window."""
    placed = bought(shop, 2)
    tokyo, honolulu = (datetime.fromisoformat(text) for text in ("2026-11-23T15:00+09:00", "2026-11-22T20:00-10:00"))
    assert ids(await changed(adapter, tokyo, honolulu)) == placed


async def test_many_pages(adapter: ShopifyAdapter, shop: Shop) -> None:
    placed = bought(shop, 50)
    assert ids(await changed(adapter, _START, _START)) == placed


async def test_an_order_that_changes_during_the_walk_hides_none(
    adapter: ShopifyAdapter, shop: Shop, time: Time
) -> None:
    placed = bought(shop, 30)
    found: list[str] = []
    async for page in adapter.changed_orders(Window(_START, _START)):
        if not found:
            time.forward(60)
            shop.tag(int(placed[0]), "seen")
            shop.tag(int(placed[20]), "seen")
        found += [reading.object_id for reading in page]
    # The one that changed before its page came is found by the window of its new date.
    assert set(placed) - set(found) <= {placed[20]}
    assert ids(await changed(adapter, _START + timedelta(seconds=1), time.moment)) == sorted(
        [placed[0], placed[20]], key=int
    )


async def test_search_lags_and_the_overlap_makes_up_for_it(adapter: ShopifyAdapter, shop: Shop, time: Time) -> None:
    """What the index does not know yet is found by the next walk, which begins earlier than the last one ended."""
    shop.search_lag_s = 30
    placed = bought(shop, 1)
    assert await changed(adapter, _START, _START) == []
    time.forward(60)
    start = time.moment - timedelta(seconds=adapter.overlap_s)
    assert ids(await changed(adapter, start, time.moment)) == placed
    assert adapter.overlap_s > shop.search_lag_s


async def test_a_page_shows_what_its_orders_cannot_be_cut_to(adapter: ShopifyAdapter, shop: Shop) -> None:
    """Orders with more lines than a page carries, with refunds, mixed payments or a company are read on their own."""
    orders = {name: shop.place_order(cart) for name, cart in CARTS.items()}
    shop.refund(orders["plain"].id, {orders["plain"].lines[0].id: 1})
    found = {reading.object_id: reading for reading in await changed(adapter, _START, _START)}
    for name, order in orders.items():
        shown, alone = found[str(order.id)], await adapter.read_order(str(order.id))
        assert isinstance(shown, Reading), name
        assert shown.order is not None
        assert alone.order is not None
        assert digest(shown.order) == digest(alone.order), name
        assert len(shown.parts) == len(alone.parts)


async def test_one_order_that_cannot_be_translated_does_not_stop_the_walk(adapter: ShopifyAdapter, shop: Shop) -> None:
    good, bad = (shop.place_order(Cart([MUG])) for _ in range(2))
    shop.spoiled[bad.id] = lambda node: {**node, "currencyCode": None}
    found = {reading.object_id: type(reading) for reading in await changed(adapter, _START, _START)}
    assert found == {str(good.id): Reading, str(bad.id): NeedsRead}


# ---- throttling, tokens, failures --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 429])
async def test_points_that_are_used_up_are_waited_for(adapter: ShopifyAdapter, shop: Shop, status: int) -> None:
    """FC-038: throttling comes inside an HTTP 200, and with 429 too; the reply tells how fast points come back."""
    shop.throttled_status = status
    shop.bucket.maximum, shop.bucket.restore_per_s = 900, 3000
    shop.bucket.take(shop.bucket.available)
    order = shop.place_order(Cart([MUG]))
    assert (await adapter.read_order(str(order.id))).order is not None


async def test_points_that_come_back_too_slowly_are_told_to_the_caller(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-038: nobody sleeps for minutes inside a read; the delivery waits in Postgres instead."""
    shop.bucket.maximum, shop.bucket.restore_per_s = 1000, 2
    shop.bucket.take(shop.bucket.available)
    for _ in range(2):
        # The second one is not even sent: the first reply told that the points are not there.
        with pytest.raises(Throttled) as caught:
            await adapter.read_order("1")
        assert caught.value.retry_after_s is not None
        assert 20 < caught.value.retry_after_s < 500


async def test_many_reads_are_paced_by_what_the_replies_tell(adapter: ShopifyAdapter, shop: Shop) -> None:
    """Thirty reads of a hundred points and more in a bucket of nine hundred: none fails."""
    shop.bucket.maximum, shop.bucket.restore_per_s = 900, 6000
    placed = bought(shop, 30)
    found = await asyncio.gather(*(adapter.read_order(order_id) for order_id in placed))
    assert [reading.object_id for reading in found] == placed


async def test_one_asker_renews_the_token_for_all(adapter: ShopifyAdapter, shop: Shop) -> None:
    """Twenty reads at once, at first and after the token was taken back: one new token each time."""
    placed = bought(shop, 20)
    await asyncio.gather(*(adapter.read_order(order_id) for order_id in placed))
    assert shop.tokens.granted == 1
    assert not shop.journal.of("token refused")
    shop.tokens.revoke()
    await asyncio.gather(*(adapter.read_order(order_id) for order_id in placed))
    assert shop.tokens.granted == 2


class Ticks(SystemClock):
    """A clock for both sides that only the test moves."""

    seconds = 1000.0

    def monotonic_s(self) -> float:
        return self.seconds


async def test_a_token_is_renewed_before_it_ends() -> None:
    """A request never starts with a token that ends while it is on its way."""
    ticks = Ticks()
    shop = Shop(seconds=ticks.monotonic_s)
    order = shop.place_order(Cart([MUG]))
    async with connected(shop, clock=ticks) as adapter:
        for granted, later_s in ((1, 0), (1, 23 * 3600), (2, 56 * 60), (2, 60)):
            ticks.seconds += later_s
            await adapter.read_order(str(order.id))
            assert shop.tokens.granted == granted
    assert not shop.journal.of("token refused")


async def test_a_fixed_token_that_is_refused_stops_the_connection(shop: Shop) -> None:
    async with connected(
        shop, client_id="", client_secret=None, access_token=Secret.of("shpat_x"), webhook_secrets=(Secret.of("hush"),)
    ) as adapter:
        with pytest.raises(Unauthorised, match="access token") as caught:
            await adapter.read_order("1")
    assert "shpat_x" not in str(caught.value)
    assert shop.tokens.granted == 0


async def test_wrong_credentials_of_the_app_stop_the_connection(shop: Shop) -> None:
    async with connected(shop, client_secret=Secret.of("another")) as adapter:
        with pytest.raises(Unauthorised, match="client_id and client_secret") as caught:
            await adapter.read_order("1")
    assert "another" not in str(caught.value)


async def test_a_field_that_is_denied_is_never_taken_for_empty(adapter: ShopifyAdapter, shop: Shop) -> None:
    """HTTP 200 with data *and* errors: the customer would be null, and the order a guest's."""
    order = shop.place_order(Cart([MUG]))
    shop.denied_fields = {"customer"}
    with pytest.raises(Unauthorised, match=r"order\.customer"):
        await adapter.read_order(str(order.id))


@pytest.mark.parametrize(
    "rule",
    [
        Rule(Fault.SERVER_ERROR, "ReadOrder", first=2),
        Rule(Fault.LOST_REPLY, "ReadOrder", first=2),
        Rule(Fault.NEVER_APPLIED, "token", first=1),
    ],
    ids=lambda rule: f"{rule.fault.value} of {rule.operation}",
)
async def test_a_passing_failure_of_a_read_is_repeated(adapter: ShopifyAdapter, shop: Shop, rule: Rule) -> None:
    order = shop.place_order(Cart([MUG]))
    shop.faults.rules = [rule]
    assert (await adapter.read_order(str(order.id))).order is not None


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.LOST_REPLY, Fault.HTML_ANSWER, Fault.CUT_JSON])
async def test_a_lasting_failure_is_unavailable_and_never_gone(
    adapter: ShopifyAdapter, shop: Shop, fault: Fault
) -> None:
    """A page instead of an answer and half an answer among them: the order is not gone, only unread."""
    order = shop.place_order(Cart([MUG]))
    shop.faults.rules = [Rule(fault, "ReadOrder"), Rule(fault, "ChangedOrders")]
    with pytest.raises(Unavailable):
        await adapter.read_order(str(order.id))
    with pytest.raises(Unavailable):
        await changed(adapter, _START, _START)


async def test_an_order_without_its_currency_is_no_order(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    shop.spoiled[order.id] = lambda node: {**node, "currencyCode": None}
    with pytest.raises(Unreadable, match="no currencyCode"):
        await adapter.read_order(str(order.id))


@pytest.mark.parametrize(("retry_after", "seconds"), [("30", 30.0), ("999999999", 900.0)])
async def test_a_429_of_the_edge_tells_how_long(
    adapter: ShopifyAdapter, shop: Shop, retry_after: str, seconds: float
) -> None:
    shop.faults.rules = [Rule(Fault.THROTTLED, "ReadOrder", retry_after=retry_after)]
    with pytest.raises(Throttled) as caught:
        await adapter.read_order("1")
    assert caught.value.retry_after_s == seconds


# ---- what the shop says of itself --------------------------------------------------------------------------------


async def test_identity_is_the_shops_number(adapter: ShopifyAdapter, shop: Shop) -> None:
    """Names and domains of a shop may change; its number stays."""
    assert await adapter.identity() == "548380009"
    shop.domain = "renamed.myshopify.com"
    assert await adapter.identity() == "548380009"


async def test_a_wanted_topic_without_a_subscription_shows_as_inactive(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-098: Shopify deletes a subscription after eight failures; nothing is left that could be listed."""
    shop.subscribe("https://tally.example/shop", [topic for topic in WEBHOOK_TOPICS if topic != "refunds/create"])
    states = {state.topic: (state.active, state.address) for state in await adapter.webhooks()}
    here = (True, "https://tally.example/shop")
    assert states == dict.fromkeys(WEBHOOK_TOPICS, here) | {"refunds/create": (False, "")}


async def test_the_connection_test_of_a_good_shop(adapter: ShopifyAdapter, shop: Shop) -> None:
    shop.subscribe("https://tally.example/shop")
    assert [name for name, fine, _ in await adapter.check() if not fine] == []


async def test_the_connection_test_says_what_is_wrong(shop: Shop) -> None:
    """A missing scope, a version that has expired and falls forward, and no subscriptions."""
    shop.scopes = ("read_orders",)
    async with connected(shop, api_version="2024-01") as adapter:
        found = {name: advice for name, fine, advice in await adapter.check() if not fine}
    assert "read_customers, read_returns" in found["access scopes"]
    assert "2026-01 served the call, not 2024-01" in found["API version"]
    assert {f"webhook {topic}" for topic in WEBHOOK_TOPICS} <= set(found)
    assert all(found.values())


async def test_the_connection_test_of_a_shop_that_does_not_answer(adapter: ShopifyAdapter, shop: Shop) -> None:
    shop.faults.rules = [Rule(Fault.SERVER_ERROR)]
    ((_, fine, advice),) = await adapter.check()
    assert not fine
    assert "hush" not in advice
