"""Taxes as WooCommerce computes them: six decimals per rate, halves down where prices include tax."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal

#: What a charge is taxed with, by rate id, unrounded.
Taxes = dict[int, Decimal]

_SIX = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Rate:
    """One row of the shop's tax table. `tax_class` is "" for the standard rate."""

    id: int
    percent: Decimal
    label: str
    tax_class: str = ""
    compound: bool = False
    shipping: bool = True

    @property
    def code(self) -> str:
        """The code that orders show."""
        return f"{self.label.upper()}-1"


@dataclass(frozen=True, slots=True)
class Rounding:
    """The shop's settings that decide how amounts are rounded."""

    decimals: int
    prices_include_tax: bool
    at_subtotal: bool = False

    def tax(self, value: Decimal) -> Decimal:
        """A tax in the shop's decimals."""
        mode = ROUND_HALF_DOWN if self.prices_include_tax else ROUND_HALF_UP
        return value.quantize(self._unit, rounding=mode)

    def amount(self, value: Decimal) -> Decimal:
        """Any other amount in the shop's decimals."""
        return value.quantize(self._unit, rounding=ROUND_HALF_UP)

    def tax_of(self, parts: Iterable[Decimal]) -> Decimal:
        """The tax of one rate over several charges: each rounded, or only their sum."""
        if self.at_subtotal:
            return self.tax(sum(parts, Decimal(0)))
        return sum((self.tax(part) for part in parts), Decimal(0))

    def net_of(self, parts: Iterable[Decimal]) -> Decimal:
        """Several charges without tax: each rounded, or only their sum."""
        if self.at_subtotal:
            return self.amount(sum(parts, Decimal(0)))
        return sum((self.amount(part) for part in parts), Decimal(0))

    @property
    def _unit(self) -> Decimal:
        return Decimal(1).scaleb(-self.decimals)


def of_class(rates: Sequence[Rate], tax_class: str) -> list[Rate]:
    """The rates of one class."""
    return [rate for rate in rates if rate.tax_class == tax_class]


def on_net(net: Decimal, rates: Sequence[Rate]) -> Taxes:
    """The taxes on an amount without tax; a compound rate also taxes the taxes before it."""
    taxes: Taxes = {}
    for rate in sorted(rates, key=lambda rate: rate.compound):
        base = net + sum(taxes.values(), Decimal(0)) if rate.compound else net
        taxes[rate.id] = (base * rate.percent / 100).quantize(_SIX, rounding=ROUND_HALF_UP)
    return taxes


def net_of_gross(gross: Decimal, rates: Sequence[Rate]) -> Decimal:
    """The amount without tax inside a price with tax, to six decimals."""
    plain = 1 + sum((rate.percent for rate in rates if not rate.compound), Decimal(0)) / 100
    for rate in rates:
        if rate.compound:
            plain *= 1 + rate.percent / 100
    return (gross / plain).quantize(_SIX, rounding=ROUND_HALF_UP)
