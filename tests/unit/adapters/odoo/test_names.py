"""External IDs: readable, without a dot, and never the same for two things."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.odoo.names import customer_name, external_id, line_name, line_of, order_name, order_of
from tallystick.canonical.keys import order_key

PARTS = st.text(st.sampled_from("a1-_./%é Z"), min_size=1, max_size=90)


def test_they_can_be_read() -> None:
    ref = order_key("woocommerce", "1042")
    assert external_id(order_name("odoo", ref)) == "__tallystick__.order__odoo__woocommerce__1042"
    assert line_name("odoo", ref, "shipping-9") == "line__odoo__woocommerce__1042__shipping-9"
    assert customer_name("odoo", "customer/woocommerce/77") == "customer__odoo__customer__woocommerce__77"


@given(st.tuples(PARTS, PARTS, PARTS), st.tuples(PARTS, PARTS, PARTS))
def test_two_lines_never_share_a_name(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    first, second = (line_name("odoo", order_key(shop, order), key) for shop, order, key in (one, other))
    assert (first == second) == (one == other)
    for name in (first, second):
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,160}", name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (order_name("odoo", "shop/1"), line_name("odoo", "shop", "1")),
        (line_name("odoo", "shop/1", "2"), line_name("odoo", "shop/1/2", "2")),
        (order_name("odoo", "a__b/1"), order_name("odoo", "a/b/1")),
        (order_name("a", "b/1"), order_name("a/b", "1")),
        (order_name("odoo", "shop/" + "9" * 200), order_name("odoo", "shop/" + "9" * 201)),
    ],
)
def test_neighbours_are_told_apart(one: str, other: str) -> None:
    assert one != other


@given(PARTS, PARTS, PARTS, PARTS)
def test_a_name_tells_what_it_was_made_of(connection: str, shop: str, order: str, key: str) -> None:
    """Or nothing, when it had to be shortened; and nobody else's name is taken for one of ours."""
    name, line = (order_name(connection, order_key(shop, order)), line_name(connection, order_key(shop, order), key))
    assert order_of(connection, name) == (None if "_z" in name else (shop, order))
    assert line_of(connection, line) == (None if "_z" in line else key)
    for other in (order_of(connection, line), line_of(connection, name), order_of(f"{connection}2", name)):
        assert other is None


@pytest.mark.parametrize("name", ["", "order", "order__odoo", "order__odoo__shop", "order__odoo__a__b__c", "so_1"])
def test_names_that_are_none_of_ours(name: str) -> None:
    assert order_of("odoo", name) is None
    assert line_of("odoo", name) is None
