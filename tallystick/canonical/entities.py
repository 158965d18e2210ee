"""The short names under which kinds of objects stand in the ledger, the API and the logs."""

from tallystick.v1 import event_pb2

_PREFIX = "ENTITY_TYPE_"


def entity_name(entity: event_pb2.EntityType.ValueType) -> str:
    """`order`, `refund`, `inventory_level` …"""
    return event_pb2.EntityType.Name(entity).removeprefix(_PREFIX).lower()


def entity_type(name: str) -> event_pb2.EntityType.ValueType:
    """The kind of that name. Raises ValueError."""
    return event_pb2.EntityType.Value(_PREFIX + name.upper())
