"""Customers by their own revisions: one contact each, whatever is late, lost, repeated or at once."""

from typing import Any

from consumers.walks import Pace, Trail, Walks
from simulators.faults import Fault, Rule
from simulators.shopify import B2B, Cart
from simulators.woocommerce import Item
from tallystick.canonical.keys import key
from tallystick.clock import SystemClock
from tallystick.intake.door import Door
from tallystick.kafka.producer import Producer
from tallystick.ledger.cursors import Cursors
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import PendingDeliveries
from tallystick.settings import FlowName
from tests.flows.buyers import addresses, contacts, seen, settled, siam
from tests.flows.company import ODOO, SHOPIFY, WOO, Company
from tests.flows.test_changes import odoo_down
from tests.unit.adapters.shopify.shops import TEA


def read(company: Company, contact: int, *names: str) -> list[Any]:
    found = company.odoo.act("res.partner", "read", [contact], list(names))[0]
    return [found[name] for name in names]


async def test_a_company_that_is_edited_is_one_contact_with_its_addresses(company: Company) -> None:
    firm, _, rayong = siam(company)
    await company.deliver(times=2)
    made = await settled(company, f"company-{firm.id}")
    assert addresses(company, made)["Bangkok"] == "9 Silom"
    name, term, limit = read(company, made.id, "name", "property_payment_term_id", "credit_limit")
    assert (name, term[1], limit) == ("Siam Trading", "30 Days", 50000.0)
    company.shop.clients.reform(firm.id, name="Siam Trading PCL")
    company.shop.clients.move(firm.id, rayong.id, name="Rayong port")
    await company.deliver()
    again = await settled(company, f"company-{firm.id}")
    assert (again.id, again.name) == (made.id, "Siam Trading PCL")
    assert "Rayong port" in addresses(company, again)
    assert "Rayong" not in addresses(company, again)


async def test_an_order_and_a_revision_at_once_end_on_one_contact(company: Company) -> None:
    """Both are in the customer's lane; the order updates nothing, whichever comes first."""
    firm, bangkok, _ = siam(company)
    async with odoo_down(company):
        buyer = B2B(firm.id, bangkok.id, "As the order calls it")
        orders = [company.shop.place_order(Cart([TEA], currency="EUR", company=buyer)) for _ in range(3)]
        company.shop.clients.reform(firm.id, name="Siam by itself")
        await company.deliver(times=2)
    for order in orders:
        document = await company.document(SHOPIFY, order.id)
        assert document.partner.name == "Siam by itself"
    await settled(company, f"company-{firm.id}")
    assert len(contacts(company, SHOPIFY, f"company-{firm.id}")) == 1


async def test_what_an_order_made_is_changed_by_the_first_revision(company: Company) -> None:
    firm, bangkok, _ = siam(company)
    company.lose()
    order = company.shop.place_order(Cart([TEA], currency="EUR", company=B2B(firm.id, bangkok.id, "Order's name")))
    await company.deliver()
    made = (await company.document(SHOPIFY, order.id)).partner
    assert made.name == "Order's name"
    company.shop.clients.reform(firm.id, account="70099")
    await company.deliver()
    own = await settled(company, f"company-{firm.id}")
    assert (own.id, own.name) == (made.id, "Siam Trading")


async def test_what_the_erp_owns_stays(company: Company) -> None:
    firm, *_ = siam(company)
    await company.deliver()
    made = await settled(company, f"company-{firm.id}")
    company.odoo.act("res.partner", "write", [made.id], {"credit_limit": 750, "ref": "D-1"})
    company.shop.clients.reform(firm.id, name="Siam again", account="99", credit_limit="")
    await company.deliver()
    await settled(company, f"company-{firm.id}")
    assert read(company, made.id, "name", "credit_limit", "ref") == ["Siam again", 750.0, "D-1"]


async def test_a_lost_answer_makes_no_second_contact(company: Company) -> None:
    rule = Rule(Fault.LOST_REPLY, "res.partner.load", first=1)
    company.odoo.faults.rules.append(rule)
    firm, *_ = siam(company)
    await company.deliver()
    await settled(company, f"company-{firm.id}")
    assert rule.struck == 1
    assert len(contacts(company, SHOPIFY, f"company-{firm.id}")) == 1


async def test_a_company_that_is_gone_stays_in_the_erp(company: Company) -> None:
    """No effect, and said in words."""
    firm, *_ = siam(company)
    await company.deliver()
    made = await settled(company, f"company-{firm.id}")
    company.shop.clients.dissolve(firm.id)
    await company.deliver()

    async def gone() -> bool:
        return (await seen(company, f"company-{firm.id}")).get("not_eligible") == "GONE"

    await company.until(gone)
    await company.quiet()
    assert [one.id for one in contacts(company, SHOPIFY, f"company-{firm.id}")] == [made.id]
    assert read(company, made.id, "active", "name") == [True, "Siam Trading"]


async def test_a_contact_that_people_deleted_holds_its_lane(company: Company) -> None:
    firm, *_ = siam(company)
    await company.deliver()
    made = await settled(company, f"company-{firm.id}")
    company.odoo.act("res.partner", "write", [made.id], {"active": False})
    company.shop.clients.reform(firm.id, name="Too late")
    await company.deliver()
    lane = key("customer", SHOPIFY, f"company-{firm.id}")
    reasons: list[Any] = []

    async def held() -> bool:
        reasons[:] = await company.pool.fetch(
            "SELECT reason FROM lane WHERE target = $1 AND lane_key = $2 AND held_seq IS NOT NULL", ODOO, lane
        )
        return bool(reasons)

    await company.until(held)
    assert reasons[0]["reason"] == "DELETED_IN_TARGET"


async def test_a_company_that_people_keep_is_bound_and_two_are_held(company: Company) -> None:
    """The example contract looks by account number, then by VAT number."""
    theirs = company.odoo.add("res.partner", "", {"name": "By hand", "ref": "70055", "is_company": True})
    firm, *_ = siam(company, account="70055")
    await company.deliver()
    lane = key("customer", SHOPIFY, f"company-{firm.id}")
    bound: list[Any] = []

    async def there() -> bool:
        bound[:] = await company.pool.fetch(
            "SELECT external_id, applied_revision FROM binding WHERE target = $1 AND entity_id = $2", ODOO, lane
        )
        return bool(bound)

    await company.until(there)
    await company.quiet()
    assert bound[0]["external_id"] == str(theirs)
    assert read(company, theirs, "name") == ["Siam Trading"]


async def test_a_wholesale_account_and_a_consumer_of_the_other_shop(company: Company) -> None:
    """A consumer comes with an order only: FC-082 and the contract's `which: b2b`."""
    billing = {"company": "Nord GmbH", "address_1": "Markt 1", "city": "Kiel", "country": "DE"}
    nord = company.woo.accounts.register(
        "einkauf@nord.example", "Ina", "Nord", role="wholesale_customer", billing=billing
    )
    erika = company.woo.accounts.register("erika@shop.example", "Erika", "Beispiel")
    await company.deliver()
    made = await settled(company, str(nord.id), WOO)
    assert read(company, made.id, "name", "city", "email") == ["Nord GmbH", "Kiel", "einkauf@nord.example"]

    async def known() -> bool:
        return (await seen(company, str(erika.id), WOO)).get("not_eligible") == "CONSUMER"

    await company.until(known)
    assert contacts(company, WOO, str(erika.id)) == []
    order = company.woo.place_order([Item("MUG")], customer_id=erika.id, billing={"first_name": "Erika"})
    await company.deliver()
    assert (await company.document(WOO, order.id)).partner.name == "Erika"


async def test_what_no_delivery_told_is_found_by_a_walk(company: Company) -> None:
    firm, *_ = siam(company)
    company.lose()
    await _walk(company, SHOPIFY)
    assert (await settled(company, f"company-{firm.id}")).name == "Siam Trading"


async def test_a_privacy_request_is_answered_and_is_no_effect(company: Company) -> None:
    """Erasure is not carried yet; the delivery is taken with 2xx, so that the store does not send it for days."""
    erika = company.shop.clients.add("Erika", "Beispiel", "erika@shop.example")
    company.shop.clients.request_privacy("customers/redact", erika)
    await company.deliver()
    await company.quiet()


async def _walk(company: Company, connection: str) -> None:
    objects = Objects(company.pool)
    producer = Producer(company.installation.addresses.kafka, prefix=company.installation.settings.kafka.prefix)
    await producer.start()
    try:
        pending, clock = PendingDeliveries(company.pool), SystemClock()
        walks = Walks(Cursors(company.pool), objects, Door(objects, producer), pending, clock, Pace())
        store = company.installation.adapters[connection]
        since = company.installation.customer_stores[connection]
        await walks.turn(Trail(connection, FlowName.CUSTOMERS, store.changed_customers, store.overlap_s, since))
    finally:
        await producer.stop()
