"""The GraphQL spelling of an order (reads) in Shopify's own terms."""

from decimal import Decimal
from typing import Any

from adapters.shopify import returned
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
    GIFT_CARD,
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
    Transaction,
)
from tallystick.errors import Unreadable

NEEDED = ("id", "currencyCode", "totalPriceSet", "lineItems", "taxesIncluded")


def order_from_graphql(order: Json) -> ShopifyOrder:
    """Read one order node that holds all its lines and refunds. Raises `Unreadable`, also for a cut list."""
    need(order, *NEEDED)
    customer = part(order.get("customer"))
    return ShopifyOrder(
        id=identifier(order["id"]),
        name=text(order.get("name")),
        placed_at=instant(order.get("processedAt") or order.get("createdAt")),
        updated_at=instant(order.get("updatedAt")),
        cancelled_at=instant(order.get("cancelledAt")),
        cancel_reason=text(order.get("cancelReason")).lower(),
        test=order.get("test") is True,
        financial_status=text(order.get("displayFinancialStatus")).lower(),
        channel=text(order.get("sourceName")),
        currency=text(order["currencyCode"]),
        taxes_included=order.get("taxesIncluded") is True,
        tax_exempt=order.get("taxExempt") is True,
        duties_included=order.get("dutiesIncluded") is True,
        email=text(order.get("email")) or text(part(customer.get("defaultEmailAddress")).get("emailAddress")),
        phone=text(order.get("phone")),
        locale=text(order.get("customerLocale")),
        customer_id=identifier(customer.get("id")),
        customer_name=joined(text(customer.get("firstName")), text(customer.get("lastName"))),
        company=_company(order.get("purchasingEntity")),
        billing=_address(order.get("billingAddress")),
        shipping=_address(order.get("shippingAddress")),
        po_number=text(order.get("poNumber")),
        payment_terms=text(part(order.get("paymentTerms")).get("paymentTermsName")),
        gateways=texts(order.get("paymentGatewayNames")),
        note=text(order.get("note")),
        tags=texts(order.get("tags")),
        attributes=pairs(objects(order.get("customAttributes")), "key"),
        totals=_totals(order),
        lines=tuple(_line(line) for line in nodes(order["lineItems"], "lines")),
        shipping_lines=tuple(_shipping(line) for line in nodes(order.get("shippingLines"), "shipping lines")),
        discounts=_discounts(order),
        refunds=tuple(_refund(refund) for refund in objects(order.get("refunds"))),
        returns=tuple(returned.record(one) for one in nodes(order.get("returns"), "returns")),
        gift_cards=_gift_cards(order.get("transactions")),
        transactions=_transactions(order.get("transactions")),
        recommendation=text(part(order.get("risk")).get("recommendation")).lower(),
        extra=filled(
            confirmation_number=text(order.get("confirmationNumber")),
            source_identifier=text(order.get("sourceIdentifier")),
        ),
    )


def nodes(connection: object, what: str) -> list[Json]:
    """All of a connection. Raises `Unreadable` when it is cut: an order with a line missing is never made."""
    shown = part(connection)
    if part(shown.get("pageInfo")).get("hasNextPage") is True:
        raise Unreadable(f"the answer shows a part of the {what} only")
    if "edges" in shown and "nodes" not in shown:
        return [part(edge.get("node")) for edge in objects(shown["edges"])]
    return objects(shown.get("nodes"))


def _shop_money(bag: object) -> Any:
    return part(part(bag).get("shopMoney")).get("amount")


def _totals(order: Json) -> Totals:
    presented = part(part(order["totalPriceSet"]).get("presentmentMoney"))
    return Totals(
        ordered=_stated(order, "totalPriceSet", "totalTaxSet", "originalTotal"),
        current=(
            _stated(order, "currentTotalPriceSet", "currentTotalTaxSet", "currentTotal")
            if order.get("currentTotalPriceSet") is not None
            else None
        ),
        tips=decimal(_shop_money(order.get("totalTipReceivedSet"))),
        rounding=decimal(_shop_money(part(order.get("totalCashRoundingAdjustment")).get("paymentSet"))),
        presentment_currency=text(presented.get("currencyCode")),
        presentment_price=decimal(presented["amount"]) if presented.get("amount") is not None else None,
    )


def _stated(order: Json, price: str, tax: str, kind: str) -> Stated:
    return Stated(
        decimal(_shop_money(order.get(price))),
        decimal(_shop_money(order.get(tax))),
        decimal(_shop_money(order.get(f"{kind}DutiesSet"))),
        decimal(_shop_money(order.get(f"{kind}AdditionalFeesSet"))),
    )


def _line(line: Json) -> Line:
    return Line(
        id=identifier(line.get("id")),
        title=text(line.get("name")) or text(line.get("title")),
        sku=text(line.get("sku")),
        product_id=identifier(part(line.get("product")).get("id")),
        variant_id=identifier(part(line.get("variant")).get("id")),
        gift_card=line.get("isGiftCard") is True,
        requires_shipping=line.get("requiresShipping") is True,
        ordered=count(line.get("quantity")),
        current=count(line["currentQuantity"]) if line.get("currentQuantity") is not None else None,
        unit_price=decimal(_shop_money(line.get("originalUnitPriceSet"))),
        allocations=_allocations(line),
        taxes=_taxes(line),
        attributes=pairs(objects(line.get("customAttributes")), "key"),
    )


def _shipping(line: Json) -> Shipping:
    return Shipping(
        id=identifier(line.get("id")),
        title=text(line.get("title")),
        code=text(line.get("code")),
        price=decimal(_shop_money(line.get("originalPriceSet"))),
        removed=line.get("isRemoved") is True,
        allocations=_allocations(line),
        taxes=_taxes(line),
    )


def _allocations(line: Json) -> tuple[Allocation, ...]:
    return tuple(
        Allocation(
            int(part(share.get("discountApplication")).get("index") or 0),
            decimal(_shop_money(share.get("allocatedAmountSet"))),
        )
        for share in objects(line.get("discountAllocations"))
    )


def _taxes(line: Json) -> tuple[Tax, ...]:
    return tuple(
        Tax(text(tax.get("title")), percent(tax.get("rate")), decimal(_shop_money(tax.get("priceSet"))))
        for tax in objects(line.get("taxLines"))
    )


def _discounts(order: Json) -> tuple[Discount, ...]:
    given = nodes(order.get("discountApplications"), "discounts")
    named = sorted(given, key=lambda one: int(one.get("index") or 0))
    return tuple(Discount(text(one.get("code")), text(one.get("code")) or text(one.get("title"))) for one in named)


def _company(value: object) -> Company | None:
    entity = part(value)
    company, location = part(entity.get("company")), part(entity.get("location"))
    if not company.get("id"):
        return None
    # The account number hangs on the location where a company has several; else on the company.
    account = text(location.get("externalId")) or text(company.get("externalId"))
    return Company(
        id=identifier(company["id"]),
        location_id=identifier(location.get("id")),
        name=text(company.get("name")),
        account_number=account,
        location_name=text(location.get("name")),
    )


def _address(value: object) -> Address | None:
    if not isinstance(value, dict):
        return None
    named = text(value.get("name")) or joined(text(value.get("firstName")), text(value.get("lastName")))
    return Address(
        name=named,
        company=text(value.get("company")),
        line1=text(value.get("address1")),
        line2=text(value.get("address2")),
        city=text(value.get("city")),
        region=text(value.get("province")),
        region_code=text(value.get("provinceCode")),
        postal_code=text(value.get("zip")),
        country_code=text(value.get("countryCodeV2")),
        phone=text(value.get("phone")),
    )


# ---- payments and refunds ----------------------------------------------------------------------------------------


def _gift_cards(transactions: object) -> Decimal | None:
    if transactions is None:
        return None
    return sum(
        (
            decimal(_shop_money(paid.get("amountSet")))
            for paid in objects(transactions)
            if paid.get("gateway") == GIFT_CARD
            and paid.get("kind") in ("SALE", "CAPTURE")
            and paid.get("status") == "SUCCESS"
        ),
        ZERO,
    )


def _transactions(shown: object) -> tuple[Transaction, ...] | None:
    """None where they were asked for their amounts alone."""
    found = objects(shown)
    if shown is None or not all(one.get("id") for one in found):
        return None
    return tuple(_transaction(one) for one in found)


def _transaction(shown: Json) -> Transaction:
    return Transaction(
        id=identifier(shown.get("id")),
        kind=text(shown.get("kind")).lower(),
        status=text(shown.get("status")).lower(),
        gateway=text(shown.get("gateway")),
        amount=decimal(_shop_money(shown.get("amountSet"))),
        at=instant(shown.get("processedAt") or shown.get("createdAt")),
        reference=text(shown.get("paymentId")),
        parent=identifier(part(shown.get("parentTransaction")).get("id")),
    )


def _refund(refund: Json) -> RefundRecord:
    if "refundLineItems" not in refund:
        raise Unreadable(f"refund {identifier(refund.get('id'))} is shown by its id only")
    back = [one for one in nodes(refund.get("transactions"), "payments back") if one.get("kind") == "REFUND"]
    shipping = nodes(refund.get("refundShippingLines"), "refunded shipping lines")
    return RefundRecord(
        id=identifier(refund.get("id")),
        at=instant(refund.get("processedAt") or refund.get("createdAt")),
        lines=tuple(_refund_line(line) for line in nodes(refund["refundLineItems"], "refunded lines")),
        shipping=sum((decimal(_shop_money(one.get("subtotalAmountSet"))) for one in shipping), ZERO),
        shipping_tax=sum((decimal(_shop_money(one.get("taxAmountSet"))) for one in shipping), ZERO),
        duties=sum((decimal(_shop_money(duty.get("amountSet"))) for duty in objects(refund.get("duties"))), ZERO),
        adjusted=bool(nodes(refund.get("orderAdjustments"), "adjustments")),
        from_return=refund.get("return") is not None,
        return_id=identifier(part(refund.get("return")).get("id")),
        payments=len(back) if refund.get("transactions") is not None else None,
        pending=any(text(one.get("status")).lower() in ON_ITS_WAY for one in back),
        paid=sum((decimal(_shop_money(one.get("amountSet"))) for one in back if one.get("status") == "SUCCESS"), ZERO),
        gateway=next((text(one.get("gateway")) for one in back), ""),
        note=text(refund.get("note")),
    )


def _refund_line(line: Json) -> RefundLine:
    return RefundLine(
        line_id=identifier(part(line.get("lineItem")).get("id")),
        quantity=count(line.get("quantity")),
        restock_type=text(line.get("restockType")).lower(),
        subtotal=decimal(_shop_money(line.get("subtotalSet"))),
        tax=decimal(_shop_money(line.get("totalTaxSet"))),
    )
