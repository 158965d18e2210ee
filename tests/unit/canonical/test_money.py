"""Money is exact in every currency, and refuses whatever is not money."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.canonical import money
from tallystick.errors import Unreadable
from tests.strategies import STEADY

_AMOUNTS = st.decimals(-(10**12), 10**12, places=9)


@pytest.mark.parametrize(("currency", "digits"), [("JPY", 0), ("ISK", 0), ("THB", 2), ("EUR", 2), ("KWD", 3)])
def test_fc_032_minor_digits_come_from_iso_4217(currency: str, digits: int) -> None:
    assert money.minor_digits(currency) == digits


@pytest.mark.parametrize("code", ["", "BTC", "eur", "XAU", "Euro"])
def test_a_code_without_coins_is_refused_by_name(code: str) -> None:
    with pytest.raises(money.UnknownCurrency, match=repr(code)):
        money.minor_digits(code)


@STEADY
@given(currency=st.sampled_from(("JPY", "THB", "KWD")), value=_AMOUNTS)
def test_a_decimal_survives_the_wire_form_exactly(currency: str, value: Decimal) -> None:
    wire = money.money(currency, value)
    assert money.amount(wire) == value
    assert wire.units * wire.nanos >= 0


def test_an_amount_shows_the_decimals_of_its_currency() -> None:
    shown = [f"{money.amount(money.money(code, Decimal('12.5')))}" for code in ("JPY", "THB", "KWD")]
    assert shown == ["12.5", "12.50", "12.500"]


@pytest.mark.parametrize("value", ["0.0000000001", "9223372036854775808"])
def test_what_does_not_fit_is_refused_and_never_rounded(value: str) -> None:
    with pytest.raises(Unreadable, match="nine decimals"):
        money.money("EUR", Decimal(value))


def test_a_price_of_a_third_of_a_coin_is_rounded_at_the_ninth_decimal() -> None:
    third = money.EXACT.divide(Decimal(10), Decimal(3))
    assert money.amount(money.unit_price("EUR", third)) == Decimal("3.333333333")


def test_fc_031_two_currencies_never_add() -> None:
    isk, gbp = money.money("ISK", Decimal(4400)), money.money("GBP", Decimal(4400))
    with pytest.raises(money.CurrencyMismatch, match="GBP, ISK"):
        money.add(isk, gbp)
    with pytest.raises(money.CurrencyMismatch):
        money.subtract(isk, gbp)
    assert money.amount(money.subtract(money.add(isk, isk), isk)) == 4400


@pytest.mark.parametrize("value", ["-", "", "12,50", "1_000", "NaN", "Infinity", "12.50 EUR", 12.5, True, None, []])
def test_fc_123_what_is_no_number_is_unreadable_and_never_zero(value: object) -> None:
    with pytest.raises(Unreadable):
        money.parse_amount(value)


def test_fc_019_numbers_in_json_are_read_without_a_binary_float() -> None:
    found = json.loads('{"price": 14.309999999999999}', parse_float=Decimal)
    assert money.parse_amount(found["price"]) == Decimal("14.309999999999999")


def test_whole_in_minor_units() -> None:
    assert money.is_whole(Decimal("1.00"), "JPY")
    assert not money.is_whole(Decimal("0.5"), "JPY")
    assert not money.is_whole_money(money.money("EUR", Decimal("0.005")))
    assert money.quantise(Decimal("0.005"), "EUR") == Decimal("0.01")


@STEADY
@given(
    coins=st.integers(-(10**9), 10**9),
    digits=st.integers(0, 3),
    weights=st.lists(st.decimals(0, 10**6, places=3), min_size=1, max_size=50),
)
def test_parts_add_up_and_stray_less_than_one_coin(coins: int, digits: int, weights: list[Decimal]) -> None:
    total, coin = Decimal(coins).scaleb(-digits), Decimal(1).scaleb(-digits)
    parts = money.allocate(total, weights, digits)
    assert sum(parts) == total
    if whole := sum(weights):
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part - money.EXACT.divide(total * weight, whole)) < coin


@pytest.mark.parametrize(("total", "weights"), [("1.005", [1]), ("1", []), ("1", [2, -1])])
def test_what_cannot_be_split_exactly_is_refused(total: str, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="split"):
        money.allocate(Decimal(total), [Decimal(weight) for weight in weights], 2)
