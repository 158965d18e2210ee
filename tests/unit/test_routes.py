"""Flows: the mark of a document says what is in it, whichever contract made it."""

from datetime import UTC, datetime
from pathlib import Path

from tallystick.built import Built
from tallystick.flows.plan import Plan
from tallystick.flows.router import Router
from tallystick.ledger.rows import Claim, EffectState, Head, Kind
from tallystick.marks import find
from tallystick.settings import Route
from tallystick.v1 import event_pb2
from tests.unit.contract.written import contract, order

_ROUTE = Route(store="shop", erp="erp", contract=Path("test.yaml"), since=datetime(2026, 1, 1, tzinfo=UTC))


def _built(**parts: object) -> Built:
    sold = order({"quantity": 2, "amount": {"gross": "21.40"}, "taxes": [{"rate_percent": "7"}]})
    event = event_pb2.Event(connection="shop", object_id="1", type=event_pb2.ENTITY_TYPE_ORDER, order=sold)
    built = Router("erp", {"shop": Plan(_ROUTE, contract(**parts))}).build(_head(event.SerializeToString()))
    assert isinstance(built, Built), built
    return built


def _head(body: bytes) -> Head:
    return Head(
        claim=Claim("shop/1", 1),
        connection="shop",
        late_for_s=0,
        seq=1,
        entity_type="order",
        entity_id="shop/1",
        operation="upsert",
        op_id="1",
        kind=Kind.STATE,
        revision=1,
        forced=False,
        state=EffectState.QUEUED,
        step=0,
        intents=0,
        attempts=0,
        external_ref="shop/1",
        received_at=datetime(2026, 11, 20, tzinfo=UTC),
        body=body,
        external_id=None,
        applied_revision=None,
        applied_mark=None,
        lines=(),
        parent_revision=None,
        parent_external_id=None,
        doubt_age_s=None,
        parent_skipped=False,
        parent_ended=False,
        recorded_for_s=0,
    )


def test_a_document_of_any_contract_has_a_mark() -> None:
    """Fields that are only given once come as a set, which has an order of its own in every process."""
    header = [{"to": name, "value": "x", "owner": "erp"} for name in ("tag_ids", "team_id", "note")]
    one, other = _built(header=header), _built(header=header[::-1])
    assert find(one.mark) == find(other.mark)


def test_the_name_of_the_contract_is_not_part_of_the_mark() -> None:
    assert _built(version=1).mark == _built(version=2).mark
