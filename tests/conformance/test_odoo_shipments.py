"""Shipments of the Odoo double, in both versions, as the adapter tells them."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from adapters.odoo import OdooAdapter, shipments
from simulators.odoo import Odoo, OdooSettings, application, demo_company
from simulators.serving import serve
from tallystick.canonical.times import to_datetime
from tallystick.ports import FulfilmentSource, Job, Reading, Window
from tallystick.v1 import event_pb2, fulfilment_pb2
from tests.unit.adapters.odoo import jobs
from tests.unit.adapters.odoo.jobs import DESK, MUGS, connected, deliver, document, job
from tests.unit.simulators.odoo.orders import BUYER, MODULE, Clock, loaded

ORDER = "__tallystick__.order__odoo__woocommerce__1042"
_MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["16.0", "19.0"])
def odoo(request: pytest.FixtureRequest, clock: Clock) -> Odoo:
    odoo = Odoo(OdooSettings(version=request.param, rounding="round_per_line"), now=clock)
    demo_company(odoo)
    odoo.add_product("MUG", "Mug", "10.00")
    odoo.add_product("DESK", "Desk", "100.00")
    return odoo


@pytest.fixture
async def adapter(odoo: Odoo) -> AsyncIterator[OdooAdapter]:
    async with connected(odoo) as adapter:
        yield adapter


async def sold(adapter: OdooAdapter, *lines: dict[str, object], number: str = "1042") -> Job:
    """An order of ours, confirmed; three mugs and a desk when no lines are given."""
    return await deliver(adapter, job(document(*lines, id=number, number=number)))


async def readings(adapter: OdooAdapter, window: Window) -> list[Reading]:
    return [one async for page in adapter.changed_fulfilments(window) for one in page]


async def told(adapter: OdooAdapter, clock: Clock) -> list[fulfilment_pb2.Fulfilment]:
    """All shipments of the last minute."""
    found = [one.fulfilment for one in await readings(adapter, Window(clock() - _MINUTE, clock()))]
    return [one for one in found if one is not None]


def goods(shipped: fulfilment_pb2.Fulfilment) -> list[tuple[str, str, str]]:
    return [(line.line_id, line.sku, line.quantity) for line in shipped.lines]


def parcels(shipped: fulfilment_pb2.Fulfilment) -> Iterable[tuple[str, str, str]]:
    return [(one.carrier, one.number, one.url) for one in shipped.trackings]


# ---- what is told ------------------------------------------------------------------------------------------------


async def test_a_shipment_in_the_stores_terms(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    assert isinstance(adapter, FulfilmentSource)
    await sold(adapter)
    assert await told(adapter, clock) == []
    clock.forward()
    picking = odoo.ship(ORDER, carrier="DHL", tracking="TH1")
    (one,) = await readings(adapter, Window(clock() - _MINUTE, clock()))
    assert (one.type, one.object_id) == (event_pb2.ENTITY_TYPE_FULFILMENT, str(picking))
    assert one.source_modified == clock().replace(microsecond=0)
    shipped = one.fulfilment
    assert shipped is not None
    assert (shipped.connection, shipped.id) == ("odoo", str(picking))
    assert (shipped.order_connection, shipped.order_id, shipped.warehouse_id) == ("woocommerce", "1042", "WH")
    assert to_datetime(shipped.shipped_at) == clock().replace(microsecond=0)
    assert goods(shipped) == [("11", "", "3"), ("12", "", "1")]
    assert parcels(shipped) == [("DHL", "TH1", "")]


async def test_a_partial_shipment_and_the_rest_later(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    """What is reserved for the backorder, which Odoo 19 shows as a quantity, has not left."""
    await sold(adapter)
    first = odoo.ship(ORDER, {"11": 2})
    assert [(one.id, goods(one)) for one in await told(adapter, clock)] == [(str(first), [("11", "", "2")])]
    second = odoo.ship(ORDER)
    assert [(one.id, goods(one)) for one in await told(adapter, clock)] == [
        (str(first), [("11", "", "2")]),
        (str(second), [("11", "", "1"), ("12", "", "1")]),
    ]


async def test_the_same_variant_on_two_lines(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    """FC-075: by the line that it was sold on, never by its SKU."""
    await sold(adapter, MUGS, {**MUGS, "id": "13", "quantity": 1, "amount": {"gross": "10.70"}})
    odoo.ship(ORDER, {"13": 1, "11": 1})
    (shipped,) = await told(adapter, clock)
    assert goods(shipped) == [("11", "", "1"), ("13", "", "1")]


async def test_a_line_that_two_lines_stand_for_is_told_as_one(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    """Three for 10.00 are two at 3.33 and one at 3.34 where the contract splits; the store sold one line."""
    made = document(MUGS)
    (line,) = made.lines
    parts = (replace(line, quantity=Decimal(2)), replace(line, key="11-split", quantity=Decimal(1)))
    await deliver(adapter, job(replace(made, lines=parts)))
    odoo.ship(ORDER, {"11": 2, "11-split": 1})
    (shipped,) = await told(adapter, clock)
    assert goods(shipped) == [("11", "", "3")]


async def test_goods_that_nobody_sold_are_named_by_their_sku(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    """Put into the parcel by hand, without a line, or as another product in place of a line's."""
    await sold(adapter, MUGS)
    (picking,) = odoo.orders[0].pickings
    moves = odoo.db.models["stock.move"]
    (move,) = moves.table.rows.values()
    poster = odoo.add_product("POSTER", "Poster")
    for line in (False, move["sale_line_id"]):
        where = {name: move[name] for name in ("location_id", "location_dest_id")}
        values = {"picking_id": picking.id, "sale_line_id": line, "product_id": poster, "product_uom_qty": 1}
        odoo.add("stock.move", "", {**where, **values})
    odoo.ship(ORDER)
    (shipped,) = await told(adapter, clock)
    assert goods(shipped) == [("", "POSTER", "2"), ("11", "", "3")]


# ---- parcels -----------------------------------------------------------------------------------------------------


async def test_several_parcels(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    """FC-096: right numbers, each with its own link; a carrier of 16 has none of its own."""
    new = odoo.db.version > 16
    link = {"tracking_url": "https://dhl.example/?n=<shipmenttrackingnumber>"} if new else {}
    odoo.add("delivery.carrier", "", {"name": "DHL", **link})
    await sold(adapter)
    odoo.ship(ORDER, carrier="DHL", tracking="TH1, TH2")
    (shipped,) = await told(adapter, clock)
    assert parcels(shipped) == [
        ("DHL", number, f"https://dhl.example/?n={number}" if new else "") for number in ("TH1", "TH2")
    ]


async def test_each_warehouse_ships_on_its_own(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    east = odoo.add("stock.warehouse", "", {"name": "East", "code": "EAST"})
    made = document()
    await deliver(adapter, job(replace(made, fields={**made.fields, "warehouse_id": str(east)})))
    odoo.ship(ORDER)
    assert [one.warehouse_id for one in await told(adapter, clock)] == ["EAST"]


async def test_a_tracking_number_that_comes_later(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    """The shipment changes, and is told again with a later date."""
    await sold(adapter)
    picking = odoo.ship(ORDER, carrier="DHL")
    left = clock()
    (before,) = await readings(adapter, Window(left, left))
    clock.forward(3600)
    odoo.act("stock.picking", "write", [picking], {"carrier_tracking_ref": "TH1"})
    (after,) = await readings(adapter, Window(clock() - _MINUTE, clock()))
    assert before.fulfilment is not None
    assert after.fulfilment is not None
    assert parcels(before.fulfilment) == []
    assert parcels(after.fulfilment) == [("DHL", "TH1", "")]
    assert after.object_id == before.object_id
    assert (before.source_modified, after.source_modified) == tuple(at.replace(microsecond=0) for at in (left, clock()))
    assert before.fulfilment.shipped_at == after.fulfilment.shipped_at


async def test_without_the_app_delivery(odoo: Odoo, clock: Clock) -> None:
    async with connected(odoo) as adapter:
        await sold(adapter)
        odoo.ship(ORDER, carrier="DHL", tracking="TH1")
        for field in ("carrier_id", "carrier_tracking_ref", "carrier_tracking_url"):
            del odoo.db.models["stock.picking"].fields[field]
        (shipped,) = await told(adapter, clock)
    assert parcels(shipped) == []


# ---- what is left out --------------------------------------------------------------------------------------------


async def test_other_peoples_orders_are_left_out(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    """Made by hand, by another program with names of its own, or by another connection to the same database."""
    odoo.add("res.partner", f"{MODULE}.{BUYER}", {"name": "Somebody"})
    theirs = loaded(odoo, "1")
    odoo.act("sale.order", "action_confirm", [theirs.id])
    odoo.ship(theirs.external_id)
    async with serve(application(odoo)) as address:
        other = OdooAdapter("odoo-test", jobs.settings(address, odoo), jobs.CLOCK)
        await sold(other)
        odoo.ship(ORDER.replace("odoo", "odoo-test"))
        assert len(await told(other, clock)) == 1
        await other.close()
    assert await told(adapter, clock) == []
    await sold(adapter)
    ours = odoo.ship(ORDER)
    assert [one.id for one in await told(adapter, clock)] == [str(ours)]


async def test_a_return_is_no_shipment(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    await sold(adapter)
    picking = odoo.ship(ORDER)
    back = odoo.take_back(picking, {"11": 1})
    assert odoo.db.models["stock.picking"].table.rows[back]["state"] == "done"
    (shipped,) = await told(adapter, clock)
    assert (shipped.id, goods(shipped)) == (str(picking), [("11", "", "3"), ("12", "", "1")])


# ---- the walk ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("03:09:10", "03:09:10", True),
        ("03:09:10.990000", "03:09:10.990000", True),
        ("03:09:09", "03:09:09.999999", False),
        ("03:09:11", "03:09:12", False),
    ],
)
async def test_both_ends_of_a_window_are_in_it(
    adapter: OdooAdapter, odoo: Odoo, start: str, end: str, *, found: bool
) -> None:
    """The picking is of 03:09:10.972538; 16 compares that, 19 the seconds alone, and both show the seconds alone."""
    await sold(adapter)
    odoo.ship(ORDER)
    window = Window(*(datetime.fromisoformat(f"2026-11-23T{time}").replace(tzinfo=UTC) for time in (start, end)))
    assert bool(await readings(adapter, window)) is found


async def test_pages_take_the_same_number_of_calls_whatever_they_hold(
    adapter: OdooAdapter, odoo: Odoo, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picking that changes while the walk goes on shifts nobody out of the next page."""
    monkeypatch.setattr(shipments, "PER_PAGE", 2)
    shipped = []
    for number in ("1", "2", "3", "4", "5"):
        await sold(adapter, DESK, number=number)
        shipped.append(odoo.ship(f"__tallystick__.order__odoo__woocommerce__{number}"))
    window = Window(clock() - _MINUTE, clock())
    await told(adapter, clock)
    clock.forward(600)
    seen, calls = [], [0]
    reads = odoo.calls.call

    async def counted(*arguments: object) -> object:
        calls[-1] += 1
        return await reads(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(odoo.calls, "call", counted)
    async for page in adapter.changed_fulfilments(window):
        seen += [one.object_id for one in page]
        odoo.act("stock.picking", "write", [shipped[0]], {"carrier_tracking_ref": "late"})
        calls.append(0)
    assert seen == [str(one) for one in shipped]
    assert calls == [7, 7, 7, 0]
