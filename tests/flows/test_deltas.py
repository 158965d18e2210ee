"""An order that is edited when its document is locked: what differs is booked beside it, once, and adds up."""

from decimal import Decimal

import pytest

from simulators.faults import Fault, Rule
from tests.flows.beside import JAM, booked, in_the_books, in_the_shop, supplements, told
from tests.flows.company import SHOPIFY, Company, lines
from tests.unit.adapters.shopify.shops import TEA


@pytest.fixture(scope="package")
def company(locking: Company) -> Company:
    """The example contracts, with the policy that books beside."""
    return locking


async def test_a_line_added_to_a_locked_order_is_a_supplementary_order(company: Company) -> None:
    """FC-088: the original stays as it is, the link is kept, and both make the new total."""
    sold, document = await booked(company)
    before = (lines(document), document.amount_total)
    company.shop.edit_order(sold.id, add=[JAM])
    await told(company, SHOPIFY, sold.id)
    (more,) = supplements(company, SHOPIFY, sold.id)
    assert (more.state, lines(more)) == ("sale", [("JAM", 2)])
    assert more.row["client_order_ref"] == document.row["client_order_ref"]
    assert (lines(document), document.amount_total) == before


async def test_a_third_revision_is_told_apart_from_the_second(company: Company) -> None:
    """FC-088: what an earlier edit added is not added again."""
    sold, _ = await booked(company)
    for item in (JAM, TEA):
        company.shop.edit_order(sold.id, add=[item])
        await told(company, SHOPIFY, sold.id)
    assert [lines(one) for one in supplements(company, SHOPIFY, sold.id)] == [[("JAM", 2)], [("TEA", 7)]]
    await company.deliver(times=2)
    await company.poll()
    await company.quiet()
    assert len(supplements(company, SHOPIFY, sold.id)) == 2


async def test_pieces_taken_off_a_shipped_order_are_credited_and_come_back(company: Company) -> None:
    """FC-088: after delivery, with a return for what the buyer is not to keep."""
    sold, document = await booked(company)
    company.odoo.ship(document.external_id)
    company.shop.edit_order(sold.id, {sold.lines[0].id: 1})
    await told(company, SHOPIFY, sold.id)
    assert lines(document) == [("MUG", 3), ("TEA", 7)]
    assert sorted(picking.row["state"] for picking in document.pickings) == ["assigned", "done"]


async def test_pieces_that_are_still_to_leave_are_credited_and_a_person_stops_them(company: Company) -> None:
    """FC-088: before delivery; the confirmed order is not changed from outside."""
    sold, _ = await booked(company)
    company.shop.edit_order(sold.id, {sold.lines[0].id: 1}, add=[JAM])
    await company.deliver()
    reason, detail = await company.held(SHOPIFY, sold.id)
    assert reason == "LOCKED"
    assert "2 of 'MUG'" in detail
    assert [lines(one) for one in supplements(company, SHOPIFY, sold.id)] == [[("JAM", 2)]]
    assert in_the_books(company, SHOPIFY, sold.id) == in_the_shop(company, SHOPIFY, sold.id)


async def test_an_exchange_is_a_credit_with_goods_that_come_back_and_an_order_of_the_others(company: Company) -> None:
    """FC-088: a return that is paid with other goods of the same order."""
    sold, document = await booked(company)
    company.odoo.ship(document.external_id)
    company.shop.refund(sold.id, {sold.lines[0].id: 1}, paid=Decimal(0), restock_type="return")
    company.shop.edit_order(sold.id, add=[JAM])
    await told(company, SHOPIFY, sold.id)
    assert [lines(one) for one in supplements(company, SHOPIFY, sold.id)] == [[("JAM", 2)]]
    assert sorted(picking.row["state"] for picking in document.pickings) == ["assigned", "done"]


@pytest.mark.parametrize("operation", ["sale.order.load", "sale.order.action_confirm"])
async def test_a_lost_answer_makes_no_second_supplement(company: Company, operation: str) -> None:
    """FC-001, FC-088"""
    sold, _ = await booked(company)
    rule = Rule(Fault.LOST_REPLY, operation, first=1)
    company.odoo.faults.rules.append(rule)
    try:
        company.shop.edit_order(sold.id, add=[JAM])
        await told(company, SHOPIFY, sold.id)
    finally:
        company.odoo.faults.rules.remove(rule)
    assert rule.struck
    assert len(supplements(company, SHOPIFY, sold.id)) == 1
