"""Payments of buyers: a customer payment each, beside the order. Load, read back, post.

An `account.payment` of type `inbound` for the order's invoice address. A sales order has nothing to reconcile it with:
the payment stands on the customer's account until there is an invoice, and its memo names the order and the gateway's
own id. Odoo 18 made the payment a record of its own (its states became in_process and paid, `ref` became `memo`; read
in its source), before it was a journal entry; the server's fields tell which.
"""

from collections.abc import Collection, Mapping, Sequence

from tallystick.canonical.keys import order_key
from tallystick.clock import Budget
from tallystick.contract.document import Document
from tallystick.pacing import Pacer
from tallystick.ports import Answer, Applied, Found, Job, Refused, Step, Verdict
from tallystick.reasons import HoldReason

from . import compare, deeds, fields, names
from .compare import Difference
from .deeds import Doer, to_be_booked
from .documents import CHECK, LOAD, locked, told
from .fields import Types
from .forms import PAYMENT
from .loading import Loader
from .paid import JOURNAL, LookedUp, ReadyPayment, differences, memo_of, payment_of, ready_job
from .readback import Head, Known, Missing, Readback, order_id
from .records import Address, Records
from .references import References
from .rows import Item
from .settings import OdooSettings
from .traits import operation_traits
from .transport import Json, Transport
from .versions import Dialect

POST = Step("post")
_ORDER = ("name", "partner_id", "partner_invoice_id", "currency_id", "client_order_ref")


class PaymentSinkOfOdoo:
    """A `Sink` of customer payments."""

    def __init__(
        self, connection: str, settings: OdooSettings, transport: Transport, records: Records, references: References,
        pacer: Pacer,
    ) -> None:  # fmt: skip
        self.pacer = pacer
        self.traits = operation_traits(settings, settings.payment_mark_field or "memo")
        self._connection = connection
        self._settings = settings
        self._records = records
        self._references = references
        self._loader = Loader(transport, pacer, records.context)
        self._doer = Doer(transport, records, self._loader)

    def steps(self, document: Document) -> tuple[Step, ...]:
        """A draft is for people to post."""
        return (LOAD, CHECK, POST) if payment_of(document).confirm else (LOAD, CHECK)

    # ---- prepare

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused]:
        """Find the payments that are there, their orders, and the contract's journals."""
        types = await self._records.fields(PAYMENT.model)
        named = {job.ref: self._order_name(job) for job in jobs}
        heads, addresses = await self._heads(jobs, types, named.values())
        orders = await self._orders(jobs, {ref: addresses.get(name) for ref, name in named.items()})
        wanted = {one for job in jobs for one in fields.references(payment_of(job.document).fields, types)}
        references = await self._references.resolve(wanted)
        journals = {ids[0] for (model, _), ids in references.items() if model == JOURNAL and ids}
        kinds = await self._records.by_id(JOURNAL, journals, ("name", "type"))
        found = LookedUp(types, memo_of(types), self._mark_field(types), orders, references, kinds)
        return [ready_job(job, head, found) for job, head in zip(jobs, heads, strict=True)]

    async def _heads(
        self, jobs: Sequence[Job], types: Types, also: Collection[str] = ()
    ) -> tuple[list[Head], Mapping[str, Address]]:
        readback = Readback(self._connection, self._records, PAYMENT, self._mark_field(types))
        return await readback.heads(jobs, Dialect(types, {}, ""), also)

    def _mark_field(self, types: Types) -> str:
        return self._settings.payment_mark_field or memo_of(types)

    async def _orders(self, jobs: Sequence[Job], ours: Mapping[str, Address | None]) -> Mapping[str, Json]:
        """By the ledger's binding, which knows adopted orders too; else by our External ID."""
        ids = {job.ref: order_id(job, ours[job.ref]) for job in jobs}
        rows = await self._records.by_id("sale.order", {one for one in ids.values() if one}, _ORDER)
        return {ref: rows[one] for ref, one in ids.items() if one in rows}

    def _order_name(self, job: Job) -> str:
        document = payment_of(job.document)
        return names.order_name(self._connection, order_key(document.connection, document.order_id))

    # ---- send

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """One step. Raises `Unavailable` and `Unauthorised` only before anything is written."""
        if step == LOAD:
            answers = await self._load(jobs, budget)
        elif step == CHECK:
            answers = {job.ref: _checked(job) for job in jobs}
        else:
            answers = await self._doer.do(deeds.PAY, jobs, to_be_booked, budget)
        if any(isinstance(answer, Refused) for answer in answers.values()):
            self._references.forget()
        return [answers[job.ref] for job in jobs]

    async def _load(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        made = {job.ref: self._item(job) for job in jobs}
        items = [one for one in made.values() if isinstance(one, Item)]
        loaded = await self._loader.load(PAYMENT.model, items, budget)
        return {ref: loaded[ref] if isinstance(one, Item) else one for ref, one in made.items()}

    def _item(self, job: Job) -> Item | Answer:
        """What to load; or the answer where nothing may be, or needs to be."""
        ready: ReadyPayment = job.ready
        known = ready.known
        if known is None:
            return self._spelled(job, ready.cells)
        if known.adopted:
            return Applied(str(known.id), known.number)
        verdict = known.verdict(job.mark)
        if verdict is Verdict.THIS:
            return Applied(str(known.id), known.number)
        if verdict is not Verdict.OLDER:
            return Refused(HoldReason.FOREIGN, f"the {known.called} carries the mark of another one of ours")
        if known.open:
            return self._spelled(job, ready.cells)
        found = differences(job, known)
        return locked(known, found) if found else self._spelled(job, _mark_alone(ready))

    def _spelled(self, job: Job, cells: Mapping[str, str]) -> Item:
        ready: ReadyPayment = job.ready
        name = names.payment_name(self._connection, job.ref)
        known_id = None if ready.known is None else ready.known.id
        return Item(job.ref, name, cells, expected_id=known_id, personal=ready.personal)

    # ---- probe

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """By the mark and the state; with `whole`, and for the check, by every field."""
        if whole or step == CHECK:
            return [_compared(job, whole) for job in await self.prepare(jobs)]
        heads, _ = await self._heads(jobs, await self._records.fields(PAYMENT.model))
        return [_judged(step, job, head) for job, head in zip(jobs, heads, strict=True)]


def _mark_alone(ready: ReadyPayment) -> dict[str, str]:
    return {name: cell for name, cell in ready.cells.items() if ready.mark_field == name}


def _checked(job: Job) -> Answer:
    """Odoo's own figures against the document's."""
    known: Known | None = job.ready.known
    if known is None:
        return Refused(HoldReason.DELETED_IN_TARGET, "the payment was deleted in Odoo before it was checked")
    if known.adopted:
        return Applied(str(known.id), known.number)
    if known.verdict(job.mark) is not Verdict.THIS:
        words = "the payment does not hold the mark that was loaded: something in Odoo changes its memo"
        return Refused(HoldReason.DATA, f"{words}; name another field as `payment_mark_field`, or resume this")
    found = differences(job, known)
    return compare.refusal(found) if found else Applied(str(known.id), known.number)


def _compared(job: Job | Refused, whole: bool) -> Found:
    if isinstance(job, Refused):
        gone = job.reason is HoldReason.DELETED_IN_TARGET
        return Found(Verdict.ABSENT if gone else Verdict.OLDER, detail=job.detail)
    known: Known | None = job.ready.known
    if known is None:
        return Found(Verdict.ABSENT, detail="there is no payment under our reference")
    if known.adopted:
        return told(Verdict.THIS, known)
    if known.verdict(job.mark) in (Verdict.NEWER, Verdict.FOREIGN):
        return told(known.verdict(job.mark), known)
    found = differences(job, known)
    if whole and payment_of(job.document).confirm and not known.booked:
        found.append(Difference(HoldReason.LOCKED, f"it is {known.values['state']!r} in Odoo"))
    return told(Verdict.OLDER, known, compare.refusal(found).detail) if found else told(Verdict.THIS, known)


def _judged(step: Step, job: Job, head: Head) -> Found:
    if isinstance(head, Missing):
        return Found(Verdict.ABSENT, detail=head.detail)
    verdict = Verdict.THIS if head.adopted else head.verdict(job.mark)
    if verdict is Verdict.THIS and step == POST and not head.adopted and not head.booked:
        return told(Verdict.ABSENT, head, "the step post has not taken effect")
    return told(verdict, head)
