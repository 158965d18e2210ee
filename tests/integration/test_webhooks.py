"""Deliveries at the edge: who is let in, what is kept of them, and what each answer says (reliability S1 to S3)."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tallystick.intake.delivery import from_record
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.topics import INTAKE
from tallystick.ledger.migrate import migrate
from tallystick.ledger.pool import Pool, open_pool
from tallystick.settings import KafkaSettings
from tallystick.stack import Stack
from tests.integration.webhooks_help import (
    ODD_BODY,
    Edge,
    edge,
    on_intake,
    woo_headers,
)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    await migrate(database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


@pytest.fixture
async def running(stack: Stack, pool: Pool, topic_prefix: str) -> AsyncIterator[Edge]:
    await ensure_topics(stack.kafka, KafkaSettings(partitions=2, prefix=topic_prefix), (INTAKE,))
    async with edge(stack.kafka, pool, topic_prefix) as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as client:
        yield client


async def post(client: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]) -> int:
    async with client.post(url, data=body, headers=headers) as answer:
        await answer.read()
        return answer.status


async def test_a_signed_delivery_is_on_kafka_byte_for_byte(
    stack: Stack, running: Edge, topic_prefix: str, client: aiohttp.ClientSession
) -> None:
    """FC-101: the signature is checked over raw bytes, and exactly these go on."""
    assert await post(client, running.url(), ODD_BODY, woo_headers(ODD_BODY)) == 200
    [record] = await on_intake(stack.kafka, topic_prefix, 1)
    delivery = from_record(record)
    assert record.value == ODD_BODY
    assert (delivery.connection, delivery.object_key) == ("woo", "woo/727")
    assert delivery.headers["x-wc-webhook-topic"] == "order.updated"
    assert not any("signature" in name for name in delivery.headers)
    assert running.counted("accepted") == 1
