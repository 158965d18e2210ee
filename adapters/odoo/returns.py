"""Returns: goods on their way back, beside the order and never a change of it. Load the transfer, make it ready.

Whether or not money is given back for them: that is a credit note of its own. A return that came to nothing is
cancelled, unless the warehouse has received it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tallystick.canonical.keys import key, order_key
from tallystick.canonical.quantities import quantity_text
from tallystick.clock import Budget
from tallystick.contract.document import Document, ReturnDocument
from tallystick.pacing import Pacer
from tallystick.ports import Answer, Applied, Doubt, Found, Job, Refused, Step, Verdict
from tallystick.reasons import HoldReason

from . import deeds, names
from .deeds import Doer
from .documents import LOAD, told
from .forms import RETURN
from .loading import Loader
from .parties import orders_of
from .readback import Head, Known, Missing, Readback, order_id
from .records import Address, Records
from .references import Ids, References
from .resolve import no_product
from .settings import OdooSettings
from .traits import operation_traits
from .transfers import Choice, Piece, Transfers, Wanted
from .transport import Json, Transport
from .values import link, shown, text
from .versions import Dialect

READY = Step("ready")
CANCEL = Step("cancel")
_MARK, _PLACE = "origin", "stock.location"
_NO_STOCK = "this Odoo keeps no stock that goods could come back to: install its app Inventory, or skip this"
_ORDER = ("name", "partner_id", "partner_shipping_id", "client_order_ref")


@dataclass(frozen=True, slots=True)
class ReadyReturn:
    """What `prepare` found: the transfer that is there, or what one has to bring back."""

    known: Known | None
    wanted: Wanted | None = None
    #: What must not stand in a message.
    personal: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _LookedUp:
    orders: Mapping[str, Json]
    products: Mapping[str, Ids]
    places: Mapping[tuple[str, str], Ids]


class ReturnSinkOfOdoo:
    """A `Sink` of return transfers."""

    def __init__(
        self, connection: str, settings: OdooSettings, transport: Transport, records: Records, references: References,
        pacer: Pacer,
    ) -> None:  # fmt: skip
        self.pacer = pacer
        self.traits = operation_traits(settings, _MARK)
        self._connection = connection
        self._records = records
        self._references = references
        self._readback = Readback(connection, records, RETURN, _MARK)
        self._transfers = Transfers(connection, records)
        self._loader = Loader(transport, pacer, records.context)
        self._doer = Doer(transport, records, self._loader)

    def steps(self, document: Document) -> tuple[Step, ...]:
        """A draft is for people to make ready."""
        returned = return_of(document)
        if returned.cancelled:
            return (CANCEL,)
        return (LOAD, READY) if returned.confirm else (LOAD,)

    # ---- prepare

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused]:
        """Find the transfers that are there; of others the order, the products, and the places they go to."""
        if "picking_ids" not in await self._records.fields("sale.order"):
            return [Refused(HoldReason.LOCKED, _NO_STOCK)] * len(jobs)
        made = [job for job in jobs if not return_of(job.document).cancelled]
        heads, addresses = await self._heads(jobs, {self._order_name(job) for job in made})
        lines = [line for job in made for line in return_of(job.document).lines]
        found = _LookedUp(
            orders=await self._orders(made, addresses),
            products=await self._references.products({line.product for line in lines}),
            places=await self._references.resolve({(_PLACE, line.location) for line in lines if line.location}),
        )
        return [_ready(job, head, found) for job, head in zip(jobs, heads, strict=True)]

    async def _heads(self, jobs: Sequence[Job], also: Collection[str] = ()) -> tuple[list[Head], Mapping[str, Address]]:
        dialect = Dialect(await self._records.fields(RETURN.model), {}, "")
        return await self._readback.heads(jobs, dialect, also)

    async def _orders(self, jobs: Sequence[Job], addresses: Mapping[str, Address]) -> Mapping[str, Json]:
        """By the ledger's binding, which knows adopted orders too; else by our External ID."""
        ids = {job.ref: order_id(job, addresses.get(self._order_name(job))) for job in jobs}
        rows = await self._records.by_id("sale.order", {one for one in ids.values() if one}, _ORDER)
        return {ref: rows[one] for ref, one in ids.items() if one in rows}

    def _order_name(self, job: Job) -> str:
        document = return_of(job.document)
        return names.order_name(self._connection, order_key(document.connection, document.order_id))

    # ---- send

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """One step. Raises `Unavailable` and `Unauthorised` only before anything is written."""
        if step == LOAD:
            answers = await self._load(jobs, budget)
        else:
            deed, settled = (deeds.READY, _to_be_ready) if step == READY else (deeds.CALL_OFF, _to_be_cancelled)
            answers = await self._doer.do(deed, jobs, settled, budget)
        if any(isinstance(answer, Refused) for answer in answers.values()):
            self._references.forget()
        return [answers[job.ref] for job in jobs]

    async def _load(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        """The transfer, unless it is there, or other transfers of ours bring all of its goods."""
        answers = {job.ref: answer for job in jobs if (answer := _standing(job)) is not None}
        wanted = [one for job in jobs if job.ref not in answers and (one := job.ready.wanted) is not None]
        choices = await self._transfers.choose(wanted)
        for ref, choice in choices.items():
            answers |= _unfilled(ref, choice)
        loading = [one for one in wanted if one.ref not in answers]
        items = await self._transfers.items(loading, choices)
        return answers | await self._loader.load(RETURN.model, list(items.values()), budget)

    # ---- probe

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """By the mark and the state. Afterwards the warehouse moves it on, so there is no more to compare."""
        heads, _ = await self._heads(jobs)
        return [_judged(step, job, head, whole=whole) for job, head in zip(jobs, heads, strict=True)]


def return_of(document: Document) -> ReturnDocument:
    """A document that is a return."""
    assert isinstance(document, ReturnDocument)
    return document


# ---- what is looked up -------------------------------------------------------------------------------------------


def _ready(job: Job, head: Head, found: _LookedUp) -> Job | Refused:
    known = head if isinstance(head, Known) else None
    if return_of(job.document).cancelled:
        return replace(job, ready=ReadyReturn(known))
    if isinstance(head, Missing) and head.deleted:
        return Refused(HoldReason.DELETED_IN_TARGET, head.detail)
    if known is not None:
        return replace(job, ready=ReadyReturn(known))
    document, order = return_of(job.document), found.orders.get(job.ref)
    if order is None:
        words = f"the order {document.order_id} whose goods come back is not in Odoo, or was deleted there"
        return Refused(HoldReason.DELETED_IN_TARGET, words)
    lacking = _lacking(document, found)
    if lacking:
        return Refused(HoldReason.MAPPING, "; ".join(dict.fromkeys(lacking)))
    wanted = _wanted(job, order, found)
    return replace(job, ready=ReadyReturn(None, wanted, wanted.personal))


def _lacking(document: ReturnDocument, found: _LookedUp) -> list[str]:
    told = [words for line in document.lines if (words := no_product(line.product, found.products[line.product]))]
    places = {line.location for line in document.lines if line.location and not found.places[_PLACE, line.location]}
    return told + [f"{_PLACE} has no record {one!r}: name an External ID or a database id" for one in sorted(places)]


def _wanted(job: Job, order: Json, found: _LookedUp) -> Wanted:
    document, partner = return_of(job.document), order["partner_shipping_id"] or order["partner_id"]
    known_as = text(order["client_order_ref"]) or document.order_id
    of = (document.connection, document.order_id, "refund")
    return Wanted(
        ref=job.ref,
        orders=orders_of(job, order["id"]),
        partner=link(partner) or 0,
        origin=f"{known_as} return {document.number or document.return_id} [{job.mark}]",
        pieces=tuple(
            Piece(
                product=found.products[line.product][0],
                sku=line.product,
                quantity=line.quantity,
                location=found.places[_PLACE, line.location][0] if line.location else None,
                reason=line.reason,
            )
            for line in document.lines
        ),
        beside=tuple(key(*of, refund) for refund in document.refunds),
        personal=(shown(order["partner_id"]), shown(order["partner_shipping_id"])),
    )


# ---- what the steps find -----------------------------------------------------------------------------------------


def _standing(job: Job) -> Answer | None:
    """The answer about a transfer that is there; None where one has to be loaded."""
    known: Known | None = job.ready.known
    if known is None:
        return None
    if known.adopted:
        return Applied(str(known.id), known.number)
    match known.verdict(job.mark):
        case Verdict.THIS:
            return Applied(str(known.id), known.number)
        case Verdict.NEWER:
            return Doubt("a newer revision stands in Odoo", unanswered=False)
        case Verdict.FOREIGN:
            return Refused(HoldReason.FOREIGN, f"the {known.called} carries the mark of another one of ours")
    words = f"the {known.called} was made of an earlier revision: correct it by hand"
    return Refused(HoldReason.LOCKED, f"{words}, then mark as applied")


def _unfilled(ref: str, choice: Choice) -> dict[str, Answer]:
    """Goods that no delivery can give back hold it; those that other transfers bring need no second one."""
    if choice.short:
        return {ref: _short(choice)}
    return {} if choice.back else {ref: Applied("")}


def _short(choice: Choice) -> Refused:
    short = choice.short[0]
    what = f"{quantity_text(short.quantity)} of {short.sku!r} come back from the buyer"
    if short.waiting:
        words = f"in Odoo they have not left yet: validate {', '.join(short.waiting)} there, then resume this"
    else:
        words = "Odoo knows of no delivery that they could come back from: take them in by hand, then skip this"
    return Refused(HoldReason.LOCKED, f"{what}, but {words}")


def _to_be_ready(job: Job) -> Answer | None:
    """As Odoo's own wizard leaves it. One that people have received, cancelled or deleted is theirs."""
    known: Known | None = job.ready.known
    if known is None:
        return Applied("")
    return None if known.open and not known.adopted else Applied(str(known.id), known.number)


def _to_be_cancelled(job: Job) -> Answer | None:
    known: Known | None = job.ready.known
    if known is None:
        return Applied(job.external_id or "")
    if known.cancelled:
        return Applied(str(known.id), known.number)
    if known.received:
        words = f"the return came to nothing in the store, but the {known.called} was received in Odoo"
        return Refused(HoldReason.LOCKED, f"{words}: settle by hand where the goods belong, then mark as applied")
    return None


def _judged(step: Step, job: Job, head: Head, *, whole: bool) -> Found:
    if step == CANCEL:
        return _called_off(job, head)
    if isinstance(head, Missing):
        return Found(Verdict.ABSENT, detail=head.detail)
    verdict = Verdict.THIS if head.adopted else head.verdict(job.mark)
    waits = head.open and not head.adopted and return_of(job.document).confirm
    if verdict is Verdict.THIS and waits and (whole or step == READY):
        ready = "the step ready has not taken effect"
        return told(Verdict.OLDER if whole else Verdict.ABSENT, head, ready)
    return told(verdict, head)


def _called_off(job: Job, head: Head) -> Found:
    """One that people deleted is as good as cancelled."""
    if isinstance(head, Missing):
        return Found(Verdict.THIS, job.external_id)
    if head.cancelled:
        return told(Verdict.THIS, head)
    return told(Verdict.OLDER, head, f"the {head.called} is {head.values['state']!r} in Odoo")
