"""A delivery on its way from the edge to intake: the store's own bytes, with the few headers that explain them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from tallystick.canonical.entities import entity_name, entity_type
from tallystick.canonical.keys import key
from tallystick.errors import Unreadable
from tallystick.kafka.consumer import Record
from tallystick.kafka.producer import Message
from tallystick.kafka.topics import INTAKE
from tallystick.ledger.pending import Pending, PendingReason, Waiting
from tallystick.ports import Hint, NeedsRead
from tallystick.v1 import event_pb2

#: Says that there are no bytes: this object is to be read, an order unless the other names its kind. Never taken from
#: outside.
READ = "tallystick-read"
READ_TYPE = "tallystick-read-type"
_ORDER = "order"
_PREFIX = "h-"
_HEADERS_MAX = 40
#: A connection, and an id of 200 characters each of which may be percent-encoded in several bytes.
_KEY_MAX = 4096
_SECRET_WORDS = ("signature", "hmac", "auth", "token", "secret", "key", "cookie", "forwarded", "real-ip", "client-ip")
_KEPT_PREFIXES = ("x-", "webhook-")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came in about one object of one connection."""

    connection: str
    #: `<connection>/<object id>`: all about one object is in one partition.
    object_key: str
    raw: bytes
    #: Lower-case names; only what tells topic and ids.
    headers: Mapping[str, str]
    received_at: datetime
    origin: event_pb2.Origin.ValueType = event_pb2.ORIGIN_WEBHOOK
    traceparent: bytes | None = None
    #: How often it was taken up before.
    attempts: int = 0

    @property
    def wanted(self) -> NeedsRead | None:
        """The object that is to be read, where this is a wish and no delivery."""
        object_id, kind = self.headers.get(READ), self.headers.get(READ_TYPE, _ORDER)
        return None if object_id is None else NeedsRead(entity_type(kind), object_id, "asked for")


@dataclass(frozen=True, slots=True)
class Waits:
    """It cannot become canonical now. `detail` carries nothing of the content."""

    reason: PendingReason
    detail: str = ""
    due_in_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Its bytes are not what they claim to be, and never will be."""

    why: str


@dataclass(frozen=True, slots=True)
class Dealt:
    """Done with: `what` is `accepted`, `duplicate` or `not ours`."""

    what: str = field(default="accepted")


Outcome = Dealt | Waits | Undecodable


def delivered(
    connection: str,
    hint: Hint,
    headers: Mapping[str, str],
    raw: bytes,
    received_at: datetime,
    traceparent: bytes | None = None,
) -> Delivery:
    """What the edge makes of a correctly signed request."""
    name = hint.object_id or hint.delivery_id or secrets.token_hex(8)
    kept = {name: value for name, value in headers.items() if _is_kept(name)}
    return Delivery(connection, key(connection, name[:200]), raw, kept, received_at, traceparent=traceparent)


@lru_cache(maxsize=1024)
def _is_kept(name: str) -> bool:
    """Topic and ids; no signature, no credential, no address."""
    return name.startswith(_KEPT_PREFIXES) and not any(word in name for word in _SECRET_WORDS)


def wish(
    connection: str,
    object_id: str,
    origin: event_pb2.Origin.ValueType,
    asked_at: datetime,
    kind: event_pb2.EntityType.ValueType = event_pb2.ENTITY_TYPE_ORDER,
) -> Delivery:
    """An order, or a customer, that is to be read again, as if a delivery had named it."""
    name = entity_name(kind)
    named, wanted = object_id, {READ: object_id}
    if name != _ORDER:
        named, wanted = f"{name}-{object_id}", {READ: object_id, READ_TYPE: name}
    return Delivery(connection, key(connection, named), b"", wanted, asked_at, origin)


# ---- on Kafka ------------------------------------------------------------------------------------------------------


def to_message(delivery: Delivery) -> Message:
    """The record for `tallystick.intake`."""
    headers = [
        ("connection", delivery.connection.encode()),
        ("received-at", delivery.received_at.isoformat().encode()),
        ("origin", str(int(delivery.origin)).encode()),
    ]
    if delivery.traceparent:
        headers.append(("traceparent", delivery.traceparent))
    kept = list(delivery.headers.items())[:_HEADERS_MAX]
    headers += ((_PREFIX + name, value.encode("utf-8", "replace")) for name, value in kept)
    return Message(INTAKE, delivery.object_key.encode(), delivery.raw, headers)


def from_record(record: Record) -> Delivery:
    """The delivery of a record. Raises `Unreadable` when the edge did not write it."""
    headers = dict(record.headers)
    try:
        delivery = Delivery(
            connection=headers["connection"].decode(),
            object_key=(record.key or b"").decode(),
            raw=record.value or b"",
            headers={n.removeprefix(_PREFIX): v.decode() for n, v in headers.items() if n.startswith(_PREFIX)},
            received_at=datetime.fromisoformat(headers["received-at"].decode()).astimezone(UTC),
            origin=_origin(headers.get("origin", b"1")),
            traceparent=headers.get("traceparent"),
        )
    except (KeyError, ValueError, OverflowError, AttributeError) as error:
        raise Unreadable(f"the record was not written by the edge: {type(error).__name__}") from error
    _require_storable(delivery)
    return delivery


def _require_storable(delivery: Delivery) -> None:
    """A row of Postgres takes no NUL and an index no text without end; the edge writes neither."""
    texts = [delivery.connection, delivery.object_key, *delivery.headers, *delivery.headers.values()]
    if any("\0" in text for text in texts) or len(delivery.connection) > 64 or len(delivery.object_key) > _KEY_MAX:
        raise Unreadable("the record was not written by the edge: its connection, key or headers cannot be kept")


def _origin(text: bytes) -> event_pb2.Origin.ValueType:
    number = int(text)
    if number not in event_pb2.Origin.values():
        raise ValueError(number)
    return event_pb2.Origin.ValueType(number)


# ---- in Postgres ---------------------------------------------------------------------------------------------------


def to_waiting(delivery: Delivery, waits: Waits) -> Waiting:
    """The row for `pending_delivery`."""
    return Waiting(
        delivery.connection,
        delivery.object_key,
        delivery.raw,
        {**delivery.headers, "origin": str(int(delivery.origin))},
        waits.reason,
        delivery.received_at,
        waits.detail.replace("\0", ""),
        waits.due_in_s,
    )


def from_pending(pending: Pending) -> Delivery:
    """The delivery of a row."""
    headers = dict(pending.headers)
    origin = _origin(headers.pop("origin", "1").encode())
    if origin == event_pb2.ORIGIN_WEBHOOK:
        origin = event_pb2.ORIGIN_RELAY
    return Delivery(
        pending.connection,
        pending.object_key,
        pending.raw,
        headers,
        pending.received_at,
        origin,
        None,
        pending.attempts,
    )
