"""Each rule finds what it is named for, and says both figures."""

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from tallystick.canonical import checks
from tallystick.canonical.money import money
from tallystick.canonical.soundness import plainly_sound
from tallystick.canonical.written import order
from tallystick.v1 import order_pb2
from tests.strategies import STEADY, Sale, canonical, sales

_LINE = {
    "sku": "MUG",
    "quantity": 2,
    "amount": {"gross": "214.00"},
    "taxes": [{"rate_percent": "7", "amount": "14.00"}],
}
Spoil = Callable[[order_pb2.Order], object]


def _order() -> order_pb2.Order:
    return order(
        {
            "store_state": "packed",
            "lines": [_LINE],
            "shipping_lines": [{"id": "5", "amount": {"gross": "10.70", "tax": "0.70"}}],
        }
    )


def _set(message: object, name: str, value: str, currency: str = "EUR") -> None:
    getattr(message, name).CopyFrom(money(currency, Decimal(value)))


SPOILED: list[tuple[str, Spoil, str]] = [
    ("currency-known", lambda o: setattr(o, "currency_code", "XXX"), "'XXX' is not one of ISO 4217"),
    ("one-currency", lambda o: _set(o.totals, "net", "200", "USD"), "totals.net is in USD"),
    ("one-currency", lambda o: _set(o.lines[0], "unit_price", "107", "USD"), "line 1 price is in USD"),
    ("state-known", lambda o: o.ClearField("state"), "the store's state 'packed' is not known"),
    ("date-of-sale", lambda o: o.ClearField("placed_at"), "no date of sale"),
    ("line-ids", lambda o: o.lines.add().CopyFrom(o.lines[0]), "two lines have the id 1"),
    ("line-ids", lambda o: o.lines[0].ClearField("id"), "has no id of its own"),
    ("quantities", lambda o: setattr(o.lines[0].quantity, "ordered", "a few"), "'a few' is not a decimal number"),
    ("quantities", lambda o: setattr(o.lines[0].quantity, "removed_by_edit", "3"), "2 ordered and 3 removed"),
    ("whole-minor-units", lambda o: _set(o.totals, "total", "224.705"), "total is 224.705, but EUR has 2 decimals"),
    ("header", lambda o: _set(o.totals, "total", "224.71"), "224.70 EUR, the total is 224.71: a difference of 0.01"),
    ("total-not-negative", lambda o: _set(o.totals, "total", "-1"), "the total is negative: -1.00 EUR"),
    ("net-tax-gross", lambda o: _set(o.lines[0].amount, "gross", "214.01"), "200.00 + tax 14.00 is not gross 214.01"),
    ("nothing-booked", lambda o: setattr(o.lines[0].quantity, "removed_by_edit", "2"), "no piece left, but 214.00"),
    ("single-taxes", lambda o: _set(o.lines[0].taxes[0], "amount", "13.90"), "taxes make 13.90, its tax is 14.00"),
    ("sums", lambda o: _set(o.totals, "net", "199.90"), "the lines without tax make 200.00, the order states 199.90"),
    ("sums", lambda o: _set(o.totals, "tax", "14.73"), "the taxes make 14.70, the order states 14.73"),
]  # fmt: skip


def test_a_sound_order_breaks_no_rule() -> None:
    assert checks.findings(_order()) == []
    assert plainly_sound(_order())


@pytest.mark.parametrize(("name", "spoil", "told"), SPOILED)
def test_what_is_spoiled_is_found_under_its_rule(name: str, spoil: Spoil, told: str) -> None:
    rules = [rule for rule in (*checks.SHAPE, *checks.COINS, *checks.SUMS) if rule.name == name]
    spoiled = _order()
    spoil(spoiled)
    assert any(told in finding.detail for finding in checks.findings(spoiled, rules=rules))
    assert checks.findings(spoiled)
    assert not plainly_sound(spoiled)


def test_every_rule_is_tried() -> None:
    assert {name for name, _, _ in SPOILED} == {rule.name for rule in (*checks.SHAPE, *checks.COINS, *checks.SUMS)}


def test_fc_017_the_bound_grows_with_the_taxed_parts_and_has_an_end() -> None:
    bounds = checks.Bounds(per_part=1, at_most=3)
    assert [bounds.of(parts, "EUR") for parts in (0, 2, 200)] == [Decimal("0.01"), Decimal("0.02"), Decimal("0.03")]
    assert bounds.of(2, "JPY") == 2


@STEADY
@given(sales())
def test_what_any_shop_computes_honestly_has_no_finding_but_for_the_bound(sale: Sale) -> None:
    loose = checks.Bounds(per_part=1, at_most=10_000)
    found = [finding.detail for finding in checks.findings(canonical(sale), loose)]
    assert all("negative" in detail for detail in found)


def _half_a_coin(order: order_pb2.Order) -> None:
    """In every sum that it belongs to, so that all of them agree."""
    for holder, name in ((order.lines[0].amount, "net"), (order.lines[0].amount, "gross"), (order.totals, "net")):
        getattr(holder, name).nanos += 5_000_000
    order.totals.total.nanos += 5_000_000


def _turned_round(order: order_pb2.Order) -> None:
    """Every amount is owed to the buyer."""
    for way in list(_numbers(order)):
        if way[-2] in ("units", "nanos"):
            _set_at(order, way, lambda was: -was)


@pytest.mark.parametrize(
    "spoil", [_half_a_coin, _turned_round, lambda o: setattr(o.lines[0].quantity, "ordered", "00")]
)
def test_what_is_wrong_everywhere_alike_is_found_all_the_same(spoil: Spoil) -> None:
    spoiled = _order()
    spoiled.ClearField("store_state")
    spoil(spoiled)
    assert len(checks.findings(spoiled)) >= 1
    assert not plainly_sound(spoiled)


def _numbers(message: Message, prefix: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """The way to every number and text inside."""
    for field, value in message.ListFields():
        inside = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        for place, one in enumerate(inside):
            way = (*prefix, field.name, place if inside is value else None)
            if isinstance(one, Message):
                yield from _numbers(one, way)
            elif inside is not value:
                yield way


def _set_at(order: order_pb2.Order, way: tuple[object, ...], change: Callable[[Any], object]) -> None:
    holder: Any = order
    for name, place in zip(way[:-2:2], way[1:-2:2], strict=True):
        holder = getattr(holder, str(name)) if place is None else getattr(holder, str(name))[place]
    name = str(way[-2])
    with contextlib.suppress(ValueError):
        setattr(holder, name, change(getattr(holder, name)))


def _spoil(order: order_pb2.Order, way: tuple[object, ...], die: random.Random) -> None:
    def change(was: Any) -> object:
        numbers, texts = [0, 1, -1, 5_000_000], ["", "0", "00", "-1", "USD"]
        return die.choice([*numbers, -was, was + 1] if isinstance(was, int) else [*texts, was + "1"])

    _set_at(order, way, change)


@STEADY
@given(sales(), st.integers(0, 2**32))
def test_what_looks_plainly_sound_breaks_no_rule(sale: Sale, seed: int) -> None:
    """Any order with any of its numbers and texts spoiled: the quick look may be unsure, but never sure and wrong."""
    die, spoiled = random.Random(seed), canonical(sale)
    for _ in range(die.randrange(3)):
        _spoil(spoiled, die.choice(list(_numbers(spoiled))), die)
    if plainly_sound(spoiled):
        strict = checks.Bounds(per_part=0, at_most=0)
        assert checks.judged(checks.Sheet(spoiled), strict) == []
