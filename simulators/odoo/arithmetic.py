"""How Odoo computes: price times quantity, the taxes inside or on top, rounded per line or per document.

Facts: card of Odoo, section 5, and the vendor's engine. Both versions agree on every total; where a half of the
smallest coin has to go to net or tax, 16 rounds the net of a price that contains its tax, 19 rounds the tax.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_ZERO, _HUNDRED, _NEARLY = Decimal(0), Decimal(100), Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Tax:
    """A percentage; `included` says whether a price contains it."""

    id: int
    percent: Decimal
    included: bool


@dataclass(frozen=True, slots=True)
class Priced:
    """What a line is computed from. The discount is in percent."""

    price: Decimal
    quantity: Decimal
    discount: Decimal
    taxes: Sequence[Tax]


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a line comes to."""

    untaxed: Decimal
    taxes: dict[int, Decimal]

    @property
    def tax(self) -> Decimal:
        """All taxes together."""
        return sum(self.taxes.values(), _ZERO)


class Arithmetic:
    """The rules of one version and company for one currency."""

    def __init__(self, version: int, coin: Decimal, *, globally: bool) -> None:
        self._version = version
        self._coin = coin
        self._globally = globally

    def round(self, amount: Decimal) -> Decimal:
        """To the currency's smallest coin, half away from zero; a half may hide behind a periodic fraction."""
        return amount.quantize(_NEARLY, ROUND_HALF_UP).quantize(self._coin, ROUND_HALF_UP)

    def document(self, lines: Sequence[Priced]) -> tuple[list[Amounts], Amounts]:
        """What each line shows by itself, and what the whole order comes to."""
        split = [self._split(self._base(line), line.taxes) for line in lines]
        included = all(tax.included for line in lines for tax in line.taxes)
        return [self._rounded(amounts) for amounts in split], self._sum(split, included=included)

    def _rounded(self, amounts: Amounts) -> Amounts:
        return Amounts(self.round(amounts.untaxed), {tax: self.round(amount) for tax, amount in amounts.taxes.items()})

    def _sum(self, split: Sequence[Amounts], *, included: bool) -> Amounts:
        """Each tax is rounded once. Odoo 19 takes the net from the exact sums, Odoo 16 adds rounded ones."""
        exact: dict[int, Decimal] = {}
        for amounts in split:
            for tax, amount in amounts.taxes.items():
                exact[tax] = exact.get(tax, _ZERO) + amount
        taxes = {tax: self.round(amount) for tax, amount in exact.items()}
        if self._version < 17:
            return Amounts(sum((self.round(amounts.untaxed) for amounts in split), _ZERO), taxes)
        net = sum((amounts.untaxed for amounts in split), _ZERO)
        if not included:
            return Amounts(self.round(net), taxes)
        return Amounts(self.round(net + sum(exact.values(), _ZERO)) - sum(taxes.values(), _ZERO), taxes)

    def _base(self, line: Priced) -> Decimal:
        """Price times quantity less discount; only Odoo 19 keeps its fractions, where it rounds per document."""
        raw = line.price * (_HUNDRED - line.discount) * line.quantity / _HUNDRED
        return raw if self._globally and self._version >= 17 else self.round(raw)

    def _split(self, base: Decimal, taxes: Sequence[Tax]) -> Amounts:
        """Net and taxes of a base. What prices contain is taken out first, what comes on top is of the net."""
        inside = [tax for tax in taxes if tax.included]
        found = self._inside(base, inside) if inside else {}
        net = base - sum(found.values(), _ZERO)
        for tax in taxes:
            if not tax.included:
                found[tax.id] = self._kept(net * tax.percent / _HUNDRED)
        return Amounts(net, found)

    def _inside(self, base: Decimal, taxes: Sequence[Tax]) -> dict[int, Decimal]:
        whole = _HUNDRED + sum((tax.percent for tax in taxes), _ZERO)
        found = {tax.id: self._kept(base * tax.percent / whole) for tax in taxes}
        if self._version < 17:
            # The last one gets what the rounded net leaves.
            net = self.round(base * _HUNDRED / whole)
            last = taxes[-1].id
            found[last] = base - net - sum((amount for tax, amount in found.items() if tax != last), _ZERO)
        return found

    def _kept(self, amount: Decimal) -> Decimal:
        return amount if self._globally else self.round(amount)
