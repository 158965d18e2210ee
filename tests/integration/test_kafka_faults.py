"""The port of Kafka while its broker dies and comes back (F4)."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator

import pytest

from tallystick.errors import Unavailable
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.consumer import Consumer, Times
from tallystick.kafka.producer import Message, Producer
from tallystick.kafka.topics import ORDERS
from tallystick.settings import KafkaSettings
from tallystick.stack import Stack, open_stack
from tallystick.stack.kafka import Broker


@pytest.fixture
async def own(stack: Stack) -> AsyncIterator[tuple[str, Broker]]:
    """A broker that a test may kill."""
    async with open_stack(postgres=stack.postgres, durable=True, report=lambda _: None) as running:
        assert running.servers is not None
        assert running.servers.kafka is not None
        yield running.kafka, running.servers.kafka.brokers[0]


def message(number: int) -> Message:
    return Message(ORDERS, f"woo/{number}".encode(), str(number).encode())


async def send_until_acknowledged(producer: Producer, number: int) -> None:
    async with asyncio.timeout(90):
        while True:
            try:
                return await producer.send(message(number), within_s=2.0)
            except Unavailable:
                await asyncio.sleep(0.2)


async def test_what_was_acknowledged_outlives_kill_9_and_both_sides_resume(own: tuple[str, Broker]) -> None:
    address, broker = own
    settings = KafkaSettings(partitions=2, prefix=uuid.uuid4().hex[:8] + ".")
    await ensure_topics(address, settings, (ORDERS,))
    producer = Producer(address, prefix=settings.prefix)
    await producer.start()
    consumer = Consumer(address, "workers", (ORDERS,), prefix=settings.prefix, times=Times(6, 6, 0.5))
    try:
        await producer.send_all([message(n) for n in range(20)])
        async with consumer:
            seen: set[int] = set()
            while len(seen) < 20:
                batch = await consumer.poll()
                seen |= {int(record.value or b"") for record in batch.records}
                await consumer.commit(batch)
            broker.kill()
            with pytest.raises(Unavailable):
                await producer.send(message(20), within_s=0.5)
            broker.start()
            await send_until_acknowledged(producer, 21)
            async with asyncio.timeout(90):
                while 21 not in seen:
                    try:
                        batch = await consumer.poll()
                    except Unavailable:
                        continue
                    seen |= {int(record.value or b"") for record in batch.records}
                    await consumer.commit(batch)
    finally:
        await producer.stop()


async def test_stopping_while_the_broker_is_away_ends_in_time(own: tuple[str, Broker]) -> None:
    address, broker = own
    settings = KafkaSettings(partitions=2, prefix=uuid.uuid4().hex[:8] + ".")
    await ensure_topics(address, settings, (ORDERS,))
    producer = Producer(address, prefix=settings.prefix)
    await producer.start()
    await producer.send(message(1))
    broker.kill()
    with pytest.raises(Unavailable):
        await producer.send(Message(ORDERS, b"woo/1", os.urandom(1000)), within_s=0.5)
    async with asyncio.timeout(20):
        await producer.stop(within_s=1.0)
