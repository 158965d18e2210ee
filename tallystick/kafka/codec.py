"""Canonical events as bytes and back, with the fingerprint of their schema, and what becomes of undecodable bytes."""

import hashlib
import os
from functools import cache

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import DecodeError
from opentelemetry import trace

from tallystick.canonical.keys import inventory_key, order_key, sku_key
from tallystick.errors import Unreadable
from tallystick.kafka.consumer import Record
from tallystick.kafka.producer import Headers, Message
from tallystick.kafka.topics import CUSTOMERS, FULFILMENTS, INVENTORY, ORDERS, PRICES, QUARANTINE, VALUE_MAX, Topic
from tallystick.v1 import event_pb2

SCHEMA = "schema"
TRACEPARENT = "traceparent"
#: Ours are far below; both fit beside the largest value.
_HEADERS_MAX = 64 * 1024
_KEY_MAX = 4096
_NAME = event_pb2.Event.DESCRIPTOR.full_name


@cache
def fingerprint() -> str:
    """Sixteen hex digits that change when any message an event may hold changes."""
    files: dict[str, bytes] = {}
    _collect(event_pb2.DESCRIPTOR, files)
    hashed = hashlib.sha256()
    for name in sorted(files):
        hashed.update(files[name])
    return hashed.hexdigest()[:16]


def _collect(file: FileDescriptor, into: dict[str, bytes]) -> None:
    if file.name in into:
        return
    proto = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(proto)
    into[file.name] = proto.SerializeToString(deterministic=True)
    for dependency in file.dependencies:
        _collect(dependency, into)


@cache
def _schema() -> bytes:
    return f"{_NAME}/{fingerprint()}".encode()


def new_traceparent() -> bytes:
    """The W3C header of the current span, or of a new trace when none is open."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}".encode()
    ids = os.urandom(24).hex()
    return f"00-{ids[:32]}-{ids[32:]}-00".encode()


def lane(event: event_pb2.Event) -> str:
    """`<connection>/<order id>`: a refund and a return are in the lane of their order."""
    match event.WhichOneof("payload"):
        case "refund":
            return order_key(event.connection, event.refund.order_id)
        case "return":
            return order_key(event.connection, getattr(event, "return").order_id)
        case "fulfilment":
            return order_key(event.fulfilment.order_connection, event.fulfilment.order_id)
        case "inventory_level":
            level = event.inventory_level
            return inventory_key(event.connection, level.warehouse_id, level.sku)
        case "product":
            return sku_key(event.connection, event.product.sku)
    return order_key(event.connection, event.object_id)


def topic_of(event: event_pb2.Event) -> Topic:
    """Everything about one order travels with it; customers and what an ERP tells have topics of their own."""
    return _TOPICS.get(event.type, ORDERS)


_TOPICS = {
    event_pb2.ENTITY_TYPE_CUSTOMER: CUSTOMERS,
    event_pb2.ENTITY_TYPE_FULFILMENT: FULFILMENTS,
    event_pb2.ENTITY_TYPE_INVENTORY_LEVEL: INVENTORY,
    event_pb2.ENTITY_TYPE_PRODUCT: PRICES,
}


def encode(event: event_pb2.Event, traceparent: bytes | None = None) -> Message:
    """The event as a message of its topic, keyed by its lane."""
    headers: Headers = ((SCHEMA, _schema()), (TRACEPARENT, traceparent or new_traceparent()))
    return Message(topic_of(event), lane(event).encode(), event.SerializeToString(), headers)


def decode(record: Record) -> event_pb2.Event:
    """The event of a record. Fields that this version does not know are kept. Raises `Unreadable`."""
    schema = record.header(SCHEMA)
    if schema is None or schema.partition(b"/")[0] != _NAME.encode():
        raise Unreadable(f"the record's schema header does not name {_NAME}")
    if not record.value:
        raise Unreadable("the record has no value")
    event = event_pb2.Event()
    try:
        event.ParseFromString(record.value)
    except DecodeError as error:
        raise Unreadable("the record is no Protobuf message") from error
    _require_whole(event)
    return event


def _require_whole(event: event_pb2.Event) -> None:
    if not event.connection or not event.object_id or not event.revision:
        raise Unreadable("the event names no connection, no object or no revision")
    if not event.gone and event.WhichOneof("payload") is None:
        raise Unreadable("the event has no payload")


def quarantine(record: Record, reason: str) -> Message:
    """The record as found, with where it stood and why nobody could read it. `reason` carries none of its content.

    What another producer pressed into one record may be larger than any of ours: of such a record the beginning is
    kept, and how large it was. Nothing may be too large to be set aside, or its partition would stand still.
    """
    value, where = record.value or b"", f"{record.topic}/{record.partition}/{record.offset}".encode()
    headers: Headers = record.headers if _size(record.headers) <= _HEADERS_MAX else ()
    added = [("quarantine-reason", reason.encode()[:500]), ("quarantine-source", where)]
    if len(value) > VALUE_MAX:
        added.append(("quarantine-cut-from", str(len(value)).encode()))
    return Message(QUARANTINE, (record.key or b"")[:_KEY_MAX], value[:VALUE_MAX], (*headers, *added))


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value or b"") for name, value in headers)
