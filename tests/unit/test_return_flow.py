"""Returns: what a route makes of them, in whose lane, and what a newer revision is to one that was dealt with."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tallystick.built import Built, Unwanted
from tallystick.canonical import written
from tallystick.contract.document import RefundDocument, ReturnDocument
from tallystick.flows.plan import Plan
from tallystick.flows.router import Router
from tallystick.ledger.rows import Claim, EffectState, Head, Kind
from tallystick.ports import Refused
from tallystick.reasons import HoldReason, NotEligible
from tallystick.settings import Route
from tallystick.v1 import event_pb2
from tests.unit.contract.written import contract

_MUGS = {"line_id": "7", "sku": "MUG", "quantity": 2}
_LANE = "shop/5"


def router(mode: str = "live", **parts: Any) -> Router:
    route = Route.model_validate(
        {
            "store": "shop",
            "erp": "erp",
            "contract": Path("test.yaml"),
            "since": datetime(2026, 1, 1, tzinfo=UTC),
            "flows": {"refunds": "live", "returns": mode},
        }
    )
    return Router("erp", {"shop": Plan(route, contract(**parts))})


def event(*findings: event_pb2.Finding, revision: int = 1, gone: bool = False, **parts: Any) -> event_pb2.Event:
    told = written.returned({"connection": "shop", "id": "B/1", "order_id": "5", "lines": [_MUGS], **parts})
    made = event_pb2.Event(
        connection="shop", object_id="B/1", type=event_pb2.ENTITY_TYPE_RETURN, findings=findings, revision=revision
    )
    made.gone = gone
    getattr(made, "return").CopyFrom(told)
    return made


def head(found: event_pb2.Event, kind: str, settled: event_pb2.Event | None, made: str | None) -> Head:
    return Head(
        claim=Claim(_LANE, 1),
        connection="shop",
        late_for_s=0,
        seq=2,
        entity_type=kind,
        entity_id=f"{_LANE}/{kind}/B%2F1",
        operation="bring back",
        op_id="B/1",
        kind=Kind.DELTA,
        revision=found.revision,
        forced=False,
        state=EffectState.QUEUED,
        step=0,
        intents=0,
        attempts=0,
        external_ref=f"{_LANE}/{kind}/B%2F1",
        received_at=datetime(2026, 11, 20, tzinfo=UTC),
        body=found.SerializeToString(),
        external_id=made,
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


def built(
    found: event_pb2.Event, settled: event_pb2.Event | None = None, made: str | None = None, **parts: Any
) -> Built | Refused | Unwanted:
    return router(**parts).build(head(found, "return", settled, made or (None if settled is None else "77")))


# ---- which lane --------------------------------------------------------------------------------------------------


def test_a_return_is_one_delta_in_the_lane_of_its_order() -> None:
    """FC-062: so it never overtakes the order, and the same return seen twice is one effect."""
    row, again = (router().row(event(), b"", None) for _ in range(2))
    assert row == again
    assert row is not None
    assert (row.lane_key, row.entity_id, row.kind, row.op_id) == (_LANE, f"{_LANE}/return/B%2F1", Kind.DELTA, "B/1")
    later = router().row(event(revision=3), b"", None)
    assert later is not None
    assert (later.op_id, later.revision, later.entity_id) == ("B/1/3", 3, row.entity_id)


@pytest.mark.parametrize("mode", ["off", "observe"])
def test_a_route_that_does_not_carry_returns_makes_none(mode: str) -> None:
    assert router(mode).row(event(), b"", None) is None


# ---- before there is a document ----------------------------------------------------------------------------------


def test_an_approved_return_becomes_a_document_with_its_own_reference() -> None:
    made = built(event(refund_ids=["9"]))
    assert isinstance(made, Built)
    assert isinstance(made.document, ReturnDocument)
    assert (made.document.return_id, made.document.refunds, made.document.cancelled) == ("B/1", ("9",), False)
    assert made.mark.startswith("tallystick shop/5/return/B%2F1 r1.")


@pytest.mark.parametrize("state", ["declined", "cancelled"])
def test_one_that_came_to_nothing_before_is_none_of_the_erps_business(state: str) -> None:
    assert built(event(state=state)) == Unwanted(NotEligible.RETURN_OVER)
    assert built(event(gone=True)) == Unwanted(NotEligible.GONE)


def test_one_that_is_only_asked_for_waits_for_its_next_revision() -> None:
    assert built(event(state="requested")) == Unwanted(NotEligible.RETURN_PENDING)
    assert isinstance(built(event(state="requested"), returns={"when": "requested"}), Built)


def test_what_was_found_in_the_store_holds_it() -> None:
    held = built(event(event_pb2.Finding(reason="DATA", detail="a line of nothing")))
    assert held == Refused(HoldReason.DATA, "a line of nothing")


def test_what_the_contract_holds_is_held() -> None:
    held = built(event(state="closed"))
    assert isinstance(held, Refused)
    assert "what became of 2 of line 7" in held.detail


# ---- once there is one -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("over", [{"state": "declined"}, {"state": "cancelled"}, {"gone": True}])
def test_one_that_comes_to_nothing_is_cancelled(over: dict[str, Any]) -> None:
    made = built(event(revision=2, **over), settled=event())
    assert isinstance(made, Built)
    assert isinstance(made.document, ReturnDocument)
    assert (made.document.cancelled, made.document.lines) == (True, ())


def test_what_becomes_of_announced_goods_is_no_change() -> None:
    """The warehouse was told what to expect; what it does with the goods is its own word."""
    line = {**_MUGS, "received_quantity": 2, "disposals": [{"quantity": 2, "disposition": "restocked"}]}
    now = event(revision=2, state="closed", lines=[line], refund_ids=["9"])
    assert built(now, settled=event()) == Unwanted(NotEligible.UNCHANGED)


def test_a_changed_quantity_is_held_with_both_figures() -> None:
    held = built(event(revision=2, lines=[{**_MUGS, "quantity": 1}]), settled=event())
    assert isinstance(held, Refused)
    assert held.reason is HoldReason.LOCKED
    assert "2 of line 7 came back, now it is 1 of line 7" in held.detail


def test_where_received_goods_count_a_changed_disposal_is_held_too() -> None:
    restocked, binned = (
        event(state="closed", lines=[{**_MUGS, "disposals": [{"quantity": 2, "disposition": word}]}])
        for word in ("restocked", "not_restocked")
    )
    rules: dict[str, Any] = {"returns": {"when": "received"}}
    assert built(restocked, settled=restocked, **rules) == Unwanted(NotEligible.UNCHANGED)
    assert isinstance(built(binned, settled=restocked, **rules), Refused)


def test_one_that_goes_on_after_its_document_was_cancelled_is_held() -> None:
    held = built(event(revision=3), settled=event(revision=2, state="cancelled"))
    assert isinstance(held, Refused)
    assert "came to nothing in the store, and goes on there now" in held.detail


# ---- and the money -----------------------------------------------------------------------------------------------


def credited(mode: str, **parts: Any) -> RefundDocument:
    line = {"line_id": "7", "kind": "goods", "sku": "MUG", "quantity": 1, "restock": "yes"}
    line |= {"amount": {"gross": "11.90"}, "taxes": [{"rate_percent": "19"}]}
    refund = written.refund({"connection": "shop", "id": "B/1", "order_id": "5", "lines": [line], **parts})
    found = event_pb2.Event(connection="shop", object_id="B/1", type=event_pb2.ENTITY_TYPE_REFUND, refund=refund)
    found.revision = 1
    made = router(mode).build(head(found, "refund", None, None))
    assert isinstance(made, Built)
    assert isinstance(made.document, RefundDocument)
    return made.document


def test_the_refund_of_a_return_gives_back_the_money_only() -> None:
    """FC-084: the goods come back by the return's document, whichever is first."""
    assert credited("live", return_id="B1").restocked == ()
    assert len(credited("live").restocked) == 1


def test_where_returns_do_not_cross_the_refund_brings_the_goods() -> None:
    document = credited("off", return_id="B1")
    assert (len(document.restocked), document.return_id) == (1, "B1")
