"""Exact money: `google.type.Money` on the wire, `Decimal` in the hand; never a float, never two currencies at once."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, InvalidOperation, localcontext
from functools import cache

from google.type import money_pb2
from iso4217 import Currency

from tallystick.errors import TallystickError, Unreadable

#: `google.type.Money` carries nine decimals.
NANO_DIGITS = 9
_NANO = Decimal(1).scaleb(-NANO_DIGITS)
_UNITS_MAX = 2**63
#: Wide enough for every product of two amounts that fit a Money.
EXACT = Context(prec=60)


class UnknownCurrency(TallystickError):
    """A currency code that ISO 4217 does not list, or lists without minor units (gold, test codes)."""


class CurrencyMismatch(TallystickError):
    """Two currencies met in one sum or comparison."""


@cache
def minor_digits(currency: str) -> int:
    """Decimals of the currency's smallest coin by ISO 4217: THB 2, JPY 0, KWD 3. Raises `UnknownCurrency`."""
    try:
        exponent: int | None = Currency(currency).exponent
    except ValueError:
        exponent = None
    if exponent is None:
        raise UnknownCurrency(f"the currency {currency!r} is not one of ISO 4217 with minor units (such as EUR or THB)")
    return exponent


@cache
def minor_unit(currency: str) -> Decimal:
    """The smallest coin: THB 0.01, JPY 1, KWD 0.001. Raises `UnknownCurrency`."""
    return Decimal(1).scaleb(-minor_digits(currency))


def is_whole(value: Decimal, currency: str) -> bool:
    """Whether the amount can be paid in coins: no fraction of a minor unit."""
    return value == value.quantize(minor_unit(currency), context=EXACT)


def is_whole_money(value: money_pb2.Money) -> bool:
    """The same of a Money, by its nanos alone."""
    return not value.nanos or value.nanos % 10 ** (NANO_DIGITS - minor_digits(value.currency_code)) == 0


def quantise(value: Decimal, currency: str, rounding: str = ROUND_HALF_UP) -> Decimal:
    """The nearest amount in whole minor units; halves go away from zero unless told otherwise."""
    return value.quantize(minor_unit(currency), rounding=rounding, context=EXACT)


def parse_amount(value: object) -> Decimal:
    """A store's number as a Decimal, from text, int or Decimal. Raises `Unreadable` for anything else, such as "-".

    A float is refused: parse JSON with `parse_float=Decimal`.
    """
    if isinstance(value, bool | float) or not isinstance(value, str | int | Decimal):
        raise Unreadable(f"an amount was a {type(value).__name__}; it has to be a decimal text or an exact number")
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or (isinstance(value, str) and "_" in value):
        raise Unreadable(f"the amount {str(value)[:40]!r} is not a decimal number such as 12.50")
    return number


def money(currency: str, value: Decimal) -> money_pb2.Money:
    """The exact Money. Raises `UnknownCurrency`, and `Unreadable` when it needs more than nine decimals."""
    minor_digits(currency)
    nanos = value.scaleb(NANO_DIGITS, context=EXACT)
    if nanos != nanos.to_integral_value() or abs(value) >= _UNITS_MAX:
        raise Unreadable(f"the amount {value} {currency} does not fit an amount of money with nine decimals")
    units, rest = divmod(abs(int(nanos)), 10**NANO_DIGITS)
    sign = -1 if value < 0 else 1
    return money_pb2.Money(currency_code=currency, units=sign * units, nanos=sign * rest)


def unit_price(currency: str, value: Decimal) -> money_pb2.Money:
    """A price per piece, which may be a third of a coin: rounded at the ninth decimal, where `money` refuses."""
    return money(currency, value.quantize(_NANO, rounding=ROUND_HALF_UP, context=EXACT))


def amount(value: money_pb2.Money) -> Decimal:
    """The exact Decimal, with as many decimals as its currency has, more only where it holds more.

    A Money that was never set is zero.
    """
    units, nanos, currency = value.units, value.nanos, value.currency_code
    if not units and not nanos and not currency:
        return Decimal(0)
    digits, coins, coin_nanos = _coinage(currency)
    if nanos % coin_nanos == 0:
        return Decimal(units * coins + nanos // coin_nanos).scaleb(-digits, EXACT)
    return Decimal(units * 10**NANO_DIGITS + nanos).scaleb(-NANO_DIGITS, EXACT).normalize(EXACT)


@cache
def _coinage(currency: str) -> tuple[int, int, int]:
    """Decimals, coins to a unit, and nanos to a coin."""
    digits = minor_digits(currency)
    return digits, 10**digits, 10 ** (NANO_DIGITS - digits)


def add(*values: money_pb2.Money) -> money_pb2.Money:
    """The sum. Raises `CurrencyMismatch` for two currencies; at least one value is needed."""
    return money(same_currency(values), _sum(amount(value) for value in values))


def subtract(value: money_pb2.Money, less: money_pb2.Money) -> money_pb2.Money:
    """The difference. Raises `CurrencyMismatch` for two currencies."""
    return money(same_currency((value, less)), amount(value) - amount(less))


def same_currency(values: Iterable[money_pb2.Money]) -> str:
    """The one currency of all these amounts. Raises `CurrencyMismatch` for none or several."""
    found = sorted({value.currency_code for value in values})
    if len(found) != 1:
        raise CurrencyMismatch(f"amounts in {', '.join(found) or 'no currency'} cannot be added or compared")
    return found[0]


def allocate(total: Decimal, weights: Sequence[Decimal], digits: int) -> list[Decimal]:
    """Split `total` by the weights into parts of `digits` decimals that add up to it exactly (largest remainder).

    All weights zero: the first part takes all. Raises ValueError without weights, for negative ones, or when `total`
    itself has more decimals.
    """
    if not weights or any(weight < 0 for weight in weights):
        raise ValueError("an amount can only be split by one or more weights, none of them negative")
    with localcontext(EXACT):
        coins = abs(total).scaleb(digits)
        if coins != coins.to_integral_value():
            raise ValueError(f"{total} has more than {digits} decimals and cannot be split exactly")
        shares = _shares(int(coins), weights)
        sign = -1 if total < 0 else 1
        return [Decimal(sign * share).scaleb(-digits) for share in shares]


def _shares(coins: int, weights: Sequence[Decimal]) -> list[int]:
    whole = sum(weights)
    if not whole:
        return [coins, *([0] * (len(weights) - 1))]
    exact = [coins * weight / whole for weight in weights]
    shares = [int(value.to_integral_value(ROUND_FLOOR)) for value in exact]
    by_remainder = sorted(range(len(weights)), key=lambda i: shares[i] - exact[i])
    for i in by_remainder[: coins - sum(shares)]:
        shares[i] += 1
    return shares


def _sum(values: Iterable[Decimal]) -> Decimal:
    with localcontext(EXACT):
        return sum(values, Decimal(0))
