"""What the ledger says of records: where each refund, payment, shipment, customer and price is, and lists of them.

Set-based, a constant number of statements for any page. The rules stand in `sql/records.sql`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from tallystick.canonical.keys import parts
from tallystick.canonical.times import to_timestamp
from tallystick.ledger.details import details
from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries
from tallystick.ledger.views import INFINITY, Cursor, Order, is_rare
from tallystick.reasons import advice, not_eligible, words
from tallystick.v1 import order_sync_pb2
from tallystick.v1 import record_pb2 as pb
from tallystick.words import record_words

_SQL = queries("records")
#: How many records a page looks at where a state is wanted that many are in.
LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class Way:
    """Records of one kind that go from one connection to another."""

    kind: str
    connection: str
    target: str
    #: The store shows them as objects of their own.
    shown_by_store: bool
    #: Their flow is on there; else only those are shown that the target has heard of.
    on: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records; empty fields for all. `state` is a name such as HELD."""

    kind: str = ""
    connection: str = ""
    target: str = ""
    state: str = ""
    reason: str = ""
    order: Order | None = None
    since: datetime | None = None
    before: datetime | None = None

    @property
    def few(self) -> bool:
        """Only records can match that indexes know."""
        return is_rare(self.state, self.reason)


class Records:
    """Reads of one installation; `ways` say what goes where."""

    def __init__(self, pool: Pool, ways: Sequence[Way]) -> None:
        self._pool = pool
        self._ways = ways
        self._shown = sorted({way.kind for way in ways if way.shown_by_store})

    async def named(self, name: str, target: str = "") -> list[pb.Record]:
        """The record of that name in each of its targets; empty when nobody ever showed it."""
        wanted = Wanted(target=target)
        source_id = parts(name)[-1]
        candidates = await self._few("of_name", wanted, (INFINITY, "", ""), len(self._ways) + 1, name, source_id)
        found = await self._describe(candidates, wanted, len(candidates))
        return sorted((_record(row) for row in found), key=lambda one: one.target)

    async def page(
        self, wanted: Wanted, limit: int, after: Cursor | None = None
    ) -> tuple[list[pb.Record], Cursor | None]:
        """A page of records, the last known first, and where the next one goes on."""
        # What begins both ways stands among them twice.
        looked_at = LOOKED_AT if wanted.state or wanted.reason else 2 * limit + 1
        candidates = await self._candidates(wanted, after or (wanted.before or INFINITY, "", ""), looked_at)
        found = await self._describe(candidates, wanted, limit + 1)
        if len(found) > limit:
            last = found[limit - 1]
        elif len(candidates) == looked_at:
            last = candidates[-1]
        else:
            return [_record(row) for row in found], None
        return [_record(row) for row in found[:limit]], [last["at"], last["name"], last["target"]]

    async def _candidates(self, wanted: Wanted, after: Cursor, limit: int) -> list[Any]:
        if wanted.order is not None:
            return await self._few("of_order", wanted, after, limit, wanted.order.name, wanted.order.order_id)
        if wanted.few:
            return await self._few("open", wanted, after, limit)
        return await self._pool.fetch(_statement("newest"), *self._where(wanted), *after, *_since(wanted), limit)

    async def _few(
        self, chosen: str, wanted: Wanted, after: Cursor, limit: int, name: str = "", source_id: str = ""
    ) -> list[Any]:
        where = (*self._where(wanted), *after, *_since(wanted), limit, name, source_id)
        return await self._pool.fetch(_statement("few", chosen), *where)

    def _where(self, wanted: Wanted) -> list[list[Any]]:
        """Which ways: those of stores' objects, and all of them by target and kind."""
        ways = [way for way in self._ways if _leads(way, wanted)]
        shown = [way for way in ways if way.shown_by_store]
        pairs = sorted({(way.target, way.kind) for way in ways})
        return [
            [way.kind for way in shown],
            [way.connection for way in shown],
            [way.target for way in shown],
            [way.on for way in shown],
            [target for target, _ in pairs],
            [kind for _, kind in pairs],
        ]

    async def _describe(self, candidates: Sequence[Mapping[str, Any]], wanted: Wanted, limit: int) -> list[Any]:
        columns = [[row[name] for row in candidates] for name in ("at", "name", "target", "kind", "lane_key")]
        reason = (wanted.state, wanted.reason, words(wanted.reason))
        return await self._pool.fetch(_statement("describe"), *columns, self._shown, *reason, limit)


@cache
def _statement(name: str, chosen: str = "") -> str:
    """A statement with its parts in place."""
    text = _SQL[name].replace("CHOSEN", f"\n{_SQL[chosen]}\n" if chosen else "")
    return text.replace("(SOURCE)", f"(\n{_SQL['source']}\n)").replace("(NAMED)", f"(\n{_SQL['named']}\n)")


def _since(wanted: Wanted) -> tuple[datetime | None, str]:
    return wanted.since, wanted.connection


def _leads(way: Way, wanted: Wanted) -> bool:
    return (
        wanted.kind in ("", way.kind)
        and wanted.connection in ("", way.connection)
        and wanted.target in ("", way.target)
    )


# ---- rows to messages ----------------------------------------------------------------------------------------------


def _record(row: Mapping[str, Any]) -> pb.Record:
    reason = row["reason"] or not_eligible(row["detail"] or "")
    record = pb.Record(
        name=row["name"],
        kind=row["kind"],
        connection=row["connection"] or "",
        source_id=row["source_id"] or "",
        order=row["lane_key"] if row["lane_key"] != row["name"] else "",
        target=row["target"],
        state=order_sync_pb2.SyncState.Value("SYNC_STATE_" + row["state"]),
        reason=reason,
        detail="" if reason and words(reason) == row["detail"] else row["detail"] or "",
        behind=row["behind"] or "",
        revision=row["revision"],
        gone=row["gone"],
        external_id=row["external_id"] or "",
        document_number=row["document_number"] or "",
        applied_revision=row["applied_revision"] or 0,
        contract_version=row["contract_version"] or "",
        in_doubt=row["in_doubt"],
        attempts=row["attempts"],
        **details(row["kind"], row["body"]),
    )
    record.words = record_words(record)
    record.advice = advice(record.reason) if row["state"] == "HELD" else ""
    for field, column in (("known_since", "at"), *((name, name) for name in ("applied_at", "since", "due_at"))):
        if row[column] is not None:
            getattr(record, field).CopyFrom(to_timestamp(row[column]))
    return record
