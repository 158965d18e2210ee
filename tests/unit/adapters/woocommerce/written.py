"""Orders written by us in WooCommerce's form, short: everything that a test does not name is plain."""

from decimal import Decimal
from typing import Any

from adapters.woocommerce.settings import Dialect
from adapters.woocommerce.translate import reading
from tallystick.ports import Reading


def order(**given: Any) -> dict[str, Any]:
    """A paid order of one mug at 11.00 and 10 % on top."""
    return {
        "id": 19,
        "number": "19",
        "status": "processing",
        "currency": "EUR",
        "prices_include_tax": False,
        "date_created_gmt": "2026-11-23T06:51:39",
        "date_modified_gmt": "2026-11-23T06:51:40",
        "date_paid_gmt": "2026-11-23T06:51:40",
        "discount_total": "0.00",
        "shipping_total": "0.00",
        "total": "12.10",
        "total_tax": "1.10",
        "customer_id": 0,
        "billing": {"first_name": "Gast", "last_name": "Gästle", "email": "Guest@Example.test", "country": "DE"},
        "shipping": {},
        "payment_method": "stripe",
        "created_via": "checkout",
        "customer_note": "",
        "meta_data": [],
        "line_items": [line()],
        "tax_lines": [rate()],
        "shipping_lines": [],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
    } | given


def line(**given: Any) -> dict[str, Any]:
    """One mug."""
    total = given.get("total", "11.00")
    tax = given.get("total_tax", "1.10")
    return {
        "id": 1,
        "name": "Mug",
        "product_id": 10,
        "variation_id": 0,
        "quantity": 1,
        "subtotal": total,
        "subtotal_tax": tax,
        "total": total,
        "total_tax": tax,
        "taxes": [{"id": 1, "total": tax, "subtotal": tax}],
        "meta_data": [],
        "sku": "MUG-1",
        "price": Decimal("11"),
    } | given


def rate(**given: Any) -> dict[str, Any]:
    """The shop's 10 %."""
    return {"rate_id": 1, "rate_code": "VAT 10-1", "label": "VAT 10", "compound": False, "rate_percent": 10} | given


def read(**given: Any) -> Reading:
    """The order as the adapter reads it."""
    return reading(order(**given), "woocommerce", Dialect())
