"""Refunds as the shop lists them become parts of their order's reading."""

from decimal import Decimal
from typing import Any

import pytest

from adapters.woocommerce.settings import Dialect
from adapters.woocommerce.translate import reading
from tallystick.canonical.money import amount
from tallystick.ports import Reading
from tallystick.reasons import HoldReason
from tallystick.v1 import money_pb2, order_pb2, refund_pb2
from tests.unit.adapters.woocommerce import written


def refund(number: int = 30, amount: object = "12.10", **given: Any) -> dict[str, Any]:
    """A refund in the shop's form."""
    return {
        "id": number,
        "date_created_gmt": f"2026-11-25T06:{number}:00",
        "amount": amount,
        "reason": "broken",
        "refunded_payment": True,
        "line_items": [],
        "shipping_lines": [],
        "tax_lines": [],
        "fee_lines": [],
    } | given


def back(of: int = 1, quantity: int = -1, total: str = "-11.00", tax: str = "-1.10", **given: Any) -> dict[str, Any]:
    """A charge that goes back."""
    return {
        **written.line(id=900 + of, quantity=quantity, total=total, total_tax=tax),
        "taxes": [{"id": 1, "total": tax}],
        "meta_data": [{"id": 5, "key": "_refunded_item_id", "value": str(of)}],
    } | given


def read(*listed: dict[str, Any], **order: Any) -> Reading:
    """The order with these refunds."""
    shown = [{"id": one["id"], "total": f"-{one['amount']}"} for one in listed]
    return reading(written.order(refunds=shown, **order), "woocommerce", Dialect(), listed)


def only(found: Reading) -> refund_pb2.Refund:
    (part,) = found.parts
    assert part.refund is not None
    return part.refund


def details(found: Reading) -> list[tuple[str, str]]:
    return [(finding.reason, finding.detail) for part in found.parts for finding in part.findings]


def test_a_refund_carries_what_its_document_needs() -> None:
    found = only(read(refund(line_items=[back()])))
    assert (found.id, found.order_id, found.order_number, found.currency_code) == ("30", "19", "19", "EUR")
    assert (found.tax_basis, found.gateway, found.reason) == (money_pb2.TAX_BASIS_EXCLUDED, "stripe", "broken")
    (line,) = found.lines
    assert (line.line_id, line.kind, line.sku, line.quantity) == ("1", order_pb2.LINE_KIND_GOODS, "MUG-1", "1")
    assert amount(line.amount.gross) == amount(found.total) == Decimal("12.10")
    assert [tax.rate_percent for tax in line.taxes] == ["10"]
    assert not found.HasField("adjustment")


def test_its_date_is_its_own() -> None:
    (part,) = read(refund()).parts
    assert part.source_modified is not None
    assert part.source_modified.isoformat() == "2026-11-25T06:30:00+00:00"


def test_fc_086_the_shop_does_not_tell_whether_goods_came_back() -> None:
    assert [line.restock for line in only(read(refund(line_items=[back()]))).lines] == [refund_pb2.RESTOCK_UNKNOWN]


def test_fc_085_an_amount_without_lines_is_goodwill_beside_what_the_order_was_made_of() -> None:
    found = only(read(refund(amount="2.00")))
    assert str(amount(found.adjustment.gross)) == "2.00"
    assert [str(amount(share.amount.gross)) for share in found.order_shares] == ["12.10"]


def test_shipping_and_fees_go_back_under_their_own_ids() -> None:
    post = back(8, method_title="Parcel", method_id="flat_rate", total="-5.00", tax="-0.50")
    rebate = back(9, name="Rebate", total="1.00", tax="0.10")
    found = only(read(refund(amount="4.40", shipping_lines=[post], fee_lines=[rebate])))
    (shipping,), (fee,) = found.shipping_lines, found.fees
    assert (shipping.id, shipping.code, str(amount(shipping.amount.gross))) == ("8", "flat_rate", "5.50")
    assert (fee.id, str(amount(fee.amount.gross))) == ("9", "-1.10")
    assert not found.HasField("adjustment")


def test_a_cent_of_rounding_is_no_goodwill() -> None:
    assert not only(read(refund(amount="12.11", line_items=[back()]))).HasField("adjustment")
    assert only(read(refund(amount="12.20", line_items=[back()]))).HasField("adjustment")


@pytest.mark.parametrize("stated", ["0.00", "0", "-0.00"])
def test_fc_089_nothing_is_no_refund(stated: str) -> None:
    found = read(refund(amount=stated))
    assert (found.parts, found.findings) == ((), ())


@pytest.mark.parametrize("stated", ["", None, "-", "12,00", "free", True, {"amount": 1}])
def test_fc_123_unreadable_money_is_held_with_its_text_and_its_order_is_not(stated: object) -> None:
    found = read(refund(amount=stated))
    ((reason, detail),) = details(found)
    assert reason == HoldReason.DATA
    assert "unreadable money: refund 30 states" in detail
    if isinstance(stated, str) and stated:
        assert repr(stated) in detail
    assert not only(found).HasField("total")
    assert found.findings == ()


def test_fc_123_so_is_unreadable_money_of_its_lines() -> None:
    found = details(read(refund(amount="12.10", line_items=[back(total="-")])))
    assert {reason for reason, _ in found} == {HoldReason.DATA}
    assert any("line 1 states total as '-'" in detail for _, detail in found)


def test_fc_087_refunds_are_added_up_in_order_of_time_and_the_excess_is_held() -> None:
    """12.10 were paid; 5 and 7 went back, and then another 3. The shop lists the newest first."""
    found = read(refund(33, "3.00"), refund(32, "7.00"), refund(31, "5.00"))
    held = {part.object_id: part.findings for part in found.parts}
    assert (held["31"], held["32"]) == ((), ())
    (finding,) = held["33"]
    assert finding.reason == HoldReason.UNBALANCED
    assert "15.00 EUR were given back of an order of 12.10 EUR, 2.90 too much" in finding.detail


def test_fc_087_no_more_pieces_go_back_than_were_ordered() -> None:
    found = read(
        refund(32, "1.10", line_items=[back(total="-1.00", tax="-0.10")]),
        refund(31, "1.10", line_items=[back(total="-1.00", tax="-0.10")]),
    )
    held = {part.object_id: part.findings for part in found.parts}
    assert held["31"] == ()
    assert "1 more than were left of it" in held["32"][0].detail


def test_a_part_of_a_line_gives_back_no_piece() -> None:
    (line,) = only(read(refund(amount="1.10", line_items=[back(quantity=0, total="-1.00", tax="-0.10")]))).lines
    assert (line.quantity, str(amount(line.amount.gross))) == ("0", "1.10")


def test_yen_are_whole() -> None:
    """FC-032: a shop that shows yen with two decimals."""
    mug = back(total="-500.00", tax="-50.00")
    found = only(read(refund(amount="550.00", line_items=[mug]), currency="JPY", total="1210.00", total_tax="110.00"))
    assert (str(amount(found.total)), str(amount(found.lines[0].amount.tax))) == ("550", "50")


def test_fc_077_parts_of_a_bundle_name_it_in_a_refund_too() -> None:
    """The contract decides by it which of them is credited."""
    whole = written.line(id=1)
    part = written.line(id=2, total="0.00", total_tax="0.00", taxes=[], bundled_by="1")
    given = [back(1), back(2, total="0.00", tax="0.00")]
    lines = only(read(refund(line_items=given), line_items=[whole, part])).lines
    assert [(line.line_id, line.parent_id) for line in lines] == [("1", ""), ("2", "1")]
