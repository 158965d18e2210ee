"""Shipments told to a WooCommerce shop: a note to the buyer, tracking for the extension, our own entry on the order.

The core has no shipments and no key against repeats. The note writes to the buyer, so it comes first, where the engine
keeps the quiet time of class E2, and it is known again by its reference. The entry is written in the call that moves
the status, and any call with it may be repeated. A tracking that lands after its repeat would be listed twice, without
a mail.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tallystick.clock import Budget
from tallystick.contract.document import Document, FulfilmentDocument, Parcel
from tallystick.errors import NotFound
from tallystick.marks import judge
from tallystick.pacing import Pacer
from tallystick.ports import (
    Answer,
    Applied,
    Capability,
    Doubt,
    Found,
    Job,
    NotApplied,
    OperationTraits,
    Refused,
    Step,
    Verdict,
)
from tallystick.reasons import HoldReason

from .api import Api, NoRoute
from .fields import Json, reference, text
from .settings import WooCommerceSettings
from .shipments import PREFIX, Entry, Shipped, numbers_of, pieces_of, refunded, shipped

NOTE = Step("note")
UNTRACK = Step("untrack")
RECORD = Step("record", marks=True)
_TRACK = "track-"
_NO_EXTENSION = (
    "the shop offers no shipment-trackings: install the extension Shipment Tracking there, or take "
    "`shipments.shipment_tracking` from the connection"
)


@dataclass(frozen=True, slots=True)
class Ready:
    """What `prepare` read: the order, whether the buyer was told, and the extension's rows."""

    order: Shipped
    told: bool
    trackings: Sequence[Json]


class FulfilmentSinkOfWooCommerce:
    """A `Sink` of shipments."""

    def __init__(self, settings: WooCommerceSettings, api: Api, pacer: Pacer) -> None:
        self.pacer = pacer
        self.traits = OperationTraits(
            # Notes and trackings are listed, and nothing keeps two of them from being alike.
            capability=Capability.E2,
            # A save overwrites whatever stands there.
            conditional_update=False,
            # PHP's time limit on common hosts is 30 to 60 seconds.
            late_apply_max_s=60.0,
            # Read from the shop's database; no search index is between.
            search_lag_max_s=0.0,
            # One order per call.
            batch_max=1,
            parallel_max=settings.pace.parallel,
            mark_field=f"meta_data.{PREFIX}…",
        )
        self._settings = settings.shipments
        self._api = api

    def steps(self, document: Document) -> tuple[Step, ...]:
        """The note where the buyer is told, a step for each tracking number, and our entry with the status."""
        assert isinstance(document, FulfilmentDocument)
        note = (NOTE,) if document.notify else ()
        if not self._settings.shipment_tracking:
            return (*note, RECORD)
        tracks = (Step(f"{_TRACK}{place}") for place in range(1, len(numbers_of(document)) + 1))
        return (*note, *tracks, UNTRACK, RECORD)

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused]:
        """Read the order and what it holds of shipments."""
        return [await self._prepared(job) for job in jobs]

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """Make the step, unless what it makes is there."""
        makers: Mapping[Step, Callable[[Job, Budget], Awaitable[Answer]]] = {
            NOTE: self._note,
            UNTRACK: self._untrack,
            RECORD: self._record,
        }
        if step in makers:
            return [await makers[step](job, budget) for job in jobs]
        return [await self._track(_parcel(step, _document(job)), job, budget) for job in jobs]

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """What a step makes is looked for; whole, our entry and all trackings."""
        return [await self._probed(RECORD if whole else step, job) for job in jobs]

    # ---- prepare

    async def _prepared(self, job: Job) -> Job | Refused:
        document = _document(job)
        order = await self._order(document)
        if order is None:
            return Refused(HoldReason.DELETED_IN_TARGET, f"the shop has no order {document.order_id}")
        if order.has_refunds and self._settings.complete_when_shipped:
            order = replace(order, refunded=refunded(await self._api.all(f"orders/{document.order_id}/refunds")))
        try:
            trackings = await self._trackings(document)
        except NoRoute:
            return Refused(HoldReason.DATA, _NO_EXTENSION)
        told = job.external_id is not None or not document.notify or await self._is_told(document)
        return order.refused(document) or replace(job, ready=Ready(order, told, trackings))

    async def _order(self, document: FulfilmentDocument) -> Shipped | None:
        try:
            return shipped(await self._api.one(f"orders/{document.order_id}"))
        except NotFound:
            return None

    async def _is_told(self, document: FulfilmentDocument) -> bool:
        notes = await self._api.page(f"orders/{document.order_id}/notes", {"type": "customer"})
        ours = re.compile(rf"{re.escape(_reference(document))}(?![\w-])")
        return any(ours.search(text(note.get("note"))) for note in notes.rows)

    async def _trackings(self, document: FulfilmentDocument) -> Sequence[Json]:
        if not self._settings.shipment_tracking:
            return ()
        return (await self._api.page(f"orders/{document.order_id}/shipment-trackings", {})).rows

    # ---- send

    async def _note(self, job: Job, budget: Budget) -> Answer:
        ready: Ready = job.ready
        if ready.told:
            return _applied(job)
        document = _document(job)
        body = {"note": self._words(document, ready.order), "customer_note": True}
        return _answer(job, await self._api.change("POST", f"orders/{document.order_id}/notes", body, budget))

    async def _track(self, parcel: Parcel, job: Job, budget: Budget) -> Answer:
        document = _document(job)
        if parcel.number in _listed(job.ready.trackings):
            return _applied(job)
        body = {**_provider(parcel), "tracking_number": parcel.number, "date_shipped": _day(document)}
        path = f"orders/{document.order_id}/shipment-trackings"
        return _answer(job, await self._api.change("POST", path, body, budget))

    async def _untrack(self, job: Job, budget: Budget) -> Answer:
        """Numbers of an earlier revision go. Each deletion may be repeated, so several of them are one step."""
        document = _document(job)
        stale = _stale(document, job.ready.order, job.ready.trackings)
        for place, tracking_id in enumerate(stale):
            if place:
                await self.pacer.wait()
            path = f"orders/{document.order_id}/shipment-trackings/{tracking_id}"
            answer = _answer(job, await self._api.change("DELETE", path, {}, budget))
            if not isinstance(answer, Applied) and not _is_gone(answer):
                return answer
        return _applied(job)

    async def _record(self, job: Job, budget: Budget) -> Answer:
        document, order = _document(job), job.ready.order
        entry, there = Entry.of(document, job.mark), order.entries.get(document.fulfilment_id)
        if there is not None and (other := _other(there, job)) is not None:
            return other
        body: dict[str, object] = {"meta_data": [{"key": PREFIX + document.fulfilment_id, "value": str(entry)}]}
        if self._settings.complete_when_shipped and order.completed_by(document):
            body["status"] = "completed"
        elif there == entry:
            return _applied(job)
        return _answer(job, await self._api.change("POST", f"orders/{document.order_id}", body, budget))

    def _words(self, document: FulfilmentDocument, order: Shipped) -> str:
        """The note: what was shipped, how to follow it, and the reference by which it is known again."""
        goods = [f"{pieces.normalize():f} × {order.lines[line][1]}" for line, pieces in pieces_of(document).items()]
        parcels = [" ".join(filter(None, (one.carrier, one.number, one.url))) for one in document.parcels]
        return "\n".join((self._settings.note, *goods, *filter(None, parcels), _reference(document)))

    # ---- probe

    async def _probed(self, step: Step, job: Job) -> Found:
        document = _document(job)
        if step == RECORD:
            return await self._recorded(job, document)
        if step == NOTE:
            there = job.external_id is not None or await self._is_told(document)
        elif step == UNTRACK:
            order = await self._order(document)
            there = order is None or not _stale(document, order, await self._trackings(document))
        else:
            there = _parcel(step, document).number in _listed(await self._trackings(document))
        if there:
            return Found(Verdict.THIS, _id(document))
        first = step == self.steps(document)[0] and job.external_id is not None
        return Found(Verdict.OLDER, _id(document)) if first else Found(Verdict.ABSENT, detail="it is not in the shop")

    async def _recorded(self, job: Job, document: FulfilmentDocument) -> Found:
        order = await self._order(document)
        entry = None if order is None else order.entries.get(document.fulfilment_id)
        if entry is None:
            return Found(Verdict.ABSENT, detail="the order, or our entry of this shipment on it, is not in the shop")
        verdict = judge(entry.mark, job.mark)
        if verdict is Verdict.THIS and self._settings.shipment_tracking:
            missing = set(numbers_of(document)) - _listed(await self._trackings(document))
            verdict = Verdict.OLDER if missing else verdict
        return Found(verdict, _id(document), detail="the entry on the order is of another shipment")


def _document(job: Job) -> FulfilmentDocument:
    assert isinstance(job.document, FulfilmentDocument)
    return job.document


def _parcel(step: Step, document: FulfilmentDocument) -> Parcel:
    numbered = [parcel for parcel in document.parcels if parcel.number]
    return numbered[int(step.name.removeprefix(_TRACK)) - 1]


def _id(document: FulfilmentDocument) -> str:
    return f"{document.order_id}/{document.fulfilment_id}"


def _reference(document: FulfilmentDocument) -> str:
    return f"Shipment {document.fulfilment_id}"


def _day(document: FulfilmentDocument) -> str:
    return document.shipped_at.date().isoformat()


def _provider(parcel: Parcel) -> dict[str, str]:
    """With an address of its own a carrier need not be one that the extension knows."""
    if parcel.url:
        return {"custom_tracking_provider": parcel.carrier, "custom_tracking_link": parcel.url}
    return {"tracking_provider": parcel.carrier}


def _listed(trackings: Sequence[Json]) -> set[str]:
    return {text(row.get("tracking_number")) for row in trackings}


def _stale(document: FulfilmentDocument, order: Shipped, trackings: Sequence[Json]) -> list[str]:
    """Ids of the extension's rows whose numbers an earlier revision of this shipment told."""
    earlier = order.entries.get(document.fulfilment_id)
    gone = set(earlier.numbers if earlier else ()) - set(numbers_of(document))
    return [reference(row.get("tracking_id")) for row in trackings if text(row.get("tracking_number")) in gone]


def _other(there: Entry, job: Job) -> Answer | None:
    """Why the entry that stands there is not overwritten."""
    match judge(there.mark, job.mark):
        case Verdict.FOREIGN:
            return Refused(HoldReason.FOREIGN, "the order holds an entry of another shipment of ours under this id")
        case Verdict.NEWER:
            return Doubt("a newer revision of the shipment stands in the shop", unanswered=False)
    return None


def _applied(job: Job) -> Applied:
    return Applied(_id(_document(job)))


def _answer(job: Job, reply: Json | NotApplied | Refused | Doubt) -> Answer:
    return reply if isinstance(reply, NotApplied | Refused | Doubt) else _applied(job)


def _is_gone(answer: Answer) -> bool:
    return isinstance(answer, Refused) and answer.reason is HoldReason.DELETED_IN_TARGET
