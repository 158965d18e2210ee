"""Shipments of a real Odoo as the adapter tells them: its own backorders, dates and returns (`test_odoo`)."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.odoo import OdooAdapter
from adapters.odoo.readback import document_of
from tallystick.ports import Job, Reading, Window
from tallystick.v1 import fulfilment_pb2
from tests.unit.adapters.odoo import jobs
from tests.unit.adapters.odoo.jobs import deliver, job

from .odoo_company import OdooCompany
from .odoo_orders import fresh

pytestmark = pytest.mark.live


async def picking_of(company: OdooCompany, order: Job, *domain: Any) -> dict[str, Any]:
    """The order's one picking that matches."""
    wanted = [["sale_id", "=", int(order.external_id or 0)], *domain]
    (picking,) = await company.find("stock.picking", wanted, "move_ids", "write_date", "date_done")
    return picking


async def ship(company: OdooCompany, picking: dict[str, Any], *quantities: float) -> None:
    """As a person ships: what was done of each move, and a backorder for the rest."""
    new = company.version >= 17
    for move, quantity in zip(sorted(picking["move_ids"]), quantities, strict=True):
        done = {"quantity": quantity, "picked": bool(quantity)} if new else {"quantity_done": quantity}
        await company.act("stock.move", "write", [move], done)
    asked = await company.act("stock.picking", "button_validate", [picking["id"]])
    if asked is not True:
        context = asked["context"]
        wizard = await company.act(asked["res_model"], "create", {}, context=context)
        await company.act(asked["res_model"], "process", [wizard], context=context)


async def take_back(company: OdooCompany, picking: dict[str, Any], move: int, quantity: float) -> None:
    """As a person takes goods back: the wizard of a return, and its picking received."""
    context = {"active_id": picking["id"], "active_ids": [picking["id"]], "active_model": "stock.picking"}
    model = "stock.return.picking"
    (about,) = await company.find("stock.move", [["id", "=", move]], "product_id")
    if company.version < 17:
        line = {"product_id": about["product_id"][0], "move_id": move, "quantity": quantity, "to_refund": True}
        values = {"picking_id": picking["id"], "product_return_moves": [[0, 0, line]]}
        wizard = await company.act(model, "create", values, context=context)
    else:
        wizard = await company.act(model, "create", {"picking_id": picking["id"]}, context=context)
        lines = await company.find(f"{model}.line", [["wizard_id", "=", wizard], ["move_id", "=", move]], "id")
        await company.act(f"{model}.line", "write", [line["id"] for line in lines], {"quantity": quantity})
    method = "create_returns" if company.version < 17 else "action_create_returns"
    made = await company.act(model, method, [wizard], context=context)
    (back,) = await company.find("stock.picking", [["id", "=", made["res_id"]]], "move_ids")
    await ship(company, back, quantity)


async def told(adapter: OdooAdapter, order: Job) -> list[Reading]:
    """Shipments of the last minutes that are this order's, by id."""
    now = datetime.now(UTC)
    window = Window(now - timedelta(minutes=5), now + timedelta(seconds=5))
    found = [one async for page in adapter.changed_fulfilments(window) for one in page]
    return [one for one in found if shipped(one).order_id == document_of(order).order_id]


def shipped(reading: Reading) -> fulfilment_pb2.Fulfilment:
    assert reading.fulfilment is not None
    return reading.fulfilment


def goods(reading: Reading) -> list[tuple[str, str]]:
    return [(line.line_id, line.quantity) for line in shipped(reading).lines]


async def test_a_shipment_in_parts_its_tracking_and_a_return(adapter: OdooAdapter, company: OdooCompany) -> None:
    order = await deliver(adapter, job(fresh()))
    assert await told(adapter, order) == []
    first = await picking_of(company, order)
    await ship(company, first, 2, 0)
    (before,) = await told(adapter, order)
    assert (before.object_id, goods(before)) == (str(first["id"]), [("11", "2")])
    assert (shipped(before).order_connection, shipped(before).warehouse_id) == ("woocommerce", "WH")
    stated = await picking_of(company, order, ["id", "=", first["id"]])
    assert f"{before.source_modified:%Y-%m-%d %H:%M:%S}" == stated["write_date"]
    assert f"{shipped(before).shipped_at.ToDatetime():%Y-%m-%d %H:%M:%S}" == stated["date_done"]
    number = uuid.uuid4().hex[:10]
    await company.act("stock.picking", "write", [first["id"]], {"carrier_tracking_ref": f"{number}, B2"})
    (after,) = await told(adapter, order)
    assert [one.number for one in shipped(after).trackings] == [number, "B2"]
    await ship(company, await picking_of(company, order, ["backorder_id", "=", first["id"]]), 1, 1)
    await take_back(company, first, min(first["move_ids"]), 1)
    assert [goods(one) for one in await told(adapter, order)] == [[("11", "2")], [("11", "1"), ("12", "1")]]


async def test_the_seller_may_read_shipments(company: OdooCompany) -> None:
    """The groups that orders need are enough."""
    rights = ("sales_team.group_sale_salesman_all_leads", "base.group_partner_manager", "base.group_erp_manager")
    adapter = OdooAdapter("live", await company.user(*rights), jobs.CLOCK)
    order = await deliver(adapter, job(fresh()))
    await ship(company, await picking_of(company, order), 3, 1)
    assert [goods(one) for one in await told(adapter, order)] == [[("11", "3"), ("12", "1")]]
    await adapter.close()
