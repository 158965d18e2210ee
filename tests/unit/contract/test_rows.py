"""Field rows: every source path, constants, tables, and what is done when there is no value."""

from typing import Any

import pytest

from tallystick.contract.paths import PathError, compile_path
from tallystick.reasons import HoldReason
from tallystick.v1 import order_pb2
from tests.unit.contract.written import booked, contract, held, order

_SOLD = order(
    {"amount": {"gross": "10.00", "net": "10.00"}},
    number="1042",
    payment_state="authorised",
    shipping={"city": "Bangkok"},
    attributes={"vat_number": "TH1", "_billing.vat": "x"},
    tags=["a", "b"],
    payments=[{"gateway": "card"}, {"gateway": "gift"}],
    customer={"id": "7", "company": {"credit_limit": "500.00"}},
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("number", "1042"),
        ("shipping.city", "Bangkok"),
        ("shipping.region", None),
        ("attributes.vat_number", "TH1"),
        ("attributes._billing.vat", "x"),
        ("attributes.none", None),
        ("tags", "a, b"),
        ("payments.first.gateway", "card"),
        ("payments.last.gateway", "gift"),
        ("refund_ids", None),
        ("fees.first.title", None),
        ("payment_state", "authorised"),
        ("placed_at", "2026-11-20T12:00:00Z"),
        ("paid_at", None),
        ("totals.total", 10),
        ("totals.tips", None),
        ("customer.company.credit_limit", 500),
        ("test", False),
    ],
)
def test_a_path_gives_its_value_and_nothing_where_nothing_is_set(path: str, value: object) -> None:
    assert compile_path(order_pb2.Order.DESCRIPTOR, path).get(_SOLD) == value


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("numbre", "did you mean 'number'?"),
        ("shipping", "'shipping' is a group; allowed are city"),
        ("payments.gateway", "write payments.first or payments.last"),
        ("payments.first", "is a group"),
        ("number.first", "goes on after a single value"),
        ("placed_at.year", "goes on after a single value"),
        ("attributes", "write attributes.<name of the field>"),
        ("", "has no ''"),
    ],
)
def test_a_path_that_is_not_there_is_refused(path: str, told: str) -> None:
    with pytest.raises(PathError) as caught:
        compile_path(order_pb2.Order.DESCRIPTOR, path)
    assert told in str(caught.value)


def test_personal_fields_are_known_at_every_depth() -> None:
    paths = {text: compile_path(order_pb2.Order.DESCRIPTOR, text).personal for text in _PERSONAL}
    assert paths == _PERSONAL


_PERSONAL = {"note": True, "shipping.city": True, "customer.email": True, "attributes.x": True, "channel": False}


def _fields(*header: dict[str, Any], **parts: Any) -> dict[str, Any]:
    document = booked(contract(header=list(header), **parts), _SOLD)
    return {name: value for name, value in document.fields.items() if name != "pricelist"}


def test_constants_paths_and_tables_fill_fields_and_an_empty_source_fills_none() -> None:
    tables = {"states": {"rows": {"authorised": 12}}, "any": {"rows": {}, "otherwise": {"use": 5}}}
    fields = _fields(
        {"to": "team", "value": 3},
        {"to": "ref", "from": "number"},
        {"to": "state", "from": "payment_state", "table": "states"},
        {"to": "other", "from": "number", "table": "any"},
        {"to": "none", "from": "fees.first.title", "table": "states"},
        tables=tables,
    )
    assert fields == {"team": 3, "ref": "1042", "state": 12, "other": 5}


def test_a_word_without_a_row_is_held_or_left_empty_as_the_table_says() -> None:
    row = {"to": "team", "from": "number", "table": "teams"}
    hold = held(contract(header=[row], tables={"teams": {"rows": {"web": 1}}}), _SOLD)
    assert (hold.reason, hold.detail) == (
        HoldReason.MAPPING,
        "team: '1042' has no row in table 'teams'; there are web",
    )
    assert _fields(row, tables={"teams": {"rows": {}, "otherwise": "empty"}}) == {}


def test_a_personal_value_never_stands_in_the_detail() -> None:
    row = {"to": "zone", "from": "shipping.city", "table": "zones"}
    hold = held(contract(header=[row], tables={"zones": {"rows": {}}}), _SOLD)
    assert "Bangkok" not in hold.detail


def test_a_required_field_without_a_value_is_held() -> None:
    hold = held(contract(header=[{"to": "po", "from": "purchase_order_number", "required": True}]), _SOLD)
    assert (hold.reason, hold.detail) == (
        HoldReason.MAPPING,
        "po is required, and the order has no purchase_order_number",
    )


def test_a_field_that_the_erp_owns_is_given_once() -> None:
    rules = contract(header=[{"to": "team", "value": 3, "owner": "erp"}, {"to": "ref", "from": "number"}])
    assert booked(rules, _SOLD).given_once == {"team"}


def test_lines_of_goods_have_fields_of_their_own() -> None:
    rules = contract(lines=[{"to": "x_store_line", "from": "id"}])
    sold = order({"id": "77", "amount": {"gross": "10.00", "net": "10.00"}}, totals={"tips": "1.00"})
    assert [line.fields for line in booked(rules, sold).lines] == [{"x_store_line": "77"}, {}]
