"""Deliveries that could not become canonical, or that Kafka did not take. Nothing is dropped: a row leaves when its
delivery was dealt with, however long that takes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries

_SQL = queries("pending")


class PendingReason(StrEnum):
    """Why a delivery waits; the closed list that metrics carry."""

    #: Kafka did not take it at the edge.
    KAFKA_DOWN = "KAFKA_DOWN"
    #: The store cannot be read now, or this process holds off for a while after two failures.
    STORE_DOWN = "STORE_DOWN"
    THROTTLED = "THROTTLED"
    UNAUTHORISED = "UNAUTHORISED"
    #: There was no time to read it within the batch that it came in.
    READ_LATER = "READ_LATER"
    #: What was read is older than what is known: a replica lags, or others read at the same time.
    STALE_READ = "STALE_READ"
    #: Our own translation failed on it; it is tried again, so that a corrected version finds it.
    PARSER = "PARSER"
    #: The canonical message is larger than the topics take.
    TOO_LARGE = "TOO_LARGE"
    #: No such connection in this process's configuration.
    UNKNOWN_CONNECTION = "UNKNOWN_CONNECTION"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery to be put aside. `detail` carries nothing of its content."""

    connection: str
    object_key: str
    raw: bytes
    headers: Mapping[str, str]
    reason: PendingReason
    received_at: datetime
    detail: str = ""
    due_in_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Pending:
    """A delivery that waited and is taken up again."""

    id: int
    connection: str
    object_key: str
    raw: bytes
    headers: Mapping[str, str]
    reason: PendingReason
    #: Including this one.
    attempts: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits for one reason, and the longest wait in seconds."""

    connection: str
    reason: str
    number: int
    oldest_s: float


class PendingDeliveries:
    """The table `pending_delivery`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def put(self, rows: Sequence[Waiting]) -> None:
        """Put aside; durable when it returns."""
        if not rows:
            return
        await self._pool.fetch(
            _SQL["insert"],
            [row.connection for row in rows],
            [row.object_key for row in rows],
            [row.raw for row in rows],
            [json.dumps(dict(row.headers)) for row in rows],
            [row.reason for row in rows],
            [row.detail[:500] for row in rows],
            [row.received_at for row in rows],
            [timedelta(seconds=row.due_in_s) for row in rows],
        )

    async def claim(self, connection: str, limit: int, lease_s: float) -> list[Pending]:
        """Due deliveries of one connection, each to one taker; due again after `lease_s` unless dealt with."""
        rows = await self._pool.fetch(_SQL["claim"], connection, limit, timedelta(seconds=lease_s))
        found = [
            Pending(
                row["id"],
                connection,
                row["object_key"],
                row["raw"],
                json.loads(row["headers"]),
                PendingReason(row["reason"]),
                row["attempts"],
                row["received_at"],
            )
            for row in rows
        ]
        return sorted(found, key=lambda row: row.id)

    async def done(self, ids: Sequence[int]) -> None:
        """These were dealt with."""
        if ids:
            await self._pool.fetch(_SQL["done"], ids)

    async def later(self, rows: Sequence[tuple[int, PendingReason, str, float]]) -> None:
        """(id, reason, detail, seconds until due) of those that go on waiting."""
        if rows:
            ids, reasons, details, due = zip(*rows, strict=True)
            due_in = [timedelta(seconds=seconds) for seconds in due]
            await self._pool.fetch(_SQL["later"], ids, reasons, [text[:500] for text in details], due_in)

    async def backlog(self) -> list[Backlog]:
        """What waits, for gauges and people."""
        return [Backlog(*row) for row in await self._pool.fetch(_SQL["waiting"])]
