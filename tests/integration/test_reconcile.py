"""What neither a delivery nor a poll tells is found by reconciliation, on real Kafka and Postgres, over the doubles."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from consumers.reconcile import Reconcile
from simulators.faults import Fault, Rule
from simulators.shopify import Cart
from tallystick.ledger.ledger import Ledger
from tallystick.reconcile.findings import COMPARED
from tallystick.reconcile.ports import PartlyShown
from tallystick.reconcile.runs import Run, Runs
from tallystick.reconcile.source import Sources
from tallystick.reconcile.walk import Side as Shared
from tallystick.reconcile.walk import SourceWalk
from tallystick.settings import ReconcileSettings
from tallystick.stack import Stack
from tallystick.v1 import event_pb2
from tests.integration.intake_help import Side, mugs, open_side
from tests.unit.adapters.shopify.shops import MUG

HOUR_S = 3600.0


@dataclass
class Passes:
    """The passes of one process over its stores, made when the test wants them."""

    side: Side
    reconcile: Reconcile = field(init=False)
    runs: Runs = field(init=False)

    def __post_init__(self) -> None:
        side = self.side
        shared = Shared(Sources(side.pool), side.objects, side.door, side.pending, side.rereads, side.time)
        since = side.time.now() - timedelta(days=60)
        self.runs = Runs(side.pool)
        self.reconcile = Reconcile(
            side.pool,
            [
                SourceWalk(
                    shared,
                    name,
                    "orders",
                    "order",
                    store.changed_orders,
                    since,
                    hides=store if isinstance(store, PartlyShown) else None,
                )
                for name, store in self._stores
            ],
            [],
            side.time,
            side.metrics,
            ReconcileSettings(pause_s=0),
            scale=0.001,
        )

    @property
    def _stores(self) -> list[tuple[str, Any]]:
        return sorted(self.side.stores.items())

    async def make(self) -> dict[tuple[str, str], int]:
        """Poll first, as it runs; an hour later everything is compared once. Answers what all passes found."""
        pollers = self.side.pollers()
        for name in self.side.stores:
            await pollers.turn(name)
        self.side.time.forward(2 * HOUR_S)
        for name in self.side.stores:
            await pollers.turn(name)
        await self.side.pool.fetch("UPDATE reconcile_run SET started_at = started_at - interval '2 days'")
        first = max([run.id for run in await self.newest(1)], default=0)
        await self.reconcile.schedule()
        while await self.reconcile.turn():
            pass
        found: dict[tuple[str, str], int] = {}
        for run in await self.newest(100):
            if run.id > first:
                assert run.finished_at is not None
                for what, number in run.tallies.items():
                    found[what] = found.get(what, 0) + number
        return {what: number for what, number in found.items() if what[1] != COMPARED}

    async def newest(self, number: int) -> list[Run]:
        return await self.runs.page("", number)


@pytest.fixture
async def side(stack: Stack, database: str, topic_prefix: str) -> AsyncIterator[Side]:
    async with open_side(stack, database, topic_prefix) as side:
        yield side


async def test_where_nothing_differs_nothing_enters(side: Side) -> None:
    async with side.woocommerce() as woo, side.shopify() as shop:
        for _ in range(3):
            woo.place_order(mugs())
            shop.place_order(Cart([MUG]))
        assert await Passes(side).make() == {}
        assert len(await side.events()) == 6
        runs = await Passes(side).newest(10)
        assert [run.problem for run in runs] == [""] * 4
        assert {run.tallies["orders", "compared"] for run in runs} == {3}


async def test_an_edit_that_moves_no_date_is_found_by_its_content(side: Side) -> None:
    """FC-117: on the old order storage a line is edited weeks after the sale, and its delivery is lost."""
    async with side.woocommerce(legacy_lookback_h=0) as woo:
        woo.settings.hpos = False
        order = woo.place_order(mugs())
        assert await Passes(side).make() == {}
        side.time.forward(20 * 24 * HOUR_S)
        dated = order.modified
        woo.set_quantity(order.id, 0, 4)
        assert order.modified == dated
        for owed in woo.pending_deliveries():
            woo.outbox.drop(owed)
        assert await Passes(side).make() == {("orders", "differing"): 1}
        events = await side.events(order.id)
    assert [(event.revision, event.order.lines[0].quantity.ordered) for event in events] == [(1, "1"), (2, "4")]
    assert events[-1].origin == event_pb2.ORIGIN_RECONCILE


async def test_what_is_deleted_for_good_or_restored_is_noticed(side: Side) -> None:
    """FC-118: no webhook tells of either; the order that is no longer shown is asked for by its id."""
    async with side.woocommerce() as woo:
        order, other = woo.place_order(mugs()), woo.place_order(mugs())
        await Passes(side).make()
        kept = woo.orders.pop(order.id)
        passes = Passes(side)
        assert await passes.make() == {("orders", "gone"): 1}
        assert [(event.revision, event.gone) for event in await side.events(order.id)] == [(1, False), (2, True)]
        told = [await passes.runs.get(run.id) for run in await passes.newest(2)]
        assert [one.name for run in told if run is not None for one in run.findings] == [f"woo/{order.id}"]
        woo.orders[order.id] = kept
        assert await Passes(side).make() == {("orders", "returned"): 1}
        assert [event.gone for event in await side.events(order.id)] == [False, True, False]
        assert len(await side.events(other.id)) == 1


async def test_an_app_that_may_not_see_old_orders_takes_none_for_gone(side: Side) -> None:
    """Shopify shows orders of sixty days only, unless the app was granted `read_all_orders`."""
    async with side.shopify() as shop:
        order = shop.place_order(Cart([MUG]))
        await Passes(side).make()
        hidden = shop.orders.pop(order.id)
        shop.scopes = ("read_orders", "read_customers", "read_returns")
        assert await Passes(side).make() == {}
        shop.scopes = (*shop.scopes, "read_all_orders")
        assert await Passes(side).make() == {("orders", "gone"): 1}
        assert hidden.id == order.id


async def test_a_refund_that_was_deleted_is_found_although_no_date_moves(side: Side) -> None:
    """FC-119: only the order's list of refunds is shorter; the refund enters as gone, with both figures."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs(3))
        refund = woo.refund(order.id, back={order.lines[0].id: 1})
        woo.refund(order.id, amount=Decimal("5.00"))
        await Passes(side).make()
        woo.delete_refund(order.id, refund.id)
        found = await Passes(side).make()
        assert found["refunds", "gone"] == 1
        [event] = [event for event in await side.events(refund.id) if event.gone]
    assert (event.type, event.refund.order_id) == (event_pb2.ENTITY_TYPE_REFUND, str(order.id))
    assert "now shows refunds of 5.00 EUR" in event.findings[0].detail


async def test_what_the_ledger_lost_enters_again(side: Side) -> None:
    """A database that was set back knows less than the store: what is missing enters by the one door."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        await Passes(side).make()
        await side.pool.fetch("DELETE FROM source_object WHERE id = $1", str(order.id))
        assert await Passes(side).make() == {("orders", "missing"): 1}
        assert await side.revisions(order.id) == [1, 1]


async def test_a_store_that_is_away_is_waited_for(side: Side) -> None:
    """A pass keeps its place while the store answers nothing, and goes on where it stood."""
    async with side.woocommerce() as woo:
        order = woo.place_order(mugs())
        await Passes(side).make()
        side.time.forward(24 * HOUR_S)
        passes = Passes(side)
        await side.pool.fetch("UPDATE reconcile_run SET started_at = started_at - interval '2 days'")
        await passes.reconcile.schedule()
        down = True
        woo.faults.rules = [Rule(Fault.SERVER_ERROR, "GET /orders", while_true=lambda: down)]
        assert await passes.reconcile.turn()
        [run, *_] = [run for run in await passes.newest(5) if run.finished_at is None and run.waits]
        assert run.position == run.span_start
        down = False
        await side.pool.fetch("UPDATE reconcile_run SET due_at = clock_timestamp() WHERE finished_at IS NULL")
        while await passes.reconcile.turn():
            pass
        done = await passes.runs.get(run.id)
    assert done is not None
    assert (done.share, done.waits, done.problem) == (1.0, "", "")
    assert await side.revisions(order.id) == [1]
    labels = {"flow": "orders", "connection": "woo"}
    assert side.metrics.registry.get_sample_value("tallystick_reconcile_mismatches", labels) == 0
    assert side.metrics.registry.get_sample_value("tallystick_reconcile_last_success_timestamp_seconds", labels)


class Crowded:
    """The ledger of a target that has much to do."""

    busy = True

    async def unfinished(self, limit: int) -> int:
        return limit if self.busy else 0


async def test_live_traffic_goes_first(side: Side) -> None:
    """While a target has much to do no window is compared, and no try is counted."""
    async with side.woocommerce() as woo:
        woo.place_order(mugs())
        await Passes(side).make()
        side.time.forward(24 * HOUR_S)
        passes, crowd = Passes(side), Crowded()
        passes.reconcile._ledgers = [cast(Ledger, crowd)]
        await side.pool.fetch("UPDATE reconcile_run SET started_at = started_at - interval '2 days'")
        await passes.reconcile.schedule()
        assert await passes.reconcile.turn()
        waiting = [run for run in await passes.newest(5) if run.finished_at is None]
        assert {run.share for run in waiting} == {0.0}
        crowd.busy = False
        await side.pool.fetch("UPDATE reconcile_run SET due_at = clock_timestamp() WHERE finished_at IS NULL")
        while await passes.reconcile.turn():
            pass
        assert [run.share for run in await passes.newest(5) if run.finished_at is None] == []
