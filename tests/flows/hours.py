"""Hours that pass in a moment, for every clock that decides: ours, the shops', Odoo's, and that of Postgres.

Leases, due times, circuits and turns of polls are judged by Postgres, so its `clock_timestamp` gives way to one that
can be ahead: the product's tables and statements find it first. The processes' clock is moved in the same breath. What
cannot be moved is how long a loop sleeps and how long a request takes, so loops take their turns in real time between
two moves, and Kafka, which keeps what it has for longer than a day anyway, goes on living in real time.

No hour passes while a lane is leased: that would be a process that hung for an hour in the middle of a request, which
is another fault than an outage (and is tried elsewhere).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg

_SIMULATED = """
CREATE SCHEMA simulated;
CREATE TABLE simulated.ahead (by interval NOT NULL);
INSERT INTO simulated.ahead VALUES ('0');
CREATE FUNCTION simulated.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS
$$ BEGIN RETURN pg_catalog.clock_timestamp() + (SELECT by FROM simulated.ahead); END $$;
"""
#: Between two looks whether a lane is leased.
_AGAIN_S = 0.02


class Hours:
    """A clock for all parts of one installation; it begins at the real time."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._dsn = ""

    def now(self) -> datetime:
        """The simulated instant, in UTC."""
        return datetime.now(UTC) + self._ahead

    def monotonic_s(self) -> float:
        """Simulated seconds that never go back."""
        return time.monotonic() + self._ahead.total_seconds()

    async def install(self, dsn: str) -> None:
        """Make the empty database live in this time."""
        self._dsn = dsn
        connection = await asyncpg.connect(dsn)
        try:
            name = dsn.rsplit("/", 1)[1]
            await connection.execute(_SIMULATED)
            # What the path names before `pg_catalog` is found before it.
            await connection.execute(f'ALTER DATABASE "{name}" SET search_path = public, simulated, pg_catalog')
        finally:
            await connection.close()

    async def move(self, hours: float) -> None:
        """So much time passes at once, as soon as no lane is leased."""
        step = timedelta(hours=hours)
        connection = await asyncpg.connect(self._dsn)
        try:
            while not await self._moved(connection, step):
                await asyncio.sleep(_AGAIN_S)
        finally:
            await connection.close()

    async def _moved(self, connection: asyncpg.Connection, step: timedelta) -> bool:
        async with connection.transaction():
            # Nobody takes a lane meanwhile.
            await connection.execute("LOCK TABLE lane IN EXCLUSIVE MODE")
            if await connection.fetchval("SELECT EXISTS (SELECT FROM lane WHERE lease_until >= clock_timestamp())"):
                return False
            await connection.execute("UPDATE simulated.ahead SET by = by + $1", step)
            self._ahead += step
            return True

    async def looked(self, until: Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]) -> None:
        """Until every poll has taken a turn since the last move."""
        connection = await asyncpg.connect(self._dsn)
        try:
            since = await connection.fetchval("SELECT clock_timestamp()")
            # Second passes, whole reads, and lists that are read rarely come round by their own times.
            frequent = "flow NOT LIKE '%,%' AND flow <> 'customers'"

            async def all_of_them() -> bool:
                late = f"SELECT count(*) FROM poll_cursor WHERE {frequent} AND polled_at <= $1"
                return not await connection.fetchval(late, since)

            await until(all_of_them)
        finally:
            await connection.close()
