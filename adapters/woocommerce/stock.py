"""Stock told to a WooCommerce shop, a hundred products a call; variations by their parent, each parent a call.

The shop neither compares nor validates (seen on WooCommerce 11.0.1): a sale between our read and our write would be
overwritten, and nonsense becomes 0. So the figures are read again right before they are set, which leaves the time of
one call; another one than expected is not sent; and what the shop says it keeps is compared with what was sent.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tallystick.clock import Budget
from tallystick.contract.document import Document, StockDocument
from tallystick.errors import TallystickError
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

from .api import Api
from .fields import part, reference, rows, text
from .figures import Figures, whole
from .settings import WooCommerceSettings

SET = Step("set")
#: Objects of one batch call; more are a 413 (seen on WooCommerce 11.0.1).
_BATCH_MAX = 100
_QUANTITY_MAX = 1_000_000_000
_UNKNOWN = ("woocommerce_rest_product_invalid_id", "woocommerce_rest_product_variation_invalid_id")
#: Jobs with their place among those that are sent.
_Placed = Sequence[tuple[int, Job]]


class ShelvesOfWooCommerce:
    """A `Shelves`."""

    compares = False
    #: Orders are read from the shop's database; dates are whole seconds, and a host's cache may lag a little.
    order_search_lag_s = 5.0

    def __init__(self, settings: WooCommerceSettings, api: Api, pacer: Pacer) -> None:
        self.pacer = pacer
        self.traits = OperationTraits(
            # A figure that is set twice is set once.
            capability=Capability.E1,
            # A save overwrites whatever stands there.
            conditional_update=False,
            # PHP's time limit on common hosts is 30 to 60 seconds.
            late_apply_max_s=60.0,
            # Read from the shop's database.
            search_lag_max_s=0.0,
            batch_max=_BATCH_MAX,
            parallel_max=settings.pace.parallel,
            mark_field="",
        )
        self._api = api
        self._figures = Figures(api)

    async def shown(self, shelves: Sequence[Shelf]) -> Sequence[Shown]:
        """See `Shelves.shown`."""
        return await self._figures.shown(shelves)

    def steps(self, document: Document) -> tuple[Step, ...]:
        """One call."""
        return (SET,)

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused]:
        """Nothing is looked up yet: that is done right before the call."""
        return [_fit(job) for job in jobs]

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """Read the figures again, and set those that are as expected."""
        answers: dict[int, Answer] = {}
        try:
            shown = await self._figures.shown([_shelf(job) for job in jobs])
        except TallystickError as error:
            return [NotApplied(str(error), getattr(error, "retry_after_s", None), reached=False) for _ in jobs]
        calls: dict[str, list[tuple[int, Job]]] = defaultdict(list)
        for at, (job, one) in enumerate(zip(jobs, shown, strict=True)):
            unfit = _changed(job, one)
            if unfit is not None:
                answers[at] = unfit
                continue
            parent, _, number = one.external_id.rpartition("/")
            calls[parent].append((at, replace(job, external_id=one.external_id, ready=number)))
        for place, (parent, placed) in enumerate(sorted(calls.items())):
            answers |= await self._set(parent, placed, budget, paced=place > 0)
        return [answers[at] for at in range(len(jobs))]

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """`this` when the shop shows the figure; any other one is decided anew."""
        shown = await self._figures.shown([_shelf(job) for job in jobs])
        return [_found(job, one) for job, one in zip(jobs, shown, strict=True)]

    async def _set(self, parent: str, placed: _Placed, budget: Budget, *, paced: bool) -> Mapping[int, Answer]:
        """One call. The engine took the permit for the first; each of the others takes its own."""
        wait_s = self.pacer.permit(budget.left_s()) if paced else 0.0
        if wait_s < 0:
            later = NotApplied("the pace of the connection allows no further call now", -wait_s, throttled=True)
            return {at: later for at, _ in placed}
        await asyncio.sleep(wait_s)
        path = f"products/{parent}/variations/batch" if parent else "products/batch"
        entries = [{"id": int(job.ready), "stock_quantity": _document(job).quantity} for _, job in placed]
        reply = await self._api.change("POST", path, {"update": entries}, budget)
        if isinstance(reply, NotApplied | Refused | Doubt):
            return {at: reply for at, _ in placed}
        told = {reference(row.get("id")): row for row in rows(reply.get("update"))}
        return {at: _answer(job, told.get(job.ready)) for at, job in placed}


def _document(job: Job) -> StockDocument:
    assert isinstance(job.document, StockDocument)
    return job.document


def _shelf(job: Job) -> Shelf:
    document = _document(job)
    return Shelf(document.sku, document.location)


def _fit(job: Job) -> Job | Refused:
    """The batch takes anything and keeps something else, so what is wrong never leaves."""
    quantity = _document(job).quantity
    if type(quantity) is int and abs(quantity) <= _QUANTITY_MAX:
        return job
    return Refused(HoldReason.DATA, f"the figure {quantity} of {_document(job).sku!r} is none that a shop can keep")


def _changed(job: Job, shown: Shown) -> Answer | None:
    """Why the figure is not sent after all."""
    if shown.quantity is None:
        return Refused(HoldReason.MAPPING, shown.why)
    expected = _document(job).expected
    if shown.quantity == expected:
        return None
    return Doubt(f"the shop shows {shown.quantity} by now, not {expected}", unanswered=False)


def _found(job: Job, shown: Shown) -> Found:
    wanted = _document(job).quantity
    if shown.quantity == wanted:
        return Found(Verdict.THIS, shown.external_id)
    words = shown.why if shown.quantity is None else f"the shop shows {shown.quantity}, {wanted} was to be set"
    return Found(Verdict.NEWER, shown.external_id or None, detail=words)


def _answer(job: Job, row: Mapping[str, object] | None) -> Answer:
    """Each entry is refused or kept by itself; what is kept is the shop's word, not ours."""
    if row is None:
        return Doubt("the shop's answer leaves this product out", unanswered=False)
    error = part(row.get("error"))
    if error:
        code = text(error.get("code"))[:80]
        return Refused(HoldReason.MAPPING if code in _UNKNOWN else HoldReason.DATA, f"the shop refuses it: {code}")
    sent = _document(job).quantity
    kept = whole(row.get("stock_quantity"))
    if kept != sent:
        words = (
            f"{sent} was sent, and the shop keeps {text(row.get('stock_quantity')) or 'nothing'}: a plugin changes it"
        )
        return Refused(HoldReason.DATA, words)
    return Applied(job.external_id or job.ready)
