"""From Shopify's own terms to the canonical order, its refunds and returns. Pure; both spellings end here."""

from collections.abc import Iterable
from decimal import Decimal

from adapters.shopify.booking import BookedLine, Booking, Part, booking
from adapters.shopify.charges import kind, taxed, taxes
from adapters.shopify.payments import STATES, payments, risk
from adapters.shopify.refunds import readings
from adapters.shopify.returned import readings as returns
from adapters.shopify.state import GIFT_CARD, ZERO, ShopifyOrder
from adapters.shopify.state import Address as ShopAddress
from tallystick.canonical import checks
from tallystick.canonical.keys import guest_key
from tallystick.canonical.money import money, unit_price
from tallystick.canonical.times import to_timestamp
from tallystick.ports import Reading
from tallystick.v1 import customer_pb2, event_pb2, order_pb2
from tallystick.v1 import money_pb2 as taxed_pb2

#: What a refund gives back was paid before.
_WAS_PAID = frozenset({"paid", "partially_refunded", "refunded"})


def reading(connection: str, source: ShopifyOrder) -> Reading:
    """The canonical order with its findings, and its refunds and returns as parts."""
    booked = booking(source)
    order = _order(connection, source, booked)
    parts = readings(source, booked, order)
    order.refund_ids.extend(sorted(refund.object_id for refund in parts))
    return Reading(
        event_pb2.ENTITY_TYPE_ORDER,
        source.id,
        source.updated_at,
        order=order,
        findings=(*booked.findings, *checks.findings(order)),
        parts=(*parts, *returns(source, order)),
    )


def _order(connection: str, source: ShopifyOrder, booked: Booking) -> order_pb2.Order:
    order = order_pb2.Order(
        connection=connection,
        id=source.id,
        number=source.name,
        state=order_pb2.ORDER_STATE_CANCELLED if source.cancelled_at else order_pb2.ORDER_STATE_PLACED,
        store_state=source.financial_status,
        payment_state=STATES.get(source.financial_status, order_pb2.PAYMENT_STATE_UNSPECIFIED),
        cancel_reason=source.cancel_reason,
        test=source.test,
        channel=source.channel,
        currency_code=source.currency,
        tax_basis=taxed_pb2.TAX_BASIS_INCLUDED if source.taxes_included else taxed_pb2.TAX_BASIS_EXCLUDED,
        lines=[_line(source, line) for line in booked.lines],
        shipping_lines=_shipping_lines(source, booked),
        fees=_fees(source, booked),
        discounts=_discounts(source),
        payments=payments(source, booked),
        totals=_totals(source, booked),
        customer=_customer(connection, source),
        purchase_order_number=source.po_number,
        payment_terms=source.payment_terms,
        payment_method=_method(source),
        note=source.note,
        tags=sorted(set(source.tags)),
        risk=risk(source),
    )
    _dates(order, source)
    _addresses(order, source)
    _presentment(order, source)
    for name, value in (*source.attributes, *source.extra):
        order.attributes[name] = value
    return order


def _dates(order: order_pb2.Order, source: ShopifyOrder) -> None:
    if source.placed_at is not None:
        order.placed_at.CopyFrom(to_timestamp(source.placed_at))
    if source.cancelled_at is not None:
        order.cancelled_at.CopyFrom(to_timestamp(source.cancelled_at))


def _addresses(order: order_pb2.Order, source: ShopifyOrder) -> None:
    if source.billing is not None:
        order.billing.CopyFrom(_address(source.billing))
    if source.shipping is not None:
        order.shipping.CopyFrom(_address(source.shipping))


def _presentment(order: order_pb2.Order, source: ShopifyOrder) -> None:
    totals = source.totals
    if totals.presentment_price is None or totals.presentment_currency in ("", source.currency):
        return
    order.presentment.currency_code = totals.presentment_currency
    order.presentment.total.CopyFrom(money(totals.presentment_currency, totals.presentment_price))


# ---- lines -------------------------------------------------------------------------------------------------------


def _line(source: ShopifyOrder, booked: BookedLine) -> order_pb2.OrderLine:
    line = booked.line
    message = order_pb2.OrderLine(
        id=line.id,
        kind=kind(line),
        sku=line.sku,
        product_id=line.product_id,
        variant_id=line.variant_id,
        title=line.title,
        quantity=_quantities(booked),
        unit_price=unit_price(source.currency, line.unit_price),
        amount=taxed(source, booked.booked),
        taxes=taxes(source, line.taxes, booked.booked.tax),
        requires_shipping=line.requires_shipping,
    )
    if booked.removed:
        message.removed_by_edit.CopyFrom(taxed(source, booked.taken_by_edit))
    if booked.refunded:
        message.refunded.CopyFrom(taxed(source, booked.given_back))
    if discount := line.unit_price * booked.left - booked.booked.amount:
        message.discount.CopyFrom(money(source.currency, discount))
    for name, value in line.attributes:
        message.attributes[name] = value
    return message


def _quantities(booked: BookedLine) -> order_pb2.Quantities:
    return order_pb2.Quantities(
        ordered=str(booked.line.ordered), removed_by_edit=str(booked.removed), refunded=str(booked.refunded)
    )


def _shipping_lines(source: ShopifyOrder, booked: Booking) -> list[order_pb2.ShippingLine]:
    return [
        order_pb2.ShippingLine(
            id=line.id,
            title=line.title,
            code=line.code,
            amount=taxed(source, Part(line.amount, line.tax)),
            taxes=taxes(source, line.taxes, line.tax),
        )
        for line in booked.shipping
    ]


def _fees(source: ShopifyOrder, booked: Booking) -> list[order_pb2.Fee]:
    fees = booked.stated.fees
    if not fees:
        return []
    amount = taxed_pb2.TaxedAmount(
        net=money(source.currency, fees), tax=money(source.currency, ZERO), gross=money(source.currency, fees)
    )
    return [order_pb2.Fee(id="additional-fees", title="Additional fees", amount=amount)]


# ---- header ------------------------------------------------------------------------------------------------------


def _totals(source: ShopifyOrder, booked: Booking) -> order_pb2.OrderTotals:
    """Net and shipping from the lines, everything else as the store states it; so the header proves the lines."""
    goods = sum((line.booked.amount for line in booked.lines), ZERO)
    shipping = sum((line.amount for line in booked.shipping), ZERO)
    if source.taxes_included:
        shipping_tax = sum((line.tax for line in booked.shipping), ZERO)
        shipping -= shipping_tax
        goods -= booked.stated.tax - shipping_tax
    values = {
        "net": goods,
        "tax": booked.stated.tax,
        "shipping": shipping,
        "fees": booked.stated.fees,
        "tips": booked.tips,
        "duties": booked.stated.duties,
        "rounding": booked.rounding,
        "gift_cards": _gift_cards(source, booked),
        "total": booked.stated.price,
    }
    return order_pb2.OrderTotals(**{name: money(source.currency, value) for name, value in values.items()})


def _gift_cards(source: ShopifyOrder, booked: Booking) -> Decimal:
    if source.gift_card_mixed:
        return source.gift_cards or ZERO
    return booked.stated.price if source.gateways == (GIFT_CARD,) and source.financial_status in _WAS_PAID else ZERO


def _method(source: ShopifyOrder) -> str:
    """The way of payment that a contract's table knows; a gift card only where nothing else paid."""
    return next((name for name in source.gateways if name != GIFT_CARD), next(iter(source.gateways), ""))


def _discounts(source: ShopifyOrder) -> list[taxed_pb2.Discount]:
    given = [ZERO] * len(source.discounts)
    shares = [share for line in source.lines for share in line.allocations]
    shares += [share for line in source.shipping_lines if not line.removed for share in line.allocations]
    for share in shares:
        if share.index < len(given):
            given[share.index] += share.amount
    basis = taxed_pb2.DISCOUNT_BASIS_GROSS if source.taxes_included else taxed_pb2.DISCOUNT_BASIS_NET
    return [
        taxed_pb2.Discount(code=named.code, title=named.title, basis=basis, amount=money(source.currency, amount))
        for named, amount in zip(source.discounts, given, strict=True)
    ]


# ---- people ------------------------------------------------------------------------------------------------------


def _customer(connection: str, source: ShopifyOrder) -> customer_pb2.Customer:
    customer = customer_pb2.Customer(
        connection=connection,
        id=source.customer_id,
        key=source.customer_id or guest_key(connection, source.email),
        kind=customer_pb2.CUSTOMER_KIND_PERSON,
        name=source.customer_name or _first(a.name for a in (source.billing, source.shipping) if a is not None),
        email=source.email,
        phone=source.phone,
        tax_exempt=source.tax_exempt,
        language=source.locale,
    )
    if source.company is not None:
        _b2b(customer, source)
    elif not customer.key:
        customer.kind = customer_pb2.CUSTOMER_KIND_ANONYMOUS
    return customer


def _b2b(customer: customer_pb2.Customer, source: ShopifyOrder) -> None:
    company = source.company
    assert company is not None
    billing_name = source.billing.company if source.billing is not None else ""
    customer.kind = customer_pb2.CUSTOMER_KIND_COMPANY
    customer.key = f"company-{company.id}"
    customer.name = company.name or billing_name or customer.name
    customer.company.CopyFrom(
        customer_pb2.Company(
            id=company.id,
            name=company.name or billing_name,
            account_number=company.account_number,
            payment_terms=source.payment_terms,
            locations=[customer_pb2.CompanyLocation(id=company.location_id, name=company.location_name)],
        )
    )


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")


def _address(source: ShopAddress) -> customer_pb2.Address:
    return customer_pb2.Address(
        name=source.name,
        company=source.company,
        line1=source.line1,
        line2=source.line2,
        city=source.city,
        region=source.region,
        region_code=source.region_code,
        postal_code=source.postal_code,
        country_code=source.country_code,
        phone=source.phone,
    )
