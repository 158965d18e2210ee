"""The one door: readings come in, revisions go out to Kafka.

The order of the three acts matters: accept (a revision is ours), publish, then note that it is published. A crash
after any of them publishes the same revision again, which is harmless.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tallystick.canonical import checks
from tallystick.canonical.digest import digest
from tallystick.canonical.entities import entity_name, entity_type
from tallystick.canonical.times import to_timestamp
from tallystick.crashpoints import reach
from tallystick.kafka.codec import encode
from tallystick.kafka.producer import Message, Producer
from tallystick.kafka.topics import VALUE_MAX
from tallystick.ledger.objects import Accepted, Judgement, ObjectKey, Objects, Seen, Sighting, Verdict
from tallystick.ports import Reading
from tallystick.telemetry import Metrics, flow_of
from tallystick.v1 import event_pb2, refund_pb2, return_pb2


@dataclass(frozen=True, slots=True)
class Arrival:
    """A reading at the door."""

    connection: str
    reading: Reading
    origin: event_pb2.Origin.ValueType
    received_at: datetime
    #: Drawn before the read; None for a delivered body.
    started: int | None = None
    traceparent: bytes | None = None
    insist: bool = False
    times: int = 1

    @property
    def key(self) -> ObjectKey:
        """The object that was seen."""
        return ObjectKey(self.connection, entity_name(self.reading.type), self.reading.object_id)


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of an arrival."""

    #: Whether a revision went out.
    published: bool
    #: Whether the object has to be read, or read again, before anything follows from this arrival.
    read_again: bool
    too_large: bool = False


class Door:
    """Shared by intake, relay and pollers of one process."""

    def __init__(self, objects: Objects, producer: Producer, metrics: Metrics | None = None) -> None:
        self._objects = objects
        self._producer = producer
        self._metrics = metrics

    async def enter(self, arrivals: Sequence[Arrival]) -> list[Entered]:
        """Accept, publish, note. Parallel to `arrivals`, in which each object stands once.

        Raises `Unavailable` when Kafka does not take the revisions: they are published when the same content is
        seen again, so the caller repeats. Raises what asyncpg raises when Postgres is away.
        """
        if not arrivals:
            return []
        arrivals = await self._with_vanished(arrivals)
        events = [_events(arrival) for arrival in arrivals]
        seen = [_seen(arrival, own) for arrival, own in zip(arrivals, events, strict=True)]
        accepted = await self._objects.accept(seen)
        reach("intake.accepted")
        out = [list(_outgoing(*one)) for one in zip(arrivals, events, accepted, strict=True)]
        fitting = [(revision, message) for revisions in out for revision, message in revisions if _fits(message)]
        await self._producer.send_all([message for _, message in fitting])
        reach("intake.published")
        await self._objects.published([revision for revision, _ in fitting])
        reach("intake.noted")
        entered = [_entered(answer, messages) for answer, messages in zip(accepted, out, strict=True)]
        self._count(arrivals, entered)
        return entered

    async def _with_vanished(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        """Those that read a whole order, with the parts that it had and has no more.

        A delivered body may be an old one with the same order in it, so it tells of no disappearance.
        """
        read = [(one.connection, one.reading.object_id) for one in arrivals if _reads_order(one)]
        known = await self._objects.parts(read)
        return [_and_vanished(one, known) if _reads_order(one) else one for one in arrivals] if known else arrivals

    def _count(self, arrivals: Sequence[Arrival], entered: Sequence[Entered]) -> None:
        if self._metrics is None:
            return
        for arrival, one in zip(arrivals, entered, strict=True):
            if one.read_again or not one.published:
                outcome = "stale" if one.read_again else "duplicate"
                self._metrics.inbound_events.labels(flow_of(arrival.key.type), arrival.connection, outcome).inc()


# ---- readings to events --------------------------------------------------------------------------------------------


def content_hash(event: event_pb2.Event) -> bytes:
    """Over what the event says, not over how and when it came."""
    bare = event_pb2.Event()
    bare.CopyFrom(event)
    for field in ("revision", "source_modified", "received_at", "origin"):
        bare.ClearField(field)
    return bytes.fromhex(digest(bare))


def to_event(connection: str, reading: Reading) -> event_pb2.Event:
    """The canonical event of a reading, with all findings; without revision and origin."""
    event = event_pb2.Event(connection=connection, type=reading.type, object_id=reading.object_id, gone=reading.gone)
    if reading.order is not None:
        event.order.CopyFrom(reading.order)
    if reading.refund is not None:
        event.refund.CopyFrom(reading.refund)
    if reading.returned is not None:
        getattr(event, "return").CopyFrom(reading.returned)
    if reading.fulfilment is not None:
        event.fulfilment.CopyFrom(reading.fulfilment)
    if reading.customer is not None:
        event.customer.CopyFrom(reading.customer)
    if reading.level is not None:
        event.inventory_level.CopyFrom(reading.level)
    if reading.product is not None:
        event.product.CopyFrom(reading.product)
    event.findings.extend(_findings(reading))
    return event


def _findings(reading: Reading) -> Iterator[event_pb2.Finding]:
    found = [*reading.findings, *(checks.findings(reading.order) if reading.order is not None else ())]
    yield from {(finding.reason, finding.detail): finding for finding in found}.values()


def _events(arrival: Arrival) -> list[event_pb2.Event]:
    """The event of the whole, then those of its parts; hashed before they are dated."""
    events = [to_event(arrival.connection, reading) for reading in (arrival.reading, *arrival.reading.parts)]
    for event in events:
        if event.HasField("inventory_level"):
            # Of a level the number of its read is content: what was booked under a lower one is in the figure.
            event.inventory_level.read_seq = arrival.started or 0
            event.inventory_level.read_at.CopyFrom(to_timestamp(arrival.received_at))
    return events


def _reads_order(arrival: Arrival) -> bool:
    return arrival.started is not None and arrival.reading.order is not None


def _and_vanished(arrival: Arrival, known: Mapping[ObjectKey, str]) -> Arrival:
    order, connection = arrival.reading, arrival.connection
    shown = {(part.type, part.object_id) for part in order.parts}
    had = [(entity_type(key.type), key.id) for key, parent in known.items() if _is_of(key, parent, arrival)]
    lost = [_vanished(connection, order.object_id, *one) for one in sorted(had) if one not in shown]
    return replace(arrival, reading=replace(order, parts=(*order.parts, *lost))) if lost else arrival


def _is_of(key: ObjectKey, parent: str, arrival: Arrival) -> bool:
    return (key.connection, parent) == (arrival.connection, arrival.reading.object_id)


def _vanished(connection: str, order_id: str, kind: event_pb2.EntityType.ValueType, part_id: str) -> Reading:
    """All that is left of a part: whose it was."""
    if kind == event_pb2.ENTITY_TYPE_RETURN:
        returned = return_pb2.Return(connection=connection, id=part_id, order_id=order_id)
        return Reading(kind, part_id, None, returned=returned, gone=True)
    refund = refund_pb2.Refund(connection=connection, id=part_id, order_id=order_id)
    return Reading(kind, part_id, None, refund=refund, gone=True)


def _seen(arrival: Arrival, events: Sequence[event_pb2.Event]) -> Seen:
    main, *parts = (
        Sighting(
            ObjectKey(arrival.connection, entity_name(event.type), event.object_id),
            content_hash(event),
            reading.source_modified,
            event.gone,
            event.order.number.replace("\0", ""),
            "" if reading is arrival.reading else arrival.reading.object_id,
        )
        for event, reading in zip(events, (arrival.reading, *arrival.reading.parts), strict=True)
    )
    return Seen(main, tuple(parts), arrival.started, arrival.insist, arrival.times)


def _outgoing(
    arrival: Arrival, events: Sequence[event_pb2.Event], accepted: Accepted
) -> Iterator[tuple[tuple[ObjectKey, int], Message]]:
    readings = (arrival.reading, *arrival.reading.parts)
    for event, reading, judgement in zip(events, readings, (accepted.main, *accepted.parts), strict=True):
        if judgement.verdict is Verdict.PUBLISH:
            yield _revision(arrival, event, reading, judgement)


def _revision(
    arrival: Arrival, event: event_pb2.Event, reading: Reading, judgement: Judgement
) -> tuple[tuple[ObjectKey, int], Message]:
    event.revision = judgement.revision
    event.origin = arrival.origin
    event.received_at.CopyFrom(to_timestamp(arrival.received_at))
    if reading.source_modified is not None:
        event.source_modified.CopyFrom(to_timestamp(reading.source_modified))
    key = ObjectKey(arrival.connection, entity_name(event.type), event.object_id)
    return (key, judgement.revision), encode(event, arrival.traceparent)


def _fits(message: Message) -> bool:
    return len(message.value or b"") <= VALUE_MAX


def _entered(accepted: Accepted, out: Sequence[tuple[object, Message]]) -> Entered:
    return Entered(bool(out), accepted.read_again, not all(_fits(message) for _, message in out))
