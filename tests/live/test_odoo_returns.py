"""Returns against a real Odoo server, version 16 to 19. Run by `make live`; see `test_odoo.py`."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.odoo import OdooAdapter
from tallystick.ports import Job, Refused, Verdict
from tallystick.reasons import HoldReason
from tests.unit.adapters.odoo import jobs
from tests.unit.adapters.odoo.jobs import deliver, deliver_to, job, return_job, sent_back, step

from .odoo_company import MUG, OdooCompany
from .odoo_orders import fresh

pytestmark = pytest.mark.live
TWO_BACK = {**jobs.MUG_BACK, "sku": MUG, "quantity": 2}


async def shipped(adapter: OdooAdapter, company: OdooCompany) -> Job:
    """An order whose goods have all left."""
    order = await deliver(adapter, job(fresh()))
    await company.ship(int(order.external_id or 0))
    return order


def back(order: Job, **parts: Any) -> Job:
    """The effect of a return of two mugs."""
    return return_job(sent_back(jobs.document_of(order), TWO_BACK, **parts), order)


def over(order: Job, made: Job) -> Job:
    """The next revision of that return: it came to nothing."""
    told = replace(sent_back(jobs.document_of(order), TWO_BACK), lines=(), cancelled=True)
    return return_job(told, order, revision=2, external_id=made.external_id)


async def test_a_return_is_a_transfer_that_is_ready(adapter: OdooAdapter, company: OdooCompany) -> None:
    """FC-001: three times over; the warehouse receives it, and the order's delivered quantity falls."""
    order = await shipped(adapter, company)
    made = back(order)
    done = [await deliver_to(adapter.returns, made) for _ in range(3)][-1]
    (found,) = await company.returns(int(order.external_id or 0))
    assert (found["state"], str(found["id"])) == ("assigned", done.external_id)
    assert found["origin"].endswith(f"[{made.mark}]")
    assert [(move["product_uom_qty"], move["to_refund"]) for move in found["moves"]] == [(2, True)]
    await company.receive(found["id"])
    lines = (await company.order(order.external_id))["lines"]
    assert [line["qty_delivered"] for line in lines] == [1, 1]
    (told,) = await adapter.returns.probe(adapter.returns.steps(done.document)[0], [done], whole=True)
    assert told.verdict is Verdict.THIS, told.detail


async def test_one_that_came_to_nothing_is_cancelled_unless_it_was_received(
    adapter: OdooAdapter, company: OdooCompany
) -> None:
    order = await shipped(adapter, company)
    done = await deliver_to(adapter.returns, back(order))
    for _ in range(2):
        await deliver_to(adapter.returns, over(order, done))
    again = await deliver_to(adapter.returns, back(order, id="6"))
    states = {str(one["id"]): one["state"] for one in await company.returns(int(order.external_id or 0))}
    assert states == {done.external_id: "cancel", again.external_id: "assigned"}
    await company.receive(int(again.external_id or 0))
    (answer,) = await step(adapter.returns, "cancel", over(order, again))
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.LOCKED


async def test_goods_that_have_not_left_yet_hold_it(adapter: OdooAdapter, company: OdooCompany) -> None:
    order = await deliver(adapter, job(fresh()))
    (answer,) = await step(adapter.returns, "load", back(order))
    assert isinstance(answer, Refused)
    assert "have not left yet" in answer.detail
    assert await company.returns(int(order.external_id or 0)) == []
