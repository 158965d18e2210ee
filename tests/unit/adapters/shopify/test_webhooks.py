"""Signatures, hints and what a delivery's body can be used for."""

import json

import pytest

from adapters.shopify.webhooks import ShopifyWebhooks
from simulators.shopify import Cart
from tallystick.errors import Unreadable
from tallystick.ports import NeedsRead, NotOurs, Reading
from tallystick.secrets import Secret
from tests.unit.adapters.shopify.shops import CARTS, CONNECTION, MUG, D, headers, settings, shop_of

WEBHOOKS = ShopifyWebhooks(CONNECTION, settings())
#: Computed with openssl over exactly these bytes; the id does not fit a double.
BODY = b'{"id":820982911946154508,"name":"#9999","updated_at":"2026-11-20T10:15:42+07:00"}'
SIGNATURE = "8ovt0V94Kzecob8H2IIMDKFREBtTtAfFcToedfWXBp8="


def test_signature_vector() -> None:
    given = headers("orders/create", BODY) | {"x-shopify-hmac-sha256": SIGNATURE}
    assert WEBHOOKS.verify(given, BODY)


def test_one_flipped_byte_anywhere_is_refused() -> None:
    """FC-102: forged."""
    given = headers("orders/create", BODY)
    for at in range(len(BODY)):
        forged = BODY[:at] + bytes([BODY[at] ^ 1]) + BODY[at + 1 :]
        assert not WEBHOOKS.verify(given, forged)


@pytest.mark.parametrize("change", [{"x-shopify-hmac-sha256": ""}, {"x-shopify-hmac-sha256": "é\udc80"}])
def test_unsigned_is_refused(change: dict[str, str]) -> None:
    """FC-102: unsigned, and a signature that is no base64."""
    assert not WEBHOOKS.verify(headers("orders/create", BODY) | change, BODY)


def test_no_signature_header_is_refused() -> None:
    """FC-102."""
    given = headers("orders/create", BODY)
    del given["x-shopify-hmac-sha256"]
    assert not WEBHOOKS.verify(given, BODY)


def test_another_shop_is_refused() -> None:
    """FC-102: the secret of another app, and another shop of the same app, whose secret is the same."""
    assert not WEBHOOKS.verify(headers("orders/create", BODY, secret="other"), BODY)
    elsewhere = {"x-shopify-shop-domain": "other.myshopify.com"}
    assert not WEBHOOKS.verify(headers("orders/create", BODY) | elsewhere, BODY)


def test_old_and_new_secret_during_a_rotation() -> None:
    rotating = ShopifyWebhooks(CONNECTION, settings(webhook_secrets=(Secret.of("new"), Secret.of("old"))))
    assert rotating.verify(headers("orders/create", BODY, secret="new"), BODY)
    assert rotating.verify(headers("orders/create", BODY, secret="old"), BODY)
    assert not rotating.verify(headers("orders/create", BODY, secret="older"), BODY)


def test_signature_is_over_the_raw_bytes() -> None:
    """FC-101: U+2028, accents and escaped slashes would not survive a second serialisation."""
    raw = '{"id": 1,  "note":"ê \u2028 \\/ \\u00e2"}'.encode()
    assert raw != json.dumps(json.loads(raw)).encode()
    assert WEBHOOKS.verify(headers("orders/create", raw), raw)


@pytest.mark.parametrize(
    ("topic", "body", "expected"),
    [
        ("orders/create", BODY, "820982911946154508"),
        ("orders/updated", b'{"note":"x","id":9007199254740993}', "9007199254740993"),
        ("orders/delete", b'{"id":42}', "42"),
        ("refunds/create", b'{"id":7,"order_id":9007199254740993}', "9007199254740993"),
        ("order_transactions/create", b'{"id":7,"order_id":5}', "5"),
        ("orders/edited", b'{"order_edit":{"id":7,"order_id":6}}', "6"),
        ("orders/edited", b'{"order_edit":[1]}', ""),
        ("orders/create", b"<html>", ""),
        ("orders/create", b"[1]", ""),
        ("orders/create", b'{"id":null}', ""),
        ("orders/create", b'{"id":123456789012345678901234567890.5}', ""),
        ("orders/create", b"", ""),
        ("orders/create", b"\xff\xfe", ""),
    ],
)
def test_hint_reads_the_order_of_each_topic(topic: str, body: bytes, expected: str) -> None:
    """Ids beyond 2^53 stay as they are, and an odd body is no reason to raise at the edge."""
    hint = WEBHOOKS.hint(headers(topic, body), body)
    assert (hint.topic, hint.object_id) == (topic, expected)
    assert hint.delivery_id == "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"
    assert not hint.ping


def test_a_test_notification_of_the_admin_is_a_ping() -> None:
    assert WEBHOOKS.hint(headers("orders/create", BODY, **{"x-shopify-test": "true"}), BODY).ping


def _read(topic: str, body: object) -> Reading | NeedsRead | NotOurs:
    raw = json.dumps(body).encode()
    return WEBHOOKS.reading(headers(topic, raw), raw)


def test_a_whole_body_is_a_reading() -> None:
    shop, order = shop_of(CARTS["plain"])
    for topic in ("orders/create", "orders/updated", "orders/paid", "orders/cancelled"):
        reading = _read(topic, shop.body(order))
        assert isinstance(reading, Reading)
        assert reading.object_id == str(order.id)
        assert reading.source_modified == order.updated_at
        assert not reading.findings


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("orders/delete", {"id": 5}),
        ("refunds/create", {"id": 9, "order_id": 5}),
        ("order_transactions/create", {"id": 9, "order_id": 5}),
        ("orders/edited", {"order_edit": {"id": 9, "order_id": 5}}),
        ("orders/updated", {"id": 5, "updated_at": "2026-11-20T10:15:42+07:00"}),
        ("orders/updated", {"id": 5, "currency": "EUR", "total_price": "-", "line_items": [], "taxes_included": True}),
    ],
)
def test_thin_bodies_lead_to_a_read_of_the_order(topic: str, body: object) -> None:
    answer = _read(topic, body)
    assert isinstance(answer, NeedsRead)
    assert answer.object_id == "5"


@pytest.mark.parametrize("kind", ["company", "partly paid by gift card"])
def test_what_a_body_cannot_show_is_read(kind: str) -> None:
    """A body names a company by its id, and does not tell what a gift card paid."""
    shop, order = shop_of(CARTS[kind])
    assert isinstance(_read("orders/create", shop.body(order)), NeedsRead)


def test_a_refund_in_the_buyers_currency_is_read() -> None:
    """FC-034: the body states what went back in the buyer's money only."""
    shop, order = shop_of(Cart([MUG], currency="USD", presentment=("EUR", D("0.91"))))
    assert isinstance(_read("orders/updated", shop.body(order)), Reading)
    shop.refund(order.id, {order.lines[0].id: 1})
    assert isinstance(_read("orders/updated", shop.body(order)), NeedsRead)


@pytest.mark.parametrize(
    "topic", ["inventory_levels/update", "app/uninstalled", "reverse_deliveries/attach_deliverable", ""]
)
def test_other_topics_are_not_ours(topic: str) -> None:
    assert isinstance(_read(topic, {"id": 5}), NotOurs)


@pytest.mark.parametrize("raw", [b"<html>", b"", b'{"id": 5', b"[]", b"[" * 100_000, b"{}"])
def test_no_json_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        WEBHOOKS.reading(headers("orders/create", raw), raw)
