"""Deliveries: whose they are, which order they are about, and what they say."""

import base64
import hashlib
import hmac
import json

import pytest

from adapters.woocommerce import KIND
from adapters.woocommerce.adapter import WooCommerce
from adapters.woocommerce.settings import WooCommerceSettings
from tallystick.clock import SystemClock
from tallystick.errors import Unreadable
from tallystick.ports import NeedsRead, NotOurs, Reading, WebhookSource
from tallystick.secrets import Secret
from tallystick.v1 import event_pb2
from tests.unit.adapters.woocommerce import recorded, written

_GONE = b'{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}'


def shop(*secrets: str, trust_bodies: bool = True) -> WooCommerce:
    settings = WooCommerceSettings(
        url="https://shop.example",
        consumer_key=Secret.of("ck_x"),
        consumer_secret=Secret.of("cs_x"),
        webhook_secrets=tuple(Secret.of(secret) for secret in secrets or (recorded.SECRET,)),
        trust_bodies=trust_bodies,
    )
    return WooCommerce("woocommerce", settings, SystemClock())


def headers(topic: str, raw: bytes = b"", secret: str = recorded.SECRET) -> dict[str, str]:
    signature = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    return {
        "x-wc-webhook-topic": topic,
        "x-wc-webhook-delivery-id": "7db2322a944fa93f44825426e3da5355",
        "x-wc-webhook-signature": signature,
    }


def test_the_kind() -> None:
    assert (KIND.name, KIND.side) == ("woocommerce", "store")
    assert isinstance(shop(), WebhookSource)


def test_signature_vector() -> None:
    body = b'{"id":727,"status":"processing","date_modified_gmt":"2026-11-20T03:15:42"}'
    signed = {"x-wc-webhook-signature": "da4+1Hjd9fB5GHj3XuoA3Yy/i0ABdmp9z7EQDUpDPs4="}
    assert shop("whs-secret-1").verify(signed, body)
    assert not shop("whs-secret-1").verify(signed, body + b" ")


@pytest.mark.parametrize("run", recorded.RUNS)
def test_every_recorded_delivery_is_verified_over_its_bytes(run: str) -> None:
    """FC-101: bodies with escaped slashes and letters beyond ASCII; re-serialised they would not match.

    FC-127: the webhook for changed coupons was made without a secret, so the shop made one up that nobody knows.
    """
    source, signed = shop(), 0
    for delivery in recorded.deliveries(run):
        hint = source.hint(delivery.headers, delivery.raw)
        assert hint.ping == (not delivery.topic), delivery.name
        if not hint.ping:
            ours = delivery.topic != "coupon.updated"
            assert source.verify(delivery.headers, delivery.raw) == ours, delivery.name
            signed += ours
    assert signed > 100


def test_unusual_letters_in_the_body() -> None:
    """FC-101: line separators and raw letters inside the JSON."""
    body = json.dumps(written.order(customer_note="a\u2028b ê â / \\"), ensure_ascii=False, default=str).encode()
    assert shop().verify(headers("order.updated", body), body)
    found = shop().reading(headers("order.updated", body), body)
    assert isinstance(found, Reading)
    assert found.order is not None
    assert found.order.note == "a\u2028b ê â / \\"


def test_forged_unsigned_and_foreign_deliveries_are_refused() -> None:
    """FC-102: a wrong secret, the right secret of another shop, none at all, nonsense."""
    body = b'{"id":19}'
    assert not shop("ours").verify(headers("order.updated", body, "theirs"), body)
    assert not shop("ours").verify({}, body)
    assert not shop("ours").verify({"x-wc-webhook-signature": "ünsinn"}, body)
    assert not shop("ours").verify({"x-wc-webhook-signature": ""}, body)


def test_two_secrets_are_active_while_one_is_changed() -> None:
    body = b'{"id":19}'
    for secret in ("old", "new"):
        assert shop("old", "new").verify(headers("order.updated", body, secret), body)


def test_the_shop_decodes_entities_in_a_secret_before_it_signs() -> None:
    body = b'{"id":19}'
    assert shop("a&amp;b").verify(headers("order.updated", body, "a&b"), body)


def test_a_ping_is_a_form_without_a_topic() -> None:
    assert shop().hint({"content-type": "application/x-www-form-urlencoded"}, b"webhook_id=12").ping
    assert not shop().hint({}, b"webhook_id=12&x=1").ping
    assert not shop().hint(headers("order.updated"), b"webhook_id=12").ping


@pytest.mark.parametrize(
    ("topic", "body", "expected"),
    [
        ("order.updated", b'{"id":19,"status":"processing"}', "19"),
        ("order.deleted", b'{"id":19}', "19"),
        ("order.updated", b' { "id" : "19" , "x":1}', "19"),
        ("order.updated", b'{"status":"processing","id":19}', "19"),
        ("order.updated", _GONE, ""),
        ("order.updated", b"<html>", ""),
        ("order.updated", b"", ""),
        ("order.updated", b"[1]", ""),
        ("order.updated", b'{"id":0}', ""),
        ("order.updated", b"\xff\xfe", ""),
        ("product.updated", b'{"id":19}', "product-19"),
    ],
)
def test_the_hint_reads_one_id_and_never_raises(topic: str, body: bytes, expected: str) -> None:
    found = shop().hint(headers(topic), body)
    assert (found.topic, found.object_id, found.ping) == (topic, expected, False)
    assert found.delivery_id == "7db2322a944fa93f44825426e3da5355"


def test_an_error_object_is_neither_an_order_nor_quarantined() -> None:
    """FC-116: the order was gone before the shop's queue ran; the body names none, so there is nothing to read."""
    found = shop().reading(headers("order.updated", _GONE), _GONE)
    assert isinstance(found, NotOurs)
    assert "names no order" in found.why


def test_thin_bodies_and_deletions_are_read_again() -> None:
    for topic, body in (("order.deleted", b'{"id":24}'), ("order.updated", b'{"id":24,"status":"trash"}')):
        found = shop().reading(headers(topic, body), body)
        assert isinstance(found, NeedsRead)
        assert found.object_id == "24"


def test_other_topics_are_not_ours() -> None:
    """On the old storage the trash of an order also sends `product.deleted` with the order's id."""
    for topic in ("product.deleted", "coupon.created", ""):
        assert isinstance(shop().reading(headers(topic), b'{"id":24}'), NotOurs)


def test_bytes_that_are_no_json() -> None:
    with pytest.raises(Unreadable):
        shop().reading(headers("order.updated"), b"<html>")


def test_a_shop_whose_bodies_show_the_state_before_the_change() -> None:
    """FC-100: there every delivery is only a hint."""
    body = json.dumps(written.order(), default=str).encode()
    found = shop(trust_bodies=False).reading(headers("order.updated", body), body)
    assert isinstance(found, NeedsRead)
    assert isinstance(shop().reading(headers("order.updated", body), body), Reading)


def test_a_body_with_refunds_is_read_again() -> None:
    """It shows their ids and totals only; which pieces went back is listed apart."""
    body = json.dumps(written.order(refunds=[{"id": 30, "total": "-2.00"}]), default=str).encode()
    assert isinstance(shop().reading(headers("order.updated", body), body), NeedsRead)


@pytest.mark.parametrize("run", recorded.RUNS)
def test_every_recorded_delivery_is_read(run: str) -> None:
    source, kinds = shop(), {Reading: 0, NeedsRead: 0, NotOurs: 0}
    for delivery in recorded.deliveries(run):
        if delivery.topic:
            found = source.reading(delivery.headers, delivery.raw)
            kinds[type(found)] += 1
            if not isinstance(found, NotOurs):
                kind = "customer-" if found.type == event_pb2.ENTITY_TYPE_CUSTOMER else ""
                assert source.hint(delivery.headers, delivery.raw).object_id == f"{kind}{found.object_id}"
    # Three are thin, twelve are of orders with refunds.
    assert kinds[NeedsRead] == 15
    assert min(kinds.values()) > 0
