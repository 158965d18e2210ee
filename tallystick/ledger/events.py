"""The event log as a stream that can be taken up again: each event once, and none left out.

A position is the last (transaction id, id) that was given out, with the snapshot in which the reader began: what that
snapshot saw is not repeated. A transaction that stays open holds the stream back, and loses nothing.
"""

import base64
import binascii
import re
from dataclasses import dataclass, replace

from tallystick.errors import Unreadable
from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries
from tallystick.ledger.views import Order, order_event
from tallystick.v1 import order_sync_pb2 as pb

_SQL = queries("events")
_TOKEN = re.compile(r"(\d{1,20})\.(\d{1,19})\.(\d{1,20}:\d{1,20}:[\d,]*)")


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a reader has read."""

    xid: int
    id: int
    snapshot: str

    @property
    def token(self) -> str:
        """For the client to keep."""
        # Past its last transaction a snapshot says nothing any more.
        begun = self.snapshot.split(":")[1]
        snapshot = f"{begun}:{begun}:" if self.xid >= int(begun) else self.snapshot
        return base64.urlsafe_b64encode(f"{self.xid}.{self.id}.{snapshot}".encode()).decode().rstrip("=")


def position_of(token: str) -> Position:
    """The position that a token names. Raises `Unreadable` when it is none of ours."""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise Unreadable("this is no resume token that was given out here") from error
    match = _TOKEN.fullmatch(text)
    if not match:
        raise Unreadable("this is no resume token that was given out here")
    return Position(int(match[1]), int(match[2]), match[3])


def after_snapshot(snapshot: str) -> Position:
    """Exactly after what this snapshot saw."""
    return Position(int(snapshot.split(":")[0]), 0, snapshot)


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose events; empty fields for all."""

    order: Order | None = None
    connection: str = ""
    target: str = ""


class Events:
    """Reads of the table `event`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def now(self) -> Position:
        """Where "from now on" begins."""
        rows = await self._pool.fetch(_SQL["now"])
        return after_snapshot(rows[0]["snapshot"])

    async def after(
        self, position: Position, watched: Watched, limit: int
    ) -> tuple[list[tuple[pb.OrderEvent, Position]], Position]:
        """Events with the position after each, at most `limit`; and the position after all that was looked at."""
        rows = await self._pool.fetch(
            _SQL["after"],
            str(position.xid),
            position.id,
            position.snapshot,
            watched.order.name if watched.order else "",
            f"{watched.connection}/" if watched.connection else "",
            watched.target,
            limit,
        )
        found = [
            (order_event(row["lane_key"], row), replace(position, xid=int(row["xid"]), id=row["id"]))
            for row in rows
            if row["xid"] is not None
        ]
        if len(found) == limit:
            return found, found[-1][1]
        # Everything below the bound was looked at, whether or not it was wanted.
        return found, replace(position, xid=int(rows[0]["bound"]), id=0)
