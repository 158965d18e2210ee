"""Stock of the Odoo double, in both versions, as the adapter tells it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from adapters.odoo import OdooAdapter, stock
from simulators.odoo import Odoo, OdooSettings, demo_company
from tallystick.ports import Job, Reading, Window
from tallystick.stock.ports import StockSource, TakesStockAt
from tallystick.v1 import event_pb2, inventory_pb2
from tests.unit.adapters.odoo.jobs import MUGS, connected, deliver, document, job
from tests.unit.simulators.odoo.orders import Clock

ORDER = "__tallystick__.order__odoo__woocommerce__1042"
_MINUTE = timedelta(minutes=1)
Levels = dict[str, tuple[str, str]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["16.0", "19.0"])
def odoo(request: pytest.FixtureRequest, clock: Clock) -> Odoo:
    odoo = Odoo(OdooSettings(version=request.param, rounding="round_per_line"), now=clock)
    demo_company(odoo)
    odoo.add_product("MUG", "Mug", "10.00")
    odoo.add_product("DESK", "Desk", "100.00")
    odoo.add_warehouse("EAST")
    odoo.set_stock("MUG", "WH", 10)
    clock.forward(3600)
    return odoo


@pytest.fixture
async def adapter(odoo: Odoo) -> AsyncIterator[OdooAdapter]:
    async with connected(odoo) as adapter:
        yield adapter


async def sold(adapter: OdooAdapter, *, confirm: bool = True) -> Job:
    """An order of ours of three mugs."""
    return await deliver(adapter, job(replace(document(MUGS), confirm=confirm)))


def level(reading: Reading) -> inventory_pb2.InventoryLevel:
    assert reading.level is not None
    return reading.level


def levels(readings: list[Reading]) -> Levels:
    return {one.object_id: (level(one).on_hand, level(one).available) for one in readings}


async def read(adapter: OdooAdapter, *skus: str) -> Levels:
    return levels(list(await adapter.read_stock(skus)))


async def changed(adapter: OdooAdapter, clock: Clock) -> Levels:
    """What changed in the last minute, each product once."""
    window = Window(clock() - _MINUTE, clock())
    found = [one async for page in adapter.changed_stock(window) for one in page]
    assert len(levels(found)) == len(found)
    return levels(found)


# ---- levels ------------------------------------------------------------------------------------------------------


async def test_the_level_of_a_product_in_each_warehouse(adapter: OdooAdapter, odoo: Odoo) -> None:
    """A warehouse that has none of it says so."""
    assert isinstance(adapter, StockSource)
    here, there = sorted(await adapter.read_stock(["MUG", "NOBODY"]), key=lambda one: one.object_id)
    assert (here.type, here.object_id) == (event_pb2.ENTITY_TYPE_INVENTORY_LEVEL, "EAST/MUG")
    told = level(there)
    assert (told.connection, told.sku, told.warehouse_id) == ("odoo", "MUG", "WH")
    assert (told.on_hand, told.available, told.read_seq) == ("10", "10", 0)
    assert (level(here).on_hand, level(here).available) == ("0", "0")


async def test_a_draft_takes_no_stock_and_its_confirmation_does(adapter: OdooAdapter, odoo: Odoo) -> None:
    """The step that `takes_stock_at` names."""
    assert adapter.takes_stock_at is TakesStockAt.CONFIRM
    await sold(adapter, confirm=False)
    assert (await read(adapter, "MUG"))["WH/MUG"] == ("10", "10")
    await sold(adapter)
    assert (await read(adapter, "MUG"))["WH/MUG"] == ("10", "7")
    odoo.ship(ORDER)
    assert (await read(adapter, "MUG"))["WH/MUG"] == ("7", "7")


async def test_fractions_and_what_is_owed_pass_as_they_are(adapter: OdooAdapter, odoo: Odoo) -> None:
    """FC-094: nothing is rounded or lifted to zero here."""
    odoo.set_stock("MUG", "WH", "-2.5")
    odoo.set_stock("DESK", "EAST", "0.1")
    assert await read(adapter, "DESK", "MUG") == {
        "WH/MUG": ("-2.5", "-2.5"),
        "EAST/MUG": ("0", "0"),
        "WH/DESK": ("0", "0"),
        "EAST/DESK": ("0.1", "0.1"),
    }


async def test_all_places_of_a_warehouse_together_and_none_besides(adapter: OdooAdapter, odoo: Odoo) -> None:
    """What lies at a buyer's, or in a place of no warehouse, is not for sale."""
    mug = next(iter(odoo.db.models["product.product"].table.matching("default_code", "MUG")))
    buyers = odoo.id_of("stock.stock_location_customers")
    shelf = odoo.add("stock.location", "", {"name": "Shelf 2", "usage": "internal", "warehouse_id": 1})
    nowhere = odoo.add("stock.location", "", {"name": "Nowhere", "usage": "internal"})
    for place in (buyers, shelf, nowhere):
        odoo.add("stock.quant", "", {"product_id": mug, "location_id": place, "quantity": 5, "reserved_quantity": 1})
    assert (await read(adapter, "MUG"))["WH/MUG"] == ("15", "14")


async def test_two_products_of_one_code_say_nothing(adapter: OdooAdapter, odoo: Odoo) -> None:
    """FC-078: never the first that matches; archived ones are out of the way."""
    other = odoo.add_product("MUG", "Mug, blue")
    with capture_logs() as logs:
        assert await read(adapter, "MUG") == {}
    assert [(one["log_level"], one["sku"]) for one in logs] == [("warning", "MUG")]
    odoo.act("product.product", "write", [other], {"active": False})
    assert (await read(adapter, "MUG"))["WH/MUG"] == ("10", "10")


async def test_goods_that_nobody_counts_have_no_level(adapter: OdooAdapter) -> None:
    """A service, and goods whose stock is not kept: none is not the same as nothing left."""
    assert await read(adapter, "SHIPPING", "DESK", "") == {}


async def test_warehouses_of_two_companies_with_one_short_name(adapter: OdooAdapter, odoo: Odoo) -> None:
    odoo.add_warehouse("EAST", "Another company's")
    with capture_logs() as logs:
        assert await read(adapter, "MUG") == {"WH/MUG": ("10", "10")}
    assert [one["warehouse"] for one in logs] == ["EAST"]


# ---- what changed ------------------------------------------------------------------------------------------------


async def test_what_changed_is_told_in_all_warehouses(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    assert await changed(adapter, clock) == {}
    odoo.set_stock("DESK", "EAST", 4)
    assert await changed(adapter, clock) == {"WH/DESK": ("0", "0"), "EAST/DESK": ("4", "4")}
    clock.forward(3600)
    assert await changed(adapter, clock) == {}
    await sold(adapter)
    assert (await changed(adapter, clock))["WH/MUG"] == ("10", "7")


async def test_what_has_sold_out_is_told_although_its_quant_is_gone(
    adapter: OdooAdapter, odoo: Odoo, clock: Clock
) -> None:
    """A deletion leaves no trace; the goods that moved do."""
    odoo.set_stock("MUG", "WH", 3)
    await sold(adapter)
    clock.forward(3600)
    odoo.ship(ORDER)
    assert odoo.act("stock.quant", "search_count", []) == 0
    assert await changed(adapter, clock) == {"WH/MUG": ("0", "0"), "EAST/MUG": ("0", "0")}


async def test_a_product_that_gets_another_code(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    mug = next(iter(odoo.db.models["product.product"].table.matching("default_code", "MUG")))
    odoo.act("product.product", "write", [mug], {"default_code": "CUP"})
    assert (await changed(adapter, clock))["WH/CUP"] == ("10", "10")


async def test_pages_take_the_same_number_of_calls_whatever_they_hold(
    adapter: OdooAdapter, odoo: Odoo, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stock, "PER_PAGE", 2)
    skus = [f"S{number}" for number in range(5)]
    for sku in skus:
        odoo.add_product(sku, sku)
    clock.forward(3600)
    for sku in skus:
        odoo.set_stock(sku, "WH", 1)
    await read(adapter, "MUG")
    seen, calls = [], [0]
    reads = odoo.calls.call

    async def counted(*arguments: object) -> object:
        calls[-1] += 1
        return await reads(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(odoo.calls, "call", counted)
    async for page in adapter.changed_stock(Window(clock() - _MINUTE, clock())):
        seen += [level(one).sku for one in page if level(one).warehouse_id == "WH"]
        calls.append(0)
    assert sorted(seen) == skus
    assert calls[:3] == [6, 6, 6]
