"""Store, ledger and ERP are compared: what disagrees enters again, is held, or is told, and nothing is overwritten."""

from decimal import Decimal

from simulators.odoo import Order as Document
from simulators.shopify import Cart
from simulators.woocommerce import Item
from tallystick.reconcile.findings import What
from tests.flows.company import ODOO, SHOPIFY, WOO, Company
from tests.flows.reconciling import compared, findings, tallies
from tests.unit.adapters.shopify.shops import MUG, TEA


async def bought(company: Company, pieces: int = 1) -> tuple[int, Document]:
    """A WooCommerce order with its document."""
    order = company.woo.place_order([Item("MUG", pieces)])
    await company.deliver()
    return order.id, await company.document(WOO, order.id)


async def test_what_agrees_is_left_alone(company: Company) -> None:
    """Documents of both shops, one with a credit, are compared in every mapped field, and nothing is written."""
    order_id, _ = await bought(company, 3)
    sold = company.shop.place_order(Cart([MUG, TEA], currency="EUR"))
    company.woo.refund(order_id, back={company.woo.orders[order_id].lines[0].id: 1})
    await company.deliver()
    await company.credited(WOO, order_id)
    await company.document(SHOPIFY, sold.id)
    await company.quiet()
    before = len(company.odoo.journal.entries)
    runs = await compared(company, "agrees")
    await company.quiet()
    assert findings(runs, f"{WOO}/{order_id}") + findings(runs, f"{SHOPIFY}/{sold.id}") == []
    assert [run.problem for run in runs] == [""] * len(runs)
    assert sum(run.tallies.get(("documents", "compared"), 0) for run in runs if run.connection == WOO) >= 2
    assert not [one.what for one in company.odoo.journal.entries[before:] if one.what in ("created", "written")]


async def test_an_order_deleted_for_good_holds_its_document(company: Company) -> None:
    """FC-118: the document is never left silently; a person sees it with its reason."""
    order_id, document = await bought(company)
    company.woo.delete(order_id)
    company.lose()
    runs = await compared(company, "deleted")
    assert [one.what for one in findings(runs, f"{WOO}/{order_id}")] == [What.GONE]
    reason, detail = await company.held(WOO, order_id)
    assert (reason, document.state) == ("LOCKED", "sale")
    assert "no longer in the store" in detail


async def test_a_trashed_order_that_comes_back_in_silence_is_noticed(company: Company) -> None:
    """FC-118: its document was cancelled with it; the restored order is held, since nothing un-cancels by itself."""
    order_id, _ = await bought(company)
    company.woo.trash(order_id)
    await company.deliver()
    await company.document(WOO, order_id, "cancel", revision=2)
    company.woo.set_status(order_id, "processing")
    assert company.woo.pending_deliveries() == []
    runs = await compared(company, "restored")
    # The pass over Odoo may see the cancelled document, too, before the restored order holds its lane.
    assert What.DIFFERING in [one.what for one in findings(runs, f"{WOO}/{order_id}")]
    reason, detail = await company.held(WOO, order_id)
    assert reason == "LOCKED"
    assert "cancelled" in detail


async def test_a_refund_that_was_deleted_holds_both_figures(company: Company) -> None:
    """FC-119: a posted credit is not undone by itself; the second look finds nothing more."""
    order_id, _ = await bought(company, 3)
    refund = company.woo.refund(order_id, amount=Decimal("12.00"))
    company.woo.refund(order_id, amount=Decimal("3.00"))
    await company.deliver()
    await company.credited(WOO, order_id, times=2)
    await company.quiet()
    company.woo.delete_refund(order_id, refund.id)
    company.lose()
    runs = await compared(company, "refund-deleted")
    assert What.GONE in {one.what for one in findings(runs, f"{WOO}/{order_id}") if one.flow == "refunds"}
    reason, detail = await company.held(WOO, order_id)
    assert reason == "LOCKED"
    assert "refund of 12.00 EUR" in detail
    assert "now shows refunds of 3.00 EUR" in detail
    assert len(company.credits(WOO, order_id)) == 2
    again = await compared(company, "refund-deleted, again")
    assert findings(again, f"{WOO}/{order_id}") == []


async def test_a_document_that_was_deleted_in_the_erp_is_held_and_never_made_anew(company: Company) -> None:
    order_id, document = await bought(company)
    await company.quiet()
    company.odoo.act("sale.order", "write", [document.id], {"state": "cancel"})
    company.odoo.act("sale.order", "unlink", [document.id])
    runs = await compared(company, "deleted-in-odoo")
    [found] = findings(runs, f"{WOO}/{order_id}")
    assert (found.what, found.target) == (What.DELETED_IN_TARGET, ODOO)
    assert (await company.held(WOO, order_id))[0] == "DELETED_IN_TARGET"
    assert company.documents(WOO, order_id) == []


async def test_a_document_that_a_person_changed_is_told_and_left_as_it_is(company: Company) -> None:
    order_id, document = await bought(company)
    await company.quiet()
    company.odoo.act("sale.order.line", "write", [document.lines[0].id], {"product_uom_qty": 7})
    runs = await compared(company, "changed-in-odoo")
    [found] = findings(runs, f"{WOO}/{order_id}")
    assert found.what is What.DIFFERS_IN_TARGET
    assert "quantity 1 was sent, Odoo has 7" in found.detail
    await company.quiet()
    assert document.lines[0].quantity == 7
    assert await company.stands(WOO, order_id) is None


async def test_a_document_that_was_duplicated_is_counted_once_with_both_numbers(company: Company) -> None:
    """The sweep: a second order with our mark and without our External ID, found however often it is looked for."""
    order_id, document = await bought(company)
    copied = {"partner_id": document.partner.id, "origin": document.origin}
    second = company.odoo.act("sale.order", "create", copied)
    before = _counted(company)
    for request in ("swept", "swept again"):
        runs = await compared(company, request)
        [found] = [one for one in findings(runs, f"{WOO}/{order_id}") if one.what is What.DUPLICATE]
        number = company.odoo.db.models["sale.order"].table.rows[second]["name"]
        assert found.detail == f"{document.name} and {number} carry one reference"
        assert tallies(runs)["documents", "duplicate"] >= 1
    assert _counted(company) - before == 1
    company.odoo.act("sale.order", "write", [second], {"state": "cancel"})
    runs = await compared(company, "swept after it was cancelled")
    assert What.DUPLICATE not in {one.what for one in findings(runs, f"{WOO}/{order_id}")}


def _counted(company: Company) -> float:
    registry = company.installation.metrics.registry
    return registry.get_sample_value("tallystick_duplicate_documents_total", {"target": ODOO}) or 0.0
