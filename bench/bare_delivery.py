"""The two loops that delivery is measured against.

*bare*: getmany, orjson, post, commit; no ledger and no contract. *naive ledger*: the same with 100 inserts in one
transaction around the post, which is what a careful team writes; it is neither lossless nor free of doubles.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import asyncpg
import orjson
import uvloop
from aiokafka import AIOKafkaConsumer

from bench.children import questions, say

BATCH = 100
_TABLE = "CREATE TABLE IF NOT EXISTS seen (ref text PRIMARY KEY, body bytea NOT NULL, at timestamptz DEFAULT now())"
_INSERT = "INSERT INTO seen (ref, body) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING ref"


async def main(kafka: str, topic: str, group: str, url: str, postgres: str = "") -> None:
    """Until the parent ends; the ERP counts."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    async with _connection(postgres) as ledger, aiohttp.ClientSession() as client:
        await consumer.start()
        say()
        ended = asyncio.create_task(_ended())
        while not ended.done():
            found = await consumer.getmany(timeout_ms=200, max_records=BATCH)
            values = [message.value for messages in found.values() for message in messages]
            if not values:
                continue
            if ledger is None:
                await _post(client, url, [orjson.loads(value) for value in values])
            else:
                await _recorded(ledger, client, url, values)
            await consumer.commit()
        await consumer.stop()


async def _ended() -> None:
    async for _ in questions():
        say()


async def _recorded(ledger: asyncpg.Connection, client: aiohttp.ClientSession, url: str, values: list[bytes]) -> None:
    async with ledger.transaction():
        fresh = []
        for value in values:
            document = orjson.loads(value)
            if await ledger.fetchval(_INSERT, document["ref"], value) is not None:
                fresh.append(document)
        await _post(client, url, fresh)


async def _post(client: aiohttp.ClientSession, url: str, documents: Sequence[object]) -> None:
    if not documents:
        return
    async with client.post(f"{url}/orders", data=orjson.dumps(documents)) as answer:
        answer.raise_for_status()
        orjson.loads(await answer.read())


@asynccontextmanager
async def _connection(postgres: str) -> AsyncIterator[asyncpg.Connection | None]:
    if not postgres:
        yield None
        return
    connection = await asyncpg.connect(postgres)
    await connection.execute(_TABLE)
    try:
        yield connection
    finally:
        await connection.close()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
