"""The refunds of an order, each a part of its reading.

A refund is shown like an order whose quantities and amounts are below zero; each charge of it names the order's own by
the meta key `_refunded_item_id`. Its `amount` is what went back, whatever its charges come to; an empty one is no zero
but an amount that was never given (seen on WooCommerce 11.0.1). Whether goods went back into stock it does not tell.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from google.type.money_pb2 import Money

from tallystick.canonical import refunds
from tallystick.canonical.money import amount, parse_amount
from tallystick.canonical.times import to_datetime, to_timestamp
from tallystick.errors import Unreadable
from tallystick.ports import Reading
from tallystick.v1 import event_pb2, order_pb2, refund_pb2

from .amounts import Amounts
from .charges import Charges
from .fields import Json, flag, gmt, meta, reference, rows, text

_CHARGES = ("line_items", "shipping_lines", "fee_lines")
_BELOW_ZERO = ("quantity", "subtotal", "subtotal_tax", "total", "total_tax")


def readings(order_row: Json, listed: Sequence[Json], order: order_pb2.Order, tax_mode: str) -> tuple[Reading, ...]:
    """The refunds with their findings; one of nothing is none. `order` is the canonical one that they belong to."""
    read = []
    for row in listed:
        if not is_nothing(row.get("amount")):
            amounts = Amounts(order.currency_code, tax_mode)
            read.append((_refund(Charges.of(order_row, amounts), row, order), amounts))
    excess: Mapping[str, Sequence[event_pb2.Finding]] = {}
    if order.totals.HasField("total"):
        excess = refunds.findings(order, [refund for refund, _ in read], amount(order.totals.total))
    return tuple(_reading(refund, (*amounts.findings, *excess.get(refund.id, ()))) for refund, amounts in read)


def is_nothing(stated: object) -> bool:
    """Whether an amount is zero indeed: "0.00" is, and "-0.00"; "" and "-" are not, for nobody knows what they are."""
    try:
        return parse_amount(stated) == 0
    except Unreadable:
        return False


def _reading(refund: refund_pb2.Refund, findings: tuple[event_pb2.Finding, ...]) -> Reading:
    at = to_datetime(refund.refunded_at) if refund.HasField("refunded_at") else None
    return Reading(event_pb2.ENTITY_TYPE_REFUND, refund.id, at, refund=refund, findings=findings)


def _refund(charges: Charges, row: Json, order: order_pb2.Order) -> refund_pb2.Refund:
    above_zero = {key: [_above_zero(charge) for charge in rows(row.get(key))] for key in _CHARGES}
    sold = {line.id: line for line in order.lines}
    refund = refund_pb2.Refund(
        connection=order.connection,
        id=reference(row.get("id")),
        order_id=order.id,
        currency_code=order.currency_code,
        lines=[_line(line, sold.get(line.id)) for line in charges.lines(above_zero, ships=False)],
        shipping_lines=charges.shipping(above_zero),
        fees=charges.fees(above_zero),
        total=_total(row, charges.amounts),
        gateway=order.payment_method if flag(row.get("refunded_payment")) else "",
        reason=text(row.get("reason")),
    )
    if created := gmt(row, "date_created"):
        refund.refunded_at.CopyFrom(to_timestamp(created))
    refunds.complete(refund, order)
    return refund


def _total(row: Json, amounts: Amounts) -> Money | None:
    where = f"refund {text(row.get('id'))}"
    if row.get("amount") in (None, ""):
        amounts.find(f"unreadable money: {where} states no amount (its `amount` is empty); correct it in the shop")
        return None
    value = amounts.read(row, "amount", where)
    return amounts.money(value if value is None else abs(value))


def _line(line: order_pb2.OrderLine, sold: order_pb2.OrderLine | None) -> refund_pb2.RefundLine:
    return refund_pb2.RefundLine(
        line_id=line.id,
        quantity=line.quantity.ordered,
        amount=line.amount,
        restock=refund_pb2.RESTOCK_UNKNOWN,
        kind=line.kind if sold is None else sold.kind,
        sku=line.sku,
        title=line.title,
        parent_id="" if sold is None else sold.parent_id,
        taxes=line.taxes,
    )


def _above_zero(charge: Json) -> Json:
    """The charge as the order itself would show it: under the order's own id, with its signs turned."""
    own = meta(charge.get("meta_data")).get("_refunded_item_id") or f"refund-{text(charge.get('id'))}"
    taxes = [{**tax, "total": _turned(tax.get("total"))} for tax in rows(charge.get("taxes"))]
    turned = {name: _turned(charge[name]) for name in _BELOW_ZERO if name in charge}
    return {**charge, **turned, "id": own, "taxes": taxes}


def _turned(stated: object) -> object:
    """The number with the other sign; what is no number stays as it is, to be found as such."""
    try:
        return Decimal(0) - parse_amount(stated)
    except Unreadable:
        return stated
