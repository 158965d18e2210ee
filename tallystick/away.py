"""When our own parts are away: Kafka or Postgres. The work in hand is repeated whole until they are back."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import structlog

from tallystick.errors import Unavailable

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: What Kafka's port and asyncpg raise while the other side cannot be reached, restarts or is full.
AWAY = (
    Unavailable,
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
)
_FIRST_S = 0.1
_MAX_S = 5.0


async def sleep_unless(stop: asyncio.Event, seconds: float) -> None:
    """Wait that long, or until `stop` is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def persist(work: Callable[[], Awaitable[T]], stop: asyncio.Event, what: str) -> T | None:
    """The result of `work`, repeated while one of `AWAY` is raised; None when `stop` was set first."""
    wait_s = _FIRST_S
    while not stop.is_set():
        try:
            return await work()
        except AWAY as error:
            log.warning("repeating", what=what, error=type(error).__name__, in_s=round(wait_s, 1))
            await sleep_unless(stop, wait_s * random.uniform(0.7, 1.3))
            wait_s = min(_MAX_S, wait_s * 2)
    return None
