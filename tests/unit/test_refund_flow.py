"""Refunds: what a route makes of them, and in whose lane."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tallystick.built import Built, Unwanted
from tallystick.canonical import written
from tallystick.contract.document import RefundDocument
from tallystick.flows.plan import Plan
from tallystick.flows.router import Router
from tallystick.ledger.rows import Claim, EffectState, Head, Kind
from tallystick.ports import Refused
from tallystick.reasons import HoldReason, NotEligible
from tallystick.settings import Route
from tallystick.v1 import event_pb2
from tests.unit.contract.written import contract

_MUG = {
    "line_id": "7",
    "kind": "goods",
    "sku": "MUG",
    "quantity": 1,
    "restock": "no",
    "amount": {"gross": "11.90"},
    "taxes": [{"rate_percent": "19"}],
}


def router(mode: str = "live", **parts: Any) -> Router:
    route = Route.model_validate(
        {
            "store": "shop",
            "erp": "erp",
            "contract": Path("test.yaml"),
            "since": datetime(2026, 1, 1, tzinfo=UTC),
            "flows": {"refunds": mode},
        }
    )
    return Router("erp", {"shop": Plan(route, contract(**parts))})


def event(*findings: event_pb2.Finding, **parts: Any) -> event_pb2.Event:
    refund = written.refund({"connection": "shop", "id": "R/1", "order_id": "5", "lines": [_MUG], **parts})
    return event_pb2.Event(
        connection="shop", object_id="R/1", type=event_pb2.ENTITY_TYPE_REFUND, refund=refund, findings=findings
    )


def built(found: event_pb2.Event, settled: event_pb2.Event | None = None, **parts: Any) -> Built | Refused | Unwanted:
    head = Head(
        claim=Claim("shop/5", 1),
        connection="shop",
        late_for_s=0,
        seq=2,
        entity_type="refund",
        entity_id="shop/5/refund/R%2F1",
        operation="credit",
        op_id="R/1",
        kind=Kind.DELTA,
        revision=1,
        forced=False,
        state=EffectState.QUEUED,
        step=0,
        intents=0,
        attempts=0,
        external_ref="shop/5/refund/R%2F1",
        received_at=datetime(2026, 11, 20, tzinfo=UTC),
        body=found.SerializeToString(),
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
        settled_body=None if settled is None else settled.SerializeToString(),
    )
    return router(**parts).build(head)


def test_a_refund_is_one_delta_in_the_lane_of_its_order() -> None:
    """FC-062: so it never overtakes the order, and the same refund seen twice is one effect."""
    found = event()
    row, again = (router().row(found, b"", None) for _ in range(2))
    assert row == again
    assert row is not None
    assert (row.lane_key, row.entity_id, row.kind, row.op_id) == ("shop/5", "shop/5/refund/R%2F1", Kind.DELTA, "R/1")


@pytest.mark.parametrize("mode", ["off", "observe"])
def test_a_route_that_does_not_carry_refunds_makes_none(mode: str) -> None:
    assert router(mode).row(event(), b"", None) is None


def test_it_becomes_a_document_with_its_own_reference() -> None:
    made = built(event())
    assert isinstance(made, Built)
    assert isinstance(made.document, RefundDocument)
    assert made.mark.startswith("tallystick shop/5/refund/R%2F1 r1.")


def test_fc_087_what_was_found_in_the_store_holds_it() -> None:
    held = built(event(event_pb2.Finding(reason="UNBALANCED", detail="15.00 of 12.10")))
    assert held == Refused(HoldReason.UNBALANCED, "15.00 of 12.10")


def test_what_the_contract_holds_is_held() -> None:
    held = built(event(currency_code="SEK"))
    assert isinstance(held, Refused)
    assert held.reason is HoldReason.MAPPING


def test_an_order_that_is_cancelled_as_a_whole_is_not_credited_as_well() -> None:
    """FC-063: its document is cancelled; a credit beside it would take the sale back twice."""
    assert built(event(order_cancelled=True)) == Unwanted(NotEligible.ORDER_CANCELLED)
    assert isinstance(built(event(order_cancelled=True), when_cancelled="hold"), Built)


def test_a_later_revision_is_an_effect_of_its_own() -> None:
    """It never replaces one that may be credited already."""
    found = event()
    found.revision = 3
    row = router().row(found, b"", None)
    assert row is not None
    assert (row.op_id, row.revision, row.entity_id) == ("R/1/3", 3, "shop/5/refund/R%2F1")


def test_what_the_store_changes_of_a_booked_refund_is_held_with_both_figures() -> None:
    now = event(lines=[{**_MUG, "quantity": 2, "amount": {"gross": "23.80"}}])
    held = built(now, settled=event())
    assert isinstance(held, Refused)
    assert held.reason is HoldReason.LOCKED
    assert "booked was 11.90 EUR for 1 of line 7 (11.90)" in held.detail
    assert "now it is 23.80 EUR for 2 of line 7 (23.80)" in held.detail


def test_what_follows_from_the_order_is_no_change() -> None:
    """FC-063: a later edit or cancellation of the order shows in its refunds as well."""
    shares = [{"amount": {"gross": "119.00"}, "taxes": [{"rate_percent": 19}]}]
    now = event(order_number="#1", reason="torn", order_shares=shares)
    assert built(now, settled=event()) == Unwanted(NotEligible.UNCHANGED)


def test_a_refund_that_vanished_is_held_once_it_was_booked() -> None:
    gone = event()
    gone.gone = True
    assert built(gone) == Unwanted(NotEligible.GONE)
    held = built(gone, settled=event())
    assert isinstance(held, Refused)
    assert "booked was 11.90 EUR" in held.detail
