"""One state of an order is one content in both spellings, and what is booked of it is told apart from what is not."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from adapters.shopify.translate import reading
from adapters.shopify.translate_graphql import order_from_graphql
from adapters.shopify.translate_rest import order_from_rest, unshown
from simulators.shopify import Cart, Item, Shop
from simulators.shopify.graph import order_node
from simulators.shopify.model import Order
from simulators.shopify.selection import Connection
from tallystick.canonical import checks
from tallystick.canonical.digest import digest
from tallystick.canonical.money import amount
from tallystick.ports import Reading
from tallystick.reasons import HoldReason
from tallystick.v1 import order_pb2, refund_pb2
from tests.unit.adapters.shopify.shops import CARTS, CONNECTION, MUG, TEA, VAT7, D, shop_of

#: What may happen to an order after it was placed; all of it moves totals, states or lines.
LIVES: dict[str, Callable[[Shop, Order], object]] = {
    "nothing": lambda shop, order: None,
    "paid later": lambda shop, order: shop.pay(order.id) if order.financial_status != "paid" else None,
    "one piece removed": lambda shop, order: shop.edit_order(order.id, {order.lines[0].id: _fewer(order)}),
    "a line removed": lambda shop, order: shop.edit_order(order.id, {order.lines[0].id: 0}),
    "a line removed without a trace": lambda shop, order: shop.edit_order(
        order.id, {order.lines[0].id: 0}, traced=False
    ),
    "a line added": lambda shop, order: shop.edit_order(
        order.id, add=[Item("Soap", D("8"), 7, sku="SOAP", rates=VAT7)]
    ),
    "refunded in part": lambda shop, order: shop.refund(order.id, {order.lines[-1].id: 1}),
    "edited, then refunded": lambda shop, order: _edited_and_refunded(shop, order),
    "cancelled": lambda shop, order: shop.cancel(order.id),
    "shipped and tagged": lambda shop, order: _shipped_and_tagged(shop, order),
    "its products deleted": lambda shop, order: _products_deleted(shop, order),
}


def _fewer(order: Order) -> int:
    return order.lines[0].item.quantity - 1


def _shipped_and_tagged(shop: Shop, order: Order) -> None:
    shop.fulfil(order.id)
    shop.tag(order.id, "sent")


def _products_deleted(shop: Shop, order: Order) -> None:
    for line in order.lines:
        shop.delete_product(line.item.sku)


def _edited_and_refunded(shop: Shop, order: Order) -> None:
    shop.edit_order(order.id, {order.lines[0].id: _fewer(order)})
    if order.lines[0].current:
        shop.refund(order.id, {order.lines[0].id: 1})


def plain(node: Any) -> Any:
    """A node of the double with all pages of its connections, as JSON."""
    if isinstance(node, Connection):
        return {"nodes": [plain(item) for item in node.items], "pageInfo": {"hasNextPage": False}}
    if isinstance(node, dict):
        return {name: plain(value) for name, value in node.items()}
    return [plain(item) for item in node] if isinstance(node, list) else node


def by_graphql(order: Order) -> Reading:
    """As the adapter asks: payments only where the order alone does not tell what a gift card paid."""
    node = json.loads(json.dumps(plain(order_node(order, with_added=False))), parse_float=Decimal)
    payments = node.pop("transactions")
    if order_from_graphql(node).gift_card_mixed:
        node["transactions"] = payments
    return reading(CONNECTION, order_from_graphql(node))


def by_rest(shop: Shop, order: Order) -> Reading | None:
    """None when the body does not show all of the order, which is then read."""
    body = order_from_rest(json.loads(json.dumps(shop.body(order)), parse_float=Decimal))
    return None if unshown(body) else reading(CONNECTION, body)


def found(shop: Shop, order: Order) -> order_pb2.Order:
    """The order in its GraphQL spelling, without findings."""
    read = by_graphql(order)
    assert read.order is not None
    assert list(read.findings) == []
    return read.order


def contents(read: Reading) -> list[str]:
    messages = [read.order, *(part.refund for part in read.parts)]
    return [digest(message) for message in messages if message is not None]


# ---- one content ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize("cart", CARTS)
def test_a_body_and_a_read_of_one_state_are_one_content(cart: str, life: str) -> None:
    """FC-003: else a webhook and a poll of one order would make two revisions."""
    shop, order = shop_of(CARTS[cart])
    LIVES[life](shop, order)
    read, body = by_graphql(order), by_rest(shop, order)
    assert read.order is not None
    assert list(read.findings) == []
    assert checks.findings(read.order) == []
    if body is not None:
        assert contents(body) == contents(read)
        assert (body.object_id, body.source_modified) == (read.object_id, read.source_modified)


def test_few_bodies_have_to_be_read() -> None:
    """The comparison above is about something: nearly every body shows all of its order."""
    hidden = {name for name, cart in CARTS.items() if by_rest(*shop_of(cart)) is None}
    assert hidden == {"company", "partly paid by gift card"}


@pytest.mark.parametrize("moved", ["fulfilled", "tag of another app"])
def test_shipping_is_no_new_content_and_a_tag_is(moved: str) -> None:
    """Half of all updates of a shop are shipments, which change nothing that an ERP order holds."""
    shop, order = shop_of(CARTS["plain"])
    before = contents(by_graphql(order))
    if moved == "fulfilled":
        shop.fulfil(order.id)
        assert contents(by_graphql(order)) == before
    else:
        shop.tag(order.id, "held")
        assert contents(by_graphql(order)) != before


# ---- what is booked ------------------------------------------------------------------------------------------------


def test_pieces_removed_by_an_edit_are_not_booked() -> None:
    """FC-074: the original quantity stays in the store's line, the current one is 0."""
    shop, order = shop_of(CARTS["tax on top, with shipping"])
    shop.edit_order(order.id, {order.lines[0].id: 0, order.lines[1].id: 5})
    booked = found(shop, order)
    mug, tea = booked.lines
    assert [(q.ordered, q.removed_by_edit, q.refunded) for q in (mug.quantity, tea.quantity)] == [
        ("3", "3", "0"),
        ("7", "2", "0"),
    ]
    assert amount(mug.amount.net) == 0
    assert amount(tea.amount.net) == D("36.75")
    # 5 of tea and shipping at 7 %: 36.75 + 2.57 + 50 + 3.50.
    assert amount(booked.totals.total) == D("92.82")


def test_pieces_refunded_stay_booked_and_are_a_document_of_their_own() -> None:
    """FC-074: the store's current quantities leave refunded pieces out too, which would credit them twice."""
    shop, order = shop_of(CARTS["plain"])
    before = found(shop, order)
    shop.refund(order.id, {order.lines[0].id: 2})
    read = by_graphql(order)
    assert read.order is not None
    line = read.order.lines[0]
    assert (line.quantity.ordered, line.quantity.removed_by_edit, line.quantity.refunded) == ("3", "0", "2")
    assert amount(read.order.totals.total) == amount(before.totals.total)
    assert line.amount == before.lines[0].amount
    (refund,) = read.parts
    assert refund.refund is not None
    assert [(line.quantity, line.restock) for line in refund.refund.lines] == [("2", refund_pb2.RESTOCK_YES)]


def test_pieces_gone_that_no_record_explains_are_held() -> None:
    """The store tells neither an edit nor a refund: nobody guesses."""
    shop, order = shop_of(CARTS["plain"])
    shop.refund(order.id, {order.lines[0].id: 1}, paid=D("0"), restock_type="legacy_restock")
    order.refunds[0].discrepancy = D("0")
    reasons = {finding.reason for finding in by_graphql(order).findings}
    assert reasons == {HoldReason.EDIT_OR_REFUND_UNCLEAR}


def test_a_cancelled_order_keeps_what_was_ordered() -> None:
    shop, order = shop_of(CARTS["plain"])
    shop.cancel(order.id, "fraud")
    booked = found(shop, order)
    assert (booked.state, booked.cancel_reason) == (order_pb2.ORDER_STATE_CANCELLED, "fraud")
    assert {line.quantity.removed_by_edit for line in booked.lines} == {"0"}


def test_one_variant_on_two_lines_stays_two_lines() -> None:
    """FC-075: bought once and given once more for nothing."""
    shop, order = shop_of(CARTS["same variant twice"])
    lines = found(shop, order).lines
    assert [line.sku for line in lines] == ["MUG", "MUG"]
    assert len({line.id for line in lines}) == 2


def test_a_deleted_product_leaves_no_line_out() -> None:
    """FC-076: also where it was the last line; its SKU is still there."""
    shop, order = shop_of(Cart([MUG]))
    whole = found(shop, order)
    shop.delete_product("MUG")
    (line,) = found(shop, order).lines
    assert (line.sku, line.product_id) == ("MUG", "")
    assert line.amount == whole.lines[0].amount


def test_three_for_ten() -> None:
    """FC-024: a discount that no price per piece can show."""
    shop, order = shop_of(Cart([Item("Soap", D("3.34"), 3, sku="SOAP", off=D("0.02"))]))
    (line,) = found(shop, order).lines
    assert (amount(line.amount.net), amount(line.unit_price)) == (D("10.00"), D("3.34"))


def test_shipping_with_tax_inside_is_split_like_goods() -> None:
    """FC-020."""
    shop, order = shop_of(CARTS["tax inside, with shipping"])
    (line,) = found(shop, order).shipping_lines
    assert [str(amount(part)) for part in (line.amount.net, line.amount.tax, line.amount.gross)] == [
        "46.73", "3.27", "50.00"
    ]  # fmt: skip


def test_the_buyers_currency_stays_for_audit() -> None:
    """FC-034."""
    shop, order = shop_of(CARTS["buyer pays in euro"])
    booked = found(shop, order)
    assert (booked.currency_code, booked.presentment.currency_code) == ("USD", "EUR")
    assert amount(booked.presentment.total) != amount(booked.totals.total)


def test_a_test_order_is_marked() -> None:
    """FC-080."""
    assert found(*shop_of(CARTS["test"])).test
    assert not found(*shop_of(CARTS["plain"])).test


@pytest.mark.parametrize(("cart", "kind"), [("gift card sold", order_pb2.LINE_KIND_GIFT_CARD), ("custom line", None)])
def test_kinds_of_lines(cart: str, kind: order_pb2.LineKind.ValueType | None) -> None:
    kinds = {line.kind for line in found(*shop_of(CARTS[cart])).lines}
    assert kinds == {order_pb2.LINE_KIND_GOODS, kind or order_pb2.LINE_KIND_CUSTOM}


def test_a_tip_is_booked_once_however_it_is_shown() -> None:
    """FC-072: beside the lines, or as a line without a product."""
    for cart in ("tip", "tip as a line"):
        booked = found(*shop_of(CARTS[cart]))
        assert (len(booked.lines), amount(booked.totals.tips)) == (1, D("5.00"))


def test_guests_are_one_person_whatever_the_letters() -> None:
    """FC-011."""
    keys = {
        found(*shop_of(replace(CARTS["guest"], email=email))).customer.key
        for email in ("guest@shop.example", "GUEST@shop.example", " Guest@Shop.Example")
    }
    assert len(keys) == 1
    assert "@" not in keys.pop()


def test_what_a_gift_card_paid_stays_after_a_refund() -> None:
    """FC-070: it is a payment, and what was paid does not change when something goes back."""
    shop, order = shop_of(CARTS["paid by gift card"])
    paid = amount(found(shop, order).totals.gift_cards)
    shop.refund(order.id, {order.lines[0].id: 1})
    assert amount(found(shop, order).totals.gift_cards) == paid == amount(found(shop, order).totals.total)


def test_totals_that_do_not_add_up_are_found() -> None:
    """FC-023: nothing is repaired, whichever figure is off."""
    shop, order = shop_of(Cart([MUG, TEA], shipping=D("50"), shipping_rates=VAT7))
    body = shop.body(order)
    for name in ("total_price", "total_tax"):
        off = {**body, name: str(Decimal(body[name]) + 1), f"current_{name}": str(Decimal(body[f"current_{name}"]) + 1)}
        read = reading(CONNECTION, order_from_rest(json.loads(json.dumps(off), parse_float=Decimal)))
        assert HoldReason.UNBALANCED in {finding.reason for finding in read.findings}
