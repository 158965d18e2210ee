"""Any sale, written as Shopify writes it in both spellings, becomes an ERP document of the same total, or is held."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.shopify.adapter import ShopifyAdapter
from tallystick.canonical.digest import digest
from tallystick.canonical.money import allocate, amount, minor_digits
from tallystick.clock import SystemClock
from tallystick.contract.compile import Contract
from tallystick.contract.document import Hold
from tallystick.reasons import HoldReason
from tests.strategies import STEADY, Sale, Sold, sales
from tests.unit.adapters.shopify import shops
from tests.unit.adapters.shopify.shops import CONNECTION
from tests.unit.contract.test_every_order_balances import CONTRACTS

#: Shopify has no fees of its own that a shop could make up.
SALES = sales().filter(lambda sale: not sale.fees)
_AT = "2026-11-20T10:15:42Z"


def rest(sale: Sale) -> dict[str, Any]:
    """The body of a delivery."""
    digits = minor_digits(sale.currency)

    def shop_money(value: Decimal) -> dict[str, Any]:
        return {"shop_money": {"amount": f"{value:.{digits}f}", "currency_code": sale.currency}}

    def taxes(one: Sold) -> list[dict[str, Any]]:
        return [
            {"title": f"Tax {rate} %", "rate": float(Decimal(rate) / 100), "price": f"{share:.{digits}f}"}
            for rate, share in _shares(sale, one)
        ]

    lines = []
    for place, one in enumerate(sale.lines, 1):
        pieces, price = _pieces(sale, one)
        lines.append(
            {
                "id": place,
                "product_id": place,
                "variant_id": place,
                "sku": f"SKU-{place}",
                "name": f"Thing {place}",
                "quantity": pieces,
                "current_quantity": pieces,
                "price": f"{price:.{digits}f}",
                "discount_allocations": [{"amount": f"{one.discount:.{digits}f}", "discount_application_index": 0}],
                "tax_lines": taxes(one),
            }
        )
    return {
        "id": 1,
        "name": "#1001",
        "processed_at": _AT,
        "updated_at": _AT,
        "financial_status": "paid",
        "currency": sale.currency,
        "taxes_included": sale.included,
        "total_price": f"{sale.total:.{digits}f}",
        "total_tax": f"{sale.tax:.{digits}f}",
        "total_tip_received": f"{sale.tip:.{digits}f}",
        "original_total_duties_set": shop_money(sale.duties),
        "line_items": lines,
        "shipping_lines": [
            {"id": place, "title": "Post", "price": f"{_asked(sale, one):.{digits}f}", "tax_lines": taxes(one)}
            for place, one in enumerate(sale.shipping, 1)
        ],
        "discount_applications": [{"type": "manual", "title": "Rebate"}],
        "refunds": [],
    }


def graphql(sale: Sale) -> dict[str, Any]:
    """The answer of a read: money without needless zeros, everything in connections."""

    def bag(value: Decimal) -> dict[str, Any]:
        text = format(value.normalize(), "f")
        return {"shopMoney": {"amount": text if "." in text else f"{text}.0"}}

    def taxes(one: Sold) -> list[dict[str, Any]]:
        return [
            {"title": f"Tax {rate} %", "rate": float(Decimal(rate) / 100), "priceSet": bag(share)}
            for rate, share in _shares(sale, one)
        ]

    def nodes(items: list[dict[str, Any]]) -> dict[str, Any]:
        return {"nodes": items, "pageInfo": {"hasNextPage": False}}

    lines = []
    for place, one in enumerate(sale.lines, 1):
        pieces, price = _pieces(sale, one)
        allocation = {"allocatedAmountSet": bag(one.discount), "discountApplication": {"index": 0}}
        lines.append(
            {
                "id": f"gid://shopify/LineItem/{place}",
                "product": {"id": f"gid://shopify/Product/{place}"},
                "variant": {"id": f"gid://shopify/ProductVariant/{place}"},
                "sku": f"SKU-{place}",
                "name": f"Thing {place}",
                "quantity": pieces,
                "currentQuantity": pieces,
                "originalUnitPriceSet": bag(price),
                "discountAllocations": [allocation],
                "taxLines": taxes(one),
            }
        )
    return {
        "id": "gid://shopify/Order/1",
        "name": "#1001",
        "processedAt": _AT,
        "updatedAt": _AT,
        "displayFinancialStatus": "PAID",
        "currencyCode": sale.currency,
        "taxesIncluded": sale.included,
        "totalPriceSet": bag(sale.total),
        "totalTaxSet": bag(sale.tax),
        "totalTipReceivedSet": bag(sale.tip),
        "originalTotalDutiesSet": bag(sale.duties),
        "lineItems": nodes(lines),
        "shippingLines": nodes(
            [
                {"id": str(place), "title": "Post", "originalPriceSet": bag(_asked(sale, one)), "taxLines": taxes(one)}
                for place, one in enumerate(sale.shipping, 1)
            ]
        ),
        "discountApplications": nodes([{"index": 0, "title": "Rebate"}]),
        "refunds": [],
    }


def _pieces(sale: Sale, one: Sold) -> tuple[int, Decimal]:
    """Shopify counts whole pieces; what is sold by the metre is one piece of its whole price."""
    if one.quantity == int(one.quantity):
        return int(one.quantity), one.price
    return 1, _asked(sale, one)


def _asked(sale: Sale, one: Sold) -> Decimal:
    """Before discounts, in the basis of the prices."""
    return (one.gross if sale.included else one.net) + one.discount


def _shares(sale: Sale, one: Sold) -> list[tuple[str, Decimal]]:
    if not one.rates:
        return []
    shares = allocate(one.tax, [Decimal(rate) for rate in one.rates], minor_digits(sale.currency))
    return list(zip(one.rates, shares, strict=True))


@pytest.fixture(scope="module")
def adapter() -> ShopifyAdapter:
    return ShopifyAdapter(CONNECTION, shops.settings(), SystemClock())


def test_from_the_stores_form_to_the_erps(adapter: ShopifyAdapter) -> None:
    outcomes: Counter[str] = Counter()

    @settings(STEADY, max_examples=80)
    @given(sale=SALES, rules=st.sampled_from(CONTRACTS))
    def run(sale: Sale, rules: Contract) -> None:
        body, read = (adapter.parse_order(json.dumps(form(sale)).encode()) for form in (rest, graphql))
        assert body.order is not None
        assert read.order is not None
        assert digest(body.order) == digest(read.order)
        assert amount(read.order.totals.total) == sale.total
        assert {finding.reason for finding in read.findings} <= {HoldReason.UNBALANCED}
        outcome = rules.document(read.order)
        if isinstance(outcome, Hold):
            assert outcome.reason is HoldReason.UNBALANCED
            outcomes["held"] += 1
            return
        proof = rules.balance(outcome)
        assert (proof.store_total, proof.difference) == (sale.total, Decimal(0))
        outcomes["booked"] += 1

    run()
    assert outcomes["booked"] > 9 * outcomes["held"], outcomes


@settings(STEADY, max_examples=25)
@given(sale=SALES, rules=st.sampled_from(CONTRACTS), missing=st.integers(1, 10_000))
def test_a_total_that_is_off_by_anything_is_held(sale: Sale, rules: Contract, missing: int) -> None:
    order = rest(sale)
    order["total_price"] = str(Decimal(order["total_price"]) + missing)
    found = ShopifyAdapter(CONNECTION, shops.settings(), SystemClock()).parse_order(json.dumps(order).encode())
    assert found.order is not None
    outcome = rules.document(found.order)
    assert isinstance(outcome, Hold)
    assert outcome.reason is HoldReason.UNBALANCED
