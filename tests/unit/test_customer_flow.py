"""Customers: what a route makes of their own revisions, and whose lane they share with what orders need of them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tallystick.built import Built, Unwanted
from tallystick.canonical import written
from tallystick.contract.document import CustomerDocument
from tallystick.flows import customers
from tallystick.flows.plan import Plan
from tallystick.flows.router import Router
from tallystick.kafka.codec import encode, topic_of
from tallystick.kafka.topics import CUSTOMERS, ORDERS
from tallystick.ledger.rows import Claim, EffectState, Head, Kind
from tallystick.ports import Refused
from tallystick.reasons import HoldReason, NotEligible
from tallystick.settings import Route
from tallystick.v1 import event_pb2
from tests.unit.contract.written import contract, order

_RULES: dict[str, Any] = {
    "customer": {
        "match": ["account_number", "email"],
        "owned_by_erp": ["tax_id"],
        "fields": [
            {"to": "terms", "from": "customer.company.payment_terms", "table": "terms"},
            {"to": "limit", "from": "customer.company.credit_limit", "currency": "EUR", "owner": "erp"},
            {"to": "channel", "from": "channel", "required": True},
        ],
    },
    "tables": {"terms": {"rows": {"Net 30": "T30"}}},
}
_NORD = {"name": "Nord GmbH", "account_number": "70012", "payment_terms": "Net 30", "credit_limit": "500.00"}


def router(mode: str = "live", **parts: Any) -> Router:
    route = Route.model_validate(
        {
            "store": "shop",
            "erp": "erp",
            "contract": Path("test.yaml"),
            "since": datetime(2026, 1, 1, tzinfo=UTC),
            "flows": {"customers": mode},
        }
    )
    rules = {**_RULES, "customer": {**_RULES["customer"], **parts}}
    return Router("erp", {"shop": Plan(route, contract(**rules))})


def event(revision: int = 3, *, gone: bool = False, **parts: Any) -> event_pb2.Event:
    given = {"connection": "shop", "id": "7", "kind": "company", "email": "a@nord.example", "company": _NORD, **parts}
    found = event_pb2.Event(
        connection="shop", object_id="7", type=event_pb2.ENTITY_TYPE_CUSTOMER, revision=revision, gone=gone
    )
    if not gone:
        found.customer.CopyFrom(written.customer(given))
    return found


def head(found: event_pb2.Event) -> Head:
    return Head(
        claim=Claim("customer/shop/7", 1),
        connection="shop",
        late_for_s=0,
        seq=1,
        entity_type="customer",
        entity_id="customer/shop/7",
        operation="upsert",
        op_id=str(found.revision),
        kind=Kind.STATE,
        revision=found.revision,
        forced=False,
        state=EffectState.QUEUED,
        step=0,
        intents=0,
        attempts=0,
        external_ref="customer/shop/7",
        received_at=datetime(2026, 11, 20, tzinfo=UTC),
        body=found.SerializeToString(),
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


def built(found: event_pb2.Event, **parts: Any) -> Built | Refused | Unwanted:
    return router(**parts).build(head(found))


def document(found: event_pb2.Event, **parts: Any) -> CustomerDocument:
    made = built(found, **parts)
    assert isinstance(made, Built), made
    assert isinstance(made.document, CustomerDocument)
    return made.document


def test_a_revision_is_a_state_in_the_lane_that_orders_use_too() -> None:
    """So an order's wish and a revision of the customer's own never run beside one another."""
    row = router().row(event(), b"", None)
    assert row is not None
    assert (row.lane_key, row.kind, row.op_id, row.revision) == ("customer/shop/7", Kind.STATE, "3", 3)
    bought = order({"amount": {"gross": "10.00"}}, connection="shop", customer={"id": "7", "key": "7", "name": "N"})
    ensured = customers.ensure(head(event()), contract().customer(bought))
    assert ensured is not None
    assert (ensured.lane_key, ensured.entity_id) == (row.lane_key, row.entity_id)
    assert ensured.revision < event(revision=1).revision


def test_it_travels_on_a_topic_of_its_own() -> None:
    assert topic_of(event()) is CUSTOMERS
    assert encode(event()).key == b"shop/7"
    assert topic_of(event_pb2.Event(type=event_pb2.ENTITY_TYPE_ORDER)) is ORDERS


def test_a_route_without_the_flow_carries_none() -> None:
    assert router("off").row(event(), b"", None) is None


@pytest.mark.parametrize(
    ("mode", "found", "reason"),
    [
        ("observe", event(), NotEligible.NOT_ROLLED_OUT),
        ("live", event(gone=True), NotEligible.GONE),
        ("live", event(kind="person", company={}), NotEligible.CONSUMER),
        ("live", event(company={"name": "N*** G***"}), NotEligible.MASKED),
    ],
)
def test_what_does_not_cross_makes_no_effect(mode: str, found: event_pb2.Event, reason: NotEligible) -> None:
    """FC-082: nothing masked enters the master. One that is gone stays in the ERP. Neither stops what orders need."""
    row = router(mode).row(found, b"", None)
    assert row is not None
    assert (row.not_eligible, row.follows) == (reason, False)


def test_a_consumer_crosses_where_the_contract_says_all() -> None:
    row = router(which="all").row(event(kind="person", company={}), b"", None)
    assert row is not None
    assert row.not_eligible is None


def test_the_document_says_who_owns_what_and_how_it_is_found() -> None:
    made = document(event())
    assert made.own
    assert made.given_once == {"tax_id", "limit"}
    assert made.match == (("account_number", "70012"), ("email", "a@nord.example"))
    assert {name: str(value) for name, value in made.fields.items()} == {"terms": "T30", "limit": "500.00"}


def test_rows_that_only_an_order_can_answer_are_not_asked() -> None:
    """The row `channel` is required, and a customer has none."""
    assert "channel" not in document(event()).fields


def test_terms_without_a_row_and_limits_in_another_currency_are_held() -> None:
    for company in ({**_NORD, "payment_terms": "Net 90"}, _NORD):
        found = built(event(company=company, currency_code="EUR" if company is not _NORD else "USD"))
        assert isinstance(found, Refused)
        assert found.reason is HoldReason.MAPPING


def test_a_persons_document_is_light_and_looks_for_nobody() -> None:
    made = document(event(kind="person", name="Erika", company={}), which="all")
    assert (made.name, made.match, made.locations, made.account_number) == ("Erika", (), (), "")


def test_an_order_only_makes_sure() -> None:
    bought = order({"amount": {"gross": "10.00"}}, connection="shop", channel="web",
                   customer={"id": "7", "key": "7", "kind": "company", "company": _NORD})  # fmt: skip
    found = event_pb2.Event(
        connection="shop", object_id="9", type=event_pb2.ENTITY_TYPE_ORDER, revision=1, order=bought
    )
    made = document(found)
    assert not made.own
    assert made.fields["channel"] == "web"
