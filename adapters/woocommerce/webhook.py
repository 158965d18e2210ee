"""WooCommerce's deliveries: signature, id and content.

There is no retry, no order, and a body may be newer than its event, thin, or an error (seen on WooCommerce 11.0.1).
"""

import base64
import hashlib
import hmac
import html
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tallystick.errors import Unreadable
from tallystick.ports import Hint, NeedsRead, NotOurs, Reading
from tallystick.secrets import Secret
from tallystick.v1 import event_pb2

from . import accounts, translate
from .fields import Json, part, reference, text
from .settings import Dialect

TOPICS = ("order.created", "order.updated", "order.deleted", "order.restored")
CUSTOMER_TOPICS = ("customer.created", "customer.updated", "customer.deleted")

_PING = re.compile(rb"webhook_id=\d+")
_LEADING_ID = re.compile(rb'\s*\{\s*"id"\s*:\s*"?([1-9][0-9]*)"?\s*[,}]')


def verify(headers: Mapping[str, str], raw: bytes, secrets: Sequence[Secret]) -> bool:
    """Whether `X-WC-Webhook-Signature` is base64(HMAC-SHA256) of exactly these bytes under one of the secrets."""
    stated = headers.get("x-wc-webhook-signature", "").encode("latin-1", "replace")
    # All are computed always, so that the time does not tell which one is in use.
    matches = [hmac.compare_digest(sign(secret.reveal(), raw), stated) for secret in secrets]
    return any(matches)


def sign(secret: str, raw: bytes) -> bytes:
    """The signature as the shop makes it: it decodes HTML entities in the secret before use."""
    return base64.b64encode(hmac.digest(html.unescape(secret).encode(), raw, hashlib.sha256))


def hint(headers: Mapping[str, str], raw: bytes) -> Hint:
    """One id, read from the first bytes: WooCommerce writes `id` first. An error body names none.

    A ping (`webhook_id=12` as a form, unsigned) comes whenever a webhook is saved and whenever the last one failed.
    """
    topic = headers.get("x-wc-webhook-topic", "")
    delivery = headers.get("x-wc-webhook-delivery-id", "")
    if not topic:
        return Hint("", "", delivery, ping=_PING.fullmatch(raw) is not None)
    found = _id(raw)
    if found and not topic.startswith("order."):
        found = f"{topic.partition('.')[0]}-{found}"
    return Hint(topic, found, delivery)


def _id(raw: bytes) -> str:
    leading = _LEADING_ID.match(raw)
    if leading:
        return leading[1].decode()
    try:
        return reference(part(json.loads(raw)).get("id"))
    except ValueError:
        return ""


def reading(
    headers: Mapping[str, str], raw: bytes, connection: str, dialect: Dialect, *, trust_bodies: bool
) -> Reading | NeedsRead | NotOurs:
    """What a delivery says. Raises `Unreadable` when it is no JSON."""
    topic = headers.get("x-wc-webhook-topic", "")
    if topic.startswith("customer."):
        return _customer(topic, part(parse(raw)), connection, dialect, trust_bodies=trust_bodies)
    if not topic.startswith("order."):
        return NotOurs(f"the topic {topic or '(none)'} carries neither orders nor customers")
    body = part(parse(raw))
    order_id = reference(body.get("id"))
    if not order_id:
        return NotOurs(_nameless(text(body.get("code"))))
    if topic == "order.deleted" or not translate.is_order(body):
        return NeedsRead(event_pb2.ENTITY_TYPE_ORDER, order_id, f"a delivery of {topic} without the whole order")
    if translate.shown_refunds(body):
        return NeedsRead(event_pb2.ENTITY_TYPE_ORDER, order_id, "a body shows refunds by their totals only")
    if not trust_bodies:
        return NeedsRead(event_pb2.ENTITY_TYPE_ORDER, order_id, "this shop's deliveries are only taken as hints")
    return translate.reading(body, connection, dialect)


def _customer(
    topic: str, body: Json, connection: str, dialect: Dialect, *, trust_bodies: bool
) -> Reading | NeedsRead | NotOurs:
    """The body of `customer.deleted` is `{"id":7}`; `customer.created` is followed by `customer.updated` at once."""
    customer_id = reference(body.get("id"))
    if not customer_id:
        return NotOurs(f"the delivery names no customer ({text(body.get('code'))[:60] or 'no id'})")
    if text(body.get("role")) in accounts.STAFF:
        return NotOurs("the account belongs to somebody who runs the shop")
    if topic == "customer.deleted" or not accounts.is_customer(body) or not trust_bodies:
        return NeedsRead(event_pb2.ENTITY_TYPE_CUSTOMER, customer_id, f"a delivery of {topic} is taken as a hint")
    return accounts.reading(body, connection, dialect)


def parse(raw: bytes) -> Any:
    """JSON with exact numbers. Raises `Unreadable`."""
    try:
        return json.loads(raw, parse_float=Decimal)
    except ValueError as error:
        raise Unreadable("the bytes are no JSON") from error


def _nameless(code: str) -> str:
    """Nothing can be read again without an id, and none is lost: what is left of the order is found by polling."""
    return f"the delivery names no order ({code[:60] or 'no id'}): it was gone before the shop built the delivery"
