"""Any sale of a shop becomes a document that the ERP adds up to the same total, or is held as unbalanced."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.canonical import checks
from tallystick.contract.compile import Contract
from tallystick.contract.document import Hold, OrderDocument
from tallystick.reasons import HoldReason
from tests.strategies import STEADY, Sale, canonical, sales
from tests.unit.contract.written import contract


def _contracts() -> list[Contract]:
    found = []
    for basis in ("as_store", "included", "excluded"):
        for tax_rounding in ("per_line", "per_document"):
            for policy, decimals in (("split", 3), ("rounding_line", 3), ("precise", "unlimited")):
                arithmetic = {
                    "tax_rounding": tax_rounding,
                    "unrepresentable_price": policy,
                    "price_decimals": decimals,
                }
                found.append(contract(taxes={"basis": basis}, arithmetic=arithmetic))
    return found


CONTRACTS = _contracts()


def test_any_order_of_0_2_and_3_decimal_currencies_balances_to_the_last_minor_unit_or_is_held() -> None:
    outcomes: Counter[str] = Counter()

    @STEADY
    @given(sale=sales(), rules=st.sampled_from(CONTRACTS))
    def run(sale: Sale, rules: Contract) -> None:
        outcome = rules.document(canonical(sale))
        if isinstance(outcome, Hold):
            assert outcome.reason is HoldReason.UNBALANCED
            outcomes["held"] += 1
            return
        proof = rules.balance(outcome)
        assert (proof.store_total, proof.difference) == (sale.total, Decimal(0))
        outcomes["booked"] += 1

    run()
    assert outcomes["booked"] > 9 * outcomes["held"], outcomes


@pytest.mark.parametrize("basis", ["included", "excluded"])
def test_a_cheap_order_is_never_held(basis: str) -> None:
    """Ten lines or fewer under the same arithmetic as the shop's: nothing is left for a person to do."""
    rules = contract(taxes={"basis": basis})

    @STEADY
    @given(sales())
    def run(sale: Sale) -> None:
        short = replace(sale, lines=sale.lines[:10])
        order = canonical(replace(short, tax=sum((one.tax for one in short.charged), Decimal(0))))
        if not checks.findings(order):
            assert isinstance(rules.document(order), OrderDocument)

    run()


@STEADY
@given(sale=sales(), rules=st.sampled_from(CONTRACTS), missing=st.integers(1, 10_000))
def test_a_total_that_is_off_by_anything_is_always_held(sale: Sale, rules: Contract, missing: int) -> None:
    order = canonical(sale)
    order.totals.total.units += missing
    outcome = rules.document(order)
    assert isinstance(outcome, Hold)
    assert outcome.reason is HoldReason.UNBALANCED


@STEADY
@given(sale=sales(), rules=st.sampled_from(CONTRACTS))
def test_no_line_is_lost_and_every_line_keeps_its_key(sale: Sale, rules: Contract) -> None:
    document = rules.build(canonical(sale)).document
    assert document is not None
    keys = [line.key for line in document.lines]
    assert len(set(keys)) == len(keys)
    assert {str(place) for place, _ in enumerate(sale.lines, 1)} <= set(keys)
    for place, line in enumerate(sale.lines, 1):
        pieces = [one for one in document.lines if one.key in (str(place), f"{place}-split")]
        assert sum((one.quantity for one in pieces), Decimal(0)) == line.quantity
