"""What comes after a supplement: it is taken off again, refunded, split once more, or cancelled. The books always come
to what the order costs in the shop, and no piece is credited twice."""

from decimal import Decimal

import pytest

from simulators.odoo import Order as Document
from simulators.woocommerce import Item
from simulators.woocommerce import Order as Bought
from tests.flows.beside import (
    JAM,
    booked,
    done,
    goods,
    in_the_books,
    in_the_shop,
    of,
    reductions,
    supplemented,
    supplements,
    told,
)
from tests.flows.company import SHOPIFY, WOO, Company, amounts, lines
from tests.unit.adapters.shopify.shops import TEA


@pytest.fixture(scope="package")
def company(locking: Company) -> Company:
    """The example contracts, with the policy that books beside."""
    return locking


def states(document: Document) -> list[str]:
    return sorted(picking.row["state"] for picking in document.pickings)


def coming_back(company: Company, document: Document) -> Decimal:
    """Pieces of the one transfer that a warehouse is to receive for an order, from whichever deliveries they left."""
    (back,) = [one for one in document.pickings if one.row["state"] == "assigned"]
    moves = company.odoo.act("stock.move", "search_read", [["picking_id", "=", back.id]], ["product_uom_qty"])
    return sum((Decimal(str(move["product_uom_qty"])) for move in moves), Decimal(0))


async def bought(company: Company, quantity: int) -> tuple[Bought, Document]:
    """So many mugs of WooCommerce's shop, confirmed in the books."""
    order = company.woo.place_order([Item("MUG", quantity)])
    await company.deliver()
    return order, await company.document(WOO, order.id)


# ---- what a supplement added is taken off again --------------------------------------------------------------------


async def test_a_line_of_a_supplement_that_left_is_credited_to_it_and_comes_back(company: Company) -> None:
    """FC-088: the order is then what its own document says, and yet that is not all that is booked."""
    sold, document, more = await supplemented(company)
    company.odoo.ship(more.external_id)
    company.shop.edit_order(sold.id, {sold.lines[-1].id: 0})
    await told(company, SHOPIFY, sold.id)
    (credit,) = reductions(company, SHOPIFY, sold.id)
    assert (of(credit), lines(credit), credit.amount_total) == (more.name, [("JAM", 2)], more.amount_total)
    assert states(more) == ["assigned", "done"]
    assert lines(document) == [("MUG", 3), ("TEA", 7)]


async def test_a_line_of_a_supplement_that_is_to_leave_is_credited_and_a_person_stops_it(company: Company) -> None:
    """FC-088: as for goods of the order's own document; and then it goes on."""
    sold, _, more = await supplemented(company)
    company.shop.edit_order(sold.id, {sold.lines[-1].id: 0})
    await company.deliver()
    reason, detail = await company.held(SHOPIFY, sold.id)
    (picking,) = more.pickings
    assert reason == "LOCKED"
    assert "2 of 'JAM'" in detail
    assert picking.row["name"] in detail
    company.odoo.act("stock.picking", "action_cancel", [picking.id])
    await company.resume(SHOPIFY, sold.id)
    await done(company, SHOPIFY, sold.id)
    assert [of(one) for one in reductions(company, SHOPIFY, sold.id)] == [more.name]


async def test_pieces_that_are_put_on_again_are_charged_again(company: Company) -> None:
    """FC-088: the third revision is the first one's equal, and still two documents away from it."""
    order, document = await bought(company, 3)
    company.odoo.ship(document.external_id)
    for quantity in (1, 3):
        company.woo.set_quantity(order.id, 0, quantity)
        await told(company, WOO, order.id)
    assert [lines(one) for one in reductions(company, WOO, order.id)] == [[("MUG", 2)]]
    assert [lines(one) for one in supplements(company, WOO, order.id)] == [[("MUG", 2)]]
    assert lines(document) == [("MUG", 3)]


async def test_a_row_of_edits_adds_up_after_each(company: Company) -> None:
    """FC-088: added, added again, taken off in part, and off altogether."""
    sold, document = await booked(company)
    company.shop.edit_order(sold.id, add=[JAM])
    await told(company, SHOPIFY, sold.id)
    company.shop.edit_order(sold.id, add=[JAM, TEA])
    await told(company, SHOPIFY, sold.id)
    for one in (document, *supplements(company, SHOPIFY, sold.id)):
        company.odoo.ship(one.external_id)
    *_, first, second, tea = (line.id for line in sold.lines)
    company.shop.edit_order(sold.id, {first: 1, tea: 4})
    await told(company, SHOPIFY, sold.id)
    company.shop.edit_order(sold.id, {first: 0, second: 0})
    await told(company, SHOPIFY, sold.id)
    one, two = supplements(company, SHOPIFY, sold.id)
    partly, wholly = reductions(company, SHOPIFY, sold.id)
    assert [lines(one), lines(two)] == [[("JAM", 2)], [("JAM", 2), ("TEA", 7)]]
    assert (of(partly), goods(partly)) == (f"{one.name}, {two.name}", [("JAM", 1), ("TEA", 3)])
    assert (of(wholly), goods(wholly)) == (f"{one.name}, {two.name}", [("JAM", 1), ("JAM", 2)])


async def test_a_quantity_that_stands_on_two_documents_is_raised_and_lowered(company: Company) -> None:
    """FC-088"""
    order, document = await bought(company, 3)
    company.woo.set_quantity(order.id, 0, 5)
    await told(company, WOO, order.id)
    (more,) = supplements(company, WOO, order.id)
    for one in (document, more):
        company.odoo.ship(one.external_id)
    company.woo.set_quantity(order.id, 0, 1)
    await told(company, WOO, order.id)
    (credit,) = reductions(company, WOO, order.id)
    assert (of(credit), goods(credit)) == (f"{document.name}, {more.name}", [("MUG", 4)])
    assert coming_back(company, document) == Decimal(4)
    assert (lines(document), lines(more)) == ([("MUG", 3)], [("MUG", 2)])


async def test_what_changes_no_charge_is_no_difference(company: Company) -> None:
    """FC-088: each revision after a supplement differs from the order's own document, and most of them in nothing."""
    sold, document, more = await supplemented(company)
    company.shop.tag(sold.id, "vip")
    await told(company, SHOPIFY, sold.id)
    company.shop.fulfil(sold.id)
    await told(company, SHOPIFY, sold.id)
    assert [one.id for one in supplements(company, SHOPIFY, sold.id)] == [more.id]
    assert reductions(company, SHOPIFY, sold.id) == []
    assert document.state == "sale"


# ---- and refunded ----------------------------------------------------------------------------------------------------


async def test_a_refund_of_a_piece_that_a_supplement_delivered_is_credited_to_it_once(company: Company) -> None:
    """FC-088: with its own tax, and its goods come back from where they left."""
    sold, document, more = await supplemented(company)
    for one in (document, more):
        company.odoo.ship(one.external_id)
    back = company.shop.refund(sold.id, {sold.lines[-1].id: 1}, restock_type="return")
    await company.deliver(times=2)
    (credit,) = await company.credited(SHOPIFY, sold.id)
    await company.poll()
    await done(company, SHOPIFY, sold.id)
    assert len(company.credits(SHOPIFY, sold.id)) == 1
    (line,) = back.lines
    assert of(credit) == more.name
    assert amounts(credit) == [str(line.subtotal), str(line.tax), str(line.subtotal + line.tax)]
    assert (states(document), states(more)) == (["done"], ["assigned", "done"])


async def test_an_edit_and_a_refund_of_what_it_added_told_at_once(company: Company) -> None:
    """FC-062, FC-084: what is refunded is booked first, whichever was recorded first."""
    sold, _ = await booked(company)
    company.shop.edit_order(sold.id, add=[JAM])
    company.shop.refund(sold.id, {sold.lines[-1].id: 1}, restock_type="no_restock")
    await company.deliver()
    (credit,) = await company.credited(SHOPIFY, sold.id)
    await done(company, SHOPIFY, sold.id)
    (more,) = supplements(company, SHOPIFY, sold.id)
    assert (of(credit), more.state) == (more.name, "sale")


async def test_partial_refunds_beside_edits_take_each_piece_once(company: Company) -> None:
    """FC-086, FC-087, FC-088: of a line that stands on two documents, before and after it is lowered."""
    order, document = await bought(company, 3)
    company.woo.set_quantity(order.id, 0, 5)
    await told(company, WOO, order.id)
    (more,) = supplements(company, WOO, order.id)
    company.odoo.ship(document.external_id)
    company.odoo.ship(more.external_id)
    line = order.lines[0].id
    company.woo.refund(order.id, back={line: 1})
    await told(company, WOO, order.id)
    company.woo.set_quantity(order.id, 0, 4)
    await told(company, WOO, order.id)
    company.woo.refund(order.id, back={line: 2})
    await told(company, WOO, order.id)
    assert [goods(one) for one in company.credits(WOO, order.id)] == [[("MUG", 1)], [("MUG", 2)]]
    assert [goods(one) for one in reductions(company, WOO, order.id)] == [[("MUG", 1)]]


async def test_a_zero_refund_of_an_edit_after_a_supplement_makes_no_credit(company: Company) -> None:
    """FC-089: the record without money that an edit leaves is the edit, and nothing beside it."""
    sold, document, _ = await supplemented(company)
    company.odoo.ship(document.external_id)
    company.shop.edit_order(sold.id, {sold.lines[0].id: 2})
    await told(company, SHOPIFY, sold.id)
    assert company.credits(SHOPIFY, sold.id) == []
    assert [of(one) for one in reductions(company, SHOPIFY, sold.id)] == [document.name]


# ---- and cancelled ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refunded", [False, True])
async def test_a_whole_cancellation_after_a_supplement_waits_for_a_person(company: Company, refunded: bool) -> None:
    """FC-063, FC-088: nothing is cancelled in part, nothing is credited beside what a person decides."""
    sold, document, more = await supplemented(company)
    if refunded:
        company.shop.refund(sold.id, {sold.lines[-1].id: 1}, restock_type="no_restock")
        await told(company, SHOPIFY, sold.id)
    before = in_the_books(company, SHOPIFY, sold.id)
    assert before == in_the_shop(company, SHOPIFY, sold.id)
    company.shop.cancel(sold.id)
    await company.deliver()
    reason, detail = await company.held(SHOPIFY, sold.id)
    assert reason == "LOCKED"
    assert "booked beside it" in detail
    assert in_the_shop(company, SHOPIFY, sold.id) == Decimal(0)
    assert in_the_books(company, SHOPIFY, sold.id) == before
    assert (document.state, more.state) == ("sale", "sale")
