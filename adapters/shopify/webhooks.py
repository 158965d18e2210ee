"""Signed deliveries of Shopify: whose they are, what they are about, and what they hold. Pure and without waiting."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping

import orjson

from adapters.shopify import buyer_webhooks
from adapters.shopify.buyer_webhooks import COMPANY_TOPICS, CUSTOMER_TOPICS, PRIVACY_TOPICS
from adapters.shopify.fields import Json, identifier, parse, part
from adapters.shopify.settings import RETURN_TOPICS, ShopifySettings
from adapters.shopify.translate import reading as canonical
from adapters.shopify.translate_rest import order_from_rest, unshown
from tallystick.errors import TallystickError, Unreadable
from tallystick.ports import Hint, NeedsRead, NotOurs, Reading
from tallystick.v1 import event_pb2

#: Topics whose body is an order; `orders/edited` holds the edit only.
ORDER_TOPICS = frozenset(
    f"orders/{name}"
    for name in ("create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled", "delete")
)
#: Topics about a part of an order, and where their body names the order.
PART_TOPICS: Mapping[str, tuple[str, ...]] = {
    "orders/edited": ("order_edit", "order_id"),
    "refunds/create": ("order_id",),
    "order_transactions/create": ("order_id",),
    "orders/risk_assessment_changed": ("order_id",),
    "payment_terms/create": ("order_id",),
    "payment_terms/update": ("order_id",),
    "payment_terms/delete": ("order_id",),
    **dict.fromkeys(RETURN_TOPICS, ("order", "id")),
}
_BUYER_TOPICS = frozenset((*CUSTOMER_TOPICS, *COMPANY_TOPICS, *PRIVACY_TOPICS))
#: Nearly every body begins with its id: then a body of megabytes need not be parsed at the edge.
_LEADING_ID = re.compile(rb'\s*\{\s*"id"\s*:\s*(\d+)\s*[,}]')


class ShopifyWebhooks:
    """The `WebhookSource` half of the adapter."""

    def __init__(self, connection: str, settings: ShopifySettings) -> None:
        self._connection = connection
        self._settings = settings

    def verify(self, headers: Mapping[str, str], raw: bytes) -> bool:
        """Whether one of the app's secrets signed these bytes, for this shop.

        An app that is installed in two shops signs both with one secret; so the shop's name is compared too.
        """
        given = headers.get("x-shopify-hmac-sha256", "").encode("utf-8", "surrogateescape")
        signed = [hmac.compare_digest(_signature(secret.reveal(), raw), given) for secret in self._settings.secrets]
        domain = headers.get("x-shopify-shop-domain", self._settings.domain)
        return any(signed) and domain.lower() == self._settings.domain

    def hint(self, headers: Mapping[str, str], raw: bytes) -> Hint:
        """Whom or what a delivery is about. A test notification of the admin is answered and not kept."""
        topic = headers.get("x-shopify-topic", "")
        delivery = headers.get("x-shopify-webhook-id", "") or headers.get("x-shopify-event-id", "")
        ping = headers.get("x-shopify-test", "").lower() == "true"
        return Hint(topic, _object_id(topic, raw), delivery, ping)

    def reading(self, headers: Mapping[str, str], raw: bytes) -> Reading | NeedsRead | NotOurs:
        """The canonical order of a body that shows all of it, else what to read. Raises `Unreadable` for no JSON."""
        topic = headers.get("x-shopify-topic", "")
        if topic in _BUYER_TOPICS:
            return buyer_webhooks.reading(self._connection, topic, part(parse(raw)))
        if topic not in ORDER_TOPICS and topic not in PART_TOPICS:
            return NotOurs(f"no flow carries the topic {topic!r}")
        body = parse(raw)
        if not isinstance(body, dict):
            raise Unreadable("the delivery is JSON, but no object")
        order_id = _id_at(body, PART_TOPICS.get(topic, ("id",)))
        if not order_id:
            raise Unreadable(f"a delivery of {topic} names no order")
        if topic in PART_TOPICS:
            return _needs_read(order_id, f"{topic} is about a part of the order")
        if topic == "orders/delete":
            return _needs_read(order_id, "the store says that it deleted the order")
        if not self._settings.trust_bodies:
            return _needs_read(order_id, "a body shows neither single payments nor the risk of fraud")
        return self._order(order_id, body)

    def _order(self, order_id: str, body: Json) -> Reading | NeedsRead:
        try:
            order = order_from_rest(body)
            why = unshown(order, shows_returns=bool(body.get("returns")))
            return _needs_read(order_id, why) if why else canonical(self._connection, order)
        except TallystickError as error:
            return _needs_read(order_id, str(error))


def _needs_read(order_id: str, why: str) -> NeedsRead:
    return NeedsRead(event_pb2.ENTITY_TYPE_ORDER, order_id, why)


def _signature(secret: str, raw: bytes) -> bytes:
    return base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256))


def _object_id(topic: str, raw: bytes) -> str:
    if topic in _BUYER_TOPICS:
        return _buyer_id(topic, raw)
    path = PART_TOPICS.get(topic, ("id",))
    if path == ("id",) and (leading := _LEADING_ID.match(raw)):
        return leading[1].decode()
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return ""
    return _id_at(body, path)


def _buyer_id(topic: str, raw: bytes) -> str:
    """Apart from an order of the same number."""
    try:
        key = buyer_webhooks.key_in(topic, orjson.loads(raw))
    except orjson.JSONDecodeError:
        return ""
    return f"customer-{key}" if key else ""


def _id_at(body: object, path: tuple[str, ...]) -> str:
    for name in path[:-1]:
        body = part(body).get(name)
    value = part(body).get(path[-1])
    # orjson reads integers beyond 64 bits as floats: no id is better than another's.
    return identifier(value) if isinstance(value, int | str) else ""
