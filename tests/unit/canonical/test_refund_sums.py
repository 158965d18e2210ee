"""Refunds of one order together: never more money than the order came to, shipping included, nor more pieces."""

from typing import Any

from tallystick.canonical import refunds, written
from tallystick.canonical.money import amount
from tallystick.reasons import HoldReason
from tallystick.v1 import event_pb2, refund_pb2

_SOLD = written.order(
    {
        "lines": [{"id": "1", "sku": "MUG", "quantity": 3, "amount": {"gross": "30.00", "net": "30.00"}}],
        "shipping_lines": [{"id": "9", "amount": {"gross": "5.00", "net": "5.00"}}],
    }
)


def back(number: int, total: str, pieces: int = 1, **parts: Any) -> refund_pb2.Refund:
    line = {"line_id": "1", "quantity": pieces, "restock": "no", "amount": {"gross": total, "net": total}}
    given = {"id": str(number), "refunded_at": f"2026-11-2{number}T12:00:00Z", "total": total, "lines": [line]}
    return written.refund({**given, **parts})


def found(*given: refund_pb2.Refund) -> dict[str, list[event_pb2.Finding]]:
    every = refunds.findings(_SOLD, given, amount(_SOLD.totals.total))
    return {name: list(findings) for name, findings in every.items() if findings}


def test_fc_087_three_that_come_to_the_total_with_its_shipping_are_fine() -> None:
    """FC-087"""
    assert found(back(1, "10.00"), back(2, "10.00"), back(3, "15.00")) == {}


def test_fc_087_the_one_that_goes_beyond_is_held_with_both_figures_and_no_other() -> None:
    """FC-087: in order of time, whatever the order in which the store shows them."""
    (held,) = found(back(3, "15.01"), back(1, "10.00"), back(2, "10.00")).items()
    assert held[0] == "3"
    assert [one.reason for one in held[1]] == [HoldReason.UNBALANCED]
    assert "35.01 EUR were given back of an order of 35.00 EUR, 0.01 too much" in held[1][0].detail


def test_fc_087_what_follows_an_excess_is_held_too_and_a_refund_of_goods_alone_is_not() -> None:
    """FC-087"""
    held = found(back(1, "36.00"), back(2, "1.00"), back(3, "0.00"))
    assert list(held) == ["1", "2"]


def test_fc_087_no_more_pieces_than_were_sold() -> None:
    """FC-087"""
    (held,) = found(back(1, "10.00", pieces=3), back(2, "1.00", pieces=1)).items()
    assert (held[0], [one.reason for one in held[1]]) == ("2", [HoldReason.DATA])
