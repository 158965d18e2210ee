"""The REST spelling: webhook bodies. Money as texts with the currency's digits, times with the shop's offset."""

from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from simulators.shopify.model import ZERO, Address, Fulfilment, Line, Order, Payment, Refund, RefundLine, Shipping, Tax
from simulators.shopify.pricing import Sums, current, ordered, received, tips
from tallystick.canonical.money import quantise

Json = dict[str, Any]


class RestForm:
    """Spells orders of one shop."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def order(self, order: Order, *, with_added: bool) -> Json:
        """The order resource of 2026-07, as far as connectors read it."""
        was, now = ordered(order, with_added=with_added), current(order)
        return {
            "id": order.id,
            "admin_graphql_api_id": order.gid,
            "name": f"#{order.number}",
            "number": order.number - 1000,
            "order_number": order.number,
            "confirmation_number": f"C{order.id % 10**8:08d}",
            "app_id": 580111,
            "created_at": self.time(order.placed_at),
            "processed_at": self.time(order.placed_at),
            "updated_at": self.time(order.updated_at),
            "closed_at": None,
            "cancelled_at": self.time(order.cancelled_at),
            "cancel_reason": order.cancel_reason,
            "currency": order.currency,
            "presentment_currency": order.presentment or order.currency,
            "taxes_included": order.taxes_included,
            "tax_exempt": False,
            "duties_included": False,
            "estimated_taxes": False,
            "test": order.test,
            "confirmed": True,
            "financial_status": order.financial_status,
            "fulfillment_status": _status(order),
            "source_name": order.channel,
            "source_identifier": None,
            "payment_gateway_names": order.gateways,
            "email": order.email,
            "contact_email": order.email or None,
            "phone": None,
            "customer_locale": "en",
            "note": order.note,
            "note_attributes": [{"name": name, "value": value} for name, value in order.attributes],
            "tags": ", ".join(order.tags),
            "po_number": order.po_number,
            "company": {"id": order.company.id, "location_id": order.company.location_id} if order.company else None,
            "payment_terms": {"payment_terms_name": order.payment_terms} if order.payment_terms else None,
            **self._totals(order, was, now),
            "discount_codes": self._codes(order),
            "discount_applications": [_application(given) for given in order.discounts],
            "customer": _customer(order),
            "billing_address": _address(order.billing),
            "shipping_address": _address(order.delivery),
            "tax_lines": [],
            "line_items": [self._line(order, line) for line in order.lines],
            "shipping_lines": [self._shipping(order, line) for line in order.shipping],
            "fulfillments": [self._fulfilment(order, one) for one in order.fulfilments],
            "refunds": [self.refund(order, refund) for refund in order.refunds],
            "returns": [{"id": one.id, "name": one.name} for one in order.returns],
        }

    def _fulfilment(self, order: Order, made: Fulfilment) -> Json:
        return {
            "id": made.id,
            "order_id": order.id,
            "location_id": made.location_id,
            "created_at": self.time(made.at),
            "status": "cancelled" if made.cancelled else "success",
            "tracking_company": made.company or None,
            "tracking_number": made.numbers[0] if made.numbers else None,
            "tracking_numbers": made.numbers,
            "tracking_urls": made.urls,
            "line_items": [{"id": line_id, "quantity": pieces} for line_id, pieces in made.pieces.items()],
        }

    def refund(self, order: Order, refund: Refund) -> Json:
        """The refund resource."""
        return {
            "id": refund.id,
            "order_id": order.id,
            "created_at": self.time(refund.at),
            "processed_at": self.time(refund.at),
            "note": refund.note or None,
            "restock": any(line.restock_type != "no_restock" for line in refund.lines),
            "return": {"id": refund.return_id} if refund.return_id else None,
            "duties": [],
            "order_adjustments": self._adjustments(order, refund),
            "refund_shipping_lines": self._refunded_shipping(order, refund),
            "refund_line_items": [self._refund_line(order, line) for line in refund.lines],
            "transactions": [self.payment(order, paid) for paid in refund.payments],
        }

    def payment(self, order: Order, paid: Payment) -> Json:
        """The transaction resource, in the buyer's currency as the real one."""
        currency = order.presentment or order.currency
        return {
            "id": paid.id,
            "order_id": order.id,
            "kind": paid.kind.lower(),
            "status": paid.status.lower(),
            "gateway": paid.gateway,
            "amount": str(quantise(paid.amount * order.presentment_rate, currency)),
            "currency": currency,
            "admin_graphql_api_id": f"gid://shopify/OrderTransaction/{paid.id}",
        }

    def edit(self, order: Order, edit_id: int, additions: list[Json], removals: list[Json]) -> Json:
        """The body of orders/edited: the edit, not the order."""
        return {
            "order_edit": {
                "id": edit_id,
                "order_id": order.id,
                "created_at": self.time(order.updated_at),
                "committed_at": self.time(order.updated_at),
                "notify_customer": False,
                "staff_note": "",
                "line_items": {"additions": additions, "removals": removals},
                "discounts": {"line_item": {"additions": [], "removals": []}},
                "shipping_lines": {"additions": [], "removals": []},
            }
        }

    def time(self, moment: datetime | None) -> str | None:
        """Whole seconds with the shop's offset."""
        return None if moment is None else moment.astimezone(self._zone).isoformat(timespec="seconds")

    # ---- money ----

    def _text(self, order: Order, amount: Decimal) -> str:
        return str(quantise(amount, order.currency))

    def _set(self, order: Order, amount: Decimal) -> Json:
        shown = order.presentment or order.currency
        return {
            "shop_money": {"amount": self._text(order, amount), "currency_code": order.currency},
            "presentment_money": {
                "amount": str(quantise(amount * order.presentment_rate, shown)),
                "currency_code": shown,
            },
        }

    def _totals(self, order: Order, was: Sums, now: Sums) -> Json:
        plain = {
            "total_price": was.price,
            "subtotal_price": was.subtotal,
            "total_tax": was.tax,
            "total_discounts": was.discounts,
            "total_line_items_price": was.subtotal + was.discounts,
            "current_total_price": now.price,
            "current_subtotal_price": now.subtotal,
            "current_total_tax": now.tax,
            "current_total_discounts": now.discounts,
        }
        totals: Json = {name: self._text(order, amount) for name, amount in plain.items()}
        totals |= {f"{name}_set": self._set(order, amount) for name, amount in plain.items()}
        duties = any(line.item.duty for line in order.lines)
        return totals | {
            "total_tip_received": self._text(order, tips(order)),
            "total_shipping_price_set": self._set(order, was.shipping),
            "current_shipping_price_set": self._set(order, now.shipping),
            "original_total_duties_set": self._set(order, was.duties) if duties else None,
            "current_total_duties_set": self._set(order, now.duties) if duties else None,
            "original_total_additional_fees_set": None,
            "current_total_additional_fees_set": None,
            "total_cash_rounding_payment_adjustment_set": self._set(order, order.rounding),
            "total_outstanding": self._text(order, max(ZERO, now.price - received(order))),
        }

    # ---- parts ----

    def _line(self, order: Order, line: Line) -> Json:
        item = line.item
        return {
            "id": line.id,
            "admin_graphql_api_id": f"gid://shopify/LineItem/{line.id}",
            "product_id": line.product_id,
            "variant_id": line.variant_id,
            "product_exists": line.product_id is not None,
            "sku": item.sku or None,
            "title": item.title,
            "variant_title": None,
            "name": item.title,
            "vendor": None,
            "quantity": item.quantity,
            "current_quantity": line.current,
            "fulfillable_quantity": 0 if order.fulfilled else max(0, line.current - order.shipped(line.id)),
            "fulfillment_status": _status(order, line.id),
            "price": self._text(order, item.price),
            "price_set": self._set(order, item.price),
            "total_discount": self._text(order, ZERO),
            "discount_allocations": self._allocations(order, line.allocations),
            "tax_lines": [self._tax(order, tax) for tax in line.taxes],
            "taxable": bool(item.rates),
            "requires_shipping": item.requires_shipping,
            "gift_card": item.gift_card,
            "grams": 0,
            "properties": [{"name": name, "value": value} for name, value in item.properties],
            "duties": [],
        }

    def _shipping(self, order: Order, line: Shipping) -> Json:
        return {
            "id": line.id,
            "title": line.title,
            "code": line.title,
            "source": "shopify",
            "price": self._text(order, line.price),
            "price_set": self._set(order, line.price),
            "discounted_price": self._text(order, line.amount),
            "discount_allocations": self._allocations(order, line.allocations),
            "tax_lines": [self._tax(order, tax) for tax in line.taxes],
            "is_removed": line.removed,
            "carrier_identifier": None,
        }

    def _allocations(self, order: Order, given: list[tuple[int, Decimal]]) -> list[Json]:
        return [
            {
                "amount": self._text(order, amount),
                "amount_set": self._set(order, amount),
                "discount_application_index": index,
            }
            for index, amount in given
        ]

    def _tax(self, order: Order, tax: Tax) -> Json:
        return {
            "title": tax.title,
            "rate": float(tax.rate),
            "price": self._text(order, tax.amount),
            "price_set": self._set(order, tax.amount),
            "channel_liable": False,
        }

    def _codes(self, order: Order) -> list[Json]:
        return [
            {"code": given.name, "amount": self._text(order, given.amount), "type": "fixed_amount"}
            for given in order.discounts
            if given.kind == "discount_code"
        ]

    def _refund_line(self, order: Order, line: RefundLine) -> Json:
        return {
            "id": line.id,
            "line_item_id": line.line_id,
            "quantity": line.quantity,
            "restock_type": line.restock_type,
            "location_id": None,
            "subtotal": float(line.subtotal),
            "total_tax": float(line.tax),
            "subtotal_set": self._set(order, line.subtotal),
            "total_tax_set": self._set(order, line.tax),
        }

    def _refunded_shipping(self, order: Order, refund: Refund) -> list[Json]:
        if not refund.shipping:
            return []
        return [
            {
                "id": refund.id + 1,
                "subtotal_amount_set": self._set(order, refund.shipping),
                "tax_amount_set": self._set(order, refund.shipping_tax),
            }
        ]

    def _adjustments(self, order: Order, refund: Refund) -> list[Json]:
        if not refund.discrepancy:
            return []
        return [
            {
                "id": refund.id + 2,
                "kind": "refund_discrepancy",
                "reason": "Refund discrepancy",
                "amount": self._text(order, refund.discrepancy),
                "tax_amount": self._text(order, ZERO),
                "amount_set": self._set(order, refund.discrepancy),
            }
        ]


def _application(given: Any) -> Json:
    named = {"code": given.name} if given.kind == "discount_code" else {"title": given.name}
    return {
        "type": given.kind,
        **named,
        "value": str(given.share * 100 if given.share else given.amount),
        "value_type": "percentage" if given.share else "fixed_amount",
        "allocation_method": "across",
        "target_selection": "all",
        "target_type": "line_item",
    }


def _customer(order: Order) -> Json | None:
    if order.customer_id is None:
        return None
    who = order.billing or order.delivery or Address()
    return {"id": order.customer_id, "email": order.email, "first_name": who.first_name, "last_name": who.last_name}


def _address(address: Address | None) -> Json | None:
    if address is None:
        return None
    return {
        "first_name": address.first_name,
        "last_name": address.last_name,
        "name": f"{address.first_name} {address.last_name}",
        "company": address.company or None,
        "address1": address.address1,
        "address2": address.address2 or None,
        "city": address.city,
        "province": address.province,
        "province_code": address.province_code,
        "country": address.country,
        "country_code": address.country_code,
        "zip": address.zip,
        "phone": address.phone or None,
    }


def _status(order: Order, line_id: int | None = None) -> str | None:
    """Of the order, or of one of its lines."""
    if order.fulfilled:
        return "fulfilled"
    lines = [line for line in order.lines if line_id in (None, line.id)]
    shipped = [order.shipped(line.id) for line in lines]
    if not any(shipped):
        return None
    return "fulfilled" if all(left >= line.current for left, line in zip(shipped, lines, strict=True)) else "partial"
