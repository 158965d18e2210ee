"""From deliveries to revisions, a batch at a time: parse, coalesce, accept what is usable, read the rest again.

Whatever is decided, each delivery gets an outcome, and the caller keeps those that wait: nothing is dropped here.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from tallystick.away import AWAY
from tallystick.canonical.entities import entity_name, entity_type
from tallystick.errors import Unreadable
from tallystick.intake.delivery import Dealt, Delivery, Outcome, Undecodable, Waits
from tallystick.intake.door import Arrival, Door, content_hash, to_event
from tallystick.intake.rereads import Rereads, Wish
from tallystick.ledger.objects import ObjectKey
from tallystick.ledger.pending import PendingReason
from tallystick.ports import NeedsRead, NotOurs, OrderSource, Reading, WebhookSource
from tallystick.v1 import event_pb2

log = structlog.get_logger(__name__)

_PARSER_AGAIN_S = 60.0
_TOO_LARGE_AGAIN_S = 3600.0
#: A read older than what is known, this often over minutes, is no lagging replica: the store was set back.
_INSIST_AFTER = 6
_ID_MAX = 200


class Store(WebhookSource, OrderSource, Protocol):
    """What intake needs of a store's adapter."""


class Beside(Protocol):
    """Deals with deliveries of connections that are no stores."""

    @property
    def connections(self) -> Collection[str]:
        """Whose deliveries it deals with."""
        ...

    async def deal(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """What became of each. Raises one of `AWAY`."""
        ...


@dataclass(slots=True)
class _Group:
    """Everything in the batch about one object."""

    key: ObjectKey
    indices: list[int] = field(default_factory=list)
    first: Delivery | None = None
    body: Reading | None = None
    read: bool = False
    insist: bool = False
    outcome: Outcome = field(default_factory=Dealt)

    def add(self, index: int, delivery: Delivery) -> None:
        self.indices.append(index)
        if self.first is None or delivery.received_at < self.first.received_at:
            self.first = delivery
        self.insist |= delivery.attempts >= _INSIST_AFTER

    def offer(self, body: Reading) -> None:
        """Keep the newest body. Of two with one date and differing content neither is surely the newer."""
        if self.body is None:
            self.body = body
        elif body.source_modified is None or self.body.source_modified is None:
            self.read = True
        elif body.source_modified > self.body.source_modified:
            self.body = body
        elif body.source_modified == self.body.source_modified and not _same(self.key.connection, body, self.body):
            self.read = True

    def report(self, outcomes: list[Outcome]) -> None:
        """One delivery stands for all of the object: if it waits, the others need not."""
        for index in self.indices:
            outcomes[index] = Dealt("duplicate") if isinstance(self.outcome, Waits) else self.outcome
        outcomes[self.indices[0]] = self.outcome


def _same(connection: str, one: Reading, other: Reading) -> bool:
    return content_hash(to_event(connection, one)) == content_hash(to_event(connection, other))


class Admission:
    """Shared by intake and relay of one process. `customers` are the stores whose customers are carried too."""

    def __init__(
        self,
        door: Door,
        rereads: Rereads,
        stores: Mapping[str, Store],
        beside: Beside | None = None,
        customers: Collection[str] = (),
    ) -> None:
        self._door = door
        self._rereads = rereads
        self._stores = stores
        self._beside = beside
        self._customers = frozenset(customers)

    async def admit(self, deliveries: Sequence[Delivery], within_s: float) -> list[Outcome]:
        """What became of each; parallel to `deliveries`. Reads that do not fit into `within_s` wait.

        Raises one of `AWAY` when Kafka or Postgres is: then all may be offered again, which is harmless. A delivery
        on which our own code fails is found by halving, waits as PARSER, and holds nobody up.
        """
        try:
            return await self._admit(deliveries, within_s)
        except AWAY:
            raise
        except Exception as error:
            if len(deliveries) == 1:
                log.exception("a delivery cannot be dealt with", connection=deliveries[0].connection)
                return [Waits(PendingReason.PARSER, type(error).__name__, _PARSER_AGAIN_S)]
            half = len(deliveries) // 2
            first = await self.admit(deliveries[:half], within_s)
            return first + await self.admit(deliveries[half:], within_s)

    async def _admit(self, deliveries: Sequence[Delivery], within_s: float) -> list[Outcome]:
        beside = self._beside
        if beside is None or not any(delivery.connection in beside.connections for delivery in deliveries):
            return await self._of_stores(deliveries, within_s)
        others = [at for at, delivery in enumerate(deliveries) if delivery.connection in beside.connections]
        stores = [at for at, delivery in enumerate(deliveries) if delivery.connection not in beside.connections]
        dealt = await beside.deal([deliveries[at] for at in others])
        admitted = await self._of_stores([deliveries[at] for at in stores], within_s)
        by_place = dict(zip((*others, *stores), (*dealt, *admitted), strict=True))
        return [by_place[at] for at in range(len(deliveries))]

    async def _of_stores(self, deliveries: Sequence[Delivery], within_s: float) -> list[Outcome]:
        outcomes: list[Outcome] = [Dealt()] * len(deliveries)
        groups = await self._parse(deliveries, outcomes)
        await self._accept_bodies([group for group in groups if group.body is not None])
        await self._read([group for group in groups if group.read], within_s)
        for group in groups:
            group.report(outcomes)
        return outcomes

    # ---- parse and coalesce ----------------------------------------------------------------------------------------

    async def _parse(self, deliveries: Sequence[Delivery], outcomes: list[Outcome]) -> list[_Group]:
        groups: dict[ObjectKey, _Group] = {}
        for index, delivery in enumerate(deliveries):
            found = self._found(delivery)
            if isinstance(found, Reading | NeedsRead):
                key = ObjectKey(delivery.connection, entity_name(found.type), found.object_id)
                group = groups.setdefault(key, _Group(key))
                group.add(index, delivery)
                if isinstance(found, Reading):
                    group.offer(found)
                else:
                    group.read = True
            else:
                outcomes[index] = found
            if index % 50 == 49:
                await asyncio.sleep(0)
        return list(groups.values())

    def _found(self, delivery: Delivery) -> Reading | NeedsRead | Outcome:
        store = self._stores.get(delivery.connection)
        if store is None:
            return Waits(PendingReason.UNKNOWN_CONNECTION, "no such connection is configured", _PARSER_AGAIN_S)
        if delivery.wanted is not None:
            return delivery.wanted
        try:
            found = store.reading(delivery.headers, delivery.raw)
        except (Unreadable, RecursionError) as error:
            return Undecodable(str(error) if isinstance(error, Unreadable) else "it is nested too deeply")
        except Exception as error:
            log.exception("a delivery cannot be translated", connection=delivery.connection)
            return Waits(PendingReason.PARSER, type(error).__name__, _PARSER_AGAIN_S)
        if isinstance(found, NotOurs) and found.tell:
            log.warning("a delivery that no flow carries", connection=delivery.connection, why=found.why)
        return self._carried(delivery.connection, found)

    def _carried(self, connection: str, found: Reading | NeedsRead | NotOurs) -> Reading | NeedsRead | Outcome:
        """Orders, and customers where a route carries them; only what a key and a row can hold is an id."""
        customer = not isinstance(found, NotOurs) and found.type == event_pb2.ENTITY_TYPE_CUSTOMER
        if isinstance(found, NotOurs) or (customer and connection not in self._customers):
            return Dealt("not ours")
        if not customer and found.type != event_pb2.ENTITY_TYPE_ORDER:
            return Dealt("not ours")
        if not 0 < len(found.object_id) <= _ID_MAX or not found.object_id.isprintable():
            return Undecodable("the object's id is empty, too long or not printable")
        return found

    # ---- accept and read -------------------------------------------------------------------------------------------

    async def _accept_bodies(self, groups: Sequence[_Group]) -> None:
        for group, entered in zip(groups, await self._door.enter([_arrival(g) for g in groups]), strict=True):
            group.read |= entered.read_again
            if entered.too_large:
                group.outcome = Waits(PendingReason.TOO_LARGE, "", _TOO_LARGE_AGAIN_S)
            elif not entered.published:
                group.outcome = Dealt("duplicate")

    async def _read(self, groups: Sequence[_Group], within_s: float) -> None:
        wishes = [_wish(group) for group in groups]
        for group, answer in zip(groups, await self._rereads.read(wishes, within_s), strict=True):
            group.outcome = answer


def _arrival(group: _Group) -> Arrival:
    assert group.first is not None
    assert group.body is not None
    first = group.first
    return Arrival(
        group.key.connection,
        group.body,
        first.origin,
        first.received_at,
        traceparent=first.traceparent,
        times=len(group.indices),
    )


def _wish(group: _Group) -> Wish:
    assert group.first is not None
    first = group.first
    return Wish(
        group.key.connection,
        group.key.id,
        first.origin,
        first.received_at,
        first.traceparent,
        group.insist,
        len(group.indices),
        entity_type(group.key.type),
    )
