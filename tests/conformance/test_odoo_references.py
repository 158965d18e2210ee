"""What the Odoo adapter refers to, against the double: products, taxes, pricelists, and contacts."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from adapters.odoo import OdooAdapter
from simulators.faults import Fault, Rule
from simulators.odoo import Odoo
from tallystick.ports import Applied, Doubt, Job, Refused, Verdict
from tallystick.reasons import HoldReason
from tests.unit.adapters.odoo.jobs import (
    DESK,
    MUGS,
    company,
    connected,
    customer_job,
    document,
    job,
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


def spoil(odoo: Odoo, fault: Fault, operation: str) -> None:
    odoo.faults.rules.append(Rule(fault, operation, first=1))


# ---- references --------------------------------------------------------------------------------------------------


async def test_products_that_are_missing_or_ambiguous_are_held_by_name(adapter: OdooAdapter, odoo: Odoo) -> None:
    odoo.add_product("DESK", "Another desk", "1.00")
    lamp = {**DESK, "id": "13", "sku": "LAMP"}
    made = await with_customer(adapter, job(document(MUGS, DESK, lamp)))
    (answer,) = await adapter.orders.prepare([made])
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.MAPPING
    assert "no product of Odoo has the internal reference 'LAMP'" in answer.detail
    assert "2 products of Odoo have the internal reference 'DESK'" in answer.detail
    assert "MUG" not in answer.detail
    odoo.add_product("LAMP", "Lamp", "1.00")
    (answer,) = await adapter.orders.prepare([replace(made, document=document(MUGS, lamp))])
    assert isinstance(answer, Job)


async def test_references_of_the_contract_that_lead_nowhere(adapter: OdooAdapter, odoo: Odoo) -> None:
    made = document()
    tax_id = str(odoo.id_of("tallystick_demo.tax_7_included"))
    wrong = replace(
        made,
        fields={**made.fields, "pricelist_id": "nowhere.pricelist", "x_absent": "1", "order_line": "1"},
        lines=(replace(made.lines[0], taxes=("7 %", tax_id)), replace(made.lines[1], taxes=("999999",))),
    )
    (answer,) = await adapter.orders.prepare([await with_customer(adapter, job(wrong))])
    assert isinstance(answer, Refused)
    for told in ("'nowhere.pricelist' is no product.pricelist", "no field 'x_absent'", "'order_line' of sale.order is",
                 "'7 %' is no account.tax", "'999999' is no account.tax"):  # fmt: skip
        assert told in answer.detail
    assert f"'{tax_id}'" not in answer.detail


async def test_orders_beside_a_held_one_are_prepared(adapter: OdooAdapter) -> None:
    """FC-036: the others flow."""
    good = await with_customer(adapter, job(document()))
    bad = replace(good, ref="woocommerce/7", document=document({**MUGS, "sku": "LAMP"}, id="7"))
    first, second = await adapter.orders.prepare([bad, good])
    assert isinstance(first, Refused)
    assert isinstance(second, Job)


# ---- contacts ----------------------------------------------------------------------------------------------------

_ADDRESS = {"line1": "Hauptstr. 1", "city": "Los Angeles", "postal_code": "90001", "country_code": "US",
            "region_code": "US-CA"}  # fmt: skip


async def test_a_contact_is_made_once_and_never_updated(adapter: OdooAdapter, odoo: Odoo) -> None:
    customer = document(billing=_ADDRESS).customer
    (first,) = await step(adapter.customers, "ensure", customer_job(customer))
    odoo.act("res.partner", "write", [odoo.partners[0].id], {"name": "by hand"})
    (second,) = await step(adapter.customers, "ensure", customer_job(replace(customer, name="Other")))
    assert first == second == Applied(str(odoo.partners[0].id))
    (partner,) = odoo.partners
    assert (partner.name, partner.email, partner.country) == ("by hand", "erika@shop.example", "US")
    assert partner.external_id == "__tallystick__.customer__odoo__customer__woocommerce__77"
    state = odoo.act("res.partner", "read", [partner.id], ["state_id"])[0]["state_id"]
    assert state[1].startswith("California")


async def test_a_lost_contact_is_found_again(adapter: OdooAdapter, odoo: Odoo) -> None:
    spoil(odoo, Fault.LOST_REPLY, "res.partner.load")
    made = customer_job(document().customer)
    (answer,) = await step(adapter.customers, "ensure", made)
    assert isinstance(answer, Doubt)
    (found,) = await adapter.customers.probe(step_of(adapter.customers, made, "ensure"), [made])
    assert (found.verdict, found.external_id) == (Verdict.THIS, str(odoo.partners[0].id))


async def test_a_country_that_odoo_does_not_know(adapter: OdooAdapter) -> None:
    unknown = replace(document(billing=_ADDRESS).customer, country_code="XX")
    (answer,) = await adapter.customers.prepare([customer_job(unknown)])
    assert answer == Refused(HoldReason.MAPPING, "Odoo knows no country 'XX'")


async def test_a_state_that_odoo_does_not_know_is_left_out(adapter: OdooAdapter, odoo: Odoo) -> None:
    unknown = replace(document(billing=_ADDRESS).customer, region_code="ZZ")
    await step(adapter.customers, "ensure", customer_job(unknown))
    assert odoo.partners[0].row.get("state_id") is None


async def test_the_contracts_own_fields_of_a_contact(adapter: OdooAdapter, odoo: Odoo) -> None:
    customer = replace(document().customer, fields={"property_payment_term_id": "nowhere.term", "x_absent": "1"})
    (answer,) = await adapter.customers.prepare([customer_job(customer)])
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.MAPPING
    assert "'nowhere.term' is no account.payment.term" in answer.detail
    assert "res.partner has no field 'x_absent'" in answer.detail
    term = odoo.add("account.payment.term", "sales.term_21", {"name": "21 Days"})
    good = replace(customer, fields={"property_payment_term_id": "sales.term_21", "ref": "B2B-7"})
    await step(adapter.customers, "ensure", customer_job(good))
    found = odoo.act("res.partner", "read", [odoo.partners[0].id], ["property_payment_term_id", "ref"])[0]
    assert (found["property_payment_term_id"][0], found["ref"]) == (term, "B2B-7")


async def test_a_deleted_contact_is_not_made_anew(adapter: OdooAdapter, odoo: Odoo) -> None:
    """A merged one is no deleted one: the External ID follows."""
    made = await with_customer(adapter, job(document()))
    customer = customer_job(document().customer, external_id=made.dependencies["customer"])
    odoo.act("res.partner", "unlink", [odoo.partners[0].id])
    (answer,) = await adapter.customers.prepare([customer])
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.DELETED_IN_TARGET


async def test_an_order_follows_a_merge_of_contacts(adapter: OdooAdapter, odoo: Odoo) -> None:
    made = await with_customer(adapter, job(document()))
    kept = odoo.add("res.partner", "", {"name": "Erika B."})
    named = odoo.act("ir.model.data", "search", [["name", "=", "customer__odoo__customer__woocommerce__77"]])
    odoo.act("ir.model.data", "write", named, {"res_id": kept})
    odoo.act("res.partner", "unlink", [int(made.dependencies["customer"])])
    await step(adapter.orders, "load", made)
    assert odoo.orders[0].partner.id == kept
