"""Migrations: `NNNN_name.pre.sql` runs before the new code starts, `NNNN_name.post.sql` once the old code is gone.

Only widening changes in `pre`, so that old and new code run side by side. Over a direct connection (not pgbouncer),
one transaction for all, under a transaction-level lock, so that two migrators cannot run at once.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

import asyncpg

from tallystick.errors import SetupError

Phase = Literal["pre", "post"]
_FILE = re.compile(r"(?P<number>\d{4})_(?P<name>\w+)\.(?P<phase>pre|post)\.sql")
#: Any constant serves; it names our migrations among the advisory locks of the database.
_LOCK = 7_355_608


@dataclass(frozen=True, slots=True, order=True)
class Migration:
    """One file."""

    number: int
    phase: str
    name: str
    sql: str

    @property
    def label(self) -> str:
        """Its name in `schema_migration`."""
        return f"{self.number:04d}_{self.name}.{'pre' if self.phase == 'a' else 'post'}"


def all_migrations() -> list[Migration]:
    """Every migration in the order in which they run: by number, `pre` before `post` of the same number."""
    found = []
    for path in (files(__package__) / "migrations").iterdir():
        match = _FILE.fullmatch(path.name)
        if match:
            phase = "a" if match["phase"] == "pre" else "b"
            found.append(Migration(int(match["number"]), phase, match["name"], path.read_text(encoding="utf-8")))
    return sorted(found)


async def migrate(dsn: str, phase: Phase | None = None) -> list[str]:
    """Bring the database up to date; returns the names of what ran. `phase` None runs both (a single machine)."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            return await _run(connection, phase)
    finally:
        await connection.close()


async def _run(connection: asyncpg.Connection, phase: Phase | None, only: Collection[str] | None = None) -> list[str]:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration"
        " (id text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    done = {row["id"] for row in await connection.fetch("SELECT id FROM schema_migration")}
    ran = []
    for migration in all_migrations():
        label = migration.label
        if (
            label in done
            or (phase is not None and not label.endswith(phase))
            or (only is not None and label not in only)
        ):
            continue
        await connection.execute(migration.sql)
        await connection.execute("INSERT INTO schema_migration (id) VALUES ($1)", label)
        ran.append(label)
    return ran


async def migrate_to(connection: asyncpg.Connection, labels: Collection[str]) -> None:
    """Exactly these migrations on an empty database, inside the caller's transaction: what a backup was made with."""
    await _run(connection, None, labels)


async def require_current(dsn: str) -> None:
    """Raise `SetupError` unless every `pre` migration of this code has run, and no unknown `post` one.

    An unknown `pre` is a newer version that is being rolled out beside us; its `post` says that our time is over.
    """
    # May go through pgbouncer, which knows no prepared statements between transactions.
    connection = await asyncpg.connect(dsn, statement_cache_size=0)
    try:
        exists = await connection.fetchval("SELECT to_regclass('schema_migration') IS NOT NULL")
        done = {row["id"] for row in await connection.fetch("SELECT id FROM schema_migration")} if exists else set()
    finally:
        await connection.close()
    missing = [m.label for m in all_migrations() if m.phase == "a" and m.label not in done]
    if missing:
        raise SetupError(f"the database lacks {', '.join(missing)}; run `tallystick migrate` first")
    newer = sorted(
        label for label in done - {migration.label for migration in all_migrations()} if label.endswith(".post")
    )
    if newer:
        raise SetupError(
            f"the database was brought to a newer version than this one ({', '.join(newer)}); "
            "install that version of Tallystick, or restore a backup into an empty database"
        )
