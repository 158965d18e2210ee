"""The parts of the flow of stock, each as all that a process runs: so whoever dies was at what the point is about."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterator

from consumers.main import _first_looks
from consumers.stock import StockFlow
from consumers.stock_orders import OrdersKnown
from consumers.target import Target
from consumers.walks import Pace, Walks, order_trails
from tallystick.installation import Installation
from tallystick.intake.door import Door
from tallystick.kafka.consumer import Consumer
from tallystick.kafka.topics import ORDERS
from tallystick.ledger.cursors import Cursors
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import PendingDeliveries
from tallystick.settings import FlowName
from tallystick.start import Ground

Loop = Callable[[asyncio.Event], Coroutine[None, None, None]]


def desks(installation: Installation, base: Ground) -> Iterator[Loop]:
    """The desk of each store with its engine; the ends of the orders are read without being a member of the books."""
    flow, walks = _flow(installation, base), _walks(installation, base)
    orders = order_trails(installation.stores, _first_looks(installation), Objects(base.pool), installation.clock)
    prefix = installation.settings.kafka.prefix
    reader = Consumer(installation.addresses.kafka, f"ends-{uuid.uuid4().hex}", [ORDERS], prefix=prefix)
    desks = []
    for erp in installation.sources(FlowName.STOCK):
        taking = flow._reserving(erp, orders)
        known = OrdersKnown(taking, walks, lambda: reader.ends(ORDERS), flow.stocks, installation.clock)
        for name in installation.stores:
            store = Target(installation, base.pool, base.producer, name, reread=None)
            yield store.run
            desks.append(flow._desk(name, erp, known, store))

    async def run(stop: asyncio.Event) -> None:
        async with reader, asyncio.TaskGroup() as tasks:
            for desk in desks:
                tasks.create_task(desk.run(stop))

    yield run


def books(installation: Installation, base: Ground) -> Iterator[Loop]:
    """A member of the books' group."""
    yield _flow(installation, base)._books().run


def reads(installation: Installation, base: Ground) -> Iterator[Loop]:
    """What reads the ERP anew."""
    flow = _flow(installation, base)
    yield from (flow._reads(erp).run for erp in installation.sources(FlowName.STOCK))


def _flow(installation: Installation, base: Ground) -> StockFlow:
    return StockFlow(installation, base.pool, Door(Objects(base.pool), base.producer))


def _walks(installation: Installation, base: Ground) -> Walks:
    objects = Objects(base.pool)
    door, pending = Door(objects, base.producer), PendingDeliveries(base.pool)
    return Walks(Cursors(base.pool), objects, door, pending, installation.clock, Pace())
