"""Customers of the Odoo double by their own revisions, in both versions: addresses, owners, marks, look-ups."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.odoo import OdooAdapter
from simulators.faults import Fault
from simulators.odoo import Odoo
from tallystick import marks
from tallystick.canonical import written
from tallystick.canonical.keys import key
from tallystick.contract.document import CustomerDocument
from tallystick.marks import mark
from tallystick.ports import Applied, Doubt, Job, Refused, Verdict
from tallystick.reasons import HoldReason
from tests.conformance.test_odoo_faults import spoil
from tests.unit.adapters.odoo.jobs import company, connected, contract, customer_job, document, step, step_of

_MARKT = {"line1": "Markt 1", "city": "Kiel", "postal_code": "24103", "country_code": "DE"}
_HAFEN = {"line1": "Hafen 2", "city": "Kiel", "postal_code": "24148", "country_code": "DE"}
_NORD = {"name": "Nord GmbH", "tax_id": "DE123456788", "account_number": "70012", "payment_terms": "15",
         "pricing_tier": "wholesale_customer", "credit_limit": "5000.00",
         "locations": [{"id": "shipping", "name": "Lager", "address": _HAFEN}]}  # fmt: skip


@pytest.fixture(params=["16.0", "19.0"])
def odoo(request: pytest.FixtureRequest) -> Odoo:
    return company(request.param)


@pytest.fixture
async def adapter(odoo: Odoo) -> AsyncIterator[OdooAdapter]:
    async with connected(odoo) as adapter:
        yield adapter


def nord(**parts: Any) -> CustomerDocument:
    """What the example contract makes of a company's own revision."""
    given = {"connection": "woocommerce", "id": "7", "kind": "company", "email": "einkauf@nord.example",
             "phone": "+49 431 1", "billing": _MARKT, "company": _NORD}  # fmt: skip
    made = contract().customer_revision(written.customer({**given, **parts}))
    assert isinstance(made, CustomerDocument), made
    return made


def job(made: CustomerDocument, revision: int = 1, **more: Any) -> Job:
    ref = key("customer", made.connection, made.key)
    return Job(ref, revision, str(mark(ref, revision, repr(made).encode())), made, **more)


async def applied(adapter: OdooAdapter, made: Job) -> Job:
    (answer,) = await step(adapter.customers, "load", made)
    assert isinstance(answer, Applied), answer
    return replace(made, external_id=answer.external_id)


async def refused(adapter: OdooAdapter, made: Job) -> Refused:
    (answer,) = await adapter.customers.prepare([made])
    assert isinstance(answer, Refused), answer
    return answer


async def verdict(adapter: OdooAdapter, made: Job, *, whole: bool = False) -> Verdict:
    (found,) = await adapter.customers.probe(step_of(adapter.customers, made, "load"), [made], whole=whole)
    return found.verdict


def read(odoo: Odoo, record: int, *names: str) -> dict[str, Any]:
    found: dict[str, Any] = odoo.act("res.partner", "read", [record], list(names))[0]
    return found


def by_person(odoo: Odoo, record: str | None, **values: Any) -> None:
    odoo.act("res.partner", "write", [int(record or 0)], values)


# ---- in full -----------------------------------------------------------------------------------------------------


async def test_a_company_with_its_addresses_terms_tier_and_limit(adapter: OdooAdapter, odoo: Odoo) -> None:
    made = await applied(adapter, job(nord()))
    parent, child = odoo.partners
    assert made.external_id == str(parent.id)
    names = ("name", "is_company", "vat", "ref", "email", "city", "credit_limit", "use_partner_credit_limit")
    found = read(odoo, parent.id, *names, "property_payment_term_id", "property_product_pricelist", "comment")
    assert [found[name] for name in names] == [
        *("Nord GmbH", True, "DE123456788", "70012", "einkauf@nord.example", "Kiel", 5000.0, True),
    ]  # fmt: skip
    assert found["property_payment_term_id"][1] == "15 Days"
    assert found["property_product_pricelist"][1].startswith("EUR")
    assert str(marks.find(found["comment"])) == made.mark
    below = read(odoo, child.id, "name", "type", "street", "parent_id", "country_id")
    assert (below["name"], below["type"], below["street"]) == ("Lager", "delivery", "Hafen 2")
    assert below["parent_id"][0] == parent.id
    assert child.external_id == "__tallystick__.location__odoo__customer__woocommerce__7__shipping"


async def test_a_later_revision_changes_the_same_contact_and_address(adapter: OdooAdapter, odoo: Odoo) -> None:
    first = await applied(adapter, job(nord()))
    moved = {**_NORD, "name": "Nord AG", "locations": [{"id": "shipping", "name": "Werk", "address": _MARKT}]}
    second = await applied(adapter, replace(job(nord(company=moved), 2), external_id=first.external_id))
    assert second.external_id == first.external_id
    parent, child = odoo.partners
    assert (parent.name, child.name, read(odoo, child.id, "street")["street"]) == ("Nord AG", "Werk", "Markt 1")


async def test_an_address_that_is_gone_in_the_store_stays(adapter: OdooAdapter, odoo: Odoo) -> None:
    """Documents name it."""
    first = await applied(adapter, job(nord()))
    fewer = {**_NORD, "locations": []}
    await applied(adapter, replace(job(nord(company=fewer), 2), external_id=first.external_id))
    assert [one.name for one in odoo.partners] == ["Nord GmbH", "Lager"]


# ---- who owns what -----------------------------------------------------------------------------------------------


async def test_what_the_erp_owns_is_never_overwritten(adapter: OdooAdapter, odoo: Odoo) -> None:
    """The example contract leaves VAT number, terms and limit to the accountants; the tier is the store's."""
    made = await applied(adapter, job(nord()))
    thirty = odoo.id_of("tallystick_demo.terms_30")
    theirs = {"credit_limit": 900, "property_payment_term_id": thirty, "vat": "DE999999999", "function": "Key account"}
    by_person(odoo, made.external_id, **theirs, property_product_pricelist=odoo.id_of("tallystick_demo.pricelist_usd"))
    again = replace(job(nord(phone="+49 431 2"), 2), external_id=made.external_id)
    assert await verdict(adapter, again, whole=True) is Verdict.OLDER
    await applied(adapter, again)
    names = ("credit_limit", "vat", "function", "phone")
    found = read(odoo, int(made.external_id or 0), *names, "property_payment_term_id", "property_product_pricelist")
    assert [found[name] for name in names] == [900.0, "DE999999999", "Key account", "+49 431 2"]
    assert found["property_payment_term_id"][0] == thirty
    assert found["property_product_pricelist"][1].startswith("EUR")
    assert await verdict(adapter, again, whole=True) is Verdict.THIS


async def test_what_the_store_does_not_say_stays(adapter: OdooAdapter, odoo: Odoo) -> None:
    made = await applied(adapter, job(nord()))
    silent = nord(email="", phone="", billing={}, company={"name": "Nord GmbH"})
    await applied(adapter, replace(job(silent, 2), external_id=made.external_id))
    found = read(odoo, int(made.external_id or 0), "email", "phone", "street", "ref")
    assert (found["email"], found["phone"], found["street"]) == ("einkauf@nord.example", "+49 431 1", "Markt 1")
    assert found["ref"] == "70012"


async def test_the_notes_of_people_stay_before_the_mark(adapter: OdooAdapter, odoo: Odoo) -> None:
    made = await applied(adapter, job(nord()))
    comment = read(odoo, int(made.external_id or 0), "comment")["comment"]
    by_person(odoo, made.external_id, comment=f"<p>Pays late</p>{comment}")
    second = await applied(adapter, replace(job(nord(), 2), external_id=made.external_id))
    kept = read(odoo, int(made.external_id or 0), "comment")["comment"]
    assert "Pays late" in kept
    assert str(marks.find(kept)) == second.mark
    assert made.mark not in kept


# ---- marks and lost answers --------------------------------------------------------------------------------------


async def test_a_lost_answer_is_found_by_its_mark(adapter: OdooAdapter, odoo: Odoo) -> None:
    spoil(odoo, Fault.LOST_REPLY, "res.partner.load")
    made = job(nord())
    (answer,) = await step(adapter.customers, "load", made)
    assert isinstance(answer, Doubt)
    assert await verdict(adapter, made) is Verdict.THIS
    assert len(odoo.partners) == 2


async def test_older_newer_and_absent(adapter: OdooAdapter) -> None:
    assert await verdict(adapter, job(nord())) is Verdict.ABSENT
    await applied(adapter, job(nord(), 2))
    assert await verdict(adapter, job(nord(), 1)) is Verdict.NEWER
    assert await verdict(adapter, job(nord(), 3)) is Verdict.OLDER


async def test_without_a_mark_the_content_tells(adapter: OdooAdapter, odoo: Odoo) -> None:
    """Somebody tidied the notes."""
    made = await applied(adapter, job(nord()))
    by_person(odoo, made.external_id, comment=False)
    assert await verdict(adapter, made) is Verdict.THIS
    by_person(odoo, str(odoo.partners[1].id), street="elsewhere")
    assert await verdict(adapter, made) is Verdict.OLDER


async def test_what_an_order_made_is_older_than_every_revision(adapter: OdooAdapter, odoo: Odoo) -> None:
    """An order makes sure of its customer once and updates nothing; the first own revision does."""
    order = document(customer={"id": "7", "kind": "company", "name": "Nord", "company": {"name": "Nord"}})
    (made,) = await step(adapter.customers, "ensure", customer_job(order.customer))
    assert isinstance(made, Applied)
    own = replace(job(nord()), external_id=made.external_id)
    assert await verdict(adapter, own) is Verdict.OLDER
    assert (await applied(adapter, own)).external_id == made.external_id
    assert [one.name for one in odoo.partners] == ["Nord GmbH", "Lager"]


# ---- one that is there already -----------------------------------------------------------------------------------


async def test_a_company_that_people_keep_is_bound_by_its_account_number(adapter: OdooAdapter, odoo: Odoo) -> None:
    """The first key that finds anything decides: another contact has the e-mail."""
    theirs = odoo.add("res.partner", "", {"name": "NORD", "ref": "70012", "is_company": True})
    odoo.add("res.partner", "", {"name": "Somebody", "email": "einkauf@nord.example"})
    made = await applied(adapter, job(nord()))
    assert made.external_id == str(theirs)
    assert read(odoo, theirs, "name")["name"] == "Nord GmbH"
    assert [one.name for one in odoo.partners] == ["Nord GmbH", "Somebody", "Lager"]
    assert await verdict(adapter, made) is Verdict.THIS


async def test_an_order_binds_it_and_leaves_nothing_but_the_mark(adapter: OdooAdapter, odoo: Odoo) -> None:
    theirs = odoo.add("res.partner", "", {"name": "NORD", "email": "einkauf@nord.example", "is_company": True})
    buyer = {"id": "7", "kind": "company", "email": "einkauf@nord.example", "company": {"name": "Nord GmbH"}}
    ensured = customer_job(document(customer=buyer).customer)
    for _ in range(2):
        (answer,) = await step(adapter.customers, "ensure", ensured)
        assert answer == Applied(str(theirs))
    assert read(odoo, theirs, "name")["name"] == "NORD"
    assert len(odoo.partners) == 1


async def test_several_hits_are_held(adapter: OdooAdapter, odoo: Odoo) -> None:
    """Two contacts with one VAT number are for a person to tell apart; no stranger is merged."""
    for name in ("Nord", "Nord Kiel"):
        odoo.add("res.partner", "", {"name": name, "vat": "DE123456788", "is_company": True})
    answer = await refused(adapter, job(nord()))
    assert answer.reason is HoldReason.MAPPING
    assert "2 contacts of Odoo" in answer.detail
    assert "tax id" in answer.detail


async def test_two_customers_of_one_store_never_share_a_contact(adapter: OdooAdapter, odoo: Odoo) -> None:
    await applied(adapter, job(nord()))
    other = job(nord(id="8"))
    answer = await refused(adapter, other)
    assert (answer.reason, "another customer of the same store" in answer.detail) == (HoldReason.MAPPING, True)


async def test_a_consumer_is_never_looked_for(adapter: OdooAdapter, odoo: Odoo) -> None:
    """Two strangers may share a mailbox."""
    odoo.add("res.partner", "", {"name": "E. B.", "email": "erika@shop.example"})
    await step(adapter.customers, "ensure", customer_job(document().customer))
    assert [one.name for one in odoo.partners] == ["E. B.", "Erika Beispiel"]


# ---- held --------------------------------------------------------------------------------------------------------


async def test_a_deleted_contact_is_not_made_anew(adapter: OdooAdapter, odoo: Odoo) -> None:
    made = await applied(adapter, job(nord()))
    odoo.act("res.partner", "unlink", [one.id for one in odoo.partners])
    answer = await refused(adapter, replace(job(nord(), 2), external_id=made.external_id))
    assert answer.reason is HoldReason.DELETED_IN_TARGET


async def test_an_archived_contact_is_not_changed(adapter: OdooAdapter, odoo: Odoo) -> None:
    made = await applied(adapter, job(nord()))
    by_person(odoo, made.external_id, active=False)
    answer = await refused(adapter, replace(job(nord(phone="1"), 2), external_id=made.external_id))
    assert answer.reason is HoldReason.DELETED_IN_TARGET
    assert "archived" in answer.detail


async def test_a_merged_contact_is_followed(adapter: OdooAdapter, odoo: Odoo) -> None:
    """Odoo's own wizard takes External IDs and addresses along."""
    made = await applied(adapter, job(nord()))
    kept = odoo.add("res.partner", "", {"name": "Nord, kept", "is_company": True})
    named = odoo.act("ir.model.data", "search", [["name", "=", "customer__odoo__customer__woocommerce__7"]])
    odoo.act("ir.model.data", "write", named, {"res_id": kept})
    by_person(odoo, str(odoo.partners[1].id), parent_id=kept)
    odoo.act("res.partner", "unlink", [int(made.external_id or 0)])
    again = await applied(adapter, replace(job(nord(), 2), external_id=made.external_id))
    assert again.external_id == str(kept)
    assert read(odoo, kept, "name")["name"] == "Nord GmbH"


async def test_two_of_our_customers_that_people_merged_are_held(adapter: OdooAdapter, odoo: Odoo) -> None:
    """The contact keeps one of them; the other has to be decided on."""
    first = await applied(adapter, job(nord()))
    alone = replace(nord(id="8"), match=())
    second = await applied(adapter, job(alone))
    named = odoo.act("ir.model.data", "search", [["name", "=", "customer__odoo__customer__woocommerce__8"]])
    odoo.act("ir.model.data", "write", named, {"res_id": int(first.external_id or 0)})
    answer = await refused(adapter, replace(job(alone, 2), external_id=second.external_id))
    assert answer.reason is HoldReason.FOREIGN
    assert await verdict(adapter, replace(job(alone, 2), external_id=second.external_id)) is Verdict.FOREIGN
