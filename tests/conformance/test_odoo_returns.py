"""Returns become transfers of Odoo that bring goods back: made, repeated, lost, cancelled; never beside a refund's."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from adapters.odoo import OdooAdapter
from simulators.faults import Fault, Rule
from simulators.odoo import Odoo
from tallystick.ports import Applied, Doubt, Job, NotApplied, Refused, Verdict
from tallystick.reasons import HoldReason
from tests.unit.adapters.odoo import jobs
from tests.unit.adapters.odoo.jobs import (
    MUG_BACK,
    ONE_MUG,
    company,
    connected,
    credited,
    deliver,
    deliver_to,
    document,
    job,
    refund_job,
    return_job,
    sent_back,
    step,
    step_of,
)

ORDER = "__tallystick__.order__odoo__woocommerce__1042"
TWO_BACK = {**MUG_BACK, "quantity": 2}
TWO_MUGS = {**ONE_MUG, "quantity": 2, "amount": {"gross": "21.40"}, "restock": "yes"}


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
    """An order of three mugs and a desk, confirmed."""
    return await deliver(adapter, job(document()))


@pytest.fixture
async def shipped(order: Job, odoo: Odoo) -> Job:
    """All of it has left."""
    odoo.ship(ORDER)
    return order


def back(order: Job, *lines: dict[str, Any], **parts: Any) -> Job:
    """The effect of a return of an order; one mug when no lines are given."""
    return return_job(sent_back(jobs.document_of(order), *lines, **parts), order)


def over(order: Job, made: Job) -> Job:
    """The next revision of that return: it came to nothing."""
    assert made.external_id
    told = replace(sent_back(jobs.document_of(order)), lines=(), cancelled=True)
    return return_job(told, order, revision=2, external_id=made.external_id)


async def refused(adapter: OdooAdapter, name: str, made: Job) -> Refused:
    (answer,) = await step(adapter.returns, name, made)
    assert isinstance(answer, Refused), answer
    return answer


async def verdict(adapter: OdooAdapter, name: str, made: Job, *, whole: bool = False) -> Verdict:
    (found,) = await adapter.returns.probe(step_of(adapter.returns, made, name), [made], whole=whole)
    return found.verdict


def transfers(odoo: Odoo) -> list[tuple[str, list[Decimal]]]:
    """State of the returns, and the quantities of their moves."""
    found: dict[int, list[Decimal]] = {}
    for move in odoo.db.models["stock.move"].table.rows.values():
        if move.get("origin_returned_move_id"):
            found.setdefault(move["picking_id"], []).append(move["product_uom_qty"])
    rows = odoo.db.models["stock.picking"].table.rows
    return [(rows[one]["state"], quantities) for one, quantities in sorted(found.items())]


# ---- what is made ------------------------------------------------------------------------------------------------


async def test_a_transfer_waits_for_the_goods_beside_the_order(adapter: OdooAdapter, odoo: Odoo, shipped: Job) -> None:
    """FC-001: once, however often; it hangs on the order, says why, and no credit note is made."""
    made = back(shipped, TWO_BACK)
    assert [one.name for one in adapter.returns.steps(made.document)] == ["load", "ready"]
    for _ in range(3):
        done = await deliver_to(adapter.returns, made)
    assert transfers(odoo) == [("assigned", [Decimal(2)])]
    transfer = odoo.db.models["stock.picking"].table.rows[int(done.external_id or 0)]
    assert transfer["origin"] == f"1042 return 1042-R1 [{made.mark}]"
    assert transfer["note"] == "<p>2 MUG: too-small</p>"
    assert (len(odoo.orders[0].pickings), odoo.credits) == (2, [])


async def test_goods_go_to_the_places_that_the_contract_names(odoo: Odoo, adapter: OdooAdapter, shipped: Job) -> None:
    desk = odoo.add("stock.location", "shop.desk", {"name": "Desk", "usage": "internal"})
    told = sent_back(jobs.document_of(shipped), {**MUG_BACK, "quantity": 3})
    (line,) = told.lines
    parts = (replace(line, quantity=Decimal(1), location="shop.desk"), replace(line, quantity=Decimal(2)))
    await deliver_to(adapter.returns, return_job(replace(told, lines=parts), shipped))
    moves = [one for one in odoo.db.models["stock.move"].table.rows.values() if one.get("origin_returned_move_id")]
    stock = odoo.db.models["stock.warehouse"].table.rows[1]["lot_stock_id"]
    assert [(one["product_uom_qty"], one["location_dest_id"]) for one in moves] == [(1, desk), (2, stock)]


async def test_a_place_that_leads_nowhere_is_told(adapter: OdooAdapter, shipped: Job) -> None:
    told = sent_back(jobs.document_of(shipped))
    lost = replace(told, lines=(replace(told.lines[0], location="shop.nowhere", product="GONE"),))
    (answer,) = await adapter.returns.prepare([return_job(lost, shipped)])
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.MAPPING
    assert "'GONE'" in answer.detail
    assert "stock.location has no record 'shop.nowhere'" in answer.detail


async def test_by_policy_a_draft_stays_one(adapter: OdooAdapter, odoo: Odoo, shipped: Job) -> None:
    made = return_job(replace(sent_back(jobs.document_of(shipped)), confirm=False), shipped)
    done = await deliver_to(adapter.returns, made)
    assert transfers(odoo) == [("draft", [Decimal(1)])]
    assert await verdict(adapter, "load", done, whole=True) is Verdict.THIS


async def test_two_returns_of_two_deliveries(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    odoo.ship(ORDER, {"11": 1})
    odoo.ship(ORDER)
    await deliver_to(adapter.returns, back(order, TWO_BACK))
    await deliver_to(adapter.returns, back(order, id="6"))
    assert transfers(odoo) == [("assigned", [Decimal(1), Decimal(1)]), ("assigned", [Decimal(1)])]


# ---- what cannot come back ---------------------------------------------------------------------------------------


async def test_goods_that_have_not_left_yet_hold_it(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    """A person validates the delivery, and it goes on."""
    answer = await refused(adapter, "load", back(order))
    assert answer.reason is HoldReason.LOCKED
    assert f"have not left yet: validate {odoo.orders[0].pickings[0].row['name']}" in answer.detail
    odoo.ship(ORDER)
    await deliver_to(adapter.returns, back(order))
    assert transfers(odoo) == [("assigned", [Decimal(1)])]


async def test_more_than_was_delivered_holds_it(adapter: OdooAdapter, odoo: Odoo, shipped: Job) -> None:
    answer = await refused(adapter, "load", back(shipped, {**MUG_BACK, "quantity": 4}))
    assert "1 of 'MUG' come back from the buyer, but Odoo knows of no delivery" in answer.detail
    assert transfers(odoo) == []


async def test_an_odoo_without_stock_takes_nothing_back(odoo: Odoo) -> None:
    del odoo.db.models["sale.order"].fields["picking_ids"]
    async with connected(odoo) as adapter:
        order = await deliver(adapter, job(document()))
        (answer,) = await adapter.returns.prepare([back(order)])
    assert isinstance(answer, Refused)
    assert "keeps no stock" in answer.detail


async def test_without_its_order_it_is_held(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    odoo.act("sale.order", "action_cancel", [odoo.orders[0].id], context={"disable_cancel_warning": True})
    odoo.act("sale.order", "unlink", [odoo.orders[0].id])
    (answer,) = await adapter.returns.prepare([back(order)])
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.DELETED_IN_TARGET


# ---- once --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.HTML_ANSWER, Fault.NEVER_APPLIED])
@pytest.mark.parametrize(
    ("name", "operation"), [("load", "stock.picking.load"), ("ready", "stock.picking.action_confirm")]
)
async def test_a_lost_answer(
    adapter: OdooAdapter, odoo: Odoo, shipped: Job, fault: Fault, name: str, operation: str
) -> None:
    """FC-001: in doubt, and settled by what Odoo says."""
    made = back(shipped)
    if name == "ready":
        made = await deliver_to(adapter.returns, made, until="load")
    odoo.faults.rules.append(Rule(fault, operation, first=1))
    (answer,) = await step(adapter.returns, name, made)
    assert isinstance(answer, Doubt)
    assert await verdict(adapter, name, made) is (Verdict.ABSENT if fault is Fault.NEVER_APPLIED else Verdict.THIS)
    await deliver_to(adapter.returns, made)
    assert transfers(odoo) == [("assigned", [Decimal(1)])]


async def test_two_writers_of_one_return(odoo: Odoo) -> None:
    """FC-002, FC-006: four loads at a time make one transfer."""
    async with connected(odoo) as adapter:
        order = await deliver(adapter, job(document()))
        odoo.ship(ORDER)
        odoo.settings.contention = True
        odoo.settings.latency_s = 0.05
        loads = await asyncio.gather(*(step(adapter.returns, "load", back(order)) for _ in range(4)))
        await deliver_to(adapter.returns, back(order))
    assert {type(answer) for (answer,) in loads} <= {Applied, NotApplied}
    assert transfers(odoo) == [("assigned", [Decimal(1)])]


async def test_many_returns_go_in_one_call_for_each_step(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    """FC-001"""
    others = [await deliver(adapter, job(document(id=str(number)))) for number in range(1, 5)]
    for one in others:
        odoo.ship(f"__tallystick__.order__odoo__woocommerce__{jobs.document_of(one).order_id}")
    batch = [back(one) for one in others]
    counted = Rule(Fault.SLOW, "stock.picking.load|stock.picking.action_confirm")
    odoo.faults.rules.append(counted)
    for name in ("load", "ready"):
        answers = await step(adapter.returns, name, *batch)
        assert all(isinstance(answer, Applied) for answer in answers), answers
    assert counted.seen == 2
    assert [state for state, _ in transfers(odoo)] == ["assigned"] * 4


# ---- what people did ---------------------------------------------------------------------------------------------


async def test_what_people_have_received_is_theirs(adapter: OdooAdapter, odoo: Odoo, shipped: Job) -> None:
    done = await deliver_to(adapter.returns, back(shipped))
    odoo.receive(int(done.external_id or 0))
    await deliver_to(adapter.returns, done)
    assert transfers(odoo) == [("done", [Decimal(1)])]
    assert await verdict(adapter, "load", done, whole=True) is Verdict.THIS


async def test_a_deleted_one_is_never_made_anew(adapter: OdooAdapter, odoo: Odoo, shipped: Job) -> None:
    done = await deliver_to(adapter.returns, back(shipped))
    odoo.act("stock.picking", "unlink", [int(done.external_id or 0)])
    (answer,) = await adapter.returns.prepare([done])
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.DELETED_IN_TARGET
    assert await verdict(adapter, "load", done) is Verdict.ABSENT


# ---- a return that comes to nothing ------------------------------------------------------------------------------


async def test_one_that_came_to_nothing_is_cancelled(adapter: OdooAdapter, odoo: Odoo, shipped: Job) -> None:
    """Once more changes nothing; the goods can come back by another one then."""
    done = await deliver_to(adapter.returns, back(shipped, {**MUG_BACK, "quantity": 3}))
    ended = over(shipped, done)
    assert [one.name for one in adapter.returns.steps(ended.document)] == ["cancel"]
    assert await verdict(adapter, "cancel", ended) is Verdict.OLDER
    for _ in range(2):
        await deliver_to(adapter.returns, ended)
    assert await verdict(adapter, "cancel", ended) is Verdict.THIS
    assert len(odoo.journal.of("cancelled")) == 1
    await deliver_to(adapter.returns, back(shipped, {**MUG_BACK, "quantity": 3}, id="6"))
    assert transfers(odoo) == [("cancel", [Decimal(3)]), ("assigned", [Decimal(3)])]


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.NEVER_APPLIED])
async def test_a_lost_answer_about_the_end(adapter: OdooAdapter, odoo: Odoo, shipped: Job, fault: Fault) -> None:
    """FC-001"""
    ended = over(shipped, await deliver_to(adapter.returns, back(shipped)))
    odoo.faults.rules.append(Rule(fault, "stock.picking.action_cancel", first=1))
    (answer,) = await step(adapter.returns, "cancel", ended)
    assert isinstance(answer, Doubt)
    assert await verdict(adapter, "cancel", ended) is (Verdict.THIS if fault is Fault.LOST_REPLY else Verdict.OLDER)
    await deliver_to(adapter.returns, ended)
    assert transfers(odoo) == [("cancel", [Decimal(1)])]


async def test_what_was_received_is_not_cancelled(adapter: OdooAdapter, odoo: Odoo, shipped: Job) -> None:
    done = await deliver_to(adapter.returns, back(shipped))
    odoo.receive(int(done.external_id or 0))
    answer = await refused(adapter, "cancel", over(shipped, done))
    assert answer.reason is HoldReason.LOCKED
    assert "was received in Odoo" in answer.detail
    assert transfers(odoo) == [("done", [Decimal(1)])]


async def test_one_that_people_deleted_is_as_good_as_cancelled(adapter: OdooAdapter, odoo: Odoo, shipped: Job) -> None:
    done = await deliver_to(adapter.returns, back(shipped))
    odoo.act("stock.picking", "unlink", [int(done.external_id or 0)])
    ended = over(shipped, done)
    await deliver_to(adapter.returns, ended)
    assert await verdict(adapter, "cancel", ended) is Verdict.THIS


# ---- and the money -----------------------------------------------------------------------------------------------


async def test_goods_that_a_refund_brought_back_come_no_second_time(
    adapter: OdooAdapter, odoo: Odoo, shipped: Job
) -> None:
    """The refund was credited before the flow of returns was switched on; what it did not bring still comes."""
    refund = refund_job(credited(jobs.document_of(shipped), TWO_MUGS, return_id="5"), shipped)
    await deliver_to(adapter.refunds, refund)
    await deliver_to(adapter.returns, back(shipped, TWO_BACK, refund_ids=["9"]))
    assert transfers(odoo) == [("assigned", [Decimal(2)])]
    await deliver_to(adapter.returns, back(shipped, {**MUG_BACK, "quantity": 3}, id="6", refund_ids=["9"]))
    assert transfers(odoo) == [("assigned", [Decimal(2)]), ("assigned", [Decimal(1)])]


async def test_goods_that_a_return_brought_back_come_no_second_time(
    adapter: OdooAdapter, odoo: Odoo, shipped: Job
) -> None:
    """The flow of returns was switched off after it; a third mug is still at the buyer's, and stays there."""
    await deliver_to(adapter.returns, back(shipped, TWO_BACK))
    refund = refund_job(credited(jobs.document_of(shipped), TWO_MUGS, return_id="5"), shipped)
    await deliver_to(adapter.refunds, refund)
    assert transfers(odoo) == [("assigned", [Decimal(2)])]
    assert [one.state for one in odoo.credits] == ["posted"]
