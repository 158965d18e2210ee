"""Walks over what is news: an order is left out only when nothing about it can be unknown."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.news import News, Unchanged
from tallystick.listing import Listed, OrderListing
from tallystick.ports import NeedsRead, Reading, Window
from tallystick.v1 import event_pb2

_NINE = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
_WINDOW = Window(_NINE, _NINE + timedelta(days=1))


@dataclass
class Time:
    """A clock that only the test moves; it shows another time of day than the shop's."""

    monotonic: float = 5000.0

    def now(self) -> datetime:
        return _NINE - timedelta(hours=7)

    def monotonic_s(self) -> float:
        return self.monotonic


@dataclass
class Shop:
    """Orders with a content that only reads show, dated by whole seconds of the shop's own clock."""

    time: Time
    orders: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    def change(self, order_id: str) -> None:
        content, _ = self.orders.get(order_id, (0, _NINE))
        self.orders[order_id] = (content + 1, _NINE + timedelta(seconds=int(self.time.monotonic)))

    async def list_orders(self, window: Window) -> AsyncIterator[Sequence[Listed]]:
        yield [Listed(order_id, modified) for order_id, (_, modified) in self.orders.items()]

    async def read_orders(self, ids: Sequence[str]) -> Sequence[Reading | NeedsRead]:
        self.reads += ids
        return [Reading(event_pb2.ENTITY_TYPE_ORDER, one, self.orders[one][1], gone=False) for one in ids]


@dataclass
class Walker:
    """Walks, and notes which content of each order was taken in last."""

    shop: Shop
    news: News
    taken: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    async def walk(self) -> None:
        self.left_out = []
        async for page in self.news.changed(_WINDOW):
            for one in page:
                if isinstance(one, Unchanged):
                    self.left_out.append(one.order_id)
                else:
                    self.taken[one.object_id] = self.shop.orders[one.object_id][0]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def shop(time: Time) -> Shop:
    return Shop(time)


@pytest.fixture
def walker(shop: Shop, time: Time) -> Walker:
    return Walker(shop, News(shop, time))


def test_the_shop_of_these_tests_is_one_that_lists(shop: Shop) -> None:
    assert isinstance(shop, OrderListing)


async def test_an_order_is_read_again_once_its_second_is_over_and_then_left_out(walker: Walker) -> None:
    walker.shop.change("7")
    for _ in range(5):
        await walker.walk()
        walker.shop.time.monotonic += 3
    assert walker.shop.reads == ["7", "7"]
    assert walker.left_out == ["7"]


async def test_a_second_change_within_the_same_second_is_found(walker: Walker) -> None:
    """Dates are whole seconds."""
    walker.shop.change("7")
    await walker.walk()
    walker.shop.change("7")
    walker.shop.time.monotonic += 3
    await walker.walk()
    assert walker.taken == {"7": 2}


async def test_what_changes_later_is_read(walker: Walker) -> None:
    walker.shop.change("7")
    walker.shop.change("8")
    for _ in range(3):
        await walker.walk()
        walker.shop.time.monotonic += 3
    walker.shop.reads.clear()
    walker.shop.change("8")
    await walker.walk()
    assert walker.shop.reads == ["8"]
    assert walker.left_out == ["7"]


async def test_what_was_not_taken_in_is_read_again(walker: Walker) -> None:
    """Whoever walks died, or its ledger was away, with the page in its hands."""
    walker.shop.change("7")
    await walker.walk()
    walker.shop.time.monotonic += 3
    async for page in walker.news.changed(_WINDOW):
        if any(isinstance(one, Reading) for one in page):
            break
    walker.taken.clear()
    await walker.walk()
    assert walker.taken == {"7": 1}


async def test_orders_that_no_list_shows_any_more_are_forgotten(walker: Walker) -> None:
    """Its memory is one window, not a year."""
    walker.shop.change("7")
    for _ in range(3):
        await walker.walk()
        walker.shop.time.monotonic += 3
    order = walker.shop.orders.pop("7")
    await walker.walk()
    walker.shop.orders["7"] = order
    walker.shop.reads.clear()
    await walker.walk()
    assert walker.shop.reads == ["7"]


_ACTS = st.lists(st.one_of(st.sampled_from(["1", "2", "walk"]), st.floats(0.0, 3.0)), max_size=40)


@given(acts=_ACTS)
async def test_whatever_happens_when_two_walks_in_quiet_leave_nothing_unknown(acts: Sequence[str | float]) -> None:
    time = Time()
    walker = Walker(Shop(time), News(Shop(time), time))
    walker.news = News(walker.shop, time)
    for act in acts:
        if isinstance(act, float):
            time.monotonic += act
        elif act == "walk":
            await walker.walk()
        else:
            walker.shop.change(act)
    for _ in range(2):
        await walker.walk()
        time.monotonic += 3
    assert walker.taken == {order_id: content for order_id, (content, _) in walker.shop.orders.items()}
