"""Confirm, cancel, post: many documents in one transaction; what Odoo then says of their state is the answer.

None of these calls can simply be repeated: of an order that is confirmed already Odoo 16 answers true and 19 refuses,
a credit note that is posted both refuse, and a cancelled one 16 posts all the same. So the state is read first, and
again after a refusal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tallystick.clock import Budget
from tallystick.errors import Unauthorised, Unavailable
from tallystick.ports import Answer, Applied, Doubt, Job, NotApplied, Refused, Verdict
from tallystick.reasons import HoldReason

from .errors import redacted
from .forms import CREDIT, ORDER, PAYMENT, RETURN, Form
from .loading import Loader
from .readback import CANCELLED, Known
from .records import Records
from .transport import Call, Done, Json, Rejected, Transport
from .values import text

_NO_TIME = "others in its batch were refused, and no time was left to do it without them"
#: What the state says before anything is sent; None for a document with which it has to be done.
Settled = Callable[[Job], Answer | None]
#: The record that it is done with.
Which = Callable[[Job], Known]


@dataclass(frozen=True, slots=True)
class Deed:
    """A method that moves documents on to a state."""

    form: Form
    method: str
    #: For people: to …
    verb: str
    #: The states that it ends in.
    ends: tuple[str, ...]
    #: Why a document is held that Odoo refuses to move.
    refused: HoldReason = HoldReason.DATA
    context: Json = field(default_factory=dict)


CONFIRM = Deed(ORDER, "action_confirm", "confirm", ORDER.closed)
#: Without this context Odoo 16 asks back, and cancels nothing but drafts.
CANCEL = Deed(ORDER, "action_cancel", "cancel", (CANCELLED,), HoldReason.LOCKED, {"disable_cancel_warning": True})
POST = Deed(CREDIT, "action_post", "post", CREDIT.closed)
PAY = Deed(PAYMENT, "action_post", "post", PAYMENT.closed)
READY = Deed(RETURN, "action_confirm", "make ready", RETURN.closed)
CALL_OFF = Deed(RETURN, "action_cancel", "cancel", (CANCELLED,), HoldReason.LOCKED)


def _document(job: Job) -> Known:
    known: Known = job.ready.known
    return known


class Doer:
    """Does a deed with documents whose state `prepare` has read."""

    def __init__(self, transport: Transport, records: Records, loader: Loader) -> None:
        self._transport = transport
        self._records = records
        self._loader = loader

    async def do(
        self, deed: Deed, jobs: Sequence[Job], settled: Settled, budget: Budget, which: Which = _document
    ) -> dict[str, Answer]:
        """Answers by reference, with the ids of `which`. Never raises."""
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
            told, again = await self._once(deed, group, budget, which)
            answers |= told
            waiting += again
        return answers

    async def _once(
        self, deed: Deed, jobs: list[Job], budget: Budget, which: Which
    ) -> tuple[dict[str, Answer], list[list[Job]]]:
        ids = tuple(which(job).id for job in jobs)
        arguments = {"context": {**self._records.context, **deed.context}}
        reply = await self._transport.write(Call(deed.form.model, deed.method, arguments, ids), budget)
        if isinstance(reply, NotApplied | Doubt):
            return dict.fromkeys((job.ref for job in jobs), reply), []
        if isinstance(reply, Rejected) and len(jobs) > 1:
            half = len(jobs) // 2
            return {}, [jobs[:half], jobs[half:]]
        states = await self._states(deed, ids)
        return {job.ref: _answer(deed, job, which(job), reply, states) for job in jobs}, []

    async def _states(self, deed: Deed, ids: tuple[int, ...]) -> Mapping[int, Json] | None:
        """None when Odoo cannot be asked now."""
        try:
            return await self._records.by_id(deed.form.model, ids, ("state", "name"))
        except (Unavailable, Unauthorised):
            return None


def to_be_booked(job: Job) -> Answer | None:
    """`Settled` of a confirmation and of a posting."""
    known: Known | None = job.ready.known
    if known is None:
        return Refused(HoldReason.DELETED_IN_TARGET, "the document was deleted in Odoo before it was booked")
    if known.adopted:
        return Applied(str(known.id), known.number)
    if known.verdict(job.mark) is not Verdict.THIS:
        return Doubt("another revision stands in Odoo than the one that was loaded", unanswered=False)
    if known.booked:
        return Applied(str(known.id), known.number)
    if not known.open:
        words = f"the {known.called} was cancelled in Odoo, and stands in the store: cancel it there, or skip this"
        return Refused(HoldReason.LOCKED, words)
    return None


def _answer(deed: Deed, job: Job, known: Known, reply: Done | Rejected, states: Mapping[int, Json] | None) -> Answer:
    if states is None:
        words = f"Odoo answered when asked to {deed.verb}, and could not tell the document's state"
        return Doubt(words, unanswered=False)
    state = states.get(known.id)
    if state is None:
        return Refused(HoldReason.DELETED_IN_TARGET, f"the {known.called} was deleted in Odoo")
    if state["state"] in deed.ends:
        return Applied(str(known.id), text(state["name"]))
    if isinstance(reply, Rejected):
        said = redacted(reply.message, job.ready.personal)
        return Refused(deed.refused, f"Odoo refuses to {deed.verb} the {known.called}: {said}")
    words = f"Odoo asks before it takes the step {deed.verb} with the {known.called}: do it there by hand"
    return Refused(deed.refused, words)
