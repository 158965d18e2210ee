"""What is booked of an order: what was ordered, less what edits removed, and never less what was refunded.

Shopify's current quantities exclude removed *and* refunded pieces, so the two have to be told apart:

- A refund record with a payment back, a stated difference or a return is a refund, a document of its own.
- A record that only names pieces (no payment, no difference, no return; restock type `cancel` or `no_restock`) is what
  an edit leaves behind. Microsoft's connector for Business Central tells them apart in the same way.
- Pieces that are gone without any record were removed by an edit.
- All that happens to a cancelled order is its cancellation, not an edit.

The total: an order that nobody edited adds up to `total_price`. After an edit it adds up to what the store states as
current, with the refunds added back. `booking` takes the store's figures; the checks prove that the lines make them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum, auto

from adapters.shopify.state import ZERO, Line, RefundLine, RefundRecord, Shipping, ShopifyOrder, Stated
from tallystick.canonical.money import EXACT, allocate, minor_digits, minor_unit, quantise
from tallystick.reasons import HoldReason
from tallystick.v1 import event_pb2


@dataclass(frozen=True, slots=True)
class Part:
    """An amount after discounts in the basis of the order's prices, and its tax."""

    amount: Decimal = ZERO
    tax: Decimal = ZERO

    def __add__(self, other: "Part") -> "Part":
        return Part(self.amount + other.amount, self.tax + other.tax)

    def __sub__(self, other: "Part") -> "Part":
        return Part(self.amount - other.amount, self.tax - other.tax)


NOTHING = Part()


@dataclass(frozen=True, slots=True)
class BookedLine:
    """A line with its pieces and its money told apart."""

    line: Line
    removed: int
    refunded: int
    booked: Part
    taken_by_edit: Part
    given_back: Part

    @property
    def left(self) -> int:
        """Pieces in the document."""
        return self.line.ordered - self.removed


@dataclass(frozen=True, slots=True)
class Booking:
    """What the canonical order is made from."""

    lines: tuple[BookedLine, ...]
    shipping: tuple[Shipping, ...]
    stated: Stated
    tips: Decimal
    rounding: Decimal
    #: The records that are refunds indeed.
    refunds: tuple[RefundRecord, ...]
    findings: tuple[event_pb2.Finding, ...]
    #: An edit took something away.
    edited: bool = False


class Nature(Enum):
    """What a refund record stands for."""

    REFUND = auto()
    EDIT = auto()
    UNCLEAR = auto()


def nature(order: ShopifyOrder, record: RefundRecord) -> Nature:
    """Tell a refund from the trace of an edit."""
    paid = record.payments is None or record.payments > 0
    if order.cancelled_at or paid or record.adjusted or record.from_return or not record.lines:
        return Nature.REFUND
    types = {line.restock_type for line in record.lines}
    if "return" in types:
        return Nature.REFUND
    return Nature.EDIT if types <= {"cancel", "no_restock"} else Nature.UNCLEAR


def booking(order: ShopifyOrder) -> Booking:
    """Tell apart what was ordered, removed and refunded, and settle which stated total belongs to it."""
    natures = [(nature(order, record), record) for record in order.refunds]
    refunds = tuple(record for kind, record in natures if kind is not Nature.EDIT)
    edits = [record for kind, record in natures if kind is Nature.EDIT]
    unclear = [unclear_record(record) for kind, record in natures if kind is Nature.UNCLEAR]
    goods, tips = _without_tip(order)
    lines, doubts = _booked_lines(order, goods, refunds, edits)
    shipping = tuple(line for line in order.shipping_lines if not line.removed)
    edited = any(line.removed for line in lines) or len(shipping) < len(order.shipping_lines)
    draft = Booking(lines, shipping, _ordered(order), tips, ZERO, refunds, (*unclear, *doubts), edited)
    return _settled(order, draft) if edited else _as_ordered(order, draft)


# ---- pieces ------------------------------------------------------------------------------------------------------


def _booked_lines(
    order: ShopifyOrder, goods: Sequence[Line], refunds: Sequence[RefundRecord], edits: Sequence[RefundRecord]
) -> tuple[tuple[BookedLine, ...], list[event_pb2.Finding]]:
    lines, doubts = [], []
    for line in goods:
        back, taken = list(_of_line(refunds, line.id)), list(_of_line(edits, line.id))
        refunded, recorded = _pieces(back), _pieces(taken)
        gone = refunded + recorded if line.current is None else line.ordered - line.current
        unrecorded = gone - refunded - recorded
        if unrecorded < 0 or gone > line.ordered:
            doubts.append(_unclear_pieces(line, gone, refunded + recorded))
        removed = recorded + max(0, unrecorded)
        if order.cancelled_at or removed > line.ordered:
            removed = 0
        lines.append(_booked_line(order, line, removed, recorded, taken, refunded, back))
    return tuple(lines), doubts


def _booked_line(
    order: ShopifyOrder,
    line: Line,
    removed: int,
    recorded: int,
    taken: Sequence[RefundLine],
    refunded: int,
    back: Sequence[RefundLine],
) -> BookedLine:
    whole = Part(line.amount, line.tax)
    if not removed:
        gone = NOTHING
    elif removed == line.ordered:
        gone = whole
    else:
        gone = _money(taken) + _share(whole, removed - recorded, line.ordered, order.currency)
    return BookedLine(line, removed, refunded, whole - gone, gone, _money(back))


def _share(whole: Part, pieces: int, of: int, currency: str) -> Part:
    """The money of some pieces where no record states it: their share, to the minor unit."""

    def share(value: Decimal) -> Decimal:
        return quantise(EXACT.divide(value * pieces, Decimal(of)), currency) if pieces else ZERO

    return Part(share(whole.amount), share(whole.tax))


def _of_line(records: Sequence[RefundRecord], line_id: str) -> Iterator[RefundLine]:
    return (line for record in records for line in record.lines if line.line_id == line_id)


def _pieces(lines: Sequence[RefundLine]) -> int:
    return sum(line.quantity for line in lines)


def _money(lines: Sequence[RefundLine]) -> Part:
    return sum((Part(line.subtotal, line.tax) for line in lines), NOTHING)


def _without_tip(order: ShopifyOrder) -> tuple[tuple[Line, ...], Decimal]:
    """A tip may stand in the lines (Shopify, "LineItem": tip_payment_gateway); it is booked as a tip, once."""
    tips = order.totals.tips
    for line in order.lines:
        if tips and line.typed_by_hand and not line.requires_shipping and not line.taxes and line.amount == tips:
            return tuple(other for other in order.lines if other is not line), tips
    return order.lines, tips


# ---- totals ------------------------------------------------------------------------------------------------------


def _ordered(order: ShopifyOrder) -> Stated:
    return _duties_once(order, order.totals.ordered)


def _current(order: ShopifyOrder, refunds: Sequence[RefundRecord]) -> Stated | None:
    """What the store states as current, with the refunds added back."""
    now = order.totals.current
    if now is None:
        return None
    back = _money([line for record in refunds for line in record.lines])
    back += sum((Part(record.shipping, record.shipping_tax) for record in refunds), NOTHING)
    duties = sum((record.duties for record in refunds), ZERO)
    price = now.price + back.amount + duties + (ZERO if order.taxes_included else back.tax)
    return _duties_once(order, Stated(price, now.tax + back.tax, now.duties + duties, now.fees))


def _duties_once(order: ShopifyOrder, stated: Stated) -> Stated:
    return replace(stated, duties=ZERO) if order.duties_included else stated


def _made(order: ShopifyOrder, draft: Booking, stated: Stated) -> Decimal:
    """What the lines make, without the store's rounding."""
    amounts = sum((line.booked.amount for line in draft.lines), ZERO) + sum((s.amount for s in draft.shipping), ZERO)
    tax = ZERO if order.taxes_included else stated.tax
    return amounts + tax + draft.tips + stated.duties + stated.fees


def _as_ordered(order: ShopifyOrder, draft: Booking) -> Booking:
    """Nothing was removed. Where an edit only added lines, the current statement may be the one that fits."""
    for stated in (draft.stated, _current(order, draft.refunds)):
        if stated is None:
            continue
        for rounding in (ZERO, order.totals.rounding):
            if _made(order, draft, stated) + rounding == stated.price:
                return replace(draft, stated=stated, rounding=rounding)
    return replace(draft, rounding=order.totals.rounding)


def _settled(order: ShopifyOrder, draft: Booking) -> Booking:
    """Something was removed: the current statement counts, to which shares of unrecorded pieces are fitted."""
    stated = _current(order, draft.refunds)
    if stated is None:
        finding = _finding("pieces were removed, but this payload states no current totals; read the order again")
        return replace(draft, findings=(*draft.findings, finding))
    draft = replace(draft, stated=stated)
    fitted = _fitted_tax(order, draft)
    for rounding in (ZERO, order.totals.rounding):
        balanced = _fitted_amount(order, fitted, stated.price - rounding - _made(order, fitted, stated))
        if _made(order, balanced, stated) + rounding == stated.price:
            return replace(balanced, rounding=rounding)
    return fitted


def _fitted_tax(order: ShopifyOrder, draft: Booking) -> Booking:
    made = sum((line.booked.tax for line in draft.lines), ZERO) + sum((line.tax for line in draft.shipping), ZERO)
    shares = _spread(order, draft, draft.stated.tax - made)
    return replace(draft, lines=tuple(_moved(line, Part(ZERO, share)) for line, share in shares))


def _fitted_amount(order: ShopifyOrder, draft: Booking, missing: Decimal) -> Booking:
    shares = _spread(order, draft, missing)
    return replace(draft, lines=tuple(_moved(line, Part(share, ZERO)) for line, share in shares))


def _spread(order: ShopifyOrder, draft: Booking, missing: Decimal) -> list[tuple[BookedLine, Decimal]]:
    """A minor unit for each line that was split, no more: the store splits by its own rule. Else nothing moves."""
    split = [line for line in draft.lines if 0 < line.removed < line.line.ordered]
    if not missing or abs(missing) > minor_unit(order.currency) * len(split):
        return [(line, ZERO) for line in draft.lines]
    weights = [Decimal(int(line in split)) for line in draft.lines]
    return list(zip(draft.lines, allocate(missing, weights, minor_digits(order.currency)), strict=True))


def _moved(line: BookedLine, share: Part) -> BookedLine:
    return replace(line, booked=line.booked + share, taken_by_edit=line.taken_by_edit - share)


# ---- findings ----------------------------------------------------------------------------------------------------


def _finding(detail: str) -> event_pb2.Finding:
    return event_pb2.Finding(reason=HoldReason.EDIT_OR_REFUND_UNCLEAR, detail=detail)


def unclear_record(record: RefundRecord) -> event_pb2.Finding:
    """Pieces that may have been removed by an edit, or refunded."""
    return _finding(
        f"refund {record.id} names pieces but no payment, no return and no restock type that tells more: "
        "it may be an edit of the order or a refund; settle it in the store"
    )


def unclear_money(record: RefundRecord) -> event_pb2.Finding:
    """Money without pieces, from an order of which an edit removed some: it may be the money for those."""
    return _finding(
        f"refund {record.id} gives back money that belongs to no line, and pieces were removed from the order by an "
        "edit: it may be the money for them, which the order's document no longer holds; settle it by hand"
    )


def _unclear_pieces(line: Line, gone: int, recorded: int) -> event_pb2.Finding:
    return _finding(
        f"line {line.id}: {line.ordered} ordered and {gone} gone, but the refund records name {recorded}; "
        "the store does not tell what was edited and what was refunded"
    )
