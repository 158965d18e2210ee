"""Orders that are edited when their documents are locked: what tests look at in the shops and in the books."""

from decimal import Decimal

from simulators.odoo import Credit
from simulators.odoo import Order as Document
from simulators.shopify import Cart, Item, pricing
from simulators.shopify.model import Order as Sold
from tallystick.canonical.keys import order_key
from tests.flows.company import SHOPIFY, WOO, Company, lines
from tests.unit.adapters.shopify.shops import MUG, TEA

JAM = Item("Jam", Decimal("4.00"), 2, sku="JAM", rates=TEA.rates)


async def booked(company: Company) -> tuple[Sold, Document]:
    """Three mugs and seven teas of Shopify's shop, confirmed in the books."""
    sold = company.shop.place_order(Cart([MUG, TEA], currency="EUR"))
    await company.deliver()
    return sold, await company.document(SHOPIFY, sold.id)


async def supplemented(company: Company) -> tuple[Sold, Document, Document]:
    """As `booked`, with a supplement of two jams."""
    sold, document = await booked(company)
    company.shop.edit_order(sold.id, add=[JAM])
    await told(company, SHOPIFY, sold.id)
    (more,) = supplements(company, SHOPIFY, sold.id)
    return sold, document, more


def supplements(company: Company, connection: str, order_id: object) -> list[Document]:
    """The orders that stand beside the order's own."""
    mark = f"tallystick {order_key(connection, str(order_id))}/delta/"
    return [one for one in company.odoo.orders if mark in one.origin]


def reductions(company: Company, connection: str, order_id: object) -> list[Credit]:
    """The credits of what edits took off."""
    mark = f"tallystick {order_key(connection, str(order_id))}/delta/"
    return [one for one in company.odoo.credits if mark in one.origin]


def goods(credit: Credit) -> list[tuple[str, int]]:
    """Product and pieces of what a credit gives back, without what makes up for rounding."""
    return [line for line in lines(credit) if line[0] != "ROUNDING"]


def of(credit: Credit) -> str:
    """The numbers of the orders that a credit says it belongs to."""
    return credit.origin.partition(" [")[0]


async def told(company: Company, connection: str, order_id: object) -> None:
    """The shop tells what happened; the ledger has the order as it is now, and nothing is left to do."""
    await company.deliver()
    await done(company, connection, order_id)


async def done(company: Company, connection: str, order_id: object) -> None:
    """The ledger has the order as its shop holds it now, and nothing is left to do."""
    await company.recorded(connection, order_id)
    await company.quiet()
    assert await company.stands(connection, order_id) is None
    assert in_the_books(company, connection, order_id) == in_the_shop(company, connection, order_id)


def in_the_books(company: Company, connection: str, order_id: object) -> Decimal:
    """What all documents of one order come to: orders that stand, less credits that are posted."""
    mark = f"tallystick {order_key(connection, str(order_id))}"
    ours = (f"{mark} ", f"{mark}/")
    sold = [one for one in company.odoo.orders if one.state == "sale" and any(text in one.origin for text in ours)]
    back = [one for one in company.odoo.credits if one.state == "posted" and f"{mark}/" in one.origin]
    nothing = Decimal(0)
    return sum((one.amount_total for one in sold), nothing) - sum((one.amount_total for one in back), nothing)


def in_the_shop(company: Company, connection: str, order_id: object) -> Decimal:
    """What the order costs now, by the shop's own books: without what edits took off, and what was given back."""
    if connection == WOO:
        order = company.woo.orders[int(str(order_id))]
        return order.sums.total - sum((one.amount or Decimal(0) for one in order.refunds), Decimal(0))
    sold = company.shop.orders[int(str(order_id))]
    # Pieces that came back for less than they cost left the rest with the shop.
    return pricing.current(sold).price + sum((one.discrepancy for one in sold.refunds), Decimal(0))
