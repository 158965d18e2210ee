"""The GraphQL spelling: every field that the double knows; a query's selection cuts the answer out of it.

Money is spelled without needless zeros ("13.5", "55.0"), instants in UTC with whole seconds, as live captures of a
development store show it.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from simulators.shopify.model import Address, Discount, Line, Order, Payment, Refund, RefundLine, Shipping, Tax
from simulators.shopify.pricing import current, ordered, tips
from simulators.shopify.selection import Connection
from tallystick.canonical.money import quantise

Json = dict[str, Any]


def order_node(order: Order, *, with_added: bool) -> Json:
    """An order with all its parts."""
    was, now = ordered(order, with_added=with_added), current(order)
    bag = _Bags(order)
    duties = any(line.item.duty for line in order.lines)
    return {
        "__typename": "Order",
        "id": order.gid,
        "name": f"#{order.number}",
        "createdAt": stamp(order.placed_at),
        "processedAt": stamp(order.placed_at),
        "updatedAt": stamp(order.updated_at),
        "cancelledAt": stamp(order.cancelled_at),
        "cancelReason": order.cancel_reason.upper() if order.cancel_reason else None,
        "test": order.test,
        "displayFinancialStatus": order.financial_status.upper(),
        "sourceName": order.channel,
        "sourceIdentifier": None,
        "confirmationNumber": f"C{order.id % 10**8:08d}",
        "currencyCode": order.currency,
        "presentmentCurrencyCode": order.presentment or order.currency,
        "taxesIncluded": order.taxes_included,
        "taxExempt": False,
        "dutiesIncluded": False,
        "email": order.email or None,
        "phone": None,
        "poNumber": order.po_number,
        "note": order.note,
        "tags": list(order.tags),
        "customerLocale": "en",
        "paymentGatewayNames": order.gateways,
        "customAttributes": [{"key": name, "value": value} for name, value in order.attributes],
        "paymentTerms": {"paymentTermsName": order.payment_terms} if order.payment_terms else None,
        "customer": _customer(order),
        "purchasingEntity": _entity(order),
        "billingAddress": _address(order.billing),
        "shippingAddress": _address(order.delivery),
        "totalPriceSet": bag.of(was.price),
        "totalTaxSet": bag.of(was.tax),
        "originalTotalDutiesSet": bag.of(was.duties) if duties else None,
        "originalTotalAdditionalFeesSet": None,
        "currentTotalPriceSet": bag.of(now.price),
        "currentTotalTaxSet": bag.of(now.tax),
        "currentTotalDutiesSet": bag.of(now.duties) if duties else None,
        "currentTotalAdditionalFeesSet": None,
        "totalTipReceivedSet": bag.of(tips(order)),
        "totalCashRoundingAdjustment": {"paymentSet": bag.of(order.rounding)},
        "lineItems": Connection([_line(line, bag) for line in order.lines]),
        "shippingLines": Connection([_shipping(line, bag) for line in order.shipping]),
        "discountApplications": Connection([_application(i, one) for i, one in enumerate(order.discounts)]),
        "refunds": [refund_node(order, refund) for refund in order.refunds],
        "transactions": [_payment(paid, bag) for paid in order.payments],
        "risk": {"recommendation": order.recommendation},
    }


def refund_node(order: Order, refund: Refund) -> Json:
    """A refund with all its parts."""
    bag = _Bags(order)
    shipping = [
        {
            "id": f"gid://shopify/RefundShippingLine/{refund.id + 1}",
            "subtotalAmountSet": bag.of(refund.shipping),
            "taxAmountSet": bag.of(refund.shipping_tax),
        }
    ]
    adjustment = {"id": f"gid://shopify/OrderAdjustment/{refund.id + 2}", "amountSet": bag.of(refund.discrepancy)}
    return {
        "__typename": "Refund",
        "id": f"gid://shopify/Refund/{refund.id}",
        "createdAt": stamp(refund.at),
        "processedAt": stamp(refund.at),
        "note": refund.note or None,
        "return": {"id": f"gid://shopify/Return/{refund.return_id}"} if refund.return_id else None,
        "duties": [],
        "refundLineItems": Connection([_refund_line(line, bag) for line in refund.lines]),
        "refundShippingLines": Connection(shipping if refund.shipping else []),
        "orderAdjustments": Connection([adjustment] if refund.discrepancy else []),
        "transactions": Connection([_payment(paid, bag) for paid in refund.payments]),
    }


def stamp(moment: datetime | None) -> str | None:
    """UTC, whole seconds."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def spelled(amount: Decimal) -> str:
    """At least one decimal and no needless zeros."""
    text = format(amount.normalize(), "f")
    return text if "." in text else f"{text}.0"


class _Bags:
    """Money in both currencies of one order."""

    def __init__(self, order: Order) -> None:
        self.order = order

    def of(self, amount: Decimal) -> Json:
        """A MoneyBag."""
        order = self.order
        shown = order.presentment or order.currency
        seen = quantise(amount * order.presentment_rate, shown)
        return {
            "shopMoney": {"amount": spelled(amount), "currencyCode": order.currency},
            "presentmentMoney": {"amount": spelled(seen), "currencyCode": shown},
        }


def _line(line: Line, bag: _Bags) -> Json:
    item = line.item
    return {
        "__typename": "LineItem",
        "id": f"gid://shopify/LineItem/{line.id}",
        "name": item.title,
        "title": item.title,
        "sku": item.sku or None,
        "quantity": item.quantity,
        "currentQuantity": line.current,
        "isGiftCard": item.gift_card,
        "requiresShipping": item.requires_shipping,
        "product": {"id": f"gid://shopify/Product/{line.product_id}"} if line.product_id else None,
        "variant": {"id": f"gid://shopify/ProductVariant/{line.variant_id}"} if line.variant_id else None,
        "originalUnitPriceSet": bag.of(item.price),
        "customAttributes": [{"key": name, "value": value} for name, value in item.properties],
        "discountAllocations": _allocations(line.allocations, bag),
        "taxLines": [_tax(tax, bag) for tax in line.taxes],
    }


def _shipping(line: Shipping, bag: _Bags) -> Json:
    return {
        "__typename": "ShippingLine",
        "id": f"gid://shopify/ShippingLine/{line.id}",
        "title": line.title,
        "code": line.title,
        "isRemoved": line.removed,
        "originalPriceSet": bag.of(line.price),
        "discountAllocations": _allocations(line.allocations, bag),
        "taxLines": [_tax(tax, bag) for tax in line.taxes],
    }


def _allocations(given: list[tuple[int, Decimal]], bag: _Bags) -> list[Json]:
    return [{"allocatedAmountSet": bag.of(amount), "discountApplication": {"index": index}} for index, amount in given]


def _tax(tax: Tax, bag: _Bags) -> Json:
    return {"title": tax.title, "rate": float(tax.rate), "priceSet": bag.of(tax.amount)}


def _application(index: int, given: Discount) -> Json:
    types = {"discount_code": "DiscountCode", "automatic": "AutomaticDiscount", "manual": "ManualDiscount"}
    name = types[given.kind] + "Application"
    return {"__typename": name, "index": index, "code" if given.kind == "discount_code" else "title": given.name}


def _payment(paid: Payment, bag: _Bags) -> Json:
    return {
        "__typename": "OrderTransaction",
        "id": f"gid://shopify/OrderTransaction/{paid.id}",
        "paymentId": f"pay-{paid.id}",
        "createdAt": stamp(paid.at or bag.order.placed_at),
        "processedAt": stamp(paid.at or bag.order.placed_at),
        "parentTransaction": paid.parent_id and {"id": f"gid://shopify/OrderTransaction/{paid.parent_id}"},
        "kind": paid.kind,
        "status": paid.status,
        "gateway": paid.gateway,
        "amountSet": bag.of(paid.amount),
    }


def _refund_line(line: RefundLine, bag: _Bags) -> Json:
    return {
        "__typename": "RefundLineItem",
        "quantity": line.quantity,
        "restockType": line.restock_type.upper(),
        "lineItem": {"id": f"gid://shopify/LineItem/{line.line_id}"},
        "subtotalSet": bag.of(line.subtotal),
        "totalTaxSet": bag.of(line.tax),
    }


def _customer(order: Order) -> Json | None:
    if order.customer_id is None:
        return None
    who = order.billing or order.delivery or Address()
    return {
        "id": f"gid://shopify/Customer/{order.customer_id}",
        "firstName": who.first_name,
        "lastName": who.last_name,
        "defaultEmailAddress": {"emailAddress": order.email} if order.email else None,
    }


def _entity(order: Order) -> Json | None:
    buyer = order.company
    if buyer is None:
        return {"__typename": "Customer"} if order.customer_id is not None else None
    return {
        "__typename": "PurchasingCompany",
        "company": {"id": f"gid://shopify/Company/{buyer.id}", "name": buyer.name, "externalId": buyer.account or None},
        "location": {
            "id": f"gid://shopify/CompanyLocation/{buyer.location_id}",
            "name": buyer.location_name,
            "externalId": None,
        },
    }


def _address(address: Address | None) -> Json | None:
    if address is None:
        return None
    return {
        "firstName": address.first_name,
        "lastName": address.last_name,
        "name": f"{address.first_name} {address.last_name}",
        "company": address.company or None,
        "address1": address.address1,
        "address2": address.address2 or None,
        "city": address.city,
        "province": address.province,
        "provinceCode": address.province_code,
        "countryCodeV2": address.country_code,
        "zip": address.zip,
        "phone": address.phone or None,
    }
