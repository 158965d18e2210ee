"""What differs between two revisions of an order, as documents beside the first: what is charged more, what is less.

For an order whose document can no longer be changed. Pure, and the same for all stores. The first revision and the
difference come to the second to the minor unit, or there is no difference to be had.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from tallystick.canonical.checks import Charge
from tallystick.canonical.money import allocate, amount, minor_digits, minor_unit, money, quantise
from tallystick.canonical.quantities import booked, quantity_text
from tallystick.v1 import money_pb2, order_pb2, refund_pb2

_ZERO = Decimal(0)
_Any = TypeVar("_Any", order_pb2.OrderLine, order_pb2.ShippingLine, order_pb2.Fee)
_Other = TypeVar("_Other", order_pb2.ShippingLine, order_pb2.Fee)


class Inexpressible(Exception):
    """The revisions differ in something that no document beside the first can say; the text names it."""


class Unproved(Inexpressible):
    """What is booked and what differs do not come to what is to be; the text holds the figures."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Either half may be missing; both are when nothing that is charged differs."""

    #: An order of what is charged more.
    raised: order_pb2.Order | None
    #: A refund of what is charged less.
    lowered: refund_pb2.Refund | None


@dataclass(frozen=True, slots=True)
class _Figures:
    net: Decimal = _ZERO
    tax: Decimal = _ZERO

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    def __add__(self, other: "_Figures") -> "_Figures":
        return _Figures(self.net + other.net, self.tax + other.tax)

    def __sub__(self, other: "_Figures") -> "_Figures":
        return _Figures(self.net - other.net, self.tax - other.tax)

    def __neg__(self) -> "_Figures":
        return _Figures(-self.net, -self.tax)

    def __bool__(self) -> bool:
        return bool(self.net or self.tax)

    @property
    def sign(self) -> int:
        """1 and -1 where net and tax go the same way, 0 where they do not."""
        if self.net >= 0 and self.tax >= 0:
            return 1
        return -1 if self.net <= 0 and self.tax <= 0 else 0


@dataclass(slots=True)
class _Sheet:
    """The two halves while they grow."""

    now: order_pb2.Order
    lines: list[order_pb2.OrderLine] = field(default_factory=list)
    shipping: list[order_pb2.ShippingLine] = field(default_factory=list)
    fees: list[order_pb2.Fee] = field(default_factory=list)
    back: list[refund_pb2.RefundLine] = field(default_factory=list)
    shipping_back: list[order_pb2.ShippingLine] = field(default_factory=list)
    fees_back: list[order_pb2.Fee] = field(default_factory=list)

    @property
    def currency(self) -> str:
        return self.now.currency_code


def difference(base: order_pb2.Order, now: order_pb2.Order) -> Difference:
    """From what is booked to what is to be. Raises `Inexpressible`.

    Of the refund the id and the date are left to the caller.
    """
    for name, one, other in _terms(base, now):
        if one != other:
            raise Inexpressible(f"{name} changed from {one} to {other}")
    sheet = _Sheet(now)
    for lines in _pairs(base.lines, now.lines):
        _line(sheet, *lines)
    for ways in _pairs(base.shipping_lines, now.shipping_lines):
        _other(sheet, *ways, sheet.shipping, sheet.shipping_back)
    for fees in _pairs(base.fees, now.fees):
        _other(sheet, *fees, sheet.fees, sheet.fees_back)
    found = Difference(_raised(sheet), _lowered(sheet, base))
    _prove(base, now, found)
    return found


def _terms(base: order_pb2.Order, now: order_pb2.Order) -> Iterator[tuple[str, object, object]]:
    yield "the currency", base.currency_code, now.currency_code
    yield "the basis of its prices", base.tax_basis, now.tax_basis
    yield "the buyer's exemption from tax", base.customer.tax_exempt, now.customer.tax_exempt
    for name in ("tips", "duties", "rounding"):
        yield f"its {name}", amount(getattr(base.totals, name)), amount(getattr(now.totals, name))


def _pairs(base: Sequence[_Any], now: Sequence[_Any]) -> Iterator[tuple[_Any | None, _Any | None]]:
    """By the store's own ids, in the order of the newer revision, then what is there no more."""
    before, after = {one.id: one for one in base}, {one.id: one for one in now}
    if len(before) != len(base) or len(after) != len(now):
        raise Inexpressible("two of its charges have one id")
    yield from ((before.get(name), one) for name, one in after.items())
    yield from ((one, None) for name, one in before.items() if name not in after)


# ---- lines -------------------------------------------------------------------------------------------------------


def _line(sheet: _Sheet, old: order_pb2.OrderLine | None, new: order_pb2.OrderLine | None) -> None:
    before, after = _figures(old), _figures(new)
    pieces = _pieces(new) - _pieces(old)
    change = after - before
    if not pieces and not change:
        return
    line = new or old
    assert line is not None
    _same_rates(line, old, new)
    if pieces > 0:
        part = _of_pieces(sheet, change, after, pieces / _pieces(new))
        sheet.lines.append(_more(sheet, line, pieces, part))
        change -= part
    elif pieces < 0:
        part = _of_pieces(sheet, -change, before, -pieces / _pieces(old))
        sheet.back.append(_less(sheet, line, -pieces, part))
        change += part
    if change:
        _price(sheet, line, change)


def _pieces(line: order_pb2.OrderLine | None) -> Decimal:
    return _ZERO if line is None else booked(line)


def _figures(charge: Charge | None) -> _Figures:
    return _Figures() if charge is None else _Figures(amount(charge.amount.net), amount(charge.amount.tax))


def _same_rates(line: Charge, old: Charge | None, new: Charge | None) -> None:
    if (
        old is not None
        and new is not None
        and [t.rate_percent for t in old.taxes] != [t.rate_percent for t in new.taxes]
    ):
        raise Inexpressible(f"the tax rates of {line.id} changed")


def _of_pieces(sheet: _Sheet, change: _Figures, whole: _Figures, share: Decimal) -> _Figures:
    """What the pieces cost: all of the change where rounding explains the rest, else their share of the line."""
    part = _Figures(quantise(whole.net * share, sheet.currency), quantise(whole.tax * share, sheet.currency))
    rest, coin = change - part, minor_unit(sheet.currency)
    return change if abs(rest.net) <= coin and abs(rest.tax) <= coin and change.sign == 1 else part


def _price(sheet: _Sheet, line: order_pb2.OrderLine, change: _Figures) -> None:
    """Money without pieces."""
    if not change.sign:
        raise Inexpressible(f"line {line.id} changed by {change.net} without tax and by {change.tax} of tax")
    if change.sign < 0:
        sheet.back.append(_less(sheet, line, _ZERO, -change))
        return
    title = f"Price difference: {line.title or line.sku or line.id}"
    fee = order_pb2.Fee(id=f"price-{line.id}", title=title, amount=_taxed(sheet, change))
    fee.taxes.extend(_taxes(sheet, line, change))
    sheet.fees.append(fee)


def _more(sheet: _Sheet, line: order_pb2.OrderLine, pieces: Decimal, part: _Figures) -> order_pb2.OrderLine:
    made = order_pb2.OrderLine()
    made.CopyFrom(line)
    for name in ("unit_price", "discount", "removed_by_edit", "refunded", "taxes"):
        made.ClearField(name)
    made.quantity.CopyFrom(order_pb2.Quantities(ordered=quantity_text(pieces)))
    made.amount.CopyFrom(_taxed(sheet, part))
    made.taxes.extend(_taxes(sheet, line, part))
    return made


def _less(sheet: _Sheet, line: order_pb2.OrderLine, pieces: Decimal, part: _Figures) -> refund_pb2.RefundLine:
    return refund_pb2.RefundLine(
        line_id=line.id,
        quantity=quantity_text(pieces),
        amount=_taxed(sheet, part),
        # What was taken off the order is not to stay with the buyer.
        restock=refund_pb2.RESTOCK_YES if pieces else refund_pb2.RESTOCK_NO,
        kind=line.kind,
        sku=line.sku,
        title=line.title,
        parent_id=line.parent_id,
        taxes=_taxes(sheet, line, part),
    )


# ---- what else is charged ----------------------------------------------------------------------------------------


def _other(sheet: _Sheet, old: _Other | None, new: _Other | None, more: list[_Other], less: list[_Other]) -> None:
    change, charge = _figures(new) - _figures(old), new or old
    if not change or charge is None:
        return
    _same_rates(charge, old, new)
    if not change.sign:
        raise Inexpressible(f"{charge.title or charge.id} changed by {change.net} without tax and {change.tax} of tax")
    made = type(charge)()
    made.CopyFrom(charge)
    made.ClearField("taxes")
    part = change if change.sign > 0 else -change
    made.amount.CopyFrom(_taxed(sheet, part))
    made.taxes.extend(_taxes(sheet, charge, part))
    (more if change.sign > 0 else less).append(made)


def _taxed(sheet: _Sheet, part: _Figures) -> money_pb2.TaxedAmount:
    net, tax, gross = (money(sheet.currency, value) for value in (part.net, part.tax, part.gross))
    return money_pb2.TaxedAmount(net=net, tax=tax, gross=gross)


def _taxes(sheet: _Sheet, charge: Charge, part: _Figures) -> list[money_pb2.TaxLine]:
    """The charge's taxes, each with its share."""
    stated = [abs(amount(tax.amount)) for tax in charge.taxes]
    weights = stated if any(stated) else [Decimal(1)] * len(stated)
    shares = allocate(part.tax, weights, minor_digits(sheet.currency)) if stated else []
    return [
        money_pb2.TaxLine(
            title=tax.title,
            rate_percent=tax.rate_percent,
            code=tax.code,
            compound=tax.compound,
            amount=money(sheet.currency, share),
        )
        for tax, share in zip(charge.taxes, shares, strict=True)
    ]


# ---- the halves --------------------------------------------------------------------------------------------------


def _raised(sheet: _Sheet) -> order_pb2.Order | None:
    if not (sheet.lines or sheet.shipping or sheet.fees):
        return None
    made = order_pb2.Order()
    made.CopyFrom(sheet.now)
    for name in ("lines", "shipping_lines", "fees", "discounts", "payments", "totals", "presentment", "refund_ids"):
        made.ClearField(name)
    made.lines.extend(sheet.lines)
    made.shipping_lines.extend(sheet.shipping)
    made.fees.extend(sheet.fees)
    everything: list[Charge] = [*sheet.lines, *sheet.shipping, *sheet.fees]
    nets = {
        "net": _sum(sheet.lines).net,
        "shipping": _sum(sheet.shipping).net,
        "fees": _sum(sheet.fees).net,
        "tax": _sum(everything).tax,
    }
    totals = {name: money(sheet.currency, value) for name, value in nets.items()}
    made.totals.CopyFrom(order_pb2.OrderTotals(**totals, total=money(sheet.currency, sum(nets.values(), _ZERO))))
    return made


def _lowered(sheet: _Sheet, base: order_pb2.Order) -> refund_pb2.Refund | None:
    if not (sheet.back or sheet.shipping_back or sheet.fees_back):
        return None
    goods = sum((amount(one.amount.gross) for one in sheet.back), _ZERO)
    others: list[Charge] = [*sheet.shipping_back, *sheet.fees_back]
    made = refund_pb2.Refund(
        connection=base.connection,
        order_id=base.id,
        currency_code=sheet.currency,
        lines=sheet.back,
        shipping_lines=sheet.shipping_back,
        fees=sheet.fees_back,
        total=money(sheet.currency, goods + _sum(others).gross),
        order_number=base.number,
        tax_basis=base.tax_basis,
        tax_exempt=base.customer.tax_exempt,
    )
    if base.HasField("placed_at"):
        made.order_placed_at.CopyFrom(base.placed_at)
    return made


def _sum(charges: Sequence[Charge]) -> _Figures:
    found = [_figures(charge) for charge in charges]
    return _Figures(sum((one.net for one in found), _ZERO), sum((one.tax for one in found), _ZERO))


def _prove(base: order_pb2.Order, now: order_pb2.Order, found: Difference) -> None:
    """What is booked and what differs come to what is to be."""
    was, to_be = amount(base.totals.total), amount(now.totals.total)
    more = amount(found.raised.totals.total) if found.raised is not None else _ZERO
    less = amount(found.lowered.total) if found.lowered is not None else _ZERO
    if was + more - less != to_be:
        raise Unproved(
            f"its total went from {was} to {to_be} {now.currency_code}, but its charges went up by {more} and down by "
            f"{less}, which makes {was + more - less}"
        )
