"""Orders cancelled in the store whose document is in Odoo already (FC-063): both versions of the double."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.odoo import OdooAdapter
from simulators.faults import Fault, Rule
from simulators.odoo import Odoo
from tallystick.ports import Applied, Doubt, Job, NotApplied, Refused, Verdict
from tallystick.reasons import HoldReason
from tests.unit.adapters.odoo import jobs
from tests.unit.adapters.odoo.jobs import (
    MUGS,
    company,
    connected,
    deliver,
    deliver_to,
    document,
    job,
    prepared,
    revised,
    step,
    step_of,
)


@pytest.fixture(params=["16.0", "19.0"])
def odoo(request: pytest.FixtureRequest) -> Iterator[Odoo]:
    odoo = company(request.param)
    yield odoo
    assert all(rule.struck for rule in odoo.faults.rules), "a fault was scripted and never struck"


@pytest.fixture
async def adapter(odoo: Odoo) -> AsyncIterator[OdooAdapter]:
    async with connected(odoo) as adapter:
        yield adapter


@pytest.fixture
async def order(adapter: OdooAdapter) -> Job:
    """A confirmed order."""
    return await deliver(adapter, job(document()))


def cancelled(order: Job, revision: int = 2) -> Job:
    """The revision in which it is cancelled."""
    made = jobs.document_of(order)
    return revised(order, document(id=made.order_id, number=made.number, state="cancelled"), revision)


async def refused(adapter: OdooAdapter, name: str, made: Job) -> Refused:
    (answer,) = await step(adapter.orders, name, made)
    assert isinstance(answer, Refused), answer
    return answer


async def verdict(adapter: OdooAdapter, name: str, made: Job, *, whole: bool = False) -> Verdict:
    (found,) = await adapter.orders.probe(step_of(adapter.orders, made, name), [made], whole=whole)
    return found.verdict


def by_person(odoo: Odoo, method: str, *arguments: Any) -> None:
    odoo.act("sale.order", method, [odoo.orders[0].id], *arguments)


async def test_nothing_changes_but_state_and_mark(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    """Odoo 16 asks back unless it is told not to; the delivery goes with the order."""
    lines = [dict(line.row) for line in odoo.orders[0].lines]
    ended = cancelled(order)
    assert [one.name for one in adapter.orders.steps(ended.document)] == ["cancel", "mark"]
    assert await verdict(adapter, "cancel", ended) is Verdict.OLDER
    done = await deliver_to(adapter.orders, ended)
    assert (odoo.orders[0].state, odoo.orders[0].origin) == ("cancel", f"Web shop [{done.mark}]")
    assert {picking.row["state"] for picking in odoo.orders[0].pickings} == {"cancel"}
    assert [dict(line.row) for line in odoo.orders[0].lines] == lines
    assert await verdict(adapter, "cancel", ended, whole=True) is Verdict.THIS
    assert await verdict(adapter, "mark", ended) is Verdict.THIS


@pytest.mark.parametrize("method", ["", "action_quotation_sent"])
async def test_a_draft_and_a_sent_quotation(adapter: OdooAdapter, odoo: Odoo, method: str) -> None:
    draft = await deliver(adapter, job(replace(document(), confirm=False)))
    if method:
        by_person(odoo, method)
    await deliver_to(adapter.orders, cancelled(draft))
    assert odoo.orders[0].state == "cancel"


async def test_half_made_orders_are_cancelled_too(adapter: OdooAdapter, odoo: Odoo) -> None:
    """The cancellation came between load and confirmation."""
    half = await deliver(adapter, job(document()), until="load")
    await deliver_to(adapter.orders, cancelled(half))
    assert (odoo.orders[0].state, odoo.journal.of("confirmed")) == ("cancel", [])


async def test_its_products_may_be_gone(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    gone = odoo.act("product.product", "search", [["default_code", "=", "MUG"]])
    odoo.act("product.product", "write", gone, {"active": False})
    await deliver_to(adapter.orders, cancelled(order))
    assert odoo.orders[0].state == "cancel"


async def test_again_and_again_it_is_cancelled_once(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    for _ in range(3):
        await deliver_to(adapter.orders, cancelled(order))
    assert len(odoo.journal.of("cancelled")) == 1


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.HTML_ANSWER, Fault.NEVER_APPLIED])
@pytest.mark.parametrize("name", ["cancel", "mark"])
async def test_a_lost_answer_is_settled_by_a_look(
    adapter: OdooAdapter, odoo: Odoo, order: Job, fault: Fault, name: str
) -> None:
    ended = cancelled(order)
    if name == "mark":
        await step(adapter.orders, "cancel", ended)
    odoo.faults.rules.append(Rule(fault, "sale.order.action_cancel|sale.order.load", first=1))
    (answer,) = await step(adapter.orders, name, ended)
    assert isinstance(answer, Doubt)
    expected = Verdict.OLDER if fault is Fault.NEVER_APPLIED else Verdict.THIS
    assert await verdict(adapter, name, ended) is expected
    await deliver_to(adapter.orders, ended)
    assert odoo.orders[0].state == "cancel"
    assert len(odoo.journal.of("cancelled")) == 1


async def test_two_who_cancel(odoo: Odoo) -> None:
    async with connected(odoo) as adapter:
        ended = cancelled(await deliver(adapter, job(document())))
        odoo.settings.contention = True
        odoo.settings.latency_s = 0.05
        answers = await asyncio.gather(*(step(adapter.orders, "cancel", ended) for _ in range(4)))
    assert {type(answer) for (answer,) in answers} <= {Applied, NotApplied}
    assert odoo.orders[0].state == "cancel"


@pytest.mark.parametrize(("field", "word"), [("qty_delivered", "delivered"), ("qty_invoiced", "invoiced")])
async def test_what_has_left_or_is_invoiced_is_held(
    adapter: OdooAdapter, odoo: Odoo, order: Job, field: str, word: str
) -> None:
    """Odoo would cancel it, and leave goods and invoice as they are."""
    odoo.act("sale.order.line", "write", [odoo.orders[0].lines[0].id], {field: 1})
    answer = await refused(adapter, "cancel", cancelled(order))
    assert answer.reason is HoldReason.LOCKED
    assert f"the order S00001 is cancelled in the store, but is {word} in Odoo" in answer.detail
    assert odoo.orders[0].state == "sale"


async def test_a_locked_order(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    """Odoo 16 cancels it all the same, Odoo 19 wants it unlocked first."""
    by_person(odoo, "action_done" if odoo.db.version == 16 else "action_lock")
    if odoo.db.version == 16:
        await deliver_to(adapter.orders, cancelled(order))
        return
    answer = await refused(adapter, "cancel", cancelled(order))
    assert answer.reason is HoldReason.LOCKED
    assert "Odoo refuses to cancel the order S00001: You cannot cancel a locked order" in answer.detail


async def test_what_a_person_cancelled_gets_the_mark(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    odoo.act("sale.order", "action_cancel", [odoo.orders[0].id], context={"disable_cancel_warning": True})
    done = await deliver_to(adapter.orders, cancelled(order))
    assert len(odoo.journal.of("cancelled")) == 1
    assert odoo.orders[0].origin.endswith(f"[{done.mark}]")


async def test_an_adopted_order_is_for_people(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    named = odoo.act("ir.model.data", "search", [["module", "=", "__tallystick__"], ["model", "=", "sale.order"]])
    odoo.act("ir.model.data", "unlink", named)
    answer = await refused(adapter, "cancel", cancelled(order))
    assert (answer.reason, odoo.orders[0].state) == (HoldReason.LOCKED, "sale")
    assert "was made by hand" in answer.detail


async def test_a_deleted_order_is_told(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    odoo.act("sale.order", "action_cancel", [odoo.orders[0].id], context={"disable_cancel_warning": True})
    by_person(odoo, "unlink")
    (answer,) = await adapter.orders.prepare([cancelled(order)])
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.DELETED_IN_TARGET
    assert await verdict(adapter, "cancel", cancelled(order)) is Verdict.ABSENT


async def test_a_newer_revision_is_not_cancelled_by_an_older_one(adapter: OdooAdapter, odoo: Odoo) -> None:
    draft = await deliver(adapter, job(replace(document(), confirm=False)))
    await step(adapter.orders, "load", revised(draft, document(MUGS), 3))
    assert await verdict(adapter, "cancel", cancelled(draft)) is Verdict.NEWER
    (answer,) = await step(adapter.orders, "cancel", cancelled(draft))
    assert answer == Doubt("a newer revision stands in Odoo", unanswered=False)
    assert odoo.orders[0].state == "draft"


async def test_what_comes_back_to_life_is_held(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    ended = await deliver_to(adapter.orders, cancelled(order))
    again = replace(revised(ended, document(), 3), dependencies=order.dependencies)
    made = await deliver_to(adapter.orders, again, until="check")
    answer = await refused(adapter, "confirm", made)
    assert (answer.reason, odoo.orders[0].state) == (HoldReason.LOCKED, "cancel")


async def test_many_go_in_one_call(adapter: OdooAdapter, odoo: Odoo) -> None:
    """One that was deleted in between is found by halves."""
    orders = [await deliver(adapter, job(document(MUGS, id=str(n), number=str(n)))) for n in range(1, 6)]
    ready = await prepared(adapter.orders, *map(cancelled, orders))
    third = odoo.orders[2].id
    odoo.act("sale.order", "action_cancel", [third], context={"disable_cancel_warning": True})
    odoo.act("sale.order", "unlink", [third])
    answers = await adapter.orders.send(step_of(adapter.orders, ready[0], "cancel"), ready, jobs.budget())
    assert [type(answer) for answer in answers] == [Applied, Applied, Refused, Applied, Applied]
    assert {one.state for one in odoo.orders} == {"cancel"}
