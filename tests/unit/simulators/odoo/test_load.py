"""`load`: created or updated by External ID, all or nothing, and every word about what went wrong."""

from typing import Any

import pytest

from simulators.odoo import Odoo, OdooError

from .orders import BUYER, MODULE, Sold, load, loaded


def test_a_second_load_changes_the_same_order(odoo: Odoo) -> None:
    first = load(odoo, ("1", [Sold(quantity="1"), Sold("DESK")]))
    again = load(odoo, ("1", [Sold(quantity="3"), Sold("DESK")]))
    assert first == again == {"ids": [odoo.orders[0].id], "messages": [], "nextrow": 0}
    assert [(line.product, str(line.quantity)) for line in odoo.orders[0].lines] == [("MUG", "3.00"), ("DESK", "1.00")]
    assert [entry.what for entry in odoo.journal.entries] == ["created", "updated"]


def test_many_orders_in_one_call_and_rows_below_an_order_are_its_lines(odoo: Odoo) -> None:
    answer = load(odoo, *((str(number), [Sold(), Sold("DESK"), Sold()]) for number in range(1, 21)))
    assert answer["ids"] == [order.id for order in odoo.orders]
    assert [len(order.lines) for order in odoo.orders] == [3] * 20
    assert odoo.order(f"{MODULE}.so_7").client_order_ref == "R-7"
    assert odoo.order(f"{MODULE}.so_7").lines[1].external_id == f"{MODULE}.sol_7_1"


def test_lines_without_an_external_id_are_appended_again(odoo: Odoo) -> None:
    loaded(odoo)
    for _ in range(2):
        rows = [[f"{MODULE}.so_1", "MUG", "2"]]
        odoo.act("sale.order", "load", ["id", "order_line/product_id", "order_line/product_uom_qty"], rows)
    assert [line.quantity for line in odoo.orders[0].lines] == [1, 2, 2]


def test_a_line_that_is_not_sent_stays(odoo: Odoo) -> None:
    loaded(odoo, "1", Sold(), Sold("DESK", key="desk"))
    order = loaded(odoo, "1", Sold())
    assert [line.product for line in order.lines] == ["MUG", "DESK"]
    order = loaded(odoo, "1", Sold(), Sold("DESK", quantity="0", key="desk"))
    assert order.lines[1].quantity == 0
    assert order.amount_total == order.lines[0].price_total


def test_one_bad_row_fails_everything_and_ids_are_used_up(odoo: Odoo) -> None:
    answer = load(odoo, ("1", [Sold()]), ("2", [Sold(), Sold("NOPE")]), ("3", [Sold(price="much")]))
    assert answer["ids"] is False
    assert answer["nextrow"] == 0
    assert [(one["rows"], one["record"], one["field"], one["message"]) for one in answer["messages"]] == [
        (
            {"from": 1, "to": 2},
            1,
            "order_line",
            "No matching record found for name 'NOPE' in field 'Order Lines/Product'",
        ),
        (
            {"from": 3, "to": 3},
            2,
            "order_line",
            "'much' does not seem to be a number for field 'Order Lines/Unit Price'",
        ),
    ]
    assert odoo.orders == []
    assert odoo.journal.entries == []
    assert loaded(odoo).id > 1


def test_an_unknown_reference_and_the_field_that_then_is_missing(odoo: Odoo) -> None:
    fields = ["id", "partner_id/id", "client_order_ref"]
    answer = odoo.act("sale.order", "load", fields, [[f"{MODULE}.so_1", f"{MODULE}.nobody", "1"]])
    assert [(one["type"], one["field"], one["message"]) for one in answer["messages"]] == [
        (
            "error",
            "partner_id",
            f"No matching record found for external id '{MODULE}.nobody' in field 'Customer'",
        ),
        ("error", "partner_id", "Missing required value for the field 'Customer' (partner_id)"),
    ]


def test_a_broken_rule_is_blamed_on_the_first_record_too(odoo: Odoo) -> None:
    """The whole batch breaks it first: whoever takes out the first named row takes out an innocent one."""
    order = loaded(odoo, "2")
    odoo.act("sale.order", "action_confirm", [order.id])
    _lock(odoo, order.id)
    answer = load(odoo, ("1", [Sold()]), ("2", [Sold(price="11")]))
    assert answer["ids"] is False
    assert [(one["record"], one["type"]) for one in answer["messages"]] == [(0, "error"), (1, "error")]
    assert len({one["message"] for one in answer["messages"]}) == 1
    assert "locked order" in answer["messages"][0]["message"]


def _lock(odoo: Odoo, row_id: int) -> None:
    odoo.act("sale.order", "action_done" if odoo.settings.major == 16 else "action_lock", [row_id])


def test_only_the_first_errors_are_named(odoo: Odoo) -> None:
    rows = [[f"{MODULE}.p{number}", "", "contact"] for number in range(30)]
    answer = odoo.act("res.partner", "load", ["id", "name", "type"], rows)
    kinds = [one["type"] for one in answer["messages"]]
    assert kinds == ["error"] * 10 + ["warning"]
    assert "more than 10 errors" in answer["messages"][-1]["message"]


def test_references_by_database_id(odoo: Odoo) -> None:
    product = odoo.act("product.product", "search", [["default_code", "=", "DESK"]])[0]
    partner = odoo.id_of(f"{MODULE}.{BUYER}")
    fields = ["id", "partner_id/.id", "order_line/product_id/.id"]
    answer = odoo.act("sale.order", "load", fields, [[f"{MODULE}.so_1", str(partner), str(product)]])
    assert answer["messages"] == []
    assert odoo.orders[0].lines[0].product == "DESK"
    answer = odoo.act("sale.order", "load", fields, [[f"{MODULE}.so_2", "999", "x"]])
    assert [one["message"] for one in answer["messages"]][:2] == [
        "No matching record found for database id '999' in field 'Customer'",
        "Invalid database id 'x' for the field 'Order Lines/Product'",
    ]


def test_a_record_is_found_by_its_own_database_id(odoo: Odoo) -> None:
    order = loaded(odoo)
    answer = odoo.act("sale.order", "load", [".id", "origin"], [[str(order.id), "Web"], ["77", "Web"]])
    assert answer["messages"][0]["message"] == "Unknown database identifier '77'"
    answer = odoo.act("sale.order", "load", [".id", "origin"], [[str(order.id), "Web"]])
    assert (answer["ids"], order.origin) == ([order.id], "Web")


def test_a_row_may_refer_to_one_above_it(odoo: Odoo) -> None:
    rows = [[f"{MODULE}.c", "Nord GmbH", ""], [f"{MODULE}.p", "Bea", f"{MODULE}.c"]]
    assert odoo.act("res.partner", "load", ["id", "name", "parent_id/id"], rows)["messages"] == []
    assert odoo.partners[-1].row["parent_id"] == odoo.id_of(f"{MODULE}.c")
    answer = odoo.act(
        "res.partner", "load", ["id", "name", "parent_id/id"], [*rows[1:], [f"{MODULE}.q", "Q", "no.one"]]
    )
    assert [one["record"] for one in answer["messages"]] == [1]


def test_a_name_found_twice_takes_one_with_a_warning(odoo: Odoo) -> None:
    odoo.add("res.partner", "", {"name": "Anna Example"})
    answer = odoo.act("sale.order", "load", ["id", "partner_id"], [[f"{MODULE}.so_1", "Anna Example"]])
    assert len(answer["ids"]) == 1
    assert [one["type"] for one in answer["messages"]] == ["warning"]
    assert "Found multiple matches" in answer["messages"][0]["message"]


def test_an_external_id_without_a_module_is_one_of_the_import(odoo: Odoo) -> None:
    odoo.act("res.partner", "load", ["id", "name"], [["p1", "Bea"]])
    assert odoo.partners[-1].external_id == "__import__.p1"


def test_an_external_id_of_another_model_is_refused(odoo: Odoo) -> None:
    fields = ["id", "partner_id/id"]
    answer = odoo.act("sale.order", "load", fields, [[f"{MODULE}.so_1", "tallystick_demo.tax_19_included"]])
    assert "expected model 'res.partner', found 'account.tax'" in answer["messages"][0]["message"]


def test_an_empty_tax_cell_means_no_tax_although_the_product_has_one(odoo: Odoo) -> None:
    assert loaded(odoo, "1", Sold(taxes="")).lines[0].taxes == ()
    rows = [[f"{MODULE}.so_2", f"{MODULE}.{BUYER}", "MUG"]]
    odoo.act("sale.order", "load", ["id", "partner_id/id", "order_line/product_id"], rows)
    assert odoo.orders[1].lines[0].taxes == ("tallystick_demo.tax_19_excluded",)


def test_an_empty_cell_empties_its_field(odoo: Odoo) -> None:
    loaded(odoo, origin="Web", note="Ring twice")
    order = loaded(odoo, origin="", note="Ring <b>twice</b> & wait <blink>")
    assert order.origin == ""
    assert order.row["note"] == "<p>Ring <b>twice</b> &amp; wait </p>"


def test_a_deleted_order_is_made_anew_and_its_lines_too(odoo: Odoo) -> None:
    first = loaded(odoo, "1", Sold(), Sold("DESK")).id
    odoo.act("sale.order", "unlink", [first])
    assert odoo.orders == []
    again = loaded(odoo, "1", Sold(), Sold("DESK"))
    assert again.id != first
    assert [line.product for line in again.lines] == ["MUG", "DESK"]
    assert [entry.what for entry in odoo.journal.entries] == ["created", "deleted", "created"]


def test_confirmed_orders_are_changed_all_the_same(odoo: Odoo) -> None:
    order = loaded(odoo)
    odoo.act("sale.order", "action_confirm", [order.id])
    loaded(odoo, "1", Sold(quantity="5"))
    assert (order.state, str(order.lines[0].quantity)) == ("sale", "5.00")


def test_moments_are_read_in_the_users_zone_unless_the_context_names_one(odoo: Odoo) -> None:
    """Brussels is an hour ahead in winter: a load that forgets the zone books orders of midnight to another day."""
    loaded(odoo)
    rows = [[f"{MODULE}.so_1", "2026-11-20 00:15:00"]]
    odoo.act("sale.order", "load", ["id", "date_order"], rows)
    assert odoo.orders[0].date_order.isoformat() == "2026-11-19T23:15:00"
    odoo.act("sale.order", "load", ["id", "date_order"], rows, context={"tz": "UTC"})
    assert odoo.orders[0].date_order.isoformat() == "2026-11-20T00:15:00"
    answer = odoo.act("sale.order", "load", ["id", "date_order"], [[f"{MODULE}.so_1", "2026-11-20T00:15:00Z"]])
    assert "does not seem to be a valid datetime" in answer["messages"][0]["message"]


@pytest.mark.parametrize(
    ("field", "cell", "says"),
    [
        ("is_company", "perhaps", "Unknown value 'perhaps' for boolean field 'Is a Company'"),
        ("customer_rank", "first", "'first' does not seem to be an integer for field 'Customer Rank'"),
        ("type", "castle", "Value 'castle' not found in selection field 'Address Type'"),
        ("country_id/id", "base.xx", "No matching record found for external id 'base.xx' in field 'Country'"),
    ],
)
def test_cells_that_do_not_fit(odoo: Odoo, field: str, cell: str, says: str) -> None:
    answer = odoo.act("res.partner", "load", ["id", "name", field], [[f"{MODULE}.p1", "Bea", cell]])
    assert answer["ids"] is False
    assert answer["messages"][0]["message"] == says


def test_a_partner_with_everything(odoo: Odoo) -> None:
    fields = ["id", "name", "is_company", "country_id/id", "state_id/id", "type", "vat", "customer_rank"]
    row: list[Any] = [f"{MODULE}.p1", "Bea Ltd", "1", "base.us", "base.state_us_ny", "Contact", "", "3"]
    assert odoo.act("res.partner", "load", fields, [row])["messages"] == []
    read = odoo.act("res.partner", "read", [odoo.id_of(f"{MODULE}.p1")], [*(f.split("/")[0] for f in fields[1:])])[0]
    assert read["country_id"][1] == "United States"
    assert read["state_id"][1] == "New York"
    assert (read["is_company"], read["type"], read["vat"], read["customer_rank"]) == (True, "contact", False, 3)


def test_a_column_that_this_version_does_not_have(odoo_16: Odoo, odoo_19: Odoo) -> None:
    """`tax_id` became `tax_ids`: the old name is an exception, not a message."""
    with pytest.raises(OdooError, match="tax_ids") as raised:
        odoo_16.act("sale.order", "load", ["id", "order_line/tax_ids/id"], [])
    assert raised.value.name == "builtins.KeyError"
    with pytest.raises(OdooError, match="Invalid field name 'tax_id'") as raised:
        odoo_19.act("sale.order", "load", ["id", "order_line/tax_id/id"], [])
    assert raised.value.name == "builtins.ValueError"
