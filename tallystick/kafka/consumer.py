"""The consumer's narrow port: poll a batch, write it down, commit the batch.

Nothing is committed that was not handed back by `commit`. A batch whose partitions were taken away meanwhile is not
committed: whoever has them now reads it again, which the ledger makes harmless.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    GroupAuthorizationFailedError,
    IllegalStateError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from tallystick.errors import SetupError, Unavailable
from tallystick.kafka.topics import RECORD_MAX, Topic
from tallystick.telemetry import Metrics

#: `group.min.session.timeout.ms` of a broker that was left as it came.
_SESSION_MIN_S = 6.0
_LAG_EVERY_S = 10.0
_LAG_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Record:
    """One message as it stands on its partition."""

    #: The full name, with the installation's prefix.
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int

    def header(self, name: str) -> bytes | None:
        """The first header of that name."""
        return next((value for header, value in self.headers if header == name), None)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll returned, in order per partition."""

    records: tuple[Record, ...] = ()
    #: What to commit once all records are written down.
    offsets: Mapping[TopicPartition, int] = field(default_factory=dict)
    #: Counts the assignments; an offset of an earlier one is not ours to commit.
    assignment: int = 0

    def __bool__(self) -> bool:
        return bool(self.records)


@dataclass(frozen=True, slots=True)
class Times:
    """How patient the group is, in seconds. The library's 10 s are below one slow call."""

    session_s: float = 45.0
    rebalance_s: float = 60.0
    heartbeat_s: float = 3.0
    #: A consumer that does not poll for so long leaves the group.
    poll_s: float = 300.0

    def scaled(self, scale: float) -> "Times":
        """Quicker, so that a killed member is missed sooner; not below what brokers allow by default."""
        return Times(
            max(_SESSION_MIN_S, self.session_s * scale),
            max(_SESSION_MIN_S, self.rebalance_s * scale),
            max(0.3, self.heartbeat_s * scale),
            self.poll_s,
        )


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """One member of a group. Used by one task; use it as a context manager."""

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topics: Sequence[Topic],
        *,
        prefix: str = "",
        times: Times = Times(),
        metrics: Metrics | None = None,
    ) -> None:
        self.group = prefix + group
        self._prefix = prefix
        self._bootstrap = bootstrap
        self._topics = [prefix + topic.name for topic in topics]
        self._times = times
        self._metrics = metrics
        self._client: AIOKafkaConsumer | None = None
        self._assignment = 0
        self._paused = False
        self._lag_due_at_s = 0.0
        self._lag_shown: set[TopicPartition] = set()
        #: Written down, but its commit has not succeeded yet.
        self._uncommitted: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Connect and join the group. Raises `Unavailable` when no broker answers."""
        client = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=int(self._times.session_s * 1000),
            rebalance_timeout_ms=int(self._times.rebalance_s * 1000),
            heartbeat_interval_ms=int(self._times.heartbeat_s * 1000),
            max_poll_interval_ms=int(self._times.poll_s * 1000),
            max_partition_fetch_bytes=RECORD_MAX,
            fetch_max_bytes=4 * RECORD_MAX,
        )
        client.subscribe(self._topics, listener=self)
        try:
            await client.start()
        except (KafkaError, OSError) as error:
            await client.stop()
            raise Unavailable(f"Kafka at {self._bootstrap} does not answer: {type(error).__name__}") from error
        self._client = client

    async def stop(self) -> None:
        """Commit what is written down and leave the group."""
        client = self._client
        if client is not None:
            await self._commit(within_s=5.0)
            self._client = None
            await client.stop()

    @property
    def assigned(self) -> frozenset[TopicPartition]:
        """The partitions in hand."""
        return frozenset(self._client.assignment()) if self._client is not None else frozenset()

    # ---- poll and commit -------------------------------------------------------------------------------------------

    async def poll(self, max_records: int = 500, wait_s: float = 1.0) -> Batch:
        """Up to `max_records`; empty when none came in time, while paused and while the group rebalances.

        Raises `Unavailable` for what passes by itself, `SetupError` when the broker refuses topic or group.
        """
        client = self._started()
        try:
            # The library waits for a rebalance without a bound of its own.
            async with asyncio.timeout(wait_s + 1.0):
                found = await client.getmany(timeout_ms=int(wait_s * 1000), max_records=max_records)
        except TimeoutError:
            return Batch()
        except (TopicAuthorizationFailedError, GroupAuthorizationFailedError) as error:
            raise SetupError(f"Kafka does not let the group {self.group} read {', '.join(self._topics)}") from error
        except KafkaError as error:
            raise Unavailable(f"Kafka: {type(error).__name__}") from error
        await self._show_lag()
        return self._batch(found)

    def _batch(self, found: Mapping[TopicPartition, Sequence[object]]) -> Batch:
        records = tuple(_record(message) for messages in found.values() for message in messages)
        offsets = {TopicPartition(r.topic, r.partition): r.offset + 1 for r in records}
        return Batch(records, offsets, self._assignment)

    async def commit(self, batch: Batch, within_s: float = 15.0) -> bool:
        """All of the batch is written down: move the offsets past it.

        False when they did not move (partitions taken away, no coordinator in time); nothing has to be done then:
        a later commit covers it, or the records come again.
        """
        if batch.assignment != self._assignment:
            self._count_failure("rebalanced")
            return False
        self._uncommitted.update(batch.offsets)
        return await self._commit(within_s)

    async def _commit(self, within_s: float) -> bool:
        if not self._uncommitted:
            return True
        offsets = dict(self._uncommitted)
        try:
            await asyncio.wait_for(self._started().commit(offsets), within_s)
        except (CommitFailedError, IllegalStateError):
            self._count_failure("rebalanced")
        except TimeoutError:
            self._count_failure("timeout")
        except KafkaError as error:
            self._count_failure(type(error).__name__)
        else:
            self._uncommitted = {tp: at for tp, at in self._uncommitted.items() if offsets.get(tp) != at}
            return True
        return False

    async def lag(self) -> dict[TopicPartition, int]:
        """How many records are behind each partition in hand; asks the broker, so it holds while paused, too.

        Raises `KafkaError`.
        """
        client = self._started()
        ends = await client.end_offsets(list(self.assigned))
        return {tp: max(0, end - await client.position(tp)) for tp, end in ends.items()}

    def name_of(self, topic: Topic) -> str:
        """A topic's full name, with the installation's prefix."""
        return self._prefix + topic.name

    async def ends(self, topic: Topic) -> dict[str, int]:
        """`<topic>/<partition>` -> up to where it reaches now, all partitions, whoever has them; empty ones left out.

        May be asked by another task than the one that polls. Raises `Unavailable`.
        """
        client, name = self._started(), self.name_of(topic)
        partitions = [TopicPartition(name, number) for number in client.partitions_for_topic(name) or ()]
        try:
            ends = await client.end_offsets(partitions)
            begins = await client.beginning_offsets(partitions)
        except KafkaError as error:
            raise Unavailable(f"Kafka: {type(error).__name__}") from error
        return {f"{tp.topic}/{tp.partition}": end for tp, end in ends.items() if end > begins[tp]}

    async def _show_lag(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._metrics is None or now_s < self._lag_due_at_s or not self.assigned:
            return
        self._lag_due_at_s = now_s + _LAG_EVERY_S
        with contextlib.suppress(KafkaError, IllegalStateError, TimeoutError):
            async with asyncio.timeout(_LAG_WITHIN_S):
                lag = await self.lag()
            for partition in self._lag_shown - set(lag):
                self._metrics.consumer_lag.remove(self.group, partition.topic, str(partition.partition))
            for partition, records in lag.items():
                self._metrics.consumer_lag.labels(self.group, partition.topic, str(partition.partition)).set(records)
            self._lag_shown = set(lag)

    # ---- back-pressure ---------------------------------------------------------------------------------------------

    @property
    def paused(self) -> bool:
        """Whether polls return nothing at present."""
        return self._paused

    def pause(self) -> None:
        """Fetch no more, but stay in the group; go on polling. Holds for partitions that come later, too."""
        self._paused = True
        self._started().pause(*self.assigned)

    def resume(self) -> None:
        """Fetch again."""
        self._paused = False
        self._started().resume(*self.assigned)

    # ---- called by the library -------------------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Commit what is written down and give the partitions back at once; running work goes on under its leases."""
        await self._commit(within_s=5.0)
        self._uncommitted.clear()
        self._assignment += 1
        self._lag_due_at_s = 0.0
        if self._metrics is not None:
            self._metrics.rebalances.labels(self.group).inc()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """A pause belongs to an assignment: make it anew."""
        if self._paused and assigned:
            self._started().pause(*assigned)
        if self._metrics is not None:
            self._metrics.assigned_partitions.labels(self.group).set(len(assigned))

    def _started(self) -> AIOKafkaConsumer:
        if self._client is None:
            raise RuntimeError("the consumer is not started")
        return self._client

    def _count_failure(self, reason: str) -> None:
        if self._metrics is not None:
            self._metrics.commit_failures.labels(self.group, reason).inc()


def _record(message: object) -> Record:
    m = message
    return Record(m.topic, m.partition, m.offset, m.key, m.value, tuple(m.headers), m.timestamp)  # type: ignore[attr-defined]


async def rewind(
    bootstrap: str, group: str, topics: Sequence[Topic], *, prefix: str = "", to: datetime | None = None
) -> int:
    """Set the offsets of a group back to the first message at or after `to` (None: to the beginning), after a restore.

    Returns how many partitions were set. Raises `SetupError` while the group still has members.
    """
    client = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=prefix + group, enable_auto_commit=False)
    try:
        await client.start()
        names = [prefix + topic.name for topic in topics]
        await client._client.set_topics(names)
        partitions = [TopicPartition(n, p) for n in names for p in client.partitions_for_topic(n) or ()]
        client.assign(partitions)
        await client.commit(await _offsets(client, partitions, to))
    except CommitFailedError as error:
        raise SetupError(f"the group {prefix + group} still has members; stop all workers, then rewind") from error
    except KafkaError as error:
        raise Unavailable(f"Kafka at {bootstrap}: {type(error).__name__}") from error
    finally:
        await client.stop()
    return len(partitions)


async def _offsets(
    client: AIOKafkaConsumer, partitions: Sequence[TopicPartition], to: datetime | None
) -> dict[TopicPartition, int]:
    if to is None:
        return dict(await client.beginning_offsets(partitions))
    stamp = int(to.timestamp() * 1000)
    found = await client.offsets_for_times(dict.fromkeys(partitions, stamp))
    ends = await client.end_offsets(partitions)
    return {tp: found[tp].offset if found[tp] is not None else ends[tp] for tp in partitions}
