"""`load`: many records in one transaction, all or none, folded by External ID.

Success is a list of ids and no message of type error. A refusal names about ten rows at most: those records are
taken out and the rest is sent again while the budget lasts; a refusal that names none is bisected.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.clock import Budget
from tallystick.pacing import Pacer
from tallystick.ports import Answer, Applied, Doubt, NotApplied, Refused
from tallystick.reasons import HoldReason

from .errors import is_passing, redacted
from .rows import Item, grouped, sheet
from .transport import Call, Done, Json, Rejected, Transport

_NO_TIME = "others in its batch were refused, and no time was left to send it without them"
#: A head's field that leads to another record; lines are told apart by nothing but their text.
_LINKS = ("_id", "_ids")


class Loader:
    """Sends items by `load`, in as few calls as their columns and refusals allow."""

    def __init__(self, transport: Transport, pacer: Pacer, context: Json) -> None:
        self._transport = transport
        self._pacer = pacer
        # No chatter for every field of a bulk write.
        self._context = {**context, "tracking_disable": True}

    async def load(self, model: str, items: Sequence[Item], budget: Budget) -> dict[str, Answer]:
        """Answers by reference. The first call's permit is taken already."""
        answers: dict[str, Answer] = {}
        waiting = grouped(items)
        calls = 0
        while waiting:
            group = waiting.pop(0)
            if calls and not await self.permit(budget):
                answers |= dict.fromkeys((item.ref for item in group), NotApplied(_NO_TIME, 0.1))
                continue
            calls += 1
            told, again = await self._once(model, group, budget)
            answers |= told
            waiting += again
        return answers

    async def permit(self, budget: Budget) -> bool:
        """A permit for one more call of the same step; False when the budget ends before it."""
        wait_s = self._pacer.permit(budget.left_s())
        if wait_s >= 0:
            await asyncio.sleep(wait_s)
        return wait_s >= 0 and budget.left_s() > 0

    async def _once(self, model: str, items: list[Item], budget: Budget) -> tuple[dict[str, Answer], list[list[Item]]]:
        """One call: what is known now, and what has to be sent again."""
        table = sheet(items)
        arguments = {"fields": table.columns, "data": table.rows, "context": self._context}
        reply = await self._transport.write(Call(model, "load", arguments), budget)
        if isinstance(reply, NotApplied | Doubt):
            return dict.fromkeys((item.ref for item in items), reply), []
        if isinstance(reply, Rejected):
            return _undivided(items, reply.message)
        errors = _errors(reply)
        if any(is_passing(_text(error)) for error in errors):
            busy = NotApplied("Odoo rolled back, another transaction was changing the same record")
            return dict.fromkeys((item.ref for item in items), busy), []
        if errors:
            return _without_named(items, errors, table.owners)
        return _applied(items, reply), []


def _errors(reply: Done) -> list[Json]:
    messages = reply.value.get("messages") if isinstance(reply.value, dict) else None
    found = messages if isinstance(messages, list) else []
    return [message for message in found if isinstance(message, dict) and message.get("type") == "error"]


def _applied(items: Sequence[Item], reply: Done) -> dict[str, Answer]:
    """One id for each record, in their order; anything else names no document of ours."""
    ids = reply.value.get("ids") if isinstance(reply.value, dict) else None
    if not isinstance(ids, list) or len(ids) != len(items) or any(type(one) is not int for one in ids):
        doubt = Doubt("Odoo took the call, but its answer does not name the records", unanswered=False)
        return dict.fromkeys((item.ref for item in items), doubt)
    return {item.ref: _compared(item, record_id) for item, record_id in zip(items, ids, strict=True)}


def _compared(item: Item, record_id: int) -> Answer:
    if item.expected_id in (None, record_id):
        return Applied(str(record_id))
    return Refused(
        HoldReason.DELETED_IN_TARGET,
        f"record {item.expected_id} was deleted in Odoo while it was being updated, and Odoo made record {record_id} "
        "in its place: delete that one, or mark this as applied with it",
    )


def _without_named(
    items: Sequence[Item], errors: Sequence[Json], owners: Sequence[int]
) -> tuple[dict[str, Answer], list[list[Item]]]:
    """The records whose rows are named are refused, the others go again."""
    refused: dict[str, Answer] = {}
    for error in errors:
        for position in _positions(error, owners):
            refused.setdefault(items[position].ref, _refusal(items[position], error))
    if not refused:
        return _undivided(items, _text(errors[0]))
    rest = [item for item in items if item.ref not in refused]
    return refused, [rest] if rest else []


def _positions(error: Json, owners: Sequence[int]) -> set[int]:
    rows = error.get("rows")
    start, end = (rows.get("from"), rows.get("to")) if isinstance(rows, dict) else (None, None)
    if not isinstance(start, int) or not isinstance(end, int):
        return set()
    return set(owners[start : end + 1])


def _undivided(items: Sequence[Item], message: str) -> tuple[dict[str, Answer], list[list[Item]]]:
    """A refusal that names nobody: a single record is meant, of several each half is asked."""
    if len(items) == 1:
        return {items[0].ref: _refusal(items[0], {"message": message})}, []
    half = len(items) // 2
    return {}, [list(items[:half]), list(items[half:])]


def _refusal(item: Item, error: Mapping[str, Any]) -> Refused:
    field = str(error.get("field") or "")
    reason = HoldReason.MAPPING if field.endswith(_LINKS) else HoldReason.DATA
    where = f" the field {field}" if field else ""
    return Refused(reason, f"Odoo refused{where}: {redacted(_text(error), item.personal)}")


def _text(error: Mapping[str, Any]) -> str:
    return str(error.get("message") or "no message")
