"""Where deliveries become safe: on Kafka, else in Postgres. What arrives together travels together."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from tallystick.errors import Unavailable
from tallystick.intake.delivery import Delivery, Waits, to_message, to_waiting
from tallystick.kafka.producer import Producer, TooLarge
from tallystick.ledger.pending import PendingDeliveries, PendingReason

log = structlog.get_logger(__name__)

#: Shopify waits 5 s for the whole answer: both bounds and the way here and back have to fit.
KAFKA_S = 3.0
POSTGRES_S = 1.5
#: While Kafka is away, one batch in so many seconds tries it; all others go straight to Postgres.
AGAIN_S = 5.0

#: Called once: whether the delivery is safe.
Settled = Callable[[bool], None]


class Inbox:
    """Used by one event loop. `drain` before the producer and the pool are closed."""

    def __init__(self, producer: Producer, pending: PendingDeliveries, *, kafka_s: float = KAFKA_S) -> None:
        self._producer = producer
        self._pending = pending
        self._kafka_s = kafka_s
        self._loop = asyncio.get_running_loop()
        self._gathered: list[tuple[Delivery, Settled]] = []
        self._batches: set[asyncio.Task[None]] = set()
        self._sends: set[asyncio.Task[None]] = set()
        self._away = False
        self._again_at_s = 0.0

    def put(self, delivery: Delivery, settled: Settled) -> None:
        """Make it durable. All that is put in one turn of the loop becomes one batch."""
        self._gathered.append((delivery, settled))
        if len(self._gathered) == 1:
            self._loop.call_soon(self._set_out)

    def _set_out(self) -> None:
        batch, self._gathered = self._gathered, []
        self._start(self._keep(batch), self._batches)

    def _start(self, work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> None:
        task = self._loop.create_task(work)
        among.add(task)
        task.add_done_callback(among.discard)

    async def drain(self) -> None:
        """Until all that was put is settled. A connection to Kafka that is just being renewed is given up."""
        while self._gathered or self._batches:
            await asyncio.sleep(0)
            await asyncio.gather(*self._batches)
        for task in self._sends:
            task.cancel()
        await asyncio.gather(*self._sends, return_exceptions=True)

    async def _keep(self, batch: Sequence[tuple[Delivery, Settled]]) -> None:
        deliveries = [delivery for delivery, _ in batch]
        safe = await self._on_kafka(deliveries) or await self._in_postgres(deliveries)
        for _, settled in batch:
            settled(safe)

    # ---- Kafka -----------------------------------------------------------------------------------------------------

    async def _on_kafka(self, deliveries: Sequence[Delivery]) -> bool:
        if self._away and self._loop.time() < self._again_at_s:
            return False
        self._again_at_s = self._loop.time() + AGAIN_S
        answered = self._loop.create_future()
        # A task of its own: the producer may have to renew its connection, which takes longer than a store waits.
        self._start(self._send(deliveries, answered), self._sends)
        timer = self._loop.call_later(self._kafka_s, _tell, answered, False)
        taken = bool(await answered)
        timer.cancel()
        if self._away != (not taken):
            self._away = not taken
            log.warning("Kafka takes deliveries again" if taken else "deliveries go to Postgres: Kafka does not answer")
        return taken

    async def _send(self, deliveries: Sequence[Delivery], answered: "asyncio.Future[bool]") -> None:
        try:
            await self._producer.send_all([to_message(delivery) for delivery in deliveries], self._kafka_s)
            _tell(answered, True)
        except (Unavailable, TooLarge):
            _tell(answered, False)
        except Exception as error:
            log.exception("a delivery could not be given to Kafka", kind=type(error).__name__)
            _tell(answered, False)

    # ---- Postgres --------------------------------------------------------------------------------------------------

    async def _in_postgres(self, deliveries: Sequence[Delivery]) -> bool:
        waits = Waits(PendingReason.KAFKA_DOWN)
        try:
            async with asyncio.timeout(POSTGRES_S):
                await self._pending.put([to_waiting(delivery, waits) for delivery in deliveries])
        except Exception as error:
            log.error("deliveries cannot be kept: neither Kafka nor Postgres takes them", kind=type(error).__name__)
            return False
        return True


def _tell(answered: "asyncio.Future[bool]", taken: bool) -> None:
    if not answered.done():
        answered.set_result(taken)
