"""A WooCommerce order becomes the canonical one: the content, and nothing that moves while the content stays.

`date_modified`, `_links`, `version`, `cart_hash`, `needs_payment` and the hidden meta keys stay out, so that a save
without a change is a repeated sighting of the same content. WooCommerce shows an order as it is after edits: removed
lines are gone and quantities are current, therefore `ordered` is the present quantity and `removed_by_edit` empty.
Which pieces were refunded is not in the order either, only the ids and totals of its refunds: they are listed apart.
"""

from collections.abc import Iterator, Sequence

from google.type.money_pb2 import Money

from tallystick.canonical.money import subtract
from tallystick.canonical.times import to_timestamp
from tallystick.errors import Unreadable
from tallystick.ports import Reading
from tallystick.v1 import event_pb2, money_pb2, order_pb2

from .amounts import Amounts
from .buyer import address, customer
from .charges import Charges
from .fields import Json, first, flag, gmt, meta, reference, rows, text, visible
from .refunds import is_nothing, readings
from .settings import Dialect
from .states import order_state, payment_kind, payment_state
from .totals import gift_cards, totals


def reading(row: Json, connection: str, dialect: Dialect, refunds: Sequence[Json] = ()) -> Reading:
    """One order with its findings, and its refunds as they are listed. Raises `Unreadable` for what is no order."""
    if not is_order(row):
        raise Unreadable(f"this is no WooCommerce order: it {_lacking(row)}; an order has an id, a status and lines")
    tax_mode = dialect.tax_mode(flag(row.get("prices_include_tax")))
    amounts = Amounts(text(row.get("currency")), tax_mode)
    order = _order(row, amounts, connection, dialect)
    return Reading(
        type=event_pb2.ENTITY_TYPE_ORDER,
        object_id=reference(row["id"]),
        source_modified=gmt(row, "date_modified"),
        order=order,
        findings=tuple(_distinct(amounts.findings)),
        parts=readings(row, refunds, order, tax_mode),
    )


def shown_refunds(row: Json) -> list[Json]:
    """The refunds as the order shows them: ids, reasons and totals, and nothing else."""
    return rows(row.get("refunds"))


def is_order(row: Json) -> bool:
    """Whether this is a whole order, and not a thin body, an error or another object."""
    return bool(reference(row.get("id"))) and all(key in row for key in ("status", "line_items", "total"))


def _lacking(row: Json) -> str:
    if "code" in row and "message" in row:
        return f"is an error answer ({text(row['code'])[:60]})"
    return "has no " + ", ".join(key for key in ("id", "status", "line_items", "total") if key not in row)


def _order(row: Json, amounts: Amounts, connection: str, dialect: Dialect) -> order_pb2.Order:
    charges, entries, status = Charges.of(row, amounts), meta(row.get("meta_data")), text(row.get("status"))
    included = charges.prices_include_tax
    order = order_pb2.Order(
        connection=connection,
        id=reference(row["id"]),
        number=text(row.get("number")) or reference(row["id"]),
        state=order_state(status),
        store_state=status,
        payment_state=payment_state(row, amounts),
        test=any(entries.get(key) == value for key, value in dialect.test_meta.items()),
        channel=text(row.get("created_via")),
        currency_code=amounts.currency,
        tax_basis=money_pb2.TAX_BASIS_INCLUDED if included else money_pb2.TAX_BASIS_EXCLUDED,
        lines=charges.lines(row, ships=bool(rows(row.get("shipping_lines")))),
        shipping_lines=charges.shipping(row),
        fees=charges.fees(row),
        discounts=charges.discounts(row),
        totals=totals(row, amounts),
        customer=customer(row, entries, connection, dialect),
        billing=address(row.get("billing")),
        shipping=address(row.get("shipping")),
        purchase_order_number=first(entries, dialect.purchase_order_meta),
        payment_method=text(row.get("payment_method")),
        note=text(row.get("customer_note")),
        refund_ids=[reference(one.get("id")) for one in shown_refunds(row) if not is_nothing(one.get("total"))],
        attributes=visible(entries, dialect.hidden_meta),
    )
    _set_times(order, row, amounts)
    order.payments.extend(_payments(order, row, amounts))
    return order


def _set_times(order: order_pb2.Order, row: Json, amounts: Amounts) -> None:
    placed, paid = gmt(row, "date_created"), gmt(row, "date_paid")
    if placed:
        order.placed_at.CopyFrom(to_timestamp(placed))
    elif text(row.get("date_created")):
        amounts.find("the order states its date in the shop's own time only; its `date_created_gmt` is missing")
    if paid:
        order.paid_at.CopyFrom(to_timestamp(paid))


def _payments(order: order_pb2.Order, row: Json, amounts: Amounts) -> Iterator[order_pb2.Payment]:
    """What the buyer pays by gift cards where the shop has them, and by the order's one method.

    Neither id moves when the order does: WooCommerce may learn the gateway's `transaction_id` after the payment.
    """
    cards = gift_cards(row, amounts)
    if cards:
        yield order_pb2.Payment(
            id=f"gift-cards-{order.id}",
            kind=order_pb2.PAYMENT_KIND_GIFT_CARD,
            amount=amounts.money(cards),
            # A card is redeemed when the order is placed, whatever is still to be paid.
            paid_at=order.placed_at if order.HasField("placed_at") else None,
            state=order_pb2.PAYMENT_STATE_PAID,
        )
    if order.payment_method or order.HasField("paid_at"):
        paid = order.HasField("paid_at")
        yield order_pb2.Payment(
            id=f"order-{order.id}",
            kind=payment_kind(order.payment_method),
            gateway=order.payment_method,
            amount=_due(order),
            paid_at=order.paid_at if paid else None,
            state=order_pb2.PAYMENT_STATE_PAID if paid else order_pb2.PAYMENT_STATE_UNPAID,
            reference=text(row.get("transaction_id")),
        )


def _due(order: order_pb2.Order) -> Money | None:
    """What is left to pay after gift cards; None when the total could not be read."""
    if not order.totals.HasField("total"):
        return None
    cards = order.totals.gift_cards if order.totals.HasField("gift_cards") else None
    return subtract(order.totals.total, cards) if cards else order.totals.total


def _distinct(findings: list[event_pb2.Finding]) -> Iterator[event_pb2.Finding]:
    """An amount that is read for two purposes is found once."""
    seen: set[str] = set()
    for finding in findings:
        if finding.detail not in seen:
            seen.add(finding.detail)
            yield finding
