"""A day in which the ERP, or a shop, answers nothing: afterwards everything is repaired by itself, nothing twice.

The day passes by the clocks (`hours`), so due times, circuits, cursors, tokens, second passes and reconciliation live
through it; people go on working on the side that is up, and on the one that only its API is gone from. What is compared
in the end is what stands in the doubles (`both_sides`).
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from consumers.watch import Watch
from simulators.faults import Fault, Rule
from simulators.shopify import Cart
from simulators.woocommerce import Item
from tallystick.ledger.watched import Watched
from tallystick.stack import Stack
from tests.flows import both_sides
from tests.flows.buyers import contacts, siam
from tests.flows.company import SHOPIFY, WOO, Company
from tests.flows.day import Day, day, outage, struck
from tests.unit.adapters.shopify.shops import MUG, TEA


async def test_a_day_without_the_erp_is_made_up_for(stack: Stack) -> None:
    """FC-046, FC-074, FC-063: orders, edits, cancellations, refunds, payments, accounts, parcels, stock and prices."""
    async with day(stack) as made:
        company, shop, woo = made.company, made.company.shop, made.company.woo
        before = [made.buy(2) for _ in range(3)]
        await company.deliver()
        for name in (name for both in before for name in both):
            await company.document(*name)
        await company.quiet()
        with outage(company.odoo.faults, "*.load|*.action_*", answers_lost=3) as lost:
            half_way = [made.buy(number) for number in (1, 2)]
            await company.deliver()
            await company.until(struck(lost, 3))
            during = [made.buy(number, payment_method="cod") for number in (3, 4, 5)]
            await company.deliver()
            firm, *_ = siam(company)
            await made.later(2)
            # Edited before their documents are made.
            for bought, sold in during[:2]:
                woo.set_quantity(bought[1], 0, 7)
                shop.edit_order(sold[1], {shop.orders[sold[1]].lines[0].id: 1})
            await company.deliver(times=2)
            await made.later(3)
            for bought, sold in (made.buy(), before[0]):
                woo.cancel(bought[1])
                shop.cancel(sold[1])
            made.without |= {(WOO, max(woo.orders)), (SHOPIFY, max(shop.orders))}
            await company.deliver()
            await made.later(4)
            for bought, sold in (before[1], half_way[0], during[2]):
                woo.refund(bought[1], back={woo.orders[bought[1]].lines[0].id: 1}, restock=False)
                shop.refund(sold[1], {shop.orders[sold[1]].lines[0].id: 1}, restock_type="no_restock")
            await company.deliver()
            on_delivery = woo.place_order([Item("MUG")], payment_method="cod")
            reserved = shop.place_order(Cart([MUG, TEA], currency="EUR", paid=False))
            shop.authorise(reserved.id)
            shop.capture(reserved.id, Decimal("5.00"))
            shop.clients.reform(firm.id, name="Siam Trading PCL")
            await company.deliver()
            await made.later(5)
            # Nobody heard of these.
            shop.capture(reserved.id, Decimal("2.50"))
            woo.set_status(on_delivery.id, "completed")
            made.buy(5)
            company.lose()
            await made.later(1, 4)
            # Odoo's people are at work, its API alone is gone.
            for name in before[2]:
                made.ship(name)
            company.odoo.set_stock("MUG", "WH", 300)
            made.price(30)
            await made.later(5)
        await made.repaired()
        assert both_sides.prices(company, "MUG") == ("35.70", "30.00")
        (contact,) = contacts(company, SHOPIFY, f"company-{firm.id}")
        assert contact.name == "Siam Trading PCL"


async def test_hours_in_which_the_erp_is_read_and_takes_nothing_hold_nobody_up(stack: Stack) -> None:
    """FC-046: every look-up is answered, so each order is tried again and again; none of them is to blame."""
    async with day(stack) as made:
        company = made.company
        dead = Rule(Fault.SERVER_ERROR, "*.load|*.action_*|*.create|*.write")
        company.odoo.faults.rules.append(dead)
        for number in (1, 2, 3):
            made.buy(number)
        await company.deliver()
        for _ in range(8):
            seen = dead.struck
            await company.until(struck(dead, seen + 2))
            await made.later(3)
        held = await company.pool.fetch("SELECT lane_key, reason FROM lane WHERE held_seq IS NOT NULL")
        assert [tuple(row) for row in held] == []
        company.odoo.faults.rules.remove(dead)
        await made.repaired()


class Silence:
    """A shop that goes on selling while neither its API nor its deliveries get through."""

    def __init__(self, made: Day, store: str) -> None:
        self.company = made.company
        self._made = made
        self._store = store
        self.faults = made.company.woo.faults if store == WOO else made.company.shop.faults

    def buy(self) -> int:
        """One order; its id."""
        if self._store == WOO:
            return self.company.woo.place_order([Item("MUG", 2), Item("BOOK")]).id
        return self.company.shop.place_order(Cart([MUG, TEA], currency="EUR")).id

    def edit(self, order_id: int) -> None:
        """One piece of the first line is left."""
        if self._store == WOO:
            self.company.woo.set_quantity(order_id, 0, 1)
        else:
            self.company.shop.edit_order(order_id, {self.company.shop.orders[order_id].lines[0].id: 1})

    def cancel(self, order_id: int) -> None:
        """As a whole."""
        shop = self.company.woo if self._store == WOO else self.company.shop
        shop.cancel(order_id)

    def refund(self, order_id: int) -> None:
        """A piece of the first line comes back."""
        woo, shop = self.company.woo, self.company.shop
        if self._store == WOO:
            woo.refund(order_id, back={woo.orders[order_id].lines[0].id: 1}, restock=False)
        else:
            shop.refund(order_id, {shop.orders[order_id].lines[0].id: 1}, restock_type="no_restock")

    async def fail_deliveries(self) -> None:
        """What is owed by now is sent, and nobody answers."""
        woo, shop = self.company.woo, self.company.shop
        for owed in woo.pending_deliveries():
            assert await woo.send(replace(woo.take(owed), address="http://127.0.0.1:9/")) is None
        for delivery in shop.pending_deliveries():
            shop.hooks.settled(delivery, shop.now(), delivered=False)

    @property
    def subscribed(self) -> bool:
        """Whether the shop would tell of a new order."""
        woo, shop = self.company.woo, self.company.shop
        if self._store == WOO:
            return all(one.status == "active" for one in woo.outbox.webhooks.values())
        return "orders/create" in {one.topic for one in shop.hooks.subscriptions.values()}


def watch(company: Company) -> Watch:
    """The watch over webhooks, as of another process: a look whenever the test says."""
    installation = company.installation
    return Watch(installation.stores, company.pollers, Watched(company.pool), installation.clock, installation.metrics)


@pytest.mark.parametrize(("store", "writes"), [(SHOPIFY, "CreateFulfilment"), (WOO, "POST /orders/{id}/notes")])
async def test_a_day_without_a_shop_is_made_up_for(stack: Stack, store: str, writes: str) -> None:
    """FC-046, FC-097, FC-098: the shop gives our endpoint up, and a parcel was told of just before the answer was lost.

    Beside the vendor's own end of the subscriptions, its token of a day runs out.
    """
    async with day(stack) as made:
        company, silence, looks = made.company, Silence(made, store), watch(made.company)
        before = [silence.buy() for _ in range(4)]
        await company.deliver()
        for order_id in before:
            await company.document(store, order_id)
        await company.quiet()
        assert await looks.look(store) is True
        with outage(silence.faults, writes, answers_lost=1) as lost:
            made.ship((store, before[0]))
            await company.until(struck(lost, 1))
            during = [silence.buy() for _ in range(8)]
            await silence.fail_deliveries()
            await made.later(1, 3)
            silence.edit(during[0])
            silence.cancel(during[1])
            made.without.add((store, during[1]))
            silence.refund(during[2])
            await silence.fail_deliveries()
            assert await looks.look(store) is None
            await made.later(4, 4)
            made.ship((store, before[1]))
            company.odoo.set_stock("MUG", "WH", 300)
            made.price(30)
            silence.refund(before[2])
            silence.cancel(before[3])
            await silence.fail_deliveries()
            await made.later(6, 6)
            await silence.fail_deliveries()
            assert not silence.subscribed
        assert await looks.look(store) is True
        assert silence.subscribed
        silence.buy()
        await company.deliver()
        await made.repaired()
        assert both_sides.prices(company, "MUG") == ("35.70", "30.00")
