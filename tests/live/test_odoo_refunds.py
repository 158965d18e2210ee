"""Refunds and cancellations against a real Odoo server, version 16 to 19. Run by `make live`; see `test_odoo.py`."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from adapters.odoo import OdooAdapter
from tallystick.ports import Applied, Doubt, Job, NotApplied, Refused, Verdict
from tallystick.reasons import HoldReason
from tests.unit.adapters.odoo import jobs
from tests.unit.adapters.odoo.jobs import credited, deliver, deliver_to, job, prepared, refund_job, revised, step

from .odoo_company import MUG, OdooCompany
from .odoo_orders import again, fresh, probed

pytestmark = pytest.mark.live
ONE_MUG = {**jobs.ONE_MUG, "sku": MUG}
TWO_MUGS = {**ONE_MUG, "quantity": 2, "amount": {"gross": "21.40"}}
SHIPPING = {"id": "9", "title": "Courier", "amount": {"gross": "5.35"}, "taxes": [{"rate_percent": "7"}]}


async def refunded(adapter: OdooAdapter, order: Job, *lines: dict[str, Any], **parts: Any) -> Job:
    """The effect of a refund of an order."""
    return refund_job(credited(jobs.document_of(order), *(lines or (ONE_MUG,)), **parts), order)


# ---- credit notes ------------------------------------------------------------------------------------------------


async def test_a_refund_is_a_posted_credit_note_beside_the_order(adapter: OdooAdapter, company: OdooCompany) -> None:
    order = await deliver(adapter, job(fresh()))
    before = await company.order(order.external_id)
    done = await deliver_to(adapter.refunds, await refunded(adapter, order, shipping_lines=[SHIPPING]))
    credit = await company.credit(done.external_id)
    assert (credit["state"], credit["move_type"], credit["currency_id"][1]) == ("posted", "out_refund", "EUR")
    assert (credit["amount_untaxed"], credit["amount_tax"], credit["amount_total"]) == (15.0, 1.05, 16.05)
    assert credit["partner_id"] == before["partner_id"]
    assert credit["ref"] == f"{before['client_order_ref']} refund 9"
    assert credit["invoice_origin"] == f"{before['name']} [{done.mark}]"
    assert credit["invoice_date"] == "2026-11-25"
    assert [(line["quantity"], line["price_unit"], line["taxes"]) for line in credit["lines"]] == [
        (1, 10.7, ["tax_7_included"]),
        (1, 5.35, ["tax_7_included"]),
    ]
    assert await company.order(order.external_id) == before
    (found,) = await adapter.refunds.probe(adapter.refunds.steps(done.document)[0], [done], whole=True)
    assert found.verdict is Verdict.THIS, found.detail


async def test_a_draft_order_has_a_credit_note_too(adapter: OdooAdapter, company: OdooCompany) -> None:
    order = await deliver(adapter, job(replace(fresh(), confirm=False)))
    done = await deliver_to(adapter.refunds, await refunded(adapter, order))
    assert (await company.credit(done.external_id))["amount_total"] == 10.7


@pytest.mark.parametrize(("currency", "gross"), [("JPY", "1624"), ("KWD", "12.340")])
async def test_no_decimals_and_three(adapter: OdooAdapter, company: OdooCompany, currency: str, gross: str) -> None:
    tea = {"sku": MUG, "quantity": 1, "amount": {"gross": gross}, "taxes": [{"rate_percent": "8"}]}
    order = await deliver(adapter, job(fresh(tea, currency_code=currency)))
    done = await deliver_to(adapter.refunds, await refunded(adapter, order, {**tea, "line_id": "1", "restock": "no"}))
    credit = await company.credit(done.external_id)
    assert (credit["currency_id"][1], credit["amount_total"]) == (currency, float(gross))


async def test_what_is_by_policy_a_draft_stays_one(adapter: OdooAdapter, company: OdooCompany) -> None:
    order = await deliver(adapter, job(fresh()))
    made = await refunded(adapter, order)
    done = await deliver_to(adapter.refunds, refund_job(replace(jobs.refund_of(made), confirm=False), order))
    assert (await company.credit(done.external_id))["state"] == "draft"


async def test_the_same_refund_three_times_is_one_credit_note(adapter: OdooAdapter, company: OdooCompany) -> None:
    """FC-001, FC-062: nobody knows of the earlier ones, posted or not."""
    order = await deliver(adapter, job(fresh()))
    made = await refunded(adapter, order)
    await deliver_to(adapter.refunds, made, until="load")
    first = await deliver_to(adapter.refunds, made)
    third = await deliver_to(adapter.refunds, made)
    assert first.external_id == third.external_id
    credit = await company.credit(third.external_id)
    assert len(await company.credits_of(credit["ref"])) == 1
    assert (len(credit["lines"]), credit["amount_total"]) == (1, 10.7)


async def test_parallel_loads_and_postings_make_one(adapter: OdooAdapter, company: OdooCompany) -> None:
    """FC-002, FC-006"""
    order = await deliver(adapter, job(fresh()))
    made = await refunded(adapter, order)
    answers = await asyncio.gather(*(step(adapter.refunds, "load", made) for _ in range(4)))
    kinds = {type(answer) for (answer,) in answers}
    assert Applied in kinds
    assert kinds <= {Applied, NotApplied}
    known = await deliver_to(adapter.refunds, made, until="check")
    answers = await asyncio.gather(*(step(adapter.refunds, "post", known) for _ in range(4)))
    assert {type(answer) for (answer,) in answers} == {Applied}
    credit = await company.credit(known.external_id)
    assert (credit["state"], credit["amount_total"]) == ("posted", 10.7)
    assert len(await company.credits_of(credit["ref"])) == 1


async def test_a_posted_credit_note_is_not_changed(adapter: OdooAdapter, company: OdooCompany) -> None:
    """Odoo 16 would let a load change what is posted, Odoo 19 refuses it; neither is asked."""
    order = await deliver(adapter, job(fresh()))
    done = await deliver_to(adapter.refunds, await refunded(adapter, order))
    other = await refunded(adapter, order, {**ONE_MUG, "quantity": 2, "amount": {"gross": "21.40"}})
    (answer,) = await step(adapter.refunds, "load", replace(other, external_id=done.external_id))
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.LOCKED
    assert (await company.credit(done.external_id))["amount_total"] == 10.7


async def test_a_deleted_credit_note_is_never_made_anew(adapter: OdooAdapter, company: OdooCompany) -> None:
    order = await deliver(adapter, job(fresh()))
    made = await deliver_to(adapter.refunds, await refunded(adapter, order), until="check")
    await company.act("account.move", "unlink", [int(made.external_id or 0)])
    (answer,) = await adapter.refunds.prepare([made])
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.DELETED_IN_TARGET


async def test_a_cancelled_credit_note_is_not_posted(adapter: OdooAdapter, company: OdooCompany) -> None:
    """Odoo 16 would post it."""
    order = await deliver(adapter, job(fresh()))
    made = await deliver_to(adapter.refunds, await refunded(adapter, order), until="check")
    await company.act("account.move", "button_cancel", [int(made.external_id or 0)])
    (answer,) = await step(adapter.refunds, "post", made)
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.LOCKED
    assert (await company.credit(made.external_id))["state"] == "cancel"


async def test_with_billing_four_groups_are_enough(company: OdooCompany) -> None:
    rights = ("sales_team.group_sale_salesman_all_leads", "base.group_partner_manager", "base.group_erp_manager")
    adapter = OdooAdapter("live", await company.user(*rights, "account.group_account_invoice"), jobs.CLOCK)
    order = await deliver(adapter, job(fresh()))
    done = await deliver_to(adapter.refunds, await refunded(adapter, order))
    assert (await company.credit(done.external_id))["state"] == "posted"
    await adapter.close()


# ---- cancellations -----------------------------------------------------------------------------------------------


def cancelled(order: Job) -> Job:
    """The revision in which the order is cancelled."""
    made = again(jobs.document_of(order), state="cancelled")
    return revised(order, made, order.revision + 1)


@pytest.mark.parametrize("confirm", [True, False], ids=["confirmed", "draft"])
async def test_an_order_is_cancelled(adapter: OdooAdapter, company: OdooCompany, confirm: bool) -> None:
    """FC-063: Odoo 16 asks back, unless it is told not to."""
    order = await deliver(adapter, job(replace(fresh(), confirm=confirm)))
    ended = cancelled(order)
    assert (await probed(adapter, "cancel", ended)).verdict is Verdict.OLDER
    done = await deliver_to(adapter.orders, ended)
    found = await company.order(done.external_id)
    assert (found["state"], found["origin"]) == ("cancel", f"Web shop [{done.mark}]")
    assert (await probed(adapter, "cancel", ended)).verdict is Verdict.THIS
    assert (await probed(adapter, "mark", ended)).verdict is Verdict.THIS
    assert (await deliver_to(adapter.orders, ended)).external_id == order.external_id


async def test_a_delivered_or_invoiced_order_is_held(adapter: OdooAdapter, company: OdooCompany) -> None:
    """Odoo would cancel it, and leave goods and invoice as they are."""
    order = await deliver(adapter, job(fresh()))
    await company.ship(int(order.external_id or 0))
    (answer,) = await step(adapter.orders, "cancel", cancelled(order))
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.LOCKED
    assert "is delivered in Odoo" in answer.detail
    await company.invoice(int(order.external_id or 0))
    (answer,) = await step(adapter.orders, "cancel", cancelled(order))
    assert isinstance(answer, Refused)
    assert (await company.order(order.external_id))["state"] in ("sale", "done")


async def test_cancelling_many_takes_out_the_one_that_cannot(adapter: OdooAdapter, company: OdooCompany) -> None:
    """A person locks one after its state was read: Odoo 19 refuses the whole call, 16 cancels it too."""
    orders = [cancelled(await deliver(adapter, job(fresh()))) for _ in range(3)]
    ready = await prepared(adapter.orders, *orders)
    await company.lock(int(orders[1].external_id or 0))
    steps = adapter.orders.steps(orders[0].document)
    answers = await adapter.orders.send(steps[0], ready, jobs.budget(120))
    states = [(await company.order(one.external_id))["state"] for one in orders]
    if company.version < 17:
        assert states == ["cancel"] * 3
    else:
        assert states == ["cancel", "sale", "cancel"]
        assert isinstance(answers[1], Refused)
        assert answers[1].reason is HoldReason.LOCKED
    assert [type(answers[0]), type(answers[2])] == [Applied, Applied]


async def test_parallel_cancellations(adapter: OdooAdapter, company: OdooCompany) -> None:
    ended = cancelled(await deliver(adapter, job(fresh())))
    answers = await asyncio.gather(*(step(adapter.orders, "cancel", ended) for _ in range(3)))
    assert {type(answer) for (answer,) in answers} <= {Applied, NotApplied, Doubt}
    assert (await company.order(ended.external_id))["state"] == "cancel"


async def test_what_comes_back_to_life_is_held(adapter: OdooAdapter, company: OdooCompany) -> None:
    order = await deliver(adapter, job(fresh()))
    ended = await deliver_to(adapter.orders, cancelled(order))
    third = revised(ended, again(jobs.document_of(order)), 3)
    made = await deliver_to(adapter.orders, replace(third, dependencies=order.dependencies), until="check")
    (answer,) = await step(adapter.orders, "confirm", made)
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.LOCKED


# ---- goods that come back ----------------------------------------------------------------------------------------


async def test_restocked_goods_make_a_return_that_is_ready(adapter: OdooAdapter, company: OdooCompany) -> None:
    """Three times over; the warehouse receives it, and the order's delivered quantity falls."""
    order = await deliver(adapter, job(fresh()))
    await company.ship(int(order.external_id or 0))
    made = await refunded(adapter, order, {**TWO_MUGS, "restock": "yes"})
    assert [one.name for one in adapter.refunds.steps(made.document)] == ["load", "check", "post", "return", "ready"]
    done = [await deliver_to(adapter.refunds, made) for _ in range(3)][-1]
    (back,) = await company.returns(int(order.external_id or 0))
    credit = await company.credit(done.external_id)
    assert (back["state"], back["origin"]) == ("assigned", f"{credit['ref']} [{made.mark}]")
    assert [(move["product_uom_qty"], move["to_refund"]) for move in back["moves"]] == [(2, True)]
    await company.receive(back["id"])
    lines = (await company.order(order.external_id))["lines"]
    assert [line["qty_delivered"] for line in lines] == [1, 1]


async def test_goods_that_are_still_to_leave_are_held(adapter: OdooAdapter, company: OdooCompany) -> None:
    """Two of three mugs have left; all three were put back into stock in the store."""
    order = await deliver(adapter, job(fresh()))
    await company.ship(int(order.external_id or 0), 2)
    three = {**ONE_MUG, "quantity": 3, "amount": {"gross": "32.10"}, "restock": "yes"}
    made = await deliver_to(adapter.refunds, await refunded(adapter, order, three), until="post")
    (answer,) = await step(adapter.refunds, "return", made)
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.LOCKED
    assert f"1 of '{MUG}' were refunded" in answer.detail
    await company.stop_delivery(int(order.external_id or 0))
    await deliver_to(adapter.refunds, made)
    (back,) = await company.returns(int(order.external_id or 0))
    assert [move["product_uom_qty"] for move in back["moves"]] == [2]


async def test_what_never_left_needs_no_return(adapter: OdooAdapter, company: OdooCompany) -> None:
    """The order is cancelled: its delivery is too."""
    order = await deliver(adapter, job(fresh()))
    await deliver_to(adapter.orders, cancelled(order))
    await deliver_to(adapter.refunds, await refunded(adapter, order, {**TWO_MUGS, "restock": "yes"}))
    assert await company.returns(int(order.external_id or 0)) == []


async def test_a_second_return_takes_what_the_first_left(adapter: OdooAdapter, company: OdooCompany) -> None:
    order = await deliver(adapter, job(fresh()))
    await company.ship(int(order.external_id or 0))
    for number in ("9", "10"):
        restocked = await refunded(adapter, order, {**TWO_MUGS, "restock": "yes"}, id=number)
        await deliver_to(adapter.refunds, restocked)
    backs = await company.returns(int(order.external_id or 0))
    assert [move["product_uom_qty"] for back in backs for move in back["moves"]] == [2, 1]
