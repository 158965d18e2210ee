"""What people do about lanes that have stopped: resume, skip, mark as applied, force a resync.

Each act is one transaction that takes the lane first, looks whether it is still held and in nobody's hands, and writes
its audit row. The same request id again is answered as the first time.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.errors import TallystickError
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.pool import Connection, Pool
from tallystick.ledger.queries import queries
from tallystick.ledger.rows import EffectState, RecordResult, Row
from tallystick.ledger.stock import mark_taken
from tallystick.ledger.views import held_message
from tallystick.v1 import held_pb2

_SQL = queries("acts")


class NotHeld(TallystickError):
    """The lane is not in the state that the act is for; the text says in which it is."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane of one target."""

    target: str
    key: str


@dataclass(frozen=True, slots=True)
class Act:
    """Who does it, for what, under which request."""

    actor: str
    request_id: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Acted:
    """What was held, and whether this request had been carried out before."""

    held: held_pb2.Held
    again: bool = False


class _Held:
    """A lane that is held, locked in this transaction."""

    def __init__(self, lane: Lane, row: Mapping[str, Any], effect: Mapping[str, Any]) -> None:
        self.lane = lane
        self.row = row
        self.effect = effect

    @property
    def place(self) -> tuple[str, str, int]:
        """The key of the effect that it is held for."""
        return self.lane.target, self.lane.key, self.effect["seq"]

    def message(self, reason: str) -> held_pb2.Held:
        """What was held, for the answer."""
        return held_message(
            {
                "target": self.lane.target,
                "lane_key": self.lane.key,
                "connection": self.row["connection"],
                "order_id": None,
                "number": None,
                "entity_type": self.effect["entity_type"],
                "revision": self.effect["revision"],
                "reason": reason,
                "detail": self.effect["error"],
                "in_doubt": self.effect["state"] == EffectState.IN_DOUBT,
                "external_id": None,
                "document_number": None,
                "waiting_behind": 0,
            }
        )


Settle = Callable[[Connection, _Held], Awaitable[None]]


class Acts:
    """Acts on the lanes of all targets."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def resume(self, lane: Lane, act: Act) -> Acted:
        """Try again, under the contract of today. Raises `NotHeld`."""

        async def settle(connection: Connection, held: _Held) -> None:
            await connection.execute(_SQL["resume"], *held.place)

        return await self._act(lane, act, "resumed", settle)

    async def skip(self, lane: Lane, act: Act) -> Acted:
        """Never send what is held. Raises `NotHeld`."""

        async def settle(connection: Connection, held: _Held) -> None:
            if held.effect["entity_type"] == "customer":
                raise NotHeld("a customer cannot be skipped, since its orders need it; resume it or mark it as applied")
            await connection.execute(_SQL["settle"], *held.place, EffectState.SKIPPED)
            await _goods_are_theirs(connection, held)

        return await self._act(lane, act, "skipped", settle)

    async def mark_applied(self, lane: Lane, act: Act, external_id: str, number: str) -> Acted:
        """A person made the document: bind it. Raises `NotHeld`, also when it is another order's document."""

        async def settle(connection: Connection, held: _Held) -> None:
            await _bind(connection, held, external_id, number)
            await connection.execute(_SQL["settle"], *held.place, EffectState.APPLIED)
            await _goods_are_theirs(connection, held)

        return await self._act(lane, act, "marked applied", settle)

    async def _act(self, lane: Lane, act: Act, what: str, settle: Settle) -> Acted:
        async def work(connection: Connection) -> Acted:
            row = await connection.fetchrow(_SQL["lock_lane"], lane.target, lane.key)
            if row is None:
                raise NotHeld(f"{lane.target} knows nothing of {lane.key}")
            told = await connection.fetchrow(_SQL["told"], lane.target, lane.key, act.request_id)
            if told is not None:
                return await _as_before(connection, lane, row, told, what)
            held = await _require_held(connection, lane, row)
            await settle(connection, held)
            await connection.execute(_SQL["free"], lane.target, lane.key)
            await _tell(connection, held, act, what)
            return Acted(held.message(row["reason"]))

        return await self._pool.run(work)


async def _goods_are_theirs(connection: Connection, held: _Held) -> None:
    """Whoever took an order into their own hands took its goods, too: from now on the ERP's figure alone counts."""
    await mark_taken(connection, held.lane.target, [(held.lane.key, held.effect["seq"])])


async def _require_held(connection: Connection, lane: Lane, row: Mapping[str, Any]) -> _Held:
    if row["in_hand"]:
        raise NotHeld(f"{lane.key} is being worked on in {lane.target} at this moment; look again in a while")
    if row["held_seq"] is None:
        raise NotHeld(f"{lane.key} is not held in {lane.target}: {_stands(row)}")
    effect = await connection.fetchrow(_SQL["lock_effect"], lane.target, lane.key, row["held_seq"])
    return _Held(lane, row, effect)


def _stands(row: Mapping[str, Any]) -> str:
    if row["due_at"] is None:
        return "nothing is left to do for it"
    if row["reason"]:
        return f"it waits ({row['reason']}) and goes on by itself"
    return "it is due and goes on by itself"


async def _as_before(
    connection: Connection, lane: Lane, row: Mapping[str, Any], told: Mapping[str, Any], what: str
) -> Acted:
    if told["what"] != what:
        raise NotHeld(
            f"the request id was used before for another act on {lane.key} ({told['what']}); choose a new one"
        )
    effect = await connection.fetchrow(_SQL["lock_effect"], lane.target, lane.key, told["seq"])
    return Acted(_Held(lane, row, effect).message(told["reason"]), again=True)


async def _bind(connection: Connection, held: _Held, external_id: str, number: str) -> None:
    target, effect = held.lane.target, held.effect
    entity = (effect["entity_type"], external_id, effect["entity_id"])
    other = await connection.fetchrow(_SQL["bound_to"], target, *entity)
    if other is not None:
        raise NotHeld(f"the document {external_id} in {target} belongs to {other['entity_id']} already")
    await connection.execute(
        _SQL["bind"], target, effect["entity_type"], effect["entity_id"], external_id, number, effect["revision"]
    )


async def _tell(connection: Connection, held: _Held, act: Act, what: str) -> None:
    effect = held.effect
    entity = (effect["entity_type"], effect["entity_id"], effect["revision"])
    detail = act.note or None
    await connection.execute(
        _SQL["tell"], *held.place, *entity, what, held.row["reason"], detail, act.actor, act.request_id
    )


# ---- forced resync -------------------------------------------------------------------------------------------------


def forced_op_id(request_id: str) -> str:
    """The op_id of a forced effect; never a revision's."""
    return f"resync:{request_id}"


async def force(pool: Pool, ledger: Ledger, rows: Sequence[Row], act: Act) -> RecordResult:
    """Record forced rows of one request, and let what is held or queued at the same revision give way to them.

    The lanes are left due for the sweeper. Repeating it changes nothing more.
    """
    target, keys = ledger.target, sorted(row.lane_key for row in rows)
    revisions = {row.lane_key: row.revision for row in rows}

    async def work(connection: Connection) -> RecordResult:
        result = await ledger.record_in(connection, rows, take=False)
        told = await connection.execute(
            _SQL["tell_forced"], target, keys, [revisions[key] for key in keys], act.note, act.actor, act.request_id
        )
        if told != "INSERT 0 0":
            await connection.execute(_SQL["give_way"], target, keys, forced_op_id(act.request_id))
            await connection.execute(_SQL["resume_held"], target, keys)
        return result

    return await pool.run(work)
