"""Reading orders again: bounded in number and time, numbered before they are sent, repeated while they are stale."""

import asyncio
import copy
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, Self

import structlog

from tallystick.canonical.entities import entity_name
from tallystick.clock import Clock
from tallystick.customers.ports import CustomerSource
from tallystick.errors import Unauthorised, Unavailable, Unreadable
from tallystick.intake.delivery import Dealt, Waits
from tallystick.intake.door import Arrival, Entered
from tallystick.intake.pauses import Pauses
from tallystick.ledger.objects import ObjectKey, Objects
from tallystick.ledger.pending import PendingReason
from tallystick.ports import OrderSource, Reading
from tallystick.v1 import event_pb2

log = structlog.get_logger(__name__)

_STALE_AGAIN_S = 0.1
_PARSER_AGAIN_S = 60.0
_TOO_LARGE_AGAIN_S = 3600.0


@dataclass(frozen=True, slots=True)
class Wish:
    """An order, or a customer, that is to be read. `received_at` is when its change was first heard of."""

    connection: str
    object_id: str
    origin: event_pb2.Origin.ValueType
    received_at: datetime
    traceparent: bytes | None = None
    #: Take what is read even if its date is older than the stored one.
    insist: bool = False
    times: int = 1
    type: event_pb2.EntityType.ValueType = event_pb2.ENTITY_TYPE_ORDER

    @property
    def key(self) -> ObjectKey:
        """The object that is meant: an order and a customer may have the same id."""
        return ObjectKey(self.connection, entity_name(self.type), self.object_id)


class Entrance(Protocol):
    """Where readings come in; as `tallystick.intake.door.Door`."""

    async def enter(self, arrivals: Sequence[Arrival]) -> list[Entered]:
        """Accept and publish; parallel to `arrivals`."""
        ...


class Rereads:
    """Reads of all stores of this process; `parallel` requests at a time to each."""

    def __init__(
        self,
        objects: Objects,
        door: Entrance,
        stores: Mapping[str, OrderSource],
        clock: Clock,
        *,
        pauses: Pauses | None = None,
        parallel: int = 4,
    ) -> None:
        self._objects = objects
        self._door = door
        self._stores = stores
        self._clock = clock
        self._pauses = pauses or Pauses(clock)
        self._slots = {connection: asyncio.Semaphore(parallel) for connection in stores}

    @property
    def connections(self) -> Collection[str]:
        """The stores that can be read."""
        return self._stores.keys()

    def through(self, door: Entrance) -> Self:
        """The same reads, with the same bounds and pauses, let in elsewhere."""
        other = copy.copy(self)
        other._door = door
        return other

    async def read(self, wishes: Sequence[Wish], within_s: float) -> list[Dealt | Waits]:
        """Read each object, and let it in by the door; parallel to `wishes`, in which each object stands once.

        What is not read within the time says `READ_LATER`. Raises what the door raises.
        """
        by_connection: dict[str, list[int]] = defaultdict(list)
        for index, wished in enumerate(wishes):
            by_connection[wished.connection].append(index)
        answers: list[Dealt | Waits] = [Dealt()] * len(wishes)
        ends_at_s = self._clock.monotonic_s() + within_s
        stores = [self._of_store([wishes[i] for i in indices], ends_at_s) for indices in by_connection.values()]
        for indices, own in zip(by_connection.values(), await asyncio.gather(*stores), strict=True):
            for index, answer in zip(indices, own, strict=True):
                answers[index] = answer
        return answers

    async def _of_store(self, wishes: Sequence[Wish], ends_at_s: float) -> list[Dealt | Waits]:
        """Rounds: read, let in, and again for those that turned out stale."""
        answers: dict[ObjectKey, Dealt | Waits] = {}
        left, again_in_s = list(wishes), _STALE_AGAIN_S
        while left:
            read = await self._round(left, ends_at_s)
            answers |= {key: got for key, got in read.items() if isinstance(got, Waits)}
            arrived = [got for got in read.values() if isinstance(got, Arrival)]
            stale = await self._let_in(arrived, answers)
            left = [wished for wished in left if wished.key in stale]
            if left and self._clock.monotonic_s() + again_in_s >= ends_at_s:
                break
            if left:
                await asyncio.sleep(again_in_s)
                again_in_s *= 2
        late = Waits(PendingReason.STALE_READ, "what was read is older than what is known", 1.0)
        return [answers.get(wished.key, late) for wished in wishes]

    async def _let_in(self, arrived: Sequence[Arrival], answers: dict[ObjectKey, Dealt | Waits]) -> set[ObjectKey]:
        """Those that have to be read again; what became of the others is put into `answers`."""
        stale = set()
        for arrival, entered in zip(arrived, await self._door.enter(arrived), strict=True):
            if entered.too_large:
                answers[arrival.key] = Waits(PendingReason.TOO_LARGE, "", _TOO_LARGE_AGAIN_S)
            elif entered.read_again:
                stale.add(arrival.key)
            else:
                answers[arrival.key] = Dealt("accepted" if entered.published else "duplicate")
        return stale

    async def _round(self, wishes: Sequence[Wish], ends_at_s: float) -> dict[ObjectKey, Arrival | Waits]:
        tasks = {asyncio.create_task(self._one(wished)): wished for wished in wishes}
        try:
            await asyncio.wait(tasks, timeout=max(0.0, ends_at_s - self._clock.monotonic_s()))
        finally:
            for task in tasks:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        read = {wished.key: task.result() for task, wished in tasks.items() if not task.cancelled()}
        if read:
            later = Waits(PendingReason.READ_LATER)
        else:
            # Not one answer in all the time: it hangs, and the next batch is not to wait for it again.
            later = self._pauses.strike(wishes[0].connection, Unavailable("the store did not answer in time"))
        return {wished.key: read.get(wished.key, later) for wished in wishes}

    async def _one(self, wished: Wish) -> Arrival | Waits:
        async with self._slots[wished.connection]:
            paused = self._pauses.waits(wished.connection)
            if paused is not None:
                return paused
            [started] = await self._objects.draw()
            try:
                reading = await _read(self._stores[wished.connection], wished)
            except (Unavailable, Unauthorised) as error:
                return self._pauses.strike(wished.connection, error)
            except Unreadable as error:
                return Waits(PendingReason.PARSER, str(error), _PARSER_AGAIN_S)
            except Exception as error:
                log.exception("what was read cannot be translated", connection=wished.connection)
                return Waits(PendingReason.PARSER, type(error).__name__, _PARSER_AGAIN_S)
        self._pauses.clear(wished.connection)
        return _arrival(wished, reading, started)


async def _read(store: OrderSource, wished: Wish) -> Reading:
    if wished.type == event_pb2.ENTITY_TYPE_ORDER:
        return await store.read_order(wished.object_id)
    if wished.type == event_pb2.ENTITY_TYPE_CUSTOMER and isinstance(store, CustomerSource):
        return await store.read_customer(wished.object_id)
    raise Unreadable(f"this store offers no read of a {entity_name(wished.type)}")


def _arrival(wished: Wish, reading: Reading, started: int) -> Arrival:
    return Arrival(
        wished.connection,
        # The answer is about what was asked, in the words in which it was asked.
        replace(reading, object_id=wished.object_id),
        wished.origin,
        wished.received_at,
        started,
        wished.traceparent,
        wished.insist,
        wished.times,
    )
