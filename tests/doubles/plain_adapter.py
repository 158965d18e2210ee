"""The adapter of the plain ERP: short, and yet it says of every answer what it means (protocol, section 5).

With `history` set it writes down when each of its writes began and ended, for the checkers of the crash tests.
"""

import itertools
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Protocol

import orjson
from pydantic import BaseModel, ConfigDict

from adapters.http import HttpDoor, Lost, NotSent, Reply
from tallystick.clock import Budget, Clock
from tallystick.contract.document import (
    CustomerDocument,
    Document,
    FulfilmentDocument,
    OrderDocument,
    PaymentDocument,
    PriceDocument,
    RefundDocument,
    ReturnDocument,
)
from tallystick.errors import Unavailable, Unreadable
from tallystick.marks import judge
from tallystick.pacing import Pacer
from tallystick.ports import (
    Answer,
    Applied,
    Capability,
    Doubt,
    Found,
    Job,
    NeedsRead,
    NotApplied,
    OperationTraits,
    Reading,
    Refused,
    Step,
    Verdict,
    Window,
)
from tallystick.reasons import HoldReason
from tallystick.registry import AdapterKind
from tests.doubles.quiet_store import QuietSettings, QuietStore, nothing

WRITE: Final = Step("write", marks=True)
CONFIRM: Final = Step("confirm")


class PlainSettings(BaseModel):
    """Where the plain ERP is, and what it promises."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    capability: Capability = Capability.E1
    conditional_update: bool = False
    batch_max: int = 50
    late_apply_max_s: float = 30.0
    search_lag_max_s: float = 15.0
    rate_per_s: float = 10_000.0
    history: Path | None = None


class History:
    """Lines of JSON that many processes append to one file: when each write began, and when it ended."""

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._calls = itertools.count(1)

    def began(self, step: Step, jobs: Sequence[Job], budget: Budget) -> int:
        """Answers the number of the call."""
        call, until_s = next(self._calls), time.monotonic() + budget.left_s()
        sent = [[job.ref, job.revision] for job in jobs]
        self._write({"call": call, "step": step.name, "until": until_s, "sent": sent})
        return call

    def ended(self, call: int, answers: Sequence[Answer]) -> None:
        """The call was answered or given up."""
        self._write({"call": call, "outcomes": [type(answer).__name__ for answer in answers]})

    def _write(self, line: Mapping[str, object]) -> None:
        if self._file is not None:
            whole = {"at": time.monotonic(), "proc": os.getpid(), **line}
            os.write(self._file, orjson.dumps(whole) + b"\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Door(Protocol):
    """What is used of `HttpDoor`; `tests.doubles.memory` has one without a network."""

    pacer: Pacer

    async def read(self, method: str, path: str, *, data: bytes | None = None) -> Reply:
        """Raises `Unavailable`."""
        ...

    async def write(self, method: str, path: str, *, budget: Budget, data: bytes | None = None) -> Reply:
        """Raises `NotSent` or `Lost`."""
        ...


class PlainSink:
    """Documents of one kind."""

    def __init__(self, kind: str, door: Door, settings: PlainSettings, clock: Clock, history: History) -> None:
        self._kind = kind
        self._door = door
        self._clock = clock
        self._history = history
        self.pacer: Pacer = door.pacer
        self.traits = OperationTraits(
            capability=settings.capability,
            conditional_update=settings.conditional_update,
            late_apply_max_s=settings.late_apply_max_s,
            search_lag_max_s=settings.search_lag_max_s,
            batch_max=settings.batch_max,
            parallel_max=16,
            mark_field="mark",
        )

    def steps(self, document: Document) -> tuple[Step, ...]:
        """Written, then confirmed where the contract says so."""
        confirm = isinstance(document, OrderDocument | RefundDocument | ReturnDocument) and document.confirm
        if isinstance(document, ReturnDocument) and document.cancelled:
            return (WRITE,)
        return (WRITE, CONFIRM) if confirm else (WRITE,)

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused]:
        """Nothing to look up: the document is spelled as it is."""
        return [replace(job, ready=_content(job)) for job in jobs]

    # ---- looks

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """By the mark; `whole` compares the content and the confirmation."""
        items = [{"ref": job.ref, "id": job.external_id} for job in jobs]
        reply = await self._door.read("POST", f"{self._kind}/find", data=orjson.dumps(items))
        results = _results(reply)
        if results is None:
            raise Unavailable(f"the look-up was answered with HTTP {reply.status} and no list")
        return [_found(results[job.ref], step, job, whole) for job in jobs]

    # ---- writes

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """One call for all jobs."""
        call = self._history.began(step, jobs, budget)
        answers = await self._send(step, jobs, budget)
        self._history.ended(call, answers)
        return answers

    async def _send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        data = orjson.dumps([_item(job) for job in jobs])
        try:
            reply = await self._door.write("POST", f"{self._kind}/{step.name}", budget=budget, data=data)
        except NotSent as error:
            return [NotApplied(str(error), reached=False)] * len(jobs)
        except Lost as error:
            return [Doubt(str(error))] * len(jobs)
        if reply.status == 429:
            return [self._throttled(reply)] * len(jobs)
        results = _results(reply) or {}
        return [_answer(results.get(job.ref), reply.status) for job in jobs]

    def _throttled(self, reply: Reply) -> NotApplied:
        return NotApplied("HTTP 429", reply.retry_after_s(self._clock.now().timestamp()), throttled=True)


def _item(job: Job) -> Mapping[str, Any]:
    content = job.ready if job.ready is not None else _content(job)
    return {"ref": job.ref, "id": job.external_id, "mark": job.mark, "revision": job.revision, "content": content}


def _content(job: Job) -> Mapping[str, Any]:
    document = job.document
    if isinstance(document, CustomerDocument):
        return {"total": document.name}
    if isinstance(document, PriceDocument):
        return {"total": "" if document.price is None else _text(document.price)}
    if isinstance(document, FulfilmentDocument):
        return {"total": ", ".join(parcel.number for parcel in document.parcels)}
    if isinstance(document, RefundDocument):
        return {"total": _text(document.total), "order": job.dependencies["order"]}
    if isinstance(document, ReturnDocument):
        pieces = sum((line.quantity for line in document.lines), Decimal(0))
        return {"total": _text(pieces) if pieces else "", "order": job.dependencies["order"]}
    if isinstance(document, PaymentDocument):
        return {"amount": _text(document.amount), "order": job.dependencies["order"], **document.fields}
    assert isinstance(document, OrderDocument)
    lines = [[line.key, line.product, _text(line.quantity), _text(line.unit_price)] for line in document.lines]
    customer = job.dependencies.get("customer")
    return {"total": _text(document.total), "currency": document.currency, "lines": lines, "customer": customer}


def _text(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _results(reply: Reply) -> dict[str, Mapping[str, Any]] | None:
    """By reference; None when the answer is no list of results."""
    try:
        rows = reply.json()
    except Unreadable:
        return None
    if reply.status != 200 or not isinstance(rows, list):
        return None
    return {row["ref"]: row for row in rows}


def _answer(row: Mapping[str, Any] | None, status: int) -> Answer:
    if row is None:
        return Doubt(f"HTTP {status} without a result for this document")
    match row["status"]:
        case "created" | "updated" | "confirmed":
            return Applied(row["id"], f"P{row['id']}")
        case "busy":
            return NotApplied("the document is being edited")
        case "refused":
            return Refused(HoldReason.DATA, "the plain ERP does not know a product of this order")
        case "locked":
            return Refused(HoldReason.LOCKED, "the document is confirmed and is not changed any more", beside=True)
        case "exists" | "newer":
            return Doubt(f"refused: {row['status']}", unanswered=False)
    return Refused(HoldReason.DELETED_IN_TARGET, "there is no document with this id any more")


def _found(row: Mapping[str, Any], step: Step, job: Job, whole: bool) -> Found:
    if row["status"] == "absent":
        return Found(Verdict.ABSENT)
    verdict = judge(row["mark"], job.mark)
    if verdict is Verdict.THIS and step is CONFIRM and not row["confirmed"]:
        verdict = Verdict.ABSENT
    if verdict is Verdict.THIS and whole and (row["content"] != _content(job) or not row["confirmed"]):
        verdict = Verdict.OLDER
    return Found(verdict, row["id"], f"P{row['id']}")


class PlainAdapter:
    """One plain ERP. Has the abilities `OrderSink`, `RefundSink`, `ReturnSink`, `PaymentSink`, `CustomerSink`,
    `FulfilmentSource`, `PriceSource` and `Identified`."""

    overlap_s = 0.0

    def __init__(self, _connection: str, settings: PlainSettings, clock: Clock) -> None:
        pacer = Pacer(clock, rate_per_s=settings.rate_per_s, burst=settings.rate_per_s, parallel=16)
        self.pacer: Pacer = pacer
        self._door = HttpDoor(settings.url, pacer=pacer, clock=clock, private_network=True)
        self._history = History(settings.history)
        self._url = settings.url
        self.orders = PlainSink("orders", self._door, settings, clock, self._history)
        self.refunds = PlainSink("refunds", self._door, settings, clock, self._history)
        self.returns = PlainSink("returns", self._door, settings, clock, self._history)
        self.payments = PlainSink("payments", self._door, settings, clock, self._history)
        self.customers = PlainSink("customers", self._door, settings, clock, self._history)

    # Nothing is to be polled: tests put shipments and prices on their topics themselves.

    async def changed_fulfilments(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """None."""
        async for page in nothing():
            yield page

    async def changed_prices(self, lists: Sequence[str], window: Window) -> AsyncIterator[Sequence[Reading]]:
        """None."""
        async for page in nothing():
            yield page

    async def all_prices(self, lists: Sequence[str]) -> AsyncIterator[Sequence[Reading]]:
        """None."""
        async for page in nothing():
            yield page

    async def identity(self) -> str:
        """Its address: each double is a company of its own."""
        await self._door.read("GET", "identity")
        return self._url

    async def close(self) -> None:
        """Give connections back."""
        self._history.close()
        await self._door.close()


class ToldStore(QuietStore):
    """A quiet store that is told of shipments and prices, as safe or unsafe as a plain ERP. Has the abilities
    `FulfilmentSink`, `PriceSink` and `CustomerSource`."""

    def __init__(self, connection: str, settings: PlainSettings, clock: Clock) -> None:
        super().__init__(connection, QuietSettings(), clock)
        pacer = Pacer(clock, rate_per_s=settings.rate_per_s, burst=settings.rate_per_s, parallel=16)
        self._door = HttpDoor(settings.url, pacer=pacer, clock=clock, private_network=True)
        self._history = History(settings.history)
        self.fulfilments = PlainSink("fulfilments", self._door, settings, clock, self._history)
        self.prices = PlainSink("prices", self._door, settings, clock, self._history)

    async def close(self) -> None:
        """Give connections back."""
        self._history.close()
        await self._door.close()


TOLD = AdapterKind("told", "store", PlainSettings, ToldStore)
KIND = AdapterKind("plain", "erp", PlainSettings, PlainAdapter)
