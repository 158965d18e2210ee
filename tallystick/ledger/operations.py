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

#: Named orders, or a window of those that are known: read again and forced into their targets.
RESYNC = "resync"
#: A window of what the store shows: taken in as if it had been polled.
BACKFILL = "backfill"


class RequestReused(TallystickError):
    """The request id stands for another wish already."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an operation is about: orders by name, or a window of one store; into one target or all."""

    names: tuple[str, ...] = ()
    connection: str = ""
    since: datetime | None = None
    until: datetime | None = None
    target: str = ""
    #: Walk through the store rather than through what is known of it.
    from_store: bool = False

    @property
    def what(self) -> str:
        """The kind of operation."""
        return BACKFILL if self.from_store else RESYNC


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
    created_at: datetime
    in_hand: tuple[str, ...]


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
        """Begin one, or answer the one that this request began. Raises `RequestReused`."""
        asked = _dump(wanted)

        async def work(connection: Connection) -> Mapping[str, Any]:
            total = await _size(connection, wanted)
            name = f"op-{uuid.uuid4().hex[:20]}"
            made = await connection.execute(_SQL["create"], name, request_id, wanted.what, asked, actor, note, total)
            if made == "INSERT 0 1":
                await connection.execute(_SQL["tell"], name, f"{wanted.what} requested", note, actor, request_id)
            row: Mapping[str, Any] = await connection.fetchrow(_SQL["by_request"], request_id)
            return row

        row = await self._pool.run(work)
        if _load(row["asked"]) != wanted:
            raise RequestReused("the request id was used before for other orders; choose a new one")
        return _message(row)

    async def get(self, operation_id: str) -> pb.Operation | None:
        """The operation as it stands."""
        rows = await self._pool.fetch(_SQL["get"], operation_id)
        return _message(rows[0]) if rows else None

    async def page(
        self, running: bool, limit: int, cursor: Sequence[Any] | None
    ) -> tuple[list[pb.Operation], tuple[datetime, str] | None]:
        """Operations, newest first, and where the next page begins."""
        after = cursor or (None, "")
        rows = await self._pool.fetch(_SQL["page"], running, *after, limit + 1)
        more = (rows[limit - 1]["created_at"], rows[limit - 1]["id"]) if len(rows) > limit else None
        return [_message(row) for row in rows[:limit]], more

    async def cancel(self, operation_id: str, actor: str) -> pb.Operation | None:
        """Leave undone what is not done yet; nothing changes for one that is finished. None when there is none."""

        async def work(connection: Connection) -> None:
            if await connection.fetchrow(_SQL["cancel"], operation_id) is not None:
                await connection.execute(_SQL["tell"], operation_id, "cancelled", "", actor, None)

        await self._pool.run(work)
        return await self.get(operation_id)

    # ---- for those who work ----------------------------------------------------------------------------------------

    async def claim(self, lease_s: float, what: str = RESYNC, connection: str = "") -> Taken | None:
        """Take the one that waits longest; due for others again after the lease."""
        rows = await self._pool.fetch(_SQL["claim"], timedelta(seconds=lease_s), what, connection)
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


async def _size(connection: Connection, wanted: Wanted) -> int:
    """How many orders there are; 0 where only the store knows."""
    if wanted.names or wanted.from_store:
        return len(wanted.names)
    row = await connection.fetchrow(_SQL["window_size"], wanted.connection, wanted.since, wanted.until)
    return int(row["orders"])


def _dump(wanted: Wanted) -> str:
    return orjson.dumps(asdict(wanted)).decode()


def _load(text: str) -> Wanted:
    values = orjson.loads(text)
    for name in ("since", "until"):
        values[name] = values[name] and datetime.fromisoformat(values[name])
    known = {name: value for name, value in values.items() if name in Wanted.__dataclass_fields__}
    return Wanted(**{**known, "names": tuple(values["names"])})


def _taken(row: Mapping[str, Any]) -> Taken:
    names = ("id", "epoch", "request_id", "actor", "note", "position", "attempts", "created_at")
    return Taken(wanted=_load(row["asked"]), in_hand=tuple(row["in_hand"]), **{name: row[name] for name in names})


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
    _add_window(operation, _load(row["asked"]), row)
    return operation


def _add_window(operation: pb.Operation, wanted: Wanted, row: Mapping[str, Any]) -> None:
    operation.connection = wanted.connection
    times = {"since": wanted.since, "until": wanted.until}
    if wanted.from_store:
        operation.outstanding = len(row["in_hand"])
        times |= {"until": wanted.until or row["created_at"]}
        times |= {"covered_until": datetime.fromisoformat(row["position"]) if row["position"] else None}
    for name, moment in times.items():
        if moment is not None:
            getattr(operation, name).CopyFrom(to_timestamp(moment))


def _state(row: Mapping[str, Any]) -> pb.OperationState.ValueType:
    if row["cancelled"]:
        return pb.OPERATION_STATE_CANCELLED
    return pb.OPERATION_STATE_RUNNING if row["finished_at"] is None else pb.OPERATION_STATE_DONE
