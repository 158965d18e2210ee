"""The refunds of an order, each a part of its reading.

What Shopify keeps as a refund may be the trace of an edit (see `booking`), a payment that is still on its way, or
goods that come back in exchange for others. A refund is published when it is known what it gives back.
"""

from collections.abc import Mapping
from decimal import Decimal

from adapters.shopify.booking import Booking, Nature, Part, nature, unclear_money, unclear_record
from adapters.shopify.charges import kind, taxed, taxes
from adapters.shopify.state import ZERO, Line, RefundLine, RefundRecord, ShopifyOrder
from tallystick.canonical import refunds
from tallystick.canonical.money import amount, money
from tallystick.canonical.times import to_timestamp
from tallystick.ports import Reading
from tallystick.v1 import event_pb2, order_pb2, refund_pb2

_RESTOCK = {
    "return": refund_pb2.RESTOCK_YES,
    "cancel": refund_pb2.RESTOCK_YES,
    "legacy_restock": refund_pb2.RESTOCK_YES,
    "no_restock": refund_pb2.RESTOCK_NO,
}


def readings(source: ShopifyOrder, booked: Booking, order: order_pb2.Order) -> tuple[Reading, ...]:
    """The refunds with their findings. `order` is the canonical one that they belong to."""
    found = [(record, _refund(source, record, order)) for record in booked.refunds if _is_one(source, record)]
    paid = max(source.totals.ordered.price, booked.stated.price)
    excess = refunds.findings(order, [refund for _, refund in found], paid)
    return tuple(
        Reading(
            event_pb2.ENTITY_TYPE_REFUND,
            record.id,
            record.at,
            refund=refund,
            findings=(*_doubts(source, booked, record, refund), *excess.get(record.id, ())),
        )
        for record, refund in found
    )


def _is_one(source: ShopifyOrder, record: RefundRecord) -> bool:
    """Whether it gives anything back: money, or goods."""
    total = _given_back(source, record)
    return total is not None and (total != 0 or any(line.restock_type != "no_restock" for line in record.lines))


def _given_back(source: ShopifyOrder, record: RefundRecord) -> Decimal | None:
    """What the buyer is given back; None as long as nothing is.

    Where a record holds no payment and states no difference, its goods count towards what the order still costs (an
    exchange, or an order that is not paid yet). A cancelled order that was never paid gives nothing back.
    """
    whole = _whole(source, record)
    if record.payments is None or record.paid is None:
        return whole
    if record.pending:
        return None
    if not record.payments:
        return None if source.cancelled_at else ZERO if record.adjusted else whole
    # In another currency the payment is worth more or less by now; that is not the refund's matter.
    return whole if record.lines and source.foreign and not record.adjusted else record.paid or None


def _whole(source: ShopifyOrder, record: RefundRecord) -> Decimal:
    """What the things that it names come to, tax included."""
    amounts = [Part(line.subtotal, line.tax) for line in record.lines]
    whole = sum(amounts, Part(record.shipping, record.shipping_tax))
    return whole.amount + record.duties + (ZERO if source.taxes_included else whole.tax)


def _doubts(
    source: ShopifyOrder, booked: Booking, record: RefundRecord, refund: refund_pb2.Refund
) -> list[event_pb2.Finding]:
    doubts = [unclear_record(record)] if nature(source, record) is Nature.UNCLEAR else []
    if amount(refund.adjustment.gross) > 0 and booked.edited:
        doubts.append(unclear_money(record))
    return doubts


# ---- the canonical form --------------------------------------------------------------------------------------------


def _refund(source: ShopifyOrder, record: RefundRecord, order: order_pb2.Order) -> refund_pb2.Refund:
    lines = {line.id: line for line in source.lines}
    refund = refund_pb2.Refund(
        connection=order.connection,
        id=record.id,
        order_id=source.id,
        currency_code=source.currency,
        lines=[_line(source, line, lines) for line in record.lines],
        shipping_lines=_shipping(source, record),
        total=money(source.currency, _given_back(source, record) or ZERO),
        gateway=record.gateway,
        reason=record.note,
        return_id=record.return_id,
    )
    if record.at is not None:
        refund.refunded_at.CopyFrom(to_timestamp(record.at))
    if record.duties:
        refund.duties.CopyFrom(money(source.currency, record.duties))
    refunds.complete(refund, order)
    return refund


def _line(source: ShopifyOrder, line: RefundLine, lines: Mapping[str, Line]) -> refund_pb2.RefundLine:
    message = refund_pb2.RefundLine(
        line_id=line.line_id,
        quantity=str(line.quantity),
        amount=taxed(source, Part(line.subtotal, line.tax)),
        restock=_RESTOCK.get(line.restock_type, refund_pb2.RESTOCK_UNKNOWN),
    )
    if sold := lines.get(line.line_id):
        message.kind, message.sku, message.title = kind(sold), sold.sku, sold.title
        message.taxes.extend(taxes(source, sold.taxes, line.tax))
    return message


def _shipping(source: ShopifyOrder, record: RefundRecord) -> list[order_pb2.ShippingLine]:
    """Shopify states one amount for all shipping; it is booked as the order's first."""
    if not record.shipping and not record.shipping_tax:
        return []
    message = order_pb2.ShippingLine(amount=taxed(source, Part(record.shipping, record.shipping_tax)))
    if sold := next((line for line in source.shipping_lines if not line.removed), None):
        message.id, message.title, message.code = sold.id, sold.title, sold.code
        message.taxes.extend(taxes(source, sold.taxes, record.shipping_tax))
    return [message]
