"""What a record is about, from the content that its effect was recorded with: amounts, tracking, prices. No personal
data; nothing where the content has expired or says no more than the kind.
"""

from decimal import Decimal
from typing import TypedDict

from tallystick.canonical import returns
from tallystick.canonical.money import amount
from tallystick.canonical.quantities import quantity_text
from tallystick.v1 import customer_pb2, event_pb2, fulfilment_pb2, order_pb2, price_pb2, refund_pb2, return_pb2
from tallystick.v1 import record_pb2 as pb


class Details(TypedDict, total=False):
    """At most one of the fields of `Record.details`."""

    money: pb.MoneyDetails
    shipment: pb.ShipmentDetails
    price: pb.PriceDetails
    customer: pb.CustomerDetails
    returned: pb.ReturnDetails


def details(kind: str, body: bytes | None) -> Details:
    """The details of a record of that kind, by the body of its effect."""
    if body is None:
        return {}
    event = event_pb2.Event.FromString(body)
    if event.HasField("refund") and event.refund.HasField("total"):
        return {"money": _refunded(event.refund)}
    if kind == "payment" and event.order.payments:
        return {"money": _paid(event.order.payments[0])}
    if event.HasField("return"):
        return {"returned": _returned(getattr(event, "return"))}
    if event.HasField("fulfilment"):
        return {"shipment": _shipped(event.fulfilment)}
    if event.HasField("product"):
        return {"price": _priced(event.product)}
    if event.HasField("customer"):
        return {"customer": _customer(event.customer)}
    return {}


def content(kind: str, body: bytes | None) -> str:
    """The details in a few words, for a line of a story; empty for nothing."""
    found = details(kind, body)
    if "money" in found:
        money = found["money"].amount
        return f"{amount(money)} {money.currency_code}"
    if "returned" in found:
        return f"{found['returned'].pieces} pieces, {returns.state_words(found['returned'].state)}"
    if "shipment" in found:
        return ", ".join(f"{one.carrier} {one.number}".strip() for one in found["shipment"].trackings)
    return ""


def _refunded(refund: refund_pb2.Refund) -> pb.MoneyDetails:
    moved_at = refund.refunded_at if refund.HasField("refunded_at") else None
    return pb.MoneyDetails(amount=refund.total, gateway=refund.gateway, moved_at=moved_at)


def _paid(payment: order_pb2.Payment) -> pb.MoneyDetails:
    moved_at = payment.paid_at if payment.HasField("paid_at") else None
    return pb.MoneyDetails(
        amount=payment.amount, gateway=payment.gateway, reference=payment.reference, moved_at=moved_at
    )


def _returned(returned: return_pb2.Return) -> pb.ReturnDetails:
    pieces = sum(returns.quantities(returned).values(), Decimal(0))
    return pb.ReturnDetails(
        number=returned.number,
        state=returned.state,
        pieces=quantity_text(pieces),
        refund_ids=returned.refund_ids,
    )


def _shipped(shipment: fulfilment_pb2.Fulfilment) -> pb.ShipmentDetails:
    return pb.ShipmentDetails(
        warehouse_id=shipment.warehouse_id,
        shipped_at=shipment.shipped_at if shipment.HasField("shipped_at") else None,
        lines=len(shipment.lines),
        trackings=shipment.trackings,
    )


def _priced(product: price_pb2.Product) -> pb.PriceDetails:
    return pb.PriceDetails(sku=product.sku, prices=product.prices)


def _customer(customer: customer_pb2.Customer) -> pb.CustomerDetails:
    company = customer.company
    return pb.CustomerDetails(
        kind=customer.kind, payment_terms=company.payment_terms, pricing_tier=company.pricing_tier
    )
