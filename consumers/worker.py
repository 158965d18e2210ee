"""The worker of one target: poll, record, commit, and hand the lanes to work.

An offset may advance once the payload is in the ledger in any state. So nothing here tracks offsets, and nothing waits
for an ERP: while too much is unfinished the worker stops polling, and the rest stays on Kafka.
"""

import asyncio
from collections.abc import Sequence

import structlog

from consumers.hands import LEDGER_AWAY, Hands, pause
from tallystick.crashpoints import reach
from tallystick.errors import Unavailable, Unreadable
from tallystick.flows.router import Router
from tallystick.kafka.codec import decode, quarantine
from tallystick.kafka.consumer import Batch, Consumer, Record
from tallystick.kafka.producer import Message, Producer
from tallystick.ledger.rows import Row
from tallystick.settings import WorkSettings
from tallystick.telemetry import Metrics

log = structlog.get_logger(__name__)

POLL_S = 0.2


class Worker:
    """One member of the group of one target. `consumer` is entered, and `hands` are drained, by the caller."""

    def __init__(
        self,
        consumer: Consumer,
        producer: Producer,
        router: Router,
        hands: Hands,
        settings: WorkSettings,
        metrics: Metrics,
    ) -> None:
        self._consumer = consumer
        self._producer = producer
        self._router = router
        self._hands = hands
        self._settings = settings
        self._metrics = metrics

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            try:
                batch = await self._poll()
            except (*LEDGER_AWAY, Unavailable) as error:
                log.warning("worker waits", target=self._router.target, kind=type(error).__name__)
                await pause(stop, 1.0)
                continue
            if batch:
                reach("worker.polled")
                await self._take_in(batch, stop)

    async def _poll(self) -> Batch:
        if await self._enough():
            self._consumer.pause()
        elif self._consumer.paused:
            self._consumer.resume()
        # Polled even while paused: a member that does not poll is thrown out of its group.
        return await self._consumer.poll(self._settings.batch, wait_s=POLL_S)

    async def _enough(self) -> bool:
        """Back-pressure: as much is in hand or unfinished as may be."""
        if not self._hands.room:
            return True
        limit = self._settings.unfinished_max
        return await self._hands.engine.ledger.unfinished(limit) >= limit

    async def _take_in(self, batch: Batch, stop: asyncio.Event) -> None:
        rows, unreadable = self._rows(batch.records)
        while not stop.is_set():
            try:
                await self._producer.send_all(unreadable)
                result = await self._hands.engine.deliver(rows)
            except (*LEDGER_AWAY, Unavailable) as error:
                log.warning("batch waits for the ledger", target=self._router.target, kind=type(error).__name__)
                await pause(stop, 0.5)
                continue
            reach("worker.before_commit")
            await self._consumer.commit(batch)
            self._hands.take(result.claims)
            return

    def _rows(self, records: Sequence[Record]) -> tuple[list[Row], list[Message]]:
        rows: list[Row] = []
        unreadable: list[Message] = []
        for record in records:
            source = (record.topic, record.partition, record.offset)
            try:
                rows += self._router.rows(decode(record), record.value or b"", source)
            except Unreadable as error:
                self._metrics.quarantined.labels(record.topic, "undecodable").inc()
                unreadable.append(quarantine(record, str(error)))
        return rows, unreadable
