"""Prices: what a route makes of a product of its ERP, and in which lane of the store."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tallystick.built import Built, Unwanted
from tallystick.canonical import written
from tallystick.contract.document import Hold, PriceDocument
from tallystick.flows.plan import Plan
from tallystick.flows.router import Router
from tallystick.kafka.codec import lane, topic_of
from tallystick.kafka.topics import PRICES
from tallystick.ledger.rows import Claim, EffectState, Head, Kind
from tallystick.ports import Refused
from tallystick.reasons import HoldReason, NotEligible
from tallystick.settings import Route
from tallystick.v1 import event_pb2
from tests.unit.contract.written import contract

_PRICES: dict[str, Any] = {"lists": {"shop": {"currency": "EUR", "to": "regular"}}, "basis": "included"}
_PRICE = {"price_list": "shop", "price": "10.00", "tax_basis": "included"}


def router(mode: str = "live") -> Router:
    """Of the store, which prices come to from an ERP."""
    route = Route.model_validate(
        {
            "store": "shop",
            "erp": "erp",
            "contract": Path("test.yaml"),
            "since": datetime(2026, 1, 1, tzinfo=UTC),
            "flows": {"prices": mode},
        }
    )
    return Router("shop", {"erp": Plan(route, contract(prices=_PRICES))})


def event(*findings: event_pb2.Finding, **parts: Any) -> event_pb2.Event:
    product = written.product({"sku": "MUG/1", "prices": [_PRICE], **parts})
    return event_pb2.Event(
        connection="erp",
        object_id="MUG/1",
        type=event_pb2.ENTITY_TYPE_PRODUCT,
        revision=3,
        product=product,
        findings=findings,
    )


def built(found: event_pb2.Event) -> Built | Refused | Unwanted:
    head = Head(
        claim=Claim("shop/price/MUG%2F1", 1),
        connection="erp",
        late_for_s=0,
        seq=2,
        entity_type="price",
        entity_id="shop/price/MUG%2F1",
        operation="upsert",
        op_id="3",
        kind=Kind.STATE,
        revision=3,
        forced=False,
        state=EffectState.QUEUED,
        step=0,
        intents=0,
        attempts=0,
        external_ref="shop/price/MUG%2F1",
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
    return router().build(head)


def test_each_revision_of_a_product_is_an_effect_in_the_stores_lane_of_its_sku() -> None:
    row = router().row(event(), b"body", ("tallystick.prices", 0, 7))
    assert row is not None
    assert (row.lane_key, row.entity_type, row.kind, row.revision) == ("shop/price/MUG%2F1", "price", Kind.STATE, 3)
    assert (row.op_id, row.object_id, row.connection) == ("3", "MUG/1", "erp")


def test_it_travels_on_its_topic_by_its_sku() -> None:
    assert (topic_of(event()), lane(event())) == (PRICES, "erp/MUG%2F1")


@pytest.mark.parametrize("mode", ["off", "observe"])
def test_a_route_that_does_not_carry_prices_makes_none(mode: str) -> None:
    assert router(mode).row(event(), b"body", None) is None


def test_a_product_that_is_gone_leaves_the_store_as_it_is() -> None:
    gone = event()
    gone.gone = True
    assert router().row(gone, b"body", None) is None


def test_the_document_and_its_mark_follow_the_content() -> None:
    one, same, other = (built(event(prices=[{**_PRICE, "price": price}])) for price in ("10.00", "10.00", "11.00"))
    assert isinstance(one, Built)
    assert isinstance(same, Built)
    assert isinstance(other, Built)
    assert isinstance(one.document, PriceDocument)
    assert (one.document.sku, str(one.document.price)) == ("MUG/1", "10.00")
    assert (one.mark == same.mark, one.mark == other.mark) == (True, False)


def test_what_is_wrong_with_a_product_is_left_to_the_store_that_may_sell_it() -> None:
    finding = event_pb2.Finding(reason="MAPPING", detail="2 products share it")
    for found, detail in ((event(finding), "2 products share it"), (event(prices=[]), "there is none at present")):
        made = built(found)
        assert isinstance(made, Built)
        assert isinstance(made.document, PriceDocument)
        assert isinstance(made.document.hold, Hold)
        assert made.document.hold.reason is HoldReason.MAPPING
        assert detail in made.document.hold.detail
        assert made.document.owned == frozenset()


def test_what_is_not_for_sale_is_none_of_the_stores_business() -> None:
    assert built(event(active=False)) == Unwanted(NotEligible.NOT_FOR_SALE)
