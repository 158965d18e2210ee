"""The Odoo adapter against the double, in both versions: orders by steps, revisions, contacts, look-ups."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.odoo import OdooAdapter
from simulators.odoo import Odoo, application
from simulators.serving import serve
from tallystick.errors import SetupError, Unauthorised, Unavailable
from tallystick.ports import (
    Applied,
    ConnectionTest,
    CustomerSink,
    Identified,
    Job,
    OrderSink,
    ReferenceLookup,
    Refused,
    Verdict,
)
from tallystick.reasons import HoldReason
from tallystick.secrets import Secret
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
)

#: When the orders were placed, as Odoo keeps it.
PLACED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture(params=["16.0", "19.0"])
def odoo(request: pytest.FixtureRequest) -> Odoo:
    return company(request.param)


@pytest.fixture
async def adapter(odoo: Odoo) -> AsyncIterator[OdooAdapter]:
    async with connected(odoo) as adapter:
        yield adapter


def by_person(odoo: Odoo, method: str, *arguments: Any) -> Any:
    return odoo.act("sale.order", method, [odoo.orders[0].id], *arguments)


async def refused(adapter: OdooAdapter, name: str, made: Job) -> Refused:
    (answer,) = await step(adapter.orders, name, made)
    assert isinstance(answer, Refused), answer
    return answer


def test_the_abilities(adapter: OdooAdapter) -> None:
    for ability in (OrderSink, CustomerSink, ReferenceLookup, Identified, ConnectionTest):
        assert isinstance(adapter, ability)


# ---- an order by its steps ---------------------------------------------------------------------------------------


async def test_an_order_is_made_checked_confirmed_and_dated(adapter: OdooAdapter, odoo: Odoo) -> None:
    """Prices with tax inside at two rates, and shipping; the date is the buyer's, not that of the confirmation."""
    shipping = {"id": "9", "title": "Courier", "amount": {"gross": "5.35"}, "taxes": [{"rate_percent": "7"}]}
    made = document(shipping_lines=[shipping], note="Ring twice\n& wait")
    done = await deliver(adapter, job(made))
    (order,) = odoo.orders
    assert done.external_id == str(order.id)
    assert (order.state, order.currency, order.amount_total) == ("sale", "EUR", Decimal("156.45"))
    assert order.client_order_ref == "1042"
    assert order.origin == f"Web shop [{done.mark}]"
    assert order.date_order == PLACED
    assert order.external_id == "__tallystick__.order__odoo__woocommerce__1042"
    lines = [(line.product, line.quantity, line.price_unit, line.taxes, line.discount) for line in order.lines]
    assert lines == [
        ("MUG", Decimal(3), Decimal("10.70"), ("tallystick_demo.tax_7_included",), Decimal(0)),
        ("DESK", Decimal(1), Decimal("119.00"), ("tallystick_demo.tax_19_included",), Decimal(0)),
        ("SHIPPING", Decimal(1), Decimal("5.35"), ("tallystick_demo.tax_7_included",), Decimal(0)),
    ]
    assert order.partner.name == "Erika Beispiel"
    assert "Ring twice<br" in order.row["note"]
    assert "&amp; wait" in order.row["note"]


async def test_prices_without_tax_and_an_untaxed_line(adapter: OdooAdapter, odoo: Odoo) -> None:
    """The product's default tax is 19 %: an empty cell has to mean none."""
    plain = {"sku": "MUG", "quantity": 2, "amount": {"net": "20.00", "tax": "0"}}
    taxed = {"sku": "DESK", "quantity": 1, "amount": {"net": "100.00"}, "taxes": [{"rate_percent": "19"}]}
    await deliver(adapter, job(document(plain, taxed, tax_basis="excluded")))
    (order,) = odoo.orders
    assert [line.taxes for line in order.lines] == [(), ("tallystick_demo.tax_19_excluded",)]
    assert [order.amount_untaxed, order.amount_tax, order.amount_total] == [Decimal(120), Decimal(19), Decimal(139)]


async def test_yen_have_no_decimals(adapter: OdooAdapter, odoo: Odoo) -> None:
    tea = {"sku": "MUG", "quantity": 1, "amount": {"gross": "1624"}, "taxes": [{"rate_percent": "8"}]}
    await deliver(adapter, job(document(tea, currency_code="JPY")))
    assert (odoo.orders[0].currency, odoo.orders[0].amount_total) == ("JPY", Decimal(1624))


async def test_an_order_by_policy_unconfirmed_stays_a_draft(adapter: OdooAdapter, odoo: Odoo) -> None:
    made = replace(document(), confirm=False)
    await deliver(adapter, job(made))
    assert [one.name for one in adapter.orders.steps(made)] == ["load", "check"]
    assert (odoo.orders[0].state, odoo.orders[0].date_order) == ("draft", PLACED)


async def test_the_same_revision_twice_is_one_order(adapter: OdooAdapter, odoo: Odoo) -> None:
    """FC-001, FC-007: nobody knows of the first; the second folds into it, lines included."""
    made = await deliver(adapter, job(document()), until="load")
    await deliver(adapter, replace(made, external_id=None, sent_lines=()))
    assert len(odoo.orders) == 1
    assert len(odoo.orders[0].lines) == 2


async def test_another_connection_to_the_same_database_has_documents_of_its_own(odoo: Odoo) -> None:
    async with serve(application(odoo)) as address:
        for name in ("odoo", "odoo-test"):
            adapter = OdooAdapter(name, jobs.settings(address, odoo), jobs.CLOCK)
            await deliver(adapter, job(document()))
            await adapter.close()
    assert len(odoo.orders) == 2


async def test_the_mark_stands_where_the_settings_say(odoo: Odoo) -> None:
    odoo.add_field("sale.order", "x_tallystick")
    async with connected(odoo, mark_field="x_tallystick") as adapter:
        done = await deliver(adapter, job(document()))
    assert odoo.orders[0].origin == "Web shop"
    assert odoo.orders[0].row["x_tallystick"] == done.mark


# ---- revisions ---------------------------------------------------------------------------------------------------


async def test_an_edit_changes_the_draft_and_empties_a_removed_line(adapter: OdooAdapter, odoo: Odoo) -> None:
    draft = await deliver(adapter, job(replace(document(), confirm=False)))
    second = revised(draft, document({**MUGS, "quantity": 2, "amount": {"gross": "21.40"}}), 2)
    await deliver(adapter, second)
    (order,) = odoo.orders
    assert [(line.product, line.quantity) for line in order.lines] == [("MUG", Decimal(2)), ("DESK", Decimal(0))]
    assert (order.state, order.amount_total) == ("sale", Decimal("21.40"))
    assert order.origin.endswith(f"[{second.mark}]")


async def test_a_line_that_never_arrived_is_not_made_to_be_emptied(adapter: OdooAdapter, odoo: Odoo) -> None:
    """The ledger remembers what an intent carried, whether or not it landed."""
    await deliver(adapter, job(document(MUGS), 2, sent=("11", "12")))
    assert [line.product for line in odoo.orders[0].lines] == ["MUG"]


async def test_a_revision_without_a_difference_only_moves_the_mark_of_a_confirmed_order(
    adapter: OdooAdapter, odoo: Odoo
) -> None:
    """A store's order becomes completed: a new revision, and nothing for the books."""
    first = await deliver(adapter, job(document(note="Ring <twice> & wait")))
    second = revised(first, document(note="Ring <twice> & wait"), 2)
    before = {line.id: line.row["write_date"] for line in odoo.orders[0].lines}
    await deliver(adapter, second)
    assert odoo.orders[0].origin == f"Web shop [{second.mark}]"
    assert {line.id: line.row["write_date"] for line in odoo.orders[0].lines} == before


async def test_an_edit_of_a_confirmed_order_is_held(adapter: OdooAdapter, odoo: Odoo) -> None:
    first = await deliver(adapter, job(document()))
    answer = await refused(adapter, "load", revised(first, document(MUGS), 2))
    assert answer.reason is HoldReason.LOCKED
    assert "S00001 is confirmed in Odoo" in answer.detail
    assert "line 12 was removed in the store, Odoo has it with quantity 1" in answer.detail
    assert odoo.orders[0].amount_total == Decimal("151.10")


async def test_an_order_cancelled_by_a_person_is_not_confirmed(adapter: OdooAdapter, odoo: Odoo) -> None:
    draft = await deliver(adapter, job(document()), until="check")
    by_person(odoo, "action_cancel")
    answer = await refused(adapter, "confirm", draft)
    assert (answer.reason, odoo.orders[0].state) == (HoldReason.LOCKED, "cancel")
    assert "was cancelled in Odoo" in answer.detail


async def test_what_a_person_confirmed_is_not_confirmed_again(adapter: OdooAdapter, odoo: Odoo) -> None:
    """Odoo 19 refuses a second confirmation, Odoo 16 takes it; neither is asked."""
    draft = await deliver(adapter, job(document()), until="check")
    by_person(odoo, "action_confirm")
    await deliver(adapter, draft)
    assert len(odoo.journal.of("confirmed")) == 1
    assert odoo.orders[0].date_order == PLACED


async def test_a_locked_order_still_gets_its_date(odoo: Odoo) -> None:
    odoo.settings.lock_confirmed = True
    async with connected(odoo) as adapter:
        await deliver(adapter, job(document()))
    assert odoo.orders[0].date_order == PLACED


async def test_a_deleted_order_is_never_made_anew(adapter: OdooAdapter, odoo: Odoo) -> None:
    draft = await deliver(adapter, job(document()), until="load")
    by_person(odoo, "unlink")
    (answer,) = await adapter.orders.prepare([revised(draft, document(MUGS), 2)])
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.DELETED_IN_TARGET
    (found,) = await adapter.orders.probe(step_of(adapter.orders, draft, "load"), [draft])
    assert found.verdict is Verdict.ABSENT


async def test_an_order_deleted_between_look_and_load_is_not_made_anew(adapter: OdooAdapter, odoo: Odoo) -> None:
    """An update carries no customer, without which Odoo makes no order."""
    draft = await deliver(adapter, job(document()), until="load")
    ready = await prepared(adapter.orders, draft)
    by_person(odoo, "unlink")
    (answer,) = await adapter.orders.send(step_of(adapter.orders, draft, "load"), ready, jobs.budget())
    assert isinstance(answer, Refused)
    assert odoo.orders == []


async def test_another_id_than_the_known_one_is_told(adapter: OdooAdapter, odoo: Odoo) -> None:
    """The same, where the update moves the order to another customer."""
    draft = await deliver(adapter, job(document()), until="load")
    other = odoo.add("res.partner", "", {"name": "Other"})
    by_person(odoo, "write", {"partner_id": other})
    ready = await prepared(adapter.orders, draft)
    by_person(odoo, "unlink")
    (answer,) = await adapter.orders.send(step_of(adapter.orders, draft, "load"), ready, jobs.budget())
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.DELETED_IN_TARGET
    assert str(odoo.orders[0].id) in answer.detail


async def test_what_people_set_from_the_customer_stays(adapter: OdooAdapter, odoo: Odoo) -> None:
    """Written again, the customer would bring its own payment term back (measured in 16 and 19)."""
    draft = await deliver(adapter, job(replace(document(), confirm=False)))
    term = odoo.add("account.payment.term", "", {"name": "21 Days"})
    by_person(odoo, "write", {"payment_term_id": term})
    await deliver(adapter, revised(draft, document(MUGS), 2))
    assert odoo.orders[0].row["payment_term_id"] == term


async def test_fields_that_are_the_erps_own_are_given_once(adapter: OdooAdapter, odoo: Odoo) -> None:
    made = replace(document(), confirm=False, given_once=frozenset({"client_order_ref"}))
    draft = await deliver(adapter, job(made))
    by_person(odoo, "write", {"client_order_ref": "by hand"})
    await deliver(adapter, revised(draft, replace(made, fields={**made.fields, "note": "new"}), 2))
    assert odoo.orders[0].client_order_ref == "by hand"


async def test_an_adopted_order_is_left_as_people_made_it(adapter: OdooAdapter, odoo: Odoo) -> None:
    """Bound by a person, without our External ID: a load would make a second one."""
    made = await deliver(adapter, job(document()), until="load")
    named = odoo.act("ir.model.data", "search", [["module", "=", "__tallystick__"], ["model", "=", "sale.order"]])
    odoo.act("ir.model.data", "unlink", named)
    await deliver(adapter, revised(made, document(), 2))
    answer = await refused(adapter, "load", revised(made, document(MUGS), 3))
    assert answer.reason is HoldReason.LOCKED
    assert len(odoo.orders) == 1
    assert odoo.orders[0].origin.endswith(f"[{made.mark}]")


# ---- read-back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason", "told"),
    [
        ({"price_unit": 10.0}, HoldReason.UNBALANCED, "line 11: price 10.70 was sent, Odoo has 10"),
        ({"product_uom_qty": 4}, HoldReason.UNBALANCED, "line 11: quantity 3 was sent, Odoo has 4"),
        ({"discount": 10.0}, HoldReason.UNBALANCED, "line 11 has a discount of 10"),
    ],
)
async def test_a_difference_is_held_with_both_figures(
    adapter: OdooAdapter, odoo: Odoo, changes: dict[str, Any], reason: HoldReason, told: str
) -> None:
    draft = await deliver(adapter, job(document()), until="load")
    odoo.act("sale.order.line", "write", [odoo.orders[0].lines[0].id], changes)
    answer = await refused(adapter, "check", draft)
    assert answer.reason is reason
    assert told in answer.detail


async def test_another_tax_is_held(adapter: OdooAdapter, odoo: Odoo) -> None:
    draft = await deliver(adapter, job(document()), until="load")
    field = "tax_id" if odoo.db.version == 16 else "tax_ids"
    odoo.act("sale.order.line", "write", [odoo.orders[0].lines[0].id], {field: [[5, 0, 0]]})
    answer = await refused(adapter, "check", draft)
    assert (answer.reason, "in Odoo it has none" in answer.detail) == (HoldReason.MAPPING, True)


async def test_a_price_that_odoo_rounds_is_told(adapter: OdooAdapter, odoo: Odoo) -> None:
    """FC-024: Odoo 16 keeps two decimals of a price, Odoo 19 all of them."""
    socks = {"id": "5", "sku": "MUG", "quantity": 3, "amount": {"gross": "10.00"}, "taxes": [{"rate_percent": "19"}]}
    made = await deliver(adapter, job(document(socks)), until="load")
    (answer,) = await step(adapter.orders, "check", made)
    if odoo.db.version == 16:
        assert isinstance(answer, Refused)
        assert "price 3.333333 was sent, Odoo has 3.33" in answer.detail
        assert "arithmetic.price_decimals" in answer.detail
    else:
        assert answer == Applied(str(odoo.orders[0].id), "S00001")


async def test_a_currency_that_the_pricelist_does_not_have(adapter: OdooAdapter, odoo: Odoo) -> None:
    """FC-031: the table of currencies leads to a pricelist in another one."""
    made = document()
    wrong = replace(made, fields={**made.fields, "pricelist_id": "tallystick_demo.pricelist_usd"})
    draft = await deliver(adapter, job(wrong), until="load")
    answer = await refused(adapter, "check", draft)
    assert "the order is in EUR, in Odoo it is in USD" in answer.detail


# ---- look-ups, identity, connection test -------------------------------------------------------------------------


async def test_orders_are_found_for_adoption(adapter: OdooAdapter, odoo: Odoo) -> None:
    """FC-013: cancelled ones left out, and two with one reference are both shown."""
    partner = odoo.add("res.partner", "", {"name": "By hand"})
    for reference in ("1", "1", "2", "3"):
        odoo.add("sale.order", "", {"partner_id": partner, "client_order_ref": reference})
    odoo.act("sale.order", "action_cancel", [odoo.orders[3].id])
    found = await adapter.find_orders("client_order_ref", ["1", "2", "3", "4"])
    numbers = {value: sorted(one.number for one in orders) for value, orders in found.items()}
    assert numbers == {"1": ["S00001", "S00002"], "2": ["S00003"], "3": [], "4": []}
    assert (found["2"][0].currency, Decimal(found["2"][0].total)) == (odoo.orders[2].currency, Decimal(0))
    with pytest.raises(SetupError, match="has no field 'colour'"):
        await adapter.find_orders("colour", ["1"])


async def test_identity_is_the_database_and_the_company(adapter: OdooAdapter, odoo: Odoo) -> None:
    assert await adapter.identity() == f"{odoo.settings.uuid}/company-1"
    async with connected(odoo, company_id=7) as other:
        assert await other.identity() == f"{odoo.settings.uuid}/company-7"


async def test_a_connection_test_is_fine_on_a_good_server(adapter: OdooAdapter, odoo: Odoo) -> None:
    findings = await adapter.check()
    assert all(fine for _, fine, _ in findings), findings
    assert findings[0][0] == f"the server is Odoo {odoo.settings.major}"
    assert "the company rounds taxes 1: round_per_line" in [name for name, _, _ in findings]


async def test_a_connection_test_tells_what_is_wrong(odoo: Odoo) -> None:
    async with connected(odoo, mark_field="x_absent", api_key=Secret.of("wrong")) as adapter:
        findings = await adapter.check()
    told = {name: words for name, fine, words in findings if not fine}
    assert "check the database, the login and the key" in told["sale.order can be read"]
    async with connected(odoo, mark_field="x_absent") as adapter:
        findings = await adapter.check()
    assert [words for _, fine, words in findings if not fine] == [
        "it is not there or no text: leave `mark_field` out, or set it to a field of your own"
    ]


async def test_credentials_that_are_refused(odoo: Odoo) -> None:
    async with connected(odoo, api_key=Secret.of("wrong")) as adapter:
        with pytest.raises(Unauthorised):
            await adapter.identity()
    async with connected(odoo, database="elsewhere") as adapter:
        with pytest.raises(Unavailable, match="psycopg2"):
            await adapter.identity()
