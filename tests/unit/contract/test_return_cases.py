"""Returns: which goods come back, to which place, and what a contract says where the store says nothing."""

from decimal import Decimal
from typing import Any

import pytest

from tallystick.canonical import written
from tallystick.contract.document import Hold, ReturnDocument
from tallystick.contract.load import ContractError, parse_contract
from tallystick.reasons import HoldReason, NotEligible
from tests.unit.contract.written import contract, rules

MUGS = {"line_id": "7", "sku": "MUG", "quantity": 3}


def disposed(*told: tuple[int, str] | tuple[int, str, str]) -> dict[str, Any]:
    """Three mugs of which so many became something, perhaps somewhere."""
    names = ("quantity", "disposition", "location_id")
    return {**MUGS, "disposals": [dict(zip(names, one, strict=False)) for one in told]}


def made(*lines: dict[str, Any], state: str = "open", **returns: Any) -> ReturnDocument | Hold | NotEligible:
    return contract(returns=returns).returned(written.returned({"lines": list(lines or (MUGS,)), "state": state}))


def places(*lines: dict[str, Any], state: str = "open", **returns: Any) -> list[tuple[str, Decimal]]:
    document = made(*lines, state=state, **returns)
    assert isinstance(document, ReturnDocument), document
    return [(line.location, line.quantity) for line in document.lines]


@pytest.mark.parametrize(
    ("when", "booked"),
    [
        ("requested", {"requested", "open", "received", "closed"}),
        ("approved", {"open", "received", "closed"}),
        ("received", {"received", "closed"}),
    ],
)
def test_from_which_state_on_there_is_a_document(when: str, booked: set[str]) -> None:
    every = ("requested", "open", "received", "closed")
    found = {one for one in every if isinstance(made(state=one, when=when, restock_unknown="yes"), ReturnDocument)}
    assert found == booked
    assert made(state="declined", when=when) is made(state="cancelled", when=when) is NotEligible.RETURN_OVER


def test_goods_that_are_expected_go_where_they_left_from() -> None:
    assert places() == [("", Decimal(3))]


def test_fc_086_of_a_return_that_is_over_the_unknown_is_never_assumed() -> None:
    held = made(disposed((1, "restocked")), state="closed")
    assert isinstance(held, Hold)
    assert held.reason is HoldReason.MAPPING
    assert "what became of 2 of line 7" in held.detail
    assert places(disposed((1, "restocked")), state="closed", restock_unknown="no") == [("", Decimal(1))]
    assert places(disposed((1, "restocked")), state="closed", restock_unknown="yes") == [("", Decimal(3))]


def test_each_disposal_has_its_place() -> None:
    line = disposed((1, "restocked", "17"), (1, "processing", "17"), (1, "not_restocked", "17"))
    rows = {"locations": {"17": "stock.shelf"}, "processing": "stock.desk", "not_restocked": "stock.bin"}
    assert places(line, state="closed", **rows) == [
        ("stock.shelf", Decimal(1)),
        ("stock.desk", Decimal(1)),
        ("stock.bin", Decimal(1)),
    ]


def test_what_is_thrown_away_or_never_came_is_none_of_the_erps_business() -> None:
    """FC-084"""
    assert made(disposed((2, "not_restocked"), (1, "missing")), state="closed") is NotEligible.NO_GOODS
    assert places(disposed((2, "missing"), (1, "processing")), state="closed") == [("", Decimal(1))]


def test_a_location_of_the_store_without_a_row_is_held() -> None:
    held = made(disposed((3, "restocked", "18")), state="closed", locations={"17": "stock.shelf"})
    assert isinstance(held, Hold)
    assert "'18' has no row in `returns.locations`, which has 17" in held.detail


def test_reasons_are_said_in_the_words_of_the_target() -> None:
    lines = [{**MUGS, "quantity": 1, "reason": "too-small"}, {**MUGS, "quantity": 2, "reason": "colour"}]
    document = made(*lines, reasons={"too-small": "Size"})
    assert isinstance(document, ReturnDocument)
    assert [(line.key, line.quantity, line.reason) for line in document.lines] == [
        ("7", Decimal(1), "Size"),
        ("7", Decimal(2), "colour"),
    ]


def test_only_goods_come_back() -> None:
    assert made({**MUGS, "kind": "gift_card"}) is NotEligible.NO_GOODS


def test_a_line_without_sku_or_line_is_held() -> None:
    held = made({**MUGS, "sku": ""})
    assert isinstance(held, Hold)
    assert held.reason is HoldReason.MAPPING


def test_the_rules_are_checked_word_by_word() -> None:
    with pytest.raises(ContractError, match="when is 'later'; allowed are 'requested', 'approved' or 'received'"):
        parse_contract(rules(returns={"when": "later"}), "test.yaml")
    with pytest.raises(ContractError, match="unknown key 'location'"):
        parse_contract(rules(returns={"location": {}}), "test.yaml")


def test_an_example_may_be_a_return() -> None:
    example = {"name": "sent back", "return": {"lines": [MUGS]}, "expect": {"lines": [{"quantity": 2}]}}
    with pytest.raises(ContractError, match="quantity is '3', 2 was expected"):
        parse_contract(rules(examples=[example]), "test.yaml")
