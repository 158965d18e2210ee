"""The ledger of one target: record, take, read heads, intend, settle. Each is one transaction and a constant number
of statements for any batch. The rules stand in `sql/lanes.sql`; nothing here decides what to send.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from tallystick.canonical.keys import order_key, parts
from tallystick.clock import Timing
from tallystick.ledger.pool import Connection, Pool
from tallystick.ledger.queries import queries
from tallystick.ledger.rows import (
    Claim,
    EffectState,
    Head,
    Intent,
    Kind,
    Outcome,
    Recorded,
    RecordResult,
    Row,
    Settled,
    Supplement,
)
from tallystick.reasons import HoldReason
from tallystick.telemetry import Metrics

_SQL = queries("lanes")
Key = tuple[str, str, str, str, str]
#: Told, inside their transaction, of outcomes that were written down.
Listener = Callable[[Connection, Sequence[Outcome]], Awaitable[None]]


class Ledger:
    """All lanes of `target`. `late_apply_max_s` is the target's bound on how late a given-up request may land."""

    def __init__(
        self,
        pool: Pool,
        target: str,
        owner: str,
        timing: Timing,
        late_apply_max_s: float,
        metrics: Metrics | None = None,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self.target = target
        self._listeners = listeners
        self._pool = pool
        metrics = metrics or Metrics()
        self._takeovers = metrics.lease_takeovers.labels(target)
        self._fenced = metrics.fenced_writes.labels(target)
        self._owner = owner
        self._lease = timedelta(seconds=timing.lease_s)
        self._flight = timedelta(seconds=timing.request_s + timing.margin_s)
        self._flight_lease = timedelta(seconds=timing.request_s + timing.margin_s + timing.lease_s)
        self._late = timedelta(seconds=late_apply_max_s * timing.scale)

    # ---- record and take -------------------------------------------------------------------------------------------

    async def record(self, rows: Sequence[Row], *, take: bool = True) -> RecordResult:
        """Write rows down, each once, and take the free due lanes among theirs. After it the offsets may advance."""
        if not rows:
            return RecordResult((), ())
        return await self._pool.run(lambda connection: self.record_in(connection, rows, take=take))

    async def record_in(self, connection: Connection, rows: Sequence[Row], *, take: bool) -> RecordResult:
        """As `record`, inside a transaction of the caller's that has locked no lane yet."""
        wanted = await self._eligible(connection, rows)
        first = list({row.key: row for row in reversed(wanted)}.values())[::-1]
        if not first:
            return RecordResult(tuple(Recorded.NOT_ELIGIBLE for _ in rows), ())
        lanes = {row.lane_key: row.connection for row in first}
        keys = sorted(lanes)
        await connection.execute(_SQL["insert_lanes"], self.target, keys, [lanes[key] for key in keys])
        await connection.execute(_SQL["lock_lanes"], self.target, keys)
        inserted = await connection.fetch(_SQL["insert_effects"], self.target, *_columns(first))
        seqs = {first[row["ord"] - 1].key: row["seq"] for row in inserted}
        later = [row.lane_key for row in first if row.key in seqs and row.kind is Kind.STATE and row.revision > 1]
        if later:
            await connection.execute(_SQL["revive"], self.target, later)
        superseded = await connection.fetch(_SQL["supersede"], self.target, keys)
        taken, held = await self._take(connection, keys, take)
        judge = _Judge(
            set(map(id, wanted)),
            set(map(id, first)),
            seqs,
            {(row["lane_key"], row["seq"]) for row in superseded},
            {claim.lane_key for claim in taken},
            held,
        )
        return RecordResult(tuple(map(judge.answer, rows)), taken)

    async def _eligible(self, connection: Connection, rows: Sequence[Row]) -> list[Row]:
        """Rows that make an effect: those for the target, and those whose lane has a history already.

        A part whose order was never recorded makes one as well, and waits for it; unless the order is by rule not for
        the target.
        """
        await self._mark_eligibility(connection, rows)
        begins = {row.lane_key for row in rows if row.not_eligible is None and not row.part}
        follows = [row.lane_key for row in rows if row.lane_key not in begins]
        if not follows:
            return [row for row in rows if _may_follow(row)]
        known = {row["lane_key"] for row in await connection.fetch(_SQL["known_lanes"], self.target, follows)}
        kept = begins | known
        early = {row.lane_key: parts(row.lane_key) for row in rows if row.part and row.lane_key not in kept}
        if early:
            connections, ids = zip(*early.values(), strict=True)
            left_out = await connection.fetch(_SQL["left_out"], list(connections), list(ids))
            kept |= early.keys() - {order_key(row["connection"], row["id"]) for row in left_out}
        return [row for row in rows if row.lane_key in kept and _may_follow(row)]

    async def _mark_eligibility(self, connection: Connection, rows: Sequence[Row]) -> None:
        # The first revision of an eligible order needs no mark: the column starts empty.
        changed = [r for r in rows if r.object_id and (r.not_eligible is not None or r.revision > 1 or r.forced)]
        if not changed:
            return
        by_revision = sorted(changed, key=lambda row: row.revision)
        newest = {(row.entity_type, row.connection, row.object_id): row for row in by_revision}.values()
        await connection.execute(
            _SQL["mark_eligibility"],
            [row.connection for row in newest],
            [row.entity_type for row in newest],
            [row.object_id for row in newest],
            [row.not_eligible for row in newest],
        )

    async def _take(
        self, connection: Connection, keys: Sequence[str], take: bool, yielding: bool = False
    ) -> tuple[tuple[Claim, ...], set[str]]:
        paused = await self._paused(connection)
        rows = await connection.fetch(_SQL["take"], self.target, keys, take, self._owner, self._lease, paused, yielding)
        taken = tuple(Claim(row["lane_key"], row["epoch"]) for row in rows if row["taken"])
        self._takeovers.inc(sum(row["taken_over"] for row in rows))
        again = [claim.lane_key for claim in taken if claim.epoch > 1]
        if again:
            await connection.execute(_SQL["doubt_in_flight"], self.target, again, self._late)
        return taken, {row["lane_key"] for row in rows if row["held"]}

    async def _paused(self, connection: Connection) -> list[str]:
        return [row["connection"] for row in await connection.fetch(_SQL["paused"], self.target)]

    async def take_due(self, *, limit: int, per_connection: int, yielding: bool = False) -> tuple[Claim, ...]:
        """Take lanes whose due time has come, at most `per_connection` of each source, the longest due first.

        Lanes that yield, or all others.
        """
        return await self._pool.run(lambda connection: self._take_due(connection, limit, per_connection, yielding))

    async def _take_due(
        self, connection: Connection, limit: int, per_connection: int, yielding: bool
    ) -> tuple[Claim, ...]:
        paused = await self._paused(connection)
        due = await connection.fetch(_SQL["due"], self.target, per_connection, limit, paused, yielding)
        if not due:
            return ()
        locked = await connection.fetch(_SQL["lock_free"], self.target, [row["lane_key"] for row in due])
        taken, _ = await self._take(connection, [row["lane_key"] for row in locked], True, yielding)
        return taken

    # ---- work ------------------------------------------------------------------------------------------------------

    async def heads(self, claims: Sequence[Claim]) -> tuple[list[Head], list[Claim]]:
        """The heads of lanes that are still ours, and those of our lanes that have nothing left to do."""
        keys, epochs = [claim.lane_key for claim in claims], [claim.epoch for claim in claims]
        rows = await self._pool.run(lambda connection: connection.fetch(_SQL["heads"], self.target, keys, epochs))
        heads = [_head(row) for row in rows if row["seq"] is not None]
        idle = [Claim(row["lane_key"], row["epoch"]) for row in rows if row["seq"] is None]
        return heads, idle

    async def intend(self, intents: Sequence[Intent]) -> set[str]:
        """Make intents durable before the first byte; answers the lanes whose effect was still as it was read."""
        return await self._pool.run(lambda connection: self._intend(connection, intents))

    async def _intend(self, connection: Connection, intents: Sequence[Intent]) -> set[str]:
        keys = sorted(intent.head.claim.lane_key for intent in intents)
        await connection.execute(_SQL["lock_lanes"], self.target, keys)
        rows = await connection.fetch(
            _SQL["intend"],
            self.target,
            [intent.head.claim.lane_key for intent in intents],
            [intent.head.claim.epoch for intent in intents],
            [intent.head.seq for intent in intents],
            [intent.head.state for intent in intents],
            [intent.head.step for intent in intents],
            [intent.contract_version for intent in intents],
            self._flight,
            self._flight_lease,
            [None if intent.lines is None else orjson.dumps(intent.lines).decode() for intent in intents],
            [intent.may_undo for intent in intents],
        )
        return {row["lane_key"] for row in rows}

    async def settle(self, outcomes: Sequence[Outcome]) -> Settled:
        """Write outcomes down, each only if its lane is still ours and its effect as it was read."""
        if not outcomes:
            return Settled()
        return await self._pool.run(lambda connection: self._settle(connection, outcomes))

    async def _settle(self, connection: Connection, outcomes: Sequence[Outcome]) -> Settled:
        keys = sorted(outcome.claim.lane_key for outcome in outcomes)
        await connection.execute(_SQL["lock_lanes"], self.target, keys)
        settled = {
            row["lane_key"]: row
            for row in await connection.fetch(_SQL["settle_effects"], self.target, *_effect_columns(outcomes))
        }
        more = [row for o in outcomes if o.claim.lane_key in settled for row in o.more]
        if more:
            await connection.fetch(_SQL["insert_effects"], self.target, *_columns(more))
        rows = await connection.fetch(
            _SQL["settle_lanes"],
            self.target,
            *_lane_columns(outcomes, settled),
            self._late,
            [o.claim.lane_key for o in outcomes if o.clear_late and o.claim.lane_key in settled],
            self._lease,
        )
        self._fenced.inc(len(outcomes) - len(rows))
        for listener in self._listeners:
            await listener(connection, [o for o in outcomes if o.claim.lane_key in settled])
        mine = {row["lane_key"] for row in rows if row["mine"]}
        return Settled(tuple(o.claim for o in outcomes if o.claim.lane_key in mine), frozenset(settled))

    async def renew(self, claims: Sequence[Claim]) -> list[Claim]:
        """Begin the leases of these lanes anew; answers those that are still ours."""
        keys, epochs = [claim.lane_key for claim in claims], [claim.epoch for claim in claims]

        async def work(connection: Connection) -> set[str]:
            await connection.execute(_SQL["lock_lanes"], self.target, sorted(keys))
            rows = await connection.fetch(_SQL["renew"], self.target, keys, epochs, self._lease)
            return {row["lane_key"] for row in rows}

        ours = await self._pool.run(work)
        return [claim for claim in claims if claim.lane_key in ours]

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give lanes back unsettled (a drain, or nothing left to do in them)."""
        if not claims:
            return
        keys = [claim.lane_key for claim in claims]

        async def work(connection: Connection) -> None:
            await connection.execute(_SQL["lock_lanes"], self.target, sorted(keys))
            await connection.execute(_SQL["release"], self.target, keys, [claim.epoch for claim in claims])

        await self._pool.run(work)

    # ---- looks -----------------------------------------------------------------------------------------------------

    async def bindings(self, entity_type: str, entity_ids: Sequence[str]) -> dict[str, str]:
        """Target ids of the entities that have one."""
        rows = await self._pool.fetch(_SQL["bindings"], self.target, entity_type, list(entity_ids))
        return {row["entity_id"]: row["external_id"] for row in rows}

    async def unfinished(self, limit: int) -> int:
        """How many lanes are not done and not held, counted up to `limit`."""
        paused = [row["connection"] for row in await self._pool.fetch(_SQL["paused"], self.target)]
        rows = await self._pool.fetch(_SQL["unfinished"], self.target, limit, paused)
        return int(rows[0]["lanes"])

    async def circuit(self) -> float | None:
        """Seconds until the target may be tried (zero or less: try it with little); None while all is well."""
        rows = await self._pool.fetch(_SQL["circuit"], self.target)
        return float(rows[0]["left_s"]) if rows else None

    async def open_circuit(self, for_s: float, reason: str, detail: str) -> None:
        """The target is down: nobody tries it before then."""
        await self._pool.fetch(_SQL["open_circuit"], self.target, for_s, reason, detail)

    async def close_circuit(self) -> None:
        """The target answered again."""
        await self._pool.fetch(_SQL["close_circuit"], self.target)

    async def pause(self, connection_id: str, reason: HoldReason, for_s: float) -> None:
        """Too much of one source is held for one reason: its lanes are left alone for a while."""
        await self._pool.fetch(_SQL["pause"], connection_id, self.target, reason, for_s)


def _may_follow(row: Row) -> bool:
    return row.follows or row.not_eligible is None


def _columns(rows: Sequence[Row]) -> list[list[object]]:
    return [
        [row.lane_key for row in rows],
        [row.entity_type for row in rows],
        [row.entity_id for row in rows],
        [row.operation for row in rows],
        [row.op_id for row in rows],
        [row.kind for row in rows],
        [row.revision for row in rows],
        [row.forced for row in rows],
        [row.external_ref for row in rows],
        [row.received_at for row in rows],
        [row.source[0] if row.source else None for row in rows],
        [row.source[1] if row.source else None for row in rows],
        [row.source[2] if row.source else None for row in rows],
        [row.body for row in rows],
        [row.yields for row in rows],
    ]


@dataclass(frozen=True, slots=True)
class _Judge:
    """Tells what became of each row of one batch."""

    wanted: set[int]
    first_of_key: set[int]
    seqs: Mapping[Key, int]
    superseded: set[tuple[str, int]]
    mine: set[str]
    held: set[str]

    def answer(self, row: Row) -> Recorded:
        if id(row) not in self.wanted:
            return Recorded.NOT_ELIGIBLE
        seq = self.seqs.get(row.key)
        if seq is None or id(row) not in self.first_of_key:
            return Recorded.DUPLICATE
        if (row.lane_key, seq) in self.superseded:
            return Recorded.SUPERSEDED
        if row.lane_key in self.mine:
            return Recorded.MINE
        return Recorded.HELD if row.lane_key in self.held else Recorded.QUEUED


def _head(row: Mapping[str, Any]) -> Head:
    values = dict(row)
    values["claim"] = Claim(values.pop("lane_key"), values.pop("epoch"))
    values["kind"] = _KINDS[values["kind"]]
    values["state"] = _STATES[values["state"]]
    values["lines"] = tuple(_read(values["lines"]))
    values["parent_lines"] = frozenset(_read(values["parent_lines"]))
    values["supplements"] = tuple(Supplement(one, frozenset(lines)) for one, lines in _read(values["supplements"]))
    return Head(**values)


def _read(told: str | None) -> list[Any]:
    """A list that the ledger keeps as JSON."""
    found: list[Any] = orjson.loads(told) if told else []
    return found


#: An enum's own call looks the same up five times slower.
_KINDS, _STATES = {kind.value: kind for kind in Kind}, {state.value: state for state in EffectState}


def _effect_columns(outcomes: Sequence[Outcome]) -> list[list[object]]:
    return [
        [o.claim.lane_key for o in outcomes],
        [o.claim.epoch for o in outcomes],
        [o.seq for o in outcomes],
        [o.was_state for o in outcomes],
        [o.was_step for o in outcomes],
        [o.state for o in outcomes],
        [o.step for o in outcomes],
        [o.hold is not None for o in outcomes],
        [o.doubt for o in outcomes],
        [o.attempts for o in outcomes],
        [o.reason for o in outcomes],
        [o.detail for o in outcomes],
        [o.external_id for o in outcomes],
        [o.number for o in outcomes],
        [o.applied_revision for o in outcomes],
        [o.applied_mark for o in outcomes],
        [o.contract_version for o in outcomes],
        [orjson.dumps(o.lines).decode() for o in outcomes],
        [o.what for o in outcomes],
        [o.step_name for o in outcomes],
    ]


def _lane_columns(outcomes: Sequence[Outcome], settled: Mapping[str, Mapping[str, Any]]) -> list[list[object]]:
    rows = [dict(settled.get(outcome.claim.lane_key, {})) for outcome in outcomes]
    return [
        [o.claim.lane_key for o in outcomes],
        [o.claim.epoch for o in outcomes],
        [o.seq for o in outcomes],
        [bool(r) for r in rows],
        [o.hold is not None and r.get("state") != "SUPERSEDED" for o, r in zip(outcomes, rows, strict=True)],
        [o.wait is not None for o in outcomes],
        [o.due_in_s for o in outcomes],
        [o.reason for o in outcomes],
        [o.detail for o in outcomes],
        [o.doubt for o in outcomes],
        [r.get("flight_deadline") for r in rows],
    ]
