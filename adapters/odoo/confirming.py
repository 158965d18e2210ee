"""Confirm quotations, many in one transaction; what Odoo then says of their state is the answer.

`action_confirm` is no idempotent call: for an order that is confirmed already Odoo 16 answers true and 19 refuses.
So only draft and sent orders are confirmed, and after a refusal the state is read again.
"""

from collections.abc import Mapping, Sequence

from tallystick.clock import Budget
from tallystick.errors import Unauthorised, Unavailable
from tallystick.ports import Answer, Applied, Doubt, Job, NotApplied, Refused, Verdict
from tallystick.reasons import HoldReason

from .errors import redacted
from .loading import Loader
from .readback import CONFIRMED, Known, document_of
from .records import Records
from .translate import personal
from .transport import Call, Done, Json, Rejected, Transport
from .values import text

_NO_TIME = "others in its batch could not be confirmed, and no time was left to confirm it without them"


class Confirmer:
    """Confirms orders whose state `prepare` has read."""

    def __init__(self, transport: Transport, records: Records, loader: Loader) -> None:
        self._transport = transport
        self._records = records
        self._loader = loader

    async def confirm(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        """Answers by reference. Never raises."""
        answers = {job.ref: answer for job in jobs if (answer := settled(job)) is not None}
        open_jobs = [job for job in jobs if job.ref not in answers]
        waiting = [open_jobs] if open_jobs else []
        calls = 0
        while waiting:
            group = waiting.pop(0)
            if calls and not await self._loader.permit(budget):
                answers |= dict.fromkeys((job.ref for job in group), NotApplied(_NO_TIME, 0.1))
                continue
            calls += 1
            told, again = await self._once(group, budget)
            answers |= told
            waiting += again
        return answers

    async def _once(self, jobs: list[Job], budget: Budget) -> tuple[dict[str, Answer], list[list[Job]]]:
        ids = tuple(job.ready.known.id for job in jobs)
        arguments = {"context": self._records.context}
        reply = await self._transport.write(Call("sale.order", "action_confirm", arguments, ids), budget)
        if isinstance(reply, NotApplied | Doubt):
            return dict.fromkeys((job.ref for job in jobs), reply), []
        if isinstance(reply, Rejected) and len(jobs) > 1:
            half = len(jobs) // 2
            return {}, [jobs[:half], jobs[half:]]
        states = await self._states(ids)
        return {job.ref: _answer(job, reply, states) for job in jobs}, []

    async def _states(self, ids: tuple[int, ...]) -> Mapping[int, Json] | None:
        """None when Odoo cannot be asked now."""
        try:
            return await self._records.by_id("sale.order", ids, ("state", "name"))
        except (Unavailable, Unauthorised):
            return None


def settled(job: Job) -> Answer | None:
    """What the state says before anything is sent; None for an order that is to be confirmed."""
    known: Known | None = job.ready.known
    if known is None:
        return Refused(HoldReason.DELETED_IN_TARGET, "the order was deleted in Odoo before it was confirmed")
    if known.adopted:
        return Applied(str(known.id), known.number)
    if known.verdict(job.mark) is not Verdict.THIS:
        return Doubt("another revision stands in Odoo than the one that was loaded", unanswered=False)
    if known.confirmed:
        return Applied(str(known.id), known.number)
    if not known.open:
        words = (
            f"the order {known.number} was cancelled in Odoo, and stands in the store: cancel it there, or skip this"
        )
        return Refused(HoldReason.LOCKED, words)
    return None


def _answer(job: Job, reply: Done | Rejected, states: Mapping[int, Json] | None) -> Answer:
    if states is None:
        return Doubt("Odoo answered the confirmation, and could not tell the order's state", unanswered=False)
    known: Known = job.ready.known
    state = states.get(known.id)
    if state is None:
        return Refused(HoldReason.DELETED_IN_TARGET, f"the order {known.number} was deleted in Odoo")
    if state["state"] in CONFIRMED:
        return Applied(str(known.id), text(state["name"]))
    if isinstance(reply, Rejected):
        said = redacted(reply.message, personal(document_of(job).customer))
        return Refused(HoldReason.DATA, f"Odoo refuses to confirm the order {known.number}: {said}")
    return Refused(HoldReason.DATA, f"Odoo asks before it confirms the order {known.number}: confirm it there by hand")
