"""What sinks of orders and of credit notes have in common: load head and lines, read them back, probe by the mark.

The class is E1: `load` reads and writes External IDs in one repeatable-read transaction, so a repeated or a parallel
create folds into one document. Updates are unconditional: a request that was given up may land as late as the server
lets a request run.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from tallystick.clock import Budget
from tallystick.pacing import Pacer
from tallystick.ports import Answer, Applied, Doubt, Found, Job, Refused, Step, Verdict
from tallystick.reasons import HoldReason

from . import compare
from .deeds import Doer
from .forms import Form
from .loading import Loader
from .parties import Parties
from .readback import Head, Known, Missing, Readback, StoredLine, lined
from .records import Records
from .references import References
from .resolve import Ready, Resolver, removed_lines
from .rows import Item
from .settings import OdooSettings
from .traits import operation_traits
from .translate import Spelling
from .transport import Transport
from .versions import dialect_of

LOAD = Step("load", marks=True)
CHECK = Step("check", writes=False)
#: Makes one step for jobs; answers by reference.
Maker = Callable[[Sequence[Job], Budget], Awaitable[dict[str, Answer]]]


class DocumentSink:
    """The common half of a `Sink`. A subclass adds its steps with their makers, and tells when they took effect."""

    def __init__(
        self, connection: str, settings: OdooSettings, transport: Transport, records: Records, references: References,
        pacer: Pacer, *, form: Form, mark_field: str, parties: Parties,
    ) -> None:  # fmt: skip
        self.pacer = pacer
        self.traits = operation_traits(settings, mark_field)
        self._form = form
        self._mark_field = mark_field
        self._records = records
        self._references = references
        self._readback = Readback(connection, records, form, mark_field)
        self._resolver = Resolver(records, references, self._readback, form, parties)
        self._spelling = Spelling(connection, form, mark_field)
        self._loader = Loader(transport, pacer, records.context)
        self._doer = Doer(transport, records, self._loader)
        self._makers: dict[Step, Maker] = {LOAD: self._load, CHECK: self._check}

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused]:
        """Find the documents and every reference."""
        return await self._resolver.prepare(jobs)

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """One step. Raises `Unavailable` and `Unauthorised` only before anything is written."""
        answers = await self._makers[step](jobs, budget)
        if any(isinstance(answer, Refused) for answer in answers.values()):
            self._references.forget()
        return [answers[job.ref] for job in jobs]

    # ---- what a subclass adds

    def _took_effect(self, step: Step, job: Job, known: Known) -> bool:
        """Of a step that leaves no mark, on a document that carries this revision's."""
        raise NotImplementedError

    def _later(self, job: Job, known: Known) -> list[compare.Difference]:
        """What the steps after the load would still change."""
        raise NotImplementedError

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
        return answers | await self._loader.load(self._form.model, items, budget)

    def _item(self, job: Job, lines: Mapping[str, StoredLine]) -> Item | Answer:
        """What to load; or the answer where nothing may be, or needs to be."""
        ready: Ready = job.ready
        known = ready.known
        if known is None:
            return self._spelling.whole(job)
        if known.adopted:
            return _adopted(job, known)
        verdict = known.verdict(job.mark)
        if verdict is Verdict.NEWER:
            return Doubt("a newer revision stands in Odoo", unanswered=False)
        if verdict is Verdict.FOREIGN:
            return Refused(HoldReason.FOREIGN, _foreign(known))
        if known.open:
            return self._spelling.whole(job)
        found = compare.differences(job, ready, known, lines, self._mark_field)
        return locked(known, found) if found else self._spelling.mark_only(job)

    # ---- check

    async def _check(self, jobs: Sequence[Job], _budget: Budget) -> dict[str, Answer]:
        """Odoo's own figures against the document's: currency, total, and every line."""
        lines = await self._stored(jobs)
        return {job.ref: self._checked(job, lines[job.ref]) for job in jobs}

    def _checked(self, job: Job, lines: Mapping[str, StoredLine]) -> Answer:
        known: Known | None = job.ready.known
        if known is None:
            words = f"the {self._form.word} was deleted in Odoo before it was checked"
            return Refused(HoldReason.DELETED_IN_TARGET, words)
        if known.adopted:
            return _adopted(job, known)
        if known.verdict(job.mark) is not Verdict.THIS:
            words = f"the field {self._mark_field} does not hold the mark that was loaded: something in Odoo changes it"
            return Refused(HoldReason.DATA, f"{words}; name another in the settings, or resync the order")
        found = [one for one in self._differences(job, known, lines) if not one.wording]
        return compare.refusal(found) if found else Applied(str(known.id), known.number)

    # ---- probe

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """By the mark, and by what the step changes; with `whole`, and for the check, by everything."""
        if whole or step == CHECK:
            return await self._compared(jobs, whole)
        heads = await self._heads(jobs)
        return [self._judged(step, job, head) for job, head in zip(jobs, heads, strict=True)]

    def _judged(self, step: Step, job: Job, head: Head) -> Found:
        if isinstance(head, Missing):
            return Found(Verdict.ABSENT, detail=head.detail)
        if head.adopted:
            differs = compare.same_sale(lined(job), head)
            return told(Verdict.OLDER if differs else Verdict.THIS, head)
        verdict = head.verdict(job.mark)
        if verdict is Verdict.THIS and not step.marks and not self._took_effect(step, job, head):
            return told(Verdict.ABSENT, head, f"the step {step.name} has not taken effect")
        return told(verdict, head)

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
            return Found(Verdict.ABSENT, detail=f"there is no {self._form.word} under our reference")
        verdict = known.verdict(job.mark)
        if verdict in (Verdict.NEWER, Verdict.FOREIGN):
            return told(verdict, known)
        found = self._differences(job, known, lines)
        if whole and not known.adopted:
            found += self._later(job, known)
        else:
            found = [one for one in found if not one.wording]
        return told(Verdict.OLDER, known, compare.refusal(found).detail) if found else told(Verdict.THIS, known)

    # ---- reads

    def _differences(self, job: Job, known: Known, lines: Mapping[str, StoredLine]) -> list[compare.Difference]:
        if known.adopted:
            return compare.same_sale(lined(job), known)
        return compare.differences(job, job.ready, known, lines, self._mark_field)

    async def _heads(self, jobs: Sequence[Job]) -> list[Head]:
        heads, _ = await self._readback.heads(jobs, await dialect_of(self._records, self._form))
        return heads

    async def _stored(self, jobs: Sequence[Job]) -> dict[str, dict[str, StoredLine]]:
        """The lines of these documents, those of earlier revisions too."""
        wanted = {job.ref: [*(line.key for line in lined(job).lines), *removed_lines(job)] for job in jobs}
        also = {name for job in jobs for line in lined(job).lines for name in line.fields}
        dialect = await dialect_of(self._records, self._form)
        return await self._readback.lines(wanted, dialect, also) if jobs else {}


def _is_closed(job: Job) -> bool:
    known: Known | None = job.ready.known
    return known is not None and not known.adopted and not known.open


def _adopted(job: Job, known: Known) -> Answer:
    """A document that a person made stays as it is; where it says something else, a person has to look."""
    found = compare.same_sale(lined(job), known)
    return locked(known, found) if found else Applied(str(known.id), known.number)


def locked(known: Known, found: Sequence[compare.Difference]) -> Refused:
    """A document that is not changed from outside, and would have to be."""
    how = "was made by hand" if known.adopted else "is cancelled" if known.cancelled else "is confirmed"
    words = compare.refusal(found).detail
    told = f"the {known.called} {how} in Odoo and is not changed from outside: {words}"
    return Refused(HoldReason.LOCKED, told, beside=not known.cancelled)


def told(verdict: Verdict, known: Known, detail: str = "") -> Found:
    """What was found, with the document that it was found in."""
    detail = detail or (_foreign(known) if verdict is Verdict.FOREIGN else "")
    return Found(verdict, str(known.id), known.number, detail)


def _foreign(known: Known) -> str:
    return f"the {known.called} carries the mark of another one of ours"
