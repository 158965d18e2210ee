"""`tallystick preview` as it is typed: documents, proofs, refusals; no network, no secrets."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulators.shopify import Cart
from simulators.shopify import Shop as ShopifyShop
from simulators.woocommerce import Item, Rate, Shop, ShopSettings
from simulators.woocommerce.shape import encode
from tests.shared import shared
from tests.unit.adapters.shopify.shops import MUG, TEA
from tests.unit.adapters.shopify.test_translate import plain
from tests.unit.cli.terminal import tallystick

KEYS = {"canonical", "document", "balance", "unresolved", "held", "parts"}


@pytest.fixture
def shop() -> Shop:
    """A shop that sells mugs with 19 % tax included."""
    shop = Shop(ShopSettings(rates=(Rate(1, Decimal(19), "VAT 19"),)))
    shop.add_product("MUG-01", "12.90", "Mug")
    return shop


@pytest.fixture
def payload(tmp_path: Path) -> Callable[[Any], str]:
    """Writes a payload and answers where."""

    def write(content: Any) -> str:
        path = tmp_path / "payload.json"
        path.write_bytes(content if isinstance(content, bytes) else encode(content))
        return str(path)

    return write


def test_an_order_of_the_api_balances(shop: Shop, payload: Callable[[Any], str]) -> None:
    order = shop.place_order([Item("MUG-01", 2)])
    answer = tallystick("preview", "--store", "woocommerce", "--payload", payload(shop.shown(order)), "--json")
    assert answer.code == 0, answer.err
    assert set(answer.json) == KEYS
    total = f"{order.sums.total:.2f}"
    assert answer.json["balance"] == {
        "store_total": total,
        "document_total": total,
        "difference": "0.00",
        "currency": "EUR",
    }
    assert [line["product"] for line in answer.json["document"]["lines"]] == ["MUG-01"]
    assert {item["kind"] for item in answer.json["unresolved"]} == {"product", "customer"}
    assert answer.json["held"] is None


def test_a_list_of_one_and_standard_input_are_as_good(shop: Shop) -> None:
    shown = shop.shown(shop.place_order([Item("MUG-01", 1)]))
    one = tallystick("preview", "--store", "woocommerce", "--payload", "-", "--json", stdin=encode(shown))
    listed = tallystick("preview", "--store", "woocommerce", "--payload", "-", "--json", stdin=encode([shown]))
    assert (one.code, listed.json) == (0, one.json)


async def test_a_webhooks_body_is_as_good(shop: Shop, payload: Callable[[Any], str]) -> None:
    await shop.subscribe("http://127.0.0.1:1/", "secret", ("order.created",))
    order = shop.place_order([Item("MUG-01", 3)])
    delivery = next(one for one in shop.pending_deliveries() if one.topic == "order.created")
    answer = tallystick("preview", "--store", "woocommerce", "--payload", payload(shop.take(delivery).body), "--json")
    assert (answer.code, answer.json["canonical"]["id"]) == (0, str(order.id))


def test_money_that_does_not_add_up_is_held(shop: Shop, payload: Callable[[Any], str]) -> None:
    shown = shop.shown(shop.place_order([Item("MUG-01", 2)])) | {"total": "99.00"}
    answer = tallystick("preview", "--store", "woocommerce", "--payload", payload(shown), "--json")
    assert (answer.code, answer.json["held"]["reason"]) == (3, "UNBALANCED")
    assert answer.json["balance"]["store_total"] == "99.00"


def test_an_order_that_is_not_placed_is_not_eligible(shop: Shop, payload: Callable[[Any], str]) -> None:
    shown = shop.shown(shop.place_order([Item("MUG-01", 1)], status="pending"))
    answer = tallystick("preview", "--store", "woocommerce", "--payload", payload(shown), "--json")
    assert (answer.code, answer.json["held"]["reason"]) == (3, "PENDING_PAYMENT")


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"', b'{"code": "rest_error"}', b"\xff\xfe"])
@pytest.mark.parametrize("store", ["woocommerce", "shopify"])
def test_what_cannot_be_read_is_said_in_one_sentence(store: str, content: bytes, payload: Callable[[Any], str]) -> None:
    answer = tallystick("preview", "--store", store, "--payload", payload(content), "--json")
    assert (answer.code, set(answer.json)) == (2, {"error"})
    assert answer.err.startswith("error: ")
    assert "Traceback" not in answer.err


def test_people_read_the_same_in_words(shop: Shop, payload: Callable[[Any], str]) -> None:
    order = shop.place_order([Item("MUG-01", 2)])
    answer = tallystick("preview", "--store", "woocommerce", "--payload", payload(shop.shown(order)))
    assert answer.code == 0
    assert f"Order {order.id}" in answer.out
    assert "MUG-01\tMug\t2" in answer.out
    assert "difference 0.00 EUR" in answer.out
    assert "It balances" in answer.out


def test_an_unknown_store_is_answered_with_those_that_are_there(payload: Callable[[Any], str]) -> None:
    answer = tallystick("preview", "--store", "shop", "--payload", payload({}))
    assert answer.code == 2
    assert "shopify -> odoo, woocommerce -> odoo" in answer.err


def test_a_payload_that_is_not_there(tmp_path: Path) -> None:
    answer = tallystick("preview", "--store", "shopify", "--payload", str(tmp_path / "none.json"))
    assert answer.code == 2
    assert "No such file" in answer.err


def test_a_list_of_one_of_shopify() -> None:
    """Samples of the vendor: a page of one, and the order alone in brackets."""
    sample = json.loads(shared("vendors/shopify/samples/rest-order-discount-code-usd.json").read_bytes())
    order = sample.get("order", sample)
    alone, listed = (
        tallystick("preview", "--store", "shopify", "--payload", "-", "--json", stdin=json.dumps(form).encode())
        for form in (order, [order])
    )
    assert (alone.code, listed.json) == (0, alone.json)
    assert alone.json["balance"]["difference"] == "0.00"


def test_the_refunds_of_a_shopify_order_are_shown_with_it(payload: Callable[[Any], str]) -> None:
    shop = ShopifyShop()
    sold = shop.place_order(Cart([MUG, TEA], currency="EUR"))
    back = shop.refund(sold.id, {sold.lines[0].id: 1}, restock_type="no_restock")
    arguments = ("preview", "--store", "shopify", "--payload", payload(json.dumps(shop.body(sold)).encode()))
    answer = tallystick(*arguments, "--json")
    assert answer.code == 0, answer.err
    (part,) = answer.json["parts"]
    assert (part["id"], part["held"], part["balance"]["difference"]) == (str(back.id), None, "0.00")
    assert f"Refund {back.id}" in tallystick(*arguments).out


def test_the_returns_of_a_shopify_order_are_shown_with_it(payload: Callable[[Any], str]) -> None:
    """One that is approved, one that nobody has agreed to, and one of whose goods nothing is said."""
    shop = ShopifyShop()
    sold = shop.place_order(Cart([MUG, TEA], currency="EUR"))
    shop.dispatch.ship(sold.id, {line.id: line.item.quantity for line in sold.lines})
    shop.counter.open(sold.id, {sold.lines[0].id: 2})
    shop.counter.request(sold.id, {sold.lines[1].id: 1})
    shop.counter.close(shop.counter.open(sold.id, {sold.lines[1].id: 1}))
    arguments = ("preview", "--store", "shopify", "--payload", payload(json.dumps(plain(shop.node(sold))).encode()))
    answer = tallystick(*arguments, "--json")
    assert answer.code == 3, answer.err
    approved, asked, closed = answer.json["parts"]
    assert [(line["product"], line["quantity"]) for line in approved["document"]["lines"]] == [("MUG", "2")]
    assert (approved["held"], asked["document"], closed["document"]) == (None, None, None)
    assert (asked["not_eligible"]["reason"], closed["held"]["reason"]) == ("RETURN_PENDING", "MAPPING")
    said = tallystick(*arguments).out
    assert f"Return #{sold.number}-R1 · open" in said
    assert "Nothing would be announced: RETURN_PENDING" in said
