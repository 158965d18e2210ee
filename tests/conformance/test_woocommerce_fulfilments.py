"""Shipments told to the WooCommerce double: notes, entries, trackings, and that no buyer is written to twice."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.woocommerce.adapter import WooCommerce
from adapters.woocommerce.settings import WooCommerceSettings
from adapters.woocommerce.shipments import PREFIX
from simulators.faults import Fault, Rule
from simulators.serving import serve
from simulators.woocommerce import Item, Shop, ShopSettings, application
from simulators.woocommerce.model import Order
from tallystick.canonical.digest import digest
from tallystick.clock import Budget, SystemClock
from tallystick.contract.document import FulfilmentDocument, Parcel
from tallystick.errors import Unauthorised
from tallystick.marks import mark
from tallystick.ports import (
    Answer,
    Applied,
    Doubt,
    Found,
    FulfilmentSink,
    Job,
    NotApplied,
    Refused,
    Step,
    Verdict,
)
from tallystick.reasons import HoldReason
from tallystick.registry import Pace
from tallystick.secrets import Secret

_CLOCK = SystemClock()
_AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop(ShopSettings(), now=lambda: _AT)
    shop.add_product("MUG-1", "11.00", "Mug")
    shop.add_product("BOOK-1", "10.70", "Book")
    shop.shipments.extension = True
    yield shop
    assert all(rule.struck for rule in shop.faults.rules), "a fault was scripted and never struck"


@asynccontextmanager
async def connected(shop: Shop, **shipments: object) -> AsyncIterator[WooCommerce]:
    async with serve(application(shop)) as address:
        settings = WooCommerceSettings.model_validate(
            {
                "url": address,
                "consumer_key": Secret.of("ck_demo"),
                "consumer_secret": Secret.of("cs_demo"),
                "webhook_secrets": (Secret.of("whs-secret-1"),),
                "private_network": True,
                "pace": Pace(rate_per_s=1000, burst=1000, parallel=2),
                "shipments": shipments,
            }
        )
        adapter = WooCommerce("woocommerce", settings, _CLOCK)
        try:
            yield adapter
        finally:
            await adapter.close()


@pytest.fixture
async def plain(shop: Shop) -> AsyncIterator[WooCommerce]:
    """Of a shop without plugins."""
    async with connected(shop) as adapter:
        yield adapter


@pytest.fixture
async def tracking(shop: Shop) -> AsyncIterator[WooCommerce]:
    """Of a shop with the extension."""
    async with connected(shop, shipment_tracking=True) as adapter:
        yield adapter


def bought(shop: Shop, *quantities: int) -> Order:
    """Mugs, books, and mugs again."""
    skus = ("MUG-1", "BOOK-1", "MUG-1")
    return shop.place_order([Item(skus[at], quantity) for at, quantity in enumerate(quantities)])


def shipment(order: Order, *lines: tuple[int, int], ref: str = "731", **parts: Any) -> Job:
    """`lines` as (place of the line in the order, pieces)."""
    given: dict[str, Any] = {"location": "", "parcels": (), "notify": True, **parts}
    document = FulfilmentDocument(
        connection="woocommerce",
        order_id=str(order.id),
        fulfilment_id=ref,
        lines=tuple((str(order.lines[at].id), Decimal(pieces)) for at, pieces in lines),
        shipped_at=_AT,
        contract_version="1",
        **given,
    )
    return job_of(document, 1)


def job_of(document: FulfilmentDocument, revision: int, external_id: str | None = None) -> Job:
    name = f"fulfilment/odoo/{document.fulfilment_id}"
    return Job(name, revision, str(mark(name, revision, repr(document).encode())), document, external_id)


def later(job: Job, **parts: Any) -> Job:
    """The next revision of a shipment that was told."""
    assert isinstance(job.document, FulfilmentDocument)
    return job_of(replace(job.document, **parts), job.revision + 1, job.external_id)


def parcels(*numbers: str) -> tuple[Parcel, ...]:
    return tuple(Parcel("DHL", number, "") for number in numbers)


async def step(adapter: WooCommerce, one: Step, job: Job) -> Answer:
    (ready,) = await adapter.fulfilments.prepare([job])
    if isinstance(ready, Refused):
        return ready
    assert isinstance(ready, Job)
    (answer,) = await adapter.fulfilments.send(one, [ready], Budget(_CLOCK, _CLOCK.monotonic_s() + 20))
    return answer


async def tell(adapter: WooCommerce, job: Job) -> Job:
    """All steps, each of which has to be applied; the job as the ledger knows it then."""
    for one in adapter.fulfilments.steps(job.document):
        answer = await step(adapter, one, job)
        assert isinstance(answer, Applied), (one.name, answer)
        job = replace(job, external_id=answer.external_id)
    return job


async def look(adapter: WooCommerce, job: Job, name: str, *, whole: bool = False) -> Found:
    (found,) = await adapter.fulfilments.probe(named(adapter, job, name), [job], whole=whole)
    return found


def named(adapter: WooCommerce, job: Job, name: str) -> Step:
    return next(one for one in adapter.fulfilments.steps(job.document) if one.name == name)


async def refused(adapter: WooCommerce, job: Job, reason: HoldReason, *words: str) -> None:
    (answer,) = await adapter.fulfilments.prepare([job])
    assert isinstance(answer, Refused), answer
    assert answer.reason is reason
    assert all(word in answer.detail for word in words), answer.detail


def mails(shop: Shop) -> list[str]:
    return [entry.detail for entry in shop.journal.of("mail")]


def numbers(shop: Shop, order: Order) -> list[str]:
    return [row["tracking_number"] for row in shop.shipments.trackings.get(order.id, [])]


def spoil(shop: Shop, fault: Fault, operation: str, **more: Any) -> None:
    shop.faults.rules.append(Rule(fault, operation, first=1, **more))


NOTES = "POST /orders/{id}/notes"
TRACKINGS = "POST /orders/{id}/shipment-trackings"
ORDER = "POST /orders/{id}"


async def test_the_ability_and_its_steps(plain: WooCommerce, tracking: WooCommerce, shop: Shop) -> None:
    assert isinstance(plain, FulfilmentSink)
    job = shipment(bought(shop, 1), (0, 1), parcels=parcels("A1", "A2"))
    assert [one.name for one in plain.fulfilments.steps(job.document)] == ["note", "record"]
    quiet = later(job, notify=False)
    assert [one.name for one in tracking.fulfilments.steps(quiet.document)] == [
        "track-1",
        "track-2",
        "untrack",
        "record",
    ]


# ---- what is told ------------------------------------------------------------------------------------------------


async def test_a_partial_shipment_and_then_the_rest(plain: WooCommerce, shop: Shop) -> None:
    order = bought(shop, 3, 1)
    await tell(plain, shipment(order, (0, 2), parcels=parcels("A1")))
    assert order.status == "processing"
    assert mails(shop) == ["note"]
    await tell(plain, shipment(order, (0, 1), (1, 1), ref="732", parcels=parcels("A2")))
    assert order.status == "completed"
    assert mails(shop) == ["note", "note", "completed"]
    assert {f"{PREFIX}731", f"{PREFIX}732"} <= set(order.meta)


async def test_the_note_tells_goods_parcels_and_the_reference(plain: WooCommerce, shop: Shop) -> None:
    order = bought(shop, 3)
    boxes = (Parcel("DHL", "P1", "https://t.example/P1"), Parcel("", "P2", ""))
    await tell(plain, shipment(order, (0, 3), parcels=boxes))
    (note,) = shop.shipments.notes[order.id]
    assert note["note"].split("\n") == [
        "Your order is on its way.",
        "3 × Mug",
        "DHL P1 https://t.example/P1",
        "P2",
        "Shipment 731",
    ]


async def test_the_status_stays_where_the_merchant_wants_it(shop: Shop) -> None:
    order = bought(shop, 1)
    async with connected(shop, complete_when_shipped=False) as adapter:
        await tell(adapter, shipment(order, (0, 1)))
    assert order.status == "processing"
    cancelled = bought(shop, 1)
    shop.cancel(cancelled.id)
    async with connected(shop) as adapter:
        await tell(adapter, shipment(cancelled, (0, 1), ref="733"))
    assert cancelled.status == "cancelled"


async def test_what_was_refunded_is_not_waited_for(plain: WooCommerce, shop: Shop) -> None:
    order = bought(shop, 3)
    shop.refund(order.id, back={order.lines[0].id: 1})
    await tell(plain, shipment(order, (0, 2)))
    assert order.status == "completed"


async def test_without_a_word_to_the_buyer(plain: WooCommerce, shop: Shop) -> None:
    order = bought(shop, 2)
    await tell(plain, shipment(order, (0, 1), notify=False))
    assert not mails(shop)
    assert f"{PREFIX}731" in order.meta


async def test_several_parcels_are_rows_of_the_extension(tracking: WooCommerce, shop: Shop) -> None:
    order = bought(shop, 2)
    boxes = (*parcels("P1"), Parcel("Courier Somchai", "P2", "https://t.example/P2"))
    await tell(tracking, shipment(order, (0, 2), parcels=boxes))
    rows = shop.shipments.trackings[order.id]
    assert [(row["tracking_number"], row["tracking_provider"], row["tracking_link"]) for row in rows] == [
        ("P1", "DHL", ""),
        ("P2", "Courier Somchai", "https://t.example/P2"),
    ]
    assert {row["date_shipped"] for row in rows} == {"2026-11-23"}


async def test_the_same_product_on_two_lines_is_told_by_the_line(plain: WooCommerce, shop: Shop) -> None:
    """FC-075"""
    order = bought(shop, 2, 1, 1)
    await tell(plain, shipment(order, (2, 1)))
    await refused(plain, shipment(order, (2, 1), ref="732"), HoldReason.DATA, "of which 0 remain")
    await tell(plain, shipment(order, (0, 2), (1, 1), ref="732"))
    assert order.status == "completed"


async def test_two_locations_and_three_parcels(tracking: WooCommerce, shop: Shop) -> None:
    """FC-096: the shop knows no locations, so each shipment stands for itself."""
    order = bought(shop, 3, 2)
    first = await tell(tracking, shipment(order, (0, 3), (1, 1), location="north", parcels=parcels("P1", "P2")))
    second = await tell(tracking, shipment(order, (1, 1), ref="732", location="south", parcels=parcels("P3")))
    for job in (first, second):
        await tell(tracking, later(job))
    assert numbers(shop, order) == ["P1", "P2", "P3"]
    assert mails(shop) == ["note", "note", "completed"]


# ---- what is refused ---------------------------------------------------------------------------------------------


async def test_what_cannot_have_been_shipped(plain: WooCommerce, shop: Shop) -> None:
    order, other = bought(shop, 2), bought(shop, 1)
    known, strange = str(order.lines[0].id), str(other.lines[0].id)
    job = shipment(order, (0, 1))
    await refused(plain, later(job, lines=((strange, Decimal(1)),)), HoldReason.DATA, strange, known)
    await refused(plain, later(job, lines=()), HoldReason.DATA, "no goods")
    await tell(plain, job)
    over = shipment(order, (0, 2), ref="732")
    await refused(plain, over, HoldReason.DATA, f"2 of line {known}", "of which 1 remain")


async def test_an_order_that_is_gone_or_in_the_trash(plain: WooCommerce, shop: Shop) -> None:
    trashed, gone = bought(shop, 1), bought(shop, 1)
    shop.trash(trashed.id)
    shop.delete(gone.id)
    await refused(plain, shipment(trashed, (0, 1)), HoldReason.DELETED_IN_TARGET, "trash")
    await refused(plain, shipment(gone, (0, 1)), HoldReason.DELETED_IN_TARGET, str(gone.id))


async def test_an_entry_that_somebody_else_wrote(plain: WooCommerce, shop: Shop) -> None:
    order = bought(shop, 2)
    job = await tell(plain, shipment(order, (0, 1)))
    stranger = replace(job, ref="fulfilment/other/731", mark=str(mark("fulfilment/other/731", 1, b"")))
    answer = await step(plain, named(plain, stranger, "record"), stranger)
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.FOREIGN
    assert (await look(plain, stranger, "record")).verdict is Verdict.FOREIGN


async def test_an_extension_that_is_not_installed(tracking: WooCommerce, shop: Shop) -> None:
    shop.shipments.extension = False
    job = shipment(bought(shop, 1), (0, 1), parcels=parcels("A1"))
    await refused(tracking, job, HoldReason.DATA, "shipments.shipment_tracking")


# ---- later revisions ---------------------------------------------------------------------------------------------


async def test_tracking_comes_later_without_a_second_mail(tracking: WooCommerce, shop: Shop) -> None:
    order = bought(shop, 2)
    first = await tell(tracking, shipment(order, (0, 1)))
    second = await tell(tracking, later(first, parcels=parcels("A1", "A2")))
    assert numbers(shop, order) == ["A1", "A2"]
    third = later(second, parcels=parcels("A2", "A3"))
    assert (await look(tracking, third, "record", whole=True)).verdict is Verdict.OLDER
    await tell(tracking, third)
    assert numbers(shop, order) == ["A2", "A3"]
    assert mails(shop) == ["note"]


async def test_verdicts_by_the_entry(plain: WooCommerce, shop: Shop) -> None:
    order = bought(shop, 2)
    job = shipment(order, (0, 1))
    assert (await look(plain, job, "record")).verdict is Verdict.ABSENT
    first = await tell(plain, job)
    second = later(first, parcels=parcels("A1"))
    assert (await look(plain, first, "record")).verdict is Verdict.THIS
    assert (await look(plain, second, "record")).verdict is Verdict.OLDER
    await tell(plain, second)
    assert (await look(plain, first, "record")).verdict is Verdict.NEWER
    assert isinstance(await step(plain, named(plain, first, "record"), first), Doubt)


async def test_a_revision_that_is_there_sends_nothing(tracking: WooCommerce, shop: Shop) -> None:
    order = bought(shop, 2)
    job = await tell(tracking, shipment(order, (0, 1), parcels=parcels("A1")))
    before = len(shop.journal.entries)
    await tell(tracking, job)
    assert len(shop.journal.entries) == before


async def test_a_tracking_that_a_person_deleted_differs(tracking: WooCommerce, shop: Shop) -> None:
    order = bought(shop, 2)
    job = await tell(tracking, shipment(order, (0, 1), parcels=parcels("A1")))
    shop.shipments.trackings.clear()
    assert (await look(tracking, job, "note", whole=True)).verdict is Verdict.OLDER


# ---- lost answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.HTML_ANSWER, Fault.CUT_JSON])
@pytest.mark.parametrize(("operation", "name"), [(NOTES, "note"), (TRACKINGS, "track-1"), (ORDER, "record")])
async def test_a_lost_answer_is_settled_by_the_probe(
    tracking: WooCommerce, shop: Shop, fault: Fault, operation: str, name: str
) -> None:
    order = bought(shop, 1)
    job = shipment(order, (0, 1), parcels=parcels("A1"))
    spoil(shop, fault, operation)
    for one in tracking.fulfilments.steps(job.document):
        answer = await step(tracking, one, job)
        if one.name == name:
            assert isinstance(answer, Doubt)
            assert answer.unanswered is (fault is not Fault.CUT_JSON)
            assert (await look(tracking, job, name)).verdict is Verdict.THIS
            answer = await step(tracking, one, job)
        assert isinstance(answer, Applied)
    assert numbers(shop, order) == ["A1"]
    assert mails(shop) == ["note", "completed"]


@pytest.mark.parametrize(("operation", "name"), [(NOTES, "note"), (TRACKINGS, "track-1"), (ORDER, "record")])
async def test_what_was_never_applied_is_absent(tracking: WooCommerce, shop: Shop, operation: str, name: str) -> None:
    order = bought(shop, 1)
    job = shipment(order, (0, 1), parcels=parcels("A1"))
    spoil(shop, Fault.NEVER_APPLIED, operation)
    assert isinstance(await step(tracking, named(tracking, job, name), job), Doubt)
    assert (await look(tracking, job, name)).verdict is Verdict.ABSENT


async def test_a_late_note_is_found_and_not_repeated(plain: WooCommerce, shop: Shop) -> None:
    """The engine asks again after the quiet time of class E2; until then it sends nothing."""
    order = bought(shop, 1)
    job = shipment(order, (0, 1))
    spoil(shop, Fault.LATE_APPLY, NOTES, seconds=0.1)
    assert isinstance(await step(plain, named(plain, job, "note"), job), Doubt)
    await shop.faults.settle()
    assert (await look(plain, job, "note")).verdict is Verdict.THIS
    await tell(plain, job)
    assert mails(shop) == ["note", "completed"]


async def test_a_late_save_leaves_the_entries_of_others(plain: WooCommerce, shop: Shop) -> None:
    order = bought(shop, 3)
    first = shipment(order, (0, 1))
    spoil(shop, Fault.LATE_APPLY, ORDER, seconds=0.2)
    assert isinstance(await step(plain, named(plain, first, "record"), first), Doubt)
    second = await tell(plain, shipment(order, (0, 1), ref="732"))
    await shop.faults.settle()
    assert (await look(plain, second, "record")).verdict is Verdict.THIS
    assert (await look(plain, first, "record")).verdict is Verdict.THIS


async def test_throttled_and_refused_keys(plain: WooCommerce, shop: Shop) -> None:
    order = bought(shop, 1)
    job = shipment(order, (0, 1))
    spoil(shop, Fault.THROTTLED, NOTES)
    answer = await step(plain, named(plain, job, "note"), job)
    assert isinstance(answer, NotApplied)
    assert answer.throttled
    shop.settings.keys["ck_demo"] = ("cs_demo", "read")
    answer = await step(plain, named(plain, job, "note"), job)
    assert isinstance(answer, NotApplied)
    assert "401" in answer.detail
    shop.settings.keys.clear()
    with pytest.raises(Unauthorised):
        await plain.fulfilments.prepare([job])
    assert not mails(shop)


async def test_an_order_deleted_between_look_and_save(plain: WooCommerce, shop: Shop) -> None:
    order = bought(shop, 1)
    (ready,) = await plain.fulfilments.prepare([shipment(order, (0, 1))])
    assert isinstance(ready, Job)
    shop.delete(order.id)
    (answer,) = await plain.fulfilments.send(
        named(plain, ready, "record"), [ready], Budget(_CLOCK, _CLOCK.monotonic_s() + 5)
    )
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.DELETED_IN_TARGET


# ---- echo --------------------------------------------------------------------------------------------------------


async def test_the_shops_news_of_our_own_entry_changes_no_order(plain: WooCommerce, shop: Shop) -> None:
    """FC-065: our entry is no news at all, and of a completed order nothing but the status is."""
    order = bought(shop, 2)
    before = (await plain.read_order(str(order.id))).order
    await tell(plain, shipment(order, (0, 1), parcels=parcels("A1")))
    partly = (await plain.read_order(str(order.id))).order
    await tell(plain, shipment(order, (0, 1), ref="732"))
    whole = (await plain.read_order(str(order.id))).order
    assert before is not None
    assert partly is not None
    assert whole is not None
    assert digest(before) == digest(partly)
    assert (before.store_state, whole.store_state) == ("processing", "completed")
    whole.store_state = before.store_state
    assert digest(before) == digest(whole)
