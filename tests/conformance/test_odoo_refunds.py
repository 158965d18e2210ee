"""Refunds become credit notes of Odoo: what is made, repeated, lost, changed by people; both versions of the double."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date
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
    ONE_MUG,
    company,
    connected,
    credited,
    deliver,
    deliver_to,
    document,
    job,
    prepared,
    refund_job,
    step,
    step_of,
)

TWO_MUGS = {**ONE_MUG, "quantity": 2, "amount": {"gross": "21.40"}}
COURIER = {"id": "9", "title": "Courier", "amount": {"gross": "5.35"}, "taxes": [{"rate_percent": "7"}]}
DESK = {**ONE_MUG, "line_id": "12", "sku": "DESK", "amount": {"gross": "119.00"}, "taxes": [{"rate_percent": "19"}]}


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


def refund(order: Job, *lines: dict[str, Any], **parts: Any) -> Job:
    """The effect of a refund of an order; one mug when no lines are given."""
    return refund_job(credited(jobs.document_of(order), *lines, **parts), order)


async def refused(adapter: OdooAdapter, name: str, made: Job) -> Refused:
    (answer,) = await step(adapter.refunds, name, made)
    assert isinstance(answer, Refused), answer
    return answer


async def verdict(adapter: OdooAdapter, name: str, made: Job, *, whole: bool = False) -> Verdict:
    (found,) = await adapter.refunds.probe(step_of(adapter.refunds, made, name), [made], whole=whole)
    return found.verdict


def by_person(odoo: Odoo, method: str, *arguments: Any) -> None:
    odoo.act("account.move", method, [odoo.credits[0].id], *arguments)


# ---- what is made ------------------------------------------------------------------------------------------------


async def test_a_credit_note_stands_beside_the_order(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    before = dict(odoo.orders[0].row)
    done = await deliver_to(adapter.refunds, refund(order, TWO_MUGS, DESK, shipping_lines=[COURIER]))
    (credit,) = odoo.credits
    assert (credit.state, credit.currency, credit.invoice_date) == ("posted", "EUR", date(2026, 11, 25))
    assert (credit.amount_untaxed, credit.amount_tax, credit.amount_total) == (
        Decimal("125.00"), Decimal("20.75"), Decimal("145.75"))  # fmt: skip
    assert credit.name.startswith("RINV/2026/")
    assert (credit.ref, credit.origin) == ("1042 refund 9", f"S00001 [{done.mark}]")
    assert credit.partner.name == "Erika Beispiel"
    assert credit.external_id == "__tallystick__.refund__odoo__woocommerce__1042__refund__9"
    assert [(line.product, line.quantity, line.price_unit, line.taxes, line.discount) for line in credit.lines] == [
        ("MUG", Decimal(2), Decimal("10.70"), ("tallystick_demo.tax_7_included",), Decimal(0)),
        ("DESK", Decimal(1), Decimal("119.00"), ("tallystick_demo.tax_19_included",), Decimal(0)),
        ("SHIPPING", Decimal(1), Decimal("5.35"), ("tallystick_demo.tax_7_included",), Decimal(0)),
    ]
    assert odoo.orders[0].row == before


async def test_several_refunds_of_one_order(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    for number in ("9", "10", "11"):
        await deliver_to(adapter.refunds, refund(order, id=number))
    assert [credit.ref for credit in odoo.credits] == [f"1042 refund {number}" for number in ("9", "10", "11")]
    assert len({credit.name for credit in odoo.credits}) == 3


async def test_an_untaxed_line_has_no_tax(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    """The product's default tax is 19 %: an empty cell has to mean none."""
    plain = {**ONE_MUG, "amount": {"gross": "10.00"}, "taxes": []}
    await deliver_to(adapter.refunds, refund(order, plain))
    assert ([line.taxes for line in odoo.credits[0].lines], odoo.credits[0].amount_tax) == ([()], Decimal(0))


async def test_it_goes_to_the_invoice_address(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    office = odoo.add("res.partner", "", {"name": "Head office"})
    odoo.act("sale.order", "write", [odoo.orders[0].id], {"partner_invoice_id": office})
    await deliver_to(adapter.refunds, refund(order))
    assert odoo.credits[0].partner.id == office


async def test_fields_of_the_contract_win(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    made = credited(jobs.document_of(order))
    await deliver_to(adapter.refunds, refund_job(replace(made, fields={"ref": "RMA 7", "narration": "Sorry"}), order))
    assert (odoo.credits[0].ref, odoo.credits[0].row["narration"]) == ("RMA 7", "<p>Sorry</p>")


async def test_the_mark_stands_where_the_settings_say(odoo: Odoo) -> None:
    odoo.add_field("account.move", "x_tallystick")
    async with connected(odoo, credit_mark_field="x_tallystick") as adapter:
        order = await deliver(adapter, job(document()))
        done = await deliver_to(adapter.refunds, refund(order))
    assert (odoo.credits[0].origin, odoo.credits[0].row["x_tallystick"]) == ("S00001", done.mark)


async def test_a_draft_order_and_a_cancelled_one_are_credited_too(adapter: OdooAdapter, odoo: Odoo) -> None:
    order = await deliver(adapter, job(replace(document(), confirm=False)))
    await deliver_to(adapter.refunds, refund(order))
    odoo.act("sale.order", "action_cancel", [odoo.orders[0].id])
    await deliver_to(adapter.refunds, refund(order, id="10"))
    assert [credit.state for credit in odoo.credits] == ["posted", "posted"]


async def test_an_adopted_order_is_found_by_the_ledger(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    named = odoo.act("ir.model.data", "search", [["module", "=", "__tallystick__"], ["model", "=", "sale.order"]])
    odoo.act("ir.model.data", "unlink", named)
    await deliver_to(adapter.refunds, refund(order))
    assert odoo.credits[0].origin.startswith("S00001 [")


async def test_by_policy_a_draft_stays_one(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    made = refund_job(replace(credited(jobs.document_of(order)), confirm=False), order)
    done = await deliver_to(adapter.refunds, made)
    assert (odoo.credits[0].state, await verdict(adapter, "load", done, whole=True)) == ("draft", Verdict.THIS)


# ---- once --------------------------------------------------------------------------------------------------------


async def test_a_refund_three_times_is_one_credit_note(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    """FC-001: the ledger knows of none of them."""
    for until in ("load", "", ""):
        await deliver_to(adapter.refunds, refund(order), until=until)
    assert [(len(credit.lines), credit.state) for credit in odoo.credits] == [(1, "posted")]
    assert len(odoo.journal.of("posted")) == 1


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.HTML_ANSWER, Fault.CUT_JSON])
@pytest.mark.parametrize(("name", "operation"), [("load", "account.move.load"), ("post", "account.move.action_post")])
async def test_an_answer_lost_after_the_commit(
    adapter: OdooAdapter, odoo: Odoo, order: Job, fault: Fault, name: str, operation: str
) -> None:
    """FC-001: in doubt, and settled by what Odoo says."""
    made = refund(order)
    if name == "post":
        made = await deliver_to(adapter.refunds, made, until="check")
    odoo.faults.rules.append(Rule(fault, operation, first=1))
    (answer,) = await step(adapter.refunds, name, made)
    assert isinstance(answer, Doubt)
    assert answer.unanswered
    assert await verdict(adapter, name, made) is Verdict.THIS
    await deliver_to(adapter.refunds, made)
    assert [credit.state for credit in odoo.credits] == ["posted"]


@pytest.mark.parametrize("name", ["load", "post"])
async def test_what_was_never_applied_is_absent(adapter: OdooAdapter, odoo: Odoo, order: Job, name: str) -> None:
    made = refund(order)
    if name == "post":
        made = await deliver_to(adapter.refunds, made, until="check")
    odoo.faults.rules.append(Rule(Fault.NEVER_APPLIED, "account.move.load|account.move.action_post", first=1))
    (answer,) = await step(adapter.refunds, name, made)
    assert isinstance(answer, Doubt)
    assert await verdict(adapter, name, made) is Verdict.ABSENT
    await deliver_to(adapter.refunds, made)
    assert [credit.state for credit in odoo.credits] == ["posted"]


async def test_a_late_load_folds_into_the_one_that_was_sent_again(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    odoo.faults.rules.append(Rule(Fault.LATE_APPLY, "account.move.load", first=1, seconds=0.3))
    (lost,) = await step(adapter.refunds, "load", refund(order))
    done = await deliver_to(adapter.refunds, refund(order))
    await odoo.faults.settle()
    assert isinstance(lost, Doubt)
    assert [(len(credit.lines), credit.state, credit.amount_total) for credit in odoo.credits] == [
        (1, "posted", Decimal("10.70"))
    ]
    assert await verdict(adapter, "post", done, whole=True) is Verdict.THIS


async def test_two_writers_of_one_refund(odoo: Odoo) -> None:
    """FC-002, FC-006: load and posting, four at a time."""
    async with connected(odoo) as adapter:
        order = await deliver(adapter, job(document()))
        odoo.settings.contention = True
        odoo.settings.latency_s = 0.05
        loads = await asyncio.gather(*(step(adapter.refunds, "load", refund(order)) for _ in range(4)))
        made = await deliver_to(adapter.refunds, refund(order), until="check")
        posts = await asyncio.gather(*(step(adapter.refunds, "post", made) for _ in range(4)))
    assert {type(answer) for (answer,) in loads} <= {Applied, NotApplied}
    assert {type(answer) for (answer,) in posts} == {Applied}
    assert [(len(credit.lines), credit.state) for credit in odoo.credits] == [(1, "posted")]
    assert len(odoo.journal.of("posted")) == 1


async def test_many_refunds_go_in_one_call_for_each_step(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    batch = [refund(order, id=str(number)) for number in range(1, 21)]
    counted = Rule(Fault.SLOW, "account.move.load|account.move.action_post")
    odoo.faults.rules.append(counted)
    for name in ("load", "check", "post"):
        answers = await step(adapter.refunds, name, *batch)
        assert all(isinstance(answer, Applied) for answer in answers), answers
    assert counted.seen == 2
    assert {credit.state for credit in odoo.credits} == {"posted"}
    assert len(odoo.credits) == 20


async def test_one_that_cannot_be_posted_does_not_stop_the_others(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    """A posting of many is one transaction; who took the lines away in between is found by halves."""
    batch = [await deliver_to(adapter.refunds, refund(order, id=str(number)), until="check") for number in range(1, 6)]
    ready = await prepared(adapter.refunds, *batch)
    odoo.act("account.move", "write", [odoo.credits[2].id], {"invoice_line_ids": [[5, 0, 0]]})
    answers = await adapter.refunds.send(step_of(adapter.refunds, batch[0], "post"), ready, jobs.budget())
    assert [type(answer) for answer in answers] == [Applied, Applied, Refused, Applied, Applied]
    assert [credit.state for credit in odoo.credits] == ["posted", "posted", "draft", "posted", "posted"]


# ---- what people did ---------------------------------------------------------------------------------------------


async def test_what_a_person_posted_is_not_posted_again(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    made = await deliver_to(adapter.refunds, refund(order), until="check")
    by_person(odoo, "action_post")
    await deliver_to(adapter.refunds, made)
    assert len(odoo.journal.of("posted")) == 1


async def test_a_cancelled_credit_note_is_not_posted(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    """Odoo 16 would post it all the same."""
    made = await deliver_to(adapter.refunds, refund(order), until="check")
    by_person(odoo, "button_cancel")
    answer = await refused(adapter, "post", made)
    assert (answer.reason, odoo.credits[0].state) == (HoldReason.LOCKED, "cancel")


async def test_a_posted_one_is_held_when_it_would_have_to_change(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    """Odoo 16 would let what is posted be loaded over; Odoo 19 refuses it. The contract made something else of it."""
    done = await deliver_to(adapter.refunds, refund(order))
    other = replace(refund(order, TWO_MUGS), external_id=done.external_id)
    answer = await refused(adapter, "load", other)
    assert answer.reason is HoldReason.LOCKED
    assert "quantity 2 was sent, Odoo has 1" in answer.detail
    assert odoo.credits[0].amount_total == Decimal("10.70")


async def test_a_deleted_one_is_never_made_anew(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    made = await deliver_to(adapter.refunds, refund(order), until="load")
    by_person(odoo, "unlink")
    (answer,) = await adapter.refunds.prepare([made])
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.DELETED_IN_TARGET
    assert await verdict(adapter, "load", made) is Verdict.ABSENT
    assert odoo.credits == []


async def test_a_line_that_another_contract_made_is_emptied(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    made = await deliver_to(adapter.refunds, refund(order, ONE_MUG, DESK), until="load")
    fewer = replace(refund(order), external_id=made.external_id, sent_lines=made.sent_lines)
    await deliver_to(adapter.refunds, fewer)
    assert [(line.product, line.quantity) for line in odoo.credits[0].lines] == [
        ("MUG", Decimal(1)),
        ("DESK", Decimal(0)),
    ]
    assert odoo.credits[0].amount_total == Decimal("10.70")


async def test_a_difference_is_held_with_both_figures(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    made = await deliver_to(adapter.refunds, refund(order), until="load")
    odoo.act("account.move.line", "write", [odoo.credits[0].lines[0].id], {"price_unit": 10.0})
    answer = await refused(adapter, "check", made)
    assert answer.reason is HoldReason.UNBALANCED
    assert "line 11: price 10.70 was sent, Odoo has 10" in answer.detail
    assert odoo.credits[0].state == "draft"


# ---- what it leans on --------------------------------------------------------------------------------------------


async def test_without_its_order_it_is_held(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    odoo.act("sale.order", "action_cancel", [odoo.orders[0].id], context={"disable_cancel_warning": True})
    odoo.act("sale.order", "unlink", [odoo.orders[0].id])
    (answer,) = await adapter.refunds.prepare([refund(order)])
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.DELETED_IN_TARGET
    assert "the order 1042" in answer.detail


async def test_another_currency_than_the_orders_is_held(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    made = refund_job(replace(credited(jobs.document_of(order)), currency="USD"), order)
    (answer,) = await adapter.refunds.prepare([made])
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.MAPPING
    assert "the refund is in USD, its order S00001 is in EUR" in answer.detail


async def test_what_leads_nowhere_is_told(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    made = refund(order, {**ONE_MUG, "sku": "GONE"})
    (answer,) = await adapter.refunds.prepare([made])
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.MAPPING
    assert "no product of Odoo has the internal reference 'GONE'" in answer.detail


# ---- goods that come back ----------------------------------------------------------------------------------------

BACK = {**TWO_MUGS, "restock": "yes"}
ORDER = "__tallystick__.order__odoo__woocommerce__1042"


def transfers(odoo: Odoo) -> list[tuple[str, str, list[Decimal]]]:
    """State and origin of the returns, and the quantities of their moves."""
    moves = odoo.db.models["stock.move"].table.rows.values()
    found: dict[int, list[Decimal]] = {}
    for move in moves:
        if move.get("origin_returned_move_id"):
            found.setdefault(move["picking_id"], []).append(move["product_uom_qty"])
    rows = odoo.db.models["stock.picking"].table.rows
    return [(rows[one]["state"], rows[one]["origin"], quantities) for one, quantities in sorted(found.items())]


async def test_restocked_goods_make_a_return_that_is_ready(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    """Once, however often; it hangs on the order, and lies ready for the warehouse."""
    odoo.ship(ORDER)
    made = refund(order, BACK)
    assert [one.name for one in adapter.refunds.steps(made.document)] == ["load", "check", "post", "return", "ready"]
    for _ in range(3):
        done = await deliver_to(adapter.refunds, made)
    assert done.external_id == str(odoo.credits[0].id)
    assert transfers(odoo) == [("assigned", f"1042 refund 9 [{made.mark}]", [Decimal(2)])]
    assert len(odoo.orders[0].pickings) == 2


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.NEVER_APPLIED])
@pytest.mark.parametrize(
    ("name", "earlier", "operation"),
    [("return", "post", "stock.picking.load"), ("ready", "return", "stock.picking.action_confirm")],
)
async def test_a_lost_answer_about_goods(
    adapter: OdooAdapter, odoo: Odoo, order: Job, fault: Fault, name: str, earlier: str, operation: str
) -> None:
    """FC-001"""
    odoo.ship(ORDER)
    made = await deliver_to(adapter.refunds, refund(order, BACK), until=earlier)
    odoo.faults.rules.append(Rule(fault, operation, first=1))
    (answer,) = await step(adapter.refunds, name, made)
    assert isinstance(answer, Doubt)
    assert await verdict(adapter, name, made) is (Verdict.THIS if fault is Fault.LOST_REPLY else Verdict.ABSENT)
    await deliver_to(adapter.refunds, made)
    assert [state for state, _, _ in transfers(odoo)] == ["assigned"]


async def test_goods_of_two_deliveries(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    odoo.ship(ORDER, {"11": 1})
    odoo.ship(ORDER)
    await deliver_to(adapter.refunds, refund(order, BACK))
    assert [quantities for _, _, quantities in transfers(odoo)] == [[Decimal(1), Decimal(1)]]


async def test_a_second_return_takes_what_the_first_left(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    odoo.ship(ORDER)
    for number in ("9", "10"):
        await deliver_to(adapter.refunds, refund(order, BACK, id=number))
    assert [quantities for _, _, quantities in transfers(odoo)] == [[Decimal(2)], [Decimal(1)]]


async def test_goods_of_an_order_that_stands_beside_another(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    """FC-088: an edit added them; they come back from its delivery, and do not leave with it unseen."""
    odoo.ship(ORDER)
    name = f"{order.ref}/delta/2"
    more = job(document())
    more = await deliver(adapter, replace(more, ref=name, mark=more.mark.replace(order.ref, name)))
    beside = {"order": order.external_id or "", "supplements": more.external_id or ""}
    await deliver_to(adapter.refunds, replace(refund(order, BACK, id="9"), dependencies=beside))
    second = await deliver_to(adapter.refunds, replace(refund(order, BACK, id="10"), dependencies=beside), until="post")
    held = await refused(adapter, "return", second)
    assert "1 of 'MUG' were refunded or taken off" in held.detail
    assert odoo.orders[1].pickings[0].row["name"] in held.detail
    odoo.ship(odoo.orders[1].external_id)
    await deliver_to(adapter.refunds, second)
    assert [quantities for _, _, quantities in transfers(odoo)] == [[Decimal(2)], [Decimal(1), Decimal(1)]]


async def test_goods_that_are_still_to_leave_are_held(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    """The credit note is booked; of the goods a person takes care, and then it goes on."""
    made = await deliver_to(adapter.refunds, refund(order, BACK), until="post")
    answer = await refused(adapter, "return", made)
    assert answer.reason is HoldReason.LOCKED
    assert "2 of 'MUG' were refunded" in answer.detail
    assert odoo.orders[0].pickings[0].row["name"] in answer.detail
    odoo.act("sale.order", "action_cancel", [odoo.orders[0].id], context={"disable_cancel_warning": True})
    await deliver_to(adapter.refunds, made)
    assert (transfers(odoo), odoo.credits[0].state) == ([], "posted")


async def test_what_a_person_deleted_or_received_is_theirs(adapter: OdooAdapter, odoo: Odoo, order: Job) -> None:
    odoo.ship(ORDER)
    made = await deliver_to(adapter.refunds, refund(order, BACK), until="return")
    back = odoo.id_of("__tallystick__.return__odoo__woocommerce__1042__refund__9")
    odoo.act("stock.picking", "unlink", [back])
    assert [type(answer) for answer in await step(adapter.refunds, "ready", made)] == [Applied]


async def test_an_odoo_without_stock_has_nothing_to_take_back(odoo: Odoo) -> None:
    del odoo.db.models["sale.order"].fields["picking_ids"]
    async with connected(odoo) as adapter:
        order = await deliver(adapter, job(document()))
        await deliver_to(adapter.refunds, refund(order, BACK))
    assert transfers(odoo) == []
