"""FC-077: a bundle and its parts both stand in the order; its stock moves once, and its price is booked once."""

from decimal import Decimal
from typing import Any

import pytest

from tallystick.canonical import written
from tallystick.contract.document import RefundDocument
from tests.unit.contract.written import booked, contract, order

_RATE = {"taxes": [{"rate_percent": "19"}]}
#: The bundle carries the price, as some shops have it.
PARENT_PRICED = (
    {"id": "1", "sku": "SET", "quantity": 2, "amount": {"gross": "23.80"}, **_RATE},
    {"id": "2", "sku": "CUP", "quantity": 4, "parent_id": "1", "amount": {"gross": "0.00"}},
    {"id": "3", "sku": "POT", "quantity": 2, "parent_id": "1", "amount": {"gross": "0.00"}},
)
#: Its parts do, as others have it.
PARTS_PRICED = (
    {"id": "1", "sku": "SET", "kind": "bundle", "quantity": 2, "amount": {"gross": "0.00"}},
    {"id": "2", "sku": "CUP", "quantity": 4, "parent_id": "1", "amount": {"gross": "11.90"}, **_RATE},
    {"id": "3", "sku": "POT", "quantity": 2, "parent_id": "1", "amount": {"gross": "11.90"}, **_RATE},
)
MUG = {"id": "9", "sku": "MUG", "amount": {"gross": "11.90"}, **_RATE}


def told(policy: str, *lines: dict[str, Any]) -> list[tuple[str, Decimal, Decimal]]:
    document = booked(contract(bundles=policy), order(*lines))
    assert document.total == sum(Decimal(line["amount"]["gross"]) for line in lines)
    return [(line.product, line.quantity, line.gross) for line in document.lines]


@pytest.mark.parametrize("lines", [PARENT_PRICED, PARTS_PRICED], ids=["the bundle is priced", "its parts are"])
def test_fc_077_only_the_bundle_is_booked(lines: tuple[dict[str, Any], ...]) -> None:
    assert told("parent", *lines, MUG) == [
        ("SET", Decimal(2), Decimal("23.80")),
        ("MUG", Decimal(1), Decimal("11.90")),
    ]


def test_fc_077_only_its_parts_are_booked_each_with_its_share() -> None:
    assert told("components", *PARENT_PRICED, MUG) == [
        ("CUP", Decimal(4), Decimal("15.86")),
        ("POT", Decimal(2), Decimal("7.94")),
        ("MUG", Decimal(1), Decimal("11.90")),
    ]
    assert told("components", *PARTS_PRICED) == [
        ("CUP", Decimal(4), Decimal("11.90")),
        ("POT", Decimal(2), Decimal("11.90")),
    ]


def test_fc_077_parts_without_their_bundle_stand_by_themselves() -> None:
    for policy in ("as_sold", "parent", "components"):
        assert told(policy, *PARTS_PRICED[1:]) == [
            ("CUP", Decimal(4), Decimal("11.90")),
            ("POT", Decimal(2), Decimal("11.90")),
        ]


def test_fc_077_a_bundle_in_a_bundle() -> None:
    outer: dict[str, Any] = {"id": "0", "sku": "BOX", "amount": {"gross": "0.00"}}
    nested: list[dict[str, Any]] = [outer, {**PARENT_PRICED[0], "parent_id": "0"}, *PARENT_PRICED[1:]]
    assert told("parent", *nested) == [("BOX", Decimal(1), Decimal("23.80"))]
    assert [line[0] for line in told("components", *nested)] == ["CUP", "POT"]


def test_fc_077_a_refund_gives_back_what_was_booked() -> None:
    lines = [
        {**line, "line_id": line["id"], "kind": "goods", "restock": "yes", "parent_id": line.get("parent_id", "")}
        for line in PARENT_PRICED
    ]
    for line in lines:
        del line["id"]
    back = written.refund({"lines": lines, "total": "23.80"})
    found = {}
    for policy in ("parent", "components"):
        document = contract(bundles=policy).refund(back)
        assert isinstance(document, RefundDocument), document
        found[policy] = [(line.product, line.gross) for line in document.lines], dict(document.restocked)
    assert found["parent"] == ([("SET", Decimal("23.80"))], {"1": Decimal(2)})
    assert found["components"] == (
        [("CUP", Decimal("15.86")), ("POT", Decimal("7.94"))],
        {"2": Decimal(4), "3": Decimal(2)},
    )
