"""Stock told to a Shopify shop: absolute figures, each set only while the shop still shows what it was decided on.

A call is all or nothing (section 8.1 of the card), so entries that it refuses by their place are taken out and the rest
is sent again at once, while the budget lasts; a refusal that names no place is found by halving. The key against
repeats is made of the figures and of the effects that want them: the same call again is answered, not applied again.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters.shopify.client import ShopifyClient
from adapters.shopify.fields import Json, objects, part, text, texts
from adapters.shopify.levels import SET_QUANTITIES, Levels, item_gid, location_gid
from adapters.shopify.settings import ShopifySettings
from tallystick.clock import Budget, Clock
from tallystick.contract.document import Document, StockDocument
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
from tallystick.stock.ports import Shelf, Shown

SET = Step("set")
#: The first version with `changeFromQuantity`.
COMPARES_FROM = "2026-04"
#: Entries of an input array (Shopify, "API limits").
_ENTRIES_MAX = 250
_QUANTITY_MAX = 1_000_000_000
#: What another figure, or another request of ours, stands behind: the shop is asked what it shows.
_DOUBTFUL = frozenset(
    {
        "CHANGE_FROM_QUANTITY_STALE",
        "COMPARE_QUANTITY_STALE",
        "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
        "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
    }
)
_RUNNING = "IDEMPOTENCY_CONCURRENT_REQUEST"
_UNKNOWN = frozenset(
    {"INVALID_INVENTORY_ITEM", "INVALID_LOCATION", "ITEM_NOT_STOCKED_AT_LOCATION", "NON_MUTABLE_INVENTORY_ITEM"}
)


class ShelvesOfShopify:
    """A `Shelves`."""

    compares = True
    #: Searches lag "some seconds" by an index (Shopify publishes no figure); a margin on that.
    order_search_lag_s = 30.0

    def __init__(self, settings: ShopifySettings, client: ShopifyClient, pacer: Pacer, clock: Clock) -> None:
        self.pacer = pacer
        self.traits = OperationTraits(
            # A figure that was set is set: the key folds a repeat, and the comparison refuses what came late.
            capability=Capability.E1,
            conditional_update=True,
            # No figure is published; a request beyond a minute is given up by every proxy on the way.
            late_apply_max_s=60.0,
            # Figures are read from the item, not from the search's index.
            search_lag_max_s=0.0,
            batch_max=_ENTRIES_MAX,
            parallel_max=settings.pace.parallel,
            mark_field="",
        )
        self._version = settings.api_version
        self._client = client
        self._levels = Levels(client, clock)

    async def shown(self, shelves: Sequence[Shelf]) -> Sequence[Shown]:
        """See `Shelves.shown`."""
        return await self._levels.shown(shelves)

    def steps(self, document: Document) -> tuple[Step, ...]:
        """One call."""
        return (SET,)

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused]:
        """Find the item where the document does not name it, and the location."""
        if self._version < COMPARES_FROM:
            words = f"stock needs `api_version: {COMPARES_FROM}` or a later one, not {self._version}"
            return [Refused(HoldReason.MAPPING, words) for _ in jobs]
        unknown = [job for job in jobs if not _document(job).external_id]
        there = {one.shelf: one for one in await self._levels.shown([_shelf(job) for job in unknown])}
        return [await self._prepared(job, there.get(_shelf(job))) for job in jobs]

    async def _prepared(self, job: Job, shown: Shown | None) -> Job | Refused:
        document = _document(job)
        if shown is not None and shown.quantity is None:
            return Refused(HoldReason.MAPPING, shown.why)
        if not 0 <= document.quantity <= _QUANTITY_MAX:
            words = f"the figure {document.quantity} of {document.sku!r} is none that Shopify takes: 0 to a billion"
            return Refused(HoldReason.DATA, words)
        location = await self._levels.location(document.location)
        if not location:
            return Refused(HoldReason.MAPPING, "the shop has several locations: name one in the contract")
        item = document.external_id or (shown.external_id if shown else "")
        entry = {
            "inventoryItemId": item_gid(item),
            "locationId": location_gid(location),
            "quantity": document.quantity,
            "changeFromQuantity": document.expected,
        }
        return replace(job, ready=(item, entry))

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """Set them all; those that are refused do not keep the others from being set."""
        answers: dict[int, Answer] = {}
        await self._set(list(enumerate(jobs)), budget, answers)
        return [answers[at] for at in range(len(jobs))]

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """`this` when the shop shows the figure; any other one is decided anew."""
        shown = await self._levels.shown([_shelf(job) for job in jobs])
        return [_found(job, one) for job, one in zip(jobs, shown, strict=True)]

    # ---- send

    async def _set(self, placed: Sequence[tuple[int, Job]], budget: Budget, answers: dict[int, Answer]) -> None:
        """Send, take out what is refused, and send the rest again."""
        left, twice = _distinct(placed)
        for at, _ in twice:
            answers[at] = NotApplied("another figure for the same level stands in this call", 0.0)
        while left:
            if budget.left_s() <= 0:
                answers.update((at, NotApplied("the time for this call is used up", 0.0)) for at, _ in left)
                return
            reply = await self._client.change(SET_QUANTITIES, _variables([job for _, job in left]), budget)
            if isinstance(reply, NotApplied | Doubt):
                answers.update((at, reply) for at, _ in left)
                return
            errors = objects(part(reply.get("inventorySetQuantities")).get("userErrors"))
            if not errors:
                answers.update((at, Applied(job.ready[0])) for at, job in left)
                return
            refused = _by_place(errors, len(left))
            if not refused:
                await self._halved(left, errors, budget, answers)
                return
            answers.update((left[place][0], _answer(error)) for place, error in refused.items())
            left = [one for place, one in enumerate(left) if place not in refused]

    async def _halved(
        self, left: Sequence[tuple[int, Job]], errors: Sequence[Json], budget: Budget, answers: dict[int, Answer]
    ) -> None:
        """The refusal names no entry: each half for itself, or all of them where it is about the call."""
        if len(left) == 1 or any(_about_call(error) for error in errors):
            answers.update((at, _answer(errors[0])) for at, _ in left)
            return
        middle = len(left) // 2
        await self._set(left[:middle], budget, answers)
        await self._set(left[middle:], budget, answers)


def _document(job: Job) -> StockDocument:
    assert isinstance(job.document, StockDocument)
    return job.document


def _shelf(job: Job) -> Shelf:
    document = _document(job)
    return Shelf(document.sku, document.location)


def _found(job: Job, shown: Shown) -> Found:
    wanted = _document(job).quantity
    if shown.quantity == wanted:
        return Found(Verdict.THIS, shown.external_id)
    words = shown.why if shown.quantity is None else f"the store shows {shown.quantity}, {wanted} was to be set"
    return Found(Verdict.NEWER, shown.external_id or None, detail=words)


def _distinct(placed: Sequence[tuple[int, Job]]) -> tuple[list[tuple[int, Job]], list[tuple[int, Job]]]:
    """A level stands in a call once; the others wait for the next one."""
    seen: set[tuple[str, str]] = set()
    first: list[tuple[int, Job]] = []
    later: list[tuple[int, Job]] = []
    for one in placed:
        entry = one[1].ready[1]
        level = (entry["inventoryItemId"], entry["locationId"])
        (later if level in seen else first).append(one)
        seen.add(level)
    return first, later


def _variables(jobs: Sequence[Job]) -> dict[str, Any]:
    entries = [job.ready[1] for job in jobs]
    wanted = json.dumps([entries, [[job.ref, job.revision] for job in jobs]], sort_keys=True)
    key = hashlib.sha256(wanted.encode()).hexdigest()[:32]
    given: Mapping[str, Any] = {
        "name": "available",
        "reason": "correction",
        "referenceDocumentUri": f"gid://tallystick/Figures/{key}",
        "quantities": entries,
    }
    return {"input": given, "key": key}


def _by_place(errors: Sequence[Json], entries: int) -> dict[int, Json]:
    """The first error of each entry, by its place in the call; those that name none are left out."""
    found: dict[int, Json] = {}
    for error in errors:
        path = texts(error.get("field"))
        if len(path) > 2 and path[1] == "quantities" and path[2].isdigit() and int(path[2]) < entries:
            found.setdefault(int(path[2]), error)
    return found


def _about_call(error: Json) -> bool:
    code = text(error.get("code"))
    return code == _RUNNING or code.startswith("IDEMPOTENCY_") or code in ("INVALID_REASON", "INVALID_NAME")


def _answer(error: Json) -> Answer:
    code, message = text(error.get("code")), text(error.get("message"))
    if code == _RUNNING:
        return Doubt("an earlier call with the same figures is still running")
    if code in _DOUBTFUL:
        return Doubt(f"the store shows another figure by now ({code})", unanswered=False)
    reason = HoldReason.MAPPING if code in _UNKNOWN else HoldReason.DATA
    return Refused(reason, f"Shopify refuses the figure: {message[:200] or 'without words'} ({code or 'no code'})")
