"""What the ledger says about orders: where each one is, lists of them, and the story of one.

Set-based: a constant number of statements for any page. Pages go by keys that never change, so they stay
stable while orders come in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from tallystick.canonical.keys import order_key, parts
from tallystick.canonical.times import to_timestamp
from tallystick.ledger.details import content
from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries
from tallystick.reasons import HoldReason, NotEligible, WaitReason, advice, words
from tallystick.settings import Mode, Route
from tallystick.v1 import held_pb2
from tallystick.v1 import order_sync_pb2 as pb
from tallystick.words import event_words, state_words

_SQL = queries("views")

EVENT_KINDS = {
    "first seen": pb.ORDER_EVENT_KIND_FIRST_SEEN,
    "recorded": pb.ORDER_EVENT_KIND_RECORDED,
    "recorded again": pb.ORDER_EVENT_KIND_RECORDED,
    "done": pb.ORDER_EVENT_KIND_STEP_DONE,
    "checked": pb.ORDER_EVENT_KIND_CHECKED,
    "in doubt": pb.ORDER_EVENT_KIND_IN_DOUBT,
    "held": pb.ORDER_EVENT_KIND_HELD,
    "applied": pb.ORDER_EVENT_KIND_APPLIED,
    "verified": pb.ORDER_EVENT_KIND_VERIFIED,
    "superseded": pb.ORDER_EVENT_KIND_SUPERSEDED,
    "not eligible": pb.ORDER_EVENT_KIND_NOT_ELIGIBLE,
    "resync requested": pb.ORDER_EVENT_KIND_RESYNC_REQUESTED,
    "resumed": pb.ORDER_EVENT_KIND_RESUMED,
    "skipped": pb.ORDER_EVENT_KIND_SKIPPED,
    "marked applied": pb.ORDER_EVENT_KIND_MARKED_APPLIED,
    "adopted": pb.ORDER_EVENT_KIND_ADOPTED,
}
#: asyncpg writes it as the database's `infinity`.
INFINITY = datetime.max.replace(tzinfo=UTC)
#: States that few among many orders are in.
_RARE = ("HELD", "WAITING", "SYNCING", "SKIPPED", "ADOPTED")
#: How many orders a page looks at; when fewer than wanted are among them, the next page goes on behind them.
LOOKED_AT = 2000


def is_rare(state: str, reason: str) -> bool:
    """Whether few are in this state, or held or waiting for this reason; indexes know them."""
    return state in _RARE or (not state and reason in (*HoldReason, *WaitReason))


@dataclass(frozen=True, slots=True)
class Order:
    """An order by its store's id."""

    connection: str
    order_id: str

    @property
    def name(self) -> str:
        """Its lane, and its name in the API."""
        return order_key(self.connection, self.order_id)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which orders; empty fields for all. `state` is a name such as HELD."""

    connection: str = ""
    target: str = ""
    state: str = ""
    reason: str = ""
    changed_since: datetime | None = None

    @property
    def rare(self) -> bool:
        """Only orders can match that indexes know."""
        return is_rare(self.state, self.reason)

    @property
    def not_eligible(self) -> bool:
        """Only orders can match that are not eligible."""
        return self.state == "NOT_ELIGIBLE" or (not self.state and self.reason in (*NotEligible,))

    @property
    def narrow(self) -> bool:
        """It depends on where the order is in a target."""
        return bool(self.target or self.state or self.reason)


#: The last row of a page: where the next one goes on.
Cursor = Sequence[Any]


class Views:
    """Reads of one installation; `routes` say which targets an order is for."""

    def __init__(self, pool: Pool, routes: Sequence[Route]) -> None:
        self._pool = pool
        self._routes = (
            [route.store for route in routes],
            [route.erp for route in routes],
            [route.mode is not Mode.OFF for route in routes],
        )
        self.connections = sorted({route.store for route in routes})
        self.targets = sorted({route.erp for route in routes})
        #: Stores are targets as well, of what comes back.
        self.ends = sorted({*self.connections, *self.targets})

    # ---- one order -------------------------------------------------------------------------------------------------

    async def find(self, names: Sequence[str]) -> list[list[Order]]:
        """The orders that each text may mean: none, the one, or several that share a number."""
        wanted = [self._split(name) for name in names]
        found: list[list[Order]] = [[] for _ in names]
        ids = [False] * len(names)
        for row in await self._pool.fetch(_SQL["find"], self.connections, *zip(*wanted, strict=True)):
            place = row["ord"] - 1
            ids[place] = ids[place] or row["by_id"]
            # An id goes before an equal number; rows come with ids first.
            if row["by_id"] or not ids[place]:
                found[place].append(Order(row["connection"], row["id"]))
        return found

    def _split(self, name: str) -> tuple[str, str, str]:
        """The connection that a text names (or none), the id and the number that it may be."""
        connection, slash, rest = name.partition("/")
        if not slash or connection not in self.connections:
            connection, rest = "", name
        text = unquote(rest)
        return connection, "" if rest.startswith("#") else text, text.removeprefix("#")

    def named(self, name: str) -> Order | None:
        """The order whose full name this would be, seen or not; None when it names no store of ours."""
        connection, _, rest = name.partition("/")
        if connection not in self.connections or not rest or rest.startswith("#") or "/" in rest:
            return None
        return Order(connection, unquote(rest))

    async def get(self, order: Order, target: str = "") -> tuple[pb.OrderSync, str] | None:
        """The order in all targets (or one), and the snapshot that this answer was read in."""
        rows = await self._describe([order], Filter(target=target), 1, narrow=False)
        found = _order_syncs(rows)
        return (found[0], rows[0]["snapshot"]) if found else None

    async def _describe(self, orders: Sequence[Order], wanted: Filter, limit: int, *, narrow: bool) -> list[Any]:
        return await self._pool.fetch(
            _SQL["describe"].replace("IN_TARGET", f"\n{_SQL['in_target']}\n"),
            *self._routes,
            wanted.target,
            [order.connection for order in orders],
            [order.order_id for order in orders],
            narrow,
            wanted.state,
            wanted.reason,
            limit,
        )

    async def story(
        self, order: Order, target: str, limit: int, after: Cursor | None = None, *, newest_first: bool = False
    ) -> tuple[list[pb.OrderEvent], Cursor | None]:
        """A page of the events of one order and its parts, there and back, and where the next one goes on."""
        targets = [target] if target else [*self.targets, order.connection]
        rows = await self._pool.fetch(
            _SQL["story"].replace("TALE", f"\n{_SQL['tale']}\n"),
            *(targets, order.name, order.connection, order.order_id),
            *(after or (None, None, None, None)),
            *(limit + 1, newest_first),
        )
        more = [rows[limit - 1][name] for name in ("at", "rank", "id", "target")] if len(rows) > limit else None
        return [order_event(order.name, row) for row in rows[:limit]], more

    # ---- lists -----------------------------------------------------------------------------------------------------

    async def page(
        self, wanted: Filter, limit: int, after: Cursor | None = None
    ) -> tuple[list[pb.OrderSync], Cursor | None]:
        """A page of orders, newest first, and where the next one goes on."""
        looked_at = LOOKED_AT if wanted.narrow else limit + 1
        candidates = await self._candidates(wanted, after or (INFINITY, "", ""), looked_at)
        orders = [Order(row["connection"], row["id"]) for row in candidates]
        found = _order_syncs(await self._describe(orders, wanted, limit + 1, narrow=wanted.narrow))
        if len(found) > limit:
            last = next(
                row for row, order in zip(candidates, orders, strict=True) if order.name == found[limit - 1].name
            )
        elif len(candidates) == looked_at:
            last = candidates[-1]
        else:
            return found, None
        return found[:limit], [last["first_seen_at"], last["connection"], last["id"]]

    async def _candidates(self, wanted: Filter, after: Cursor, limit: int) -> list[Any]:
        arguments = [wanted.connection, wanted.changed_since, *after, limit]
        if wanted.rare:
            return await self._pool.fetch(_SQL["rare"], *arguments)
        return await self._pool.fetch(_SQL["newest"], *arguments, wanted.not_eligible)

    async def held(
        self, wanted: Filter, limit: int, after: Cursor | None = None
    ) -> tuple[list[held_pb2.Held], Cursor | None]:
        """A page of what is held, by target, reason and name."""
        last = after or ("", "", "")
        rows = await self._pool.fetch(_SQL["held"], wanted.connection, wanted.target, wanted.reason, *last, limit + 1)
        end = rows[limit - 1] if len(rows) > limit else None
        more = [end["target"], end["reason"], end["lane_key"]] if end else None
        return [held_message(row) for row in rows[:limit]], more

    async def held_in(self, lane_key: str, request_id: str) -> list[str]:
        """The targets in which a lane is held; or the one in which this request has acted on it already."""
        rows = await self._pool.fetch(_SQL["held_in"], self.ends, lane_key, request_id)
        acted = [row["target"] for row in rows if row["acted"]]
        return acted or [row["target"] for row in rows]


# ---- rows to messages ----------------------------------------------------------------------------------------------


def _order_syncs(rows: Sequence[Mapping[str, Any]]) -> list[pb.OrderSync]:
    found: dict[tuple[str, str], pb.OrderSync] = {}
    for row in rows:
        sync = found.get((row["connection"], row["id"]))
        if sync is None:
            sync = found[(row["connection"], row["id"])] = _order_sync(row)
        if row["target"] is not None:
            sync.targets.append(_target_sync(row))
    return list(found.values())


def _order_sync(row: Mapping[str, Any]) -> pb.OrderSync:
    sync = pb.OrderSync(
        name=order_key(row["connection"], row["id"]),
        connection=row["connection"],
        order_id=row["id"],
        number=row["number"],
        revision=row["revision"],
        gone=row["gone"],
        sightings=row["sightings"],
    )
    _stamp(sync, row, "first_seen_at", "changed_at", "source_modified")
    return sync


def _target_sync(row: Mapping[str, Any]) -> pb.TargetSync:
    sync = pb.TargetSync(
        target=row["target"],
        state=pb.SyncState.Value("SYNC_STATE_" + row["state"]),
        reason=row["reason"] or "",
        detail=row["detail"] or "",
        external_id=row["external_id"] or "",
        document_number=row["document_number"] or "",
        applied_revision=row["applied_revision"] or 0,
        contract_version=row["contract_version"] or "",
        in_doubt=row["in_doubt"],
        attempts=row["attempts"],
    )
    sync.words = state_words(sync)
    sync.advice = advice(sync.reason) if row["state"] == "HELD" else ""
    _stamp(sync, row, "due_at", "since", "applied_at")
    return sync


def order_event(name: str, row: Mapping[str, Any]) -> pb.OrderEvent:
    """An event of the log, or a moment of a story."""
    event = pb.OrderEvent(
        order=name,
        target=row["target"],
        kind=EVENT_KINDS.get(row["what"], pb.ORDER_EVENT_KIND_UNSPECIFIED),
        entity_type=row["entity_type"] or "",
        revision=row["revision"] or 0,
        step=row["step"] or "",
        reason=row["reason"] or "",
        detail=row["detail"] or "",
        actor=row["actor"] or "",
        request_id=row["request_id"] or "",
        record=row["entity_id"] or "",
        document=row.get("document_number") or row.get("external_id") or "",
        content=content(row["entity_type"] or "", row.get("body")),
    )
    event.words = event_words(event)
    if row["what"] == "recorded again":
        event.words += " again, for a resync"
    _stamp(event, row, "at", "received_at")
    return event


def held_message(row: Mapping[str, Any]) -> held_pb2.Held:
    """What is held, or was until a person acted."""
    lane = parts(row["lane_key"])
    held = held_pb2.Held(
        name=row["lane_key"],
        target=row["target"],
        connection=row["connection"],
        order_id=row["order_id"] or (lane[1] if len(lane) == 2 else ""),
        number=row["number"] or "",
        entity_type=row["entity_type"],
        revision=row["revision"],
        reason=row["reason"],
        words=words(row["reason"]),
        advice=advice(row["reason"]),
        detail=row["detail"] or "",
        in_doubt=row["in_doubt"],
        external_id=row["external_id"] or "",
        document_number=row["document_number"] or "",
        waiting_behind=row["waiting_behind"],
    )
    _stamp(held, row, "since")
    return held


def _stamp(message: Any, row: Mapping[str, Any], *names: str) -> None:
    for name in names:
        value = row.get(name)
        if value is not None:
            getattr(message, name).CopyFrom(to_timestamp(value))
