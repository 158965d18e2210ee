"""What a real Odoo makes of repeats, lost answers, several writers, edits, deletions and bad content (`test_odoo`)."""

import asyncio
from dataclasses import replace

import pytest

from adapters.odoo import OdooAdapter
from adapters.odoo.readback import document_of
from tallystick.ports import Answer, Applied, Doubt, Job, NotApplied, Refused, Verdict
from tallystick.reasons import HoldReason
from tests.unit.adapters.odoo.jobs import (
    CLOCK,
    budget,
    deliver,
    job,
    prepared,
    revised,
    step,
    step_of,
    with_customer,
)

from .odoo_company import DESK, MUG, POSTER, OdooCompany
from .odoo_orders import MUGS, TABLE, again, fresh, probed, refused

pytestmark = pytest.mark.live


# ---- repeats and lost answers ------------------------------------------------------------------------------------


async def test_the_same_revision_sent_twice_is_one_order(adapter: OdooAdapter, company: OdooCompany) -> None:
    """FC-001, FC-007: the answer of the first is thrown away, and nobody knows of it when the second is sent."""
    (ready,) = await prepared(adapter.orders, await with_customer(adapter, job(fresh())))
    load = step_of(adapter.orders, ready, "load")
    await adapter.orders.send(load, [ready], budget())
    found = await probed(adapter, "load", replace(ready, ready=None))
    assert found.verdict is Verdict.THIS
    (second,) = await adapter.orders.send(load, [ready], budget())
    assert isinstance(second, Applied)
    assert second.external_id == found.external_id
    assert await company.orders_of(document_of(ready).number) == [int(second.external_id)]
    assert len((await company.order(second.external_id))["lines"]) == 2


async def test_an_answer_that_was_lost_on_the_way(adapter: OdooAdapter, company: OdooCompany) -> None:
    """FC-007: the client gives up while the server is still at work; the server commits all the same."""
    many = [{**MUGS, "id": str(place)} for place in range(1, 81)]
    (ready,) = await prepared(adapter.orders, await with_customer(adapter, job(fresh(*many))))
    load = step_of(adapter.orders, ready, "load")
    (answer,) = await adapter.orders.send(load, [ready], budget(0.1))
    assert isinstance(answer, Doubt), answer
    async with asyncio.timeout(120):
        while (found := await probed(adapter, "load", replace(ready, ready=None))).verdict is not Verdict.THIS:
            assert found.verdict is Verdict.ABSENT
            await asyncio.sleep(0.2)
    (second,) = await adapter.orders.send(load, [ready], budget(120))
    assert isinstance(second, Applied)
    assert await company.orders_of(document_of(ready).number) == [int(second.external_id)]
    assert len((await company.order(second.external_id))["lines"]) == 80


async def test_two_writers_at_once_make_one_order(company: OdooCompany) -> None:
    """Both saw no order. The one that comes second folds into the first, or is rolled back and told so."""
    adapters = [OdooAdapter("live", company.settings(), CLOCK) for _ in range(2)]
    made = await with_customer(adapters[0], job(fresh()))
    ready = [(await prepared(one.orders, made))[0] for one in adapters]
    load = step_of(adapters[0].orders, made, "load")
    sent = [one.orders.send(load, [mine], budget(60)) for one, mine in zip(adapters, ready, strict=True)]
    answers = [answer for many in await asyncio.gather(*sent) for answer in many]
    assert all(isinstance(answer, Applied | NotApplied) for answer in answers), answers
    assert any(isinstance(answer, Applied) for answer in answers)
    (order,) = await company.orders_of(document_of(made).number)
    assert len((await company.order(str(order)))["lines"]) == 2
    for one in adapters:
        assert await step(one.orders, "load", made, seconds=60) == [Applied(str(order))]
        await one.close()


async def test_two_who_confirm_at_once_confirm_once(company: OdooCompany) -> None:
    """Odoo 16 fails with a message about followers, 19 says that the state is wrong: both mean that it is done."""
    adapters = [OdooAdapter("live", company.settings(), CLOCK) for _ in range(2)]
    draft = await deliver(adapters[0], job(fresh()), until="check")
    ready = [(await prepared(one.orders, draft))[0] for one in adapters]
    confirm = step_of(adapters[0].orders, draft, "confirm")
    sent = [one.orders.send(confirm, [mine], budget(60)) for one, mine in zip(adapters, ready, strict=True)]
    answers = [answer for many in await asyncio.gather(*sent) for answer in many]
    assert all(isinstance(answer, Applied) for answer in answers), answers
    assert len(await company.find("stock.picking", [["sale_id", "=", int(draft.external_id or 0)]], "id")) == 1
    for one in adapters:
        await one.close()


# ---- later revisions ---------------------------------------------------------------------------------------------


async def test_an_edit_changes_the_draft_and_empties_a_removed_line(adapter: OdooAdapter, company: OdooCompany) -> None:
    draft = await deliver(adapter, job(replace(fresh(), confirm=False)))
    third = {"id": "13", "sku": POSTER, "quantity": 1, "amount": {"gross": "12.00"}}
    edited = again(document_of(draft), {**MUGS, "quantity": 2, "amount": {"gross": "21.40"}}, third)
    second = await deliver(adapter, revised(draft, edited, 2))
    order = await company.order(draft.external_id)
    assert [(line["product_uom_qty"], line["price_total"]) for line in order["lines"]] == [(2, 21.4), (0, 0), (1, 12)]
    assert order["lines"][2]["taxes"] == []
    assert (order["state"], order["amount_total"]) == ("sale", 33.4)
    assert order["origin"].endswith(f"[{second.mark}]")
    assert (await probed(adapter, "load", draft)).verdict is Verdict.NEWER


async def test_what_people_chose_on_a_quotation_stays(adapter: OdooAdapter, company: OdooCompany) -> None:
    """Odoo takes payment term and pricelist anew from the customer when one is written, even the same."""
    draft = await deliver(adapter, job(replace(fresh(), confirm=False)))
    term = await company.id_of("tallystick_demo.term_by_hand")
    await company.act("sale.order", "write", [int(draft.external_id or 0)], {"payment_term_id": term})
    await deliver(adapter, revised(draft, again(document_of(draft), MUGS), 2))
    order = await company.order(draft.external_id)
    assert (order["payment_term_id"] and order["payment_term_id"][0], order["currency_id"][1]) == (term, "EUR")


async def test_a_confirmed_order_is_changed_by_nobody_but_people(adapter: OdooAdapter, company: OdooCompany) -> None:
    """Odoo itself would take the change. A revision without a difference moves the mark, on a locked order too."""
    first = await deliver(adapter, job(fresh()))
    edit = revised(first, again(document_of(first), MUGS), 2)
    answer = await refused(adapter, "load", edit)
    assert answer.reason is HoldReason.LOCKED
    assert "line 12 was removed in the store, Odoo has it with quantity 1" in answer.detail
    await company.lock(int(first.external_id or 0))
    assert (await refused(adapter, "load", edit)).reason is HoldReason.LOCKED
    same = await deliver(adapter, revised(first, document_of(first), 3))
    order = await company.order(first.external_id)
    assert order["origin"].endswith(f"[{same.mark}]")
    assert (order["amount_total"], order["date_order"]) == (151.1, "2026-11-20 12:00:00")


async def test_a_late_create_does_not_undo_a_confirmation(adapter: OdooAdapter, company: OdooCompany) -> None:
    """The request of the same revision that was given up lands after the order was confirmed and dated."""
    (late,) = await prepared(adapter.orders, await with_customer(adapter, job(fresh())))
    done = await deliver(adapter, replace(late, ready=None))
    await adapter.orders.send(step_of(adapter.orders, late, "load"), [late], budget())
    order = await company.order(done.external_id)
    assert await company.orders_of(document_of(done).number) == [order["id"]]
    assert (order["state"], order["amount_total"], order["date_order"]) == ("sale", 151.1, "2026-11-20 12:00:00")
    assert (await probed(adapter, "date", done)).verdict is Verdict.THIS


# ---- deleted, refused, one bad among many ------------------------------------------------------------------------


async def test_a_deleted_order_is_not_made_anew(adapter: OdooAdapter, company: OdooCompany) -> None:
    """Nor by a load that was prepared before: an update names no customer, without which Odoo makes no order."""
    draft = await deliver(adapter, job(fresh()), until="load")
    ready = await prepared(adapter.orders, draft)
    await company.act("sale.order", "unlink", [int(draft.external_id or 0)])
    assert (await probed(adapter, "load", draft)).verdict is Verdict.ABSENT
    (held,) = await adapter.orders.prepare([draft])
    assert isinstance(held, Refused)
    assert held.reason is HoldReason.DELETED_IN_TARGET
    (late,) = await adapter.orders.send(step_of(adapter.orders, draft, "load"), ready, budget())
    assert isinstance(late, Refused), late
    assert await company.orders_of(document_of(draft).number) == []


async def test_products_and_taxes_that_odoo_does_not_have(adapter: OdooAdapter) -> None:
    nothing = fresh({"sku": "TALLYSTICK-NOTHING", "quantity": 1, "amount": {"gross": "1.00"}})
    mugs = fresh(MUGS)
    taxed = replace(mugs, lines=(replace(mugs.lines[0], taxes=("tallystick_demo.no_such_tax",)),))
    for made, words in ((nothing, "'TALLYSTICK-NOTHING'"), (taxed, "'tallystick_demo.no_such_tax'")):
        (held,) = await adapter.orders.prepare([await with_customer(adapter, job(made))])
        assert isinstance(held, Refused)
        assert held.reason is HoldReason.MAPPING
        assert words in held.detail


def stale(ready: Job) -> Job:
    """As if the product had been deleted after it was looked up."""
    return replace(ready, ready=replace(ready.ready, products={MUG: 2_000_000_000, DESK: 2_000_000_000}))


async def test_one_bad_order_among_many_does_not_stop_the_others(adapter: OdooAdapter, company: OdooCompany) -> None:
    """Odoo refuses the whole call and names the rows: those are taken out, the rest is sent again."""
    made = [await with_customer(adapter, job(fresh(MUGS, TABLE))) for _ in range(12)]
    ready = await prepared(adapter.orders, *made)
    ready[5] = stale(ready[5])
    answers = await adapter.orders.send(step_of(adapter.orders, made[0], "load"), ready, budget(120))
    bad = answers[5]
    assert isinstance(bad, Refused), bad
    assert "No matching record found" in bad.detail
    assert await company.orders_of(document_of(made[5]).number) == []
    for one, answer in zip(made, answers, strict=True):
        if answer is not bad:
            await _made_once(company, one, answer)


async def _made_once(company: OdooCompany, made: Job, answer: Answer) -> None:
    assert isinstance(answer, Applied), answer
    assert await company.orders_of(document_of(made).number) == [int(answer.external_id)]


async def test_one_that_cannot_be_confirmed_does_not_stop_the_others(
    adapter: OdooAdapter, company: OdooCompany
) -> None:
    """A person cancels one after its state was read. Odoo refuses the call for all of them."""
    drafts = [await deliver(adapter, job(fresh()), until="check") for _ in range(4)]
    ready = await prepared(adapter.orders, *drafts)
    await company.act("sale.order", "action_cancel", [int(drafts[2].external_id or 0)])
    answers = await adapter.orders.send(step_of(adapter.orders, drafts[0], "confirm"), ready, budget(120))
    assert [type(answer) for answer in answers] == [Applied, Applied, Refused, Applied]
    states = [(await company.order(one.external_id))["state"] for one in drafts]
    assert states == ["sale", "sale", "cancel", "sale"]
