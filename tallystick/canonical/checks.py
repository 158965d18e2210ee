"""The rules that an order must keep before anybody may book it: one list of named rules, one engine.

The exact rules allow nothing; the bounded ones allow what honest rounding per line can amount to. No rule repairs
anything: a finding holds the order, and its detail tells an accountant both figures.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from google.type import money_pb2

from tallystick.canonical.money import UnknownCurrency, amount, is_whole_money, minor_digits, minor_unit
from tallystick.canonical.quantities import booked, parse_quantity
from tallystick.errors import Unreadable
from tallystick.reasons import HoldReason
from tallystick.v1 import event_pb2, order_pb2
from tallystick.v1 import money_pb2 as taxed_pb2

Charge = order_pb2.OrderLine | order_pb2.ShippingLine | order_pb2.Fee


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far sums of rounded parts may stray from the rounded sum, in minor units."""

    #: For each line, or for each tax of a line: half a unit of rounding on either side.
    per_part: int = 1
    #: Never more than this in all, however many lines there are.
    at_most: int = 50

    def of(self, parts: int, currency: str) -> Decimal:
        """The allowed difference for so many rounded parts."""
        return minor_unit(currency) * min(self.at_most, self.per_part * max(1, parts))


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rule: `broken` tells in words, one by one, where an order breaks it."""

    name: str
    reason: HoldReason
    broken: Callable[[order_pb2.Order, Bounds], Iterable[str]]


def findings(order: order_pb2.Order, bounds: Bounds = Bounds(), rules: Sequence[Rule] = ()) -> list[event_pb2.Finding]:
    """What stops this order from being booked, in the order of the rules (all of them unless some are given).

    Rules about sums are asked only of an order whose currencies, quantities and coins are sound.
    """
    if rules:
        return _apply(rules, order, bounds)
    return unsound(order) or _apply(SUMS, order, bounds)


def unsound(order: order_pb2.Order) -> list[event_pb2.Finding]:
    """What makes the order impossible to compute with at all."""
    return _apply(SHAPE, order, Bounds()) or _apply(COINS, order, Bounds())


def _apply(rules: Sequence[Rule], order: order_pb2.Order, bounds: Bounds) -> list[event_pb2.Finding]:
    return [
        event_pb2.Finding(reason=rule.reason, detail=detail) for rule in rules for detail in rule.broken(order, bounds)
    ]


# ---- what there is to check --------------------------------------------------------------------------------------


def charges(order: order_pb2.Order) -> Iterator[tuple[str, Charge]]:
    """Everything in the order that is booked with a tax of its own, with its name for messages."""
    for line in order.lines:
        yield f"line {line.id}", line
    for shipping in order.shipping_lines:
        yield f"shipping {shipping.id}", shipping
    for fee in order.fees:
        yield f"fee {fee.id}", fee


def _taxed(order: order_pb2.Order) -> Iterator[tuple[str, taxed_pb2.TaxedAmount]]:
    for name, charge in charges(order):
        yield name, charge.amount
    for line in order.lines:
        for part in ("removed_by_edit", "refunded"):
            if line.HasField(part):
                yield f"line {line.id}, {part}", getattr(line, part)


def _totals(order: order_pb2.Order) -> Iterator[tuple[str, money_pb2.Money]]:
    for field, value in order.totals.ListFields():
        yield f"totals.{field.name}", value


def _coins(order: order_pb2.Order) -> Iterator[tuple[str, money_pb2.Money]]:
    """Amounts that are paid or booked, and so have to be whole in minor units."""
    yield from _totals(order)
    for name, taxed in _taxed(order):
        yield from ((f"{name} {field.name}", value) for field, value in taxed.ListFields())
    yield from ((f"payment {paid.id}", paid.amount) for paid in order.payments if paid.HasField("amount"))
    yield from ((f"line {line.id} discount", line.discount) for line in order.lines if line.HasField("discount"))


def _all_money(order: order_pb2.Order) -> Iterator[tuple[str, money_pb2.Money]]:
    """Every amount but the presentment's; prices per piece and single taxes may have fractions of a minor unit."""
    yield from _coins(order)
    for name, charge in charges(order):
        yield from ((f"{name} tax", tax.amount) for tax in charge.taxes if tax.HasField("amount"))
    yield from ((f"line {line.id} price", line.unit_price) for line in order.lines if line.HasField("unit_price"))
    yield from ((f"discount {given.code}", given.amount) for given in order.discounts if given.HasField("amount"))


# ---- shape -------------------------------------------------------------------------------------------------------


def _known_currency(order: order_pb2.Order, _: Bounds) -> Iterator[str]:
    try:
        minor_digits(order.currency_code)
    except UnknownCurrency as error:
        yield str(error)


def _one_currency(order: order_pb2.Order, _: Bounds) -> Iterator[str]:
    for name, value in _all_money(order):
        if value.currency_code != order.currency_code:
            yield f"{name} is in {value.currency_code or 'no currency'}, the order is in {order.currency_code}"


def _state_known(order: order_pb2.Order, _: Bounds) -> Iterator[str]:
    if order.state == order_pb2.ORDER_STATE_UNSPECIFIED:
        yield f"the store's state {order.store_state!r} is not known; name it under `states` in the contract"


def _placed_at(order: order_pb2.Order, _: Bounds) -> Iterator[str]:
    if not order.HasField("placed_at"):
        yield "the order has no date of sale"


def _lines_named(order: order_pb2.Order, _: Bounds) -> Iterator[str]:
    seen: set[str] = set()
    for line in order.lines:
        if not line.id:
            yield f"the line {line.sku or line.product_id!r} has no id of its own"
        elif line.id in seen:
            yield f"two lines have the id {line.id}"
        seen.add(line.id)


def _quantities(order: order_pb2.Order, _: Bounds) -> Iterator[str]:
    for line in order.lines:
        try:
            ordered, removed = parse_quantity(line.quantity.ordered), parse_quantity(line.quantity.removed_by_edit)
        except Unreadable as error:
            yield f"line {line.id}: {error}"
            continue
        if ordered < 0 or removed < 0 or removed > ordered:
            yield f"line {line.id} has {ordered} ordered and {removed} removed by an edit"


# ---- money -------------------------------------------------------------------------------------------------------


def _whole(order: order_pb2.Order, _: Bounds) -> Iterator[str]:
    for name, value in _coins(order):
        if not is_whole_money(value):
            digits = minor_digits(order.currency_code)
            yield f"{name} is {amount(value)}, but {order.currency_code} has {digits} decimals"


def _header(order: order_pb2.Order, _: Bounds) -> Iterator[str]:
    totals = order.totals
    parts = ("net", "tax", "shipping", "fees", "tips", "duties", "rounding")
    added = sum((amount(getattr(totals, part)) for part in parts), Decimal(0))
    total = amount(totals.total)
    if added != total:
        yield (
            f"net + tax + shipping + fees + tips + duties + rounding make {added} {order.currency_code}, "
            f"the total is {total}: a difference of {total - added}"
        )


def _not_negative(order: order_pb2.Order, _: Bounds) -> Iterator[str]:
    if amount(order.totals.total) < 0:
        yield f"the total is negative: {amount(order.totals.total)} {order.currency_code}"


def _gross(order: order_pb2.Order, _: Bounds) -> Iterator[str]:
    for name, taxed in _taxed(order):
        net, tax, gross = amount(taxed.net), amount(taxed.tax), amount(taxed.gross)
        if net + tax != gross:
            yield f"{name}: net {net} + tax {tax} is not gross {gross}"


def _nothing_booked(order: order_pb2.Order, _: Bounds) -> Iterator[str]:
    for line in order.lines:
        if not booked(line) and amount(line.amount.gross):
            yield f"line {line.id} has no piece left, but {amount(line.amount.gross)} {order.currency_code}"


def _line_taxes(order: order_pb2.Order, bounds: Bounds) -> Iterator[str]:
    for name, charge in charges(order):
        if not any(tax.HasField("amount") for tax in charge.taxes):
            continue
        stated = sum((amount(tax.amount) for tax in charge.taxes), Decimal(0))
        tax = amount(charge.amount.tax)
        if abs(stated - tax) > bounds.of(len(charge.taxes), order.currency_code):
            yield f"{name}: its single taxes make {stated}, its tax is {tax}"


def _sums(order: order_pb2.Order, bounds: Bounds) -> Iterator[str]:
    totals = order.totals
    compared: tuple[tuple[str, Iterable[Charge], money_pb2.Money], ...] = (
        ("the lines", order.lines, totals.net),
        ("the shipping lines", order.shipping_lines, totals.shipping),
        ("the fees", order.fees, totals.fees),
    )
    for name, parts, stated in compared:
        nets = [amount(part.amount.net) for part in parts]
        yield from _strayed(f"{name} without tax", nets, amount(stated), bounds.of(len(nets), order.currency_code))
    everything = [charge for _, charge in charges(order)]
    allowed = bounds.of(tax_parts(everything), order.currency_code)
    yield from _strayed("the taxes", [amount(part.amount.tax) for part in everything], amount(totals.tax), allowed)


def tax_parts(parts: Iterable[Charge]) -> int:
    """How many roundings of tax the parts hold: one for each tax of each part."""
    return sum(max(1, len(part.taxes)) for part in parts if part.taxes or amount(part.amount.tax))


def _strayed(name: str, parts: Sequence[Decimal], stated: Decimal, allowed: Decimal) -> Iterator[str]:
    added = sum(parts, Decimal(0))
    if abs(added - stated) > allowed:
        yield f"{name} make {added}, the order states {stated}; rounding may explain at most {allowed}"


#: What all other rules stand on.
SHAPE: tuple[Rule, ...] = (
    Rule("currency-known", HoldReason.MAPPING, _known_currency),
    Rule("one-currency", HoldReason.UNBALANCED, _one_currency),
    Rule("state-known", HoldReason.MAPPING, _state_known),
    Rule("date-of-sale", HoldReason.DATA, _placed_at),
    Rule("line-ids", HoldReason.DATA, _lines_named),
    Rule("quantities", HoldReason.DATA, _quantities),
)

#: What the rules about sums stand on.
COINS: tuple[Rule, ...] = (Rule("whole-minor-units", HoldReason.UNBALANCED, _whole),)

#: The identities.
SUMS: tuple[Rule, ...] = (
    Rule("header", HoldReason.UNBALANCED, _header),
    Rule("total-not-negative", HoldReason.UNBALANCED, _not_negative),
    Rule("net-tax-gross", HoldReason.UNBALANCED, _gross),
    Rule("nothing-booked", HoldReason.UNBALANCED, _nothing_booked),
    Rule("single-taxes", HoldReason.UNBALANCED, _line_taxes),
    Rule("sums", HoldReason.UNBALANCED, _sums),
)
