"""Orders that end: before they have a document there is nothing to make, afterwards the contract decides."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tallystick.built import Built, Unwanted
from tallystick.canonical import written
from tallystick.contract.document import OrderDocument
from tallystick.flows.plan import Plan
from tallystick.flows.router import Router
from tallystick.ledger.rows import Claim, EffectState, Head, Kind
from tallystick.ports import Refused
from tallystick.reasons import HoldReason, NotEligible
from tallystick.settings import Route
from tallystick.v1 import event_pb2
from tests.unit.contract.written import contract

_LINE = {"sku": "MUG", "quantity": 1, "amount": {"gross": "11.90"}, "taxes": [{"rate_percent": "19"}]}
HEAD = Head(
    claim=Claim("shop/5", 1),
    connection="shop",
    late_for_s=0,
    seq=2,
    entity_type="order",
    entity_id="shop/5",
    operation="upsert",
    op_id="2",
    kind=Kind.STATE,
    revision=2,
    forced=False,
    state=EffectState.QUEUED,
    step=0,
    intents=0,
    attempts=0,
    external_ref="shop/5",
    received_at=datetime(2026, 11, 20, tzinfo=UTC),
    body=b"",
    external_id="17",
    applied_revision=1,
    applied_mark=None,
    lines=(),
    parent_revision=1,
    parent_external_id="17",
    doubt_age_s=None,
    parent_skipped=False,
    parent_ended=False,
    recorded_for_s=0,
)


def built(
    *findings: event_pb2.Finding,
    head: Head = HEAD,
    gone: bool = False,
    order: dict[str, Any] | None = None,
    **rules: Any,
) -> Built | Refused | Unwanted:
    """What is made of a revision of an order, cancelled unless it says otherwise."""
    given = written.order(
        {"connection": "shop", "number": "5", "state": "cancelled", "lines": [_LINE], **(order or {})}
    )
    event = event_pb2.Event(connection="shop", object_id="5", gone=gone, order=given, findings=findings)
    since = datetime(2026, 1, 1, tzinfo=UTC)
    route = Route.model_validate({"store": "shop", "erp": "erp", "contract": Path("test.yaml"), "since": since})
    router = Router("erp", {"shop": Plan(route, contract(**rules))})
    return router.build(replace(head, body=event.SerializeToString()))


def document(made: Built | Refused | Unwanted) -> OrderDocument:
    assert isinstance(made, Built), made
    assert isinstance(made.document, OrderDocument)
    return made.document


def test_before_it_has_a_document_there_is_nothing_to_make() -> None:
    """FC-063"""
    assert built(head=replace(HEAD, external_id=None)) == Unwanted(NotEligible.CANCELLED)
    assert built(head=replace(HEAD, external_id=None), gone=True) == Unwanted(NotEligible.GONE)


def test_a_document_that_is_there_is_to_be_cancelled() -> None:
    """FC-063: and nobody has to be in the target first for that."""
    made = built()
    assert document(made).cancelled
    assert isinstance(made, Built)
    assert made.customer is None


def test_what_its_money_comes_to_does_not_matter_any_more() -> None:
    finding = event_pb2.Finding(reason="UNBALANCED", detail="the total is 1")
    assert document(built(finding)).cancelled
    assert document(built(order={"totals": {"total": "1.00"}})).cancelled
    assert document(built(order={"currency_code": "SEK"})).cancelled


def test_an_order_that_cannot_be_read_is_held() -> None:
    held = built(order={"lines": [{**_LINE, "quantity": "many"}]})
    assert isinstance(held, Refused)
    assert held.reason is HoldReason.DATA


def test_by_contract_it_is_held_for_a_person() -> None:
    held = built(when_cancelled="hold")
    assert isinstance(held, Refused)
    assert held.reason is HoldReason.LOCKED
    assert "its document is there already" in held.detail


@pytest.mark.parametrize("state", ["failed", "draft"])
def test_what_is_over_in_another_way_is_held(state: str) -> None:
    held = built(order={"state": state})
    assert isinstance(held, Refused)
    assert held.reason is HoldReason.LOCKED


def test_what_the_store_deleted_is_held() -> None:
    held = built(gone=True)
    assert isinstance(held, Refused)
    assert "is no longer in the store" in held.detail


def test_a_plugins_own_state_ends_an_order_as_the_contract_says() -> None:
    order = {"state": "placed", "store_state": "wc-void"}
    assert document(built(order=order, states={"wc-void": "cancelled"})).cancelled
    assert not document(built(order=order)).cancelled
