"""The effect that a revision asks for: of an object the newest is what matters, of a part of an order each is one."""

from tallystick.canonical.keys import key, order_key
from tallystick.canonical.times import to_datetime
from tallystick.flows.flow import Source
from tallystick.ledger.rows import Kind, Row
from tallystick.reasons import NotEligible
from tallystick.v1 import event_pb2


def revision_row(
    entity_type: str,
    entity_id: str,
    event: event_pb2.Event,
    body: bytes,
    source: Source | None,
    *,
    lane_key: str | None = None,
    not_eligible: NotEligible | None = None,
    follows: bool = True,
) -> Row:
    """A STATE effect in the entity's own lane, unless `lane_key` names another."""
    return Row(
        lane_key=lane_key or entity_id,
        connection=event.connection,
        entity_type=entity_type,
        entity_id=entity_id,
        operation="upsert",
        op_id=str(event.revision),
        kind=Kind.STATE,
        revision=event.revision,
        body=body,
        external_ref=entity_id,
        received_at=to_datetime(event.received_at),
        object_id=event.object_id,
        source=source,
        not_eligible=not_eligible,
        follows=follows,
    )


def part_row(
    entity_type: str, order_id: str, operation: str, event: event_pb2.Event, body: bytes, source: Source | None
) -> Row:
    """A DELTA effect in the lane of the order that the object is a part of."""
    entity = key(event.connection, order_id, entity_type, event.object_id)
    return Row(
        lane_key=order_key(event.connection, order_id),
        connection=event.connection,
        entity_type=entity_type,
        entity_id=entity,
        operation=operation,
        op_id=event.object_id if event.revision <= 1 else f"{event.object_id}/{event.revision}",
        kind=Kind.DELTA,
        revision=max(1, event.revision),
        body=body,
        external_ref=entity,
        received_at=to_datetime(event.received_at),
        object_id=event.object_id,
        source=source,
        part=True,
    )
