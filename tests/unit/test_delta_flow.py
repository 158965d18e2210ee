"""What stands beside a locked document, what cannot, and which document a credit belongs to."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tallystick.canonical import written
from tallystick.contract.document import DocumentLine, LineRole, RefundDocument
from tallystick.flows.plan import Plan
from tallystick.flows.router import Router
from tallystick.ledger.rows import Head, Kind, Row, Supplement
from tallystick.ports import Refused
from tallystick.reasons import HoldReason
from tallystick.settings import Route
from tallystick.v1 import event_pb2
from tallystick.wave import parents
from tests.unit.contract.written import contract
from tests.unit.test_order_flow import HEAD as ORDER

_MUG: dict[str, Any] = {
    "id": "1",
    "sku": "MUG",
    "quantity": 1,
    "amount": {"gross": "11.90"},
    "taxes": [{"rate_percent": "19"}],
}
_TEA: dict[str, Any] = {**_MUG, "id": "2", "sku": "TEA"}
_AT = datetime(2026, 11, 20, tzinfo=UTC)


def event(revision: int, *lines: dict[str, Any], **parts: Any) -> bytes:
    """A revision of an order of these lines."""
    order = written.order({"connection": "shop", "id": "5", "number": "5", "lines": [*lines], **parts})
    return event_pb2.Event(connection="shop", object_id="5", revision=revision, order=order).SerializeToString()


def beside(
    was: bytes | None, now: bytes, *, split: bool = True, left_out: int | None = None, **rules: Any
) -> tuple[Row, ...] | Refused | None:
    """What settles revision 3 after what was settled before."""
    route = Route.model_validate({"store": "shop", "erp": "erp", "contract": Path("test.yaml"), "since": _AT})
    plan = Plan(route, contract(**{"when_locked": "delta", **rules}))
    head = replace(ORDER, revision=3, body=now, settled_body=was, split=split, left_out=left_out)
    return Router("erp", {"shop": plan}).beside(head)


def names(found: tuple[Row, ...] | Refused | None) -> list[str]:
    assert isinstance(found, tuple)
    return [row.entity_id for row in found]


def test_fc_088_back_to_what_the_document_says_is_a_difference_to_what_is_booked() -> None:
    assert names(beside(event(2, _MUG, _TEA), event(3, _MUG))) == ["shop/5/delta/3/credit"]


def test_fc_088_what_charges_nothing_else_is_settled_where_something_stands_beside() -> None:
    """Elsewhere the target refused it for a difference that only people can have made."""
    was, now = event(2, _MUG, _TEA), event(3, _MUG, _TEA, tags=["vip"])
    assert names(beside(was, now)) == []
    assert beside(was, now, split=False) is None


def test_an_older_revision_that_comes_late_changes_nothing() -> None:
    assert names(beside(event(4, _MUG), event(3, _MUG, _TEA))) == []


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (event(3, {**_MUG, "sku": "CUP"}), "line 1 changed from 'MUG' to 'CUP'"),
        (event(3, {**_MUG, "title": "Cup"}), "the description of line 1 changed"),
        (event(3, _MUG, customer={"id": "9", "key": "9", "name": "B"}), "its customer is another one"),
        (event(3, _MUG, currency_code="THB"), "changed"),
    ],
)
def test_what_no_document_beside_it_can_say_is_held_in_words(now: bytes, words: str) -> None:
    held = beside(event(2, _MUG), now)
    assert isinstance(held, Refused)
    assert held.reason is HoldReason.LOCKED
    assert words in held.detail


def test_what_cannot_be_told_apart_is_left_to_the_engines_own_words() -> None:
    """The contract wants no deltas any more, or the content that was booked has expired."""
    assert beside(event(2, _MUG), event(3, _MUG, _TEA), when_locked="hold") is None
    assert beside(None, event(3, _MUG, _TEA)) is None


def test_what_a_person_left_out_is_not_taken_for_booked() -> None:
    """Until a person marks a later revision as applied."""
    held = beside(event(2, _MUG, _TEA), event(3, _MUG), left_out=2)
    assert isinstance(held, Refused)
    assert "skipped" in held.detail
    assert names(beside(event(2, _MUG, _TEA), event(3, _MUG), left_out=1)) == ["shop/5/delta/3/credit"]


# ---- which document a credit belongs to ----------------------------------------------------------------------------


def refund(*keys: str, role: LineRole = LineRole.GOODS) -> RefundDocument:
    """A credit document of lines with these keys."""
    ten = Decimal(10)
    lines = [
        DocumentLine(one, role, "MUG", "Mug", Decimal(1), ten, False, (), (), ten, Decimal(0), ten) for one in keys
    ]
    return RefundDocument("shop", "5", "R", "EUR", _AT, _AT.date(), tuple(lines), ten, (), {}, True, "1")


PART: Head = replace(
    ORDER,
    kind=Kind.DELTA,
    entity_type="refund",
    parent_lines=frozenset({"1", "2", "shipping-1"}),
    supplements=(Supplement("18", frozenset({"2", "3"})), Supplement("19", frozenset({"4"}))),
)


@pytest.mark.parametrize(
    ("document", "carriers"),
    [
        (refund("1"), "17"),
        (refund("3"), "18"),
        (refund("2"), "17,18"),
        (refund("3", "4"), "18,19"),
        (refund("shipping-1", "4"), "17,19"),
        (refund("nowhere"), "17"),
        (refund("rounding", role=LineRole.ROUNDING), "17"),
    ],
)
def test_a_credit_belongs_to_the_documents_that_hold_its_lines(document: RefundDocument, carriers: str) -> None:
    assert parents(PART, document) == {"order": "17", "supplements": "18,19", "carriers": carriers}


def test_where_nothing_stands_beside_it_the_order_is_all_there_is() -> None:
    assert parents(replace(PART, supplements=()), refund("1")) == {"order": "17"}
