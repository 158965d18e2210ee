"""What a shop computes: discounts spread over lines, taxes by line, totals as ordered and as they are now."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from simulators.shopify.model import ZERO, Discount, Line, Order, Rate, Shipping, Tax
from tallystick.canonical.money import EXACT, allocate, minor_digits, quantise


@dataclass(frozen=True, slots=True)
class Sums:
    """Totals of one view of an order."""

    price: Decimal
    subtotal: Decimal
    tax: Decimal
    discounts: Decimal
    shipping: Decimal
    duties: Decimal


def discount(lines: Sequence[Line], discounts: Sequence[Discount], currency: str) -> None:
    """Spread every discount over the lines that are no gift cards, the exact sum, largest remainder first."""
    open_lines = [line for line in lines if not line.item.gift_card]
    for index, given in enumerate(discounts):
        if not given.amount and not given.share:
            continue
        weights = [line.amount for line in open_lines]
        amount = given.amount or quantise(sum(weights, ZERO) * given.share, currency)
        for line, share in zip(open_lines, allocate(amount, weights, minor_digits(currency)), strict=True):
            if share:
                line.allocations.append((index, share))


def taxes(amount: Decimal, rates: Sequence[Rate], currency: str, included: bool) -> list[Tax]:
    """Each tax rounded by itself, inside the amount or on top of it."""
    base = EXACT.divide(amount, 1 + sum((rate.rate for rate in rates), ZERO)) if included else amount
    return [Tax(rate.title, rate.rate, quantise(base * rate.rate, currency)) for rate in rates]


def portion(whole: Decimal, pieces: int, of: int, currency: str) -> Decimal:
    """The money of the first so many pieces; differences of it add up to the whole exactly."""
    return whole if pieces == of else quantise(EXACT.divide(whole * pieces, Decimal(of)), currency)


def taken(line: Line, pieces: int, currency: str) -> tuple[Decimal, Decimal]:
    """Amount and tax of the next pieces to go."""
    gone, of = line.removed + line.refunded, line.item.quantity
    amount = portion(line.amount, gone + pieces, of, currency) - portion(line.amount, gone, of, currency)
    tax = portion(line.tax, gone + pieces, of, currency) - portion(line.tax, gone, of, currency)
    return amount, tax


def ordered(order: Order, *, with_added: bool) -> Sums:
    """Before edits and refunds; whether `total_price` follows lines that an edit added is a switch of the shop."""
    lines = [line for line in order.lines if with_added or not line.added]
    return _sums(order, [(line, ZERO, ZERO, 0) for line in lines], order.shipping, ZERO, ZERO)


def current(order: Order) -> Sums:
    """Without what was removed and refunded."""
    parts = []
    for line in order.lines:
        gone, of = line.removed + line.refunded, line.item.quantity
        amount, tax = (portion(whole, gone, of, order.currency) for whole in (line.amount, line.tax))
        parts.append((line, amount, tax, gone))
    kept = [line for line in order.shipping if not line.removed]
    back = sum((refund.shipping for refund in order.refunds), ZERO)
    return _sums(order, parts, kept, back, sum((refund.shipping_tax for refund in order.refunds), ZERO))


def _sums(
    order: Order,
    parts: Sequence[tuple[Line, Decimal, Decimal, int]],
    shipping: Sequence[Shipping],
    shipping_back: Decimal,
    shipping_tax_back: Decimal,
) -> Sums:
    subtotal = sum((line.amount - gone for line, gone, _, _ in parts), ZERO)
    tax = sum((line.tax - gone for line, _, gone, _ in parts), ZERO)
    tax += sum((line.tax for line in shipping), ZERO) - shipping_tax_back
    carriage = sum((line.amount for line in shipping), ZERO) - shipping_back
    duties = sum((line.item.duty * (line.item.quantity - gone) for line, _, _, gone in parts), ZERO)
    full = sum((line.item.price * (line.item.quantity - gone) for line, _, _, gone in parts), ZERO)
    price = subtotal + carriage + (ZERO if order.taxes_included else tax) + order.tip + duties + order.rounding
    return Sums(price, subtotal, tax, full - subtotal, carriage, duties)


def tips(order: Order) -> Decimal:
    """All tips: beside the lines, and as lines of their own."""
    return order.tip + sum((line.amount for line in order.lines if line.item.title == "Tip"), ZERO)


def received(order: Order) -> Decimal:
    """What was paid less what was paid back."""
    done = [one for one in order.payments if one.status == "SUCCESS"]
    paid = sum((one.amount for one in done if one.kind in ("SALE", "CAPTURE")), ZERO)
    return paid - sum((one.amount for one in done if one.kind in ("REFUND", "CHANGE")), ZERO)
