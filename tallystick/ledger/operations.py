"""Operations that outlast a call. The same request id is the same operation; whoever works one has it for a lease."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from tallystick.canonical.keys import parts
from tallystick.canonical.times import to_timestamp
from tallystick.errors import TallystickError
from tallystick.ledger.pool import Connection, Pool
from tallystick.ledger.queries import queries
from tallystick.ledger.views import Order
from tallystick.v1 import operation_pb2 as pb

_SQL = queries("operations")

RESYNC = "resync"


class RequestReused(TallystickError):
    """The request id stands for another wish already."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a resync is about: orders by name, or a window of one store; into one target or all."""

    names: tuple[str, ...] = ()
    connection: str = ""
    since: datetime | None = None
    until: datetime | None = None
    target: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """An operation in hand, ours as long as its epoch is this one."""

    id: str
    epoch: int
    request_id: str
    wanted: Wanted
    actor: str
    note: str
    #: What comes after it is still to do.
    position: str
    #: Tries at the next part, this one included.
    attempts: int


@dataclass(frozen=True, slots=True)
class Part:
    """How a part of an operation went."""

    position: str
    done: int
    failed: int = 0
    #: In words, without personal data.
    problems: tuple[str, ...] = ()
    last: bool = False


class Operations:
    """The table `operation`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    # ---- for those who ask -----------------------------------------------------------------------------------------

    async def create(self, request_id: str, wanted: Wanted, actor: str, note: str) -> pb.Operation:
        """Begin a resync, or answer the one that this request began. Raises `RequestReused`."""
        asked = _dump(wanted)

        async def work(connection: Connection) -> Mapping[str, Any]:
            total = len(wanted.names) or await _window_size(connection, wanted)
            name = f"op-{uuid.uuid4().hex[:20]}"
            made = await connection.execute(_SQL["create"], name, request_id, RESYNC, asked, actor, note, total)
            if made == "INSERT 0 1":
                await connection.execute(_SQL["tell"], name, "resync requested", note, actor, request_id)
            row: Mapping[str, Any] = await connection.fetchrow(_SQL["by_request"], request_id)
            return row

        row = await self._pool.run(work)
        if orjson.loads(row["asked"]) != orjson.loads(asked):
            raise RequestReused("the request id was used before for other orders; choose a new one")
        return _message(row)

    async def get(self, operation_id: str) -> pb.Operation | None:
        """The operation as it stands."""
        rows = await self._pool.fetch(_SQL["get"], operation_id)
        return _message(rows[0]) if rows else None

    async def cancel(self, operation_id: str, actor: str) -> pb.Operation | None:
        """Leave undone what is not done yet; nothing changes for one that is finished. None when there is none."""

        async def work(connection: Connection) -> None:
            if await connection.fetchrow(_SQL["cancel"], operation_id) is not None:
                await connection.execute(_SQL["tell"], operation_id, "cancelled", "", actor, None)

        await self._pool.run(work)
        return await self.get(operation_id)

    # ---- for those who work ----------------------------------------------------------------------------------------

    async def claim(self, lease_s: float) -> Taken | None:
        """Take the one that waits longest; due for others again after the lease."""
        rows = await self._pool.fetch(_SQL["claim"], timedelta(seconds=lease_s))
        return _taken(rows[0]) if rows else None

    async def advance(self, taken: Taken, part: Part) -> None:
        """A part is dealt with; nothing happens when the operation was cancelled or is in other hands."""
        await self._pool.fetch(
            _SQL["advance"],
            taken.id,
            taken.epoch,
            part.position,
            part.done,
            part.failed,
            list(part.problems),
            part.last,
        )

    async def later(self, taken: Taken, in_s: float, *, tried: bool) -> None:
        """Take the same part up again later; `tried` counts as a try."""
        await self._pool.fetch(_SQL["later"], taken.id, taken.epoch, timedelta(seconds=in_s), 0 if tried else 1)

    async def next_orders(self, taken: Taken, limit: int) -> list[Order]:
        """The orders of the next part."""
        wanted = taken.wanted
        if wanted.names:
            names = [name for name in wanted.names if name > taken.position]
            return [Order(*parts(name)) for name in names[:limit]]
        span = (wanted.connection, wanted.since, wanted.until)
        rows = await self._pool.fetch(_SQL["window"], *span, taken.position, limit)
        return [Order(wanted.connection, row["id"]) for row in rows]

    async def revisions(self, orders: Sequence[Order]) -> dict[Order, tuple[int, bytes]]:
        """Revision and content hash of those orders that are known."""
        if not orders:
            return {}
        connections, ids = [one.connection for one in orders], [one.order_id for one in orders]
        rows = await self._pool.fetch(_SQL["revisions"], connections, ids)
        return {Order(row["connection"], row["id"]): (row["revision"], row["content_hash"]) for row in rows}


async def _window_size(connection: Connection, wanted: Wanted) -> int:
    row = await connection.fetchrow(_SQL["window_size"], wanted.connection, wanted.since, wanted.until)
    return int(row["orders"])


def _dump(wanted: Wanted) -> str:
    return orjson.dumps(asdict(wanted)).decode()


def _load(text: str) -> Wanted:
    values = orjson.loads(text)
    for name in ("since", "until"):
        values[name] = values[name] and datetime.fromisoformat(values[name])
    return Wanted(**{**values, "names": tuple(values["names"])})


def _taken(row: Mapping[str, Any]) -> Taken:
    names = ("id", "epoch", "request_id", "actor", "note", "position", "attempts")
    return Taken(wanted=_load(row["asked"]), **{name: row[name] for name in names})


def _message(row: Mapping[str, Any]) -> pb.Operation:
    operation = pb.Operation(
        operation_id=row["id"],
        request_id=row["request_id"],
        what=row["what"],
        state=_state(row),
        total=row["total"],
        done=row["done"],
        failed=row["failed"],
        problems=row["problems"],
        actor=row["actor"],
        reason=row["note"],
        created_at=to_timestamp(row["created_at"]),
    )
    if row["finished_at"] is not None:
        operation.finished_at.CopyFrom(to_timestamp(row["finished_at"]))
    return operation


def _state(row: Mapping[str, Any]) -> pb.OperationState.ValueType:
    if row["cancelled"]:
        return pb.OPERATION_STATE_CANCELLED
    return pb.OPERATION_STATE_RUNNING if row["finished_at"] is None else pb.OPERATION_STATE_DONE
