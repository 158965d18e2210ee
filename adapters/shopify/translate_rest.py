"""The REST spelling of an order (webhook bodies, the legacy API) in Shopify's own terms."""

from decimal import Decimal
from typing import Any

from adapters.shopify.fields import (
    Json,
    count,
    decimal,
    filled,
    identifier,
    instant,
    joined,
    need,
    objects,
    pairs,
    part,
    percent,
    text,
    texts,
)
from adapters.shopify.state import (
    ON_ITS_WAY,
    ZERO,
    Address,
    Allocation,
    Company,
    Discount,
    Line,
    RefundLine,
    RefundRecord,
    Shipping,
    ShopifyOrder,
    Stated,
    Tax,
    Totals,
)

NEEDED = ("id", "currency", "total_price", "line_items", "taxes_included")


def order_from_rest(order: Json) -> ShopifyOrder:
    """Read one order resource. Raises `Unreadable`."""
    need(order, *NEEDED)
    customer = part(order.get("customer"))
    return ShopifyOrder(
        id=identifier(order["id"]),
        name=text(order.get("name")),
        placed_at=instant(order.get("processed_at") or order.get("created_at")),
        updated_at=instant(order.get("updated_at")),
        cancelled_at=instant(order.get("cancelled_at")),
        cancel_reason=text(order.get("cancel_reason")).lower(),
        test=order.get("test") is True,
        financial_status=text(order.get("financial_status")).lower(),
        channel=text(order.get("source_name")),
        currency=text(order["currency"]),
        taxes_included=order.get("taxes_included") is True,
        tax_exempt=order.get("tax_exempt") is True,
        duties_included=order.get("duties_included") is True,
        email=text(order.get("email")) or text(order.get("contact_email")) or text(customer.get("email")),
        phone=text(order.get("phone")),
        locale=text(order.get("customer_locale")),
        customer_id=identifier(customer.get("id")),
        customer_name=joined(text(customer.get("first_name")), text(customer.get("last_name"))),
        company=_company(order.get("company")),
        billing=_address(order.get("billing_address")),
        shipping=_address(order.get("shipping_address")),
        po_number=text(order.get("po_number")),
        payment_terms=text(part(order.get("payment_terms")).get("payment_terms_name")),
        gateways=texts(order.get("payment_gateway_names")),
        note=text(order.get("note")),
        tags=tuple(tag.strip() for tag in text(order.get("tags")).split(",") if tag.strip()),
        attributes=pairs(objects(order.get("note_attributes")), "name"),
        totals=_totals(order),
        lines=tuple(_line(line) for line in objects(order["line_items"])),
        shipping_lines=tuple(_shipping(line) for line in objects(order.get("shipping_lines"))),
        discounts=tuple(_discount(given) for given in objects(order.get("discount_applications"))),
        refunds=tuple(_refund(refund, order) for refund in objects(order.get("refunds"))),
        extra=filled(
            confirmation_number=text(order.get("confirmation_number")),
            source_identifier=text(order.get("source_identifier")),
        ),
    )


def unshown(order: ShopifyOrder, *, shows_returns: bool = False) -> str:
    """Why this spelling does not show the whole order, so that it has to be read; empty when it does."""
    if order.company is not None:
        return "a webhook body names a B2B company by its id only"
    if order.gift_card_mixed:
        return "a webhook body does not tell how much was paid by gift card"
    if any(record.paid is None for record in order.refunds):
        return "a webhook body states refunds in the buyer's currency only"
    if shows_returns or any(record.from_return for record in order.refunds):
        return "a webhook body names returns without showing them"
    if any(record.payments is None for record in order.refunds):
        return "the body does not show what its refunds paid back"
    if order.updated_at is None:
        return "the body has no updated_at"
    return ""


def _shop_money(money_set: object) -> Any:
    return part(part(money_set).get("shop_money")).get("amount")


def _totals(order: Json) -> Totals:
    presented = part(part(order.get("total_price_set")).get("presentment_money"))
    return Totals(
        ordered=Stated(
            decimal(order["total_price"]),
            decimal(order.get("total_tax")),
            decimal(_shop_money(order.get("original_total_duties_set"))),
            decimal(_shop_money(order.get("original_total_additional_fees_set"))),
        ),
        current=_current(order),
        tips=decimal(order.get("total_tip_received")),
        rounding=decimal(_shop_money(order.get("total_cash_rounding_payment_adjustment_set"))),
        presentment_currency=text(presented.get("currency_code")),
        presentment_price=decimal(presented["amount"]) if presented.get("amount") is not None else None,
    )


def _current(order: Json) -> Stated | None:
    if order.get("current_total_price") is None:
        return None
    return Stated(
        decimal(order["current_total_price"]),
        decimal(order.get("current_total_tax")),
        decimal(_shop_money(order.get("current_total_duties_set"))),
        decimal(_shop_money(order.get("current_total_additional_fees_set"))),
    )


def _line(line: Json) -> Line:
    # A product that was deleted takes its ids with it in the other spelling; the line itself stays whole.
    exists = line.get("product_exists") is not False
    return Line(
        id=identifier(line.get("id")),
        title=text(line.get("name")) or text(line.get("title")),
        sku=text(line.get("sku")),
        product_id=identifier(line.get("product_id")) if exists else "",
        variant_id=identifier(line.get("variant_id")) if exists else "",
        gift_card=line.get("gift_card") is True,
        requires_shipping=line.get("requires_shipping") is True,
        ordered=count(line.get("quantity")),
        current=count(line["current_quantity"]) if line.get("current_quantity") is not None else None,
        unit_price=decimal(line.get("price")),
        allocations=_allocations(line),
        taxes=_taxes(line),
        attributes=pairs(objects(line.get("properties")), "name"),
    )


def _shipping(line: Json) -> Shipping:
    return Shipping(
        id=identifier(line.get("id")),
        title=text(line.get("title")),
        code=text(line.get("code")),
        price=decimal(line.get("price")),
        removed=line.get("is_removed") is True,
        allocations=_allocations(line),
        taxes=_taxes(line),
    )


def _allocations(line: Json) -> tuple[Allocation, ...]:
    return tuple(
        Allocation(int(share.get("discount_application_index") or 0), decimal(share.get("amount")))
        for share in objects(line.get("discount_allocations"))
    )


def _taxes(line: Json) -> tuple[Tax, ...]:
    return tuple(
        Tax(text(tax.get("title")), percent(tax.get("rate")), decimal(tax.get("price")))
        for tax in objects(line.get("tax_lines"))
    )


def _discount(given: Json) -> Discount:
    code = text(given.get("code"))
    return Discount(code, code or text(given.get("title")))


def _company(value: object) -> Company | None:
    company = part(value)
    return Company(identifier(company["id"]), identifier(company.get("location_id"))) if company.get("id") else None


def _address(value: object) -> Address | None:
    if not isinstance(value, dict):
        return None
    named = text(value.get("name")) or joined(text(value.get("first_name")), text(value.get("last_name")))
    return Address(
        name=named,
        company=text(value.get("company")),
        line1=text(value.get("address1")),
        line2=text(value.get("address2")),
        city=text(value.get("city")),
        region=text(value.get("province")),
        region_code=text(value.get("province_code")),
        postal_code=text(value.get("zip")),
        country_code=text(value.get("country_code")),
        phone=text(value.get("phone")),
    )


# ---- refunds -----------------------------------------------------------------------------------------------------


def _refund(refund: Json, order: Json) -> RefundRecord:
    back = [one for one in objects(refund.get("transactions")) if text(one.get("kind")).lower() == "refund"]
    shipping, shipping_tax = _refunded_shipping(refund)
    return RefundRecord(
        id=identifier(refund.get("id")),
        at=instant(refund.get("processed_at") or refund.get("created_at")),
        lines=tuple(_refund_line(line) for line in objects(refund.get("refund_line_items"))),
        shipping=shipping,
        shipping_tax=shipping_tax,
        duties=sum((decimal(_shop_money(duty.get("amount_set"))) for duty in objects(refund.get("duties"))), ZERO),
        adjusted=any(not _of_shipping(one) for one in objects(refund.get("order_adjustments"))),
        from_return=bool(refund.get("return")),
        return_id=identifier(part(refund.get("return")).get("id")),
        payments=len(back) if "transactions" in refund else None,
        pending=any(text(one.get("status")).lower() in ON_ITS_WAY for one in back),
        paid=_paid(back, text(order.get("currency"))),
        gateway=next((text(one.get("gateway")) for one in back), ""),
        note=text(refund.get("note")),
    )


def _paid(back: list[Json], currency: str) -> Decimal | None:
    done = [one for one in back if text(one.get("status")).lower() == "success"]
    if any(text(one.get("currency")) not in ("", currency) for one in done):
        return None
    return sum((decimal(one.get("amount")) for one in done), ZERO)


def _refund_line(line: Json) -> RefundLine:
    return RefundLine(
        line_id=identifier(line.get("line_item_id")),
        quantity=count(line.get("quantity")),
        restock_type=text(line.get("restock_type")).lower(),
        subtotal=decimal(_shop_money(line.get("subtotal_set")) or line.get("subtotal")),
        tax=decimal(_shop_money(line.get("total_tax_set")) or line.get("total_tax")),
    )


def _of_shipping(adjustment: Json) -> bool:
    return text(adjustment.get("kind")) == "shipping_refund"


def _refunded_shipping(refund: Json) -> tuple[Decimal, Decimal]:
    """Since 2024-10 in lines of its own; before, as negative adjustments (Shopify, "Refund")."""
    lines = objects(refund.get("refund_shipping_lines"))
    if lines:
        amounts = [(_shop_money(one.get("subtotal_amount_set")), _tax_of(one)) for one in lines]
        return sum((decimal(a) for a, _ in amounts), ZERO), sum((decimal(t) for _, t in amounts), ZERO)
    adjusted = [one for one in objects(refund.get("order_adjustments")) if _of_shipping(one)]
    amount = sum((decimal(one.get("amount")) for one in adjusted), ZERO)
    tax = sum((decimal(one.get("tax_amount")) for one in adjusted), ZERO)
    return -amount, -tax


def _tax_of(line: Json) -> Any:
    return _shop_money(line.get("tax_amount_set"))
