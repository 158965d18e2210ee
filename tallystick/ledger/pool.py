"""Connections to Postgres: one pool a process, fit for pgbouncer in transaction mode, and transactions that repeat.

No LISTEN, no session locks, no session settings: everything that a statement needs is in the statement.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

import asyncpg
import stamina

from tallystick.settings import LedgerSettings
from tallystick.telemetry import Metrics

#: asyncpg ships no types.
Connection: TypeAlias = Any
T = TypeVar("T")

#: Deadlock and serialization failure: Postgres rolled the transaction back whole, so it may run again.
_ROLLED_BACK = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
#: A process that is frozen inside a transaction loses its locks after so long, else nobody could record for its
#: lanes until it wakes. Shorter than a lease, far longer than any pause between two of our statements.
IDLE_MAX_S = 10.0

#: Our statements find their rows by key. A plan that was made while a table was small reads all of it instead, and
#: stays in use while the table grows: until it is analyzed the ledger of a new installation slows down with each order.
_BY_KEY = [f"SET LOCAL enable_{way} = off" for way in ("seqscan", "hashjoin", "mergejoin")]


class Pool:
    """A pool of connections; `run` is the one way to a transaction."""

    def __init__(self, pool: asyncpg.Pool, metrics: Metrics | None = None, idle_max_s: float = IDLE_MAX_S) -> None:
        self._pool = pool
        # Ends with the transaction, so it is no setting of the session.
        bound = f"SET LOCAL idle_in_transaction_session_timeout = {int(idle_max_s * 1000)}"
        self._begin = "; ".join(["BEGIN", bound, *_BY_KEY])
        self._wait_seconds = metrics.db_acquire_seconds if metrics is not None else None

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` in one transaction; repeated whole after a deadlock or a serialization failure.

        `work` must do nothing but SQL. Raises what asyncpg raises otherwise; `OSError` when Postgres is away.
        """
        async for attempt in stamina.retry_context(on=_ROLLED_BACK, attempts=10, wait_initial=0.01, wait_max=0.5):
            with attempt:
                async with self._connection() as connection, self._transaction(connection):
                    return await work(connection)
        raise AssertionError("unreachable")

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """One statement by itself."""
        async with self._connection() as connection:
            return list(await connection.fetch(query, *arguments))

    @asynccontextmanager
    async def _transaction(self, connection: Connection) -> AsyncIterator[None]:
        """As asyncpg's own, but begun and bounded in one round trip."""
        try:
            await connection.execute(self._begin)
            yield
        except BaseException:
            if not connection.is_closed():
                await connection.execute("ROLLBACK")
            raise
        await connection.execute("COMMIT")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        began_s = time.perf_counter()
        async with self._pool.acquire() as connection:
            if self._wait_seconds is not None:
                self._wait_seconds.observe(time.perf_counter() - began_s)
            try:
                yield connection
            except asyncpg.InternalClientError as error:
                # The server's farewell met our statement, and the library has lost its place in the protocol.
                connection.terminate()
                raise asyncpg.InterfaceError("the connection was lost") from error

    async def close(self) -> None:
        """Give the connections back."""
        await self._pool.close()


async def _nothing_to_reset(_connection: Connection) -> None:
    """Sessions hold nothing of ours between transactions, so the pool need not ask the server to forget anything."""


async def open_pool(dsn: str, settings: LedgerSettings | None = None, metrics: Metrics | None = None) -> Pool:
    """Open the pool. Raises `OSError` or asyncpg's errors when Postgres cannot be reached."""
    settings = settings or LedgerSettings()
    pool = await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=settings.pool_max,
        statement_cache_size=settings.statement_cache_size,
        command_timeout=60,
        max_inactive_connection_lifetime=300,
        reset=_nothing_to_reset,
    )
    return Pool(pool, metrics)
