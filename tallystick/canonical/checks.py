"""The rules that an order must keep before anybody may book it: one list of named rules, one engine.

The exact rules allow nothing; the bounded ones allow what honest rounding per line can amount to. No rule repairs
anything: a finding holds the order, and its detail tells an accountant both figures.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from google.type import money_pb2

from tallystick.canonical.money import NANO_DIGITS, UnknownCurrency, amount, minor_digits, minor_unit
from tallystick.canonical.quantities import booked, parse_quantity
from tallystick.canonical.soundness import plainly_sound
from tallystick.errors import Unreadable
from tallystick.reasons import HoldReason
from tallystick.v1 import event_pb2, order_pb2
from tallystick.v1 import money_pb2 as taxed_pb2

_ZERO = Decimal(0)
Charge = order_pb2.OrderLine | order_pb2.ShippingLine | order_pb2.Fee

#: Net, tax and gross.
Figures = tuple[Decimal, Decimal, Decimal]


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


class Sheet:
    """An order's figures with their names, laid out once for all rules."""

    __slots__ = ("_figures", "charges", "coins", "currency", "lines", "order", "taxed", "totals")

    def __init__(self, order: order_pb2.Order) -> None:
        self.order = order
        self.currency = order.currency_code
        self.lines = list(order.lines)
        #: Everything that is booked with a tax of its own, with its name for messages.
        self.charges: list[tuple[str, Charge]] = [(f"line {line.id}", line) for line in self.lines]
        self.charges += [(f"shipping {shipping.id}", shipping) for shipping in order.shipping_lines]
        self.charges += [(f"fee {fee.id}", fee) for fee in order.fees]
        self.taxed = [(name, charge.amount) for name, charge in self.charges] + _parts(self.lines)
        #: Those that are stated, by their names.
        self.totals = {field.name: value for field, value in order.totals.ListFields()}
        #: Amounts that are paid or booked, and so have to be whole in minor units.
        self.coins = [(f"totals.{name}", value) for name, value in self.totals.items()]
        for name, amounts in self.taxed:
            self.coins += [(f"{name} {field.name}", value) for field, value in amounts.ListFields()]
        self.coins += [(f"payment {paid.id}", paid.amount) for paid in order.payments if paid.HasField("amount")]
        self.coins += [(f"line {line.id} discount", line.discount) for line in self.lines if line.HasField("discount")]
        self._figures: list[Figures] | None = None

    def total(self, name: str) -> Decimal:
        """One of the totals; what is not stated is zero."""
        value = self.totals.get(name)
        return _ZERO if value is None else amount(value)

    @property
    def figures(self) -> list[Figures]:
        """Net, tax and gross of `taxed`; only for an order whose currency is known."""
        if self._figures is None:
            self._figures = [(amount(t.net), amount(t.tax), amount(t.gross)) for _, t in self.taxed]
        return self._figures

    def fractions(self) -> list[tuple[str, money_pb2.Money]]:
        """Prices per piece and single taxes, which may have fractions of a minor unit."""
        found = []
        for name, charge in self.charges:
            found += [(f"{name} tax", tax.amount) for tax in charge.taxes if tax.HasField("amount")]
        found += [(f"line {line.id} price", line.unit_price) for line in self.lines if line.HasField("unit_price")]
        given = self.order.discounts
        return found + [(f"discount {one.code}", one.amount) for one in given if one.HasField("amount")]


def _parts(lines: Iterable[order_pb2.OrderLine]) -> list[tuple[str, taxed_pb2.TaxedAmount]]:
    return [
        (f"line {line.id}, {part}", getattr(line, part))
        for line in lines
        for part in ("removed_by_edit", "refunded")
        if line.HasField(part)
    ]


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rule: `broken` tells in words, one by one, where an order breaks it."""

    name: str
    reason: HoldReason
    broken: Callable[[Sheet, Bounds], Iterable[str]]


def findings(order: order_pb2.Order, bounds: Bounds = Bounds(), rules: Sequence[Rule] = ()) -> list[event_pb2.Finding]:
    """What stops this order from being booked, in the order of the rules (all of them unless some are given).

    Rules about sums are asked only of an order whose currencies, quantities and coins are sound.
    """
    return [] if not rules and plainly_sound(order) else judged(Sheet(order), bounds, rules)


def judged(sheet: Sheet, bounds: Bounds, rules: Sequence[Rule] = ()) -> list[event_pb2.Finding]:
    """The same of an order that is laid out already."""
    if rules:
        return _apply(rules, sheet, bounds)
    return unsound(sheet) or _apply(SUMS, sheet, bounds)


def unsound(sheet: Sheet) -> list[event_pb2.Finding]:
    """What makes the order impossible to compute with at all."""
    return _apply(SHAPE, sheet, Bounds()) or _apply(COINS, sheet, Bounds())


def _apply(rules: Sequence[Rule], sheet: Sheet, bounds: Bounds) -> list[event_pb2.Finding]:
    return [
        event_pb2.Finding(reason=rule.reason, detail=detail) for rule in rules for detail in rule.broken(sheet, bounds)
    ]


# ---- shape -------------------------------------------------------------------------------------------------------


def _known_currency(sheet: Sheet, _: Bounds) -> Iterator[str]:
    try:
        minor_digits(sheet.currency)
    except UnknownCurrency as error:
        yield str(error)


def _one_currency(sheet: Sheet, _: Bounds) -> Iterator[str]:
    for name, value in sheet.coins + sheet.fractions():
        if value.currency_code != sheet.currency:
            yield f"{name} is in {value.currency_code or 'no currency'}, the order is in {sheet.currency}"


def _state_known(sheet: Sheet, _: Bounds) -> Iterator[str]:
    order = sheet.order
    if order.state == order_pb2.ORDER_STATE_UNSPECIFIED:
        yield f"the store's state {order.store_state!r} is not known; name it under `states` in the contract"


def _placed_at(sheet: Sheet, _: Bounds) -> Iterator[str]:
    if not sheet.order.HasField("placed_at"):
        yield "the order has no date of sale"


def _lines_named(sheet: Sheet, _: Bounds) -> Iterator[str]:
    seen: set[str] = set()
    for line in sheet.lines:
        if not line.id:
            yield f"the line {line.sku or line.product_id!r} has no id of its own"
        elif line.id in seen:
            yield f"two lines have the id {line.id}"
        seen.add(line.id)


def _quantities(sheet: Sheet, _: Bounds) -> Iterator[str]:
    for line in sheet.lines:
        try:
            ordered, removed = parse_quantity(line.quantity.ordered), parse_quantity(line.quantity.removed_by_edit)
        except Unreadable as error:
            yield f"line {line.id}: {error}"
            continue
        if ordered < 0 or removed < 0 or removed > ordered:
            yield f"line {line.id} has {ordered} ordered and {removed} removed by an edit"


# ---- money -------------------------------------------------------------------------------------------------------


def _whole(sheet: Sheet, _: Bounds) -> Iterator[str]:
    digits = minor_digits(sheet.currency)
    coin_nanos = 10 ** (NANO_DIGITS - digits)
    for name, value in sheet.coins:
        if value.nanos % coin_nanos:
            yield f"{name} is {amount(value)}, but {sheet.currency} has {digits} decimals"


def _header(sheet: Sheet, _: Bounds) -> Iterator[str]:
    parts = ("net", "tax", "shipping", "fees", "tips", "duties", "rounding")
    added = sum((amount(sheet.totals[part]) for part in parts if part in sheet.totals), _ZERO)
    total = sheet.total("total")
    if added != total:
        yield (
            f"net + tax + shipping + fees + tips + duties + rounding make {added} {sheet.currency}, "
            f"the total is {total}: a difference of {total - added}"
        )


def _not_negative(sheet: Sheet, _: Bounds) -> Iterator[str]:
    total = sheet.total("total")
    if total < 0:
        yield f"the total is negative: {total} {sheet.currency}"


def _gross(sheet: Sheet, _: Bounds) -> Iterator[str]:
    for (name, _taxed), (net, tax, gross) in zip(sheet.taxed, sheet.figures, strict=True):
        if net + tax != gross:
            yield f"{name}: net {net} + tax {tax} is not gross {gross}"


def _nothing_booked(sheet: Sheet, _: Bounds) -> Iterator[str]:
    for line, (_net, _tax, gross) in zip(sheet.lines, sheet.figures, strict=False):
        if gross and not booked(line):
            yield f"line {line.id} has no piece left, but {gross} {sheet.currency}"


def _line_taxes(sheet: Sheet, bounds: Bounds) -> Iterator[str]:
    for (name, charge), (_net, tax, _gross) in zip(sheet.charges, sheet.figures, strict=False):
        if not any(one.HasField("amount") for one in charge.taxes):
            continue
        stated = sum((amount(one.amount) for one in charge.taxes), _ZERO)
        if stated != tax and abs(stated - tax) > bounds.of(len(charge.taxes), sheet.currency):
            yield f"{name}: its single taxes make {stated}, its tax is {tax}"


def _sums(sheet: Sheet, bounds: Bounds) -> Iterator[str]:
    order, own = sheet.order, iter(sheet.figures)
    for name, number, total in (
        ("the lines", len(sheet.lines), "net"),
        ("the shipping lines", len(order.shipping_lines), "shipping"),
        ("the fees", len(order.fees), "fees"),
    ):
        added, stated = sum([net for net, _tax, _gross in islice(own, number)], _ZERO), sheet.total(total)
        if added != stated:
            yield from _strayed(f"{name} without tax", added, stated, bounds.of(number, sheet.currency))
    taxes, stated = [tax for _net, tax, _gross in sheet.figures[: len(sheet.charges)]], sheet.total("tax")
    added = sum(taxes, _ZERO)
    if added != stated:
        # One rounding for each tax of each part.
        counted = [len(charge.taxes) for _, charge in sheet.charges]
        roundings = sum(max(1, number) for number, tax in zip(counted, taxes, strict=True) if number or tax)
        yield from _strayed("the taxes", added, stated, bounds.of(roundings, sheet.currency))


def _strayed(name: str, added: Decimal, stated: Decimal, allowed: Decimal) -> Iterator[str]:
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
