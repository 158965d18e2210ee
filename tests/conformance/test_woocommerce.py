"""The WooCommerce adapter against the double: reads, windows, deliveries, and what each failure means."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from adapters.woocommerce.adapter import WooCommerce
from adapters.woocommerce.settings import WooCommerceSettings
from simulators.faults import Fault, Rule
from simulators.serving import serve
from simulators.woocommerce import TOPICS, Item, Shop, ShopSettings, application
from tallystick.canonical import checks
from tallystick.canonical.digest import digest
from tallystick.clock import SystemClock
from tallystick.errors import SetupError, Throttled, Unauthorised, Unavailable, Unreadable
from tallystick.ports import (
    ConnectionTest,
    Identified,
    NeedsRead,
    NotOurs,
    OrderSource,
    Reading,
    WebhookSource,
    Window,
)
from tallystick.registry import Pace
from tallystick.secrets import Secret
from tallystick.settings import Connection
from tallystick.v1 import order_pb2

_SECRET = "whs-secret-1"
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
    shop = Shop(ShopSettings(), now=time)
    shop.add_product("MUG-1", "11.00", "Mug")
    shop.add_product("BOOK-1", "10.70", "Book", tax_class="reduced-rate")
    yield shop
    assert not shop.faults.rules or shop.faults.struck, "a fault was scripted and never struck"


@asynccontextmanager
async def connected(shop: Shop, **options: object) -> AsyncIterator[WooCommerce]:
    async with serve(application(shop)) as address:
        settings = WooCommerceSettings.model_validate(
            {
                "url": address,
                "consumer_key": Secret.of("ck_demo"),
                "consumer_secret": Secret.of("cs_demo"),
                "webhook_secrets": (Secret.of(_SECRET),),
                "private_network": True,
                "pace": Pace(rate_per_s=1000, burst=1000, parallel=2),
                **options,
            }
        )
        adapter = WooCommerce("woocommerce", settings, SystemClock())
        try:
            yield adapter
        finally:
            await adapter.close()


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[WooCommerce]:
    async with connected(shop) as adapter:
        yield adapter


async def changed(adapter: WooCommerce, start: datetime, end: datetime) -> list[Reading]:
    return [found async for page in adapter.changed_orders(Window(start, end)) for found in page]


def ids(found: list[Reading]) -> list[str]:
    return sorted({reading.object_id for reading in found}, key=int)


def test_the_abilities(adapter: WooCommerce) -> None:
    for ability in (WebhookSource, OrderSource, Identified, ConnectionTest):
        assert isinstance(adapter, ability)


def test_settings_are_explained() -> None:
    from adapters import KINDS
    from tallystick.registry import find_kind

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
    assert found.source_modified == _START
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
    shop.outbox.subscribe("order.created", "http://127.0.0.1:9/", _SECRET)
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
async def test_a_window_finds_the_same_orders_in_every_zone(adapter: WooCommerce, shop: Shop, time: Time, zone: str) -> None:
    """FC-056, FC-129: dates are sent in GMT, in the form that the shop does not shift."""
    shop.settings.zone = zone
    placed = []
    for _ in range(6):
        placed.append(str(shop.place_order([Item("MUG-1")]).id))
        time.forward(60)
    found = await changed(adapter, _START + timedelta(seconds=60), _START + timedelta(seconds=180))
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
    for start, end in zip(windows, windows[1:], strict=False):
        found += ids(await changed(adapter, start, end - timedelta(seconds=1)))
    assert found == placed


async def test_both_ends_belong_to_the_window(adapter: WooCommerce, shop: Shop) -> None:
    """The shop excludes them, so the window is sent a second wider."""
    order = shop.place_order([Item("MUG-1")])
    assert ids(await changed(adapter, _START, _START)) == [str(order.id)]
    half = timedelta(milliseconds=500)
    assert ids(await changed(adapter, _START + half, _START + half)) == [str(order.id)]
    assert ids(await changed(adapter, _START + timedelta(seconds=2), _START + timedelta(seconds=9))) == []


async def test_the_trash_is_in_the_window_and_drafts_are_not(adapter: WooCommerce, shop: Shop) -> None:
    kept, trashed = (shop.place_order([Item("MUG-1")]) for _ in range(2))
    shop.place_order([Item("MUG-1")], status="checkout-draft")
    shop.trash(trashed.id)
    assert ids(await changed(adapter, _START, _START)) == [str(kept.id), str(trashed.id)]


async def test_many_pages(adapter: WooCommerce, shop: Shop) -> None:
    placed = [str(shop.place_order([Item("MUG-1")]).id) for _ in range(230)]
    assert ids(await changed(adapter, _START, _START)) == placed


async def test_an_order_that_changes_during_the_walk_hides_none(
    adapter: WooCommerce, shop: Shop, time: Time
) -> None:
    """It leaves the window and shifts the pages after it; the second pass finds what the first skipped."""
    orders = [shop.place_order([Item("MUG-1")]) for _ in range(150)]
    found: list[str] = []
    async for page in adapter.changed_orders(Window(_START, _START)):
        if not found:
            time.forward(60)
            shop.edit(orders[0].id)
        found += [reading.object_id for reading in page]
    assert {str(order.id) for order in orders} == set(found)


async def test_an_old_shop_that_cannot_sort_by_change(shop: Shop) -> None:
    """It refuses `orderby=modified`; sorted by creation the same orders are found."""
    placed = [str(shop.place_order([Item("MUG-1")]).id) for _ in range(3)]
    async with connected(shop) as adapter:
        with _without_sorting_by_change():
            assert ids(await changed(adapter, _START, _START)) == placed


def _without_sorting_by_change() -> pytest.MonkeyPatch.context:  # type: ignore[name-defined]
    from simulators.woocommerce import queries

    patch = pytest.MonkeyPatch()
    patch.delitem(queries._ORDERS_BY, "modified")  # type: ignore[arg-type]
    return patch
