"""What happens to an order: confirmed, cancelled, locked, deleted, and what each version says about it."""

from typing import Any

import pytest

from simulators.odoo import Odoo, OdooError

from .orders import BUYER, MODULE, Clock, Sold, load, loaded


def act(odoo: Odoo, method: str, **named: Any) -> Any:
    return odoo.act("sale.order", method, [odoo.orders[0].id], **named)


def read(odoo: Odoo, *fields: str) -> dict[str, Any]:
    found: dict[str, Any] = act(odoo, "read", fields=fields)[0]
    return found


def test_confirming_overwrites_the_order_date_and_makes_one_delivery(odoo: Odoo, clock: Clock) -> None:
    order = loaded(odoo, date_order="2026-11-20 03:15:00")
    assert read(odoo, "delivery_status", "invoice_status") == {
        "id": order.id,
        "delivery_status": False,
        "invoice_status": "no",
    }
    assert act(odoo, "action_confirm") is True
    assert (order.state, order.date_order) == ("sale", clock().replace(tzinfo=None))
    assert [picking.row["state"] for picking in order.pickings] == ["assigned"]
    assert read(odoo, "delivery_status", "invoice_status", "picking_ids") == {
        "id": order.id,
        "delivery_status": "pending",
        "invoice_status": "to invoice",
        "picking_ids": [order.pickings[0].id],
    }
    assert [entry.detail.state for entry in odoo.journal.of("confirmed")] == ["sale"]


def test_services_need_no_delivery(odoo: Odoo) -> None:
    order = loaded(odoo, "1", Sold("SHIPPING"), Sold(quantity="0"))
    act(odoo, "action_confirm")
    assert order.pickings == []


def test_a_second_confirmation_is_true_in_16_and_refused_in_19(odoo: Odoo, clock: Clock) -> None:
    order = loaded(odoo)
    act(odoo, "action_confirm")
    clock.forward(60)
    if odoo.settings.major == 16:
        assert act(odoo, "action_confirm") is True
        assert order.date_order == clock().replace(tzinfo=None)
    else:
        with pytest.raises(OdooError, match="not in a state requiring confirmation") as raised:
            act(odoo, "action_confirm")
        assert raised.value.name == "odoo.exceptions.UserError"
    assert len(order.pickings) == 1


def test_a_batch_with_one_that_cannot_be_confirmed_confirms_none(odoo: Odoo) -> None:
    load(odoo, ("1", [Sold()]), ("2", [Sold()]))
    act(odoo, "action_cancel")
    with pytest.raises(OdooError):
        odoo.act("sale.order", "action_confirm", [order.id for order in odoo.orders])
    assert [order.state for order in odoo.orders] == ["cancel", "draft"]


def test_cancelling_a_draft(odoo: Odoo) -> None:
    order = loaded(odoo)
    assert act(odoo, "action_cancel") is True
    assert order.state == "cancel"
    assert [entry.what for entry in odoo.journal.entries] == ["created", "cancelled"]


def test_odoo_16_asks_before_it_cancels_a_confirmed_order(odoo_16: Odoo) -> None:
    order = loaded(odoo_16)
    act(odoo_16, "action_confirm")
    answer = act(odoo_16, "action_cancel")
    assert (answer["res_model"], order.state) == ("sale.order.cancel", "sale")
    wizard = odoo_16.act("sale.order.cancel", "create", {"order_id": order.id})
    assert odoo_16.act("sale.order.cancel", "action_cancel", [wizard]) is True
    assert order.state == "cancel"


def test_a_confirmed_order_is_cancelled_with_its_delivery(odoo: Odoo) -> None:
    order = loaded(odoo)
    act(odoo, "action_confirm")
    assert act(odoo, "action_cancel", context={"disable_cancel_warning": True}) is True
    assert (order.state, [picking.row["state"] for picking in order.pickings]) == ("cancel", ["cancel"])
    assert act(odoo, "action_draft") is True
    act(odoo, "action_confirm")
    assert [picking.row["state"] for picking in order.pickings] == ["assigned", "cancel"]


def test_sent_and_confirmed_orders_cannot_be_deleted(odoo: Odoo) -> None:
    loaded(odoo)
    assert act(odoo, "action_quotation_sent") is None
    for _ in range(2):
        with pytest.raises(OdooError, match="You must first cancel it"):
            act(odoo, "unlink")
        act(odoo, "action_confirm", context={}) if odoo.orders[0].state == "sent" else None
    with pytest.raises(OdooError, match="Only draft orders"):
        act(odoo, "action_quotation_sent")
    act(odoo, "action_cancel", context={"disable_cancel_warning": True})
    assert act(odoo, "unlink") is True
    assert odoo.journal.of("deleted")[0].detail.reference == "R-1"


def test_lines_of_a_confirmed_order_stay(odoo: Odoo) -> None:
    order = loaded(odoo)
    act(odoo, "action_confirm")
    with pytest.raises(OdooError, match="set the quantity to 0"):
        odoo.act("sale.order.line", "unlink", [order.lines[0].id])
    line = [(1, order.lines[0].id, {"product_uom_qty": 5})]
    assert odoo.act("sale.order", "write", [order.id], {"order_line": line}) is True
    assert order.lines[0].quantity == 5


def test_a_locked_order_keeps_goods_and_money(odoo: Odoo) -> None:
    odoo.settings.lock_confirmed = True
    order = loaded(odoo, "1", Sold(price="10"))
    act(odoo, "action_confirm")
    assert order.state == ("done" if odoo.settings.major == 16 else "sale")
    assert load(odoo, ("1", [Sold(price="10")]), origin="Web")["messages"] == []
    answer = load(odoo, ("1", [Sold(price="11", taxes="7_excluded")]))
    assert "It is forbidden to modify the following fields in a locked order:\nTaxes\nUnit Price" in str(
        answer["messages"][0]["message"]
    )
    act(odoo, "action_unlock")
    assert load(odoo, ("1", [Sold(price="11")]))["messages"] == []


def test_locking_by_hand(odoo_16: Odoo, odoo_19: Odoo) -> None:
    for odoo, method, other in ((odoo_16, "action_done", "action_lock"), (odoo_19, "action_lock", "action_done")):
        loaded(odoo)
        act(odoo, "action_confirm")
        act(odoo, method)
        with pytest.raises(OdooError, match="does not exist"):
            act(odoo, other)
    with pytest.raises(OdooError, match="cannot cancel a locked order"):
        act(odoo_19, "action_cancel")


def test_the_reference_of_the_customer_is_not_unique(odoo: Odoo) -> None:
    for _ in range(2):
        values = {"partner_id": odoo.partners[0].id, "client_order_ref": "SHOP-1"}
        odoo.act("sale.order", "create", values)
    found = odoo.act("sale.order", "search_read", [["client_order_ref", "=", "SHOP-1"]], ["name", "state"])
    assert [row["id"] for row in found] == [2, 1]


def test_addresses_of_the_customer(odoo: Odoo) -> None:
    partner = odoo.id_of(f"{MODULE}.{BUYER}")
    for kind in ("invoice", "delivery"):
        odoo.act("res.partner", "create", {"name": kind.title(), "parent_id": partner, "type": kind})
    order = loaded(odoo)
    found = odoo.act("sale.order", "read", [order.id], ["partner_invoice_id", "partner_shipping_id"])[0]
    assert found["partner_invoice_id"][1] == "Anna Example, Invoice"
    assert found["partner_shipping_id"][1] == "Anna Example, Delivery"


def test_another_customer_brings_other_addresses_but_keeps_the_pricelist_sent(odoo: Odoo) -> None:
    loaded(odoo, currency="thb")
    other = odoo.act("res.partner", "create", {"name": "Bea"})
    thb = odoo.id_of("tallystick_demo.pricelist_thb")
    odoo.act("sale.order", "write", [odoo.orders[0].id], {"partner_id": other, "pricelist_id": thb})
    order = odoo.orders[0]
    assert (order.row["partner_shipping_id"], order.currency) == (other, "THB")


def test_the_same_customer_again_leaves_what_people_changed(odoo: Odoo) -> None:
    order = loaded(odoo)
    other = odoo.act("res.partner", "create", {"name": "Neighbour"})
    odoo.act("sale.order", "write", [order.id], {"partner_shipping_id": other})
    assert loaded(odoo).row["partner_shipping_id"] == other


def test_rows_of_text_count_nothing(odoo: Odoo) -> None:
    order = loaded(odoo)
    before = order.amount_total
    text = (0, 0, {"display_type": "line_note", "name": "Fragile"})
    odoo.act("sale.order", "write", [order.id], {"order_line": [text]})
    assert (len(order.lines), order.amount_total) == (2, before)
    with pytest.raises(OdooError, match="Missing required fields on accountable"):
        odoo.act("sale.order", "write", [order.id], {"order_line": [(0, 0, {"name": "Nothing"})]})


def test_commands_of_lines(odoo: Odoo) -> None:
    order = loaded(odoo, "1", Sold(), Sold("DESK"), Sold("SHIPPING"))
    first, second, third = (line.id for line in order.lines)
    other = odoo.act("sale.order", "create", {"partner_id": order.partner.id, "order_line": [(4, third, 0)]})
    assert [line.id for line in odoo.orders[1].lines] == [third]
    odoo.act("sale.order", "write", [order.id], {"order_line": [(2, first, 0)]})
    assert [line.id for line in order.lines] == [second]
    odoo.act("sale.order", "write", [other], {"order_line": [(6, 0, [second])]})
    assert [line.id for line in odoo.orders[1].lines] == [second]
    odoo.act("sale.order", "write", [other], {"order_line": False})
    assert [line.id for line in odoo.orders[1].lines] == []
    assert odoo.orders[1].amount_total == 0
