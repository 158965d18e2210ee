"""Adoption: orders from before a route's start are bound to the documents that people made for them by hand.

A report first; only what is found exactly once is bound, and nothing is ever created. An adopted order stays observed.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from tallystick.canonical.keys import order_key
from tallystick.canonical.money import amount
from tallystick.canonical.times import to_datetime
from tallystick.intake.door import Arrival, Door
from tallystick.ledger.objects import Objects
from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries
from tallystick.ports import FoundDocument, NeedsRead, OrderSource, Reading, ReferenceLookup, Window
from tallystick.v1 import event_pb2, order_pb2

_SQL = queries("adoption")
_CHUNK = 200


class By(StrEnum):
    """What of the order stands in the ERP's field."""

    #: As the store writes it; without a leading `#` as well.
    NUMBER = "number"
    #: The store's immutable id.
    ID = "id"


class Standing(StrEnum):
    """What was found for an order."""

    FOUND = "found"
    #: More than one document, or a document that other orders claim too.
    AMBIGUOUS = "ambiguous"
    MISSING = "missing"
    #: The ledger knows a document or has work for it already.
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One order from before the route's start, as its store showed it."""

    connection: str
    reading: Reading
    #: Drawn before it was read.
    started: int
    standing: Standing = Standing.MISSING
    documents: tuple[FoundDocument, ...] = ()

    @property
    def name(self) -> str:
        """Its name in the API, and its lane."""
        return order_key(self.connection, self.reading.object_id)

    @property
    def order(self) -> order_pb2.Order:
        """What the store holds."""
        assert self.reading.order is not None
        return self.reading.order

    def references(self, by: By) -> tuple[str, ...]:
        """The texts that the ERP's field may hold for it."""
        if by is By.ID:
            return (self.reading.object_id,)
        number = self.order.number
        return (number, number.removeprefix("#")) if number.startswith("#") else (number,)

    @property
    def differs(self) -> bool:
        """The one document shows another total or currency than the store."""
        if len(self.documents) != 1:
            return False
        document, total = self.documents[0], self.order.totals.total
        try:
            same = Decimal(document.total) == amount(total)
        except InvalidOperation:
            return True
        return not same or document.currency != total.currency_code


class Adoption:
    """Adopts orders of one store into one target."""

    def __init__(self, pool: Pool, connection: str, store: OrderSource, target: str, erp: ReferenceLookup) -> None:
        self._pool = pool
        self._objects = Objects(pool)
        self._connection = connection
        self._store = store
        self._target = target
        self._erp = erp

    async def report(self, placed: Window, until: datetime, field: str, by: By) -> list[Candidate]:
        """Orders placed in `placed` (its end is the route's start) that changed until `until`, and their documents.

        Writes nothing. Raises `SetupError` for a field that the ERP lacks, `Unavailable`, `Unauthorised`.
        """
        orders = {one.name: one async for one in self._orders(Window(placed.start, until)) if _is_in(one, placed)}
        judged: list[Candidate] = []
        every = list(orders.values())
        for start in range(0, len(every), _CHUNK):
            judged += await self._look_up(every[start : start + _CHUNK], field, by)
        return _without_shared(judged)

    async def _orders(self, window: Window) -> AsyncIterator[Candidate]:
        pages = aiter(self._store.changed_orders(window))
        while True:
            [started] = await self._objects.draw()
            try:
                page = await anext(pages)
            except StopAsyncIteration:
                return
            for found in page:
                if isinstance(found, NeedsRead):
                    [started] = await self._objects.draw()
                    found = await self._store.read_order(found.object_id)
                if found.order is not None:
                    yield Candidate(self._connection, found, started)

    async def _look_up(self, orders: Sequence[Candidate], field: str, by: By) -> list[Candidate]:
        wanted = {text for one in orders for text in one.references(by) if text}
        found = await self._erp.find_orders(field, sorted(wanted))
        judged = [_judged(one, found, by) for one in orders]
        ids = [document.external_id for one in judged for document in one.documents]
        rows = await self._pool.fetch(_SQL["known"], self._target, [one.name for one in judged], ids)
        ours, taken = {row["entity_id"] for row in rows}, {row["external_id"]: row["entity_id"] for row in rows}
        return [_against_ledger(one, ours, taken) for one in judged]

    async def apply(self, candidates: Sequence[Candidate], door: Door, now: datetime, actor: str, detail: str) -> int:
        """Bind what was found, after its order came in by the door; answers how many were bound."""
        found = [one for one in candidates if one.standing is Standing.FOUND]
        bound = 0
        for start in range(0, len(found), _CHUNK):
            chunk = found[start : start + _CHUNK]
            await door.enter(
                [Arrival(one.connection, one.reading, event_pb2.ORIGIN_BACKFILL, now, one.started) for one in chunk]
            )
            rows = await self._pool.fetch(
                _SQL["adopt"],
                self._target,
                [one.name for one in chunk],
                [one.documents[0].external_id for one in chunk],
                [one.documents[0].number for one in chunk],
                actor,
                detail,
            )
            bound += len(rows)
        return bound


def _is_in(one: Candidate, placed: Window) -> bool:
    return one.order.HasField("placed_at") and placed.start <= to_datetime(one.order.placed_at) < placed.end


def _judged(one: Candidate, found: Mapping[str, Sequence[FoundDocument]], by: By) -> Candidate:
    documents = {document.external_id: document for text in one.references(by) for document in found.get(text, ())}
    standing = {0: Standing.MISSING, 1: Standing.FOUND}.get(len(documents), Standing.AMBIGUOUS)
    return replace(one, standing=standing, documents=tuple(documents.values()))


def _against_ledger(one: Candidate, ours: set[str], taken: Mapping[str, str]) -> Candidate:
    if one.name in ours:
        return replace(one, standing=Standing.OURS)
    if any(document.external_id in taken for document in one.documents):
        return replace(one, standing=Standing.AMBIGUOUS)
    return one


def _without_shared(judged: Sequence[Candidate]) -> list[Candidate]:
    """A document that two orders claim is neither's."""
    claims: Counter[str] = Counter()
    for one in judged:
        claims.update({document.external_id for document in one.documents})
    return [
        replace(one, standing=Standing.AMBIGUOUS)
        if one.standing is Standing.FOUND and claims[one.documents[0].external_id] > 1
        else one
        for one in judged
    ]


def counts(candidates: Sequence[Candidate]) -> dict[str, int]:
    """How many of each standing."""
    tally = Counter(one.standing for one in candidates)
    return {standing.value: tally[standing] for standing in Standing}
