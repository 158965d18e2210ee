"""Stock of the double: what lies in a warehouse, what is promised of it, and how clients read it."""

from decimal import Decimal
from typing import Any

import pytest

from simulators.odoo import Odoo, OdooError, Order

from .orders import Clock, Sold, loaded

_WAIVED = {"context": {"disable_cancel_warning": True}}


def sold(odoo: Odoo, quantity: str = "3", key: str = "1") -> Order:
    order = loaded(odoo, key, Sold(quantity=quantity, key="_a"))
    odoo.act("sale.order", "action_confirm", [order.id])
    return order


def level(odoo: Odoo, warehouse: str = "WH") -> tuple[object, ...]:
    found = odoo.stock("MUG", warehouse)
    return found.on_hand, found.reserved


def quants(odoo: Odoo, *domain: Any) -> list[tuple[float, float, float]]:
    fields = ["quantity", "reserved_quantity", "available_quantity"]
    found = odoo.act("stock.quant", "search_read", [["location_id.usage", "=", "internal"], *domain], fields)
    return [(one["quantity"], one["reserved_quantity"], one["available_quantity"]) for one in found]


def test_a_draft_takes_nothing_and_a_confirmed_order_is_promised_its_goods(odoo: Odoo) -> None:
    odoo.set_stock("MUG", "WH", 10)
    order = loaded(odoo, "1", Sold(quantity="3"))
    assert level(odoo) == (10, 0)
    odoo.act("sale.order", "action_confirm", [order.id])
    assert level(odoo) == (10, 3)
    assert quants(odoo) == [(10, 3, 7)]
    odoo.act("sale.order", "action_cancel", [order.id], **_WAIVED)
    assert level(odoo) == (10, 0)


def test_what_ships_leaves_and_what_comes_back_is_there_again(odoo: Odoo) -> None:
    odoo.set_stock("MUG", "WH", 10)
    order = sold(odoo)
    picking = odoo.ship(order.external_id, {"a": 2})
    assert level(odoo) == (8, 1)
    odoo.ship(order.external_id)
    assert level(odoo) == (7, 0)
    odoo.take_back(picking, {"a": 1})
    assert level(odoo) == (8, 0)


def test_more_is_sold_than_there_is(odoo: Odoo) -> None:
    """No more is promised than is there; what comes is promised to those that wait; what is sent anyway is owed."""
    odoo.set_stock("MUG", "WH", 2)
    order = sold(odoo)
    assert (level(odoo), order.pickings[0].row["state"]) == ((2, 2), "assigned")
    later = sold(odoo, key="2")
    assert (level(odoo), later.pickings[0].row["state"]) == ((2, 2), "confirmed")
    odoo.set_stock("MUG", "WH", "5.5")
    assert (level(odoo), later.pickings[0].row["state"]) == ((Decimal("5.5"), Decimal("5.5")), "assigned")
    odoo.ship(order.external_id)
    odoo.ship(later.external_id)
    assert level(odoo) == (Decimal("-0.5"), 0)
    assert quants(odoo) == [(-0.5, 0, -0.5)]


def test_a_quant_of_nothing_is_gone_without_a_trace(odoo: Odoo) -> None:
    odoo.set_stock("MUG", "WH", 1)
    order = sold(odoo, "1")
    odoo.ship(order.external_id)
    assert quants(odoo) == []


def test_each_warehouse_has_its_own(odoo: Odoo) -> None:
    odoo.add_warehouse("EAST")
    odoo.set_stock("MUG", "EAST", 4)
    odoo.set_stock("MUG", "WH", 1)
    assert (level(odoo), level(odoo, "EAST")) == ((1, 0), (4, 0))
    found = odoo.act("stock.location", "search_read", [["usage", "=", "internal"]], ["warehouse_id"])
    assert [one["warehouse_id"][0] for one in found] == [1, 2]


def test_a_change_moves_the_date_of_the_quant(odoo: Odoo, clock: Clock) -> None:
    odoo.set_stock("MUG", "WH", 10)
    before = odoo.act("stock.quant", "search_read", [], ["write_date"])
    clock.forward(60)
    sold(odoo)
    assert odoo.act("stock.quant", "search_read", [], ["write_date"])[0] == before[0] | {
        "write_date": "2026-11-23 03:10:10"
    }


def test_goods_that_nobody_counts_are_sold_without_end(odoo: Odoo) -> None:
    order = sold(odoo)
    assert (quants(odoo), order.pickings[0].row["state"]) == ([], "assigned")


def test_the_journal_tells_each_level(odoo: Odoo) -> None:
    odoo.set_stock("MUG", "WH", 10)
    sold(odoo)
    told = [(one.key, one.detail.on_hand, one.detail.available) for one in odoo.journal.of("stock")]
    assert told == [("WH/MUG", 10, 10), ("WH/MUG", 10, 7)]


def test_sums_by_product_and_place(odoo: Odoo) -> None:
    odoo.set_stock("MUG", "WH", 10)
    odoo.set_stock("DESK", "WH", 1)
    sold(odoo)
    fields, by = ["quantity:sum", "reserved_quantity:sum"], ["product_id", "location_id"]
    mug, desk = odoo.act("stock.quant", "read_group", [], fields, by, lazy=False)
    assert (mug["product_id"][1], mug["quantity"], mug["reserved_quantity"], mug["__count"]) == ("[MUG] Mug", 10, 3, 1)
    assert (desk["location_id"][1], desk["quantity"]) == ("WH/Stock", 1)
    assert [one["quantity"] for one in odoo.act("stock.quant", "read_group", [], fields, "location_id")] == [11]


def test_by_warehouse_they_are_grouped_in_19_only(odoo: Odoo) -> None:
    odoo.set_stock("MUG", "WH", 10)
    if odoo.db.version < 17:
        with pytest.raises(OdooError):
            odoo.act("stock.quant", "read_group", [], ["quantity"], ["warehouse_id"])
    else:
        (found,) = odoo.act("stock.quant", "read_group", [], ["quantity"], ["warehouse_id"])
        assert (found["warehouse_id"][0], found["quantity"], found["warehouse_id_count"]) == (1, 10, 1)
