"""The whole installation at a glance: what is unfinished, waits or is held, what cannot come in, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asyncpg import Record

from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries

_SQL = queries("status")


@dataclass(frozen=True, slots=True)
class Standing:
    """Counts by target and by connection; rows as `sql/status.sql` names their columns."""

    lanes: list[Record]
    circuits: Mapping[str, Record]
    pauses: list[Record]
    pending: list[Record]
    not_eligible: list[Record]
    polled: Mapping[str, Record]
    server: Mapping[str, Any]


async def standing(pool: Pool, flow: str) -> Standing:
    """Look once; `flow` is the pollers' name of the flow whose cursors are shown."""
    return Standing(
        lanes=await pool.fetch(_SQL["lanes"]),
        circuits={row["target"]: row for row in await pool.fetch(_SQL["circuits"])},
        pauses=await pool.fetch(_SQL["pauses"]),
        pending=await pool.fetch(_SQL["pending"]),
        not_eligible=await pool.fetch(_SQL["not_eligible"]),
        polled={row["connection"]: row for row in await pool.fetch(_SQL["polled"], flow)},
        server=(await pool.fetch(_SQL["servers"]))[0],
    )
