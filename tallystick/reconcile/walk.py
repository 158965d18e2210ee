"""One window of a pass: what its source shows, what it shows no more, and what became of it in the targets."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

import structlog

from tallystick.canonical.entities import entity_name
from tallystick.canonical.keys import key, order_key
from tallystick.clock import Clock
from tallystick.errors import Unauthorised, Unavailable
from tallystick.intake.delivery import Waits, to_waiting, wish
from tallystick.intake.door import Arrival, Door
from tallystick.intake.rereads import Rereads, Wish
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import PendingDeliveries, PendingReason
from tallystick.ports import NeedsRead, Reading, Window
from tallystick.reconcile.documents import Documents
from tallystick.reconcile.duplicates import Duplicates
from tallystick.reconcile.findings import Finding, Result, What
from tallystick.reconcile.ports import DuplicateSweep, PartlyShown
from tallystick.reconcile.source import Compared, Sources
from tallystick.telemetry import flow_of
from tallystick.v1 import event_pb2

log = structlog.get_logger(__name__)
T = TypeVar("T")

_LANES = 100
_READ_WITHIN_S = 30.0
_ORIGIN = event_pb2.ORIGIN_RECONCILE


class Walkable(Protocol):
    """What is walked through in windows of source time."""

    connection: str
    flow: str
    #: Nothing earlier is compared.
    since: datetime

    async def window(self, window: Window, run_id: int) -> Result:
        """Compare one window. Raises `Unavailable`, `Unauthorised`, and what Kafka and Postgres raise when away."""
        ...


class Listed(Protocol):
    """A source that lists what changed in a window."""

    def __call__(self, window: Window, /) -> AsyncIterator[Sequence[Reading | NeedsRead]]: ...


@dataclass(frozen=True, slots=True)
class Side:
    """What all walks of a process share."""

    sources: Sources
    objects: Objects
    door: Door
    pending: PendingDeliveries
    rereads: Rereads
    clock: Clock


class SourceWalk:
    """A flow of one source: orders of a store with their refunds, or shipments of an ERP."""

    def __init__(
        self, side: Side, connection: str, flow: str, kind: str, listed: Listed, since: datetime,
        documents: Sequence[Documents] = (), hides: PartlyShown | None = None,
    ) -> None:  # fmt: skip
        self.connection = connection
        self.flow = flow
        self.since = since
        self._side = side
        self._kind = kind
        self._listed = listed
        self._documents = documents
        self._hides = hides

    async def window(self, window: Window, run_id: int) -> Result:
        """What the source shows and shows no more, by the door; then the documents of all that."""
        result, seen = Result(), set[str]()
        async for page, started in self._pages(window):
            readings = {one.object_id: one for one in page if isinstance(one, Reading)}
            seen |= {one.object_id for one in page}
            await self._page(list(readings.values()), started, result)
            await self._read_later(one.object_id for one in page if isinstance(one, NeedsRead))
        await self._no_longer_shown(window, seen, result)
        for documents in self._documents:
            await self._compare_documents(documents, sorted(seen), run_id, result)
        return result

    # ---- what is shown ---------------------------------------------------------------------------------------------

    async def _pages(self, window: Window) -> AsyncIterator[tuple[Sequence[Reading | NeedsRead], int]]:
        """Each page with the number that was drawn before its request."""
        pages = aiter(self._listed(window))
        while True:
            [started] = await self._side.objects.draw()
            try:
                page = await anext(pages)
            except StopAsyncIteration:
                return
            yield page, started

    async def _page(self, readings: Sequence[Reading], started: int, result: Result) -> None:
        result.compared.update(
            flow_of(entity_name(part.type)) for reading in readings for part in (reading, *reading.parts)
        )
        compared = await self._side.sources.compare(self.connection, readings)
        found = [one for one in compared if one.entering is not None]
        arrivals = [self._arrival(one, started) for one in found]
        for one, entered in zip(found, await self._side.door.enter(arrivals), strict=True):
            if entered.read_again or entered.too_large:
                await self._read_later(_ids([one]))
            elif entered.published:
                # What was not published was seen by somebody else between our look and the door: no disagreement.
                result.add(one.findings)

    def _arrival(self, compared: Compared, started: int) -> Arrival:
        assert compared.entering is not None
        return Arrival(self.connection, compared.entering, _ORIGIN, self._side.clock.now(), started)

    # ---- what is not -----------------------------------------------------------------------------------------------

    async def _no_longer_shown(self, window: Window, seen: set[str], result: Result) -> None:
        """What was there at our last look is read by its id; only that tells what is gone from what has moved on."""
        if self.connection not in self._side.rereads.connections:
            return
        if self._hides is not None and not await self._hides.shows_all_orders():
            return
        expected = await self._side.sources.expected(self.connection, self._kind, window)
        for ids in _chunks([one for one in expected if one not in seen], _LANES):
            await self._read(ids)
            gone = await self._side.sources.gone(self.connection, self._kind, ids)
            result.compared[self.flow] += len(ids)
            result.add(Finding(self.flow, What.GONE, key(self.connection, one)) for one in sorted(gone))
            seen.update(ids)

    async def _read(self, ids: Sequence[str]) -> None:
        now = self._side.clock.now()
        wishes = [Wish(self.connection, one, _ORIGIN, now) for one in ids]
        answers = await self._side.rereads.read(wishes, _READ_WITHIN_S)
        waiting = [(one, answer) for one, answer in zip(ids, answers, strict=True) if isinstance(answer, Waits)]
        await self._side.pending.put(
            [to_waiting(wish(self.connection, one, _ORIGIN, now), answer) for one, answer in waiting]
        )

    async def _read_later(self, ids: Iterable[str]) -> None:
        """What a page cannot show, or showed too early, is left to the relay, durably. Only orders are read by id."""
        if self.connection not in self._side.rereads.connections:
            return
        now, later = self._side.clock.now(), Waits(PendingReason.READ_LATER, "found by reconciliation")
        await self._side.pending.put([to_waiting(wish(self.connection, one, _ORIGIN, now), later) for one in ids])

    # ---- what became of it -----------------------------------------------------------------------------------------

    async def _compare_documents(self, documents: Documents, ids: Sequence[str], run_id: int, result: Result) -> None:
        """A target that is away hinders no other comparison; the pass says so."""
        for chunk in _chunks(ids, _LANES):
            try:
                findings, compared = await documents.compare([order_key(self.connection, one) for one in chunk], run_id)
            except (Unavailable, Unauthorised) as error:
                result.problem = f"documents in {documents.target} were not compared: {error}"
                log.warning("documents not compared", target=documents.target, error=type(error).__name__)
                return
            result.add(findings)
            result.compared["documents"] += compared


class DuplicateWalk:
    """The documents of a target that carry our marks."""

    flow = "documents"

    def __init__(self, connection: str, sweep: DuplicateSweep, duplicates: Duplicates, since: datetime) -> None:
        self.connection = connection
        self.since = since
        self._sweep = sweep
        self._duplicates = duplicates

    async def window(self, window: Window, run_id: int) -> Result:
        """Documents that were made in the window, against those that the ledger knows."""
        result = Result()
        async for page in self._sweep.marked_documents(window):
            result.compared[self.flow] += len(page)
            found = await self._duplicates.judge(page)
            result.add(replace(one, flow=self.flow) for one in found)
        return result


def _ids(compared: Iterable[Compared]) -> Iterator[str]:
    return (one.entering.object_id for one in compared if one.entering is not None)


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
