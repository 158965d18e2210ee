"""Any sale, written as a WooCommerce shop writes it, becomes an ERP document of the same total, or is held."""

import json
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.canonical.money import allocate, amount, minor_digits
from tallystick.contract.compile import Contract
from tallystick.contract.document import Hold
from tallystick.reasons import HoldReason
from tests.strategies import RATES, STEADY, Sale, Sold, sales
from tests.unit.adapters.woocommerce import written
from tests.unit.adapters.woocommerce.test_webhook import shop
from tests.unit.contract.test_every_order_balances import CONTRACTS

_RATE_IDS = {rate: place for place, rate in enumerate(sorted({rate for rates in RATES for rate in rates}), 1)}


def payload(sale: Sale) -> bytes:
    """The order as its shop would show it; WooCommerce has neither tips nor duties, plugins write them as fees."""
    fees = [_charge(sale, one, id=9000 + place, name="Voucher") for place, one in enumerate(sale.fees)]
    fees += [
        {"id": 9100 + place, "name": name, "total": str(value), "total_tax": "0", "taxes": []}
        for place, (name, value) in enumerate((("Tip", sale.tip), ("Duties", sale.duties)))
        if value
    ]
    order = written.order(
        currency=sale.currency,
        prices_include_tax=sale.included,
        line_items=[_line(sale, one, place) for place, one in enumerate(sale.lines, 1)],
        shipping_lines=[
            _charge(sale, one, id=8000 + place, method_title="Post") for place, one in enumerate(sale.shipping)
        ],
        fee_lines=fees,
        tax_lines=[
            written.rate(rate_id=number, rate_code=f"TAX-{rate}", label=f"Tax {rate} %", rate_percent=Decimal(rate))
            for rate, number in _RATE_IDS.items()
        ],
        shipping_total=str(sum((one.net for one in sale.shipping), Decimal(0))),
        total_tax=str(sale.tax),
        total=str(sale.total),
    )
    return json.dumps(order, default=float).encode()


def _line(sale: Sale, one: Sold, place: int) -> dict[str, Any]:
    before = (one.gross if sale.included else one.net) + one.discount
    after = before - one.discount
    tax = (one.tax * before / after).quantize(one.tax) if after else Decimal(0)
    return {
        **written.line(id=place, sku=f"SKU-{place}", name=f"Thing {place}", product_id=place),
        **_charge(sale, one),
        "quantity": one.quantity,
        "subtotal": str(before - tax if sale.included else before),
        "subtotal_tax": str(tax),
    }


def _charge(sale: Sale, one: Sold, **named: Any) -> dict[str, Any]:
    shares = _shares(one.tax, one.rates, minor_digits(sale.currency))
    taxes = [{"id": _RATE_IDS[rate], "total": str(share)} for rate, share in zip(one.rates, shares, strict=True)]
    return {**named, "total": str(one.net), "total_tax": str(one.tax), "taxes": taxes}


def _shares(tax: Decimal, rates: Sequence[str], digits: int) -> list[Decimal]:
    return allocate(tax, [Decimal(rate) for rate in rates], digits) if rates else []


def test_from_the_stores_form_to_the_erps() -> None:
    outcomes: Counter[str] = Counter()

    @settings(STEADY, max_examples=80)
    @given(sale=sales(), rules=st.sampled_from(CONTRACTS))
    def run(sale: Sale, rules: Contract) -> None:
        found = shop().parse_order(payload(sale))
        assert found.order is not None
        assert amount(found.order.totals.total) == sale.total
        assert {finding.reason for finding in found.findings} <= {HoldReason.UNBALANCED}
        outcome = rules.document(found.order)
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
@given(sale=sales(), rules=st.sampled_from(CONTRACTS), missing=st.integers(1, 10_000))
def test_a_total_that_is_off_by_more_than_rounding_is_held(sale: Sale, rules: Contract, missing: int) -> None:
    order = json.loads(payload(sale))
    order["total"] = str(Decimal(order["total"]) + missing + 300)
    found = shop().parse_order(json.dumps(order).encode())
    assert found.order is not None
    outcome = rules.document(found.order)
    assert isinstance(outcome, Hold)
    assert outcome.reason is HoldReason.UNBALANCED
