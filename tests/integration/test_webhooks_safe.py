"""FC-104: an answer says that the delivery is durable, on Kafka or in Postgres, and comes in time either way."""

import asyncio
import json
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import asyncpg
import pytest
import pytest_asyncio

from consumers.relay import Relay
from service import webhook_inbox
from tallystick.intake.admission import Admission
from tallystick.intake.door import Door
from tallystick.intake.rereads import Rereads
from tallystick.kafka.codec import decode
from tallystick.kafka.topics import INTAKE, ORDERS
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import PendingReason
from tallystick.ledger.pool import open_pool
from tallystick.stack import Stack, open_stack
from tallystick.stack.kafka import Broker
from tests.integration.webhooks_help import Edge, fresh_edge, on_topic, raw, request, woo_headers
from tests.unit.adapters.woocommerce.written import order

_HANG_UP = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"


@pytest_asyncio.fixture(scope="module")
async def own(stack: Stack) -> AsyncIterator[tuple[str, Broker]]:
    """A broker that these tests may stop."""
    async with open_stack(postgres=stack.postgres, durable=False, report=lambda _: None) as running:
        assert running.servers is not None
        assert running.servers.kafka is not None
        yield running.kafka, running.servers.kafka.brokers[0]


@pytest.fixture
async def running(own: tuple[str, Broker], database: str) -> AsyncIterator[Edge]:
    async with fresh_edge(own[0], database, uuid.uuid4().hex[:8] + ".") as running:
        yield running


def delivery(number: int) -> bytes:
    return json.dumps(order(id=number, number=str(number)), default=str).encode()


async def deliver(running: Edge, number: int) -> tuple[int, float]:
    """The status, and the seconds that it took."""
    body = delivery(number)
    async with raw(running.address) as sender:
        began_s = time.monotonic()
        await sender.send(request(body, woo_headers(body)))
        return (await sender.answer())[0], time.monotonic() - began_s


@contextmanager
def frozen(broker: Broker) -> Iterator[None]:
    """It stands still: connections stay open and nothing is answered."""
    assert broker._process is not None
    pid = broker._process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def killed(broker: Broker) -> Iterator[None]:
    broker.kill()
    try:
        yield
    finally:
        broker.start()


@pytest.mark.parametrize("outage", [frozen, killed], ids=["frozen", "killed"])
async def test_while_kafka_is_away_postgres_takes_deliveries_and_the_relay_hands_them_on(
    own: tuple[str, Broker], running: Edge, database: str, outage: type
) -> None:
    kafka, broker = own
    assert (await deliver(running, 1))[0] == 200
    with outage(broker):
        first = await asyncio.gather(*(deliver(running, number) for number in range(2, 12)))
        later = [await deliver(running, number) for number in range(12, 15)]
        assert [status for status, _ in first + later] == [200] * 13
        assert max(took_s for _, took_s in first) < 5
        # Only the first ones had to find out.
        assert max(took_s for _, took_s in later) < 1.5
        [backlog] = await running.pending.backlog()
        assert (backlog.connection, backlog.reason, backlog.number) == ("woo", PendingReason.KAFKA_DOWN, 13)
    await _relayed(running, database, 13)
    events = [decode(record) for record in await on_topic(kafka, running.prefix, ORDERS)]
    assert {event.object_id for event in events} == {str(number) for number in range(2, 15)}
    await _until_kafka_takes_again(running)


async def _relayed(running: Edge, database: str, number: int) -> None:
    pool = await open_pool(database)
    objects, stores = Objects(pool), {"woo": running.installation.adapters["woo"]}
    door = Door(objects, running.producer)
    rereads = Rereads(objects, door, stores, running.installation.clock)
    admission = Admission(door, rereads, stores)
    relay = Relay(["woo"], running.pending, objects, admission, rereads, running.producer, running.installation.clock)
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    try:
        async with asyncio.timeout(120):
            while await running.pending.backlog():
                await asyncio.sleep(0.1)
    finally:
        stop.set()
        await task
        await pool.close()


async def _until_kafka_takes_again(running: Edge) -> None:
    kafka = running.installation.metrics.registry
    labels = {"topic": INTAKE.name, "outcome": "acknowledged"}
    before = kafka.get_sample_value("tallystick_produced_total", labels) or 0
    async with asyncio.timeout(60):
        while (kafka.get_sample_value("tallystick_produced_total", labels) or 0) == before:
            assert (await deliver(running, 99))[0] == 200
            await asyncio.sleep(0.2)


async def test_without_kafka_and_postgres_the_store_is_asked_to_come_again(
    own: tuple[str, Broker], running: Edge, stack: Stack, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 and no 2xx: a store that sends again loses nothing, and one that does not is polled."""
    monkeypatch.setattr(webhook_inbox, "AGAIN_S", 0.5)
    administrator = await asyncpg.connect(stack.postgres)
    name = database.rsplit("/", 1)[1]
    try:
        with frozen(own[1]):
            await administrator.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            await administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
            status, took_s = await deliver(running, 1)
            assert status == 503
            assert took_s < 5
            assert running.counted("accepted") == 0
            await administrator.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            assert (await deliver(running, 1))[0] == 200
            assert running.counted("accepted") == 1
        await _until_kafka_takes_again(running)
    finally:
        await administrator.close()


async def test_a_delivery_on_kafka_needs_no_postgres(stack: Stack, database: str, topic_prefix: str) -> None:
    """The edge survives an outage of the database unnoticed."""
    async with fresh_edge(stack.kafka, database, topic_prefix) as running:
        await running.pending._pool.close()
        assert (await deliver(running, 1))[0] == 200
