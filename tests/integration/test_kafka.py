"""What the port of Kafka promises, on a real broker (protocol section 9)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tallystick.errors import SetupError, Unavailable
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.consumer import Batch, Consumer, Record, Times, rewind
from tallystick.kafka.producer import Message, Producer, TooLarge
from tallystick.kafka.topics import ALL, INTAKE, ORDERS, QUARANTINE, RECORD_MAX, VALUE_MAX
from tallystick.settings import KafkaSettings
from tallystick.stack import Stack

QUICK = Times(session_s=6, rebalance_s=6, heartbeat_s=0.5)


@pytest.fixture
async def settings(stack: Stack, topic_prefix: str) -> KafkaSettings:
    settings = KafkaSettings(partitions=4, prefix=topic_prefix)
    await ensure_topics(stack.kafka, settings, (INTAKE, ORDERS, QUARANTINE))
    return settings


@pytest.fixture
async def producer(stack: Stack, settings: KafkaSettings) -> AsyncIterator[Producer]:
    producer = Producer(stack.kafka, prefix=settings.prefix)
    await producer.start()
    yield producer
    await producer.stop()


def orders(count: int, first: int = 0) -> list[Message]:
    return [Message(ORDERS, f"woo/{n}".encode(), str(n).encode()) for n in range(first, first + count)]


def member(stack: Stack, settings: KafkaSettings) -> Consumer:
    return Consumer(stack.kafka, "workers", (ORDERS,), prefix=settings.prefix, times=QUICK)


async def poll_until(consumer: Consumer, count: int, *, within_s: float = 60) -> list[Record]:
    """Poll without committing until so many records came."""
    found: list[Record] = []
    async with asyncio.timeout(within_s):
        while len(found) < count:
            found += (await consumer.poll()).records
    return found


async def until(condition: Callable[[], object], *consumers: Consumer, within_s: float = 60) -> list[Record]:
    """Go on polling until the condition holds; what was polled meanwhile, none of it committed."""
    found: list[Record] = []
    async with asyncio.timeout(within_s):
        while not condition():
            for consumer in consumers:
                found += (await consumer.poll(wait_s=0.05)).records
    return found


def numbers(records: list[Record]) -> list[int]:
    return [int(record.value or b"") for record in records]


# ---- topics --------------------------------------------------------------------------------------------------------


async def test_topics_are_made_once_with_their_sizes_and_retention(stack: Stack, topic_prefix: str) -> None:
    settings = KafkaSettings(partitions=3, prefix=topic_prefix)
    assert len(await ensure_topics(stack.kafka, settings)) == len(ALL)
    assert await ensure_topics(stack.kafka, settings) == []
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
    await admin.start()
    try:
        topics = {t["topic"]: t for t in await admin.describe_topics([topic_prefix + t.name for t in ALL])}
        resource = ConfigResource(ConfigResourceType.TOPIC, topic_prefix + INTAKE.name)
        [answer] = await admin.describe_configs([resource])
    finally:
        await admin.close()
    assert {name.removeprefix(topic_prefix): len(t["partitions"]) for name, t in topics.items()} == {
        topic.name: topic.partitions or 3 for topic in ALL
    }
    configs = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    assert configs["max.message.bytes"] == str(RECORD_MAX)
    assert configs["retention.ms"] == str(7 * 24 * 3600 * 1000)


async def test_a_topic_that_cannot_serve_is_refused_with_the_reason(stack: Stack, topic_prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
    await admin.start()
    wrong = {"max.message.bytes": "1000", "cleanup.policy": "compact", "retention.ms": "60000"}
    await admin.create_topics([NewTopic(topic_prefix + ORDERS.name, 1, 1, topic_configs=wrong)])
    await admin.close()
    with pytest.raises(SetupError) as refused:
        await ensure_topics(stack.kafka, KafkaSettings(prefix=topic_prefix), (ORDERS,))
    assert all(word in str(refused.value) for word in ("max.message.bytes is 1000", "compact", "retention.ms is 60000"))


async def test_topics_that_the_broker_refuses_are_named(stack: Stack, topic_prefix: str) -> None:
    settings = KafkaSettings(prefix=topic_prefix, replication=3)
    with pytest.raises(SetupError, match=r"tallystick\.orders is not there and the broker refuses"):
        await ensure_topics(stack.kafka, settings, (ORDERS,))


async def test_no_broker_is_unavailable_not_a_hang() -> None:
    with pytest.raises(Unavailable):
        await ensure_topics("127.0.0.1:9", KafkaSettings())
    with pytest.raises(Unavailable):
        await Producer("127.0.0.1:9").start()


# ---- producer ------------------------------------------------------------------------------------------------------


async def test_messages_of_a_key_keep_their_order_and_their_headers(
    stack: Stack, settings: KafkaSettings, producer: Producer
) -> None:
    sent = [Message(ORDERS, b"woo/1", str(n).encode(), [("n", b"%d" % n)]) for n in range(300)]
    await asyncio.gather(*(producer.send_all(sent[n : n + 100]) for n in range(0, 300, 100)))
    async with member(stack, settings) as consumer:
        found = await poll_until(consumer, 300)
    assert len({record.partition for record in found}) == 1
    for first in range(0, 300, 100):
        own = [n for n in numbers(found) if first <= n < first + 100]
        assert own == list(range(first, first + 100))
    assert all(record.header("n") == record.value for record in found)


async def test_the_largest_delivery_passes_and_a_larger_one_is_refused(
    stack: Stack, settings: KafkaSettings, producer: Producer
) -> None:
    """S4, F19: one byte to the limit, incompressible or not."""
    import os

    bodies = [b"", b"x", os.urandom(VALUE_MAX), b"a" * VALUE_MAX]
    for n, value in enumerate(bodies):
        await producer.send(Message(ORDERS, b"woo/%d" % n, value, [("received-at", b"2026-11-23")]))
    with pytest.raises(TooLarge):
        await producer.send(Message(ORDERS, b"woo/9", b"a" * (RECORD_MAX + 1)))
    async with member(stack, settings) as consumer:
        found = await poll_until(consumer, len(bodies))
    assert sorted(record.value or b"" for record in found) == sorted(bodies)


async def test_a_broker_that_does_not_answer_in_time_is_unavailable(
    stack: Stack, settings: KafkaSettings, producer: Producer
) -> None:
    with pytest.raises(Unavailable):
        await producer.send(orders(1)[0], within_s=0.000001)
    await producer.send(orders(1)[0])


# ---- consumer ------------------------------------------------------------------------------------------------------


async def test_a_new_group_begins_at_the_beginning(stack: Stack, settings: KafkaSettings, producer: Producer) -> None:
    await producer.send_all(orders(50))
    async with member(stack, settings) as consumer:
        assert sorted(numbers(await poll_until(consumer, 50))) == list(range(50))


async def test_only_what_was_handed_back_is_committed(
    stack: Stack, settings: KafkaSettings, producer: Producer
) -> None:
    """A worker that dies after polling: its records come again; what it committed does not."""
    await producer.send_all(orders(40))
    async with member(stack, settings) as consumer:
        first: list[Record] = []
        while len(first) < 20:
            batch = await consumer.poll(max_records=10)
            first += batch.records
            assert await consumer.commit(batch)
        await consumer.poll(max_records=10)
    async with member(stack, settings) as consumer:
        again = await poll_until(consumer, 40 - len(first))
    assert sorted(numbers(first) + numbers(again)) == list(range(40))


async def test_a_pause_holds_over_a_rebalance_and_keeps_the_membership(
    stack: Stack, settings: KafkaSettings, producer: Producer
) -> None:
    await producer.send_all(orders(20))
    async with member(stack, settings) as consumer:
        await until(lambda: consumer.assigned, consumer)
        consumer.pause()
        await consumer.poll()
        async with member(stack, settings) as other:
            await until(lambda: len(consumer.assigned) == len(other.assigned) == 2, consumer, other)
        await until(lambda: len(consumer.assigned) == 4, consumer)
        for _ in range(3):
            assert not await consumer.poll(wait_s=0.2)
        assert consumer.paused
        consumer.resume()
        assert len(await poll_until(consumer, 1)) >= 1


async def test_a_batch_of_an_earlier_assignment_is_not_committed(
    stack: Stack, settings: KafkaSettings, producer: Producer
) -> None:
    """No offset ever goes back: whoever has the partition now reads the records again."""
    await producer.send_all(orders(20))
    async with member(stack, settings) as consumer:
        batch = Batch()
        while not batch:
            batch = await consumer.poll()
        async with member(stack, settings) as other:
            found = await until(lambda: len(consumer.assigned) == len(other.assigned) == 2, consumer, other)
            assert not await consumer.commit(batch)
            async with asyncio.timeout(60):
                while set(numbers(found)) != set(range(20)):
                    for one in (consumer, other):
                        found += (await one.poll(wait_s=0.05)).records
            # Had the old batch been committed, its partitions would begin behind it now.
            assert len(found) >= 20


async def test_two_members_share_and_a_dead_one_is_replaced(
    stack: Stack, settings: KafkaSettings, producer: Producer
) -> None:
    await producer.send_all(orders(40))
    async with member(stack, settings) as survivor:
        doomed = member(stack, settings)
        await doomed.start()
        await until(lambda: len(survivor.assigned) == len(doomed.assigned) == 2, survivor, doomed)
        await doomed.stop()
        found = await until(lambda: len(survivor.assigned) == 4, survivor)
        # Nothing was committed, so after the rebalance everything comes from the beginning.
        async with asyncio.timeout(60):
            while set(numbers(found)) != set(range(40)):
                found += (await survivor.poll(wait_s=0.1)).records


async def test_lag_is_what_is_left_to_read(stack: Stack, settings: KafkaSettings, producer: Producer) -> None:
    await producer.send_all([Message(ORDERS, b"woo/1", str(n).encode()) for n in range(30)])
    async with member(stack, settings) as consumer:
        batch = Batch()
        while not batch:
            batch = await consumer.poll(max_records=10)
        assert sum((await consumer.lag()).values()) == 20


async def test_after_a_restore_a_group_is_rewound(stack: Stack, settings: KafkaSettings, producer: Producer) -> None:
    await producer.send_all(orders(30))
    await asyncio.sleep(0.05)
    middle = datetime.now(UTC)
    await asyncio.sleep(0.05)
    await producer.send_all(orders(10, first=30))
    async with member(stack, settings) as consumer:
        seen = 0
        while seen < 40:
            batch = await consumer.poll()
            seen += len(batch.records)
            await consumer.commit(batch)
        with pytest.raises(SetupError, match="still has members"):
            await rewind(stack.kafka, "workers", (ORDERS,), prefix=settings.prefix)
    assert await rewind(stack.kafka, "workers", (ORDERS,), prefix=settings.prefix, to=middle) == 4
    async with member(stack, settings) as consumer:
        assert sorted(numbers(await poll_until(consumer, 10))) == list(range(30, 40))
    await rewind(stack.kafka, "workers", (ORDERS,), prefix=settings.prefix, to=middle + timedelta(days=1))
    await rewind(stack.kafka, "workers", (ORDERS,), prefix=settings.prefix)
    async with member(stack, settings) as consumer:
        assert sorted(numbers(await poll_until(consumer, 40))) == list(range(40))


async def test_offsets_are_committed_per_partition(stack: Stack, settings: KafkaSettings, producer: Producer) -> None:
    await producer.send_all(orders(40))
    async with member(stack, settings) as consumer:
        offsets: dict[TopicPartition, int] = {}
        while sum(offsets.values()) < 40:
            batch = await consumer.poll(max_records=7)
            offsets |= batch.offsets
            await consumer.commit(batch)
    assert len(offsets) == 4
