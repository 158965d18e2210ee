"""Which of Shopify's refund records are refunds, what they give back, and what is held."""

from decimal import Decimal

import pytest

from simulators.shopify import Cart, Discount, Shop
from simulators.shopify.model import Order, Payment
from tallystick.canonical.money import amount
from tallystick.ports import Reading
from tallystick.reasons import HoldReason
from tallystick.v1 import money_pb2, order_pb2, refund_pb2
from tests.unit.adapters.shopify.shops import CARTS, MUG, TEA, VAT7, D, shop_of
from tests.unit.adapters.shopify.test_translate import by_graphql


def parts(order: Order) -> list[Reading]:
    return list(by_graphql(order).parts)


def only(order: Order) -> refund_pb2.Refund:
    (part,) = parts(order)
    assert part.refund is not None
    return part.refund


def held(order: Order) -> dict[str, list[tuple[str, str]]]:
    found = {part.object_id: [(one.reason, one.detail) for one in part.findings] for part in parts(order)}
    return {name: findings for name, findings in found.items() if findings}


def mugs(*, paid: bool = True) -> tuple[Shop, Order]:
    """Three mugs at 19.99 and shipping at 50, 7 % on top: 117.67."""
    return shop_of(Cart([MUG], shipping=D("50"), shipping_rates=VAT7, paid=paid))


# ---- what they carry -----------------------------------------------------------------------------------------------


def test_a_refund_carries_what_its_document_needs() -> None:
    shop, order = mugs()
    shop.refund(order.id, {order.lines[0].id: 2}, shipping=D("50"), note="broken")
    found = only(order)
    assert (found.order_id, found.order_number, found.currency_code) == (str(order.id), f"#{order.number}", "THB")
    assert (found.tax_basis, found.reason) == (money_pb2.TAX_BASIS_EXCLUDED, "broken")
    (line,), (post,) = found.lines, found.shipping_lines
    assert (line.kind, line.sku, line.title) == (order_pb2.LINE_KIND_GOODS, "MUG", "Mug")
    assert [(tax.rate_percent, str(amount(tax.amount))) for tax in line.taxes] == [("7", "2.80")]
    assert (post.id, str(amount(post.amount.gross)), post.taxes[0].rate_percent) == (
        str(order.shipping[0].id), "53.50", "7"
    )  # fmt: skip
    assert amount(found.total) == D("42.78") + D("53.50")
    assert not found.HasField("adjustment")


@pytest.mark.parametrize(
    ("restock_type", "restock"),
    [
        ("return", refund_pb2.RESTOCK_YES),
        ("no_restock", refund_pb2.RESTOCK_NO),
        ("", refund_pb2.RESTOCK_UNKNOWN),
    ],
)
def test_fc_084_and_fc_086_whether_goods_came_back(restock_type: str, restock: int) -> None:
    shop, order = mugs()
    shop.refund(order.id, {order.lines[0].id: 1}, restock_type=restock_type)
    assert [line.restock for line in only(order).lines] == [restock]


def test_fc_085_money_without_lines_is_goodwill() -> None:
    shop, order = mugs()
    shop.refund(order.id, {}, paid=D("10"))
    found = only(order)
    assert (str(amount(found.total)), str(amount(found.adjustment.gross)), len(found.lines)) == ("10.00", "10.00", 0)
    assert [str(amount(share.amount.gross)) for share in found.order_shares] == ["117.67"]


def test_what_was_kept_stands_below_zero() -> None:
    shop, order = mugs()
    shop.refund(order.id, {order.lines[0].id: 1}, paid=D("20.00"))
    assert str(amount(only(order).adjustment.gross)) == "-1.39"


def test_goods_that_come_back_for_nothing_are_a_refund_of_zero() -> None:
    """They are in the store's stock again."""
    shop, order = mugs()
    shop.refund(order.id, {order.lines[0].id: 1}, paid=D("0"))
    found = only(order)
    assert (amount(found.total), found.lines[0].restock) == (D("0"), refund_pb2.RESTOCK_YES)
    assert amount(found.adjustment.gross) == -amount(found.lines[0].amount.gross)


def test_goods_that_come_back_in_exchange_count_what_they_were_sold_for() -> None:
    """No payment and no stated difference: what they are worth is left on the order, for the goods sent instead."""
    shop, order = mugs()
    shop.refund(order.id, {order.lines[0].id: 1}, paid=D("0"), return_id=7)
    order.refunds[0].discrepancy = D("0")
    found = only(order)
    assert amount(found.total) == amount(found.lines[0].amount.gross) > 0
    assert held(order) == {}


# ---- what is none --------------------------------------------------------------------------------------------------


def test_fc_089_the_trace_of_an_edit_is_no_refund() -> None:
    shop, order = mugs()
    shop.edit_order(order.id, {order.lines[0].id: 1})
    assert len(order.refunds) == 1
    assert parts(order) == []
    assert list(by_graphql(order).order.refund_ids) == []  # type: ignore[union-attr]


def test_fc_089_nothing_back_and_nothing_restocked_is_no_refund() -> None:
    shop, order = mugs()
    shop.refund(order.id, {order.lines[0].id: 1}, paid=D("0"), restock_type="no_restock")
    assert parts(order) == []


@pytest.mark.parametrize("status", ["PENDING", "FAILURE"])
def test_money_that_did_not_go_back_yet_is_no_refund_yet(status: str) -> None:
    shop, order = mugs()
    shop.refund(order.id, {order.lines[0].id: 1}, status=status)
    assert parts(order) == []
    order.refunds[0].payments[0].status = "SUCCESS"
    assert amount(only(order).total) == D("21.39")


def test_a_payment_on_its_way_is_waited_for_where_another_has_arrived() -> None:
    """Half by gift card and half by card: known only when both have arrived, and then credited once."""
    shop, order = mugs()
    shop.refund(order.id, {order.lines[0].id: 1}, paid=D("10"))
    order.refunds[0].payments.append(Payment(99, "REFUND", "manual", D("11.39"), "PENDING"))
    assert parts(order) == []


def test_a_cancelled_order_that_was_never_paid_gives_nothing_back() -> None:
    shop, order = mugs(paid=False)
    shop.cancel(order.id)
    assert parts(order) == []


def test_a_cancelled_order_says_so_in_its_refund() -> None:
    shop, order = mugs()
    shop.cancel(order.id)
    found = only(order)
    assert (found.order_cancelled, str(amount(found.total))) == (True, "117.67")


# ---- what is held --------------------------------------------------------------------------------------------------


def test_fc_087_refunds_are_added_up_and_the_excess_is_held() -> None:
    """Including shipping 117.67 were paid: 60, 57.67, and then one more."""
    shop, order = mugs()
    for paid in ("60", "57.67", "1"):
        shop.refund(order.id, {}, paid=D(paid))
    first, second, third = order.refunds
    assert set(held(order)) == {str(third.id)}
    ((reason, detail),) = held(order)[str(third.id)]
    assert reason == HoldReason.UNBALANCED
    assert "118.67 THB were given back of an order of 117.67 THB, 1.00 too much" in detail
    assert {str(first.id), str(second.id)} < {part.object_id for part in parts(order)}


def test_money_for_pieces_that_an_edit_removed_is_not_credited_again() -> None:
    """FC-088, FC-089: the document lost the piece with the edit; the payment that follows names no piece."""
    shop, order = mugs()
    shop.edit_order(order.id, {order.lines[0].id: 2})
    shop.refund(order.id, {}, paid=D("21.39"))
    ((reason, detail),) = held(order)[str(order.refunds[-1].id)]
    assert reason == HoldReason.EDIT_OR_REFUND_UNCLEAR
    assert "pieces were removed from the order by an edit" in detail


def test_pieces_that_may_have_been_edited_or_refunded_are_held_in_both() -> None:
    shop, order = mugs()
    shop.refund(order.id, {order.lines[0].id: 1}, paid=D("0"), restock_type="legacy_restock")
    order.refunds[0].discrepancy = D("0")
    assert {reason for reason, _ in held(order)[str(order.refunds[0].id)]} == {HoldReason.EDIT_OR_REFUND_UNCLEAR}


# ---- currencies ----------------------------------------------------------------------------------------------------


def test_fc_031_and_fc_035_a_refund_months_later_is_worth_what_the_order_was() -> None:
    """The buyer paid in euro; by now they cost the shop more. Gain and loss are the ERP's, no goodwill."""
    shop, order = shop_of(CARTS["buyer pays in euro"])
    shop.refund(order.id, {order.lines[0].id: 1})
    order.refunds[0].payments[0].amount *= Decimal("1.05")
    found = only(order)
    assert {found.currency_code, found.total.currency_code} == {"USD"}
    assert amount(found.total) == amount(found.lines[0].amount.gross)
    assert not found.HasField("adjustment")


@pytest.mark.parametrize("cart", ["yen", "dinar", "two taxes inside", "three discounts", "duties"])
def test_whatever_was_bought_can_be_given_back_whole(cart: str) -> None:
    shop, order = shop_of(CARTS[cart])
    shop.refund(order.id, {line.id: line.item.quantity for line in order.lines})
    assert (held(order), only(order).HasField("adjustment")) == ({}, False)


def test_a_discount_is_given_back_with_its_piece() -> None:
    shop, order = shop_of(Cart([MUG, TEA], discounts=[Discount("TENOFF", amount=D("10.00"))]))
    shop.refund(order.id, {order.lines[0].id: 3})
    (line,) = only(order).lines
    assert amount(line.amount.net) == order.lines[0].amount
