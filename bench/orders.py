"""The order that all contenders are given: two lines, one rate on top, a buyer with an address."""

import json
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_LINES = ((2, "19.90"), (1, "120.00"))
_RATE = Decimal("0.19")
_CENT = Decimal("0.01")


def store_order(number: int) -> bytes:
    """As WooCommerce delivers it."""
    dearer = Decimal(number % 9973) / 100
    lines = [_line(place, quantity, Decimal(price) + dearer) for place, (quantity, price) in enumerate(_LINES, 1)]
    net = sum(Decimal(line["total"]) for line in lines)
    tax = sum(Decimal(line["total_tax"]) for line in lines)
    order = {
        "id": number,
        "number": str(number),
        "status": "processing",
        "currency": "EUR",
        "prices_include_tax": False,
        "date_created_gmt": "2026-11-23T06:51:39",
        "date_modified_gmt": "2026-11-23T06:51:40",
        "date_paid_gmt": "2026-11-23T06:51:40",
        "discount_total": "0.00",
        "shipping_total": "0.00",
        "total": str(net + tax),
        "total_tax": str(tax),
        "customer_id": 0,
        "billing": _address(number),
        "shipping": _address(number),
        "payment_method": "stripe",
        "created_via": "checkout",
        "customer_note": "",
        "meta_data": [],
        "line_items": lines,
        "tax_lines": [
            {"rate_id": 1, "rate_code": "DE-VAT-1", "label": "VAT", "compound": False, "rate_percent": 19}
            | {"tax_total": str(tax), "shipping_tax_total": "0.00"}
        ],
        "shipping_lines": [],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
    }
    return json.dumps(order).encode()


def _line(place: int, quantity: int, price: Decimal) -> dict[str, Any]:
    net = price * quantity
    tax = (net * _RATE).quantize(_CENT, ROUND_HALF_UP)
    return {
        "id": place,
        "name": f"Article number {place}, in a colour that has a name",
        "product_id": 100 + place,
        "variation_id": 0,
        "quantity": quantity,
        "tax_class": "",
        "subtotal": str(net),
        "subtotal_tax": str(tax),
        "total": str(net),
        "total_tax": str(tax),
        "taxes": [{"id": 1, "total": str(tax), "subtotal": str(tax)}],
        "meta_data": [],
        "sku": f"SKU-{place}",
        "price": float(price),
    }


def _address(number: int) -> dict[str, str]:
    return {
        "first_name": "Erika",
        "last_name": f"Mustermann {number}",
        "company": "",
        "address_1": "Heidestrasse 17",
        "address_2": "",
        "city": "Koeln",
        "state": "",
        "postcode": "51147",
        "country": "DE",
        "email": f"buyer{number}@shop.example",
        "phone": "+49 221 555 0100",
    }
