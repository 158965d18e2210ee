"""What tests of customers ask of the company: their contacts in the ERP, and what the ledger says of them."""

from typing import Any

from simulators.odoo.records import Partner
from simulators.shopify.clients import Firm, Location
from simulators.shopify.model import Address
from tallystick.canonical.keys import key
from tallystick.intake.door import content_hash, to_event
from tests.flows.company import ODOO, SHOPIFY, Company

BANGKOK = Address(first_name="Ann", last_name="Siam", company="Siam Trading", address1="9 Silom")
RAYONG = Address(first_name="Boon", last_name="Siam", company="Siam Trading", address1="Pier 4", city="Rayong")


def siam(company: Company, **parts: Any) -> tuple[Firm, Location, Location]:
    """A company of the Shopify shop that buys at two places on the same terms."""
    limit = '{"amount":"50000.0","currency_code":"THB"}'
    clients = company.shop.clients
    firm = clients.found("Siam Trading", **{"email": "buy@siam.example", "credit_limit": limit, **parts})
    terms: dict[str, Any] = {"billing": BANGKOK, "terms": "Net 30", "catalogues": ("Wholesale",)}
    first = clients.open(firm.id, "Bangkok", shipping=BANGKOK, **terms)
    return firm, first, clients.open(firm.id, "Rayong", shipping=RAYONG, **terms)


def contacts(company: Company, connection: str, customer: str) -> list[Partner]:
    """The contacts that are one customer of a shop, by our External ID; its further addresses are not among them."""
    name = f"__tallystick__.customer__{ODOO}__customer__{connection}__{customer}"
    return [one for one in company.odoo.partners if one.external_id == name]


def addresses(company: Company, contact: Partner) -> dict[str, str]:
    """Name and street of its further addresses."""
    below = [one for one in company.odoo.partners if one.row.get("parent_id") == contact.id]
    return {one.name: str(one.row["street"]) for one in below}


async def seen(company: Company, customer: str, connection: str = SHOPIFY) -> dict[str, Any]:
    """What is stored of the customer in its store: revision, gone, not_eligible; empty for nothing."""
    rows = await company.pool.fetch(
        "SELECT * FROM source_object WHERE connection = $1 AND type = 'customer' AND id = $2", connection, customer
    )
    return dict(rows[0]) if rows else {}


async def settled(company: Company, customer: str, connection: str = SHOPIFY) -> Partner:
    """Its one contact, once the ERP holds what its store holds now and nothing is left to do."""
    lane = key("customer", connection, customer)
    now = await company.installation.adapters[connection].read_customer(customer)
    content = content_hash(to_event(connection, now))

    async def newest() -> bool:
        known = await seen(company, customer, connection)
        if known.get("content_hash") != content:
            return False
        rows = await company.pool.fetch(
            """SELECT b.applied_revision FROM binding b WHERE b.target = $1 AND b.entity_id = $2 AND NOT EXISTS (
               SELECT 1 FROM effect e WHERE e.target = $1 AND e.lane_key = $2 AND e.unfinished)""",
            ODOO,
            lane,
        )
        return bool(rows) and rows[0]["applied_revision"] == known["revision"]

    await company.until(newest)
    (found,) = contacts(company, connection, customer)
    return found
