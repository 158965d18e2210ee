"""The ledger in one file, and back into an empty database: rows as text, so that any server version reads them.

All tables are read in one snapshot while everything runs on. After a restore nothing is sent until a person says so:
the ledger does not know what the targets were told between the backup and the loss.
"""

import json
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import asyncpg

from tallystick.errors import SetupError, Unreadable
from tallystick.ledger.migrate import all_migrations, migrate, migrate_to
from tallystick.ledger.pool import Connection, Pool
from tallystick.ledger.queries import queries

_SQL = queries("backup")
_FORMAT = 1
_MANIFEST = "manifest.json"
#: How much earlier than it stood each poller begins after a restore.
_POLL_BACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says about itself."""

    taken_at: datetime
    made_by: str
    migrations: tuple[str, ...]
    #: Table name to its columns.
    tables: Mapping[str, tuple[str, ...]]
    sequences: Mapping[str, int]
    rows: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """For the file and for people."""
        return {
            "format": _FORMAT,
            "taken_at": self.taken_at.isoformat(),
            "made_by": self.made_by,
            "migrations": list(self.migrations),
            "tables": {name: list(columns) for name, columns in self.tables.items()},
            "sequences": dict(self.sequences),
            "rows": dict(self.rows),
        }


# ---- backup --------------------------------------------------------------------------------------------------------


async def backup(dsn: str, file: Path, now: datetime) -> Manifest:
    """Write the ledger into `file`, which must not be there yet. Raises `SetupError`."""
    connection = await asyncpg.connect(dsn, statement_cache_size=0)
    try:
        with _new_file(file) as archive:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await _write(connection, archive, now)
    finally:
        await connection.close()


@contextmanager
def _new_file(file: Path) -> Iterator[zipfile.ZipFile]:
    """Written under another name first: a file that is there is whole. It is its owner's only, for buyers are in it."""
    if file.exists():
        raise SetupError(f"{file} is there already; a backup never overwrites another")
    half = file.with_name(file.name + ".part")
    try:
        with (
            open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            yield archive
        half.rename(file)
    except OSError as error:
        raise SetupError(f"{file} cannot be written: {error.strerror}") from error
    finally:
        half.unlink(missing_ok=True)


async def _write(connection: Connection, archive: zipfile.ZipFile, now: datetime) -> Manifest:
    tables = {row["name"]: tuple(row["columns"]) for row in await connection.fetch(_SQL["tables"])}
    if "lane" not in tables:
        raise SetupError("there is no ledger in this database; nothing to back up")
    rows: dict[str, int] = {}
    for name, columns in tables.items():
        with archive.open(f"{name}.copy", "w", force_zip64=True) as out:
            rows[name] = await _copy_out(connection, name, columns, out)
    manifest = Manifest(
        now,
        version("tallystick"),
        tuple(row["id"] for row in await connection.fetch(_SQL["migrations"])),
        tables,
        {row["name"]: row["last"] for row in await connection.fetch(_SQL["sequences"])},
        rows,
    )
    archive.writestr(_MANIFEST, json.dumps(manifest.as_json(), indent=1))
    return manifest


async def _copy_out(connection: Connection, name: str, columns: Sequence[str], out: IO[bytes]) -> int:
    """By a query, since a partitioned table cannot be copied by its name. The names are the catalogue's own."""
    listed = ", ".join(f'"{column}"' for column in columns)
    done: str = await connection.copy_from_query(f'SELECT {listed} FROM "{name}"', output=out)  # noqa: S608
    return int(done.split()[-1])


# ---- restore -------------------------------------------------------------------------------------------------------


def read_manifest(file: Path) -> Manifest:
    """What the backup says about itself. Raises `Unreadable` for anything else, `SetupError` for a newer one."""
    try:
        with zipfile.ZipFile(file) as archive:
            found = json.loads(archive.read(_MANIFEST))
        manifest = Manifest(
            datetime.fromisoformat(found["taken_at"]),
            found["made_by"],
            tuple(found["migrations"]),
            {name: tuple(columns) for name, columns in found["tables"].items()},
            found["sequences"],
            found["rows"],
        )
    except OSError as error:
        raise Unreadable(f"{file} cannot be read: {error.strerror}") from error
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as error:
        raise Unreadable(f"{file} is no backup of Tallystick") from error
    if found.get("format") != _FORMAT:
        raise SetupError(f"{file} was made by Tallystick {manifest.made_by}, which is newer; install that version")
    return manifest


async def restore(dsn: str, file: Path, routes: Sequence[tuple[str, str]]) -> Manifest:
    """Fill an empty database, all or nothing. Nothing of `routes` (store, target) is sent until `release`.

    Raises `SetupError` when the database is not empty or the backup is newer than this code, `Unreadable`.
    """
    manifest = read_manifest(file)
    unknown = sorted(set(manifest.migrations) - {migration.label for migration in all_migrations()})
    if unknown:
        raise SetupError(f"{file} was made by Tallystick {manifest.made_by}, which is newer; install that version")
    connection = await asyncpg.connect(dsn)
    try:
        if await connection.fetchval(_SQL["occupied"]):
            raise SetupError("the database is not empty; a backup is restored into an empty one only")
        async with connection.transaction():
            await migrate_to(connection, manifest.migrations)
            with zipfile.ZipFile(file) as archive:
                await _read(connection, archive, manifest)
            await _hold_back(connection, routes)
    finally:
        await connection.close()
    await migrate(dsn)
    return manifest


async def _read(connection: Connection, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    for name, columns in manifest.tables.items():
        with archive.open(f"{name}.copy") as rows:
            await connection.copy_to_table(name, columns=list(columns), source=rows)
    for name, last in manifest.sequences.items():
        await connection.execute(_SQL["set_sequence"], name, last)


async def _hold_back(connection: Connection, routes: Sequence[tuple[str, str]]) -> None:
    stores, targets = [store for store, _ in routes], [target for _, target in routes]
    await connection.execute(_SQL["stop"], stores, targets)
    await connection.execute(_SQL["free_lanes"])
    await connection.execute(_SQL["poll_again"], _POLL_BACK)


# ---- release -------------------------------------------------------------------------------------------------------


async def release(pool: Pool) -> tuple[int, int]:
    """Let restored routes go; every unfinished effect is looked up in its target first. (routes, effects)"""

    async def work(connection: Connection) -> tuple[int, int]:
        row = await connection.fetchrow(_SQL["doubt"])
        return row["routes"], row["effects"]

    return await pool.run(work)
