"""What buyers paid is booked once, beside its order; what the store suspects waits for the store's next word."""

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from simulators.faults import Fault, Rule
from simulators.odoo import Payment
from simulators.shopify import Cart
from simulators.shopify.model import Order as Sold
from simulators.woocommerce import Item
from tallystick.canonical.keys import order_key
from tallystick.ledger.views import Order as Known
from tallystick.ledger.views import Views
from tallystick.stack import Stack
from tallystick.v1 import order_sync_pb2 as pb
from tests.flows.company import SHOPIFY, WOO, Company, Options
from tests.flows.conftest import new_company
from tests.unit.adapters.shopify.shops import MUG, TEA

_EXAMPLES = Path(__file__).resolve().parents[2] / "contracts"
_TOPICS = ("order_transactions/create", "orders/risk_assessment_changed")


@pytest_asyncio.fixture(scope="module")
async def paying(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Company]:
    """A company that carries payments, and keeps back what Shopify suspects."""
    contracts = tmp_path_factory.mktemp("contracts")
    shutil.copy(_EXAMPLES / "woocommerce-odoo.yaml", contracts)
    text = (_EXAMPLES / "shopify-odoo.yaml").read_text(encoding="utf-8")
    held = re.sub(r"^post_when: placed$", "post_when: placed\nhold_risk: high", text, flags=re.MULTILINE)
    (contracts / "shopify-odoo.yaml").write_text(held, encoding="utf-8")
    flows = {"refunds": "live", "payments": "live"}
    async with new_company(stack, Options(flows, {"trust_bodies": False}, _TOPICS, contracts)) as company:
        yield company


def payments(company: Company, connection: str, order_id: object) -> list[Payment]:
    """The payments of one order in the books."""
    mark = f"tallystick {order_key(connection, str(order_id))}/payment/"
    return [one for one in company.odoo.payments if mark in one.memo]


async def booked(company: Company, connection: str, order_id: object, times: int = 1) -> list[Payment]:
    """Its payments, once so many are posted and nothing is left to do."""
    lane = order_key(connection, str(order_id))

    async def there() -> bool:
        posted = [one for one in payments(company, connection, order_id) if one.entry is not None]
        return len(posted) >= times and await company.applied(lane) > 0

    await company.until(there)
    return payments(company, connection, order_id)


@contextmanager
def every_second_answer_lost(company: Company) -> Iterator[None]:
    rules = [Rule(Fault.LOST_REPLY, f"account.payment.{method}", every=2) for method in ("load", "action_post")]
    company.odoo.faults.rules += rules
    try:
        yield
    finally:
        for rule in rules:
            company.odoo.faults.rules.remove(rule)
    assert all(rule.struck for rule in rules)


async def authorised(company: Company) -> Sold:
    """Mugs and tea whose money is reserved, in the books."""
    sold = company.shop.place_order(Cart([MUG, TEA], currency="EUR", paid=False))
    company.shop.authorise(sold.id)
    await company.deliver()
    await company.document(SHOPIFY, sold.id)
    return sold


async def test_captures_of_one_order_are_booked_once_each(paying: Company) -> None:
    """FC-001: every second answer is lost, each delivery comes three times, and a poll finds them as well."""
    sold = await authorised(paying)
    assert payments(paying, SHOPIFY, sold.id) == []
    with every_second_answer_lost(paying):
        parts = [Decimal("5.00"), Decimal("5.00"), Decimal("2.50"), Decimal("1.25")]
        captures = [paying.shop.capture(sold.id, part) for part in parts]
        paying.shop.capture(sold.id, Decimal("9.00"), status="FAILURE")
        await paying.deliver(times=3)
        found = await booked(paying, SHOPIFY, sold.id, times=4)
    paying.shop.tag(sold.id, "gift wrap")
    await paying.deliver()
    await paying.recorded(SHOPIFY, sold.id)
    await paying.poll()
    await paying.quiet()
    assert [one.id for one in payments(paying, SHOPIFY, sold.id)] == [one.id for one in found]
    assert sorted(one.amount for one in found) == sorted(parts)
    assert {one.memo.split()[2] for one in found} == {f"pay-{made.id}" for made in captures}
    entries = [one for one in paying.odoo.journal.of("posted") if "payment" in one.key and str(sold.id) in one.key]
    assert len(entries) == len(parts)
    told, _ = await Views(paying.pool, paying.installation.settings.routes).story(Known(SHOPIFY, str(sold.id)), "", 500)
    applied = [one for one in told if one.kind == pb.ORDER_EVENT_KIND_APPLIED and one.entity_type == "payment"]
    assert len(applied) == len(parts)


async def test_fc_071_gift_card_and_card_make_the_total(paying: Company) -> None:
    """FC-071, FC-070: two payments, each in its journal; the document's total is what was sold."""
    sold = paying.shop.place_order(Cart([MUG, TEA], currency="EUR", gift_card=Decimal("20.00")))
    await paying.deliver()
    found = await booked(paying, SHOPIFY, sold.id, times=2)
    document = await paying.document(SHOPIFY, sold.id)
    assert {one.journal.rpartition("journal_")[2] for one in found} == {"gift_card", "card"}
    assert sum(one.amount for one in found) == document.amount_total


async def test_an_order_of_woocommerce_brings_its_one_payment(paying: Company) -> None:
    """Its refund is a credit note beside, and no payment."""
    bought = paying.woo.place_order([Item("MUG", 3)], shipping=Decimal("5.00"))
    await paying.deliver()
    (one,) = await booked(paying, WOO, bought.id)
    document = await paying.document(WOO, bought.id)
    assert (one.amount, one.journal) == (document.amount_total, "tallystick_demo.journal_card")
    paying.woo.refund(bought.id, back={bought.lines[0].id: 1})
    await paying.deliver()
    await paying.credited(WOO, bought.id)
    assert len(payments(paying, WOO, bought.id)) == 1


async def test_fc_121_cash_on_delivery_is_booked_when_it_was_paid(paying: Company) -> None:
    """FC-121: the order is there at once, the payment comes with the shop's word that the money came."""
    bought = paying.woo.place_order([Item("MUG")], payment_method="cod")
    await paying.deliver()
    await paying.document(WOO, bought.id)
    await paying.quiet()
    assert payments(paying, WOO, bought.id) == []
    paying.woo.set_status(bought.id, "completed")
    await paying.deliver()
    (one,) = await booked(paying, WOO, bought.id)
    assert one.journal == "tallystick_demo.journal_cash"


async def test_an_order_that_people_did_not_finish_paying_brings_all_payments_later(paying: Company) -> None:
    """What was paid before the order became one for the ERP comes with it."""
    sold = paying.shop.place_order(Cart([MUG, TEA], currency="EUR", paid=False))
    paying.shop.assess(sold.id, "CANCEL")
    paying.shop.authorise(sold.id)
    paying.shop.capture(sold.id, Decimal("5.00"))
    await paying.deliver()
    assert await paying.not_eligible(SHOPIFY, sold.id) == "FRAUD_RISK"
    assert (paying.documents(SHOPIFY, sold.id), payments(paying, SHOPIFY, sold.id)) == ([], [])
    paying.shop.assess(sold.id, "ACCEPT")
    paying.shop.capture(sold.id, Decimal("6.00"))
    await paying.deliver()
    found = await booked(paying, SHOPIFY, sold.id, times=2)
    assert sorted(one.amount for one in found) == [Decimal("5.00"), Decimal("6.00")]


async def test_fc_083_a_suspicion_after_the_document_holds_until_the_store_clears_it(paying: Company) -> None:
    """FC-083: with what to do meanwhile; money that comes in waits behind it, and all goes on by itself."""
    sold = await authorised(paying)
    paying.shop.assess(sold.id, "CANCEL")
    await paying.deliver()
    reason, detail = await paying.held(SHOPIFY, sold.id)
    assert reason == "FRAUD_RISK"
    assert "stop its delivery in the target" in detail
    found = await Views(paying.pool, paying.installation.settings.routes).get(Known(SHOPIFY, str(sold.id)))
    assert found is not None
    assert [(one.state, one.reason) for one in found[0].targets] == [(pb.SYNC_STATE_HELD, "FRAUD_RISK")]
    paying.shop.capture(sold.id, Decimal("5.00"))
    await paying.deliver()
    await paying.recorded(SHOPIFY, sold.id)
    assert payments(paying, SHOPIFY, sold.id) == []
    paying.shop.assess(sold.id, "ACCEPT")
    await paying.deliver()
    assert len(await booked(paying, SHOPIFY, sold.id)) == 1
    await paying.quiet()
    assert await paying.stands(SHOPIFY, sold.id) is None


async def test_fc_080_a_test_order_never_reaches_the_books(paying: Company) -> None:
    """FC-080: nor does what was paid for it with test money."""
    sold = paying.shop.place_order(Cart([MUG], currency="EUR", test=True))
    await paying.deliver()
    assert await paying.not_eligible(SHOPIFY, sold.id) == "TEST_ORDER"
    await paying.quiet()
    assert (paying.documents(SHOPIFY, sold.id), payments(paying, SHOPIFY, sold.id)) == ([], [])


async def test_a_gateway_without_a_row_holds_the_payment_and_not_its_order(paying: Company) -> None:
    sold = paying.shop.place_order(Cart([MUG], currency="EUR", gateway="pay_later"))
    await paying.deliver()
    reason, detail = await paying.held(SHOPIFY, sold.id)
    assert (reason, "'pay_later' has no row" in detail) == ("MAPPING", True)
    assert [one.state for one in paying.documents(SHOPIFY, sold.id)] == ["sale"]
    assert payments(paying, SHOPIFY, sold.id) == []
