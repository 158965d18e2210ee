"""Refunds that change, vanish, come before their order is one for the books, or meet a cancellation."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

from simulators.faults import Fault, Rule
from simulators.shopify import Cart
from simulators.woocommerce import Item
from simulators.woocommerce.model import Order as Bought
from simulators.woocommerce.model import Refund
from tallystick.canonical.keys import order_key
from tests.flows.company import ODOO, SHOPIFY, WOO, Company
from tests.unit.adapters.shopify.shops import MUG, TEA


async def bought(company: Company) -> Bought:
    """Three mugs, in the books."""
    order = company.woo.place_order([Item("MUG", 3)], shipping=Decimal("5.00"))
    await company.deliver()
    await company.document(WOO, order.id)
    return order


async def with_a_credit(company: Company) -> tuple[Bought, Refund]:
    """One of the mugs was given back, and credited."""
    order = await bought(company)
    refund = company.woo.refund(order.id, back={order.lines[0].id: 1})
    await company.deliver()
    await company.credited(WOO, order.id)
    return order, refund


def credited(company: Company, order: Bought) -> list[Decimal]:
    """What was given back of it, by the books."""
    return [credit.amount_total for credit in company.credits(WOO, order.id)]


@contextmanager
def closed_books(company: Company) -> Iterator[None]:
    """The ERP takes no order meanwhile."""
    rule = Rule(Fault.THROTTLED, "sale.order.load", retry_after="1")
    company.odoo.faults.rules.append(rule)
    try:
        yield
    finally:
        company.odoo.faults.rules.remove(rule)


async def refunds_settled(company: Company, order_id: int) -> None:
    """Every refund of the order is settled or was never sent."""

    async def settled() -> bool:
        rows = await company.pool.fetch(
            "SELECT state FROM effect WHERE target = $1 AND lane_key = $2 AND entity_type = 'refund'",
            ODOO,
            order_key(WOO, str(order_id)),
        )
        return bool(rows) and all(row["state"] == "SUPERSEDED" for row in rows)

    await company.until(settled)


async def test_a_refund_of_an_order_that_becomes_one_for_the_books_later(company: Company) -> None:
    """FC-062: it was passed over with its order, and is not forgotten."""
    order = company.woo.place_order([Item("MUG", 3)], status="pending")
    back = company.woo.refund(order.id, back={order.lines[0].id: 1})
    await company.deliver()
    assert await company.not_eligible(WOO, order.id) == "PENDING_PAYMENT"
    company.woo.pay(order.id)
    await company.deliver()
    (credit,) = await company.credited(WOO, order.id)
    assert credit.amount_total == back.amount


async def test_a_refund_of_an_order_that_ended_and_came_back_is_credited_once(company: Company) -> None:
    """It was let go with the order, before either had a document."""
    with closed_books(company):
        order = company.woo.place_order([Item("MUG", 3)])
        back = company.woo.refund(order.id, back={order.lines[0].id: 1})
        await company.deliver()
        await company.recorded(WOO, order.id)
        company.woo.cancel(order.id)
        await company.deliver()
        await refunds_settled(company, order.id)
    company.woo.set_status(order.id, "processing")
    await company.deliver()
    (credit,) = await company.credited(WOO, order.id)
    await company.quiet()
    assert credit.amount_total == back.amount
    assert len(company.credits(WOO, order.id)) == 1


async def test_an_order_of_which_a_part_was_credited_is_not_cancelled_without_a_person(company: Company) -> None:
    """FC-063: its credit would be left of a sale that never was."""
    order, refund = await with_a_credit(company)
    company.woo.cancel(order.id)
    await company.deliver()
    reason, detail = await company.held(WOO, order.id)
    assert reason == "LOCKED"
    assert "credits or supplements of it are booked beside it" in detail
    assert [document.state for document in company.documents(WOO, order.id)] == ["sale"]
    assert credited(company, order) == [refund.amount]


async def test_a_refund_that_is_changed_is_held_with_both_figures(company: Company) -> None:
    order, refund = await with_a_credit(company)
    assert refund.amount is not None
    company.woo.orders[order.id].refunds = [replace(refund, amount=refund.amount - 1)]
    company.woo.edit(order.id)
    await company.deliver()
    reason, detail = await company.held(WOO, order.id)
    assert reason == "LOCKED"
    assert f"booked was {refund.amount} EUR" in detail
    assert f"now it is {refund.amount - 1} EUR" in detail
    assert credited(company, order) == [refund.amount]


async def test_a_refund_that_vanishes_is_held_with_both_figures(company: Company) -> None:
    order, refund = await with_a_credit(company)
    company.woo.delete_refund(order.id, refund.id)
    company.woo.set_status(order.id, "on-hold")
    await company.deliver()
    await company.poll()
    reason, detail = await company.held(WOO, order.id)
    assert reason == "LOCKED"
    assert f"booked was {refund.amount} EUR" in detail
    assert "gives nothing back any more" in detail
    assert credited(company, order) == [refund.amount]


async def test_an_edited_reason_changes_nothing_in_the_books(company: Company) -> None:
    """A new revision of the refund with the same goods and money settles by itself."""
    order, refund = await with_a_credit(company)
    company.woo.orders[order.id].refunds = [replace(refund, reason="torn")]
    company.woo.edit(order.id)
    await company.deliver()

    async def seen_again() -> bool:
        rows = await company.pool.fetch(
            "SELECT FROM source_object WHERE type = 'refund' AND id = $1 AND revision = 2", str(refund.id)
        )
        return bool(rows)

    await company.until(seen_again)
    await company.quiet()
    assert await company.stands(WOO, order.id) is None
    assert credited(company, order) == [refund.amount]


async def test_money_without_goods_is_credited_and_moves_no_goods(company: Company) -> None:
    """FC-084, FC-085, FC-086: goods that stay, an amount of no line, and a shop that does not tell."""
    order = await bought(company)
    document = await company.document(WOO, order.id)
    company.odoo.ship(document.external_id)
    company.woo.refund(order.id, Decimal("4.00"), "goodwill")
    company.woo.refund(order.id, back={order.lines[0].id: 1})
    await company.deliver()
    credits = await company.credited(WOO, order.id, times=2)
    assert Decimal("4.00") in {credit.amount_total for credit in credits}
    assert [picking.row["state"] for picking in document.pickings] == ["done"], "by policy: restock_unknown: no"


async def test_an_edit_that_leaves_a_record_of_nothing_makes_no_credit(company: Company) -> None:
    """FC-089: both shops keep a refund of nothing."""
    order = await bought(company)
    company.woo.refund(order.id, Decimal("0.00"))
    with closed_books(company):
        sold = company.shop.place_order(Cart([MUG, TEA], currency="EUR"))
        company.shop.edit_order(sold.id, {sold.lines[0].id: 2})
        await company.deliver()
        await company.recorded(SHOPIFY, sold.id)
    await company.document(SHOPIFY, sold.id)
    await company.quiet()
    assert (company.credits(WOO, order.id), company.credits(SHOPIFY, sold.id)) == ([], [])
