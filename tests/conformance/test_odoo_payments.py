"""Payments become customer payments of Odoo: what is made, repeated, lost, changed by people; both versions."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.odoo import OdooAdapter
from simulators.faults import Fault, Rule
from simulators.odoo import Odoo, Payment
from tallystick.money_ports import PaymentSink
from tallystick.ports import Applied, Capability, Doubt, Job, NotApplied, Refused, Verdict
from tallystick.reasons import HoldReason
from tests.unit.adapters.odoo import jobs
from tests.unit.adapters.odoo.jobs import (
    company,
    connected,
    deliver,
    deliver_to,
    document,
    job,
    paid,
    payment_job,
    prepared,
    step,
    step_of,
)

BOOKED = {"16.0": "posted", "19.0": "in_process"}


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
    """An order of three mugs and a desk for 151.10, confirmed."""
    return await deliver(adapter, job(document()))


def payment(order: Job, **parts: Any) -> Job:
    """The effect of a payment of an order; the whole by card when nothing else is given."""
    return payment_job(paid(jobs.document_of(order), **parts), order)


async def refused(adapter: OdooAdapter, name: str, made: Job) -> Refused:
    (answer,) = await step(adapter.payments, name, made)
    assert isinstance(answer, Refused), answer
    return answer


async def unprepared(adapter: OdooAdapter, made: Job) -> Refused:
    (answer,) = await adapter.payments.prepare([made])
    assert isinstance(answer, Refused), answer
    return answer


async def verdict(adapter: OdooAdapter, name: str, made: Job, *, whole: bool = False) -> Verdict:
    (found,) = await adapter.payments.probe(step_of(adapter.payments, made, name), [made], whole=whole)
    return found.verdict


def by_person(odoo: Odoo, method: str, *arguments: Any) -> None:
    odoo.act("account.payment", method, [odoo.payments[0].id], *arguments)


def told(one: Payment) -> tuple[str, Decimal, str]:
    return one.journal.rpartition("_")[2], one.amount, one.currency


# ---- what is made ------------------------------------------------------------------------------------------------


async def test_a_payment_stands_beside_the_order_with_its_journal_entry(
    adapter: OdooAdapter, odoo: Odoo, order: Job
) -> None:
    before = dict(odoo.orders[0].row)
    done = await deliver_to(adapter.payments, payment(order))
    (one,) = odoo.payments
    assert told(one) == ("card", Decimal("151.10"), "EUR")
    assert (one.state, one.row["payment_type"], one.row["partner_type"]) == (
        BOOKED[odoo.settings.version], "inbound", "customer")  # fmt: skip
    assert one.row["date"] == date(2026, 11, 20)
    assert one.memo == f"S00001 1042 ch_1 [{done.mark}]"
    assert one.partner.name == "Erika Beispiel"
    assert one.external_id == "__tallystick__.payment__odoo__woocommerce__1042__payment__order-1042"
    assert one.entry is not None
    assert (one.entry.row["amount_total"], one.entry.row["ref"]) == (one.amount, one.memo)
    assert odoo.orders[0].row == before


async def test_it_states_that_a_repeated_create_folds(adapter: OdooAdapter) -> None:
    assert isinstance(adapter, PaymentSink)
    assert adapter.payments.traits.capability is Capability.E1


async def test_fc_071_a_gift_card_and_a_card_go_to_their_own_journals(
    adapter: OdooAdapter, odoo: Odoo, order: Job
) -> None:
    """FC-071: two payments whose sum is the total, each to its account."""
    parts = payment(order, id="cards", kind="gift_card", gateway="", amount="51.10"), payment(order, amount="100.00")
    for one in parts:
        await deliver_to(adapter.payments, one)
    assert [told(one) for one in odoo.payments] == [
        ("card", Decimal("51.10"), "EUR"), ("card", Decimal("100.00"), "EUR")]  # fmt: skip
    assert [one.journal for one in odoo.payments] == [
        "tallystick_demo.journal_gift_card", "tallystick_demo.journal_card"]  # fmt: skip
    assert sum(one.amount for one in odoo.payments) == odoo.orders[0].amount_total


async def test_it_goes_to_the_invoice_address_in_the_zone_of_the_seller(
    adapter: OdooAdapter, odoo: Odoo, order: Job
) -> None:
    office = odoo.add("res.partner", "", {"name": "Head office"})
    odoo.act("sale.order", "write", [odoo.orders[0].id], {"partner_invoice_id": office})
    await deliver_to(adapter.payments, payment(order, paid_at="2026-11-20T20:30:00Z"))
    assert (odoo.payments[0].partner.id, odoo.payments[0].row["date"]) == (office, date(2026, 11, 21))


async def test_a_contract_that_leaves_drafts_does_not_post(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    made = replace(paid(jobs.document_of(order)), confirm=False)
    await deliver_to(adapter.payments, payment_job(made, order))
    assert (odoo.payments[0].state, odoo.payments[0].entry) == ("draft", None)


async def test_the_mark_stands_where_the_settings_say(odoo: Odoo) -> None:
    odoo.add_field("account.payment", "x_tallystick")
    async with connected(odoo, payment_mark_field="x_tallystick") as adapter:
        order = await deliver(adapter, job(document()))
        done = await deliver_to(adapter.payments, payment(order))
    assert (odoo.payments[0].memo, odoo.payments[0].row["x_tallystick"]) == ("S00001 1042 ch_1", done.mark)


# ---- repeated and lost -------------------------------------------------------------------------------------------


async def test_repeats_fold_and_change_nothing(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    """FC-001"""
    made = payment(order)
    done = await deliver_to(adapter.payments, made)
    before = dict(odoo.payments[0].row)
    await deliver_to(adapter.payments, made)
    await deliver_to(adapter.payments, done)
    assert (len(odoo.payments), odoo.payments[0].row) == (1, before)


async def test_parallel_creates_make_one_payment(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    made = payment(order)
    ready = [await prepared(adapter.payments, made) for _ in range(4)]
    load = step_of(adapter.payments, made, "load")
    answers = await asyncio.gather(*(adapter.payments.send(load, one, jobs.budget()) for one in ready))
    assert {type(answer) for (answer,) in answers} <= {Applied, NotApplied}
    assert len(odoo.payments) == 1


@pytest.mark.parametrize("name", ["load", "post"])
async def test_a_lost_answer_is_found_again(adapter: OdooAdapter, odoo: Odoo, order: Job, name: str) -> None:
    """FC-001"""
    made = payment(order)
    if name == "post":
        made = await deliver_to(adapter.payments, made, until="check")
    method = {"load": "load", "post": "action_post"}[name]
    odoo.faults.rules.append(Rule(Fault.LOST_REPLY, f"account.payment.{method}", first=1))
    assert await verdict(adapter, name, made) is Verdict.ABSENT
    (answer,) = await step(adapter.payments, name, made)
    assert isinstance(answer, Doubt)
    assert await verdict(adapter, name, made) is Verdict.THIS
    (answer,) = await step(adapter.payments, name, made)
    assert isinstance(answer, Applied)
    assert len(odoo.payments) == 1


async def test_a_good_payment_is_not_held_back_by_a_bad_one(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    good, bad = payment(order), payment(order, id="other")
    ready = await prepared(adapter.payments, good, bad)
    spoiled = replace(ready[1].ready, cells={**ready[1].ready.cells, "date": "soon"})
    answers = await adapter.payments.send(
        step_of(adapter.payments, good, "load"), [ready[0], replace(ready[1], ready=spoiled)], jobs.budget()
    )
    assert [type(answer) for answer in answers] == [Applied, Refused]
    assert len(odoo.payments) == 1


# ---- what leads nowhere --------------------------------------------------------------------------------------------


async def test_a_journal_that_is_not_there_is_named(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    made = replace(paid(jobs.document_of(order)), fields={"journal_id": "accounting.stripe", "colour": "red"})
    answer = await unprepared(adapter, payment_job(made, order))
    assert answer.reason is HoldReason.MAPPING
    assert "'accounting.stripe' is no account.journal" in answer.detail
    assert "no field 'colour'" in answer.detail


async def test_a_journal_of_sales_takes_no_payment(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    made = replace(paid(jobs.document_of(order)), fields={"journal_id": "1"})
    answer = await unprepared(adapter, payment_job(made, order))
    assert (answer.reason, "is of type sale: name one of bank or cash" in answer.detail) == (HoldReason.MAPPING, True)


async def test_an_order_in_another_currency_is_not_paid(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    made = replace(paid(jobs.document_of(order)), currency="USD")
    answer = await unprepared(adapter, payment_job(made, order))
    assert answer.detail == "the payment is in USD, its order S00001 is in EUR in Odoo"


async def test_an_order_that_was_deleted_is_not_paid(adapter: OdooAdapter, odoo: Odoo) -> None:
    order = await deliver(adapter, job(replace(document(), confirm=False)))
    odoo.act("sale.order", "unlink", [odoo.orders[0].id])
    assert (await unprepared(adapter, payment(order))).reason is HoldReason.DELETED_IN_TARGET


# ---- what people do ------------------------------------------------------------------------------------------------


async def test_an_amount_that_somebody_changed_is_told_with_both_figures(
    adapter: OdooAdapter, odoo: Odoo, order: Job
) -> None:
    loaded = await deliver_to(adapter.payments, payment(order), until="load")
    by_person(odoo, "write", {"amount": 15.0, "date": "2026-11-22"})
    answer = await refused(adapter, "check", loaded)
    assert answer == Refused(
        HoldReason.UNBALANCED,
        "151.10 EUR were paid, in Odoo it is 15.0 EUR; it was paid on 2026-11-20, in Odoo it is dated 2026-11-22",
    )
    assert await verdict(adapter, "check", loaded) is Verdict.OLDER


async def test_one_that_people_cancelled_is_not_posted_again(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    loaded = await deliver_to(adapter.payments, payment(order), until="check")
    by_person(odoo, "action_cancel")
    assert (await refused(adapter, "post", loaded)).reason is HoldReason.LOCKED
    assert odoo.payments[0].state in ("cancel", "canceled")


async def test_one_that_people_deleted_is_not_made_anew(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    done = await deliver_to(adapter.payments, payment(order), until="check")
    by_person(odoo, "unlink")
    assert (await unprepared(adapter, done)).reason is HoldReason.DELETED_IN_TARGET
    assert odoo.payments == []


async def test_a_draft_takes_what_another_contract_says_and_a_booked_one_is_locked(
    adapter: OdooAdapter, odoo: Odoo, order: Job
) -> None:
    first = paid(jobs.document_of(order))
    other = replace(first, fields={"journal_id": "tallystick_demo.journal_bank"})
    loaded = await deliver_to(adapter.payments, payment_job(first, order), until="load")
    anew = payment_job(other, order, external_id=loaded.external_id)
    assert await verdict(adapter, "load", anew) is Verdict.OLDER
    done = await deliver_to(adapter.payments, anew)
    assert odoo.payments[0].journal == "tallystick_demo.journal_bank"
    assert await verdict(adapter, "load", done, whole=True) is Verdict.THIS
    back = payment_job(first, order, external_id=loaded.external_id)
    assert (await refused(adapter, "load", back)).reason is HoldReason.LOCKED


async def test_the_connection_test_tells_the_journals(adapter: OdooAdapter, odoo: Odoo) -> None:
    found = {name: (fine, words) for name, fine, words in await adapter.check()}
    assert found["journals that take payments"][0]
    assert "Card payments" in found["journals that take payments"][1]
    for row in [*odoo.db.models["account.journal"].table.rows]:
        odoo.act("account.journal", "write", [row], {"type": "general"})
    found = {name: (fine, words) for name, fine, words in await adapter.check()}
    assert found["journals that take payments"] == (
        False, "make one of type bank or cash, if payments are to cross")  # fmt: skip
