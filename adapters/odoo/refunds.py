"""Refunds: a credit note each, beside the order and never a change of it. Load, read back, post; then goods come back.

A customer's credit note is an `account.move` of type `out_refund`, for the order's invoice address and in its currency.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from tallystick.canonical.keys import key
from tallystick.canonical.quantities import quantity_text
from tallystick.clock import Budget
from tallystick.contract.document import Document
from tallystick.pacing import Pacer
from tallystick.ports import Answer, Applied, Found, Job, Refused, Step, Verdict
from tallystick.reasons import HoldReason

from . import compare, deeds
from .deeds import to_be_booked
from .documents import CHECK, LOAD, DocumentSink, told
from .forms import CREDIT, RETURN
from .parties import CreditedOrders, orders_of, refund_of
from .readback import Head, Known, Missing
from .records import Records
from .references import References
from .settings import OdooSettings
from .transfers import Choice, Piece, Short, Transfers, Wanted
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
        self._transfers = Transfers(connection, records)
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
        made = await self._transfers.made([job.ref for job in jobs])
        wanted = [_wanted(job) for job in jobs if job.ref not in made and _is_ours(job)]
        choices = await self._transfers.choose(wanted)
        refused = {ref: answer for ref, one in choices.items() if (answer := _still_here(one)) is not None}
        items = await self._transfers.items([one for one in wanted if one.ref not in refused], choices)
        loaded = await self._loader.load(RETURN.model, list(items.values()), budget)
        return {job.ref: _of_credit(job, refused.get(job.ref) or loaded.get(job.ref)) for job in jobs}

    async def _make_ready(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        """As Odoo's own wizard leaves it. One that people have received, cancelled or deleted is theirs."""
        made = await self._transfers.made([job.ref for job in jobs])

        def settled(job: Job) -> Answer | None:
            return None if job.ref in made and made[job.ref].open else _of_credit(job, None)

        answers = await self._doer.do(deeds.READY, jobs, settled, budget, lambda job: made[job.ref])
        return {job.ref: _of_credit(job, answers[job.ref]) for job in jobs}

    # ---- probe

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """Of the credit note by its mark and state, of the transfer by its name and state."""
        if step not in (BACK, READY):
            return await super().probe(step, jobs, whole=whole)
        heads, made = await self._heads(jobs), await self._transfers.made([job.ref for job in jobs])
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


def _wanted(job: Job) -> Wanted:
    """What is to come back by the refund's transfer; its return may have brought some of it."""
    document = refund_of(job.document)
    skus = {line.key: line.product for line in document.lines}
    pieces: dict[str, Decimal] = defaultdict(Decimal)
    for line_key, quantity in document.restocked:
        pieces[skus[line_key]] += quantity
    of = (document.connection, document.order_id, "return", document.return_id)
    return Wanted(
        ref=job.ref,
        orders=orders_of(job, job.ready.order),
        partner=job.ready.partner,
        origin=f"{job.ready.fields['ref']} [{job.mark}]",
        pieces=tuple(Piece(job.ready.products[sku], sku, quantity) for sku, quantity in pieces.items()),
        beside=(key(*of),) if document.return_id else (),
        personal=job.ready.personal,
    )


def _still_here(choice: Choice) -> Refused | None:
    """What never left, and is not to leave, needs no way back."""
    waiting = [one for one in choice.short if one.waiting]
    return _refusal(waiting[0]) if waiting else None


def _refusal(short: Short) -> Refused:
    words = (
        f"{quantity_text(short.quantity)} of {short.sku!r} were refunded or taken off in the store, and are not for "
        f"the buyer, but in Odoo they are still to leave with {', '.join(short.waiting)}: take them off there by hand, "
        "then resume this"
    )
    return Refused(HoldReason.LOCKED, words)


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
