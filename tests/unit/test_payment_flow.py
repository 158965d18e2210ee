"""Payments: what a route makes of the ones that an order states, and in whose lane; and orders under suspicion."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tallystick.built import Built, Unwanted
from tallystick.canonical import written
from tallystick.contract.document import PaymentDocument
from tallystick.flows.plan import Plan
from tallystick.flows.router import Router
from tallystick.ledger.rows import Claim, EffectState, Head, Kind, Row
from tallystick.ports import Refused
from tallystick.reasons import HoldReason, NotEligible
from tallystick.settings import Route
from tallystick.v1 import event_pb2, order_pb2
from tests.unit.contract.written import contract

PAYMENTS = {"to": "journal", "gateways": {"card": "J-CARD"}, "gift_card": "J-GIFT"}
_CARD = {"id": "7/1", "gateway": "card", "amount": "8.00", "reference": "ch_1"}
_GIFT = {"id": "7/2", "kind": "gift_card", "amount": "3.90"}
_MUG = {"sku": "MUG", "quantity": 1, "amount": {"gross": "11.90"}, "taxes": [{"rate_percent": "19"}]}


def router(mode: str = "live", **parts: Any) -> Router:
    route = Route.model_validate(
        {
            "store": "shop",
            "erp": "erp",
            "contract": Path("test.yaml"),
            "since": datetime(2026, 1, 1, tzinfo=UTC),
            "flows": {"payments": mode},
        }
    )
    return Router("erp", {"shop": Plan(route, contract(**{"payments": PAYMENTS, **parts}))})


def event(*payments: dict[str, Any], revision: int = 1, **parts: Any) -> event_pb2.Event:
    stated = {"connection": "shop", "id": "5", "number": "1042", "lines": [_MUG], "payments": list(payments)}
    order = written.order({**stated, **parts})
    return event_pb2.Event(
        connection="shop", object_id="5", type=event_pb2.ENTITY_TYPE_ORDER, order=order, revision=revision
    )


def rows(found: event_pb2.Event, mode: str = "live", **parts: Any) -> list[Row]:
    return router(mode, **parts).rows(found, found.SerializeToString(), None)


def head(row: Row, **parts: Any) -> Head:
    made = Head(
        claim=Claim(row.lane_key, 1),
        connection=row.connection,
        late_for_s=0,
        seq=2,
        entity_type=row.entity_type,
        entity_id=row.entity_id,
        operation=row.operation,
        op_id=row.op_id,
        kind=row.kind,
        revision=row.revision,
        forced=False,
        state=EffectState.QUEUED,
        step=0,
        intents=0,
        attempts=0,
        external_ref=row.external_ref,
        received_at=row.received_at,
        body=row.body,
        external_id=None,
        applied_revision=None,
        applied_mark=None,
        lines=(),
        parent_revision=1,
        parent_external_id="17",
        doubt_age_s=None,
        parent_skipped=False,
        parent_ended=False,
        recorded_for_s=0,
    )
    return replace(made, **parts)


def built(row: Row, **parts: Any) -> Built | Refused | Unwanted:
    return router(**parts).build(head(row))


# ---- effects -----------------------------------------------------------------------------------------------------


def test_each_payment_is_a_delta_behind_its_order() -> None:
    order, card, gift = rows(event(_CARD, _GIFT))
    assert (order.entity_type, order.kind) == ("order", Kind.STATE)
    assert [(row.lane_key, row.entity_id, row.op_id, row.kind, row.part) for row in (card, gift)] == [
        ("shop/5", "shop/5/payment/7%2F1", "7/1", Kind.DELTA, True),
        ("shop/5", "shop/5/payment/7%2F2", "7/2", Kind.DELTA, True),
    ]


def test_a_payment_that_is_stated_again_is_the_same_effect_whatever_the_revision() -> None:
    first, again = (rows(event(_CARD, revision=revision, note=f"r{revision}"))[1] for revision in (1, 2))
    assert first.key == again.key


@pytest.mark.parametrize("state", ["unpaid", "authorised", "partially_paid", "voided", "refunded"])
def test_what_is_no_money_yet_is_no_payment(state: str) -> None:
    """FC-121: cash on delivery that nobody paid, authorisations, and payments that failed or are void."""
    assert len(rows(event({**_CARD, "state": state}))) == 1


def test_a_payment_of_nothing_is_none() -> None:
    assert len(rows(event({**_CARD, "amount": "0.00"}))) == 1


@pytest.mark.parametrize("mode", ["off", "observe"])
def test_a_route_that_does_not_carry_payments_makes_none(mode: str) -> None:
    assert [row.entity_type for row in rows(event(_CARD), mode)] == ["order"]


def test_an_order_that_is_gone_states_none() -> None:
    gone = event(_CARD)
    gone.gone = True
    assert [row.entity_type for row in rows(gone)] == ["order"]


def test_what_was_paid_before_the_contracts_date_is_booked_already() -> None:
    """The day is the seller's: half past three in Bangkok is the next one."""
    early = {**_CARD, "id": "1", "paid_at": "2026-11-20T16:00:00Z"}
    late = {**_CARD, "id": "2", "paid_at": "2026-11-20T20:30:00Z"}
    found = rows(event(early, late), payments={**PAYMENTS, "since": "2026-11-21"})
    assert [row.op_id for row in found[1:]] == ["2"]


def test_what_was_paid_before_the_routes_start_was_typed_by_hand() -> None:
    """Of an order that was adopted, or is paid late: only what came in since is booked."""
    early, late = ({**_CARD, "id": day, "paid_at": f"{day}T12:00:00Z"} for day in ("2025-12-31", "2026-01-02"))
    found = rows(event(early, late))
    assert [row.op_id for row in found[1:]] == ["2026-01-02"]


def test_the_stored_content_holds_the_payment_and_nothing_about_the_buyer() -> None:
    body = rows(event(_CARD, note="ring twice", customer={"id": "9", "email": "erika@shop.example"}))[1].body
    stored = event_pb2.Event.FromString(body)
    assert [payment.id for payment in stored.order.payments] == ["7/1"]
    assert b"erika" not in body
    assert b"ring twice" not in body


# ---- documents ---------------------------------------------------------------------------------------------------


def test_it_becomes_a_document_with_its_own_reference() -> None:
    made = built(rows(event(_CARD))[1])
    assert isinstance(made, Built)
    assert isinstance(made.document, PaymentDocument)
    assert made.document.amount == Decimal("8.00")
    assert (made.document.fields, made.document.reference) == ({"journal": "J-CARD"}, "ch_1")
    assert made.mark.startswith("tallystick shop/5/payment/7%2F1 r1.")


def test_fc_071_gift_card_and_card_each_go_to_their_account() -> None:
    """FC-071, FC-070: two payments whose sum is the total; the total of the order stays."""
    found = event(_CARD, _GIFT, totals={"gift_cards": "3.90"})
    made = [built(row) for row in rows(found)]
    documents = [one.document for one in made if isinstance(one, Built) and isinstance(one.document, PaymentDocument)]
    assert [one.fields["journal"] for one in documents] == ["J-CARD", "J-GIFT"]
    (order,) = (one.document for one in made[:1] if isinstance(one, Built))
    assert sum(one.amount for one in documents) == order.total == Decimal("11.90")  # type: ignore[union-attr]


def test_a_gateway_without_a_row_is_held() -> None:
    held = built(rows(event({**_CARD, "gateway": "wallet"}))[1])
    assert isinstance(held, Refused)
    assert (held.reason, "'wallet' has no row" in held.detail) == (HoldReason.MAPPING, True)


# ---- fraud -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("risk", "never", "high", "medium"),
    [("unspecified", None, None, None), ("low", None, None, None),
     ("medium", None, None, NotEligible.FRAUD_RISK),
     ("high", None, NotEligible.FRAUD_RISK, NotEligible.FRAUD_RISK)],
)  # fmt: skip
def test_fc_083_an_order_under_suspicion_is_not_for_the_erp(
    risk: str, never: NotEligible | None, high: NotEligible | None, medium: NotEligible | None
) -> None:
    """FC-083: seen and kept back, with its reason; the next revision is judged anew."""
    found = event()
    found.order.risk = order_pb2.RiskLevel.Value(f"RISK_LEVEL_{risk.upper()}")
    levels = {"never": never, "high": high, "medium": medium}
    assert {level: rows(found, hold_risk=level)[0].not_eligible for level in levels} == levels


def test_fc_083_people_of_the_store_clear_it_by_a_tag() -> None:
    rules = {"hold_risk": "high", "risk_cleared_tag": "cleared"}
    assert rows(event(risk="high"), **rules)[0].not_eligible is NotEligible.FRAUD_RISK
    assert rows(event(risk="high", tags=["cleared"]), **rules)[0].not_eligible is None


@pytest.mark.parametrize(("external_id", "told"), [(None, "goes on by itself"), ("17", "stop its delivery")])
def test_fc_083_flagged_after_it_was_taken_up_it_is_held(external_id: str | None, told: str) -> None:
    """FC-083: held, and not ended: its payments would end with it, and the store may clear it."""
    row = rows(event(risk="high"))[0]
    held = router(hold_risk="high").build(head(row, external_id=external_id))
    assert isinstance(held, Refused)
    assert held.reason is HoldReason.FRAUD_RISK
    assert told in held.detail


def test_fc_083_an_order_that_is_cancelled_for_it_is_cancelled() -> None:
    row = rows(event(risk="high", state="cancelled"))[0]
    made = router(hold_risk="high").build(head(row, external_id="17"))
    assert isinstance(made, Built)
