"""From a charge to lines of the document whose price times quantity is its amount, to the minor unit.

The line's amount is the truth, the unit price follows from it: a store's 14.309999999999999 for ten is 14.31, and
three for 10.00 has no unit price in whole cents at all.
"""

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from tallystick.canonical.money import NANO_DIGITS, minor_digits, quantise
from tallystick.contract.arithmetic import TargetArithmetic
from tallystick.contract.document import DocumentLine, LineRole
from tallystick.contract.schema import Unrepresentable

_ONE = Decimal(1)
#: 1, 0.1, 0.01 …
_UNITS = tuple(_ONE.scaleb(-decimals) for decimals in range(NANO_DIGITS + 1))
_SPLIT = "-split"


def sold_line(key: str) -> str:
    """The key of the line that was sold, from that of a document's line, which may be the dearer part of it."""
    return key.removesuffix(_SPLIT)


@dataclass(frozen=True, slots=True)
class Pricer:
    """Prices lines for one currency of one target."""

    currency: str
    arithmetic: TargetArithmetic
    policy: Unrepresentable
    rounding_product: str

    def price(self, line: DocumentLine) -> list[DocumentLine]:
        """The line with its `unit_price`, or what the policy makes of it where that does not give its amount.

        Where nothing fits, the balance will tell.
        """
        wanted = line.gross if line.tax_included else line.net
        rest = wanted - self.arithmetic.line_amount(line.unit_price, line.quantity)
        if not rest or self.policy is Unrepresentable.PRECISE:
            return [line]
        if self.policy is Unrepresentable.SPLIT and self._can_split(line.quantity):
            return self._split(line, wanted)
        return self._with_rest(line, wanted, rest)

    def unit_price(self, wanted: Decimal, quantity: Decimal) -> Decimal:
        """As short as it can be while it still gives the amount; else the nearest that the target keeps."""
        exact = wanted / quantity
        digits = min(minor_digits(self.currency), self.arithmetic.price_decimals)
        for decimals in range(digits, self.arithmetic.price_decimals + 1):
            price = exact.quantize(_UNITS[decimals], ROUND_HALF_UP)
            if price * quantity == wanted:
                return price
        return self.arithmetic.stored_price(exact)

    def _can_split(self, quantity: Decimal) -> bool:
        whole = quantity == quantity.to_integral_value() and quantity > 1
        return whole and self.arithmetic.price_decimals >= minor_digits(self.currency)

    def _split(self, line: DocumentLine, wanted: Decimal) -> list[DocumentLine]:
        """Most pieces at one price, the others one minor unit dearer."""
        digits = minor_digits(self.currency)
        coins, pieces = int(abs(wanted).scaleb(digits)), int(line.quantity)
        low, dearer = divmod(coins, pieces)
        sign = -1 if wanted < 0 else 1
        cheap = replace(line, quantity=Decimal(pieces - dearer), unit_price=Decimal(sign * low).scaleb(-digits))
        dear = replace(
            line,
            key=f"{line.key}{_SPLIT}",
            quantity=Decimal(dearer),
            unit_price=Decimal(sign * (low + 1)).scaleb(-digits),
        )
        return self._shared(line, wanted, [cheap, dear])

    def _with_rest(self, line: DocumentLine, wanted: Decimal, rest: Decimal) -> list[DocumentLine]:
        """A second line under the same tax brings the amount right."""
        second = replace(
            line,
            key=f"{line.key}-rounding",
            role=LineRole.ROUNDING,
            product=self.rounding_product,
            name="Rounding",
            quantity=_ONE,
            unit_price=rest,
            fields={},
        )
        return self._shared(line, wanted, [line, second])

    def _shared(self, whole: DocumentLine, wanted: Decimal, parts: list[DocumentLine]) -> list[DocumentLine]:
        """Tell both parts what the store charged for them: the amount of each, and its share of the tax.

        `wanted` is not zero: nothing needs no second line.
        """
        first, second = (self.arithmetic.line_amount(part.unit_price, part.quantity) for part in parts)
        tax = quantise(whole.tax * second / wanted, self.currency)
        return [_charged(parts[0], first, whole.tax - tax), _charged(parts[1], second, tax)]


def _charged(line: DocumentLine, value: Decimal, tax: Decimal) -> DocumentLine:
    net = value - tax if line.tax_included else value
    return replace(line, net=net, tax=tax, gross=net + tax)
