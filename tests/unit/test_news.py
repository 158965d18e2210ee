"""Walks over what is news: an order is left out only when nothing about it can be unknown."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.news import News, Unchanged
from tallystick.ledger.objects import Dated
from tallystick.listing import Listed, OrderListing
from tallystick.ports import NeedsRead, Reading, Window
from tallystick.v1 import event_pb2

_NINE = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
_WINDOW = Window(_NINE, _NINE + timedelta(days=1))


@dataclass
class Time:
    """Seconds that only the test moves; the shop's clock shows another hour, and runs alike."""

    seconds: float = 5000.0


@dataclass
class Shop:
    """Orders with a content that only reads show, dated by whole seconds of the shop's own clock."""

    time: Time
    orders: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    def change(self, order_id: str) -> None:
        content, _ = self.orders.get(order_id, (0, _NINE))
        self.orders[order_id] = (content + 1, _NINE + timedelta(seconds=int(self.time.seconds)))

    async def list_orders(self, window: Window) -> AsyncIterator[Sequence[Listed]]:
        yield [Listed(order_id, modified) for order_id, (_, modified) in self.orders.items()]

    async def read_orders(self, ids: Sequence[str]) -> Sequence[Reading | NeedsRead]:
        self.reads += ids
        return [Reading(event_pb2.ENTITY_TYPE_ORDER, one, self.orders[one][1]) for one in ids]


@dataclass
class Row:
    """What is stored of an order."""

    content: int
    modified: datetime
    dated_at_s: float
    settled: bool = False


@dataclass
class Books:
    """What `Objects` keeps, as far as dates go."""

    shop: Shop
    rows: dict[str, Row] = field(default_factory=dict)

    def take(self, order_id: str) -> None:
        """The order as it is now was read, or came by a webhook."""
        content, modified = self.shop.orders[order_id]
        old = self.rows.get(order_id)
        if old is None or old.modified != modified:
            self.rows[order_id] = Row(content, modified, self.shop.time.seconds)
        else:
            old.settled = old.settled and old.content == content
            old.content = content

    async def dates(self, connection: str, type_: str, ids: Sequence[str]) -> dict[str, Dated]:
        now_s, known = self.shop.time.seconds, {one: self.rows[one] for one in ids if one in self.rows}
        return {one: Dated(one, row.modified, row.settled, now_s - row.dated_at_s) for one, row in known.items()}

    async def settle(self, connection: str, type_: str, dates: Mapping[str, datetime]) -> None:
        for one, modified in dates.items():
            row = self.rows[one]
            row.settled = row.settled or row.modified == modified


@dataclass
class Walker:
    """Walks, and takes in what is found."""

    shop: Shop
    books: Books
    left_out: list[str] = field(default_factory=list)

    @property
    def taken(self) -> dict[str, int]:
        return {order_id: row.content for order_id, row in self.books.rows.items()}

    async def walk(self) -> None:
        self.left_out = []
        async for page in News("shop", self.shop, self.books).changed(_WINDOW):
            for one in page:
                if isinstance(one, Unchanged):
                    self.left_out.append(one.order_id)
                else:
                    self.books.take(one.object_id)


@pytest.fixture
def walker() -> Walker:
    shop = Shop(Time())
    return Walker(shop, Books(shop))


def test_the_shop_of_these_tests_is_one_that_lists(walker: Walker) -> None:
    assert isinstance(walker.shop, OrderListing)


async def test_an_order_is_read_again_once_its_second_is_over_and_then_left_out(walker: Walker) -> None:
    walker.shop.change("7")
    for _ in range(5):
        await walker.walk()
        walker.shop.time.seconds += 3
    assert walker.shop.reads == ["7", "7"]
    assert walker.left_out == ["7"]


async def test_a_second_change_within_the_same_second_is_found(walker: Walker) -> None:
    """Dates are whole seconds."""
    walker.shop.change("7")
    await walker.walk()
    walker.shop.change("7")
    walker.shop.time.seconds += 3
    await walker.walk()
    assert walker.taken == {"7": 2}


async def test_what_changes_later_is_read(walker: Walker) -> None:
    walker.shop.change("7")
    walker.shop.change("8")
    for _ in range(3):
        await walker.walk()
        walker.shop.time.seconds += 3
    walker.shop.reads.clear()
    walker.shop.change("8")
    await walker.walk()
    assert walker.shop.reads == ["8"]
    assert walker.left_out == ["7"]


async def test_what_came_by_a_webhook_is_read_once(walker: Walker) -> None:
    walker.shop.change("7")
    walker.books.take("7")
    for _ in range(3):
        walker.shop.time.seconds += 30
        await walker.walk()
    assert walker.shop.reads == ["7"]


async def test_what_was_not_taken_in_is_read_again(walker: Walker) -> None:
    """Whoever walks died, or its ledger was away, with the page in its hands."""
    walker.shop.change("7")
    walker.books.take("7")
    walker.shop.change("7")
    walker.shop.time.seconds += 3
    async for page in News("shop", walker.shop, walker.books).changed(_WINDOW):
        if any(isinstance(one, Reading) for one in page):
            break
    await walker.walk()
    assert walker.taken == {"7": 2}


_ACTS = st.lists(st.one_of(st.sampled_from(["1", "2", "webhook 1", "walk"]), st.floats(0.0, 3.0)), max_size=40)


@given(acts=_ACTS)
async def test_whatever_happens_two_walks_in_quiet_leave_nothing_unknown(acts: Sequence[str | float]) -> None:
    shop = Shop(Time())
    walker = Walker(shop, Books(shop))
    for act in acts:
        if isinstance(act, float):
            shop.time.seconds += act
        elif act == "walk":
            await walker.walk()
        elif act == "webhook 1" and "1" in shop.orders:
            walker.books.take("1")
        elif act in ("1", "2"):
            shop.change(act)
    for _ in range(2):
        await walker.walk()
        shop.time.seconds += 3
    assert walker.taken == {order_id: content for order_id, (content, _) in shop.orders.items()}
