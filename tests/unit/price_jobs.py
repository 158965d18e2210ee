"""Effects of prices, as the engine hands them to an adapter."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tallystick.clock import Budget, SystemClock
from tallystick.contract.document import PriceDocument
from tallystick.marks import mark
from tallystick.ports import Answer, Found, Job, Needless, Refused, Sink

_CLOCK = SystemClock()


def price_job(sku: str, price: str | None = None, revision: int = 1, **parts: Any) -> Job:
    """What a store is told of a SKU; the price alone, unless more is given."""
    given: dict[str, Any] = {
        "currency": "EUR",
        "owned": frozenset({"price"}),
        "sale": None,
        "compare_at": None,
        "catalogs": (),
        "title": "",
        "barcode": "",
        "active": True,
        **parts,
    }
    document = PriceDocument(
        connection="odoo", sku=sku, price=None if price is None else Decimal(price), contract_version="1", **given
    )
    ref = f"store/price/{sku}"
    return Job(ref, revision, str(mark(ref, revision, repr(document).encode())), document)


def budget() -> Budget:
    """Time for one request."""
    return Budget(_CLOCK, _CLOCK.monotonic_s() + 20)


async def tell(sink: Sink, *jobs: Job) -> list[Answer | Needless]:
    """Prepare and make all steps; the answer of the last one for each job."""
    answers: dict[str, Answer | Needless] = {}
    ready: list[Job] = []
    for job, one in zip(jobs, await sink.prepare(jobs), strict=True):
        if isinstance(one, Job):
            ready.append(one)
        else:
            answers[job.ref] = one
    answers |= await _send(sink, ready)
    return [answers[job.ref] for job in jobs]


async def _send(sink: Sink, jobs: Sequence[Job]) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    for at in range(max((len(sink.steps(job.document)) for job in jobs), default=0)):
        due = [job for job in jobs if len(sink.steps(job.document)) > at and not _ended(answers.get(job.ref))]
        step = sink.steps(due[0].document)[at] if due else None
        found = await sink.send(step, due, budget()) if step else ()
        answers |= {job.ref: answer for job, answer in zip(due, found, strict=True)}
    return answers


def _ended(answer: Answer | None) -> bool:
    return isinstance(answer, Refused)


async def probed(sink: Sink, job: Job, at: int = 0) -> Found:
    """What the target says about a step."""
    (found,) = await sink.probe(sink.steps(job.document)[at], [job])
    return found
