"""How the target computes its own total: the model that every document is proved against before it is sent."""

import decimal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tallystick.canonical.money import minor_unit
from tallystick.contract.document import Balance, DocumentLine, OrderDocument, RefundDocument
from tallystick.contract.rates import in_gross, of_net
from tallystick.contract.schema import Arithmetic, TaxRounding

#: What `unlimited` means on our side; enough for any quantity that a shop sells.
_DECIMALS_MAX = 9
_ZERO = Decimal(0)


@dataclass(slots=True)
class Sums:
    """Net and tax as the target will compute them."""

    net: Decimal = _ZERO
    tax: Decimal = _ZERO


@dataclass(slots=True)
class Prediction:
    """The target's own figures, in all and for each set of rates."""

    by_rates: dict[tuple[Decimal, ...], Sums] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        """What the target will show as the amount due."""
        return sum((one.net + one.tax for one in self.by_rates.values()), _ZERO)


class TargetArithmetic:
    """The contract's arithmetic for one currency."""

    def __init__(self, arithmetic: Arithmetic, currency: str) -> None:
        self._coin = minor_unit(currency)
        decimals = arithmetic.price_decimals
        self.price_decimals = _DECIMALS_MAX if isinstance(decimals, str) else min(decimals, _DECIMALS_MAX)
        self._price_unit = Decimal(1).scaleb(-self.price_decimals)
        self._tax_mode = arithmetic.rounding.of_decimal
        self._line_mode = arithmetic.line_rounding.of_decimal
        self._per_document = arithmetic.tax_rounding is TaxRounding.PER_DOCUMENT

    def stored_price(self, price: Decimal) -> Decimal:
        """The unit price as the target keeps it."""
        return price.quantize(self._price_unit, decimal.ROUND_HALF_UP)

    def line_amount(self, price: Decimal, quantity: Decimal) -> Decimal:
        """Price times quantity, as the target rounds it."""
        return (self.stored_price(price) * quantity).quantize(self._coin, self._line_mode)

    def predict(self, lines: Iterable[DocumentLine]) -> Prediction:
        """The target's figures for these lines. A line whose rates are unknown keeps the store's tax."""
        prediction = Prediction()
        groups: dict[tuple[tuple[Decimal, ...], bool], list[DocumentLine]] = {}
        for line in lines:
            groups.setdefault((line.rates, line.tax_included), []).append(line)
        for (rates, included), members in groups.items():
            sums = prediction.by_rates.setdefault(rates, Sums())
            for part in [members] if self._per_document else [[line] for line in members]:
                self._add(sums, part, rates, included)
        return prediction

    def _add(self, sums: Sums, lines: Sequence[DocumentLine], rates: tuple[Decimal, ...], included: bool) -> None:
        """One rounding of tax for these lines; prices that contain it keep their sum."""
        base = sum((self.line_amount(line.unit_price, line.quantity) for line in lines), _ZERO)
        if not rates:
            tax = sum((line.tax for line in lines), _ZERO)
        elif included:
            tax = self._taxes(base - in_gross(base, rates), rates)
        else:
            tax = self._taxes(base, rates)
        sums.net += base - tax if included else base
        sums.tax += tax

    def _taxes(self, net: Decimal, rates: tuple[Decimal, ...]) -> Decimal:
        return sum((of_net(net, (rate,)).quantize(self._coin, self._tax_mode) for rate in rates), _ZERO)


def balance(arithmetic: Arithmetic, document: OrderDocument | RefundDocument) -> Balance:
    """The proof: what the target will compute against what the buyer owes, or is given back."""
    predicted = TargetArithmetic(arithmetic, document.currency).predict(document.lines).total
    return Balance(document.total, predicted, document.currency)
