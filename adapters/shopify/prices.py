"""Prices told to a Shopify shop: those of variants, of markets and companies, and what else of a product the ERP owns.

A variant keeps no mark of ours, so what it shows is compared with what it should show; a price that is set again is the
same price. Shopify knows no dates of a price: the one in force is told, and the next when it is time. The variants of
one product are one mutation, all or nothing: those that are refused by their place are taken out, the rest goes again.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from adapters.shopify.client import ShopifyClient
from adapters.shopify.fields import Json, decimal, identifier, objects, part, text, texts
from adapters.shopify.pricebook import (
    ADD_FIXED_PRICES,
    IDS,
    UPDATE_PRODUCT,
    UPDATE_VARIANTS,
    PriceBook,
    Variant,
    alike,
    gid,
)
from adapters.shopify.settings import ShopifySettings
from tallystick.clock import Budget, Clock
from tallystick.contract.document import Document, PriceDocument
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

PRICE = Step("price")
PRODUCT = Step("product")
CATALOG = Step("catalog")
_ON_SHELF = frozenset({"ACTIVE", "UNLISTED"})
#: Codes of refusals that a row of the contract puts right.
_MAPPING = frozenset({"PRICE_LIST_NOT_FOUND", "PRICE_LIST_CURRENCY_MISMATCH"})
_Fixed = Mapping[str, tuple[Decimal, str]]


@dataclass(frozen=True, slots=True)
class Ready:
    """What `prepare` found: the variant as it is shown, and its own prices by price list."""

    variant: Variant
    fixed: Mapping[str, tuple[Decimal, str]] = field(default_factory=dict)


class PriceSinkOfShopify:
    """A `Sink` of prices."""

    def __init__(self, settings: ShopifySettings, client: ShopifyClient, pacer: Pacer, clock: Clock) -> None:
        self.pacer = pacer
        self.traits = OperationTraits(
            # Nothing is ever made; what is there is set, and set again.
            capability=Capability.E1,
            # What is set overwrites whatever stands there.
            conditional_update=False,
            # No figure is published; a request beyond a minute is given up by every proxy on the way.
            late_apply_max_s=60.0,
            # Variants are read by their ids, not from the search's index.
            search_lag_max_s=0.0,
            batch_max=100,
            parallel_max=settings.pace.parallel,
            mark_field="",
        )
        self._client = client
        self._book = PriceBook(client, clock)

    def steps(self, document: Document) -> tuple[Step, ...]:
        """The variant, its product where that is owned, and its place in the shop's price lists."""
        assert isinstance(document, PriceDocument)
        product = (PRODUCT,) if not document.owned.isdisjoint(("title", "active")) else ()
        return (PRICE, *product, *((CATALOG,) if document.catalogs else ()))

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused | Needless]:
        """Find each variant by its SKU. What the shop does not sell needs nothing."""
        found = await self._book.variants([_document(job).sku for job in jobs])
        currency = await self._book.currency()
        ready = [_ready(job, found.get(alike(_document(job).sku), []), currency) for job in jobs]
        return await self._with_fixed(ready)

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """One mutation for each product, or for each price list; what differs in nothing is done."""
        makers: Mapping[Step, Callable[[Sequence[Job], Budget], Awaitable[dict[str, Answer]]]] = {
            PRICE: self._price,
            PRODUCT: self._product,
            CATALOG: self._catalog,
        }
        due = [job for job in jobs if _differs(step, job)]
        answers: dict[str, Answer] = {job.ref: Applied(job.ready.variant.id) for job in jobs}
        answers |= await makers[step](due, budget)
        return [answers[job.ref] for job in jobs]

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """Whether the shop shows what it should; anything else, a variant that is gone too, is decided anew."""
        ready = await self.prepare(jobs)
        return [
            _probed(self.steps(job.document) if whole else (step,), found)
            for job, found in zip(jobs, ready, strict=True)
        ]

    # ---- prepare

    async def _with_fixed(self, jobs: Sequence[Job | Refused | Needless]) -> list[Job | Refused | Needless]:
        """The variants' own prices in the lists that are told, one read for each list."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for job in jobs:
            if isinstance(job, Job):
                for one in _document(job).catalogs:
                    wanted[one.catalog].add(job.ready.variant.id)
        fixed = {catalog: await self._book.fixed(catalog, ids) for catalog, ids in wanted.items()}
        return [_placed(job, fixed) if isinstance(job, Job) else job for job in jobs]

    # ---- send

    async def _price(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        by_product: dict[str, list[Job]] = defaultdict(list)
        for job in jobs:
            by_product[job.ready.variant.product].append(job)
        answers: dict[str, Answer] = {}
        for place, (product, group) in enumerate(by_product.items()):
            if place:
                await self.pacer.wait()
            answers |= await self._variants(product, group, budget)
        return answers

    async def _variants(self, product: str, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        """The variants of one product; again without those that are refused."""
        variants = [_input(job) for job in jobs]
        reply = await self._client.change(
            UPDATE_VARIANTS, {"productId": gid("Product", product), "variants": variants}, budget
        )
        if isinstance(reply, NotApplied | Doubt):
            return dict.fromkeys((job.ref for job in jobs), reply)
        told = part(reply.get("productVariantsBulkUpdate"))
        errors = objects(told.get("userErrors"))
        if not errors:
            shown = {identifier(one.get("id")): one for one in objects(told.get("productVariants"))}
            return {job.ref: _kept(job, shown.get(job.ready.variant.id)) for job in jobs}
        refused, rest = _by_place(jobs, errors, "variants")
        if rest:
            await self.pacer.wait()
            refused |= await self._variants(product, rest, budget)
        return refused

    async def _product(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        answers: dict[str, Answer] = {}
        for place, job in enumerate(jobs):
            if place:
                await self.pacer.wait()
            variant: Variant = job.ready.variant
            asked = {"product": {"id": gid("Product", variant.product), **_of_product(_document(job), variant)}}
            reply = await self._client.change(UPDATE_PRODUCT, asked, budget)
            answers[job.ref] = _told("productUpdate", job, reply)
        return answers

    async def _catalog(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        """Each list by a mutation of its own; the worst answer counts."""
        by_list: dict[str, list[Job]] = defaultdict(list)
        for job in jobs:
            for catalog in _prices_in_lists(job):
                by_list[catalog].append(job)
        answers: dict[str, Answer] = {}
        for place, (catalog, group) in enumerate(by_list.items()):
            if place:
                await self.pacer.wait()
            for ref, answer in (await self._fixed_prices(catalog, group, budget)).items():
                if ref not in answers or isinstance(answers[ref], Applied):
                    answers[ref] = answer
        return answers

    async def _fixed_prices(self, catalog: str, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        assert len(jobs) <= IDS
        prices = [_prices_in_lists(job)[catalog] for job in jobs]
        reply = await self._client.change(
            ADD_FIXED_PRICES, {"priceListId": gid("PriceList", catalog), "prices": prices}, budget
        )
        if isinstance(reply, NotApplied | Doubt):
            return dict.fromkeys((job.ref for job in jobs), reply)
        errors = objects(part(reply.get("priceListFixedPricesAdd")).get("userErrors"))
        refused, rest = _by_place(jobs, errors, "prices") if errors else ({}, jobs)
        if errors and rest:
            await self.pacer.wait()
            return refused | await self._fixed_prices(catalog, rest, budget)
        return refused | {job.ref: Applied(job.ready.variant.id) for job in rest}


def _document(job: Job) -> PriceDocument:
    assert isinstance(job.document, PriceDocument)
    return job.document


# ---- what is found -----------------------------------------------------------------------------------------------


def _ready(job: Job, found: Sequence[Variant], currency: str) -> Job | Refused | Needless:
    document = _document(job)
    same = [variant for variant in found if variant.sku == document.sku]
    if len(same) > 1:
        return Refused(HoldReason.MAPPING, f"{len(same)} variants in the store bear the SKU {document.sku!r}")
    if not same and found:
        spelled = ", ".join(sorted({repr(variant.sku) for variant in found}))
        return Refused(HoldReason.MAPPING, f"the store spells the SKU {document.sku!r} otherwise: {spelled}")
    if not same:
        return Needless(f"the store has no variant with the SKU {document.sku!r}")
    if document.hold is not None:
        return Refused(document.hold.reason, document.hold.detail)
    if document.price is not None and document.currency != currency:
        words = f"the store sells in {currency}, and the contract's prices are in {document.currency}"
        return Refused(HoldReason.MAPPING, words)
    return replace(job, ready=Ready(same[0]))


def _placed(job: Job, fixed: Mapping[str, _Fixed]) -> Job:
    variant: Variant = job.ready.variant
    own = {catalog: found[variant.id] for catalog, found in fixed.items() if variant.id in found}
    return replace(job, ready=Ready(variant, own))


def _probed(steps: Sequence[Step], job: Job | Refused | Needless) -> Found:
    if not isinstance(job, Job):
        return Found(Verdict.OLDER, detail=job.detail)
    differing = [one.name for one in steps if _differs(one, job)]
    variant: Variant = job.ready.variant
    # Of a later step only that itself is missing: what came before it stands.
    missing = Verdict.OLDER if PRICE in steps else Verdict.ABSENT
    return Found(missing if differing else Verdict.THIS, variant.id, detail=f"other in the store: {differing}")


# ---- what it should be -------------------------------------------------------------------------------------------


def _differs(step: Step, job: Job) -> bool:
    document, ready = _document(job), job.ready
    if step == PRICE:
        return any(not _shows(ready.variant, name, value) for name, value in _of_variant(document).items())
    if step == PRODUCT:
        return bool(_of_product(document, ready.variant))
    return bool(_prices_in_lists(job))


def _of_variant(document: PriceDocument) -> dict[str, Any]:
    """The variant's fields as Shopify spells them; None clears one."""
    found: dict[str, Any] = {}
    now = document.sale.price if document.sale and document.sale.starts is None else document.price
    if "price" in document.owned and now is not None:
        found["price"] = f"{now:f}"
    if "compare_at" in document.owned:
        compared = document.price if now != document.price else document.compare_at
        higher = compared is not None and now is not None and compared > now
        found["compareAtPrice"] = f"{compared:f}" if higher else None
    if "barcode" in document.owned:
        found["barcode"] = document.barcode or None
    return found


def _shows(variant: Variant, name: str, value: str | None) -> bool:
    if name == "barcode":
        return variant.barcode == (value or "")
    shown = variant.price if name == "price" else variant.compare_at
    return shown == (None if value is None else Decimal(value))


def _of_product(document: PriceDocument, variant: Variant) -> dict[str, str]:
    """What differs of the product; nothing of one that has other variants, whose title and status they share."""
    found: dict[str, str] = {}
    if variant.alone and "title" in document.owned and document.title not in ("", variant.title):
        found["title"] = document.title
    if variant.alone and "active" in document.owned and document.active is not (variant.status in _ON_SHELF):
        found["status"] = "ACTIVE" if document.active else "DRAFT"
    return found


def _prices_in_lists(job: Job) -> dict[str, Json]:
    """What differs in the shop's price lists, by list."""
    ready: Ready = job.ready
    return {
        one.catalog: {
            "variantId": gid("ProductVariant", ready.variant.id),
            "price": {"amount": f"{one.price:f}", "currencyCode": one.currency},
        }
        for one in _document(job).catalogs
        if ready.fixed.get(one.catalog) != (one.price, one.currency)
    }


# ---- what was answered -------------------------------------------------------------------------------------------


def _input(job: Job) -> Json:
    return {"id": gid("ProductVariant", job.ready.variant.id), **_of_variant(_document(job))}


def _kept(job: Job, shown: Json | None) -> Answer:
    """What the shop keeps now against what it was told."""
    if shown is None:
        return Doubt("Shopify's answer does not name the variant", unanswered=False)
    variant: Variant = job.ready.variant
    compared = shown.get("compareAtPrice")
    kept = replace(
        variant,
        price=decimal(shown.get("price")),
        compare_at=None if compared is None else decimal(compared),
        barcode=text(shown.get("barcode")),
    )
    other = [
        f"{name} {value} was sent, {shown.get(name)} is kept"
        for name, value in _of_variant(_document(job)).items()
        if not _shows(kept, name, value)
    ]
    if other:
        return Refused(HoldReason.DATA, f"the store keeps other values than it was told: {'; '.join(other)}")
    return Applied(variant.id)


def _by_place(jobs: Sequence[Job], errors: Sequence[Json], field_name: str) -> tuple[dict[str, Answer], list[Job]]:
    """Those that are refused by their place, and the rest; a refusal that names no place is about all."""
    refused: dict[str, Answer] = {}
    for error in errors:
        path = texts(error.get("field"))
        place = path[1] if len(path) > 1 and path[0] == field_name and path[1].isdigit() else ""
        concerned = jobs if not place or int(place) >= len(jobs) else [jobs[int(place)]]
        refused |= dict.fromkeys((job.ref for job in concerned), _refusal(error))
    return refused, [job for job in jobs if job.ref not in refused]


def _refusal(error: Json) -> Refused:
    code = text(error.get("code"))
    reason = HoldReason.MAPPING if code in _MAPPING else HoldReason.DATA
    return Refused(reason, f"Shopify refuses the price: {text(error.get('message'))[:200]} ({code or 'no code'})")


def _told(mutation: str, job: Job, reply: Json | NotApplied | Doubt) -> Answer:
    if isinstance(reply, NotApplied | Doubt):
        return reply
    errors = objects(part(reply.get(mutation)).get("userErrors"))
    return _refusal(errors[0]) if errors else Applied(job.ready.variant.id)
