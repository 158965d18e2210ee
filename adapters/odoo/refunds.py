"""Refunds: a credit note each, beside the order and never a change of it. Load, read back, post; then goods come back.

A customer's credit note is an `account.move` of type `out_refund`, for the order's invoice address and in its currency.
"""

from collections.abc import Sequence

from tallystick.clock import Budget
from tallystick.contract.document import Document
from tallystick.pacing import Pacer
from tallystick.ports import Answer, Applied, Found, Job, Refused, Step, Verdict
from tallystick.reasons import HoldReason

from . import compare, deeds
from .deeds import to_be_booked
from .documents import CHECK, LOAD, DocumentSink, told
from .forms import CREDIT, RETURN
from .parties import CreditedOrders, refund_of
from .readback import Head, Known, Missing
from .records import Records
from .references import References
from .returns import Returns
from .rows import Item
from .settings import OdooSettings
from .transport import Transport

POST = Step("post")
BACK = Step("return")
READY = Step("ready")


class RefundSinkOfOdoo(DocumentSink):
    """A `Sink` of credit notes."""

    def __init__(
        self, connection: str, settings: OdooSettings, transport: Transport, records: Records, references: References,
        pacer: Pacer,
    ) -> None:  # fmt: skip
        super().__init__(connection, settings, transport, records, references, pacer,
                         form=CREDIT, mark_field=settings.credit_mark_field,
                         parties=CreditedOrders(connection, records))  # fmt: skip
        self._returns = Returns(connection, records)
        self._makers |= {POST: self._post, BACK: self._take_back, READY: self._make_ready}

    def steps(self, document: Document) -> tuple[Step, ...]:
        """A draft is for people to post. Goods that stay where they are need no return."""
        refund = refund_of(document)
        post = (POST,) if refund.confirm else ()
        return (LOAD, CHECK, *post, *((BACK, READY) if refund.restocked else ()))

    async def _post(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        return await self._doer.do(deeds.POST, jobs, to_be_booked, budget)

    # ---- goods

    async def _take_back(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        """The transfer, unless it is there. What never left, and is not to leave, needs none."""
        made = await self._returns.made(jobs)
        found = await self._returns.items([job for job in jobs if job.ref not in made and _is_ours(job)])
        items = [one for one in found.values() if isinstance(one, Item)]
        refused = {ref: one for ref, one in found.items() if isinstance(one, Refused)}
        loaded = await self._loader.load(RETURN.model, items, budget)
        return {job.ref: _of_credit(job, refused.get(job.ref) or loaded.get(job.ref)) for job in jobs}

    async def _make_ready(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        """As Odoo's own wizard leaves it. One that people have received, cancelled or deleted is theirs."""
        made = await self._returns.made(jobs)

        def settled(job: Job) -> Answer | None:
            return None if job.ref in made and made[job.ref].open else _of_credit(job, None)

        answers = await self._doer.do(deeds.READY, jobs, settled, budget, lambda job: made[job.ref])
        return {job.ref: _of_credit(job, answers[job.ref]) for job in jobs}

    # ---- probe

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """Of the credit note by its mark and state, of the transfer by its name and state."""
        if step not in (BACK, READY):
            return await super().probe(step, jobs, whole=whole)
        heads, made = await self._heads(jobs), await self._returns.made(jobs)
        return [_back(step, head, made.get(job.ref)) for job, head in zip(jobs, heads, strict=True)]

    def _took_effect(self, step: Step, job: Job, known: Known) -> bool:
        return known.booked

    def _later(self, job: Job, known: Known) -> list[compare.Difference]:
        if known.booked or not refund_of(job.document).confirm:
            return []
        return [compare.Difference(HoldReason.LOCKED, f"the {known.called} is {known.values['state']!r} in Odoo")]


def _is_ours(job: Job) -> bool:
    known: Known | None = job.ready.known
    return known is not None and not known.adopted


def _of_credit(job: Job, answer: Answer | None) -> Answer:
    """The answer about its transfer, under the credit note's own id; none stands for nothing to do."""
    known: Known | None = job.ready.known
    if known is None:
        return Refused(HoldReason.DELETED_IN_TARGET, "the credit note was deleted in Odoo before its goods came back")
    return Applied(str(known.id), known.number) if answer is None or isinstance(answer, Applied) else answer


def _back(step: Step, head: Head, transfer: Known | None) -> Found:
    if isinstance(head, Missing):
        return Found(Verdict.ABSENT, detail=head.detail)
    if transfer is None or (step == READY and transfer.open):
        return told(Verdict.ABSENT, head, f"the step {step.name} has not taken effect")
    return told(Verdict.THIS, head)
