"""Sales orders, step by step: load head and lines, read them back, confirm, restore the date; or cancel."""

from collections.abc import Mapping, Sequence

from tallystick.clock import Budget
from tallystick.contract.document import Document, OrderDocument
from tallystick.pacing import Pacer
from tallystick.ports import Answer, Applied, Doubt, Found, Job, Refused, Step, Verdict
from tallystick.reasons import HoldReason

from . import compare, deeds
from .deeds import to_be_booked
from .documents import CHECK, LOAD, DocumentSink, told
from .forms import ORDER
from .parties import Buyers
from .readback import Head, Known, Missing, document_of
from .records import Records
from .references import References
from .resolve import is_cancelled
from .settings import OdooSettings
from .transport import Transport
from .values import link, moment, number, text

CONFIRM = Step("confirm")
DATE = Step("date")
CANCEL = Step("cancel")
MARK = Step("mark", marks=True)
_DELIVERED, _INVOICED = "qty_delivered", "qty_invoiced"


class OrderSinkOfOdoo(DocumentSink):
    """A `Sink` of sales orders."""

    def __init__(
        self, connection: str, settings: OdooSettings, transport: Transport, records: Records, references: References,
        pacer: Pacer,
    ) -> None:  # fmt: skip
        super().__init__(connection, settings, transport, records, references, pacer,
                         form=ORDER, mark_field=settings.mark_field, parties=Buyers(connection))  # fmt: skip
        self._makers |= {CONFIRM: self._confirm, DATE: self._date, CANCEL: self._cancel, MARK: self._mark}

    def steps(self, document: Document) -> tuple[Step, ...]:
        """A confirmation overwrites the order's date, so the date is restored after it, and only then.

        Of an order that is cancelled in the store nothing is changed but the state and the mark.
        """
        assert isinstance(document, OrderDocument)
        if document.cancelled:
            return (CANCEL, MARK)
        return (LOAD, CHECK, CONFIRM, DATE) if document.confirm else (LOAD, CHECK)

    # ---- confirm, date

    async def _confirm(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        return await self._doer.do(deeds.CONFIRM, jobs, to_be_booked, budget)

    async def _date(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        """The date back to the store's, for all in one call."""
        answers: dict[str, Answer] = {}
        items = []
        for job in jobs:
            known: Known | None = job.ready.known
            if known is None:
                answers[job.ref] = Refused(HoldReason.DELETED_IN_TARGET, "the order was deleted in Odoo")
            elif known.adopted or _dated(job, known):
                answers[job.ref] = Applied(str(known.id), known.number)
            else:
                items.append(self._spelling.head_only(job, {"date_order": moment(document_of(job).placed_at)}))
        return answers | await self._loader.load(ORDER.model, items, budget)

    # ---- cancel, mark

    async def _cancel(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        """What has left the house or is on an invoice takes a return or a credit note, which people decide on."""
        moved = await self._moved([job.ready.known.id for job in jobs if job.ready.known is not None])

        def settled(job: Job) -> Answer | None:
            known: Known | None = job.ready.known
            return _to_be_cancelled(job, known, moved.get(known.id, "") if known is not None else "")

        return await self._doer.do(deeds.CANCEL, jobs, settled, budget)

    async def _moved(self, order_ids: Sequence[int]) -> Mapping[int, str]:
        """Of each order that was delivered or invoiced, returns and credit notes taken off: which of the two."""
        domain = [["order_id", "in", sorted(order_ids)]]
        rows = await self._records.find("sale.order.line", domain, ("order_id", _DELIVERED, _INVOICED))
        words = ((_DELIVERED, "delivered"), (_INVOICED, "invoiced"))
        return {link(row["order_id"]) or 0: word for row in rows for field, word in words if number(row[field])}

    async def _mark(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        """The cancelled revision into the order, which carries an earlier one's mark."""
        gone = {
            job.ref: Refused(HoldReason.DELETED_IN_TARGET, "the order was deleted in Odoo")
            for job in jobs
            if job.ready.known is None
        }
        items = [self._spelling.mark_only(job) for job in jobs if job.ref not in gone]
        return gone | await self._loader.load(ORDER.model, items, budget)

    # ---- probe

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """A cancellation by the state, whole or not: nothing else of the order matters any more."""
        ended = [job for job in jobs if is_cancelled(job) and step != MARK]
        others = [job for job in jobs if job not in ended]
        found = dict(zip([job.ref for job in others], await self._probe(step, others, whole), strict=True))
        found |= {job.ref: _ended(job, head) for job, head in zip(ended, await self._heads(ended), strict=True)}
        return [found[job.ref] for job in jobs]

    async def _probe(self, step: Step, jobs: Sequence[Job], whole: bool) -> Sequence[Found]:
        return await super().probe(step, jobs, whole=whole) if jobs else ()

    def _took_effect(self, step: Step, job: Job, known: Known) -> bool:
        return known.booked if step == CONFIRM else _dated(job, known)

    def _later(self, job: Job, known: Known) -> list[compare.Difference]:
        return compare.later_steps(document_of(job), known)


def _dated(job: Job, known: Known) -> bool:
    return text(known.values["date_order"]) == moment(document_of(job).placed_at)


def _to_be_cancelled(job: Job, known: Known | None, moved: str) -> Answer | None:
    """What is known before anything is sent; None for an order that has to be cancelled."""
    if known is None:
        return Refused(HoldReason.DELETED_IN_TARGET, "the order was deleted in Odoo before it was cancelled")
    verdict = known.verdict(job.mark)
    if verdict is Verdict.NEWER:
        return Doubt("a newer revision stands in Odoo", unanswered=False)
    if known.cancelled:
        return Applied(str(known.id), known.number)
    if known.adopted:
        return _by_hand(known, "was made by hand")
    if verdict is Verdict.FOREIGN:
        return Refused(HoldReason.FOREIGN, f"the {known.called} carries the mark of another one of ours")
    return _by_hand(known, f"is {moved} in Odoo") if moved else None


def _by_hand(known: Known, why: str) -> Refused:
    words = f"the {known.called} is cancelled in the store, but {why}: undo it there by hand, then mark this as applied"
    return Refused(HoldReason.LOCKED, words)


def _ended(job: Job, head: Head) -> Found:
    """Whether a cancellation stands there; `older` for an order that is there and goes on."""
    if isinstance(head, Missing):
        return Found(Verdict.ABSENT, detail=head.detail)
    verdict = head.verdict(job.mark)
    if verdict in (Verdict.NEWER, Verdict.FOREIGN):
        return told(verdict, head)
    return told(Verdict.THIS if head.cancelled else Verdict.OLDER, head)
