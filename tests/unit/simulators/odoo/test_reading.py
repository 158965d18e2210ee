"""Searching and reading: domains, moments with hidden microseconds, `false` for nothing, and no scans."""

from typing import Any

import pytest

from simulators.odoo import Odoo, OdooError, domains

from .orders import MODULE, Clock, Sold, load, loaded


def search(odoo: Odoo, model: str, *domain: Any, **named: Any) -> Any:
    return odoo.act(model, "search", list(domain), **named)


@pytest.fixture
def three(odoo: Odoo, clock: Clock) -> Odoo:
    """Orders 1 to 3, a minute apart; the second confirmed."""
    for key in ("1", "2", "3"):
        load(odoo, (key, [Sold(price=f"{key}0"), Sold("DESK", price="1", taxes="")]))
        clock.forward(60)
    odoo.act("sale.order", "action_confirm", [2])
    return odoo


@pytest.mark.parametrize(
    ("domain", "ids"),
    [
        ([], [2, 3, 1]),
        ([["state", "=", "draft"]], [3, 1]),
        ([["state", "!=", "draft"]], [2]),
        ([["id", "in", [1, 3, 99]]], [3, 1]),
        ([["id", "not in", [1, 3]]], [2]),
        ([["client_order_ref", "in", ["R-3", "R-1"]], ["state", "=", "draft"]], [3, 1]),
        (["|", ["client_order_ref", "=", "R-1"], ["state", "=", "sale"]], [2, 1]),
        (["!", ["client_order_ref", "=", "R-1"]], [2, 3]),
        (["&", "!", ["id", "=", 1], "|", ["id", "=", 1], ["id", "=", 2]], [2]),
        ([["amount_total", ">", 30], ["amount_total", "<=", 36.7]], [3]),
        ([["client_order_ref", "like", "r-"]], []),
        ([["client_order_ref", "ilike", "r-"]], [2, 3, 1]),
        ([["client_order_ref", "=like", "R_3"]], [3]),
        ([["client_order_ref", "not ilike", "3"]], [2, 1]),
        ([["origin", "=", False]], [2, 3, 1]),
        ([["origin", "!=", "Web"]], [2, 3, 1]),
        ([["origin", "=like", "W%"]], []),
        ([["partner_id.email", "=", "anna@mail.example"]], [2, 3, 1]),
        ([["partner_id.country_id.code", "=", "TH"]], []),
        ([["partner_id", "=", "Anna Example"], ["id", "<", 3]], [2, 1]),
        ([["order_line.product_id.default_code", "=", "DESK"]], [2, 3, 1]),
        ([["order_line", "in", [3]]], [2]),
        ([["delivery_status", "=", "pending"]], [2]),
        ([["date_order", "<", "2026-11-23 03:10:00"]], [1]),
    ],
)
def test_domains(three: Odoo, domain: list[Any], ids: list[int]) -> None:
    """In the order of sales orders: the newest date first, and a confirmation is the newest."""
    assert three.act("sale.order", "search", domain) == ids
    assert three.act("sale.order", "search_count", domain) == len(ids)


def test_pages_and_orders(three: Odoo) -> None:
    assert search(three, "sale.order", order="write_date, id") == [1, 3, 2]
    assert search(three, "sale.order", order="id desc", limit=2) == [3, 2]
    assert search(three, "sale.order", order="id desc", limit=2, offset=2) == [1]
    lines = search(three, "sale.order.line")
    assert lines == [3, 4, 5, 6, 1, 2]


def test_a_searched_moment_finds_the_same_record_again_in_16_only(odoo: Odoo, clock: Clock) -> None:
    """Microseconds are kept and not shown: `>` with what was read finds it in 16 and misses it in 19."""
    order = loaded(odoo)
    shown = odoo.act("sale.order", "read", [order.id], ["write_date"])[0]["write_date"]
    assert shown == clock().strftime("%Y-%m-%d %H:%M:%S")
    assert order.row["write_date"].microsecond
    again = search(odoo, "sale.order", ["write_date", ">", shown])
    assert again == ([order.id] if odoo.settings.major == 16 else [])
    assert search(odoo, "sale.order", ["write_date", ">=", shown]) == [order.id]


def test_write_date_moves_with_every_write_and_not_with_the_delivery(odoo: Odoo, clock: Clock) -> None:
    order = loaded(odoo)
    odoo.act("sale.order", "action_confirm", [order.id])
    before = order.row["write_date"]
    clock.forward()
    odoo.act("stock.picking", "write", [order.pickings[0].id], {"carrier_tracking_ref": "TH0123456789"})
    assert order.row["write_date"] == before
    odoo.act("sale.order", "write", [order.id], {"origin": "Web"})
    assert order.row["write_date"] == clock().replace(tzinfo=None)


def test_nothing_reads_as_false_and_a_relation_as_id_and_name(odoo: Odoo) -> None:
    order = loaded(odoo, "1", Sold(taxes=""))
    fields = ["origin", "commitment_date", "team_id", "currency_id", "amount_total", "order_line", "note"]
    assert odoo.act("sale.order", "read", [order.id], fields) == [
        {
            "id": order.id,
            "origin": False,
            "commitment_date": False,
            "team_id": False,
            "currency_id": [order.row["currency_id"], "EUR"],
            "amount_total": 10.0,
            "order_line": [order.lines[0].id],
            "note": False,
        }
    ]
    raw = odoo.act("sale.order", "read", [order.id], ["currency_id"], load=None)[0]
    assert raw["currency_id"] == order.row["currency_id"]


def test_reading_what_is_gone_answers_nothing_and_writing_it_is_an_error(odoo: Odoo) -> None:
    assert odoo.act("sale.order", "read", [999], ["name"]) == []
    with pytest.raises(OdooError, match=r"sale.order\(999,\)") as raised:
        odoo.act("sale.order", "write", [999], {"origin": "Web"})
    assert raised.value.name == "odoo.exceptions.MissingError"


def test_archived_records_are_found_on_request_only(odoo: Odoo) -> None:
    mug = search(odoo, "product.product", ["default_code", "=", "MUG"])
    assert odoo.act("product.product", "toggle_active", mug) is None
    assert search(odoo, "product.product", ["default_code", "=", "MUG"]) == []
    assert search(odoo, "product.product", ["default_code", "=", "MUG"], context={"active_test": False}) == mug
    assert search(odoo, "product.product", ["default_code", "=", "MUG"], ["active", "in", [True, False]]) == mug


def test_two_products_may_share_an_internal_reference(odoo: Odoo) -> None:
    odoo.add_product("MUG", "Another mug", "3")
    assert len(search(odoo, "product.product", ["default_code", "=", "MUG"])) == 2


def test_what_the_adapter_looks_up_is_never_a_scan(three: Odoo) -> None:
    """Ten thousand orders must cost the same as ten: the candidates come from an index."""
    order = three.orders[0]
    for model, domain in (
        ("sale.order", [["id", "in", [order.id]]]),
        ("sale.order", [["client_order_ref", "=", "R-1"]]),
        ("sale.order.line", [["order_id", "in", [order.id]], ["price_unit", "=", 10]]),
        ("ir.model.data", [["module", "=", MODULE], ["name", "in", ["so_1"]]]),
        ("product.product", [["default_code", "in", ["MUG"]]]),
        ("res.partner", [["email", "=", "anna@mail.example"]]),
    ):
        candidates = domains.compile_domain(three.db.models[model], domain).candidates
        assert candidates is not None, model
        assert 1 <= len(candidates) <= 2, model


def test_indexes_follow_changes_and_rollbacks(odoo: Odoo) -> None:
    loaded(odoo)
    assert search(odoo, "sale.order", ["client_order_ref", "=", "R-1"]) == [1]
    odoo.act("sale.order", "write", [1], {"client_order_ref": "X"})
    assert search(odoo, "sale.order", ["client_order_ref", "=", "R-1"]) == []
    with pytest.raises(OdooError):
        odoo.act("sale.order", "write", [1, 999], {"client_order_ref": "Y"})
    assert search(odoo, "sale.order", ["client_order_ref", "=", "X"]) == [1]
    assert search(odoo, "sale.order", ["client_order_ref", "=", "Y"]) == []


@pytest.mark.parametrize(
    ("model", "method", "arguments", "says"),
    [
        ("sale.order", "search", [[["nope", "=", 1]]], "Invalid field sale.order.nope in"),
        ("sale.order", "search", [[["partner_id.nope", "=", 1]]], "Invalid field res.partner.nope in"),
        ("sale.order", "search", [[["id", "~", 1]]], "Invalid operator '~'"),
        ("sale.order", "search", [["?"]], "Invalid domain term '?'"),
        ("sale.order", "read", [[1], ["nope"]], "Invalid field 'nope' on"),
        ("sale.order", "create", [{"tax_total": 1}], "Invalid field 'tax_total'"),
        ("sale.order", "search", [[["date_order", ">", "yesterday"]]], "does not match format"),
        ("res.partner", "create", [{"name": "Bea", "credit_limit": "much"}], "could not convert string to float"),
    ],
)
def test_wrong_questions(odoo: Odoo, model: str, method: str, arguments: list[Any], says: str) -> None:
    with pytest.raises(OdooError) as raised:
        odoo.act(model, method, *arguments)
    assert says in raised.value.message
    assert raised.value.name == "builtins.ValueError"


def test_a_wrong_number_of_arguments_is_an_error_of_the_server(odoo: Odoo) -> None:
    with pytest.raises(OdooError) as raised:
        odoo.act("sale.order", "write", [1])
    assert raised.value.name == "builtins.TypeError"


def test_parameters_and_the_caller(odoo: Odoo) -> None:
    uuid = odoo.settings.uuid
    found = odoo.act("ir.config_parameter", "search_read", [["key", "=", "database.uuid"]], ["value"])
    assert [row["value"] for row in found] == [uuid]
    assert odoo.act("ir.config_parameter", "get_param", "database.uuid") == uuid
    assert odoo.act("ir.config_parameter", "get_param", "nothing") is False
    assert odoo.act("res.users", "context_get") == {"lang": "en_US", "tz": "Europe/Brussels", "uid": 2}


def test_custom_fields(odoo: Odoo) -> None:
    odoo.add_field("sale.order", "x_mark", label="Mark")
    loaded(odoo, x_mark="r1")
    assert odoo.act("sale.order", "read", [1], ["x_mark"])[0]["x_mark"] == "r1"
    assert odoo.act("sale.order", "fields_get", ["x_mark"], ["type", "string"]) == {
        "x_mark": {"type": "char", "string": "Mark"}
    }


def test_names(odoo: Odoo) -> None:
    assert odoo.act("product.product", "name_search", "MUG")[0][1] == "[MUG] Mug"
    assert odoo.act("product.pricelist", "name_search", "thb")[0][1] == "THB store (THB)"
    company = odoo.act("res.partner", "create", {"name": "Nord GmbH", "is_company": True})
    person, nobody = odoo.act(
        "res.partner", "create", [{"name": "Bea", "parent_id": company}, {"type": "delivery", "parent_id": company}]
    )
    fields = ["display_name", "commercial_partner_id"]
    shown = odoo.act("res.partner", "read", [person, nobody], fields)
    address = "Delivery Address" if odoo.settings.major == 16 else "Delivery"
    assert [row["display_name"] for row in shown] == ["Nord GmbH, Bea", f"Nord GmbH, {address}"]
    assert shown[0]["commercial_partner_id"] == [company, "Nord GmbH"]
    line = loaded(odoo).lines[0]
    assert odoo.act("sale.order.line", "read", [line.id], ["display_name"])[0]["display_name"] == "S00001 - [MUG] Mug"


def test_credit_limits_switch_themselves_on(odoo: Odoo) -> None:
    partner = odoo.act("res.partner", "create", {"name": "Bea", "credit_limit": 500})
    found = odoo.act("res.partner", "read", [partner], ["credit_limit", "use_partner_credit_limit"])
    assert found == [{"id": partner, "credit_limit": 500.0, "use_partner_credit_limit": True}]


def test_contacts_require_a_name(odoo: Odoo) -> None:
    with pytest.raises(OdooError, match="Contacts require a name"):
        odoo.act("res.partner", "create", {"email": "bea@mail.example"})


def test_a_deleted_record_takes_its_external_id_along(odoo: Odoo) -> None:
    odoo.act("res.partner", "load", ["id", "name"], [["p1", "Bea"]])
    odoo.act("res.partner", "unlink", [odoo.id_of("__import__.p1")])
    with pytest.raises(LookupError):
        odoo.id_of("__import__.p1")
