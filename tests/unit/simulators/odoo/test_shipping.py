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


def test_what_people_change_in_a_confirmed_order_moves_its_delivery(odoo: Odoo) -> None:
    """The same move while it is to leave, a delivery of its own afterwards."""
    order = confirmed(odoo)
    line = order.lines[0].id
    for wanted in (5, 2):
        odoo.act("sale.order", "write", [order.id], {"order_line": [[1, line, {"product_uom_qty": wanted}]]})
        assert moves(odoo) == [("assigned", wanted, 0 if odoo.db.version < 17 else wanted)]
    odoo.ship(order.external_id)
    odoo.act("sale.order.line", "write", [line], {"product_uom_qty": 3})
    assert [state for state, *_ in moves(odoo)] == ["done", "assigned"]
    assert [picking.row["state"] for picking in order.pickings] == ["assigned", "done"]


def test_what_has_left_is_not_taken_off_its_order(odoo: Odoo) -> None:
    order = confirmed(odoo)
    odoo.ship(order.external_id, {"a": 2})
    line = order.lines[0].id
    with pytest.raises(OdooError, match="below the amount already delivered"):
        odoo.act("sale.order.line", "write", [line], {"product_uom_qty": 1})
    odoo.act("sale.order.line", "write", [line], {"product_uom_qty": 2})
    assert [picking.row["state"] for picking in order.pickings] == ["cancel", "done"]


def test_a_line_that_is_added_to_a_confirmed_order_leaves_with_it(odoo: Odoo) -> None:
    order = confirmed(odoo)
    mug = order.lines[0].row["product_id"]
    added = [0, 0, {"product_id": mug, "product_uom_qty": 1}]
    odoo.act("sale.order", "write", [order.id], {"order_line": [added]})
    assert [demand for _, demand, _ in moves(odoo)] == [3, 1]
    assert len(order.pickings) == 1


def test_a_delivery_that_is_cancelled_stays_behind(odoo: Odoo) -> None:
    order = confirmed(odoo)
    (picking,) = order.pickings
    odoo.act("stock.picking", "action_cancel", [picking.id])
    assert (order.state, picking.row["state"], moves(odoo)[0][0]) == ("sale", "cancel", "cancel")


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
