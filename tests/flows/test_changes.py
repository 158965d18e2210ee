"""What happens to an order while its document is on the way, and what holds a document back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from simulators.faults import Fault, Rule
from simulators.shopify import Cart
from simulators.woocommerce import Item
from tallystick.canonical.keys import order_key
from tests.flows.company import SHOPIFY, WOO, Company, amounts, lines
from tests.unit.adapters.shopify.shops import MUG, TEA


@asynccontextmanager
async def odoo_down(company: Company) -> AsyncIterator[None]:
    """An outage of the ERP."""
    company.odoo.down = True
    try:
        yield
    finally:
        company.odoo.down = False


@asynccontextmanager
async def never_confirming(company: Company) -> AsyncIterator[Rule]:
    """The ERP is too busy to confirm anything as long as this lasts: documents stay quotations."""
    rule = Rule(Fault.THROTTLED, "sale.order.action_confirm", retry_after="1")
    company.odoo.faults.rules.append(rule)
    try:
        yield rule
    finally:
        company.odoo.faults.rules.remove(rule)


async def test_edited_before_it_is_confirmed_ends_as_edited(company: Company) -> None:
    """A line removed, one added, quantities changed, while the document stands there as a quotation."""
    async with never_confirming(company) as rule:
        bought = company.woo.place_order([Item("MUG", 2), Item("BOOK")])
        sold = company.shop.place_order(Cart([MUG, TEA], currency="EUR"))
        await company.deliver()
        await company.until(_drafts(company, bought.id, sold.id))
        await company.until(_struck(rule, 2))
        company.woo.set_quantity(bought.id, 0, 5)
        company.woo.set_quantity(bought.id, 1, 0)
        company.shop.edit_order(sold.id, {sold.lines[0].id: 0, sold.lines[1].id: 2})
        await company.deliver()
        await company.recorded(WOO, bought.id)
        await company.recorded(SHOPIFY, sold.id)
    document = await company.document(WOO, bought.id, revision=2)
    assert [line for line in lines(document) if line[1]] == [("MUG", 5)]
    assert document.amount_total == bought.sums.total
    document = await company.document(SHOPIFY, sold.id, revision=2)
    assert [line for line in lines(document) if line[1]] == [("TEA", 2)]
    # 2 of 7.35 with 7 % on top.
    assert str(document.amount_total) == "15.73"


def _drafts(company: Company, bought: int, sold: int) -> Callable[[], Awaitable[bool]]:
    async def there() -> bool:
        found = [*company.documents(WOO, bought), *company.documents(SHOPIFY, sold)]
        return [one.state for one in found] == ["draft", "draft"]

    return there


def _struck(rule: Rule, times: int) -> Callable[[], Awaitable[bool]]:
    async def often() -> bool:
        return rule.struck >= times

    return often


async def test_edited_before_its_document_was_made_is_made_once_as_it_is_now(company: Company) -> None:
    """FC-074: the ERP is away meanwhile; the older revision is folded into the newer one."""
    async with odoo_down(company):
        order = company.shop.place_order(Cart([MUG, TEA], currency="EUR"))
        await company.deliver()
        company.shop.edit_order(order.id, {order.lines[1].id: 0})
        await company.deliver()
        await company.recorded(SHOPIFY, order.id)
    document = await company.document(SHOPIFY, order.id, revision=2)
    assert lines(document) == [("MUG", 3)]


async def test_cancelled_before_its_document_was_made_makes_none(company: Company) -> None:
    """FC-063: the cancellation came while the ERP was away."""
    async with odoo_down(company):
        bought, sold = company.woo.place_order([Item("MUG")]), company.shop.place_order(Cart([TEA]))
        await company.deliver()
        company.woo.cancel(bought.id)
        company.shop.cancel(sold.id)
        await company.deliver()
        assert await company.not_eligible(WOO, bought.id, 2) == "CANCELLED"
        assert await company.not_eligible(SHOPIFY, sold.id, 2) == "CANCELLED"
    await company.quiet()
    assert (company.documents(WOO, bought.id), company.documents(SHOPIFY, sold.id)) == ([], [])


async def test_a_cancellation_that_nobody_told_of_is_read_just_before_the_document(company: Company) -> None:
    """FC-063: its delivery was lost; an order that waited long is read from the store again before it is made."""
    async with odoo_down(company):
        order = company.woo.place_order([Item("MUG")])
        await company.deliver()
        company.woo.cancel(order.id)
        company.lose()
        # Longer than a minute of the protocol, which takes 1.2 s here.
        await asyncio.sleep(2.0)
    assert await company.not_eligible(WOO, order.id, 2) == "CANCELLED"
    await company.quiet()
    assert company.documents(WOO, order.id) == []


async def test_a_currency_that_the_erp_does_not_know_holds_one_order(company: Company) -> None:
    """FC-036, FC-067: that order waits for a person; all others flow."""
    strange = company.woo.place_order([Item("MUG")], currency="SEK")
    others = [company.woo.place_order([Item("MUG")]) for _ in range(5)]
    await company.deliver()
    reason, detail = await company.held(WOO, strange.id)
    assert reason == "MAPPING"
    assert "SEK" in detail
    for order in others:
        await company.document(WOO, order.id)
    assert company.documents(WOO, strange.id) == []


async def test_an_unknown_sku_is_held_and_booked_after_it_was_mapped(company: Company) -> None:
    """A person adds the product to the ERP and resumes the order; nothing is edited by hand in between."""
    order = company.woo.place_order([Item("MUG"), Item("SECRET", 2)])
    await company.deliver()
    reason, detail = await company.held(WOO, order.id)
    assert reason == "MAPPING"
    assert "SECRET" in detail
    assert company.documents(WOO, order.id) == []
    company.odoo.add_product("SECRET", "Secret", "5.00")
    await company.resume(WOO, order.id)
    document = await company.document(WOO, order.id)
    assert lines(document) == [("MUG", 1), ("SECRET", 2)]
    assert document.amount_total == order.sums.total


async def test_an_edit_in_the_store_frees_an_order_that_was_held(company: Company) -> None:
    """The newer revision replaces the held one, without anybody's doing in the ERP."""
    order = company.woo.place_order([Item("MUG"), Item("MUG")], currency="EUR")
    order.lines[1].sku = "NOWHERE"
    await company.deliver()
    await company.held(WOO, order.id)
    company.woo.set_quantity(order.id, 1, 0)
    await company.deliver()
    document = await company.document(WOO, order.id, revision=2)
    assert lines(document) == [("MUG", 1)]


async def test_an_order_that_does_not_add_up_is_held_and_never_booked(company: Company) -> None:
    """FC-023: refused before posting."""
    order = company.woo.place_order([Item("MUG", 3)])
    company.woo.spoiled[order.id] = lambda shown: {**shown, "total": "99.00"}
    await company.deliver()
    assert (await company.held(WOO, order.id))[0] == "UNBALANCED"
    assert company.documents(WOO, order.id) == []


async def test_an_edit_after_the_document_was_confirmed_is_held_for_a_person(company: Company) -> None:
    """The document is locked by its state; nothing is overwritten in silence."""
    order = company.woo.place_order([Item("MUG")])
    await company.deliver()
    document = await company.document(WOO, order.id)
    company.woo.set_quantity(order.id, 0, 9)
    await company.deliver()
    assert (await company.held(WOO, order.id))[0] == "LOCKED"
    assert lines(document) == [("MUG", 1)]


async def test_a_storm_of_updates_is_a_bounded_number_of_writes(company: Company) -> None:
    """FC-103: three hundred updates of one order; the ERP is written to a few times and ends in the last state."""
    async with never_confirming(company):
        order = company.woo.place_order([Item("MUG")])
        await company.deliver()
        for number in range(300):
            company.woo.set_quantity(order.id, 0, number % 7 + 2)
            if number % 10 == 0:
                await company.deliver()
        await company.deliver()
        await company.recorded(WOO, order.id)
    document = await company.document(WOO, order.id, revision=2)
    assert lines(document) == [("MUG", 299 % 7 + 2)]
    written = [entry for entry in company.odoo.journal.entries if entry.key == document.external_id]
    assert len(written) < 60


async def test_lost_replies_of_the_erp_make_no_second_document(company: Company) -> None:
    """FC-001, FC-013: every second load is applied and its answer lost; what is found is checked to be ours."""
    rule = Rule(Fault.LOST_REPLY, "sale.order.load", every=2)
    company.odoo.faults.rules.append(rule)
    try:
        orders = [company.woo.place_order([Item("MUG", number)]) for number in range(1, 9)]
        await company.deliver()
        for order in orders:
            assert (await company.document(WOO, order.id)).amount_total == order.sums.total
    finally:
        company.odoo.faults.rules.remove(rule)
    assert rule.struck


async def test_an_erp_that_takes_longer_than_a_lease_gets_its_orders(company: Company) -> None:
    """F16: the look-ups of one wave outlast the lease of its lanes, which the sweeper must not take anew meanwhile."""
    rule = Rule(Fault.SLOW, "*", seconds=company.installation.timing.lease_s * 0.6)
    company.odoo.faults.rules.append(rule)
    try:
        orders = [company.woo.place_order([Item("MUG", number)]) for number in (1, 2, 3)]
        await company.deliver()
        for order in orders:
            await company.document(WOO, order.id)
    finally:
        company.odoo.faults.rules.remove(rule)


async def test_an_echo_of_what_was_written_into_the_store_changes_nothing(company: Company) -> None:
    """FC-065: a document number as a tag or a hidden field makes the store send an update of the same order."""
    bought, sold = company.woo.place_order([Item("MUG")]), company.shop.place_order(Cart([TEA]))
    await company.deliver()
    before = [await company.document(WOO, bought.id), await company.document(SHOPIFY, sold.id)]
    was = [(one.state, amounts(one), lines(one)) for one in before]
    entries = len(company.odoo.journal.entries)
    company.woo.edit(bought.id, lambda order, cart: order.meta.update({"_erp_number": before[0].name}))
    company.shop.tag(sold.id, before[1].name)
    await company.deliver()
    await company.recorded(WOO, bought.id)
    await company.recorded(SHOPIFY, sold.id)
    await company.quiet()
    assert [await company.stands(WOO, bought.id), await company.stands(SHOPIFY, sold.id)] == [None, None]
    assert [(one.state, amounts(one), lines(one)) for one in before] == was
    # A tag is content of the order, but of no document of Odoo; the hidden field is not even that.
    assert company.odoo.journal.entries[entries:] == []
    assert await company.applied(order_key(WOO, str(bought.id))) == 1


async def test_an_echo_does_not_clear_what_holds_an_order(company: Company) -> None:
    """FC-065: the mistake is still there, and so is the hold."""
    order = company.woo.place_order([Item("MUG", 2)])
    order.lines[0].sku = "UNHEARD-OF"
    await company.deliver()
    held = await company.held(WOO, order.id)
    company.woo.edit(order.id, lambda order, cart: order.meta.update({"_erp_state": "held"}))
    await company.deliver()
    await company.recorded(WOO, order.id)
    await company.quiet()
    assert await company.held(WOO, order.id) == held
    assert company.documents(WOO, order.id) == []
