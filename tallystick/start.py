"""What every role does before it begins: reach Postgres and Kafka, check the schema, the topics, the connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog

from tallystick.away import AWAY
from tallystick.errors import SetupError
from tallystick.identity import known_connections
from tallystick.installation import Installation
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.producer import Producer
from tallystick.ledger.migrate import require_current
from tallystick.ledger.pool import Pool, open_pool

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: Servers and roles are often started together; a server that takes longer is not coming.
PATIENCE_S = 60.0
_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Ground:
    """What a role stands on: one pool and one producer, closed when it ends."""

    pool: Pool
    producer: Producer


@asynccontextmanager
async def ground(installation: Installation, patience_s: float = PATIENCE_S) -> AsyncIterator[Ground]:
    """Open the pool and the producer of one role.

    Raises `SetupError` when the database is older or newer than this code, a topic cannot serve, the configuration
    lacks a connection that the ledger knows, or a server does not answer within `patience_s`.
    """
    postgres, kafka, settings = installation.addresses.postgres, installation.addresses.kafka, installation.settings
    await _wait_for("PostgreSQL", lambda: require_current(postgres), patience_s)
    await _wait_for("Kafka", lambda: ensure_topics(kafka, settings.kafka), patience_s)
    pool = await open_pool(postgres, settings.ledger, installation.metrics)
    producer = Producer(kafka, prefix=settings.kafka.prefix, metrics=installation.metrics)
    try:
        await known_connections(pool, settings.connections)
        await producer.start()
        yield Ground(pool, producer)
    finally:
        await producer.stop()
        await pool.close()


async def _wait_for(name: str, work: Callable[[], Awaitable[T]], patience_s: float) -> T:
    ends_at_s = asyncio.get_running_loop().time() + patience_s
    while True:
        try:
            return await work()
        except AWAY as error:
            if asyncio.get_running_loop().time() >= ends_at_s:
                raise SetupError(
                    f"{name} does not answer at the address given ({type(error).__name__}); "
                    "check the address, and that the server runs"
                ) from error
            log.warning("waiting for a server", server=name, error=type(error).__name__)
            await asyncio.sleep(_AGAIN_S)
