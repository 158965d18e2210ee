"""Each rule finds what it is named for, and says both figures."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given

from tallystick.canonical import checks
from tallystick.canonical.money import money
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


@pytest.mark.parametrize(("name", "spoil", "told"), SPOILED)
def test_what_is_spoiled_is_found_under_its_rule(name: str, spoil: Spoil, told: str) -> None:
    rules = [rule for rule in (*checks.SHAPE, *checks.COINS, *checks.SUMS) if rule.name == name]
    spoiled = _order()
    spoil(spoiled)
    assert any(told in finding.detail for finding in checks.findings(spoiled, rules=rules))
    assert checks.findings(spoiled)


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
