"""Refunds beside their order: what they take over from it, what their parts leave open, and what must not be credited.

Pure, and the same for all stores: an adapter reads the parts and the total, everything else follows here.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from google.protobuf.message import Message
from google.type import money_pb2

from tallystick.canonical.checks import Bounds, Charge
from tallystick.canonical.money import UnknownCurrency, amount, is_whole_money, minor_digits, money
from tallystick.canonical.quantities import parse_quantity
from tallystick.errors import Unreadable
from tallystick.reasons import HoldReason
from tallystick.v1 import event_pb2, order_pb2, refund_pb2
from tallystick.v1 import money_pb2 as taxed_pb2

Part = refund_pb2.RefundLine | order_pb2.ShippingLine | order_pb2.Fee

_ZERO = Decimal(0)


def parts(refund: refund_pb2.Refund) -> Iterator[Part]:
    """Everything in the refund that has a tax of its own."""
    yield from refund.lines
    yield from refund.shipping_lines
    yield from refund.fees


def named(refund: refund_pb2.Refund) -> Decimal:
    """What the parts come to, tax included."""
    return sum((amount(part.amount.gross) for part in parts(refund)), amount(refund.duties))


def in_words(refund: refund_pb2.Refund) -> str:
    """The total with what it is of, without personal data."""
    pieces = [f"{line.quantity} of line {line.line_id} ({amount(line.amount.gross)})" for line in refund.lines]
    other = amount(refund.total) - sum((amount(line.amount.gross) for line in refund.lines), _ZERO)
    pieces += [f"{other} beside lines"] if other else []
    return f"{amount(refund.total)} {refund.currency_code}" + (f" for {', '.join(pieces)}" if pieces else "")


def complete(refund: refund_pb2.Refund, order: order_pb2.Order) -> None:
    """Take over what its document needs of the order, and state what the parts leave open as the adjustment."""
    refund.order_number = order.number
    refund.tax_basis = order.tax_basis
    refund.tax_exempt = order.customer.tax_exempt
    refund.order_cancelled = order.state == order_pb2.ORDER_STATE_CANCELLED
    if order.HasField("placed_at"):
        refund.order_placed_at.CopyFrom(order.placed_at)
    beyond = amount(refund.total) - named(refund) if refund.HasField("total") else _ZERO
    if beyond and not _is_rounding(refund, beyond):
        value = money(refund.currency_code, beyond)
        nothing = money(refund.currency_code, _ZERO)
        refund.adjustment.CopyFrom(taxed_pb2.TaxedAmount(net=value, tax=nothing, gross=value))
        refund.order_shares.extend(shares(order))


def _is_rounding(refund: refund_pb2.Refund, beyond: Decimal) -> bool:
    """Whether the rounding of the parts explains it; then it is left to the contract's own bound."""
    taxes = sum(max(1, len(part.taxes)) for part in parts(refund))
    return taxes > 0 and abs(beyond) <= Bounds().of(taxes, refund.currency_code)


def shares(order: order_pb2.Order) -> list[refund_pb2.TaxShare]:
    """What the order charged, summed by its taxes."""
    found: dict[tuple[tuple[str, str, str, bool], ...], refund_pb2.TaxShare] = {}
    charges: Sequence[Charge] = (*order.lines, *order.shipping_lines, *order.fees)
    for charge in charges:
        key = tuple((tax.title, tax.rate_percent, tax.code, tax.compound) for tax in charge.taxes)
        if key not in found:
            found[key] = refund_pb2.TaxShare(taxes=[_bare(tax) for tax in charge.taxes])
        _add(found[key].amount, charge.amount, order.currency_code)
    return list(found.values())


def _bare(tax: taxed_pb2.TaxLine) -> taxed_pb2.TaxLine:
    return taxed_pb2.TaxLine(title=tax.title, rate_percent=tax.rate_percent, code=tax.code, compound=tax.compound)


def _add(to: taxed_pb2.TaxedAmount, more: taxed_pb2.TaxedAmount, currency: str) -> None:
    for name in ("net", "tax", "gross"):
        whole = amount(getattr(to, name)) + amount(getattr(more, name))
        getattr(to, name).CopyFrom(money(currency, whole))


# ---- what must not be credited -----------------------------------------------------------------------------------


def findings(
    order: order_pb2.Order, refunds: Sequence[refund_pb2.Refund], paid: Decimal
) -> Mapping[str, Sequence[event_pb2.Finding]]:
    """By the id of the refund, taken in order of time: more money, or more pieces, than the order ever held."""
    found: dict[str, list[event_pb2.Finding]] = defaultdict(list)
    money_left = paid
    left = {line.id: parse_quantity(line.quantity.ordered) for line in order.lines}
    for refund in sorted(refunds, key=_moment):
        money_left -= amount(refund.total)
        if money_left < 0 and amount(refund.total):
            found[refund.id].append(_too_much(order, paid - money_left, paid))
        for line in refund.lines:
            if line.line_id in left and parse_quantity(line.quantity):
                left[line.line_id] -= parse_quantity(line.quantity)
                if left[line.line_id] < 0:
                    found[refund.id].append(_too_many(line, -left[line.line_id]))
    return found


def _moment(refund: refund_pb2.Refund) -> tuple[int, int, int, str]:
    at = refund.refunded_at
    return at.seconds, at.nanos, len(refund.id), refund.id


def _too_much(order: order_pb2.Order, back: Decimal, paid: Decimal) -> event_pb2.Finding:
    currency = order.currency_code
    detail = (
        f"with this refund {back} {currency} were given back of an order of {paid} {currency}, {back - paid} too much; "
        "correct it in the store, or skip it and book it by hand"
    )
    return event_pb2.Finding(reason=HoldReason.UNBALANCED, detail=detail)


def _too_many(line: refund_pb2.RefundLine, beyond: Decimal) -> event_pb2.Finding:
    detail = (
        f"the refund names {line.quantity} pieces of line {line.line_id}, {beyond} more than were left of it; "
        "correct it in the store, or skip it and book it by hand"
    )
    return event_pb2.Finding(reason=HoldReason.DATA, detail=detail)


# ---- one refund by itself ----------------------------------------------------------------------------------------


def unsound(refund: refund_pb2.Refund) -> Iterator[event_pb2.Finding]:
    """What makes it impossible to compute with; that its parts make its total is the contract's proof."""
    for reason, broken in _SHAPE:
        yield from (event_pb2.Finding(reason=reason, detail=detail) for detail in broken(refund))


def _known_currency(refund: refund_pb2.Refund) -> Iterator[str]:
    try:
        minor_digits(refund.currency_code)
    except UnknownCurrency as error:
        yield str(error)


def _stated(refund: refund_pb2.Refund) -> Iterator[str]:
    if not refund.HasField("refunded_at"):
        yield "the refund has no date"
    if not refund.HasField("total"):
        yield "the refund states no amount"
    for line in refund.lines:
        try:
            if parse_quantity(line.quantity) < 0:
                yield f"line {line.line_id} gives back {line.quantity} pieces"
        except Unreadable as error:
            yield f"line {line.line_id}: {error}"


def _one_currency(refund: refund_pb2.Refund) -> Iterator[str]:
    for name, value in _all_money(refund, ""):
        if value.currency_code != refund.currency_code:
            yield f"{name} is in {value.currency_code or 'no currency'}, the refund is in {refund.currency_code}"


def _coins(refund: refund_pb2.Refund) -> Iterator[str]:
    currency = refund.currency_code
    for name, value in _all_money(refund, ""):
        if value.currency_code == currency and not is_whole_money(value):
            yield f"{name} is {amount(value)}, but {currency} has {minor_digits(currency)} decimals"


def _sums(refund: refund_pb2.Refund) -> Iterator[str]:
    if amount(refund.total) < 0:
        yield f"the total is negative: {amount(refund.total)} {refund.currency_code}"
    for part in parts(refund):
        net, tax, gross = amount(part.amount.net), amount(part.amount.tax), amount(part.amount.gross)
        if net + tax != gross:
            yield f"net {net} + tax {tax} is not gross {gross}"


def _all_money(message: Message, place: str) -> Iterator[tuple[str, money_pb2.Money]]:
    """Every amount but those of single taxes, which may have fractions of a minor unit."""
    for field, value in message.ListFields():
        name = f"{place}.{field.name}" if place else field.name
        if field.message_type is None or field.name == "taxes":
            continue
        for one in value if field.is_repeated else [value]:
            if isinstance(one, money_pb2.Money):
                yield name, one
            else:
                yield from _all_money(one, name)


_SHAPE: Sequence[tuple[HoldReason, Callable[[refund_pb2.Refund], Iterable[str]]]] = (
    (HoldReason.MAPPING, _known_currency),
    (HoldReason.DATA, _stated),
    (HoldReason.UNBALANCED, _one_currency),
    (HoldReason.UNBALANCED, _coins),
    (HoldReason.UNBALANCED, _sums),
)
