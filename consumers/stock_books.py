"""The books of stock: levels and orders from Kafka become rows of levels and reservations.

A consumer group of its own, which no slow ERP holds up: what is sold is reserved although the ERP's workers wait. With
each batch it notes how far it has read the orders, in the same transaction, so that a desk can tell what is covered.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC
from decimal import Decimal

import structlog

from tallystick.away import persist
from tallystick.canonical.keys import order_key
from tallystick.canonical.quantities import parse_quantity
from tallystick.canonical.times import to_datetime
from tallystick.contract.compile import Contract
from tallystick.crashpoints import reach
from tallystick.errors import Unavailable, Unreadable
from tallystick.kafka.codec import decode
from tallystick.kafka.consumer import Batch, Consumer, Record
from tallystick.kafka.topics import ORDERS
from tallystick.ledger.stock import Goods, Level, Stocks
from tallystick.settings import Route
from tallystick.v1 import event_pb2

log = structlog.get_logger(__name__)

GROUP = "tallystick-stock"
_POLL_S = 0.5


class StockBooks:
    """One member of the group; serves the given routes, whose orders take goods of an ERP."""

    def __init__(
        self, consumer: Consumer, stocks: Stocks, routes: Mapping[Route, Contract], *, batch: int = 500
    ) -> None:
        self._consumer = consumer
        self._stocks = stocks
        self._routes: dict[str, list[tuple[Route, Contract]]] = {}
        for route, contract in routes.items():
            self._routes.setdefault(route.store, []).append((route, contract))
        self._batch = batch
        self._started = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        async with self._consumer:
            self._started = True
            while not stop.is_set():
                batch = await persist(self._poll, stop, "stock: poll")
                if batch:
                    await self._take_in(batch, stop)

    async def _take_in(self, batch: Batch, stop: asyncio.Event) -> None:
        if await persist(lambda: self._record(batch), stop, "stock: record"):
            await self._consumer.commit(batch)

    async def ends(self) -> dict[str, int]:
        """Up to where the orders reach on Kafka now. Raises `Unavailable`."""
        if not self._started:
            raise Unavailable("the books of stock are not open yet")
        return await self._consumer.ends(ORDERS)

    async def _poll(self) -> Batch:
        return await self._consumer.poll(self._batch, wait_s=_POLL_S)

    async def _record(self, batch: Batch) -> bool:
        events = [event for event in map(_event, batch.records) if event is not None]
        levels = [_level(event) for event in events if event.HasField("inventory_level")]
        goods = [held for event in events if event.type == event_pb2.ENTITY_TYPE_ORDER for held in self._goods(event)]
        await self._stocks.record(levels, goods, self._positions(batch))
        reach("books.recorded")
        return True

    def _positions(self, batch: Batch) -> dict[str, int]:
        orders = self._consumer.name_of(ORDERS)
        return {f"{at.topic}/{at.partition}": end for at, end in batch.offsets.items() if at.topic == orders}

    def _goods(self, event: event_pb2.Event) -> Sequence[Goods]:
        return [_held(event, route, contract) for route, contract in self._routes.get(event.connection, ())]


def _event(record: Record) -> event_pb2.Event | None:
    """None for what the target's worker sets aside."""
    try:
        return decode(record)
    except Unreadable:
        return None


def _held(event: event_pb2.Event, route: Route, contract: Contract) -> Goods:
    lane = order_key(event.connection, event.object_id)
    try:
        lines = () if event.gone else tuple(contract.reserved(event.order, route.since, route.only))
    except Exception as error:
        # It is held in the ERP's lane, where a person sees it.
        log.warning("an order's goods cannot be read", order=lane, kind=type(error).__name__)
        lines = ()
    return Goods(route.erp, lane, event.revision, lines)


def _level(event: event_pb2.Event) -> Level:
    level = event.inventory_level
    return Level(
        event.connection,
        level.sku,
        level.warehouse_id,
        _number(level.available),
        _number(level.on_hand),
        level.read_seq,
        to_datetime(level.read_at).astimezone(UTC),
    )


def _number(text: str) -> Decimal:
    try:
        return parse_quantity(text)
    except Unreadable:
        return Decimal(0)
