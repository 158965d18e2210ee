"""Sales orders, step by step: load head and lines, read them back, confirm, restore the date.

The class is E1: `load` reads and writes External IDs in one repeatable-read transaction, so a repeated or a parallel
create folds into one order. Updates are unconditional: a request that was given up may land as late as the server
lets a request run.
"""

from collections.abc import Mapping, Sequence

from tallystick.clock import Budget
from tallystick.contract.document import Document, OrderDocument
from tallystick.pacing import Pacer
from tallystick.ports import Answer, Applied, Doubt, Found, Job, Refused, Step, Verdict
from tallystick.reasons import HoldReason

from . import compare, translate
from .confirming import Confirmer
from .loading import Loader
from .readback import Head, Known, Missing, Readback, StoredLine, document_of
from .records import Records
from .references import References
from .resolve import Ready, Resolver, removed_lines
from .rows import Item
from .settings import OdooSettings
from .traits import operation_traits
from .transport import Transport
from .values import moment, text
from .versions import dialect_of

LOAD = Step("load", marks=True)
CHECK = Step("check", writes=False)
CONFIRM = Step("confirm")
DATE = Step("date")


class OrderSinkOfOdoo:
    """A `Sink` of sales orders."""

    def __init__(
        self, connection: str, settings: OdooSettings, transport: Transport, records: Records, references: References,
        pacer: Pacer,
    ) -> None:  # fmt: skip
        self.pacer = pacer
        self.traits = operation_traits(settings, settings.mark_field)
        self._connection = connection
        self._mark_field = settings.mark_field
        self._records = records
        self._references = references
        self._readback = Readback(connection, records, settings.mark_field)
        self._resolver = Resolver(connection, records, references, self._readback)
        self._loader = Loader(transport, pacer, records.context)
        self._confirmer = Confirmer(transport, records, self._loader)

    def steps(self, document: Document) -> tuple[Step, ...]:
        """A confirmation overwrites the order's date, so the date is restored after it, and only then."""
        confirm = isinstance(document, OrderDocument) and document.confirm
        return (LOAD, CHECK, CONFIRM, DATE) if confirm else (LOAD, CHECK)

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused]:
        """Find the orders and every reference."""
        return await self._resolver.prepare(jobs)

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """One step. Raises `Unavailable` and `Unauthorised` only before anything is written."""
        made = {LOAD: self._load, CHECK: self._check, CONFIRM: self._confirm, DATE: self._date}
        answers = await made[step](jobs, budget)
        if any(isinstance(answer, Refused) for answer in answers.values()):
            self._references.forget()
        return [answers[job.ref] for job in jobs]

    # ---- load

    async def _load(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        lines = await self._stored([job for job in jobs if _is_closed(job)])
        answers: dict[str, Answer] = {}
        items = []
        for job in jobs:
            made = self._item(job, lines.get(job.ref, {}))
            if isinstance(made, Item):
                items.append(made)
            else:
                answers[job.ref] = made
        return answers | await self._loader.load("sale.order", items, budget)

    def _item(self, job: Job, lines: Mapping[str, StoredLine]) -> Item | Answer:
        """What to load; or the answer where nothing may be, or needs to be."""
        ready: Ready = job.ready
        known = ready.known
        if known is None:
            return translate.whole_order(self._connection, job, ready, self._mark_field)
        if known.adopted:
            return _adopted(job, known)
        verdict = known.verdict(job.mark)
        if verdict is Verdict.NEWER:
            return Doubt("a newer revision stands in Odoo", unanswered=False)
        if verdict is Verdict.FOREIGN:
            return Refused(HoldReason.FOREIGN, f"the order {known.number} carries the mark of another order of ours")
        if known.open:
            return translate.whole_order(self._connection, job, ready, self._mark_field)
        found = compare.differences(job, ready, known, lines, self._mark_field)
        return _locked(known, found) if found else translate.mark_only(self._connection, job, ready, self._mark_field)

    # ---- check, confirm, date

    async def _check(self, jobs: Sequence[Job], _budget: Budget) -> dict[str, Answer]:
        """Odoo's own figures against the document's: currency, total, and every line."""
        lines = await self._stored(jobs)
        return {job.ref: self._checked(job, lines[job.ref]) for job in jobs}

    def _checked(self, job: Job, lines: Mapping[str, StoredLine]) -> Answer:
        known: Known | None = job.ready.known
        if known is None:
            return Refused(HoldReason.DELETED_IN_TARGET, "the order was deleted in Odoo before it was checked")
        if known.adopted:
            return _adopted(job, known)
        if known.verdict(job.mark) is not Verdict.THIS:
            words = f"the field {self._mark_field} does not hold the mark that was loaded: something in Odoo changes it"
            return Refused(HoldReason.DATA, f"{words}; name another `mark_field`, or resync the order")
        found = [one for one in self._differences(job, known, lines) if not one.wording]
        return compare.refusal(found) if found else Applied(str(known.id), known.number)

    async def _confirm(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        return await self._confirmer.confirm(jobs, budget)

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
                items.append(translate.date_only(self._connection, job))
        return answers | await self._loader.load("sale.order", items, budget)

    # ---- probe

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """By the mark, and by what the step changes; with `whole`, and for the check, by everything."""
        if whole or step == CHECK:
            return await self._compared(jobs, whole)
        heads = await self._heads(jobs)
        return [_judged(step, job, head) for job, head in zip(jobs, heads, strict=True)]

    async def _compared(self, jobs: Sequence[Job], whole: bool) -> list[Found]:
        prepared = await self._resolver.prepare(jobs)
        comparable = [job for job in prepared if isinstance(job, Job)]
        lines = await self._stored(comparable)
        found = []
        for job in prepared:
            if isinstance(job, Refused):
                gone = job.reason is HoldReason.DELETED_IN_TARGET
                found.append(Found(Verdict.ABSENT if gone else Verdict.OLDER, detail=job.detail))
            else:
                found.append(self._found(job, lines[job.ref], whole))
        return found

    def _found(self, job: Job, lines: Mapping[str, StoredLine], whole: bool) -> Found:
        known: Known | None = job.ready.known
        if known is None:
            return Found(Verdict.ABSENT, detail="there is no order under our reference")
        verdict = known.verdict(job.mark)
        if verdict in (Verdict.NEWER, Verdict.FOREIGN):
            return _told(verdict, known)
        found = self._differences(job, known, lines)
        if whole and not known.adopted:
            found += compare.later_steps(document_of(job), known)
        else:
            found = [one for one in found if not one.wording]
        return _told(Verdict.OLDER, known, compare.refusal(found).detail) if found else _told(Verdict.THIS, known)

    # ---- reads

    def _differences(self, job: Job, known: Known, lines: Mapping[str, StoredLine]) -> list[compare.Difference]:
        if known.adopted:
            return compare.same_sale(document_of(job), known)
        return compare.differences(job, job.ready, known, lines, self._mark_field)

    async def _heads(self, jobs: Sequence[Job]) -> list[Head]:
        heads, _ = await self._readback.heads(jobs, await dialect_of(self._records))
        return heads

    async def _stored(self, jobs: Sequence[Job]) -> dict[str, dict[str, StoredLine]]:
        """The lines of these orders, those of earlier revisions too."""
        wanted = {job.ref: [*_line_keys(job), *removed_lines(job)] for job in jobs}
        also = {name for job in jobs for line in document_of(job).lines for name in line.fields}
        return await self._readback.lines(wanted, await dialect_of(self._records), also) if jobs else {}


def _line_keys(job: Job) -> list[str]:
    return [line.key for line in document_of(job).lines]


def _is_closed(job: Job) -> bool:
    known: Known | None = job.ready.known
    return known is not None and not known.adopted and not known.open


def _adopted(job: Job, known: Known) -> Answer:
    """An order that a person made stays as it is; where it says something else, a person has to look."""
    found = compare.same_sale(document_of(job), known)
    return _locked(known, found) if found else Applied(str(known.id), known.number)


def _locked(known: Known, found: Sequence[compare.Difference]) -> Refused:
    how = "was made by hand" if known.adopted else "is cancelled" if not known.confirmed else "is confirmed"
    told = compare.refusal(found).detail
    return Refused(HoldReason.LOCKED, f"the order {known.number} {how} in Odoo and is not changed from outside: {told}")


def _dated(job: Job, known: Known) -> bool:
    return text(known.values["date_order"]) == moment(document_of(job).placed_at)


def _judged(step: Step, job: Job, head: Head) -> Found:
    if isinstance(head, Missing):
        return Found(Verdict.ABSENT, detail=head.detail)
    if head.adopted:
        differs = compare.same_sale(document_of(job), head)
        return _told(Verdict.OLDER if differs else Verdict.THIS, head)
    verdict = head.verdict(job.mark)
    if verdict is Verdict.THIS and not _took_effect(step, job, head):
        return _told(Verdict.ABSENT, head, f"the step {step.name} has not taken effect")
    return _told(verdict, head)


def _took_effect(step: Step, job: Job, known: Known) -> bool:
    """Of a step that leaves no mark: what it changes."""
    if step == CONFIRM:
        return known.confirmed
    return step != DATE or _dated(job, known)


def _told(verdict: Verdict, known: Known, detail: str = "") -> Found:
    if verdict is Verdict.FOREIGN and not detail:
        detail = f"the order {known.number} carries the mark of another order of ours"
    return Found(verdict, str(known.id), known.number, detail)
