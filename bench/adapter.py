"""The adapter of the bench's ERP: one step, batches of 100, answers matched by reference."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict

from adapters.http import HttpDoor, Lost, NotSent
from tallystick.clock import Budget, Clock
from tallystick.contract.document import CustomerDocument, Document, OrderDocument
from tallystick.pacing import Pacer
from tallystick.ports import (
    Answer,
    Applied,
    Capability,
    Doubt,
    Found,
    Job,
    NotApplied,
    OperationTraits,
    Refused,
    Step,
    Verdict,
)
from tallystick.registry import AdapterKind

WRITE: Final = Step("write", marks=True)
TRAITS: Final = OperationTraits(
    capability=Capability.E1,
    conditional_update=False,
    late_apply_max_s=30.0,
    search_lag_max_s=0.0,
    batch_max=100,
    parallel_max=8,
    mark_field="mark",
)
#: No pace: the ERP's 5 ms an answer are the limit.
UNPACED_PER_S = 1e9


class BenchSettings(BaseModel):
    """Where the ERP double is; empty for one that answers inside the process, without HTTP."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = ""


class BenchSink:
    """Documents of one kind."""

    traits = TRAITS

    def __init__(self, kind: str, door: HttpDoor | None, pacer: Pacer) -> None:
        self._kind = kind
        self._door = door
        self.pacer = pacer

    def steps(self, _document: Document) -> tuple[Step, ...]:
        """One."""
        return (WRITE,)

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused]:
        """Spell the calls."""
        return [replace(job, ready=spelled(job.ref, job.mark, job.document)) for job in jobs]

    async def probe(self, _step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """Nothing is ever lost here."""
        return [Found(Verdict.ABSENT) for _ in jobs]

    async def send(self, _step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """One post for all jobs."""
        if self._door is None:
            return [Applied(job.ref) for job in jobs]
        data = orjson.dumps([job.ready for job in jobs])
        try:
            reply = await self._door.write("POST", self._kind, budget=budget, data=data)
        except NotSent as error:
            return [NotApplied(str(error), reached=False)] * len(jobs)
        except Lost as error:
            return [Doubt(str(error))] * len(jobs)
        ids = {row["ref"]: row["id"] for row in orjson.loads(reply.body)}
        return [Applied(ids[job.ref]) for job in jobs]


def spelled(ref: str, mark: str, document: Document) -> Mapping[str, Any]:
    """The JSON of one document, the same for all contenders."""
    if isinstance(document, CustomerDocument):
        return {"ref": ref, "mark": mark, "name": document.name}
    assert isinstance(document, OrderDocument)
    lines = [
        [line.key, line.product, line.name, _text(line.quantity), _text(line.unit_price), line.taxes]
        for line in document.lines
    ]
    head = {"number": document.number, "date": document.business_date, "currency": document.currency}
    return {"ref": ref, "mark": mark, **head, "total": _text(document.total), "lines": lines}


def _text(value: Decimal) -> str:
    return format(value.normalize(), "f")


class BenchErp:
    """Has the abilities `OrderSink`, `CustomerSink` and `Identified`."""

    def __init__(self, _connection: str, settings: BenchSettings, clock: Clock) -> None:
        pacer = Pacer(clock, rate_per_s=UNPACED_PER_S, burst=UNPACED_PER_S, parallel=8)
        self._door = HttpDoor(settings.url, pacer=pacer, clock=clock, private_network=True) if settings.url else None
        self.orders = BenchSink("orders", self._door, pacer)
        self.customers = BenchSink("customers", self._door, pacer)

    async def identity(self) -> str:
        """Its address."""
        return "bench"

    async def close(self) -> None:
        """Give connections back."""
        if self._door is not None:
            await self._door.close()


KIND = AdapterKind("bench", "erp", BenchSettings, BenchErp)
