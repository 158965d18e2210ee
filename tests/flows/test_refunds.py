"""Money given back by a shop is credited once in the books, beside the order; what is cancelled late is cancelled."""

from decimal import Decimal

import pytest

from simulators.faults import Fault, Rule
from simulators.odoo import Credit
from simulators.shopify import Cart
from simulators.shopify.model import Order as Sold
from simulators.woocommerce import Item
from tests.flows.company import SHOPIFY, WOO, Company, lines
from tests.unit.adapters.shopify.shops import MUG, TEA


def told(credit: Credit) -> tuple[str, Decimal]:
    return credit.currency, credit.amount_total


async def booked(company: Company) -> Sold:
    """Mugs and tea of one shop, in the books."""
    sold = company.shop.place_order(Cart([MUG, TEA], currency="EUR"))
    await company.deliver()
    await company.document(SHOPIFY, sold.id)
    return sold


async def test_refunds_of_both_shops_are_credited_beside_their_orders(company: Company) -> None:
    """Two of one order; the orders stay as they are."""
    bought = company.woo.place_order([Item("MUG", 3)], shipping=Decimal("5.00"))
    sold = await booked(company)
    before = [lines(await company.document(WOO, bought.id)), lines(await company.document(SHOPIFY, sold.id))]
    first = company.woo.refund(bought.id, back={bought.lines[0].id: 1}, reason="broken")
    second = company.woo.refund(bought.id, back={bought.lines[0].id: 1, bought.shipping[0].id: 1})
    back = company.shop.refund(sold.id, {sold.lines[1].id: 1}, restock_type="no_restock")
    await company.deliver()
    credits = await company.credited(WOO, bought.id, times=2)
    found = {(one.row.get("narration"), one.amount_total) for one in credits}
    assert found == {("<p>broken</p>", first.amount), (None, second.amount)}
    (credit,) = await company.credited(SHOPIFY, sold.id)
    assert told(credit) == ("EUR", sum(paid.amount for paid in back.payments))
    assert [lines(await company.document(WOO, bought.id)), lines(await company.document(SHOPIFY, sold.id))] == before


async def test_a_refund_that_is_told_before_its_order(company: Company) -> None:
    """FC-062: the delivery of the order was lost; that of the refund leads to both."""
    sold = company.shop.place_order(Cart([MUG, TEA], currency="EUR"))
    company.lose()
    company.shop.refund(sold.id, {sold.lines[1].id: 1}, restock_type="no_restock")
    await company.deliver()
    (credit,) = await company.credited(SHOPIFY, sold.id)
    document = await company.document(SHOPIFY, sold.id)
    assert credit.origin.startswith(f"{document.name} [")
    assert lines(document) == [("MUG", 3), ("TEA", 7)]


async def test_a_refund_waits_for_the_document_of_its_order(company: Company) -> None:
    """FC-062: the ERP is too busy for the order while the refund is there already."""
    rule = Rule(Fault.THROTTLED, "sale.order.load", retry_after="1")
    company.odoo.faults.rules.append(rule)
    try:
        sold = company.shop.place_order(Cart([MUG, TEA], currency="EUR"))
        company.shop.refund(sold.id, {sold.lines[0].id: 1}, restock_type="no_restock")
        await company.deliver()
        await company.recorded(SHOPIFY, sold.id)
        assert company.credits(SHOPIFY, sold.id) == []
    finally:
        company.odoo.faults.rules.remove(rule)
    assert len(await company.credited(SHOPIFY, sold.id)) == 1
    assert len(company.documents(SHOPIFY, sold.id)) == 1


@pytest.mark.parametrize("operation", ["account.move.load", "account.move.action_post"])
async def test_a_lost_answer_makes_no_second_credit_note(company: Company, operation: str) -> None:
    """FC-001"""
    sold = await booked(company)
    rule = Rule(Fault.LOST_REPLY, operation, first=1)
    company.odoo.faults.rules.append(rule)
    try:
        company.shop.refund(sold.id, {sold.lines[0].id: 1}, restock_type="no_restock")
        await company.deliver()
        await company.credited(SHOPIFY, sold.id)
    finally:
        company.odoo.faults.rules.remove(rule)
    await company.quiet()
    assert rule.struck
    assert len(company.credits(SHOPIFY, sold.id)) == 1


async def test_the_same_refund_three_times_is_credited_once(company: Company) -> None:
    """By its delivery three times over, and found by the poll as well."""
    sold = await booked(company)
    company.shop.refund(sold.id, {sold.lines[0].id: 1}, restock_type="no_restock")
    await company.deliver(times=3)
    await company.credited(SHOPIFY, sold.id)
    await company.poll()
    await company.quiet()
    assert len(company.credits(SHOPIFY, sold.id)) == 1


async def test_goods_that_were_put_back_are_announced_to_the_warehouse(company: Company) -> None:
    sold = await booked(company)
    document = await company.document(SHOPIFY, sold.id)
    company.odoo.ship(document.external_id)
    company.shop.refund(sold.id, {sold.lines[0].id: 2}, restock_type="return")
    await company.deliver()
    await company.credited(SHOPIFY, sold.id)
    assert sorted(picking.row["state"] for picking in document.pickings) == ["assigned", "done"]


async def test_an_order_cancelled_after_its_document_was_made_is_cancelled_there(company: Company) -> None:
    """FC-063: both shops; nothing is credited for what was never invoiced."""
    bought, sold = company.woo.place_order([Item("MUG")]), await booked(company)
    await company.deliver()
    await company.document(WOO, bought.id)
    company.woo.cancel(bought.id)
    company.shop.cancel(sold.id)
    await company.deliver()
    await company.document(WOO, bought.id, "cancel", revision=2)
    await company.document(SHOPIFY, sold.id, "cancel", revision=2)
    await company.quiet()
    assert (company.credits(WOO, bought.id), company.credits(SHOPIFY, sold.id)) == ([], [])


async def test_a_delivered_order_is_not_cancelled_without_a_person(company: Company) -> None:
    bought = company.woo.place_order([Item("MUG")])
    await company.deliver()
    document = await company.document(WOO, bought.id)
    company.odoo.ship(document.external_id)
    company.woo.cancel(bought.id)
    await company.deliver()
    reason, detail = await company.held(WOO, bought.id)
    assert reason == "LOCKED"
    assert "is delivered in Odoo" in detail
    assert document.state == "sale"
