"""The Odoo adapter when things go wrong: lost answers, refusals of batches, conflicts, credentials, references."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.odoo import OdooAdapter
from simulators.faults import Fault, Rule
from simulators.odoo import Odoo
from tallystick.errors import Throttled, Unauthorised, Unavailable
from tallystick.ports import Applied, Doubt, Job, NotApplied, Refused, Verdict
from tests.unit.adapters.odoo import jobs
from tests.unit.adapters.odoo.jobs import (
    MUGS,
    company,
    connected,
    deliver,
    document,
    job,
    prepared,
    revised,
    step,
    step_of,
    with_customer,
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


def spoil(odoo: Odoo, fault: Fault, operation: str, **more: Any) -> None:
    odoo.faults.rules.append(Rule(fault, operation, first=1, **more))


async def verdict(adapter: OdooAdapter, name: str, made: Job, *, whole: bool = False) -> Verdict:
    (found,) = await adapter.orders.probe(step_of(adapter.orders, made, name), [made], whole=whole)
    return found.verdict


async def many(adapter: OdooAdapter, count: int, **parts: Any) -> list[Job]:
    """Orders of one buyer, whose ids count from 1."""
    made = await with_customer(adapter, job(document()))
    found = [document(MUGS, id=str(number), number=str(number), **parts) for number in range(1, count + 1)]
    return [job(one, dependencies=made.dependencies) for one in found]


# ---- lost answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.HTML_ANSWER, Fault.CUT_JSON])
async def test_an_answer_lost_after_the_commit_is_in_doubt_and_the_probe_settles(
    adapter: OdooAdapter, odoo: Odoo, fault: Fault
) -> None:
    """FC-001"""
    spoil(odoo, fault, "sale.order.load")
    made = await with_customer(adapter, job(document()))
    (answer,) = await step(adapter.orders, "load", made)
    assert isinstance(answer, Doubt)
    assert answer.unanswered
    assert await verdict(adapter, "load", made) is Verdict.THIS
    await deliver(adapter, made)
    assert len(odoo.orders) == 1


@pytest.mark.parametrize(("fault", "status"), [(Fault.NEVER_APPLIED, 0), (Fault.SERVER_ERROR, 502),
                                               (Fault.SERVER_ERROR, 503), (Fault.SERVER_ERROR, 504)])  # fmt: skip
async def test_what_was_never_applied_is_in_doubt_and_absent(
    adapter: OdooAdapter, odoo: Odoo, fault: Fault, status: int
) -> None:
    spoil(odoo, fault, "sale.order.load", status=status)
    made = await with_customer(adapter, job(document()))
    (answer,) = await step(adapter.orders, "load", made)
    assert isinstance(answer, Doubt)
    assert await verdict(adapter, "load", made) is Verdict.ABSENT
    await deliver(adapter, made)
    assert len(odoo.orders) == 1


async def test_a_late_create_folds_into_the_one_that_was_sent_again(adapter: OdooAdapter, odoo: Odoo) -> None:
    """Class E1: sent again at once, one document, whichever comes first."""
    spoil(odoo, Fault.LATE_APPLY, "sale.order.load", seconds=0.2)
    made = await with_customer(adapter, job(document()))
    (lost,) = await step(adapter.orders, "load", made)
    (again,) = await step(adapter.orders, "load", made)
    await odoo.faults.settle()
    assert (type(lost), type(again)) == (Doubt, Applied)
    assert [len(order.lines) for order in odoo.orders] == [2]


async def test_an_answer_that_outlives_the_budget_is_in_doubt(adapter: OdooAdapter, odoo: Odoo) -> None:
    spoil(odoo, Fault.SLOW, "sale.order.load", seconds=0.5)
    made = await with_customer(adapter, job(document()))
    (answer,) = await step(adapter.orders, "load", made, seconds=0.1)
    assert isinstance(answer, Doubt)


async def test_a_lost_confirmation_is_settled_by_the_state(adapter: OdooAdapter, odoo: Odoo) -> None:
    made = await deliver(adapter, job(document()), until="check")
    assert await verdict(adapter, "confirm", made) is Verdict.ABSENT
    spoil(odoo, Fault.LOST_REPLY, "sale.order.action_confirm")
    (answer,) = await step(adapter.orders, "confirm", made)
    assert isinstance(answer, Doubt)
    assert await verdict(adapter, "confirm", made) is Verdict.THIS
    assert await verdict(adapter, "date", made) is Verdict.ABSENT
    await step(adapter.orders, "date", made)
    assert await verdict(adapter, "date", made) is Verdict.THIS


async def test_two_writers_of_one_order(odoo: Odoo) -> None:
    """FC-002, FC-006: the loser of a conflict is told that nothing was applied."""
    odoo.settings.contention = True
    odoo.settings.latency_s = 0.05
    async with connected(odoo) as adapter:
        made = await with_customer(adapter, job(document()))
        answers = await asyncio.gather(*(step(adapter.orders, "load", made) for _ in range(4)))
    kinds = [type(answer) for (answer,) in answers]
    assert len(odoo.orders) == 1
    assert len(odoo.orders[0].lines) == 2
    assert set(kinds) <= {Applied, NotApplied}
    assert Applied in kinds


# ---- which revision stands there ---------------------------------------------------------------------------------


async def test_verdicts_by_the_mark(adapter: OdooAdapter, odoo: Odoo) -> None:
    first = await deliver(adapter, job(document()), until="load")
    second = revised(first, document(MUGS), 2)
    assert await verdict(adapter, "load", first) is Verdict.THIS
    assert await verdict(adapter, "load", second) is Verdict.OLDER
    await step(adapter.orders, "load", second)
    assert await verdict(adapter, "load", first) is Verdict.NEWER
    assert await verdict(adapter, "confirm", first) is Verdict.NEWER
    odoo.act("sale.order", "write", [odoo.orders[0].id], {"origin": "by hand"})
    assert await verdict(adapter, "load", second) is Verdict.OLDER
    other = job(document(id="7"))
    odoo.act("sale.order", "write", [odoo.orders[0].id], {"origin": other.mark})
    assert await verdict(adapter, "load", second) is Verdict.FOREIGN


async def test_an_older_revision_never_overwrites_a_newer_one(adapter: OdooAdapter, odoo: Odoo) -> None:
    first = await deliver(adapter, job(replace(document(), confirm=False)), until="load")
    second = revised(first, document(MUGS), 2)
    await step(adapter.orders, "load", second)
    (answer,) = await step(adapter.orders, "load", first)
    assert answer == Doubt("a newer revision stands in Odoo", unanswered=False)
    assert odoo.orders[0].origin.endswith(f"[{second.mark}]")


async def test_another_revision_is_not_confirmed(adapter: OdooAdapter, odoo: Odoo) -> None:
    first = await deliver(adapter, job(document()), until="check")
    await step(adapter.orders, "load", revised(first, document(MUGS), 2))
    (answer,) = await step(adapter.orders, "confirm", first)
    assert isinstance(answer, Doubt)
    assert not answer.unanswered
    assert odoo.orders[0].state == "draft"


async def test_the_whole_is_compared_in_every_mapped_field(adapter: OdooAdapter, odoo: Odoo) -> None:
    """A forced resync writes nothing where nothing differs (FC-007)."""
    done = await deliver(adapter, job(document(note="Ring & wait")))
    assert await verdict(adapter, "load", done, whole=True) is Verdict.THIS
    order = odoo.orders[0]
    cases: list[tuple[str, int, dict[str, Any]]] = [
        ("sale.order", order.id, {"note": "other"}),
        ("sale.order", order.id, {"client_order_ref": "other"}),
        ("sale.order", order.id, {"date_order": "2026-11-21 00:00:00"}),
        ("sale.order.line", order.lines[0].id, {"name": "other"}),
        ("sale.order.line", order.lines[0].id, {"product_uom_qty": 4}),
    ]
    for model, row_id, changes in cases:
        before = odoo.act(model, "read", [row_id], list(changes))[0]
        odoo.act(model, "write", [row_id], changes)
        assert await verdict(adapter, "load", done, whole=True) is Verdict.OLDER, changes
        odoo.act(model, "write", [row_id], {name: before[name] for name in changes})
    assert await verdict(adapter, "load", done, whole=True) is Verdict.THIS


# ---- batches -----------------------------------------------------------------------------------------------------


async def test_a_batch_is_one_call_for_each_step(adapter: OdooAdapter, odoo: Odoo) -> None:
    batch = await many(adapter, 20)
    counted = Rule(Fault.SLOW, "sale.order.load|sale.order.action_confirm")
    odoo.faults.rules.append(counted)
    for name in ("load", "check", "confirm", "date"):
        answers = await step(adapter.orders, name, *batch)
        assert all(isinstance(answer, Applied) for answer in answers)
        batch = [replace(one, external_id=answer.external_id) for one, answer in zip(batch, answers, strict=True)
                 if isinstance(answer, Applied)]  # fmt: skip
    assert counted.seen == 3
    assert [order.client_order_ref for order in odoo.orders] == [str(number) for number in range(1, 21)]
    assert {order.state for order in odoo.orders} == {"sale"}


async def test_bad_orders_are_taken_out_and_the_others_are_made(adapter: OdooAdapter, odoo: Odoo) -> None:
    """One bad record of a load leaves none; the refusal names rows, ten at most."""
    batch = await prepared(adapter.orders, *await many(adapter, 30))
    bad = {"3", *(str(number) for number in range(10, 25))}
    spoiled = [_without_partner(one) if one.document.order_id in bad else one for one in batch]  # type: ignore[union-attr]
    answers = await adapter.orders.send(step_of(adapter.orders, batch[0], "load"), spoiled, jobs.budget())
    refused = {one.ref.split("/")[1] for one, answer in zip(batch, answers, strict=True) if isinstance(answer, Refused)}
    assert refused == bad
    assert {order.client_order_ref for order in odoo.orders} == {str(number) for number in range(1, 31)} - bad
    assert all(isinstance(answer, Applied | Refused) for answer in answers)


def _without_partner(made: Job) -> Job:
    return replace(made, ready=replace(made.ready, partner=999_999))


async def test_an_order_that_cannot_be_confirmed_does_not_stop_the_others(adapter: OdooAdapter, odoo: Odoo) -> None:
    """A confirmation of many is one transaction; who cancelled in between is found by halves."""
    batch = await many(adapter, 5)
    answers = await step(adapter.orders, "load", *batch)
    batch = [replace(one, external_id=answer.external_id) for one, answer in zip(batch, answers, strict=True)
             if isinstance(answer, Applied)]  # fmt: skip
    ready = await prepared(adapter.orders, *batch)
    odoo.act("sale.order", "action_cancel", [odoo.orders[2].id])
    answers = list(await adapter.orders.send(step_of(adapter.orders, batch[0], "confirm"), ready, jobs.budget()))
    assert [type(answer) for answer in answers] == [Applied, Applied, Refused, Applied, Applied]
    assert [order.state for order in odoo.orders] == ["sale", "sale", "cancel", "sale", "sale"]


# ---- passing and permanent ---------------------------------------------------------------------------------------


async def test_a_throttled_write_counts_no_attempt(adapter: OdooAdapter, odoo: Odoo) -> None:
    """FC-037"""
    made = await with_customer(adapter, job(document()))
    spoil(odoo, Fault.THROTTLED, "sale.order.load", retry_after="7")
    (answer,) = await step(adapter.orders, "load", made)
    assert answer == NotApplied("HTTP 429", 7.0, throttled=True)
    assert odoo.orders == []


async def test_an_outage_is_told_by_reads_and_doubted_by_writes(adapter: OdooAdapter, odoo: Odoo) -> None:
    """FC-041: a cut connection says nothing about a write."""
    (ready,) = await prepared(adapter.orders, await with_customer(adapter, job(document())))
    odoo.down = True
    with pytest.raises(Unavailable):
        await adapter.orders.prepare([ready])
    (answer,) = await adapter.orders.send(step_of(adapter.orders, ready, "load"), [ready], jobs.budget())
    assert isinstance(answer, Doubt)


async def test_a_server_that_is_not_there_was_never_reached(odoo: Odoo) -> None:
    async with connected(odoo) as adapter:
        (ready,) = await prepared(adapter.orders, await with_customer(adapter, job(document())))
    try:
        (answer,) = await adapter.orders.send(step_of(adapter.orders, ready, "load"), [ready], jobs.budget())
    finally:
        await adapter.close()
    assert isinstance(answer, NotApplied)
    assert not answer.reached


async def test_a_revoked_key_stops_the_connection(adapter: OdooAdapter, odoo: Odoo) -> None:
    made = await with_customer(adapter, job(document()))
    ready = await prepared(adapter.orders, made)
    odoo.settings.key = "another"
    (answer,) = await adapter.orders.send(step_of(adapter.orders, made, "load"), ready, jobs.budget())
    assert isinstance(answer, NotApplied)
    with pytest.raises(Unauthorised, match="check the database, the login and the key"):
        await adapter.orders.prepare([made])


async def test_reads_are_repeated_and_throttling_is_told(adapter: OdooAdapter, odoo: Odoo) -> None:
    spoil(odoo, Fault.NEVER_APPLIED, "product.product.search_read")
    await prepared(adapter.orders, await with_customer(adapter, job(document())))
    spoil(odoo, Fault.THROTTLED, "ir.model.data.search_read", retry_after="0")
    with pytest.raises(Throttled):
        await adapter.orders.prepare([job(document())])
