"""The producer's narrow port: a send ends when all in-sync replicas have the message, or raises.

Idempotent, so that the client's own repeats make no second copy. There is at most one request under way per broker;
what comes meanwhile is batched into the next, so no linger is needed: a lone message leaves at once, and under load
the batches grow by themselves.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from tallystick.errors import TallystickError, Unavailable
from tallystick.kafka.topics import RECORD_MAX, Topic
from tallystick.telemetry import Metrics

Headers = Sequence[tuple[str, bytes]]


class TooLarge(TallystickError):
    """The message is above what the topics take; sending it again cannot help."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. A `value` of None deletes the key from a compacted topic."""

    topic: Topic
    key: bytes
    value: bytes | None
    headers: Headers = field(default=())


class Producer:
    """One per process. `ack_within_s` bounds the wait for the acknowledgement; what was given up may still arrive."""

    def __init__(
        self, bootstrap: str, *, prefix: str = "", ack_within_s: float = 30.0, metrics: Metrics | None = None
    ) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._ack_within_s = ack_within_s
        self._metrics = metrics
        self._client: AIOKafkaProducer | None = None
        self._renewing = asyncio.Lock()

    async def start(self) -> None:
        """Connect. Raises `Unavailable` when no broker answers."""
        self._client = await self._connect()

    async def _connect(self) -> AIOKafkaProducer:
        client = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            max_batch_size=512 * 1024,
            max_request_size=RECORD_MAX,
            linger_ms=0,
            request_timeout_ms=10_000,
        )
        try:
            await asyncio.wait_for(client.start(), self._ack_within_s)
        except (KafkaError, TimeoutError, OSError) as error:
            await _abandon(client)
            raise Unavailable(f"Kafka at {self._bootstrap} does not answer: {type(error).__name__}") from error
        except asyncio.CancelledError:
            await _abandon(client)
            raise
        return client

    async def stop(self, within_s: float = 10.0) -> None:
        """Flush and disconnect; what Kafka does not take within the time is given up."""
        client, self._client = self._client, None
        if client is not None:
            await _close(client, within_s)

    async def send(self, message: Message, within_s: float | None = None) -> None:
        """Send one message. Raises `Unavailable` when it was not acknowledged in time, or `TooLarge`."""
        began_s = time.perf_counter()
        try:
            async with asyncio.timeout(within_s or self._ack_within_s):
                await (await self._hand_over(message))
        except BaseException as error:
            self._count(message.topic, "failed", 1, began_s)
            await self._explain(message.topic, error)
        self._count(message.topic, "acknowledged", 1, began_s)

    async def send_all(self, messages: Sequence[Message], within_s: float | None = None) -> None:
        """Send many; those of one key stay in their order. Ends when all are acknowledged.

        Raises like `send`; then some of them may be on their topics, and sending all again is harmless.
        """
        if not messages:
            return
        began_s = time.perf_counter()
        try:
            async with asyncio.timeout(within_s or self._ack_within_s):
                waiting = [await self._hand_over(message) for message in messages]
                await asyncio.gather(*waiting)
        except BaseException as error:
            self._count(messages[0].topic, "failed", len(messages), began_s)
            await self._explain(messages[0].topic, error)
        self._count(messages[0].topic, "acknowledged", len(messages), began_s)

    async def _hand_over(self, message: Message) -> "asyncio.Future[object]":
        if self._client is None:
            raise Unavailable("the connection to Kafka is not open")
        return await self._client.send(  # type: ignore[no-any-return]
            self._prefix + message.topic.name, message.value, message.key, headers=list(message.headers)
        )

    async def _explain(self, topic: Topic, error: BaseException) -> None:
        """Raise what the caller can act on; a client that can no longer send is replaced."""
        if isinstance(error, MessageSizeTooLargeError):
            raise TooLarge(f"a message for {topic.name} is larger than {RECORD_MAX} bytes") from error
        if isinstance(error, TimeoutError):
            raise Unavailable(f"Kafka did not acknowledge a message for {topic.name} in time") from error
        if isinstance(error, KafkaError | AssertionError):
            await self._renew(self._client)
            raise Unavailable(f"Kafka refused a message for {topic.name}: {type(error).__name__}") from error
        raise error

    async def _renew(self, broken: AIOKafkaProducer | None) -> None:
        """A batch that failed leaves a gap in its partition's sequence: only a new producer id can go on."""
        async with self._renewing:
            if broken is None or self._client is not broken:
                return
            self._client = await self._connect()
            await _close(broken, 1.0)

    def _count(self, topic: Topic, outcome: str, number: int, began_s: float) -> None:
        if self._metrics is not None:
            self._metrics.produced.labels(topic.name, outcome).inc(number)
            self._metrics.produce_seconds.labels(topic.name).observe(time.perf_counter() - began_s)


async def _close(client: AIOKafkaProducer, within_s: float) -> None:
    try:
        await asyncio.wait_for(client.stop(), within_s)
    except (KafkaError, TimeoutError):
        await _abandon(client)


async def _abandon(client: AIOKafkaProducer) -> None:
    """Let go of a client that cannot flush. The library has no call for it: `stop` waits for the flush for ever."""
    client._closed = True
    if client._sender.sender_task is not None:
        client._sender.sender_task.cancel()
        await asyncio.wait([client._sender.sender_task], timeout=1.0)
    await client.client.close()
