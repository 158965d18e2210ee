"""What differs between two revisions of an order, told so that the first and the difference make the second."""

import itertools
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.canonical import written
from tallystick.canonical.deltas import Inexpressible, Unproved, difference
from tallystick.canonical.money import amount
from tallystick.v1 import order_pb2, refund_pb2

MUG: dict[str, Any] = {"id": "1", "sku": "MUG", "quantity": 3, "amount": {"gross": "35.70"}}
TEA: dict[str, Any] = {"id": "2", "sku": "TEA", "quantity": 1, "amount": {"gross": "11.90"}}


def order(*lines: dict[str, Any], **parts: Any) -> order_pb2.Order:
    taxed = [{"taxes": [{"rate_percent": 19}], **line} for line in lines]
    return written.order({"connection": "shop", "id": "5", "lines": taxed, **parts})


def more(sold: order_pb2.Order | None) -> list[tuple[str, str, Decimal]]:
    assert sold is not None
    lines = [(line.id, line.quantity.ordered, amount(line.amount.gross)) for line in sold.lines]
    return lines + [(fee.id, "", amount(fee.amount.gross)) for fee in sold.fees]


def less(back: refund_pb2.Refund | None) -> list[tuple[str, str, Decimal]]:
    assert back is not None
    return [(line.line_id, line.quantity, amount(line.amount.gross)) for line in back.lines]


def test_fc_088_a_quantity_that_was_raised_and_a_line_that_was_added() -> None:
    found = difference(order(MUG), order({**MUG, "quantity": 5, "amount": {"gross": "59.50"}}, TEA))
    assert more(found.raised) == [("1", "2", Decimal("23.80")), ("2", "1", Decimal("11.90"))]
    assert found.lowered is None


def test_fc_088_a_quantity_that_was_lowered_and_a_line_that_was_removed() -> None:
    found = difference(order(MUG, TEA), order({**MUG, "quantity": 1, "amount": {"gross": "11.90"}}))
    assert less(found.lowered) == [("1", "2", Decimal("23.80")), ("2", "1", Decimal("11.90"))]
    assert found.raised is None
    assert found.lowered is not None
    assert {line.restock for line in found.lowered.lines} == {refund_pb2.RESTOCK_YES}


def test_an_exchange_is_both_at_once() -> None:
    found = difference(order(MUG), order({**MUG, "quantity": 2, "amount": {"gross": "23.80"}}, TEA))
    assert (more(found.raised), less(found.lowered)) == (
        [("2", "1", Decimal("11.90"))],
        [("1", "1", Decimal("11.90"))],
    )


@pytest.mark.parametrize(("gross", "up"), [("47.60", True), ("23.80", False)])
def test_a_price_that_changed_moves_no_pieces(gross: str, up: bool) -> None:
    found = difference(order(MUG), order({**MUG, "amount": {"gross": gross}}))
    if up:
        assert more(found.raised) == [("price-1", "", Decimal("11.90"))]
    else:
        assert less(found.lowered) == [("1", "0", Decimal("11.90"))]


def test_more_pieces_for_less_money_are_both() -> None:
    found = difference(order(MUG), order({**MUG, "quantity": 4, "amount": {"gross": "23.80"}}))
    assert more(found.raised) == [("1", "1", Decimal("5.95"))]
    assert less(found.lowered) == [("1", "0", Decimal("17.85"))]


def test_a_line_that_an_edit_emptied_is_one_that_was_removed() -> None:
    emptied = {**TEA, "quantity": {"ordered": 1, "removed_by_edit": 1}, "amount": {"gross": 0}}
    assert less(difference(order(MUG, TEA), order(MUG, emptied)).lowered) == [("2", "1", Decimal("11.90"))]


def test_shipping_is_told_apart_like_lines() -> None:
    def shipped(gross: str) -> order_pb2.Order:
        return order(MUG, shipping_lines=[{"id": "9", "amount": {"gross": gross}, "taxes": [{"rate_percent": 19}]}])

    found = difference(shipped("5.95"), shipped("11.90"))
    assert found.raised is not None
    assert [amount(line.amount.gross) for line in found.raised.shipping_lines] == [Decimal("5.95")]
    back = difference(shipped("11.90"), shipped("5.95")).lowered
    assert back is not None
    assert [amount(line.amount.gross) for line in back.shipping_lines] == [Decimal("5.95")]


def test_what_is_no_charge_makes_no_difference() -> None:
    found = difference(order(MUG), order(MUG, note="leave it at the door"))
    assert (found.raised, found.lowered) == (None, None)


@pytest.mark.parametrize(
    "now",
    [
        order(MUG, currency_code="CHF"),
        order({**MUG, "taxes": [{"rate_percent": 7}]}),
        order(MUG, totals={"tips": "2.00"}),
    ],
    ids=["another currency", "another tax", "a tip"],
)
def test_what_no_document_beside_it_can_say_is_told(now: order_pb2.Order) -> None:
    with pytest.raises(Inexpressible):
        difference(order(MUG), now)


def test_a_total_that_its_charges_do_not_explain_is_no_difference() -> None:
    now = order({**MUG, "quantity": 4, "amount": {"gross": "47.60"}})
    now.totals.total.units += 1
    with pytest.raises(Unproved, match=r"from 35.70 to 48.60 EUR.*up by 11.90.*makes 47.60"):
        difference(order(MUG), now)


_LINES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 900)), min_size=3, max_size=3)


@given(st.lists(_LINES, min_size=2, max_size=5))
def test_any_chain_of_edits_adds_up_to_the_last(chain: list[list[tuple[int, int]]]) -> None:
    """Each revision against the one before it, as the ledger books them."""
    revisions = [
        order(*(_any(place, *one) for place, one in enumerate(lines, 1) if one[0]), {**TEA, "id": "9"})
        for lines in chain
    ]
    total = amount(revisions[0].totals.total)
    pieces = _pieces(revisions[0])
    for base, now in itertools.pairwise(revisions):
        found = difference(base, now)
        if found.raised is not None:
            total += amount(found.raised.totals.total)
            pieces += _pieces(found.raised)
        if found.lowered is not None:
            total -= amount(found.lowered.total)
            pieces -= sum(Decimal(line.quantity) for line in found.lowered.lines)
    assert (total, pieces) == (amount(revisions[-1].totals.total), _pieces(revisions[-1]))


def _any(place: int, quantity: int, cents: int) -> dict[str, Any]:
    return {"id": str(place), "sku": "MUG", "quantity": quantity, "amount": {"gross": str(Decimal(cents) / 100)}}


def _pieces(sold: order_pb2.Order) -> Decimal:
    return sum((Decimal(line.quantity.ordered) for line in sold.lines), Decimal(0))
