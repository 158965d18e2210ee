"""Stock of a real Odoo as the adapter tells it: its own reservations, sums and vanishing quants (`test_odoo`)."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.odoo import OdooAdapter
from tallystick.ports import Reading, Window
from tests.unit.adapters.odoo import jobs
from tests.unit.adapters.odoo.jobs import deliver, job

from .odoo_company import OdooCompany
from .odoo_orders import MUGS, fresh

pytestmark = pytest.mark.live


async def counted(company: OdooCompany, quantity: float) -> str:
    """A new product of which so many lie in the first warehouse; its code, and the warehouse's."""
    code = f"TALLYSTICK-{uuid.uuid4().hex[:12]}"
    kept = {"is_storable": True} if company.version >= 18 else {"detailed_type": "product"}
    product = await company.act("product.product", "create", {"name": code, "default_code": code, **kept})
    (warehouse, *_) = await company.find("stock.warehouse", [], "code", "lot_stock_id")
    values = {"product_id": product, "location_id": warehouse["lot_stock_id"][0], "inventory_quantity": quantity}
    quant = await company.act("stock.quant", "create", values, context={"inventory_mode": True})
    await company.act("stock.quant", "action_apply_inventory", [quant])
    return f"{warehouse['code']}/{code}"


def levels(readings: list[Reading]) -> dict[str, tuple[str, str]]:
    return {one.object_id: (one.level.on_hand, one.level.available) for one in readings if one.level is not None}


async def read(adapter: OdooAdapter, name: str) -> tuple[str, str]:
    """On hand and available of that code in that warehouse."""
    return levels(list(await adapter.read_stock([name.partition("/")[2]])))[name]


async def changed(adapter: OdooAdapter) -> dict[str, tuple[str, str]]:
    now = datetime.now(UTC)
    window = Window(now - timedelta(minutes=5), now + timedelta(seconds=5))
    return levels([one async for page in adapter.changed_stock(window) for one in page])


async def test_an_order_takes_its_goods_when_it_is_confirmed(adapter: OdooAdapter, company: OdooCompany) -> None:
    name = await counted(company, 3)
    assert (await changed(adapter))[name] == ("3", "3")
    made = fresh({**MUGS, "sku": name.partition("/")[2]})
    await deliver(adapter, job(replace(made, confirm=False)))
    assert await read(adapter, name) == ("3", "3")
    order = await deliver(adapter, job(made))
    assert await read(adapter, name) == ("3", "0")
    await company.ship(int(order.external_id or 0))
    assert await read(adapter, name) == ("0", "0")
    assert (await changed(adapter))[name] == ("0", "0")


async def test_the_seller_may_read_stock(company: OdooCompany) -> None:
    """The groups that orders need are enough."""
    name = await counted(company, 2)
    rights = ("sales_team.group_sale_salesman_all_leads", "base.group_partner_manager", "base.group_erp_manager")
    adapter = OdooAdapter("live", await company.user(*rights), jobs.CLOCK)
    assert await read(adapter, name) == ("2", "2")
    await adapter.close()
