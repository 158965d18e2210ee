"""A working day of a company of all flows, whose time can be moved, and an outage that begins in the middle of it."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from simulators.faults import Fault, FaultScript, Rule
from simulators.shopify import Cart
from simulators.woocommerce import Item
from tallystick.stack import Stack
from tests.flows import both_sides
from tests.flows.both_sides import Name
from tests.flows.company import SHOPIFY, WOO, Company, Options
from tests.flows.conftest import new_company
from tests.flows.hours import Hours
from tests.unit.adapters.shopify.shops import MUG, TEA

_FLOWS = dict.fromkeys(("refunds", "customers", "payments", "fulfilments", "stock", "prices"), "live")
_LISTS = {"EUR": "tallystick_demo.pricelist_eur", "THB": "tallystick_demo.pricelist_thb"}


@dataclass(slots=True)
class Day:
    """A company whose time can be moved, and what its people did."""

    company: Company
    hours: Hours
    #: Orders that must never have a document.
    without: set[Name] = field(default_factory=set)
    #: Parcels by number.
    shipped: dict[str, Name] = field(default_factory=dict)

    async def later(self, *hours: int) -> None:
        """So many hours pass, one span after the other; after each all polls have looked."""
        for span in hours:
            await self.hours.move(span)
            await self.hours.looked(self.company.until)

    # ---- what people do ----------------------------------------------------------------------------------------------

    def buy(self, pieces: int = 1, **woo: Any) -> tuple[Name, Name]:
        """One order in each shop."""
        bought = self.company.woo.place_order([Item("MUG", pieces), Item("BOOK")], **woo)
        sold = self.company.shop.place_order(Cart([MUG, TEA], currency="EUR"))
        return (WOO, bought.id), (SHOPIFY, sold.id)

    def ship(self, name: Name) -> None:
        """Odoo's people send off what is ordered."""
        (document,) = self.company.documents(*name)
        number = f"TRK{len(self.shipped)}"
        self.company.odoo.ship(document.external_id, carrier="DHL", tracking=number)
        self.shipped[number] = name

    def price(self, amount: float) -> None:
        """Odoo's people write a price of mugs into both lists."""
        odoo = self.company.odoo
        (product,) = odoo.act("product.product", "search", [["default_code", "=", "MUG"]])
        for name in _LISTS.values():
            values = {"pricelist_id": odoo.id_of(name), "product_id": product, "fixed_price": amount}
            odoo.act("product.pricelist.item", "create", [values])

    # ---- how it ends -------------------------------------------------------------------------------------------------

    def off(self) -> list[str]:
        """What one side does not hold as the other does."""
        company = self.company
        found = both_sides.orders(company, self.without) + both_sides.refunds(company, self.without)
        found += both_sides.payments(company, self.without)
        found += both_sides.shipments(company, self.shipped) + both_sides.mails(company, self.shipped)
        figures = both_sides.stock(company, "MUG")
        return found + ([] if len(set(figures)) == 1 else [f"stock of mugs: {figures}"])

    async def repaired(self) -> None:
        """By itself: everything agrees, nothing is left to do, and nothing waits for a person."""

        async def agrees() -> bool:
            return not self.off()

        await self.company.until(agrees, within_s=180)
        await self.company.quiet()
        assert await self.lanes() == []
        assert self.off() == []

    async def lanes(self) -> list[str]:
        rows = await self.company.pool.fetch(
            """SELECT l.target, l.lane_key, l.reason, l.detail, l.due_at::text, string_agg(concat_ws(' ', e.seq,
               e.entity_type, e.state, e.step, 'r', e.revision, e.attempts), ', ' ORDER BY e.seq) AS effects
               FROM lane l LEFT JOIN effect e ON e.target = l.target AND e.lane_key = l.lane_key AND e.unfinished
               WHERE l.held_seq IS NOT NULL OR l.due_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5"""
        )
        return [str(tuple(row)) for row in rows]


@asynccontextmanager
async def day(stack: Stack) -> AsyncIterator[Day]:
    """A company of all flows; mugs are counted and priced, and one order of each shop is booked."""
    hours, edge = Hours(), _free_address()
    mended: dict[str, Any] = {"webhook_repair": True}
    options = Options(
        flows=_FLOWS,
        shopify={"webhook_address": f"http://{edge}/webhooks/{SHOPIFY}", "trust_bodies": False, **mended},
        topics=("order_transactions/create",),
        woo={"webhook_address": f"http://{edge}/webhooks/{WOO}", **mended},
        edge=edge,
        poll_every_s=0.2,
        # Long waits are passed over by the clock; what is really waited for is a busy machine.
        scale=0.1,
        clock=hours,
        prepare=hours.install,
    )
    async with new_company(stack, options) as company:
        made = Day(company, hours)
        company.woo.storeroom.count("MUG", 0)
        company.shop.stockroom.add("MUG", 0)
        company.odoo.set_stock("MUG", "WH", 500)
        made.price(20)

        async def open_for_business() -> bool:
            return both_sides.stock(company, "MUG") == (500, 500, 500) and "" not in both_sides.prices(company, "MUG")

        try:
            await company.until(open_for_business)
            yield made
        except TimeoutError:
            pytest.fail("\n".join([*made.off(), *await made.lanes()]))


def _free_address() -> str:
    """Where the edge will listen: it has to be known before, since the shops' subscriptions name it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def outage(faults: FaultScript, writes: str, answers_lost: int) -> Iterator[Rule]:
    """It begins in the middle of the work: some writes are applied and never answered (the rule that is handed out
    counts them), then there is nothing at all.

    Calls hang, are refused by a proxy, or break off, in turn.
    """
    lost = Rule(Fault.LOST_REPLY, writes, first=answers_lost)

    def begun() -> bool:
        return lost.struck >= answers_lost

    rules = [
        lost,
        Rule(Fault.SILENT, every=5, seconds=0.3, while_true=begun),
        Rule(Fault.SERVER_ERROR, every=2, while_true=begun),
        Rule(Fault.NEVER_APPLIED, while_true=begun),
    ]
    before = list(faults.rules)
    faults.rules[:0] = rules
    try:
        yield lost
    finally:
        faults.rules[:] = before


def struck(rule: Rule, times: int) -> Callable[[], Awaitable[bool]]:
    """Whether a fault struck so often."""

    async def often() -> bool:
        return rule.struck >= times

    return often
