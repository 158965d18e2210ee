"""How Odoo computes: price times quantity, the taxes inside or on top, rounded per line or per document.

Facts: card of Odoo, section 5, and the vendor's engine. Both versions agree on every total; where a half of the
smallest coin has to go to net or tax, 16 rounds the net of a price that contains its tax, 19 rounds the tax.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_ZERO, _HUNDRED = Decimal(0), Decimal(100)


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
        """To the currency's smallest coin, half away from zero."""
        return amount.quantize(self._coin, ROUND_HALF_UP)

    def line(self, line: Priced) -> Amounts:
        """One line by itself, as its own fields show it."""
        raw = self._raw(line)
        amounts = self._split(self.round(raw) if self._rounds_base else raw, line.taxes)
        if not self._globally:
            return amounts
        taxes = {tax: self.round(amount) for tax, amount in amounts.taxes.items()}
        return Amounts(self.round(amounts.untaxed), taxes)

    def document(self, lines: Iterable[Priced]) -> Amounts:
        """A whole order."""
        untaxed, taxes = _ZERO, dict[int, Decimal]()
        for line in lines:
            amounts = self._unrounded(line) if self._globally else self.line(line)
            untaxed += self.round(amounts.untaxed)
            for tax, amount in amounts.taxes.items():
                taxes[tax] = taxes.get(tax, _ZERO) + amount
        return Amounts(untaxed, {tax: self.round(amount) for tax, amount in taxes.items()})

    @property
    def _rounds_base(self) -> bool:
        return not self._globally or self._version < 17

    def _raw(self, line: Priced) -> Decimal:
        return line.price * (_HUNDRED - line.discount) * line.quantity / _HUNDRED

    def _unrounded(self, line: Priced) -> Amounts:
        raw = self._raw(line)
        return self._split(self.round(raw) if self._rounds_base else raw, line.taxes)

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
