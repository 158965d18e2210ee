"""Goods that come back to a shop are announced to the warehouse once, before, after or without the money for them."""

import shutil
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from service.records import ways
from simulators.faults import Fault, Rule
from simulators.odoo.records import Record
from simulators.shopify import RETURN_TOPICS, WEBHOOK_TOPICS, Cart
from simulators.shopify.fulfilments import MAIN
from simulators.shopify.model import Order as Sold
from tallystick.canonical.keys import key, order_key
from tallystick.ledger.acts import Act, Acts, Lane
from tallystick.ledger.records import Records
from tallystick.stack import Stack
from tallystick.v1 import order_sync_pb2
from tests.flows.company import ODOO, SHOPIFY, Company, Options
from tests.flows.conftest import new_company
from tests.flows.reconciling import compared
from tests.unit.adapters.shopify.shops import MUG, TEA

_EXAMPLES = Path(__file__).resolve().parents[2] / "contracts"


@pytest_asyncio.fixture(scope="module")
async def returning(stack: Stack) -> AsyncIterator[Company]:
    """A company whose Shopify shop tells of returns."""
    options = Options(
        shopify_flows={"returns": "live"},
        shopify={"topics": (*WEBHOOK_TOPICS, *RETURN_TOPICS)},
        topics=RETURN_TOPICS,
    )
    async with new_company(stack, options) as company:
        yield company


@pytest_asyncio.fixture
async def receiving(stack: Stack, tmp_path: Path) -> AsyncIterator[Company]:
    """One that tells its books of goods only once they are there."""
    shutil.copy(_EXAMPLES / "woocommerce-odoo.yaml", tmp_path)
    text = (_EXAMPLES / "shopify-odoo.yaml").read_text(encoding="utf-8")
    # Its examples are those of the other way.
    rules = text.partition("\nexamples:")[0].replace("  when: approved\n", "  when: received\n")
    places = rules.replace("  locations: {}\n", f"  locations: {{'{MAIN}': shop.shelf}}\n")
    (tmp_path / "shopify-odoo.yaml").write_text(places, encoding="utf-8")
    options = Options(
        shopify_flows={"returns": "live"},
        shopify={"topics": (*WEBHOOK_TOPICS, *RETURN_TOPICS)},
        topics=RETURN_TOPICS,
        contracts=tmp_path,
    )
    async with new_company(stack, options) as company:
        company.odoo.add("stock.location", "shop.shelf", {"name": "Shelf", "usage": "internal"})
        yield company


async def sold(company: Company, *, shipped: bool = True) -> Sold:
    """Mugs and tea, in the books; the shop and the warehouse have sent them off."""
    order = company.shop.place_order(Cart([MUG, TEA], currency="EUR"))
    await company.deliver()
    document = await company.document(SHOPIFY, order.id)
    company.shop.dispatch.ship(order.id, {line.id: line.item.quantity for line in order.lines})
    if shipped:
        company.odoo.ship(document.external_id)
    await company.deliver()
    return order


def transfers(company: Company, order: Sold) -> list[Record]:
    """The transfers that bring goods of the order back, the oldest first."""
    (document,) = company.documents(SHOPIFY, order.id)
    moves = company.odoo.db.models["stock.move"].table.rows.values()
    back = {move["picking_id"] for move in moves if move.get("origin_returned_move_id")}
    return sorted((one for one in document.pickings if one.id in back), key=lambda one: one.id)


def pieces(company: Company, transfer: Record) -> Decimal:
    moves = company.odoo.db.models["stock.move"].table
    return sum((moves.rows[one]["product_uom_qty"] for one in moves.matching("picking_id", transfer.id)), Decimal(0))


def shown(company: Company, order: Sold) -> list[tuple[str, int]]:
    """State and pieces of each."""
    return [(one.row["state"], int(pieces(company, one))) for one in transfers(company, order)]


async def dealt_with(company: Company, order: Sold) -> None:
    """Everything that the shop tells of the order's returns now is in the ledger, and nothing is left to do."""
    lane = order_key(SHOPIFY, str(order.id))

    async def done() -> bool:
        rows = await company.pool.fetch(
            """SELECT o.id FROM source_object o WHERE o.connection = $1 AND o.parent = $2 AND o.type = 'return'
               AND EXISTS (SELECT 1 FROM effect e WHERE e.target = $3 AND e.lane_key = $4 AND e.entity_type = 'return'
               AND e.revision = o.revision)""",
            SHOPIFY,
            str(order.id),
            ODOO,
            lane,
        )
        return len(rows) == len(order.returns) and await company.applied(lane) > 0

    await company.until(done)
    await company.quiet()


async def back(company: Company, order: Sold, *expected: tuple[str, int]) -> None:
    """Until the transfers are these, and no more."""

    async def there() -> bool:
        return shown(company, order) == list(expected)

    await company.until(there)
    await dealt_with(company, order)
    assert shown(company, order) == list(expected)


# ---- goods without money -----------------------------------------------------------------------------------------


async def test_an_approved_return_waits_for_the_goods_without_any_refund(returning: Company) -> None:
    """The buyer's wish alone makes nothing; no credit note is made, and the order stays as it is."""
    order = await sold(returning)
    made = returning.shop.counter.request(order.id, {order.lines[0].id: 2})
    await returning.deliver()
    await dealt_with(returning, order)
    assert shown(returning, order) == []
    returning.shop.counter.approve(made)
    await returning.deliver()
    await back(returning, order, ("assigned", 2))
    (transfer,) = transfers(returning, order)
    assert transfer.row["origin"].startswith(f"#{order.number} return #{order.number}-R1 [tallystick")
    assert "Size was too small" in transfer.row["note"]
    assert returning.credits(SHOPIFY, order.id) == []


async def test_the_same_return_three_times_comes_back_once(returning: Company) -> None:
    """FC-001: by its delivery three times over, and found by the poll as well."""
    order = await sold(returning)
    returning.shop.counter.open(order.id, {order.lines[0].id: 1})
    await returning.deliver(times=3)
    await back(returning, order, ("assigned", 1))
    await returning.poll()
    await returning.quiet()
    assert shown(returning, order) == [("assigned", 1)]


async def test_a_return_whose_delivery_is_lost_is_found_by_the_poll(returning: Company) -> None:
    """FC-062: with its order, which nobody has told of either."""
    order = returning.shop.place_order(Cart([MUG, TEA], currency="EUR"))
    await returning.deliver()
    returning.odoo.ship((await returning.document(SHOPIFY, order.id)).external_id)
    returning.shop.dispatch.ship(order.id, {order.lines[0].id: 3})
    returning.shop.counter.open(order.id, {order.lines[0].id: 1})
    returning.lose()
    await returning.poll()
    await back(returning, order, ("assigned", 1))


async def test_a_return_that_nothing_tells_of_is_found_by_reconciliation(returning: Company) -> None:
    """FC-117: it moves no date of its order, and its delivery is lost: its content is what differs."""
    order = await sold(returning)
    returning.shop.counter.moves_order = False
    try:
        returning.shop.counter.open(order.id, {order.lines[0].id: 1})
    finally:
        returning.shop.counter.moves_order = True
    returning.lose()
    await returning.poll()
    await returning.quiet()
    assert shown(returning, order) == []
    await compared(returning, f"return-{order.id}")
    await back(returning, order, ("assigned", 1))


@pytest.mark.parametrize("operation", ["stock.picking.load", "stock.picking.action_confirm"])
async def test_a_lost_answer_brings_nothing_back_twice(returning: Company, operation: str) -> None:
    """FC-001"""
    order = await sold(returning)
    rule = Rule(Fault.LOST_REPLY, operation, first=1)
    returning.odoo.faults.rules.append(rule)
    try:
        returning.shop.counter.open(order.id, {order.lines[0].id: 1})
        await returning.deliver()
        await back(returning, order, ("assigned", 1))
    finally:
        returning.odoo.faults.rules.remove(rule)
    assert rule.struck


# ---- a return that comes to nothing ------------------------------------------------------------------------------


async def test_a_cancelled_return_takes_its_transfer_off(returning: Company) -> None:
    """An answer is lost on the way; the pieces may come back by another return then."""
    order = await sold(returning)
    made = returning.shop.counter.open(order.id, {order.lines[0].id: 3})
    await returning.deliver()
    await back(returning, order, ("assigned", 3))
    rule = Rule(Fault.LOST_REPLY, "stock.picking.action_cancel", first=1)
    returning.odoo.faults.rules.append(rule)
    try:
        returning.shop.counter.cancel(made)
        await returning.deliver()
        await back(returning, order, ("cancel", 3))
    finally:
        returning.odoo.faults.rules.remove(rule)
    returning.shop.counter.open(order.id, {order.lines[0].id: 3})
    await returning.deliver()
    await back(returning, order, ("cancel", 3), ("assigned", 3))


async def test_a_return_that_was_received_is_not_cancelled_without_a_person(returning: Company) -> None:
    order = await sold(returning)
    made = returning.shop.counter.open(order.id, {order.lines[0].id: 1})
    await returning.deliver()
    await back(returning, order, ("assigned", 1))
    returning.odoo.receive(transfers(returning, order)[0].id)
    returning.shop.counter.cancel(made)
    await returning.deliver()
    reason, detail = await returning.held(SHOPIFY, order.id)
    assert reason == "LOCKED"
    assert "was received in Odoo" in detail
    assert shown(returning, order) == [("done", 1)]


async def test_a_return_before_the_delivery_is_held_until_somebody_validates_that(returning: Company) -> None:
    order = await sold(returning, shipped=False)
    returning.shop.counter.open(order.id, {order.lines[0].id: 1})
    await returning.deliver()
    reason, detail = await returning.held(SHOPIFY, order.id)
    assert reason == "LOCKED"
    assert "1 of 'MUG' come back from the buyer, but in Odoo they have not left yet" in detail
    returning.odoo.ship(returning.documents(SHOPIFY, order.id)[0].external_id)
    await returning.resume(SHOPIFY, order.id)
    await back(returning, order, ("assigned", 1))


async def test_a_held_return_that_comes_to_nothing_holds_nobody_up(returning: Company) -> None:
    """It gives way to its newer revision, and what stands behind it in its lane goes on."""
    order = await sold(returning, shipped=False)
    made = returning.shop.counter.open(order.id, {order.lines[0].id: 1})
    await returning.deliver()
    await returning.held(SHOPIFY, order.id)
    returning.shop.refund(order.id, {}, paid=Decimal("5.00"), restock_type="no_restock")
    returning.shop.counter.cancel(made)
    await returning.deliver()
    (credit,) = await returning.credited(SHOPIFY, order.id)
    await dealt_with(returning, order)
    assert (credit.amount_total, shown(returning, order)) == (Decimal("5.00"), [])


async def test_pieces_that_are_not_to_come_after_all_are_held_with_both_figures(returning: Company) -> None:
    order = await sold(returning)
    made = returning.shop.counter.open(order.id, {order.lines[0].id: 2})
    await returning.deliver()
    await back(returning, order, ("assigned", 2))
    returning.shop.counter.remove(made, {order.lines[0].id: 1})
    await returning.deliver()
    reason, detail = await returning.held(SHOPIFY, order.id)
    line = order.lines[0].id
    assert (reason, f"2 of line {line} came back, now it is 1 of line {line}" in detail) == ("LOCKED", True)
    lane = Lane(ODOO, order_key(SHOPIFY, str(order.id)))
    transfer = transfers(returning, order)[0]
    await Acts(returning.pool).mark_applied(lane, Act("Ada", f"mended-{order.id}"), str(transfer.id), "")
    await dealt_with(returning, order)


async def test_where_received_goods_count_each_piece_goes_where_the_store_put_it(receiving: Company) -> None:
    """FC-084, FC-086: one is sold again, one thrown away, one never came; and nothing before that is known of all."""
    order = await sold(receiving)
    line, counter = order.lines[0].id, receiving.shop.counter
    made = counter.open(order.id, {line: 3})
    counter.dispose(made, line, 1)
    await receiving.deliver()
    await dealt_with(receiving, order)
    assert shown(receiving, order) == []
    counter.dispose(made, line, 1, "NOT_RESTOCKED")
    counter.dispose(made, line, 1, "MISSING")
    await receiving.deliver()
    await back(receiving, order, ("assigned", 1))
    (transfer,) = transfers(receiving, order)
    moves = receiving.odoo.db.models["stock.move"].table
    shelf = receiving.odoo.id_of("shop.shelf")
    assert [moves.rows[one]["location_dest_id"] for one in moves.matching("picking_id", transfer.id)] == [shelf]
    receiving.shop.refund(order.id, {line: 2}, restock_type="return", return_id=made.id)
    counter.close(made)
    await receiving.deliver()
    await receiving.credited(SHOPIFY, order.id)
    await back(receiving, order, ("assigned", 1))


# ---- and the money -----------------------------------------------------------------------------------------------


async def test_the_refund_of_a_return_brings_nothing_back_a_second_time(returning: Company) -> None:
    """FC-084: a third mug is still at the buyer's, and stays there."""
    order = await sold(returning)
    line = order.lines[0].id
    made = returning.shop.counter.open(order.id, {line: 2})
    await returning.deliver()
    await back(returning, order, ("assigned", 2))
    returning.shop.counter.dispose(made, line, 2)
    returning.shop.refund(order.id, {line: 2}, restock_type="return", return_id=made.id)
    returning.shop.counter.close(made)
    await returning.deliver()
    (credit,) = await returning.credited(SHOPIFY, order.id)
    await back(returning, order, ("assigned", 2))
    assert credit.amount_total > 0


async def test_the_refund_may_be_told_first(returning: Company) -> None:
    """The deliveries of the return are lost; the refund's leads to both."""
    order = await sold(returning)
    line = order.lines[0].id
    made = returning.shop.counter.open(order.id, {line: 2})
    returning.lose()
    returning.shop.refund(order.id, {line: 2}, restock_type="return", return_id=made.id)
    await returning.deliver()
    assert len(await returning.credited(SHOPIFY, order.id)) == 1
    await back(returning, order, ("assigned", 2))


async def test_a_refund_without_a_return_still_brings_its_goods(returning: Company) -> None:
    order = await sold(returning)
    returning.shop.refund(order.id, {order.lines[0].id: 1}, restock_type="return")
    await returning.deliver()
    await returning.credited(SHOPIFY, order.id)
    await back(returning, order, ("assigned", 1))


async def test_it_can_be_asked_for_like_any_record(returning: Company) -> None:
    """Under its own name, as a part of its order, with the document that it became."""
    order = await sold(returning)
    made = returning.shop.counter.open(order.id, {order.lines[0].id: 2})
    await returning.deliver()
    await back(returning, order, ("assigned", 2))
    name = key(SHOPIFY, str(order.id), "return", str(made.id))
    there = [way for route in returning.installation.settings.routes for way in ways(route)]
    (record,) = await Records(returning.pool, there).named(name)
    assert (record.kind, record.order, record.target) == ("return", order_key(SHOPIFY, str(order.id)), ODOO)
    assert record.state == order_sync_pb2.SYNC_STATE_SYNCED
    assert (record.returned.number, record.returned.pieces) == (made.name, "2")
    assert record.external_id == str(transfers(returning, order)[0].id)
