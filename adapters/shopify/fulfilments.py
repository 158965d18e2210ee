"""Shipments told to a Shopify shop: one fulfilment each, made once, its tracking changed later.

No mutation of a fulfilment takes a key against repeats (schema 2026-07), and a fulfilment keeps no reference of ours.
So one of ours is known by its id; before that by its tracking numbers and lines; without numbers by its lines alone,
as long as that leaves no doubt. The buyer is told when it is made, never by a repeat or a change.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.shopify.allotting import Pick, allot, remains
from adapters.shopify.client import ShopifyClient
from adapters.shopify.fields import Json, identifier, objects, part, text
from adapters.shopify.settings import ShopifySettings
from adapters.shopify.shipping import CREATE_FULFILMENT, UPDATE_TRACKING, Shipped, Shipping, fulfilment_gid
from tallystick.clock import Budget
from tallystick.contract.document import Document, FulfilmentDocument
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

FULFIL = Step("fulfil")


@dataclass(frozen=True, slots=True)
class Ready:
    """What `prepare` found: the fulfilment that is there, or what a new one is made of."""

    shipped: Shipped | None
    picks: Sequence[Pick] = ()


class FulfilmentSinkOfShopify:
    """A `Sink` of shipments."""

    def __init__(self, settings: ShopifySettings, client: ShopifyClient, pacer: Pacer) -> None:
        self.pacer = pacer
        self.traits = OperationTraits(
            # No `@idempotent` on `fulfillmentCreate` (schema 2026-07); what was made can be read.
            capability=Capability.E2,
            # Tracking is overwritten, whatever stands there.
            conditional_update=False,
            # No figure is published; a request beyond a minute is given up by every proxy on the way.
            late_apply_max_s=60.0,
            # An order is read by its id, not by the search index, which lags; a margin, since no figure is published.
            search_lag_max_s=5.0,
            # One order per mutation.
            batch_max=1,
            parallel_max=settings.pace.parallel,
            mark_field="trackingInfo",
        )
        self._client = client
        self._shipping = Shipping(client)

    def steps(self, document: Document) -> tuple[Step, ...]:
        """One call: the fulfilment is made, or its tracking changed."""
        return (FULFIL,)

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused]:
        """Find our fulfilment; for a new one the fulfilment orders from which it takes its pieces."""
        return [await self._prepared(job) for job in jobs]

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """Make it, change its tracking, or nothing where nothing differs."""
        return [await self._sent(job, budget) for job in jobs]

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """Whether it is there, with this tracking."""
        return [await self._probed(job) for job in jobs]

    # ---- prepare

    async def _prepared(self, job: Job) -> Job | Refused:
        document = _document(job)
        wanted = _pieces(document)
        if isinstance(wanted, Refused):
            return wanted
        shipped = await self._known(job, wanted)
        if shipped is not None:
            return _changed_lines(shipped, wanted) or replace(job, ready=Ready(shipped))
        if job.external_id is not None:
            return Refused(HoldReason.DELETED_IN_TARGET, f"fulfilment {job.external_id} was cancelled in the store")
        there = await self._shipping.remainders(document.order_id)
        if there is None:
            return Refused(HoldReason.DELETED_IN_TARGET, f"the store has no order {document.order_id}")
        picks = allot(wanted, identifier(document.location), there)
        return picks if isinstance(picks, Refused) else replace(job, ready=Ready(None, picks))

    async def _known(self, job: Job, wanted: Mapping[str, int]) -> Shipped | None:
        """Ours by its id, else by its tracking numbers and lines."""
        if job.external_id is not None:
            return await self._shipping.fulfilment(job.external_id)
        numbers = _numbers(_document(job))
        found = await self._alike(job, wanted, tracked=True) if numbers else []
        return next((one for one in found if set(one.numbers) == set(numbers)), None)

    async def _alike(self, job: Job, wanted: Mapping[str, int], *, tracked: bool) -> list[Shipped]:
        """Fulfilments of the same lines, the earliest first: with numbers that are among ours, or without any."""
        document = _document(job)
        numbers = set(_numbers(document))
        found = []
        for brief in await self._shipping.fulfilments(document.order_id) or []:
            fits = bool(brief.numbers) == tracked and set(brief.numbers) <= numbers
            if fits and brief.pieces == sum(wanted.values()):
                shipped = await self._shipping.fulfilment(brief.id)
                if shipped is not None and shipped.lines == wanted:
                    found.append(shipped)
        return found

    # ---- send

    async def _sent(self, job: Job, budget: Budget) -> Answer:
        shipped: Shipped | None = job.ready.shipped
        document = _document(job)
        if shipped is None:
            asked = {"fulfillment": _input(document, job.ready.picks)}
            return _answer("fulfillmentCreate", await self._client.change(CREATE_FULFILMENT, asked, budget))
        if _same(shipped, document):
            return Applied(shipped.id)
        variables = {"fulfillmentId": fulfilment_gid(shipped.id), "trackingInfoInput": _tracking(document)}
        return _answer("fulfillmentTrackingInfoUpdate", await self._client.change(UPDATE_TRACKING, variables, budget))

    # ---- probe

    async def _probed(self, job: Job) -> Found:
        document = _document(job)
        wanted = _pieces(document)
        if isinstance(wanted, Refused):
            return Found(Verdict.ABSENT, detail=wanted.detail)
        if job.external_id is None and not _numbers(document):
            return await self._untracked(job, wanted)
        shipped = await self._known(job, wanted)
        if shipped is None:
            return Found(Verdict.ABSENT, detail="the store has no such fulfilment that is not cancelled")
        this = shipped.lines == wanted and _same(shipped, document)
        return Found(Verdict.THIS if this else Verdict.OLDER, shipped.id)

    async def _untracked(self, job: Job, wanted: Mapping[str, int]) -> Found:
        """One without numbers may be an earlier shipment of as many pieces, if as many are still to be shipped."""
        alike = await self._alike(job, wanted, tracked=False)
        if not alike:
            return Found(Verdict.ABSENT, detail="the store has no fulfilment of these lines")
        latest = max(alike, key=lambda one: int(one.id))
        if remains(wanted, await self._shipping.remainders(_document(job).order_id) or []):
            words = (
                f"an answer was lost, and fulfilment {latest.id} in the store is of the same lines without a tracking "
                "number: look whether it is this shipment, then mark it as applied or retry"
            )
            return Found(Verdict.FOREIGN, detail=words)
        return Found(Verdict.THIS, latest.id)


def _document(job: Job) -> FulfilmentDocument:
    assert isinstance(job.document, FulfilmentDocument)
    return job.document


def _pieces(document: FulfilmentDocument) -> dict[str, int] | Refused:
    """Whole pieces by the store's line id."""
    found: Counter[str] = Counter()
    for line, quantity in document.lines:
        if quantity != int(quantity):
            return Refused(
                HoldReason.DATA, f"the shipment holds {quantity} of line {line}; Shopify counts whole pieces"
            )
        found[line] += int(quantity)
    return dict(found) if found else Refused(HoldReason.DATA, "the shipment holds no goods")


def _changed_lines(shipped: Shipped, wanted: Mapping[str, int]) -> Refused | None:
    if shipped.lines == wanted:
        return None
    told, now = (", ".join(f"{n} of line {line}" for line, n in sorted(one.items())) for one in (shipped.lines, wanted))
    words = (
        f"fulfilment {shipped.id} in the store holds {told}, the shipment now {now}; Shopify changes no lines of a "
        "fulfilment: put it right there by hand, then mark this as applied"
    )
    return Refused(HoldReason.LOCKED, words)


def _numbers(document: FulfilmentDocument) -> list[str]:
    return [parcel.number for parcel in document.parcels if parcel.number]


def _input(document: FulfilmentDocument, picks: Sequence[Pick]) -> Json:
    groups: dict[str, list[Json]] = {}
    for task, row, pieces in picks:
        groups.setdefault(task, []).append({"id": row, "quantity": pieces})
    made: dict[str, Any] = {
        "lineItemsByFulfillmentOrder": [
            {"fulfillmentOrderId": task, "fulfillmentOrderLineItems": rows} for task, rows in groups.items()
        ],
        "notifyCustomer": document.notify,
    }
    if tracking := _tracking(document):
        made["trackingInfo"] = tracking
    return made


def _tracking(document: FulfilmentDocument) -> dict[str, Any]:
    """Numbers, the carrier that all of them share (Shopify keeps one), and addresses if each has one."""
    parcels = [parcel for parcel in document.parcels if parcel.number]
    if not parcels:
        return {}
    made: dict[str, Any] = {"numbers": [parcel.number for parcel in parcels]}
    if len({parcel.carrier for parcel in parcels}) == 1 and parcels[0].carrier:
        made["company"] = parcels[0].carrier
    if all(parcel.url for parcel in parcels):
        made["urls"] = [parcel.url for parcel in parcels]
    return made


def _same(shipped: Shipped, document: FulfilmentDocument) -> bool:
    """Whether what we would tell stands there; carriers that Shopify knows get addresses by themselves."""
    wanted = _tracking(document)
    if not wanted:
        return True
    there = {number: (carrier.casefold(), url) for number, carrier, url in shipped.tracking}
    urls = dict(zip(wanted["numbers"], wanted.get("urls", ()), strict=False))
    return set(there) == set(wanted["numbers"]) and all(
        carrier == wanted.get("company", carrier).casefold() and url == urls.get(number, url)
        for number, (carrier, url) in there.items()
    )


def _answer(mutation: str, reply: Json | NotApplied | Doubt) -> Answer:
    if isinstance(reply, NotApplied | Doubt):
        return reply
    told = part(reply.get(mutation))
    errors = [text(error.get("message")) for error in objects(told.get("userErrors"))]
    if errors:
        return Refused(HoldReason.DATA, f"Shopify refuses the fulfilment: {'; '.join(errors)[:300]}")
    made = identifier(part(told.get("fulfillment")).get("id"))
    return Applied(made) if made else Doubt("Shopify answered without a fulfilment", unanswered=False)
