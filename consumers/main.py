"""Everything that loops, for one process: intake, relay, pollers, resyncs, backfills, gauges, each target's own."""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from consumers.backfill import Backfills, Source
from consumers.gauges import Gauges
from consumers.intake import GROUP, Intake
from consumers.pollers import Pollers
from consumers.reconciling import build_reconcile
from consumers.relay import Relay
from consumers.resyncs import Into, Resyncs
from consumers.shares import EVERY_S, Shares
from consumers.stock import StockFlow
from consumers.stock_hints import StockHints
from consumers.target import Target
from consumers.versions import VersionWatch
from consumers.walks import Pace, Trail, Walks, order_trails
from consumers.watch import Watch
from tallystick.engine import Reread
from tallystick.identity import bind_identities
from tallystick.installation import Installation
from tallystick.intake.admission import Admission
from tallystick.intake.delivery import Waits, to_waiting, wish
from tallystick.intake.door import Door
from tallystick.intake.pauses import Pauses
from tallystick.intake.rereads import Rereads
from tallystick.kafka.consumer import Consumer, Times
from tallystick.kafka.topics import INTAKE
from tallystick.ledger.cursors import Cursors
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import PendingDeliveries, PendingReason
from tallystick.ledger.quota import Quota
from tallystick.ledger.watched import Watched
from tallystick.pacing import Paced
from tallystick.ports import Identified
from tallystick.prices.ports import PriceSource
from tallystick.settings import FlowName, Mode
from tallystick.start import Ground, ground
from tallystick.v1 import event_pb2

#: However fast time runs: a lease is five of these, and a busy machine may be silent for a second.
SHARED_EVERY_LEAST_S = 0.5
Loop = Callable[[asyncio.Event], Coroutine[None, None, None]]


async def work(installation: Installation, stop: asyncio.Event, started: Callable[[], None] | None = None) -> None:
    """Until `stop` is set; then what is in hand is finished or given back. `started` is called once all loops run.

    Raises `SetupError` before it begins when something cannot work as it stands.
    """
    async with ground(installation) as base:
        used = _used(installation)
        await bind_identities(base.pool, installation.settings.connections, used)
        shares = _shares(installation, base, used)
        # Before the first request of a loop: others may be using the whole quota.
        await shares.turn()
        async with asyncio.TaskGroup() as tasks:
            for loop in (shares.run, *_loops(installation, base)):
                tasks.create_task(loop(stop))
            if started is not None:
                started()


def _used(installation: Installation) -> dict[str, Identified]:
    """Adapters of routes that are not off: only these have to answer once."""
    return {name: installation.adapters[name] for name in (*installation.stores, *installation.targets)}


def _shares(installation: Installation, base: Ground, used: Mapping[str, Identified]) -> Shares:
    pacers = {name: adapter.pacer for name, adapter in used.items() if isinstance(adapter, Paced)}
    every_s = max(SHARED_EVERY_LEAST_S, EVERY_S * installation.settings.work.time_scale)
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    return Shares(Quota(base.pool, owner), pacers, installation.clock, installation.metrics, every_s=every_s)


def _loops(installation: Installation, base: Ground) -> Iterator[Loop]:
    settings, clock, metrics = installation.settings, installation.clock, installation.metrics
    stores, scale = installation.stores, settings.work.time_scale
    objects, pending = Objects(base.pool), PendingDeliveries(base.pool)
    door = Door(objects, base.producer, metrics)
    orders = order_trails(stores, _first_looks(installation), objects, clock)
    stock = StockFlow(installation, base.pool, door)
    rereads = Rereads(objects, door, stores, clock, pauses=Pauses(clock, scale))
    hints = StockHints(installation.stock_hooks, stock.stocks)
    admission = Admission(door, rereads, stores, hints, installation.customer_stores)
    yield _intake(installation, base, admission, pending)
    yield Relay(
        tuple(stores),
        pending,
        objects,
        admission,
        rereads,
        base.producer,
        clock,
        hints=tuple(installation.stock_hooks),
        metrics=metrics,
        every_s=settings.work.sweep_every_s,
        scale=scale,
    ).run
    pollers = Pollers(
        orders,
        Cursors(base.pool),
        objects,
        door,
        pending,
        clock,
        beside=[*_trails(installation), *stock.trails()],
        pace=Pace(every_s=settings.work.poll_every_s),
        unclean=installation.unclean,
        metrics=metrics,
    )
    yield _cut_short(pollers.run)
    yield _cut_short(Watch(stores, pollers, Watched(base.pool), clock, metrics).run)
    reread = _reread(installation, pending)
    targets = [Target(installation, base.pool, base.producer, name, reread) for name in installation.targets]
    for target in targets:
        yield target.run
    walks = Walks(Cursors(base.pool), objects, door, pending, clock, Pace())
    by_name = dict(zip(installation.targets, targets, strict=True))
    yield from map(_cut_short, stock.loops(walks, orders, by_name))
    yield Gauges(installation, base.pool).run
    into = [Into(target.engine.ledger, target.router) for target in targets]
    yield Resyncs(base.pool, rereads, door, into, clock, every_s=settings.work.sweep_every_s, scale=scale).run
    yield _cut_short(build_reconcile(installation, base.pool, door, rereads, targets).run)
    sources = {name: Source(store, installation.targets_of(name)) for name, store in stores.items()}
    every_s = settings.work.sweep_every_s
    backfills = Backfills(base.pool, sources, objects, door, pending, clock, every_s=every_s, scale=scale)
    yield _cut_short(backfills.run)
    yield VersionWatch(_used(installation), clock, metrics).run


def _cut_short(loop: Loop) -> Loop:
    """Ends at once when it is time: a walk that is cut anywhere is taken up again from its cursor."""

    async def run(stop: asyncio.Event) -> None:
        walking = asyncio.ensure_future(loop(stop))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({walking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            walking.cancel()
            stopping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await walking

    return run


def _intake(installation: Installation, base: Ground, admission: Admission, pending: PendingDeliveries) -> Loop:
    settings, metrics = installation.settings, installation.metrics

    async def run(stop: asyncio.Event) -> None:
        times = Times().scaled(settings.work.time_scale)
        kafka, prefix = installation.addresses.kafka, settings.kafka.prefix
        consumer = Consumer(kafka, GROUP, [INTAKE], prefix=prefix, times=times, metrics=metrics)
        async with consumer:
            intake = Intake(consumer, base.producer, admission, pending, metrics=metrics, batch=settings.work.batch)
            await intake.run(stop)

    return run


def _trails(installation: Installation) -> list[Trail]:
    """What is polled beside the orders of the stores: their customers, and what ERPs tell."""
    shipping, adapters = installation.sources(FlowName.FULFILMENTS), installation.adapters
    trails = [
        Trail(name, FlowName.FULFILMENTS, erp.changed_fulfilments, erp.overlap_s, since)
        for name, since in shipping.items()
        for erp in (adapters[name],)
    ]
    trails += [_price_trail(installation, name, lists) for name, lists in installation.price_lists.items()]
    return trails + [
        Trail(name, FlowName.CUSTOMERS, store.changed_customers, store.overlap_s, since, rare=store.lists_all_customers)
        for name, since in installation.customer_stores.items()
        for store in (adapters[name],)
    ]


def _price_trail(installation: Installation, name: str, lists: Sequence[str]) -> Trail:
    """All prices are read at first and now and then, so that only the last hours are asked for changes."""
    erp: PriceSource = installation.adapters[name]
    changed, whole = partial(erp.changed_prices, lists), partial(erp.all_prices, lists)
    return Trail(name, FlowName.PRICES, changed, erp.overlap_s, installation.clock.now(), whole=whole)


def _first_looks(installation: Installation) -> dict[str, datetime]:
    """Where the first poll of each store begins: the earliest start of its routes."""
    first: dict[str, datetime] = {}
    for route in installation.settings.routes:
        if route.mode is not Mode.OFF:
            first[route.store] = min(first.get(route.store, route.since), route.since).astimezone(UTC)
    return first


def _reread(installation: Installation, pending: PendingDeliveries) -> Reread:
    """The engine's wish to see an order again, taken up by the relay."""

    async def reread(connection: str, order_id: str) -> None:
        wished = wish(connection, order_id, event_pb2.ORIGIN_RELAY, installation.clock.now())
        await pending.put([to_waiting(wished, Waits(PendingReason.READ_LATER, "before its document is made"))])

    return reread
