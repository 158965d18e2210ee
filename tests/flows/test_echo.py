"""What we wrote ourselves is no news in either direction: no loop, no write, and no hold that it lifts."""

from collections.abc import AsyncIterator

import pytest_asyncio

from simulators.shopify import Cart
from simulators.shopify import Item as Goods
from simulators.woocommerce import Item
from tallystick.canonical.keys import order_key
from tallystick.stack import Stack
from tests.flows.company import ODOO, SHOPIFY, WOO, Company, Options, amounts, lines
from tests.flows.conftest import new_company
from tests.unit.adapters.shopify.shops import TEA, D


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def company(stack: Stack) -> AsyncIterator[Company]:
    """A company that looks at its Odoo all the time."""
    async with new_company(stack, Options(flows={"fulfilments": "live"}, poll_every_s=0.3)) as company:
        yield company


async def states(company: Company, target: str, lane: str) -> list[tuple[str, int, str]]:
    """What became of everything about an order in one target: of what, of which revision, how it ended."""
    rows = await company.pool.fetch(
        """SELECT entity_type, revision, state::text AS state FROM effect
           WHERE target = $1 AND lane_key = $2 ORDER BY entity_type, revision""",
        target,
        lane,
    )
    return [tuple(row) for row in rows]


async def test_a_shipment_that_we_told_comes_back_and_changes_nothing(company: Company) -> None:
    """FC-065: the order is completed in the shop by it, whose update is a new revision that says nothing new to Odoo;
    and what Odoo shows of the shipment, again and again, is told once."""
    bought, sold = company.woo.place_order([Item("MUG", 2)]), company.shop.place_order(Cart([TEA]))
    await company.deliver()
    documents = [await company.document(WOO, bought.id), await company.document(SHOPIFY, sold.id)]
    was = [(one.state, amounts(one), lines(one)) for one in documents]
    for one in documents:
        company.odoo.ship(one.external_id, carrier="DHL", tracking=f"T-{one.name}")
    before = len(company.odoo.journal.entries)

    async def told() -> bool:
        return company.woo.orders[bought.id].status == "completed" and bool(sold.fulfilments)

    await company.until(told)
    await company.deliver()
    await company.recorded(WOO, bought.id)
    await company.recorded(SHOPIFY, sold.id)
    await company.quiet()
    assert company.odoo.journal.entries[before:] == []
    assert [(one.state, amounts(one), lines(one)) for one in documents] == was
    assert await states(company, ODOO, order_key(WOO, str(bought.id))) == [
        ("order", 1, "APPLIED"),
        ("order", 2, "VERIFIED"),
    ]
    assert len(sold.fulfilments) == 1
    for store, order_id in ((WOO, bought.id), (SHOPIFY, sold.id)):
        assert await states(company, store, order_key(store, str(order_id))) == [("fulfilment", 1, "APPLIED")]


async def test_an_edit_behind_an_echo_is_news(company: Company) -> None:
    """The document keeps the mark of its first revision; that what comes after differs is seen all the same."""
    order = company.woo.place_order([Item("MUG", 2)])
    await company.deliver()
    await company.document(WOO, order.id)
    company.woo.edit(order.id, lambda order, cart: order.meta.update({"erp_number": "S00001"}))
    await company.deliver()
    await company.document(WOO, order.id, revision=2)
    company.woo.set_quantity(order.id, 0, 3)
    await company.deliver()
    reason, detail = await company.held(WOO, order.id)
    assert (reason, "is confirmed in Odoo" in detail) == ("LOCKED", True)


async def test_a_tag_does_not_clear_what_holds_an_order(company: Company) -> None:
    """FC-065: the tag is a new revision, the mistake is still there, and so is the hold; nothing is sent for it."""
    order = company.shop.place_order(Cart([Goods("Nothing", D("5.00"), 1, sku="UNHEARD-OF")]))
    await company.deliver()
    held = await company.held(SHOPIFY, order.id)
    before = len(company.odoo.journal.entries)
    company.shop.tag(order.id, "looked-at")
    await company.deliver()
    await company.recorded(SHOPIFY, order.id)
    await company.quiet()
    assert await company.held(SHOPIFY, order.id) == held
    assert company.documents(SHOPIFY, order.id) == []
    assert company.odoo.journal.entries[before:] == []
