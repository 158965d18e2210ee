"""The relay: what waits in `pending_delivery` is offered again through the same code as at first.

One loop per connection, so that a store that is down or slow holds up itself only. Beside it, revisions that were
accepted and never published (a process died in between) are read and published again.
"""

import asyncio
from collections.abc import Sequence

import structlog

from tallystick.away import persist, sleep_unless
from tallystick.canonical.entities import entity_type
from tallystick.clock import Clock
from tallystick.crashpoints import reach
from tallystick.intake.admission import Admission
from tallystick.intake.delivery import Delivery, Outcome, Undecodable, Waits, from_pending, to_message
from tallystick.intake.rereads import Rereads, Wish
from tallystick.kafka.codec import quarantine
from tallystick.kafka.consumer import Record
from tallystick.kafka.producer import Message, Producer
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import Pending, PendingDeliveries, PendingReason
from tallystick.telemetry import Metrics
from tallystick.v1 import event_pb2

log = structlog.get_logger(__name__)

_BATCH = 100
_READ_WITHIN_S = 20.0
#: However time is scaled: a store that answers as quickly as it can is not one that hangs.
_READ_WITHIN_LEAST_S = 3.0
_LEASE_S = 60.0
_UNPUBLISHED_AFTER_S = 60.0
_UNPUBLISHED_EVERY_S = 30.0
_GAUGES_EVERY_S = 10.0
_AGAIN_MAX_S = 3600.0
#: Waiting longer each time makes sense only for what nobody but a new version of ours, or a person, can mend.
_PATIENT = (PendingReason.PARSER, PendingReason.TOO_LARGE)


class Relay:
    """Serves the given stores, and of `hints` the deliveries alone. `scale` shortens its durations in tests and the
    demo."""

    def __init__(
        self,
        connections: Sequence[str],
        pending: PendingDeliveries,
        objects: Objects,
        admission: Admission,
        rereads: Rereads,
        producer: Producer,
        clock: Clock,
        *,
        hints: Sequence[str] = (),
        metrics: Metrics | None = None,
        every_s: float = 1.0,
        scale: float = 1.0,
    ) -> None:
        self._connections = tuple(connections)
        self._hints = tuple(hints)
        self._pending = pending
        self._objects = objects
        self._admission = admission
        self._rereads = rereads
        self._producer = producer
        self._clock = clock
        self._metrics = metrics
        self._every_s = every_s
        self._scale = scale
        self._read_within_s = max(_READ_WITHIN_LEAST_S, _READ_WITHIN_S * scale)
        #: Rows in hand are nobody else's for longer than their reads may take.
        self._lease_s = _LEASE_S / _READ_WITHIN_S * self._read_within_s
        self._gauged: set[tuple[str, str]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._gauges(stop))
            for connection in (*self._connections, *self._hints):
                tasks.create_task(self._relay(connection, stop))
            for connection in self._connections:
                tasks.create_task(self._publish_again(connection, stop))

    # ---- pending deliveries ----------------------------------------------------------------------------------------

    async def _relay(self, connection: str, stop: asyncio.Event) -> None:
        while not stop.is_set():
            taken = await persist(lambda: self.turn(connection), stop, f"relay: {connection}")
            if (taken or 0) < _BATCH:
                await sleep_unless(stop, self._every_s)

    async def turn(self, connection: str) -> int:
        """Take up what is due; returns how many there were. Raises one of `away.AWAY`: they are due again later."""
        rows = await self._pending.claim(connection, _BATCH, self._lease_s)
        if rows:
            reach("relay.claimed")
            deliveries = [from_pending(row) for row in rows]
            outcomes = await self._admission.admit(deliveries, self._read_within_s)
            reach("relay.dealt")
            await self._settle(rows, deliveries, outcomes)
        return len(rows)

    async def _settle(
        self, rows: Sequence[Pending], deliveries: Sequence[Delivery], outcomes: Sequence[Outcome]
    ) -> None:
        broken = [
            _quarantined(row, delivery, outcome.why)
            for row, delivery, outcome in zip(rows, deliveries, outcomes, strict=True)
            if isinstance(outcome, Undecodable)
        ]
        await self._producer.send_all(broken)
        waiting = [(row, out) for row, out in zip(rows, outcomes, strict=True) if isinstance(out, Waits)]
        await self._pending.later([(r.id, w.reason, w.detail, self._due_in_s(r, w)) for r, w in waiting])
        kept = {row.id for row, _ in waiting}
        await self._pending.done([row.id for row in rows if row.id not in kept])

    def _due_in_s(self, row: Pending, waits: Waits) -> float:
        if waits.reason in _PATIENT:
            return float(min(_AGAIN_MAX_S, max(waits.due_in_s, 2.0 ** min(row.attempts, 12)))) * self._scale
        return max(waits.due_in_s, self._every_s)

    # ---- accepted, never published ---------------------------------------------------------------------------------

    async def _publish_again(self, connection: str, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await persist(lambda: self.publish_again(connection), stop, f"unpublished: {connection}")
            await sleep_unless(stop, _UNPUBLISHED_EVERY_S * self._scale)

    async def publish_again(self, connection: str) -> int:
        """Read objects whose last revision may not be on Kafka; equal content is published under its revision."""
        keys = await self._objects.unpublished(connection, _UNPUBLISHED_AFTER_S * self._scale)
        now = self._clock.now()
        wishes = [Wish(connection, key.id, event_pb2.ORIGIN_RELAY, now, type=entity_type(key.type)) for key in keys]
        if wishes:
            log.info("publishing again", connection=connection, number=len(wishes))
            await self._rereads.read(wishes, self._read_within_s)
        return len(wishes)

    # ---- gauges ----------------------------------------------------------------------------------------------------

    async def _gauges(self, stop: asyncio.Event) -> None:
        while self._metrics is not None and not stop.is_set():
            await persist(lambda: self._measure(self._metrics), stop, "relay: gauges")
            await sleep_unless(stop, _GAUGES_EVERY_S * self._scale)

    async def _measure(self, metrics: Metrics | None) -> None:
        if metrics is None:
            return
        backlog = {(b.connection, b.reason): (b.number, b.oldest_s) for b in await self._pending.backlog()}
        for labels in self._gauged | set(backlog):
            number, oldest_s = backlog.get(labels, (0, 0.0))
            metrics.pending_deliveries.labels(*labels).set(number)
            metrics.pending_oldest_age_seconds.labels(*labels).set(oldest_s)
        self._gauged |= set(backlog)


def _quarantined(row: Pending, delivery: Delivery, why: str) -> Message:
    message = to_message(delivery)
    record = Record("pending_delivery", 0, row.id, message.key, message.value, tuple(message.headers), 0)
    return quarantine(record, why)
