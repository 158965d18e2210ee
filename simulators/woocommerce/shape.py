"""The JSON forms of WooCommerce 11.0.1, key by key as recorded."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from .model import Back, Charge, Discount, Line, Meta, Order, Product, Refund
from .taxes import Rate, Rounding, Taxes

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "THB": "฿"}
_NEEDS_PAYMENT = ("pending", "failed")
_EDITABLE = ("pending", "on-hold", "auto-draft", "checkout-draft")


def encode(content: object) -> bytes:
    """JSON as PHP writes it: no spaces, slashes and everything beyond ASCII escaped."""
    return json.dumps(content, separators=(",", ":"), default=_number).replace("/", "\\/").encode()


def _number(value: object) -> int | float:
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def fixed(value: Decimal, digits: int) -> str:
    """An amount as text with so many decimals."""
    rounded = value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return format(abs(rounded) if rounded == 0 else rounded, "f")


@dataclass(frozen=True, slots=True)
class Shape:
    """How one shop shows its orders. `digits` is the parameter `dp`, by default the shop's own decimals."""

    home: str
    zone: ZoneInfo
    version: str
    rounding: Rounding
    rates: Mapping[int, Rate]
    digits: int

    def order(self, order: Order) -> dict[str, Any]:
        """An order as the API and the deliveries show it."""
        sums, total_tax = order.sums, order.sums.cart_tax + order.sums.shipping_tax
        return {
            "id": order.id,
            "parent_id": 0,
            "status": order.status,
            "currency": order.currency,
            "version": self.version,
            "prices_include_tax": order.prices_include_tax,
            "date_created": self._local(order.created),
            "date_modified": self._local(order.modified),
            "discount_total": self._money(sums.discount),
            "discount_tax": self._money(sums.discount_tax),
            "shipping_total": self._money(sums.shipping),
            "shipping_tax": self._money(sums.shipping_tax),
            "cart_tax": self._money(sums.cart_tax),
            "total": self._money(sums.total),
            "total_tax": self._money(total_tax),
            "customer_id": order.customer_id,
            "order_key": order.key,
            "billing": order.billing,
            "shipping": order.shipping_address,
            "payment_method": order.payment_method,
            "payment_method_title": order.payment_title,
            "transaction_id": order.transaction_id,
            "customer_ip_address": "",
            "customer_user_agent": "",
            "created_via": order.created_via,
            "customer_note": order.note,
            "date_completed": self._local(order.completed),
            "date_paid": self._local(order.paid),
            "cart_hash": "",
            "number": str(order.id),
            "meta_data": _meta(order.meta, order.id * 100),
            "line_items": [self._line(line) for line in order.lines],
            "tax_lines": [self._tax_line(order.id, rate_id, parts) for rate_id, parts in sums.by_rate.items()],
            "shipping_lines": [self._shipping(charge) for charge in order.shipping],
            "fee_lines": [self._fee(charge) for charge in order.fees],
            "coupon_lines": [self._coupon(discount) for discount in order.discounts],
            "refunds": [self._refund_entry(refund) for refund in order.refunds],
            "payment_url": f"{self.home}/checkout/order-pay/{order.id}/?pay_for_order=true&key={order.key}",
            "is_editable": order.status in _EDITABLE,
            "needs_payment": order.status in _NEEDS_PAYMENT and sums.total > 0,
            "needs_processing": True,
            "date_created_gmt": _gmt(order.created),
            "date_modified_gmt": _gmt(order.modified),
            "date_completed_gmt": _gmt(order.completed),
            "date_paid_gmt": _gmt(order.paid),
            "currency_symbol": _SYMBOLS.get(order.currency, order.currency),
            "_links": self.links("orders", order.id),
        }

    def _line(self, line: Line) -> dict[str, Any]:
        return {
            "id": line.id,
            "name": line.name,
            "product_id": line.product_id,
            "variation_id": 0,
            "quantity": line.quantity,
            "tax_class": line.tax_class,
            "subtotal": self._money(line.subtotal),
            "subtotal_tax": self._tax(line.subtotal_taxes),
            "total": self._money(line.total),
            "total_tax": self._tax(line.taxes),
            "taxes": [
                {"id": rate_id, "total": self._money(tax), "subtotal": self._money(line.subtotal_taxes[rate_id])}
                for rate_id, tax in line.taxes.items()
            ],
            "meta_data": _meta(line.meta, line.id * 100, displayed=True),
            "sku": line.sku,
            "global_unique_id": "" if line.product_id else None,
            "price": float(round(line.total / Decimal(line.quantity), 16)) if line.quantity else 0,
            "image": {"id": "", "src": ""},
            "parent_name": None,
        } | line.extra

    def _tax_line(self, post_id: int, rate_id: int, parts: tuple[Decimal, Decimal]) -> dict[str, Any]:
        rate = self.rates[rate_id]
        return {
            "id": post_id * 100 + rate_id,
            "rate_code": rate.code,
            "rate_id": rate_id,
            "label": rate.label,
            "compound": rate.compound,
            "tax_total": self._money(parts[0]),
            "shipping_tax_total": self._money(parts[1]),
            "rate_percent": rate.percent,
            "meta_data": [],
        }

    def _shipping(self, charge: Charge) -> dict[str, Any]:
        return {
            "id": charge.id,
            "method_title": charge.name,
            "method_id": "flat_rate",
            "instance_id": "",
            "total": self._money(charge.total),
            "total_tax": self._tax(charge.taxes),
            "taxes": self._taxes(charge.taxes),
            "tax_status": "taxable",
            "meta_data": [],
        }

    def _fee(self, charge: Charge) -> dict[str, Any]:
        return {
            "id": charge.id,
            "name": charge.name,
            "tax_class": charge.tax_class,
            "tax_status": "taxable" if charge.taxable else "none",
            "amount": "",
            "total": self._money(charge.total),
            "total_tax": self._tax(charge.taxes),
            "taxes": self._taxes(charge.taxes),
            "meta_data": [],
        }

    def _coupon(self, discount: Discount) -> dict[str, Any]:
        coupon = discount.coupon
        info = f'[{discount.id},"{coupon.code}","{coupon.kind}",{coupon.amount}]'
        return {
            "id": discount.id,
            "code": coupon.code,
            "discount": self._money(discount.discount),
            "discount_tax": self._money(discount.tax),
            "meta_data": _meta({"coupon_info": info}, discount.id * 100, displayed=True),
            "discount_type": coupon.kind,
            "nominal_amount": coupon.amount,
            "free_shipping": False,
        }

    def _refund_entry(self, refund: Refund) -> dict[str, Any]:
        total = "-" if refund.amount is None else f"-{self._money(refund.amount)}"
        tax = sum(refund.taxes.values(), Decimal(0))
        return {"id": refund.id, "reason": refund.reason, "total": total, "total_tax": self._money(-tax)}

    def refund(self, order: Order, refund: Refund) -> dict[str, Any]:
        """A refund as its own resource shows it: charges below zero that name those of the order."""
        lines = [one for one in refund.back if isinstance(one.of, Line)]
        shipping = [one for one in refund.back if one.of in order.shipping]
        fees = [one for one in refund.back if one.of in order.fees]
        links = self.links(f"orders/{order.id}/refunds", refund.id)
        return {
            "id": refund.id,
            "date_created": self._local(refund.created),
            "date_created_gmt": _gmt(refund.created),
            "amount": "" if refund.amount is None else self._money(refund.amount),
            "reason": refund.reason,
            "refunded_by": 1,
            "refunded_payment": refund.by_gateway,
            "meta_data": _meta({"_refund_type": "full" if refund.full else "partial"}, refund.id * 100),
            "line_items": [self._line(_below_zero(one)) for one in lines],
            "shipping_lines": [self._shipping(_charge_below_zero(one)) | _named(one) for one in shipping],
            "tax_lines": [self._refunded_tax(refund, rate_id) for rate_id in refund.taxes],
            "fee_lines": [self._fee(_charge_below_zero(one)) | _named(one) for one in fees],
            "_links": links | {"up": [{"href": f"{self.home}/wp-json/wc/v3/orders/{order.id}"}]},
        }

    def _refunded_tax(self, refund: Refund, rate_id: int) -> dict[str, Any]:
        parts = [one.taxes.get(rate_id, Decimal(0)) for one in refund.back if isinstance(one.of, Line)]
        of_lines = sum(parts, Decimal(0))
        return self._tax_line(refund.id, rate_id, (-of_lines, of_lines - refund.taxes[rate_id]))

    def product(self, product: Product) -> dict[str, Any]:
        """The few fields of a product that matter here. A barcode is shown of variations only."""
        regular = "" if product.kind == "variable" else self._money(product.price)
        sale = "" if product.sale is None else self._money(product.sale)
        own = {"global_unique_id": product.barcode} if product.parent else {}
        return {
            "id": product.id,
            "name": product.name,
            "type": "variation" if product.parent else product.kind,
            "status": product.status,
            "sku": product.sku,
            **own,
            "price": sale or regular,
            "regular_price": regular,
            "sale_price": sale,
            "date_on_sale_from": self._local(product.sale_from),
            "date_on_sale_from_gmt": _gmt(product.sale_from),
            "date_on_sale_to": self._local(product.sale_to),
            "date_on_sale_to_gmt": _gmt(product.sale_to),
            "parent_id": product.parent,
            "tax_class": product.tax_class,
            "manage_stock": "parent" if product.stock_of_parent else product.stock is not None,
            "stock_quantity": product.stock,
            "meta_data": [],
            "_links": self.links("products", product.id),
        }

    def _taxes(self, taxes: Taxes) -> list[dict[str, Any]]:
        return [{"id": rate_id, "total": self._money(tax), "subtotal": ""} for rate_id, tax in taxes.items()]

    def _tax(self, taxes: Taxes) -> str:
        rounding = self.rounding
        if rounding.at_subtotal:
            return self._money(sum(taxes.values(), Decimal(0)))
        return self._money(sum((rounding.tax(tax) for tax in taxes.values()), Decimal(0)))

    def _money(self, value: Decimal) -> str:
        return fixed(value, self.digits)

    def _local(self, moment: datetime | None) -> str | None:
        return None if moment is None else moment.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M:%S")

    def stamps(self, name: str, moment: datetime | None) -> dict[str, str | None]:
        """A pair of dates, `name` in the shop's zone and `name_gmt`."""
        return {name: self._local(moment), f"{name}_gmt": _gmt(moment)}

    def links(self, collection: str, object_id: int) -> dict[str, Any]:
        """`_links` of an object."""
        base = f"{self.home}/wp-json/wc/v3/{collection}"
        hints = {"allow": ["GET", "POST", "PUT", "PATCH", "DELETE"]}
        return {"self": [{"href": f"{base}/{object_id}", "targetHints": hints}], "collection": [{"href": base}]}


def _gmt(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S")


def _meta(entries: Meta, first_id: int, *, displayed: bool = False) -> list[dict[str, Any]]:
    found: Iterable[tuple[int, tuple[str, Any]]] = enumerate(entries.items(), first_id)
    plain = [{"id": number, "key": key, "value": value} for number, (key, value) in found]
    if not displayed:
        return plain
    return [row | {"display_key": row["key"], "display_value": str(row["value"])} for row in plain]


def _below_zero(back: Back) -> Line:
    of = back.of
    assert isinstance(of, Line)
    taxes = {rate_id: -tax for rate_id, tax in back.taxes.items()}
    return replace(
        of, id=back.id, quantity=-back.quantity, subtotal=-back.total, total=-back.total, subtotal_taxes=taxes,
        taxes=taxes, meta={"_refunded_item_id": str(of.id)},
    )  # fmt: skip


def _charge_below_zero(back: Back) -> Charge:
    of = back.of
    assert isinstance(of, Charge)
    return replace(of, id=back.id, total=-back.total, taxes={rate_id: -tax for rate_id, tax in back.taxes.items()})


def _named(back: Back) -> dict[str, Any]:
    """Which charge of the order it is of."""
    return {"meta_data": _meta({"_refunded_item_id": str(back.of.id)}, back.id * 100, displayed=True)}


def only(content: Any, fields: Sequence[str]) -> Any:
    """The parameter `_fields`: those keys alone, of an object or of each in a list."""
    if not fields:
        return content
    if isinstance(content, list):
        return [only(entry, fields) for entry in content]
    return {key: value for key, value in content.items() if key in fields}
