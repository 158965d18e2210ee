"""What a location may show of the warehouses behind it."""

from decimal import Decimal

import pytest

from tallystick.contract.stock_rules import Buffer, Combine, Location, Negative
from tallystick.stock.arithmetic import Figure, Held, Move, move, reserved, sellable

D = Decimal
CLAMP, AS_IS = Negative.CLAMP, Negative.AS_IS


def place(*warehouses: object, combine: Combine = Combine.SUM) -> Location:
    return Location.model_validate({"warehouses": warehouses, "combine": combine})


def figures(**available: str) -> dict[str, Figure]:
    return {name: Figure(D(text), D(0)) for name, text in available.items()}


def test_several_warehouses_are_one_shelf_by_rule() -> None:
    """FC-095: the sum of them, or the first that has any; never pieces of two where an order leaves from one."""
    both = figures(NORTH="3", SOUTH="5")
    assert sellable(place("NORTH", "SOUTH"), both, 0, CLAMP) == 8
    first = place("NORTH", "SOUTH", combine=Combine.PRIORITY)
    assert sellable(first, both, 0, CLAMP) == 3
    assert sellable(first, figures(NORTH="0", SOUTH="5"), 0, CLAMP) == 5
    assert sellable(first, figures(NORTH="0", SOUTH="-2"), 0, CLAMP) == 0


def test_a_warehouse_that_is_split_shows_its_share_rounded_down() -> None:
    """FC-095: what two shops show of seven pieces is never eight."""
    seven = figures(W="7")
    shares = [sellable(place({"warehouse": "W", "share": share}), seven, 0, CLAMP) for share in (60, 40)]
    assert shares == [4, 2]


@pytest.mark.parametrize(("available", "policy", "shown"), [("-3", CLAMP, 0), ("-3", AS_IS, -3), ("2.9", CLAMP, 2)])
def test_less_than_nothing_and_parts_of_pieces(available: str, policy: Negative, shown: int) -> None:
    """FC-094: clamped, or passed on for a shop that sells on back-order; parts of a piece are not sold."""
    assert sellable(place("W"), figures(W=available), 0, policy) == shown


def test_the_buffer_is_kept_back_by_sku() -> None:
    """FC-090."""
    buffer = Buffer(every=2, by_sku={"LAMP": 5})
    assert [sellable(place("W"), figures(W="4"), buffer.of(sku), CLAMP) for sku in ("MUG", "LAMP")] == [2, 0]


def test_nothing_is_said_of_a_warehouse_that_was_never_read() -> None:
    assert sellable(place("NORTH", "SOUTH"), figures(NORTH="3"), 0, CLAMP) is None


def test_a_booking_is_left_out_of_reads_that_began_after_it() -> None:
    held = [Held(D(2)), Held(D(1), taken_seq=7)]
    assert [reserved(held, read_seq) for read_seq in (6, 7, 8)] == [D(3), D(2), D(2)]


def test_less_is_told_at_once_and_more_only_after_a_look() -> None:
    assert (move(5, 4, looked=False), move(5, 6, looked=False)) == (Move.SET, Move.LOOK_FIRST)
    assert (move(5, 6, looked=True), move(5, 5, looked=True), move(5, None, looked=True)) == (
        Move.SET,
        Move.LEAVE,
        Move.LEAVE,
    )
