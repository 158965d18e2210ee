"""The WooCommerce adapter against the double: reads, windows, deliveries, and what each failure means."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from adapters import KINDS
from adapters.woocommerce.adapter import WooCommerce
from simulators.faults import Fault, Rule
from simulators.woocommerce import TOPICS, Item, Shop, ShopSettings
from tallystick.canonical import checks
from tallystick.canonical.digest import digest
from tallystick.clock import SystemClock
from tallystick.errors import SetupError, Throttled, Unauthorised, Unavailable, Unreadable
from tallystick.ports import ConnectionTest, Identified, NeedsRead, OrderSource, Reading, WebhookSource, Window
from tallystick.registry import find_kind
from tallystick.secrets import Secret
from tallystick.settings import Connection
from tallystick.v1 import order_pb2
from tests.conformance.woocommerce_help import SECRET, START, Time, changed, connected, ids


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def shop(time: Time) -> Iterator[Shop]:
    shop = Shop(ShopSettings(), now=time)
    shop.add_product("MUG-1", "11.00", "Mug")
    shop.add_product("BOOK-1", "10.70", "Book", tax_class="reduced-rate")
    yield shop
    assert not shop.faults.rules or shop.faults.struck, "a fault was scripted and never struck"


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[WooCommerce]:
    async with connected(shop) as adapter:
        yield adapter


def test_the_abilities(adapter: WooCommerce) -> None:
    for ability in (WebhookSource, OrderSource, Identified, ConnectionTest):
        assert isinstance(adapter, ability)


def test_settings_are_explained() -> None:
    kind = find_kind(KINDS, "woocommerce")
    options = {"kind": "woocommerce", "url": "http://shop.example", "colour": "red"}
    with pytest.raises(SetupError, match="colour") as caught:
        kind.build("shop", Connection.model_validate(options), SystemClock())
    assert "webhook_secrets" in str(caught.value)


# ---- reading -----------------------------------------------------------------------------------------------------


async def test_an_order_is_read_whole(adapter: WooCommerce, shop: Shop) -> None:
    order = shop.place_order([Item("MUG-1", 2), Item("BOOK-1")], billing={"email": "a@example.test"})
    found = await adapter.read_order(str(order.id))
    assert found.order is not None
    assert checks.findings(found.order) == []
    assert found.source_modified == START
    assert [line.sku for line in found.order.lines] == ["MUG-1", "BOOK-1"]


async def test_an_order_that_is_not_there_is_gone(adapter: WooCommerce, shop: Shop) -> None:
    order = shop.place_order([Item("MUG-1")])
    shop.delete(order.id)
    found = await adapter.read_order(str(order.id))
    assert (found.gone, found.order, found.object_id) == (True, None, str(order.id))


async def test_an_order_in_the_trash_is_cancelled_and_not_gone(adapter: WooCommerce, shop: Shop) -> None:
    order = shop.place_order([Item("MUG-1")])
    shop.trash(order.id)
    found = await adapter.read_order(str(order.id))
    assert not found.gone
    assert found.order is not None
    assert found.order.state == order_pb2.ORDER_STATE_CANCELLED


async def test_an_id_that_is_none_is_not_sent(adapter: WooCommerce) -> None:
    with pytest.raises(Unreadable, match="is no id of a WooCommerce order"):
        await adapter.read_order("../webhooks")


async def test_api_answer_and_delivery_are_one_content(adapter: WooCommerce, shop: Shop) -> None:
    order = shop.place_order([Item("MUG-1")])
    shop.outbox.subscribe("order.created", "http://127.0.0.1:9/", SECRET)
    shop.outbox.owe("order.created", order.id)
    (delivery,) = shop.pending_deliveries()
    parsed = adapter.parse_order(shop.take(delivery).body)
    read = await adapter.read_order(str(order.id))
    assert parsed.order is not None
    assert read.order is not None
    assert digest(parsed.order) == digest(read.order)


def test_payloads_that_are_no_order_are_said_so(adapter: WooCommerce) -> None:
    for raw in (b"<html>", b"[]", b"[1,2]", b'"text"', b"null", b'{"code":"x","message":"y"}', b"\xff"):
        with pytest.raises(Unreadable):
            adapter.parse_order(raw)


async def test_identity_is_the_shops_home(adapter: WooCommerce, shop: Shop) -> None:
    shop.settings.home = "https://Shop.Example/store/"
    assert await adapter.identity() == "shop.example/store"


# ---- windows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "America/New_York", "Europe/Zurich", "Asia/Bangkok", "Pacific/Auckland",
                                  "Pacific/Kiritimati"])  # fmt: skip
async def test_a_window_finds_the_same_orders_in_every_zone(
    adapter: WooCommerce, shop: Shop, time: Time, zone: str
) -> None:
    """FC-056, FC-129: dates are sent in GMT, in the form that the shop does not shift."""
    shop.settings.zone = zone
    placed = []
    for _ in range(6):
        placed.append(str(shop.place_order([Item("MUG-1")]).id))
        time.forward(60)
    found = await changed(adapter, START + timedelta(seconds=60), START + timedelta(seconds=180))
    assert ids(found) == placed[1:4]


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("Europe/Zurich", datetime(2026, 3, 29, 0, 30, tzinfo=UTC)),
        ("Europe/Zurich", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
    ],
)
async def test_the_nights_when_clocks_are_changed(
    adapter: WooCommerce, shop: Shop, time: Time, zone: str, night: datetime
) -> None:
    """FC-057: an hour that does not exist and one that comes twice lose and double nothing."""
    shop.settings.zone, time.moment = zone, night
    placed = []
    for _ in range(8):
        placed.append(str(shop.place_order([Item("MUG-1")]).id))
        time.forward(15 * 60)
    windows = [night + timedelta(minutes=minutes) for minutes in range(0, 121, 30)]
    found: list[str] = []
    for start, end in pairwise(windows):
        found += ids(await changed(adapter, start, end - timedelta(seconds=1)))
    assert found == placed


async def test_both_ends_belong_to_the_window(adapter: WooCommerce, shop: Shop) -> None:
    """The shop excludes them, so the window is sent a second wider."""
    order = shop.place_order([Item("MUG-1")])
    assert ids(await changed(adapter, START, START)) == [str(order.id)]
    half = timedelta(milliseconds=500)
    assert ids(await changed(adapter, START + half, START + half)) == [str(order.id)]
    assert ids(await changed(adapter, START + timedelta(seconds=2), START + timedelta(seconds=9))) == []


async def test_the_trash_is_in_the_window_and_drafts_are_not(adapter: WooCommerce, shop: Shop) -> None:
    kept, trashed = (shop.place_order([Item("MUG-1")]) for _ in range(2))
    shop.place_order([Item("MUG-1")], status="checkout-draft")
    shop.trash(trashed.id)
    assert ids(await changed(adapter, START, START)) == [str(kept.id), str(trashed.id)]


async def test_many_pages(adapter: WooCommerce, shop: Shop) -> None:
    placed = [str(shop.place_order([Item("MUG-1")]).id) for _ in range(230)]
    assert ids(await changed(adapter, START, START)) == placed


async def test_an_order_that_changes_during_the_walk_hides_none(adapter: WooCommerce, shop: Shop, time: Time) -> None:
    """It leaves the window and shifts the pages after it; the second pass finds what the first skipped."""
    orders = [shop.place_order([Item("MUG-1")]) for _ in range(150)]
    found: list[str] = []
    async for page in adapter.changed_orders(Window(START, START)):
        if not found:
            time.forward(60)
            shop.edit(orders[0].id)
        found += [reading.object_id for reading in page]
    assert {str(order.id) for order in orders} == set(found)


async def test_an_old_shop_that_cannot_sort_by_change(adapter: WooCommerce, shop: Shop) -> None:
    """It refuses `orderby=modified`; sorted by creation the same orders are found."""
    shop.settings.sorts_by_change = False
    placed = [str(shop.place_order([Item("MUG-1")]).id) for _ in range(3)]
    assert ids(await changed(adapter, START, START)) == placed


async def test_one_order_that_cannot_be_translated_does_not_stop_the_walk(adapter: WooCommerce, shop: Shop) -> None:
    """A plugin that spoils one order must not hide all others; that order is left to a read of its own."""
    good, bad = (shop.place_order([Item("MUG-1")]) for _ in range(2))
    shop.spoiled[bad.id] = lambda shown: {"id": shown["id"], "status": "processing"}
    found = {reading.object_id: type(reading) for reading in await changed(adapter, START, START)}
    assert found == {str(good.id): Reading, str(bad.id): NeedsRead}


async def test_on_the_old_storage_edits_are_found_by_the_date_of_the_order(
    adapter: WooCommerce, shop: Shop, time: Time
) -> None:
    """There an edit does not move the date, so a window of changes never shows it."""
    shop.settings.hpos = False
    order = shop.place_order([Item("MUG-1")])
    time.forward(3600)
    shop.set_quantity(order.id, 0, 5)
    assert order.modified == START
    (found,) = await changed(adapter, time.moment - timedelta(seconds=60), time.moment)
    assert isinstance(found, Reading)
    assert found.order is not None
    assert found.order.lines[0].quantity.ordered == "5"


async def test_that_look_back_is_bounded_and_for_the_old_storage_only(
    adapter: WooCommerce, shop: Shop, time: Time
) -> None:
    shop.place_order([Item("MUG-1")])
    time.forward(3600)
    assert ids(await changed(adapter, time.moment - timedelta(seconds=60), time.moment)) == []
    shop.settings.hpos = False
    time.forward(24 * 3600)
    async with connected(shop) as other:
        assert ids(await changed(other, time.moment - timedelta(seconds=60), time.moment)) == []


# ---- what a failure means ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        Rule(Fault.SERVER_ERROR, first=2),
        Rule(Fault.SERVER_ERROR, first=2, status=500),
        Rule(Fault.LOST_REPLY, first=2),
        Rule(Fault.NEVER_APPLIED, first=1),
    ],
    ids=lambda rule: rule.fault.value,
)
async def test_a_passing_failure_of_a_read_is_repeated(adapter: WooCommerce, shop: Shop, rule: Rule) -> None:
    order = shop.place_order([Item("MUG-1")])
    shop.faults.rules = [rule]
    assert (await adapter.read_order(str(order.id))).order is not None


@pytest.mark.parametrize(
    "rule",
    [
        Rule(Fault.SERVER_ERROR),
        Rule(Fault.HTML_ANSWER),
        Rule(Fault.CUT_JSON),
        Rule(Fault.LOST_REPLY),
        Rule(Fault.SERVER_ERROR, status=403),
    ],
    ids=lambda rule: f"{rule.fault.value} {rule.status}",
)
async def test_a_lasting_failure_is_unavailable_and_never_gone(adapter: WooCommerce, shop: Shop, rule: Rule) -> None:
    """A firewall's page, a maintenance page, a cut answer: the order is not gone, only unread."""
    order = shop.place_order([Item("MUG-1")])
    shop.faults.rules = [rule]
    with pytest.raises(Unavailable):
        await adapter.read_order(str(order.id))
    with pytest.raises(Unavailable):
        await changed(adapter, START, START)


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("7", 7.0), (None, None), ("nonsense", None), ("999999999", 900.0), ("-5", 0.0)]
)
async def test_throttling_tells_how_long(
    adapter: WooCommerce, shop: Shop, retry_after: str | None, seconds: float | None
) -> None:
    shop.faults.rules = [Rule(Fault.THROTTLED, retry_after=retry_after)]
    with pytest.raises(Throttled) as caught:
        await adapter.read_order("1")
    assert caught.value.retry_after_s == seconds


async def test_a_404_of_the_route_is_no_missing_order(adapter: WooCommerce, shop: Shop) -> None:
    """WooCommerce switched off, or permalinks set to plain: nothing is gone, the shop cannot be read."""
    shop.settings.offline = True
    with pytest.raises(Unavailable, match="permalinks"):
        await adapter.read_order("11")


@pytest.mark.parametrize("keys", [{}, {"ck_demo": ("another", "read")}, {"ck_demo": ("cs_demo", "write")}])
async def test_refused_keys_stop_the_connection(
    adapter: WooCommerce, shop: Shop, keys: dict[str, tuple[str, str]]
) -> None:
    shop.settings.keys = keys
    with pytest.raises(Unauthorised, match="refuses the key") as caught:
        await adapter.read_order("1")
    assert "cs_demo" not in str(caught.value)


async def test_a_read_key_is_enough(adapter: WooCommerce, shop: Shop) -> None:
    """The adapter asks for no more than it needs."""
    shop.settings.keys = {"ck_demo": ("cs_demo", "read")}
    order = shop.place_order([Item("MUG-1")])
    assert (await adapter.read_order(str(order.id))).order is not None
    assert len(await changed(adapter, START, START)) == 1
    await adapter.webhooks()


async def test_a_host_that_strips_the_authorization_header(shop: Shop) -> None:
    order = shop.place_order([Item("MUG-1")])
    async with connected(shop, query_auth=True) as adapter:
        assert (await adapter.read_order(str(order.id))).order is not None


# ---- what the shop says of itself --------------------------------------------------------------------------------


async def test_webhooks_are_listed_as_the_shop_holds_them(adapter: WooCommerce, shop: Shop) -> None:
    for topic in TOPICS:
        shop.outbox.subscribe(topic, "http://127.0.0.1:9/", SECRET)
    shop.outbox.webhooks[2].status = "disabled"
    found = {state.topic: state.active for state in await adapter.webhooks()}
    assert found == {
        "order.created": True,
        "order.updated": False,
        "order.deleted": True,
        "order.restored": True,
    }


async def failures(adapter: WooCommerce) -> dict[str, str]:
    """What the connection test finds wrong, with what to do."""
    return {name: advice for name, fine, advice in await adapter.check() if not fine}


async def test_the_connection_test_of_a_good_shop(shop: Shop) -> None:
    """FC-129: the filter by date is proved on the shop itself."""
    shop.place_order([Item("MUG-1")])
    for topic in TOPICS:
        shop.outbox.subscribe(topic, "https://tally.example/shop", SECRET)
    async with connected(shop, webhook_address="https://tally.example/shop") as adapter:
        assert await failures(adapter) == {}


async def test_the_connection_test_says_what_is_wrong(shop: Shop) -> None:
    """FC-127: a secret with entities in it never verifies. Old storage, webhooks to nowhere and disabled ones."""
    shop.place_order([Item("MUG-1")])
    shop.settings.hpos = False
    shop.outbox.subscribe("order.created", "https://old.example/", SECRET)
    shop.outbox.subscribe("order.updated", "https://tally.example/shop", SECRET).status = "disabled"
    secrets = (Secret.of("a&b"),)
    async with connected(shop, webhook_address="https://tally.example/shop", webhook_secrets=secrets) as adapter:
        found = await failures(adapter)
    assert {name.split(" delivers")[0] for name in found} == {
        "the webhook secrets can be used",
        "orders are in tables of their own (HPOS)",
        *(f"the webhook {topic}" for topic in TOPICS),
    }
    assert "not active" in found["the webhook order.updated delivers here"]
    assert all(found.values())


async def test_the_connection_test_finds_a_shop_that_ignores_the_date_filter(shop: Shop) -> None:
    """FC-130: unknown filters are ignored without a word, so the answer is compared with what was asked for."""
    shop.place_order([Item("MUG-1")])
    shop.settings.filters_by_change = False
    async with connected(shop) as adapter:
        assert "ignores the filter" in (await failures(adapter))["orders can be filtered by their date of change"]


async def test_the_connection_test_of_a_shop_that_does_not_answer(adapter: WooCommerce, shop: Shop) -> None:
    """Each thing that was tried has a finding; none of them tells a secret."""
    shop.faults.rules = [Rule(Fault.SERVER_ERROR)]
    found = await failures(adapter)
    assert {"the shop answers", "webhooks", "the storage of orders"} <= set(found)
    assert "cs_demo" not in str(found)
