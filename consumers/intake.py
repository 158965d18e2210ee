"""Intake: raw deliveries from Kafka become revisions. Poll a batch, deal with it, keep what waits, commit.

The offset advances past everything: what cannot become canonical now is in Postgres, what cannot be decoded is on the
quarantine topic. Only while Kafka or Postgres is away does the partition stand still.
"""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from tallystick.away import persist
from tallystick.crashpoints import reach
from tallystick.errors import Unreadable
from tallystick.intake.admission import Admission
from tallystick.intake.delivery import Delivery, Outcome, Undecodable, Waits, from_record, to_waiting
from tallystick.kafka.codec import quarantine
from tallystick.kafka.consumer import Batch, Consumer, Record
from tallystick.kafka.producer import Producer
from tallystick.ledger.pending import PendingDeliveries
from tallystick.telemetry import Metrics

log = structlog.get_logger(__name__)

GROUP = "tallystick-intake"


class Intake:
    """One member of the group that reads `tallystick.intake`; serves all connections."""

    def __init__(
        self,
        consumer: Consumer,
        producer: Producer,
        admission: Admission,
        pending: PendingDeliveries,
        *,
        metrics: Metrics | None = None,
        batch: int = 500,
        read_within_s: float = 2.0,
    ) -> None:
        self._consumer = consumer
        self._producer = producer
        self._admission = admission
        self._pending = pending
        self._metrics = metrics
        self._batch = batch
        #: Reads that take longer are the relay's: the partition does not wait for a slow store.
        self._read_within_s = read_within_s

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; the batch in hand is finished if Kafka and Postgres are there."""
        while not stop.is_set():
            batch = await persist(lambda: self._consumer.poll(self._batch), stop, "intake: poll")
            if batch:
                reach("intake.polled")
                await self._take(batch, stop)

    async def _take(self, batch: Batch, stop: asyncio.Event) -> None:
        if await persist(lambda: self._deal(batch.records), stop, "intake: deal"):
            reach("intake.dealt")
            await self._consumer.commit(batch)
            reach("intake.committed")

    async def _deal(self, records: Sequence[Record]) -> bool:
        deliveries, broken = _decoded(records)
        outcomes = await self._admission.admit(list(deliveries.values()), self._read_within_s)
        kept, undecodable = _sorted(list(deliveries.items()), outcomes)
        await self._pending.put([to_waiting(delivery, waits) for delivery, waits in kept])
        reach("intake.kept")
        await self._set_aside({**broken, **undecodable}, records)
        return True

    async def _set_aside(self, broken: Mapping[int, str], records: Sequence[Record]) -> None:
        await self._producer.send_all([quarantine(records[index], why) for index, why in broken.items()])
        for index in broken:
            log.warning("quarantined", topic=records[index].topic, offset=records[index].offset)
            if self._metrics is not None:
                self._metrics.quarantined.labels(records[index].topic, "undecodable").inc()


def _decoded(records: Sequence[Record]) -> tuple[dict[int, Delivery], dict[int, str]]:
    """Deliveries and what is none, by their place in the batch."""
    deliveries: dict[int, Delivery] = {}
    broken: dict[int, str] = {}
    for index, record in enumerate(records):
        try:
            deliveries[index] = from_record(record)
        except Unreadable as error:
            broken[index] = str(error)
    return deliveries, broken


def _sorted(
    deliveries: Sequence[tuple[int, Delivery]], outcomes: Sequence[Outcome]
) -> tuple[list[tuple[Delivery, Waits]], dict[int, str]]:
    """Those that wait, and why others cannot be decoded."""
    kept: list[tuple[Delivery, Waits]] = []
    undecodable: dict[int, str] = {}
    for (index, delivery), outcome in zip(deliveries, outcomes, strict=True):
        if isinstance(outcome, Waits):
            kept.append((delivery, outcome))
        elif isinstance(outcome, Undecodable):
            undecodable[index] = outcome.why
    return kept, undecodable
