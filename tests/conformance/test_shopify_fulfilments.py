"""Shipments told to the Shopify double: what is made, what is refused, and that nothing is made or mailed twice."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.shopify.adapter import ShopifyAdapter
from simulators.faults import Fault, Rule
from simulators.serving import serve
from simulators.shopify import Cart, Item, Shop, application
from simulators.shopify.fulfilments import MAIN
from simulators.shopify.model import Order
from tallystick.canonical.digest import digest
from tallystick.clock import Budget, SystemClock
from tallystick.contract.document import FulfilmentDocument, Parcel
from tallystick.marks import mark
from tallystick.ports import Answer, Applied, Doubt, Found, FulfilmentSink, Job, NotApplied, Reading, Refused, Verdict
from tallystick.reasons import HoldReason
from tallystick.registry import Pace
from tests.unit.adapters.shopify.shops import CONNECTION, MUG, TEA, headers, settings

_CLOCK = SystemClock()
_AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
OTHER = 70_000_002


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop(now=lambda: _AT)
    shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
    yield shop
    assert all(rule.struck for rule in shop.faults.rules), "a fault was scripted and never struck"


@asynccontextmanager
async def connected(shop: Shop) -> AsyncIterator[ShopifyAdapter]:
    async with serve(application(shop)) as address:
        pace = Pace(rate_per_s=1000, burst=1000, parallel=8)
        adapter = ShopifyAdapter(CONNECTION, settings(address, pace=pace), _CLOCK)
        try:
            yield adapter
        finally:
            await adapter.close()


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[ShopifyAdapter]:
    async with connected(shop) as adapter:
        yield adapter


def shipment(order: Order, *lines: tuple[int, int | str], ref: str = "731", revision: int = 1, **parts: Any) -> Job:
    """`lines` as (place of the line in the order, pieces)."""
    given: dict[str, Any] = {"location": "", "parcels": (), "notify": True, **parts}
    document = FulfilmentDocument(
        connection=CONNECTION,
        order_id=str(order.id),
        fulfilment_id=ref,
        lines=tuple((str(order.lines[at].id), Decimal(pieces)) for at, pieces in lines),
        shipped_at=_AT,
        contract_version="1",
        **given,
    )
    name = f"fulfilment/odoo/{ref}"
    return Job(name, revision, str(mark(name, revision, repr(document).encode())), document)


def parcels(*numbers: str, carrier: str = "DHL Express") -> tuple[Parcel, ...]:
    return tuple(Parcel(carrier, number, "") for number in numbers)


def later(made: Job, answer: Answer, **parts: Any) -> Job:
    """The next revision of a shipment that was told."""
    assert isinstance(answer, Applied), answer
    assert isinstance(made.document, FulfilmentDocument)
    document = replace(made.document, **parts)
    return replace(made, revision=made.revision + 1, document=document, external_id=answer.external_id)


async def tell(adapter: ShopifyAdapter, job: Job) -> Answer:
    (ready,) = await adapter.fulfilments.prepare([job])
    if isinstance(ready, Refused):
        return ready
    assert isinstance(ready, Job)
    (step,) = adapter.fulfilments.steps(job.document)
    (answer,) = await adapter.fulfilments.send(step, [ready], Budget(_CLOCK, _CLOCK.monotonic_s() + 20))
    return answer


async def look(adapter: ShopifyAdapter, job: Job) -> Found:
    (step,) = adapter.fulfilments.steps(job.document)
    (found,) = await adapter.fulfilments.probe(step, [job])
    return found


def made(shop: Shop) -> list[tuple[int, dict[int, int], tuple[str, ...]]]:
    """(location, pieces by line, numbers) of each fulfilment that was ever made."""
    return [(place, pieces, numbers) for _, place, pieces, numbers in (e.detail for e in shop.journal.of("fulfilment"))]


def mails(shop: Shop) -> int:
    return len(shop.journal.of("mail"))


def refused(answer: Answer, reason: HoldReason, *words: str) -> None:
    assert isinstance(answer, Refused), answer
    assert answer.reason is reason
    assert all(word in answer.detail for word in words), answer.detail


async def test_the_ability(adapter: ShopifyAdapter) -> None:
    assert isinstance(adapter, FulfilmentSink)


# ---- what is made ------------------------------------------------------------------------------------------------


async def test_a_partial_shipment_and_then_the_rest(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG, TEA]))
    first = await tell(adapter, shipment(order, (0, 2), parcels=parcels("A1")))
    assert isinstance(first, Applied)
    assert not order.fulfilled
    rest = await tell(adapter, shipment(order, (0, 1), (1, 7), ref="732", parcels=parcels("A2")))
    assert isinstance(rest, Applied)
    mug, tea = (line.id for line in order.lines)
    assert made(shop) == [(MAIN, {mug: 2}, ("A1",)), (MAIN, {mug: 1, tea: 7}, ("A2",))]
    assert order.fulfilled
    assert mails(shop) == 2


async def test_several_parcels_are_one_fulfilment_with_all_their_numbers(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    boxes = (Parcel("DHL Express", "P1", "https://t.example/P1"), Parcel("DHL Express", "P2", "https://t.example/P2"))
    job = shipment(order, (0, 3), parcels=boxes)
    assert isinstance(await tell(adapter, job), Applied)
    (fulfilment,) = order.fulfilments
    assert (fulfilment.company, fulfilment.numbers) == ("DHL Express", ["P1", "P2"])
    assert fulfilment.urls == ["https://t.example/P1", "https://t.example/P2"]
    assert (await look(adapter, job)).verdict is Verdict.THIS


async def test_parcels_of_several_carriers_name_none(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    job = shipment(order, (0, 3), parcels=(*parcels("P1"), *parcels("P2", carrier="UPS")))
    assert isinstance(await tell(adapter, job), Applied)
    assert (order.fulfilments[0].company, order.fulfilments[0].numbers) == ("", ["P1", "P2"])


async def test_the_same_variant_on_two_lines_is_told_by_the_line(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-075"""
    order = shop.place_order(Cart([MUG, Item("Mug", Decimal(0), 1, sku="MUG")]))
    order.lines[1].variant_id = order.lines[0].variant_id
    assert isinstance(await tell(adapter, shipment(order, (1, 1))), Applied)
    assert made(shop) == [(MAIN, {order.lines[1].id: 1}, ())]


async def test_two_locations_and_three_parcels(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-096"""
    order = shop.place_order(Cart([MUG, TEA]))
    mug, tea = (line.id for line in order.lines)
    shop.dispatch.assign(order.id, {MAIN: {mug: 3, tea: 2}, OTHER: {tea: 5}})
    here = shipment(order, (0, 3), (1, 2), location=str(MAIN), parcels=parcels("P1", "P2"))
    there = shipment(order, (1, 5), ref="732", location=str(OTHER), parcels=parcels("P3"))
    for job in (here, there):
        answer = await tell(adapter, job)
        assert await tell(adapter, later(job, answer)) == answer
    assert made(shop) == [(MAIN, {mug: 3, tea: 2}, ("P1", "P2")), (OTHER, {tea: 5}, ("P3",))]
    assert mails(shop) == 2


async def test_without_a_location_the_store_decides(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG, TEA]))
    mug, tea = (line.id for line in order.lines)
    shop.dispatch.assign(order.id, {MAIN: {mug: 3}, OTHER: {tea: 7}})
    assert isinstance(await tell(adapter, shipment(order, (1, 4))), Applied)
    assert made(shop) == [(OTHER, {tea: 4}, ())]


async def test_a_line_is_taken_from_several_fulfilment_orders_of_one_location(
    adapter: ShopifyAdapter, shop: Shop
) -> None:
    order = shop.place_order(Cart([MUG]))
    (mug,) = (line.id for line in order.lines)
    shop.dispatch.assign(order.id, {MAIN: {mug: 1}})
    tasks = list(order.tasks)
    shop.dispatch.assign(order.id, {MAIN: {mug: 2}})
    order.tasks += tasks
    assert isinstance(await tell(adapter, shipment(order, (0, 3))), Applied)
    assert made(shop) == [(MAIN, {mug: 3}, ())]


async def test_orders_of_many_lines_and_fulfilment_orders_are_read_page_by_page(
    adapter: ShopifyAdapter, shop: Shop
) -> None:
    order = shop.place_order(Cart([Item(f"Thing {n}", Decimal(1), 12, sku=f"T{n}") for n in range(55)]))
    ids = [line.id for line in order.lines]
    shop.dispatch.assign(order.id, {MAIN + at: dict.fromkeys(ids, 1) for at in range(12)})
    job = shipment(order, *((at, 1) for at in range(55)), location=str(MAIN + 11))
    assert isinstance(await tell(adapter, job), Applied)
    assert made(shop) == [(MAIN + 11, dict.fromkeys(ids, 1), ())]


# ---- what is refused ---------------------------------------------------------------------------------------------


async def test_goods_that_stand_at_several_locations_are_no_single_fulfilment(
    adapter: ShopifyAdapter, shop: Shop
) -> None:
    order = shop.place_order(Cart([MUG, TEA]))
    mug, tea = (line.id for line in order.lines)
    shop.dispatch.assign(order.id, {MAIN: {mug: 3}, OTHER: {tea: 7}})
    refused(await tell(adapter, shipment(order, (0, 1), (1, 1))), HoldReason.MAPPING, str(MAIN), str(OTHER))
    elsewhere = shipment(order, (0, 1), location=str(OTHER))
    refused(await tell(adapter, elsewhere), HoldReason.MAPPING, str(OTHER), "fulfilment.locations")
    assert not made(shop)


async def test_goods_on_hold_are_not_shipped(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    shop.dispatch.assign(order.id, {MAIN: {order.lines[0].id: 3}}, status="ON_HOLD")
    refused(await tell(adapter, shipment(order, (0, 1))), HoldReason.LOCKED, "release")


async def test_a_line_that_the_store_does_not_ship(adapter: ShopifyAdapter, shop: Shop) -> None:
    order, other = shop.place_order(Cart([MUG])), shop.place_order(Cart([TEA]))
    job = shipment(other, (0, 1))
    assert isinstance(job.document, FulfilmentDocument)
    strange = replace(job, document=replace(job.document, order_id=str(order.id)))
    refused(await tell(adapter, strange), HoldReason.DATA, str(other.lines[0].id), str(order.lines[0].id))


async def test_more_than_remains_is_refused_with_both_figures(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    await tell(adapter, shipment(order, (0, 2), parcels=parcels("A1")))
    second = shipment(order, (0, 2), ref="732", parcels=parcels("A2"))
    refused(await tell(adapter, second), HoldReason.DATA, "2 of line", "of which 1 remain")
    assert len(made(shop)) == 1


async def test_half_a_piece_and_nothing_at_all(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    refused(await tell(adapter, shipment(order, (0, "0.5"))), HoldReason.DATA, "whole pieces")
    refused(await tell(adapter, shipment(order)), HoldReason.DATA, "no goods")


async def test_an_order_that_is_gone(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    shop.delete_order(order.id)
    refused(await tell(adapter, shipment(order, (0, 1))), HoldReason.DELETED_IN_TARGET, str(order.id))


# ---- later revisions ---------------------------------------------------------------------------------------------


async def test_tracking_comes_later_without_a_second_mail(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    job = shipment(order, (0, 3))
    second = later(job, await tell(adapter, job), parcels=parcels("A1"))
    assert (await look(adapter, second)).verdict is Verdict.OLDER
    answer = await tell(adapter, second)
    assert (await look(adapter, second)).verdict is Verdict.THIS
    third = later(second, answer, parcels=parcels("A1", carrier="UPS"))
    assert (await look(adapter, third)).verdict is Verdict.OLDER
    await tell(adapter, third)
    (fulfilment,) = order.fulfilments
    assert (fulfilment.numbers, fulfilment.company) == (["A1"], "UPS")
    assert (len(made(shop)), mails(shop)) == (1, 1)


async def test_a_revision_that_changes_nothing_sends_nothing(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    job = shipment(order, (0, 3), parcels=parcels("A1"))
    answer = await tell(adapter, job)
    assert await tell(adapter, later(job, answer)) == answer
    assert not shop.journal.of("tracking")


async def test_lines_of_a_fulfilment_do_not_change(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    job = shipment(order, (0, 2))
    answer = await tell(adapter, job)
    changed = later(job, answer, lines=((str(order.lines[0].id), Decimal(1)),))
    refused(await tell(adapter, changed), HoldReason.LOCKED, "holds 2 of line", "now 1 of line")


async def test_a_cancelled_fulfilment_is_never_made_anew(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    job = shipment(order, (0, 3), parcels=parcels("A1"))
    second = later(job, await tell(adapter, job), parcels=parcels("A2"))
    shop.dispatch.cancel(order.id, order.fulfilments[0].id)
    assert (await look(adapter, second)).verdict is Verdict.ABSENT
    refused(await tell(adapter, second), HoldReason.DELETED_IN_TARGET, "cancelled")


# ---- lost answers ------------------------------------------------------------------------------------------------


def spoil(shop: Shop, fault: Fault, operation: str = "CreateFulfilment", **more: Any) -> None:
    shop.faults.rules.append(Rule(fault, operation, first=1, **more))


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.HTML_ANSWER, Fault.CUT_JSON])
@pytest.mark.parametrize("numbers", [("A1",), ()])
async def test_a_lost_answer_is_settled_by_the_probe(
    adapter: ShopifyAdapter, shop: Shop, fault: Fault, numbers: tuple[str, ...]
) -> None:
    order = shop.place_order(Cart([MUG]))
    spoil(shop, fault)
    job = shipment(order, (0, 3), parcels=parcels(*numbers))
    answer = await tell(adapter, job)
    assert isinstance(answer, Doubt)
    assert answer.unanswered
    found = await look(adapter, job)
    assert (found.verdict, found.external_id) == (Verdict.THIS, str(order.fulfilments[0].id))
    assert (len(made(shop)), mails(shop)) == (1, 1)


async def test_a_repeat_of_a_tracked_shipment_finds_it(adapter: ShopifyAdapter, shop: Shop) -> None:
    """Also what a person already typed into the store."""
    order = shop.place_order(Cart([MUG, TEA]))
    by_hand = shop.dispatch.ship(order.id, {order.lines[0].id: 1}, "A1")
    answer = await tell(adapter, shipment(order, (0, 1), parcels=parcels("A1", carrier="")))
    assert answer == Applied(str(by_hand.id))
    assert (len(made(shop)), mails(shop)) == (1, 0)


@pytest.mark.parametrize(("fault", "status"), [(Fault.NEVER_APPLIED, 0), (Fault.SERVER_ERROR, 502)])
async def test_what_was_never_applied_is_absent(adapter: ShopifyAdapter, shop: Shop, fault: Fault, status: int) -> None:
    order = shop.place_order(Cart([MUG]))
    spoil(shop, fault, status=status)
    job = shipment(order, (0, 3), parcels=parcels("A1"))
    assert isinstance(await tell(adapter, job), Doubt)
    assert (await look(adapter, job)).verdict is Verdict.ABSENT
    assert isinstance(await tell(adapter, job), Applied)
    assert len(made(shop)) == 1


async def test_a_late_create_is_found_and_not_repeated(adapter: ShopifyAdapter, shop: Shop) -> None:
    """The engine asks again after the quiet time of class E2; until then it sends nothing."""
    order = shop.place_order(Cart([MUG, TEA]))
    spoil(shop, Fault.LATE_APPLY, seconds=0.1)
    job = shipment(order, (0, 1), parcels=parcels("A1"))
    assert isinstance(await tell(adapter, job), Doubt)
    await shop.faults.settle()
    assert (await look(adapter, job)).verdict is Verdict.THIS
    assert isinstance(await tell(adapter, job), Applied)
    assert (len(made(shop)), mails(shop)) == (1, 1)


async def test_without_numbers_an_equal_earlier_shipment_is_for_a_person(adapter: ShopifyAdapter, shop: Shop) -> None:
    """One of three pieces went twice; whether the second was applied, nothing in the store tells."""
    order = shop.place_order(Cart([MUG]))
    await tell(adapter, shipment(order, (0, 1)))
    spoil(shop, Fault.NEVER_APPLIED)
    second = shipment(order, (0, 1), ref="732")
    assert isinstance(await tell(adapter, second), Doubt)
    found = await look(adapter, second)
    assert found.verdict is Verdict.FOREIGN
    assert str(order.fulfilments[0].id) in found.detail


async def test_an_update_whose_answer_was_lost(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    job = shipment(order, (0, 3), parcels=parcels("A1"))
    second = later(job, await tell(adapter, job), parcels=parcels("A2"))
    spoil(shop, Fault.LOST_REPLY, "UpdateTracking")
    assert isinstance(await tell(adapter, second), Doubt)
    assert (await look(adapter, second)).verdict is Verdict.THIS
    assert (len(made(shop)), mails(shop)) == (1, 1)


@pytest.mark.parametrize("status", [200, 429])
async def test_throttled_is_surely_not_applied(adapter: ShopifyAdapter, shop: Shop, status: int) -> None:
    order = shop.place_order(Cart([MUG]))
    (ready,) = await adapter.fulfilments.prepare([shipment(order, (0, 3))])
    assert isinstance(ready, Job)
    shop.throttled_status = status
    shop.bucket.maximum = shop.bucket.restore_per_s = 1.0
    (step,) = adapter.fulfilments.steps(ready.document)
    (answer,) = await adapter.fulfilments.send(step, [ready], Budget(_CLOCK, _CLOCK.monotonic_s() + 5))
    assert isinstance(answer, NotApplied)
    assert answer.throttled
    assert not made(shop)


async def test_a_plain_429_is_surely_not_applied(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    spoil(shop, Fault.THROTTLED, retry_after="7")
    assert await tell(adapter, shipment(order, (0, 3))) == NotApplied("HTTP 429", 7.0, throttled=True)


async def test_pieces_that_somebody_shipped_in_between_are_refused(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = shop.place_order(Cart([MUG]))
    (ready,) = await adapter.fulfilments.prepare([shipment(order, (0, 3))])
    assert isinstance(ready, Job)
    shop.dispatch.ship(order.id, {order.lines[0].id: 1})
    (step,) = adapter.fulfilments.steps(ready.document)
    (answer,) = await adapter.fulfilments.send(step, [ready], Budget(_CLOCK, _CLOCK.monotonic_s() + 5))
    refused(answer, HoldReason.DATA, "Invalid fulfillment order line item quantity")


# ---- echo --------------------------------------------------------------------------------------------------------


async def test_the_stores_news_of_our_own_fulfilment_changes_no_order(adapter: ShopifyAdapter, shop: Shop) -> None:
    """FC-065"""
    order = shop.place_order(Cart([MUG, TEA]))
    before = await adapter.read_order(str(order.id))
    shop.subscribe("http://edge.example/hooks")
    await tell(adapter, shipment(order, (0, 2), parcels=parcels("A1")))
    echo = shop.pending_deliveries()
    assert [delivery.topic for delivery in echo] == ["orders/updated"]
    heard = adapter.reading(headers("orders/updated", echo[0].body), echo[0].body)
    assert isinstance(heard, Reading)
    after = await adapter.read_order(str(order.id))
    for told in (before, heard, after):
        assert told.order is not None
    assert len({digest(told.order) for told in (before, heard, after) if told.order is not None}) == 1
