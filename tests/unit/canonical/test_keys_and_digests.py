"""Names split one way, and equal content has one digest in every process."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.canonical import keys
from tallystick.canonical.digest import digest
from tallystick.errors import Unreadable
from tallystick.v1 import customer_pb2, order_pb2
from tests.strategies import STEADY

_FIELDS = [f"field-{n}" for n in range(20)]


@STEADY
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=4))
def test_a_key_gives_back_its_parts_and_holds_no_space(parts: list[str]) -> None:
    key = keys.key(*parts)
    assert keys.parts(key) == tuple(parts)
    assert key.isascii()
    assert not any(character.isspace() for character in key)


def test_ids_with_slashes_do_not_meet() -> None:
    assert keys.order_key("a", "b/c") != keys.key("a", "b", "c")
    assert keys.inventory_key("odoo", "WH/Stock", "M 1") == "odoo/WH%2FStock/M%201"


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(Unreadable, match="empty"):
        keys.order_key("woocommerce", "")


@pytest.mark.parametrize(
    "email", ["Anna@Example.com", " anna@example.com\n", "ANNA@EXAMPLE.COM", "ａｎｎａ@example.com"]
)
def test_fc_011_every_spelling_of_one_mailbox_is_one_guest(email: str) -> None:
    assert keys.guest_key("shop", email) == keys.guest_key("shop", "anna@example.com")


def test_a_guest_is_one_per_store_and_shows_no_address() -> None:
    assert keys.guest_key("shop", "anna@example.com") != keys.guest_key("other", "anna@example.com")
    assert "anna" not in keys.guest_key("shop", "anna@example.com")
    assert keys.guest_key("shop", "  ") == ""


def _order(names: list[str]) -> order_pb2.Order:
    return order_pb2.Order(id="1", attributes={name: name for name in names})


def test_the_order_of_insertion_does_not_matter() -> None:
    assert digest(_order(_FIELDS)) == digest(_order(_FIELDS[::-1]))
    assert digest(_order(_FIELDS)) != digest(_order(_FIELDS[:-1]))


def test_messages_of_two_types_never_share_a_digest() -> None:
    assert digest(order_pb2.Order()) != digest(customer_pb2.Customer())


def test_another_process_with_another_hash_seed_finds_the_same_digest() -> None:
    code = (
        "from tallystick.canonical.digest import digest; from tallystick.v1 import order_pb2;"
        f"print(digest(order_pb2.Order(id='1', attributes={{n: n for n in {_FIELDS}}})))"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True)
        for seed in ("1", "2")
    ]
    assert {run.stdout.decode().strip() for run in runs} == {digest(_order(_FIELDS))}
