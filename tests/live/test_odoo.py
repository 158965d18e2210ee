"""The Odoo adapter against a real Odoo server, version 16 to 19. Run by `make live`.

    TALLYSTICK_LIVE_ODOO='http://admin@127.0.0.1:8069/?db=trial' TALLYSTICK_LIVE_ODOO_KEY=… make live

The user is an administrator, because the suite seeds taxes, pricelists and products; the key is an API key of theirs,
or the password. Use a database for trials: the suite leaves its orders there.
The apps Sales and Inventory have to be installed (modules `sale_management`, `sale_stock`). With Docker, Odoo's public
image makes such a server, whose login and password are both `admin`:

    docker run -d --name trial-db -e POSTGRES_USER=odoo -e POSTGRES_PASSWORD=odoo -e POSTGRES_DB=postgres postgres:15
    docker run -d -p 127.0.0.1:8069:8069 --link trial-db:db odoo:19.0 -- -d trial -i sale_management,sale_stock

Each case takes fresh order numbers, and judges by what the server itself says, past the adapter.
"""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from adapters.odoo import OdooAdapter
from adapters.odoo.readback import document_of
from tallystick.errors import Unauthorised
from tallystick.ports import Applied, Refused, Verdict
from tallystick.reasons import HoldReason
from tallystick.secrets import Secret
from tests.unit.adapters.odoo import jobs
from tests.unit.adapters.odoo.jobs import deliver, job, step

from .odoo_company import DESK, MUG, OdooCompany
from .odoo_orders import fresh, probed, refused

pytestmark = pytest.mark.live


# ---- documents ---------------------------------------------------------------------------------------------------


async def test_an_order_is_made_checked_confirmed_and_dated(adapter: OdooAdapter, company: OdooCompany) -> None:
    """Prices with tax inside at two rates, and shipping; the date is the buyer's, not that of the confirmation."""
    shipping = {"id": "9", "title": "Courier", "amount": {"gross": "5.35"}, "taxes": [{"rate_percent": "7"}]}
    done = await deliver(adapter, job(fresh(shipping_lines=[shipping], note="Ring twice\n& wait")))
    order = await company.order(done.external_id)
    assert (order["state"], order["currency_id"][1], order["amount_total"]) == ("sale", "EUR", 156.45)
    assert (order["amount_untaxed"], order["amount_tax"]) == (135.0, 21.45)
    assert order["date_order"] == "2026-11-20 12:00:00"
    assert order["origin"] == f"Web shop [{done.mark}]"
    assert [(line["product_uom_qty"], line["price_unit"], line["taxes"]) for line in order["lines"]] == [
        (3, 10.7, ["tax_7_included"]),
        (1, 119, ["tax_19_included"]),
        (1, 5.35, ["tax_7_included"]),
    ]
    assert (await probed(adapter, "load", done, whole=True)).verdict is Verdict.THIS


async def test_prices_without_tax_and_an_untaxed_line(adapter: OdooAdapter, company: OdooCompany) -> None:
    """The company's default tax stands on the product: an empty cell has to mean none."""
    plain = {"sku": MUG, "quantity": 2, "amount": {"net": "20.00", "tax": "0"}}
    taxed = {"sku": DESK, "quantity": 1, "amount": {"net": "100.00"}, "taxes": [{"rate_percent": "19"}]}
    done = await deliver(adapter, job(fresh(plain, taxed, tax_basis="excluded")))
    order = await company.order(done.external_id)
    assert [line["taxes"] for line in order["lines"]] == [[], ["tax_19_excluded"]]
    assert (order["amount_untaxed"], order["amount_tax"], order["amount_total"]) == (120, 19, 139)


@pytest.mark.parametrize(("currency", "gross"), [("JPY", "1624"), ("KWD", "12.340")])
async def test_no_decimals_and_three(adapter: OdooAdapter, company: OdooCompany, currency: str, gross: str) -> None:
    tea = {"sku": MUG, "quantity": 1, "amount": {"gross": gross}, "taxes": [{"rate_percent": "8"}]}
    done = await deliver(adapter, job(fresh(tea, currency_code=currency)))
    order = await company.order(done.external_id)
    assert (order["currency_id"][1], order["amount_total"]) == (currency, float(gross))


async def test_a_price_that_odoo_rounds_is_told(adapter: OdooAdapter, company: OdooCompany) -> None:
    """FC-024: Odoo 16 keeps two decimals of a price (unless somebody raised them), later ones keep all of them."""
    socks = {"id": "5", "sku": MUG, "quantity": 3, "amount": {"gross": "10.00"}, "taxes": [{"rate_percent": "19"}]}
    made = await deliver(adapter, job(fresh(socks)), until="load")
    (answer,) = await step(adapter.orders, "check", made)
    order = await company.order(made.external_id)
    if order["lines"][0]["price_unit"] == 3.333333:
        assert (isinstance(answer, Applied), order["amount_total"]) == (True, 10.0)
    else:
        assert company.version == 16
        assert isinstance(answer, Refused)
        assert "price 3.333333 was sent, Odoo has 3.33" in answer.detail


# ---- contacts ----------------------------------------------------------------------------------------------------

GUEST = {"kind": "person", "name": "Erika Beispiel", "email": "erika@shop.example"}
FIRM = {
    "kind": "company",
    "name": "Beispiel GmbH",
    "company": {"name": "Beispiel GmbH", "tax_id": "DE123456788"},
    "billing": {"line1": "Weg 1", "postal_code": "10115", "city": "Berlin", "country_code": "DE"},
}


@pytest.mark.parametrize("buyer", [GUEST, FIRM], ids=["person", "company"])
async def test_the_second_order_of_a_buyer_takes_the_same_contact(
    adapter: OdooAdapter, company: OdooCompany, buyer: dict[str, Any]
) -> None:
    """A guest with little more than an e-mail, and a company with its tax number and address."""
    known = {**buyer, "key": uuid.uuid4().hex}
    first, second = [await deliver(adapter, job(fresh(customer=known))) for _ in range(2)]
    assert first.dependencies == second.dependencies
    contact = int(first.dependencies["customer"])
    assert (await company.order(second.external_id))["partner_id"][0] == contact
    (found,) = await company.find("res.partner", [["id", "=", contact]], "name", "email", "is_company", "vat", "zip")
    assert (found["name"], found["is_company"]) == (buyer["name"], buyer is FIRM)
    assert (found["email"], found["vat"]) == (buyer.get("email", False), buyer is FIRM and "DE123456788")
    assert found["zip"] == (buyer is FIRM and "10115")


async def test_a_tax_number_that_odoo_refuses_is_told_without_it(adapter: OdooAdapter, company: OdooCompany) -> None:
    """The module base_vat, part of most localisations, checks the number; other companies take any."""
    wrong = {**FIRM, "key": uuid.uuid4().hex, "company": {"name": "Beispiel GmbH", "tax_id": "DE123456789"}}
    customer = jobs.customer_job(fresh(customer=wrong).customer)
    (answer,) = await step(adapter.customers, "ensure", customer)
    checked = await company.find("ir.module.module", [["name", "=", "base_vat"], ["state", "=", "installed"]], "name")
    if checked:
        assert isinstance(answer, Refused), answer
        assert answer.reason is HoldReason.DATA
        assert "123456789" not in answer.detail
        assert "Beispiel GmbH" not in answer.detail
    else:
        assert isinstance(answer, Applied), answer


# ---- read-back ---------------------------------------------------------------------------------------------------


async def test_a_difference_is_held_with_both_figures(adapter: OdooAdapter, company: OdooCompany) -> None:
    draft = await deliver(adapter, job(fresh()), until="load")
    line = (await company.order(draft.external_id))["lines"][0]["id"]
    await company.act("sale.order.line", "write", [line], {"price_unit": 10.0})
    answer = await refused(adapter, "check", draft)
    assert answer.reason is HoldReason.UNBALANCED
    assert "price 10.70 was sent, Odoo has 10" in answer.detail
    assert "the total is 151.10 EUR in the store and 149" in answer.detail
    assert (await probed(adapter, "load", draft, whole=True)).verdict is Verdict.OLDER


async def test_a_pricelist_in_another_currency_is_told(adapter: OdooAdapter) -> None:
    """FC-031: the table of currencies leads to the wrong pricelist."""
    made = fresh()
    wrong = replace(made, fields={**made.fields, "pricelist_id": "tallystick_demo.pricelist_usd"})
    draft = await deliver(adapter, job(wrong), until="load")
    assert "the order is in EUR, in Odoo it is in USD" in (await refused(adapter, "check", draft)).detail


# ---- the connection ----------------------------------------------------------------------------------------------


async def test_the_connection_is_known_and_fine(adapter: OdooAdapter, company: OdooCompany) -> None:
    (row,) = await company.find("ir.config_parameter", [["key", "=", "database.uuid"]], "value")
    assert (await adapter.identity()).startswith(f"{row['value']}/company-")
    findings = await adapter.check()
    assert [finding for finding in findings if not finding[1]] == []
    assert findings[0][0] == f"the server is Odoo {company.version}"


async def test_a_wrong_key_is_told(company: OdooCompany) -> None:
    adapter = OdooAdapter("live", company.settings(api_key=Secret.of("wrong")), jobs.CLOCK)
    with pytest.raises(Unauthorised, match="check the database, the login and the key"):
        await adapter.identity()
    await adapter.close()


async def test_three_groups_are_enough(company: OdooCompany) -> None:
    """Sales, contacts, and for External IDs the administration's "Access Rights"."""
    rights = ("sales_team.group_sale_salesman_all_leads", "base.group_partner_manager", "base.group_erp_manager")
    adapter = OdooAdapter("live", await company.user(*rights), jobs.CLOCK)
    done = await deliver(adapter, job(fresh(customer={**GUEST, "key": uuid.uuid4().hex})))
    assert (await company.order(done.external_id))["state"] == "sale"
    assert "/company-" in await adapter.identity()
    await adapter.close()


async def test_a_right_that_lacks_is_told(company: OdooCompany) -> None:
    settings = await company.user("sales_team.group_sale_salesman_all_leads")
    adapter = OdooAdapter("live", settings, jobs.CLOCK)
    wrong = [(name, what) for name, fine, what in await adapter.check() if not fine]
    assert [name for name, _ in wrong] == ["External IDs can be looked up"]
    assert "ir.model.data" in wrong[0][1]
    await adapter.close()


async def test_orders_are_found_for_adoption(adapter: OdooAdapter, company: OdooCompany) -> None:
    done = await deliver(adapter, job(fresh()))
    number = document_of(done).number
    found = await adapter.find_orders("client_order_ref", [number, "nobody has this"])
    assert found["nobody has this"] == []
    (order,) = found[number]
    name = (await company.order(done.external_id))["name"]
    assert (order.external_id, order.number, order.total, order.currency) == (done.external_id, name, "151.1", "EUR")
