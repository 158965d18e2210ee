"""The effect that a revision of an object asks for: the newest is what matters."""

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
