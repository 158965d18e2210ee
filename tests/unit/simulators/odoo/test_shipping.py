"""Deliveries of the double: what leaves, what waits for later, what comes back."""

from decimal import Decimal
from typing import Any

import pytest

from simulators.odoo import Odoo, OdooError, Order

from .orders import Sold, loaded


def confirmed(odoo: Odoo) -> Order:
    order = loaded(odoo, "1", Sold(quantity="3", key="_a"), Sold("SHIPPING", key="_b"))
    odoo.act("sale.order", "action_confirm", [order.id])
    return order


def moves(odoo: Odoo, *domain: Any) -> list[tuple[str, float, float]]:
    field = "quantity_done" if odoo.db.version < 17 else "quantity"
    found = odoo.act("stock.move", "search_read", list(domain), ["state", "product_uom_qty", field])
    return [(one["state"], one["product_uom_qty"], one[field]) for one in found]


def test_what_is_reserved_shows_as_a_quantity_in_odoo_19_alone(odoo: Odoo) -> None:
    confirmed(odoo)
    assert moves(odoo) == [("assigned", 3, 0 if odoo.db.version < 17 else 3)]


def test_a_part_leaves_and_the_rest_is_a_backorder(odoo: Odoo) -> None:
    order = confirmed(odoo)
    picking = odoo.ship(order.external_id, {"a": 2}, carrier="DHL", tracking="TH1")
    rest, shipped = odoo.act("stock.picking", "search_read", [], ["state", "backorder_id", "date_done", "carrier_id"])
    assert (shipped["id"], shipped["state"], shipped["carrier_id"][1]) == (picking, "done", "DHL")
    assert (rest["state"], rest["backorder_id"][0], rest["date_done"]) == ("assigned", picking, False)
    assert moves(odoo, ("picking_id", "=", picking)) == [("done", 2, 2)]
    assert [line.row["qty_delivered"] for line in order.lines] == [2, 0]
    assert odoo.act("sale.order", "read", [order.id], ["delivery_status"])[0]["delivery_status"] == "partial"
    odoo.ship(order.external_id)
    assert order.lines[0].row["qty_delivered"] == 3
    assert [entry.what for entry in odoo.journal.entries][-2:] == ["shipped", "shipped"]
    with pytest.raises(LookupError, match="no delivery"):
        odoo.ship(order.external_id)


def test_goods_come_back_by_another_picking(odoo: Odoo) -> None:
    order = confirmed(odoo)
    picking = odoo.ship(order.external_id)
    back = odoo.take_back(picking, {"a": 1})
    assert moves(odoo, ("location_dest_id.usage", "=", "internal")) == [("done", 1, 1)]
    assert order.lines[0].row["qty_delivered"] == Decimal(2)
    assert odoo.act("stock.picking", "read", [back], ["picking_type_id"])[0]["picking_type_id"][1] == "Receipts"
    assert odoo.journal.entries[-1].what == "received"


def test_a_cancelled_order_takes_its_goods_along(odoo: Odoo) -> None:
    order = confirmed(odoo)
    odoo.act("sale.order", "action_cancel", [order.id], context={"disable_cancel_warning": True})
    assert [state for state, *_ in moves(odoo)] == ["cancel"]
    with pytest.raises(LookupError, match="no delivery"):
        odoo.ship(order.external_id)


def test_clients_cannot_ship(odoo: Odoo) -> None:
    confirmed(odoo)
    with pytest.raises(OdooError):
        odoo.act("stock.picking", "ship", [1], None)
