"""An order that is edited when its document is locked: what differs is booked beside it, once, and adds up."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from simulators.faults import Fault, Rule
from simulators.odoo import Order as Document
from simulators.shopify import Cart, Item
from simulators.shopify.model import Order as Sold
from tallystick.canonical.keys import order_key
from tallystick.stack import Stack
from tests.flows.company import SHOPIFY, Company, Options, lines
from tests.flows.conftest import new_company
from tests.unit.adapters.shopify.shops import MUG, TEA

_CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
JAM = Item("Jam", Decimal("4.20"), 2, sku="JAM", rates=TEA.rates)


@pytest_asyncio.fixture(scope="module")
async def company(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Company]:
    """The example contracts, with the policy that books beside."""
    folder = tmp_path_factory.mktemp("contracts")
    for example in _CONTRACTS.glob("*-odoo.yaml"):
        text = example.read_text()
        assert "when_locked: hold" in text
        (folder / example.name).write_text(text.replace("when_locked: hold", "when_locked: delta"))
    async with new_company(stack, Options(contracts=folder)) as opened:
        yield opened


async def booked(company: Company) -> tuple[Sold, Document]:
    """Three mugs and seven teas, confirmed in the books."""
    sold = company.shop.place_order(Cart([MUG, TEA], currency="EUR"))
    await company.deliver()
    return sold, await company.document(SHOPIFY, sold.id)


def supplements(company: Company, sold: Sold) -> list[Document]:
    """The orders that stand beside the order's own."""
    mark = f"tallystick {order_key(SHOPIFY, str(sold.id))}/delta/"
    return [one for one in company.odoo.orders if mark in one.origin]


async def done(company: Company, sold: Sold) -> None:
    """The ledger has the order as the shop holds it now, and nothing is left to do."""
    await company.recorded(SHOPIFY, sold.id)
    await company.quiet()
    assert await company.stands(SHOPIFY, sold.id) is None


def in_the_books(company: Company, sold: Sold, document: Document) -> Decimal:
    """What the documents of one order come to."""
    less = f"tallystick {order_key(SHOPIFY, str(sold.id))}/delta/"
    credits = [one.amount_total for one in company.odoo.credits if less in one.origin]
    more = [one.amount_total for one in supplements(company, sold)]
    return Decimal(document.amount_total + sum(more) - sum(credits))


async def in_the_shop(company: Company, sold: Sold) -> Decimal:
    """What the shop says that the order costs now."""
    order = (await company.installation.adapters[SHOPIFY].read_order(str(sold.id))).order
    assert order is not None
    return Decimal(order.totals.total.units) + Decimal(order.totals.total.nanos) / 10**9


async def test_a_line_added_to_a_locked_order_is_a_supplementary_order(company: Company) -> None:
    """FC-088: the original stays as it is, the link is kept, and both make the new total."""
    sold, document = await booked(company)
    before = (lines(document), document.amount_total)
    company.shop.edit_order(sold.id, add=[JAM])
    await company.deliver()
    await done(company, sold)
    (more,) = supplements(company, sold)
    assert (more.state, lines(more)) == ("sale", [("JAM", 2)])
    assert more.row["client_order_ref"] == document.row["client_order_ref"]
    assert (lines(document), document.amount_total) == before
    assert in_the_books(company, sold, document) == await in_the_shop(company, sold)


async def test_a_third_revision_is_told_apart_from_the_second(company: Company) -> None:
    """FC-088: what an earlier edit added is not added again."""
    sold, document = await booked(company)
    for item in (JAM, TEA):
        company.shop.edit_order(sold.id, add=[item])
        await company.deliver()
        await done(company, sold)
    assert [lines(one) for one in supplements(company, sold)] == [[("JAM", 2)], [("TEA", 7)]]
    assert in_the_books(company, sold, document) == await in_the_shop(company, sold)
    await company.deliver(times=2)
    await company.poll()
    await company.quiet()
    assert len(supplements(company, sold)) == 2


async def test_pieces_taken_off_a_shipped_order_are_credited_and_come_back(company: Company) -> None:
    """FC-088: after delivery, with a return for what the buyer is not to keep."""
    sold, document = await booked(company)
    company.odoo.ship(document.external_id)
    company.shop.edit_order(sold.id, {sold.lines[0].id: 1})
    await company.deliver()
    await done(company, sold)
    assert in_the_books(company, sold, document) == await in_the_shop(company, sold)
    assert lines(document) == [("MUG", 3), ("TEA", 7)]
    assert sorted(picking.row["state"] for picking in document.pickings) == ["assigned", "done"]


async def test_pieces_that_are_still_to_leave_are_credited_and_a_person_stops_them(company: Company) -> None:
    """FC-088: before delivery; the confirmed order is not changed from outside."""
    sold, document = await booked(company)
    company.shop.edit_order(sold.id, {sold.lines[0].id: 1}, add=[JAM])
    await company.deliver()
    reason, detail = await company.held(SHOPIFY, sold.id)
    assert reason == "LOCKED"
    assert "2 of 'MUG'" in detail
    assert [lines(one) for one in supplements(company, sold)] == [[("JAM", 2)]]
    assert in_the_books(company, sold, document) == await in_the_shop(company, sold)


async def test_an_exchange_is_a_credit_with_goods_that_come_back_and_an_order_of_the_others(company: Company) -> None:
    """FC-088: a return that is paid with other goods of the same order."""
    sold, document = await booked(company)
    company.odoo.ship(document.external_id)
    company.shop.refund(sold.id, {sold.lines[0].id: 1}, paid=Decimal(0), restock_type="return")
    company.shop.edit_order(sold.id, add=[JAM])
    await company.deliver()
    await done(company, sold)
    assert [lines(one) for one in supplements(company, sold)] == [[("JAM", 2)]]
    assert sorted(picking.row["state"] for picking in document.pickings) == ["assigned", "done"]


@pytest.mark.parametrize("operation", ["sale.order.load", "sale.order.action_confirm"])
async def test_a_lost_answer_makes_no_second_supplement(company: Company, operation: str) -> None:
    """FC-001, FC-088"""
    sold, document = await booked(company)
    rule = Rule(Fault.LOST_REPLY, operation, first=1)
    company.odoo.faults.rules.append(rule)
    try:
        company.shop.edit_order(sold.id, add=[JAM])
        await company.deliver()
        await done(company, sold)
    finally:
        company.odoo.faults.rules.remove(rule)
    assert rule.struck
    assert len(supplements(company, sold)) == 1
    assert in_the_books(company, sold, document) == await in_the_shop(company, sold)


async def test_an_order_with_documents_beside_it_is_not_cancelled_without_a_person(company: Company) -> None:
    """FC-063, FC-088"""
    sold, document = await booked(company)
    company.shop.edit_order(sold.id, add=[JAM])
    await company.deliver()
    await done(company, sold)
    company.shop.cancel(sold.id)
    await company.deliver()
    assert (await company.held(SHOPIFY, sold.id))[0] == "LOCKED"
    assert {document.state, *(one.state for one in supplements(company, sold))} == {"sale"}
