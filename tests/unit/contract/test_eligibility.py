"""Which orders are not for the ERP, and why."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tallystick.reasons import NotEligible
from tallystick.settings import Narrowing
from tests.unit.contract.written import contract, held, order

_LINE = {"amount": {"gross": "10.00", "net": "10.00"}}


def _eligibility(rules: dict[str, Any] | None = None, **parts: Any) -> NotEligible | None:
    return contract(**(rules or {})).eligibility(order(_LINE, **parts))


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({}, None),
        ({"state": "draft"}, NotEligible.DRAFT),
        ({"state": "pending"}, NotEligible.PENDING_PAYMENT),
        ({"state": "failed"}, NotEligible.PAYMENT_FAILED),
        ({"state": "cancelled"}, NotEligible.CANCELLED),
        ({"test": True}, NotEligible.TEST_ORDER),
    ],
)
def test_its_state_decides_first(parts: dict[str, Any], reason: NotEligible | None) -> None:
    assert _eligibility(**parts) is reason


@pytest.mark.parametrize(
    ("payment", "placed", "authorised", "paid"),
    [
        ("unpaid", True, False, False),
        ("voided", True, False, False),
        ("authorised", True, True, False),
        ("partially_paid", True, True, False),
        ("paid", True, True, True),
        ("partially_refunded", True, True, True),
        ("refunded", True, True, True),
    ],
)
def test_post_when_asks_for_a_state_of_payment(payment: str, placed: bool, authorised: bool, paid: bool) -> None:
    for post_when, booked in {"placed": placed, "authorised": authorised, "paid": paid}.items():
        found = _eligibility({"post_when": post_when}, payment_state=payment)
        assert found is (None if booked else NotEligible.UNPAID)


def test_fc_121_cash_on_delivery_is_unpaid_and_booked_where_the_contract_says_so() -> None:
    sold = order(_LINE, payment_state="unpaid", payment_method="cod")
    assert contract().eligibility(sold) is NotEligible.UNPAID
    assert contract(post_unpaid_by=["cod"]).eligibility(sold) is None


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"tallystick_order": "other/7"}, NotEligible.COPY),
        ({"tallystick_order": "store/1"}, None),
        ({"tallystick_order": " "}, None),
        ({"made_by": "other/7"}, None),
    ],
)
def test_fc_066_an_order_that_names_another_channels_order_is_a_copy(
    attributes: dict[str, str], reason: NotEligible | None
) -> None:
    """Its own name, which somebody may have noted in it, makes it none; a copy holds no goods either."""
    sold = order(_LINE, id="1", attributes=attributes)
    assert contract().eligibility(sold) is reason
    named = contract(copy_of=["attributes.made_by"])
    assert named.eligibility(sold) is (NotEligible.COPY if "made_by" in attributes else None)


def test_an_order_from_before_the_start_is_only_observed() -> None:
    since = datetime(2026, 11, 20, 12, tzinfo=UTC)
    rules = contract()
    assert rules.eligibility(order(_LINE, placed_at="2026-11-20T11:59:59Z"), since) is NotEligible.BEFORE_SINCE
    assert rules.eligibility(order(_LINE, placed_at="2026-11-20T12:00:00Z"), since) is None


@pytest.mark.parametrize(
    "only",
    [
        Narrowing(currencies=("THB",)),
        Narrowing(channels=("pos",)),
        Narrowing(order_types=("b2b",)),
        Narrowing(percentage=0),
    ],
)
def test_a_route_may_be_live_for_a_part_only(only: Narrowing) -> None:
    rules, sold = contract(), order(_LINE, channel="web")
    assert rules.eligibility(sold, only=only) is NotEligible.NOT_ROLLED_OUT
    inside = Narrowing(currencies=("EUR",), channels=("web",), order_types=("b2c",))
    assert rules.eligibility(sold, only=inside) is None


def test_fc_066_an_order_that_another_channel_brought_in_keeps_its_origin_and_is_not_taken_again() -> None:
    """What was pushed to a second channel is read back from there under that channel's name."""
    rules, own = contract(), Narrowing(channels=("web", "pos"))
    assert rules.eligibility(order(_LINE, channel="web"), only=own) is None
    assert rules.eligibility(order(_LINE, channel="marketplace-bridge"), only=own) is NotEligible.NOT_ROLLED_OUT


def test_a_percentage_chooses_about_that_part_and_always_the_same() -> None:
    rules, only = contract(), Narrowing(percentage=30)
    sold = [order(_LINE, id=str(number)) for number in range(300)]
    chosen = [rules.eligibility(one, only=only) is None for one in sold]
    assert 60 <= sum(chosen) <= 120
    assert chosen == [rules.eligibility(one, only=only) is None for one in sold]


def test_a_state_that_a_plugin_invented_gets_its_meaning_from_the_contract() -> None:
    sold = order(_LINE, store_state="packed")
    sold.ClearField("state")
    assert "'packed'" in held(contract(), sold).detail
    assert contract(states={"packed": "failed"}).eligibility(sold) is NotEligible.PAYMENT_FAILED
    assert contract(states={"packed": "placed"}).build(sold).report.verdict() is None
