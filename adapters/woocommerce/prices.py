"""Prices told to a WooCommerce shop: regular price, sale with its dates, and what else of a product the ERP owns.

A product keeps no mark of ours, so what it shows is compared with what it should show. A price that is set again is the
same price: a repeat does no harm, and a late one of an older revision is kept away by the engine's late window.
A batch is not validated by the shop, and a comma in a price is dropped by it (seen on 11.0.1): so amounts leave in its
own form, and what it answers is compared with what was sent.
"""

import html
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tallystick.canonical.money import parse_amount
from tallystick.clock import Budget, Clock
from tallystick.contract.document import Document, PriceDocument
from tallystick.errors import Unreadable
from tallystick.pacing import Pacer
from tallystick.ports import (
    Answer,
    Applied,
    Capability,
    Doubt,
    Found,
    Job,
    Needless,
    NotApplied,
    OperationTraits,
    Refused,
    Step,
    Verdict,
)
from tallystick.reasons import HoldReason

from .api import Api
from .fields import Json, gmt, part, reference, rows, text
from .settings import WooCommerceSettings

PRICE = Step("price")
#: Entries of one batch; the shop refuses more.
BATCH = 100
#: SKUs of one search: they travel in the address.
SKUS = 40
_CURRENCY_TTL_S = 600.0
_BARCODE = "global_unique_id"
_FROM, _TO = "date_on_sale_from_gmt", "date_on_sale_to_gmt"
_HIDDEN = ("draft", "private", "pending", "trash")


@dataclass(frozen=True, slots=True)
class Ready:
    """What `prepare` found: the product, the one that it is a variation of, and the fields that are to be changed."""

    product: str
    parent: str
    changes: Mapping[str, str]


class PriceSinkOfWooCommerce:
    """A `Sink` of prices."""

    def __init__(self, settings: WooCommerceSettings, api: Api, pacer: Pacer, clock: Clock) -> None:
        self.pacer = pacer
        self.traits = OperationTraits(
            # Nothing is ever made; what is there is set, and set again.
            capability=Capability.E1,
            # A save overwrites whatever stands there.
            conditional_update=False,
            # PHP's time limit on common hosts is 30 to 60 seconds.
            late_apply_max_s=60.0,
            # Read from the shop's database; no search index is between.
            search_lag_max_s=0.0,
            batch_max=BATCH,
            parallel_max=settings.pace.parallel,
            mark_field="",
        )
        self._api = api
        self._clock = clock
        self._currency: tuple[float, str] = (0.0, "")

    def steps(self, document: Document) -> tuple[Step, ...]:
        """One save."""
        return (PRICE,)

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused | Needless]:
        """Find each product by its SKU, and what of it differs. What the shop does not sell needs nothing."""
        found = await self._products([_document(job).sku for job in jobs])
        currency = await self._shop_currency()
        return [self._ready(job, found.get(_alike(_document(job).sku), []), currency) for job in jobs]

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """One batch for the products, and one for the variations of each product; what differs in nothing is done."""
        groups: dict[str, list[Job]] = defaultdict(list)
        for job in jobs:
            if job.ready.changes:
                groups[job.ready.parent].append(job)
        answers: dict[str, Answer] = {job.ref: Applied(job.ready.product) for job in jobs if not job.ready.changes}
        for place, (parent, group) in enumerate(groups.items()):
            if place:
                await self.pacer.wait()
            answers |= await self._save(parent, group, budget)
        return [answers[job.ref] for job in jobs]

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """Whether the shop shows what it should; anything else, a product that is gone too, is decided anew."""
        found = await self._products([_document(job).sku for job in jobs])
        return [self._probed(_document(job), found.get(_alike(_document(job).sku), [])) for job in jobs]

    # ---- what the shop shows

    async def _products(self, skus: Sequence[str]) -> dict[str, list[Json]]:
        """Products and variations by how the shop's database compares SKUs; a list has a comma between two of them."""
        wanted = sorted({sku for sku in skus if sku and "," not in sku})
        found: dict[str, list[Json]] = defaultdict(list)
        for start in range(0, len(wanted), SKUS):
            for row in await self._search(wanted[start : start + SKUS]):
                found[_alike(str(row.get("sku")))].append(row)
        return found

    async def _search(self, skus: Sequence[str]) -> list[Json]:
        return await self._api.all("products", {"sku": ",".join(skus), "orderby": "id", "order": "asc"})

    async def _shop_currency(self) -> str:
        now_s = self._clock.monotonic_s()
        if self._currency[0] <= now_s:
            settings = part((await self._api.one("system_status")).get("settings"))
            self._currency = (now_s + _CURRENCY_TTL_S, text(settings.get("currency")))
        return self._currency[1]

    # ---- prepare and probe

    def _ready(self, job: Job, found: Sequence[Json], currency: str) -> Job | Refused | Needless:
        document = _document(job)
        if "," in document.sku:
            words = f"WooCommerce cannot look up the SKU {document.sku!r}: a comma stands between two SKUs there"
            return Refused(HoldReason.MAPPING, words)
        same = _named(document.sku, found)
        if not found:
            return Needless(f"the shop has no product with the SKU {document.sku!r}")
        if not same:
            spelled = ", ".join(sorted({repr(row.get("sku")) for row in found}))
            return Refused(HoldReason.MAPPING, f"the shop spells the SKU {document.sku!r} otherwise: {spelled}")
        if len(same) > 1:
            ids = ", ".join(reference(row.get("id")) for row in same)
            words = f"{len(same)} products of the shop have the SKU {document.sku!r} (ids {ids}): it has to be unique"
            return Refused(HoldReason.MAPPING, words)
        (row,) = same
        if document.hold is not None:
            return Refused(document.hold.reason, document.hold.detail)
        refused = _no_place(document, row, currency)
        if refused is not None:
            return refused
        parent = reference(row.get("parent_id")) if text(row.get("type")) == "variation" else ""
        return replace(job, ready=Ready(reference(row.get("id")), parent, self._differing(document, row)))

    def _probed(self, document: PriceDocument, found: Sequence[Json]) -> Found:
        same = _named(document.sku, found)
        if len(same) != 1:
            return Found(Verdict.OLDER, detail=f"the shop has {len(same)} products with the SKU {document.sku!r}")
        differing = self._differing(document, same[0])
        verdict = Verdict.OLDER if differing else Verdict.THIS
        return Found(verdict, reference(same[0].get("id")), detail=f"other in the shop: {', '.join(differing)}")

    def _differing(self, document: PriceDocument, row: Json) -> dict[str, str]:
        """All that is to be told, if any of it differs."""
        wanted = _wanted(document, row)
        now = self._clock.now()
        return wanted if any(not _same(name, value, row, now) for name, value in wanted.items()) else {}

    # ---- send

    async def _save(self, parent: str, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        path = f"products/{parent}/variations/batch" if parent else "products/batch"
        body = {"update": [{"id": int(job.ready.product), **job.ready.changes} for job in jobs]}
        reply = await self._api.change("POST", path, body, budget)
        if isinstance(reply, NotApplied | Refused | Doubt):
            return dict.fromkeys((job.ref for job in jobs), reply)
        shown = {reference(row.get("id")): row for row in rows(reply.get("update"))}
        return {job.ref: self._saved(job, shown.get(job.ready.product)) for job in jobs}

    def _saved(self, job: Job, row: Json | None) -> Answer:
        """One entry of the answer: refused on its own, or what the shop keeps now."""
        ready: Ready = job.ready
        if row is None:
            return Doubt("the shop's answer does not name the product", unanswered=False)
        if error := part(row.get("error")):
            return Refused(HoldReason.DATA, f"the shop refuses product {ready.product}: {text(error.get('code'))[:80]}")
        now = self._clock.now()
        kept = [
            f"{name} {value!r} was sent, {text(row.get(name))!r} is kept"
            for name, value in ready.changes.items()
            if not _same(name, value, row, now)
        ]
        if kept:
            return Refused(HoldReason.DATA, f"the shop keeps other values than it was told: {'; '.join(kept)}")
        return Applied(ready.product)


def _document(job: Job) -> PriceDocument:
    assert isinstance(job.document, PriceDocument)
    return job.document


def _alike(sku: str) -> str:
    """How the shop's database compares: without regard to case and to space behind."""
    return sku.strip().casefold()


def _named(sku: str, found: Sequence[Json]) -> list[Json]:
    """Those that bear the SKU letter by letter."""
    return [row for row in found if str(row.get("sku")) == sku]


def _no_place(document: PriceDocument, row: Json, currency: str) -> Refused | None:
    """Why the shop cannot be told this; None when it can."""
    if "price" not in document.owned and "compare_at" not in document.owned:
        return None
    if document.currency and document.currency != currency:
        words = f"the shop sells in {currency}, and the contract's prices are in {document.currency}"
        return Refused(HoldReason.MAPPING, words)
    if document.catalogs or document.compare_at is not None:
        words = "WooCommerce has a regular and a sale price only; a list cannot go to compare_at or to a catalog there"
        return Refused(HoldReason.MAPPING, words)
    if text(row.get("type")) in ("variable", "grouped"):
        words = f"{document.sku!r} is a {text(row.get('type'))} product, which has no price of its own in WooCommerce"
        return Refused(HoldReason.MAPPING, f"{words}: its variations or parts have")
    return None


def _wanted(document: PriceDocument, row: Json) -> dict[str, str]:
    """The fields as the shop spells them. A variation is named by its attributes; a barcode is told where one is
    shown."""
    variation = text(row.get("type")) == "variation"
    found: dict[str, str] = {}
    if "price" in document.owned and document.price is not None:
        found |= _prices(document)
    if "title" in document.owned and document.title and not variation:
        found["name"] = document.title
    if "barcode" in document.owned and _BARCODE in row:
        found[_BARCODE] = document.barcode
    if "active" in document.owned:
        found["status"] = "publish" if document.active else "private" if variation else "draft"
    return found


def _prices(document: PriceDocument) -> dict[str, str]:
    sale = document.sale
    return {
        "regular_price": f"{document.price:f}",
        "sale_price": f"{sale.price:f}" if sale else "",
        _FROM: _stamp(sale.starts) if sale and sale.starts else "",
        # The shop's end is in force, ours is the first moment after it.
        _TO: _stamp(sale.until - timedelta(seconds=1)) if sale and sale.until else "",
    }


def _same(name: str, wanted: str, row: Json, now: datetime) -> bool:
    shown = text(row.get(name))
    match name:
        case "regular_price" | "sale_price":
            return _number(shown) == _number(wanted)
        case "date_on_sale_from_gmt" | "date_on_sale_to_gmt":
            begun = gmt(row, name.removesuffix("_gmt"))
            # A sale that has begun has no need of its beginning any more.
            return shown == wanted or (name == _FROM and not wanted and begun is not None and begun <= now)
        case "name":
            return html.unescape(shown) == html.unescape(wanted.strip())
        case "status" if wanted != "publish":
            return shown in _HIDDEN
    return shown == wanted


def _number(written: str) -> Decimal | None:
    """None for no price, and for what is none: that differs from every price."""
    try:
        return parse_amount(written) if written else None
    except Unreadable:
        return Decimal("NaN")


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
