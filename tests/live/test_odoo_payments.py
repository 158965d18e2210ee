"""Payments against a real Odoo server, version 16 to 19. Run by `make live`; see `test_odoo.py`."""

import asyncio
from dataclasses import replace

import pytest

from adapters.odoo import OdooAdapter
from tallystick.ports import Applied, Job, NotApplied, Verdict
from tests.unit.adapters.odoo import jobs
from tests.unit.adapters.odoo.jobs import deliver, deliver_to, job, paid, payment_job, prepared, step_of

from .odoo_company import OdooCompany
from .odoo_orders import fresh

pytestmark = pytest.mark.live
_FIELDS = ("state", "amount", "currency_id", "partner_id", "journal_id", "date", "payment_type", "move_id")


async def payment(adapter: OdooAdapter, company: OdooCompany) -> Job:
    """Of a fresh order, into the first journal of a bank."""
    order = await deliver(adapter, job(fresh()))
    journals = await company.find("account.journal", [["type", "=", "bank"]], "name")
    assert journals, "the live Odoo has no journal of a bank: install the invoicing with a chart of accounts"
    made = replace(paid(jobs.document_of(order)), fields={"journal_id": str(journals[0]["id"])})
    return payment_job(made, order)


async def test_a_payment_is_posted_beside_the_order(adapter: OdooAdapter, company: OdooCompany) -> None:
    made = await payment(adapter, company)
    before = await company.order(made.dependencies["order"])
    done = await deliver_to(adapter.payments, made)
    (found,) = await company.find("account.payment", [["id", "=", int(done.external_id or 0)]], *_FIELDS)
    assert found["state"] in ("posted", "in_process", "paid")
    assert (found["amount"], found["currency_id"][1], found["payment_type"]) == (151.1, "EUR", "inbound")
    assert (found["date"], found["partner_id"]) == ("2026-11-20", before["partner_id"])
    assert await company.order(made.dependencies["order"]) == before
    (probed,) = await adapter.payments.probe(step_of(adapter.payments, done, "load"), [done], whole=True)
    assert probed.verdict is Verdict.THIS, probed.detail


async def test_the_same_payment_three_times_is_one(adapter: OdooAdapter, company: OdooCompany) -> None:
    """FC-001: nobody knows of the earlier ones, posted or not."""
    made = await payment(adapter, company)
    await deliver_to(adapter.payments, made, until="load")
    first = await deliver_to(adapter.payments, made)
    assert (await deliver_to(adapter.payments, made)).external_id == first.external_id


async def test_parallel_loads_make_one(adapter: OdooAdapter, company: OdooCompany) -> None:
    """FC-002"""
    made = await payment(adapter, company)
    ready = [await prepared(adapter.payments, made) for _ in range(4)]
    load = step_of(adapter.payments, made, "load")
    answers = await asyncio.gather(*(adapter.payments.send(load, one, jobs.budget()) for one in ready))
    assert {type(answer) for (answer,) in answers} <= {Applied, NotApplied}
    ids = {answer.external_id for (answer,) in answers if isinstance(answer, Applied)}
    assert len(ids) == 1
