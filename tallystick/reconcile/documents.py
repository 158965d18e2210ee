"""The ledger against a target: each document is asked for by the look that the engine has for doubts and resyncs.

Nothing is sent. A document that is gone is forced through the engine, which finds the same and holds its lane; one that
says something else is told to people and left as it is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
import structlog

from tallystick.built import Built
from tallystick.flows.router import Router
from tallystick.ledger.acts import Act, force, forced_op_id
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries
from tallystick.ledger.rows import Claim, EffectState, Head, Kind
from tallystick.marks import same_content
from tallystick.ports import Found, Job, Refused, SinkReader, Verdict
from tallystick.reasons import HoldReason
from tallystick.reconcile.findings import Finding, What
from tallystick.telemetry import flow_of
from tallystick.v1 import event_pb2

log = structlog.get_logger(__name__)
_SQL = queries("reconcile")
ACTOR = "reconciliation"
#: What can be compared with its source; a customer is made once and is the target's own afterwards.
_COMPARED = ("order", "refund", "return", "fulfilment")
#: What preparing may say about the document itself.
_REFUSED = {HoldReason.DELETED_IN_TARGET: Verdict.ABSENT, HoldReason.FOREIGN: Verdict.FOREIGN}


@dataclass(frozen=True, slots=True)
class Into:
    """A target whose documents are compared. `sinks` by entity type."""

    ledger: Ledger
    router: Router
    sinks: Mapping[str, SinkReader]

    @property
    def target(self) -> str:
        """Its connection."""
        return self.ledger.target


@dataclass(frozen=True, slots=True)
class _Paper:
    """A document with what it should say."""

    head: Head
    job: Job
    #: The contract of today made it: every mapped field is compared. Else its mark and its being there are.
    whole: bool


class Documents:
    """Compares documents of one target."""

    def __init__(self, pool: Pool, into: Into) -> None:
        self.target = into.target
        self._pool = pool
        self._into = into

    async def compare(self, lanes: Sequence[str], run_id: int) -> tuple[list[Finding], int]:
        """What differs among the documents of these lanes, and how many were compared.

        Lanes in which something is under way are left out. Raises `Unavailable`, `Unauthorised`.
        """
        papers = await self._papers(lanes)
        found: list[tuple[_Paper, Found]] = []
        for (kind, whole), group in _grouped(papers):
            sink = self._into.sinks[kind]
            for start in range(0, len(group), sink.traits.batch_max):
                found += await self._ask(sink, group[start : start + sink.traits.batch_max], whole)
        await self._hold([paper for paper, answer in found if answer.verdict is Verdict.ABSENT], run_id)
        told = (self._finding(paper, answer) for paper, answer in found)
        return [finding for finding in told if finding is not None], len(found)

    async def _ask(self, sink: SinkReader, papers: Sequence[_Paper], whole: bool) -> list[tuple[_Paper, Found]]:
        found: list[tuple[_Paper, Found]] = []
        if whole:
            ready = list(zip(papers, await sink.prepare([paper.job for paper in papers]), strict=True))
            papers = [replace(paper, job=job) for paper, job in ready if isinstance(job, Job)]
            # What lost a counterpart in the target since (a product, a tax) cannot be compared, and is no disagreement.
            found += [
                (paper, Found(_REFUSED[job.reason], detail=job.detail))
                for paper, job in ready
                if isinstance(job, Refused) and job.reason in _REFUSED
            ]
        by_step = defaultdict(list)
        for paper in papers:
            by_step[sink.steps(paper.job.document)[0]].append(paper)
        for step, group in by_step.items():
            answers = await sink.probe(step, [paper.job for paper in group], whole=whole)
            found += zip(group, answers, strict=True)
        return found

    def _finding(self, paper: _Paper, answer: Found) -> Finding | None:
        if answer.verdict is Verdict.THIS:
            return None
        what = What.DELETED_IN_TARGET if answer.verdict is Verdict.ABSENT else What.DIFFERS_IN_TARGET
        head = paper.head
        return Finding(flow_of(head.entity_type), what, head.entity_id, self._into.target, answer.detail)

    async def _hold(self, papers: Sequence[_Paper], run_id: int) -> None:
        """Through the engine, which looks again and never makes anew what was deleted."""
        request = f"{ACTOR}-{run_id}"
        rows = {}
        for paper in papers:
            event = event_pb2.Event.FromString(paper.head.body or b"")
            row = self._into.router.row(event, paper.head.body or b"", None)
            if row is not None:
                rows[row.lane_key] = replace(row, forced=True, op_id=forced_op_id(request))
        if rows:
            act = Act(ACTOR, request, "its document was not found in the target")
            await force(self._pool, self._into.ledger, list(rows.values()), act)

    # ---- what should stand there -----------------------------------------------------------------------------------

    async def _papers(self, lanes: Sequence[str]) -> list[_Paper]:
        into = self._into
        kinds = [kind for kind in _COMPARED if kind in into.sinks]
        rows = await self._pool.fetch(_SQL["documents"], into.target, list(lanes), kinds)
        built = [(row, head, self._built(head)) for row, head in ((row, _head(row)) for row in rows)]
        made = [(row, head, one) for row, head, one in built if one is not None]
        wanted = [one.customer.entity_id for _, _, one in made if one.customer is not None]
        customers = await into.ledger.bindings("customer", wanted) if wanted else {}
        return [_paper(row, head, one, customers) for row, head, one in made]

    def _built(self, head: Head) -> Built | None:
        try:
            built = self._into.router.build(head)
        except Exception as error:
            log.exception("contract failed", target=self.target, kind=type(error).__name__)
            return None
        return built if isinstance(built, Built) else None


def _paper(row: Mapping[str, Any], head: Head, built: Built, customers: Mapping[str, str]) -> _Paper:
    dependencies = {}
    if built.customer is not None and built.customer.entity_id in customers:
        dependencies["customer"] = customers[built.customer.entity_id]
    if head.kind is Kind.DELTA and head.parent_external_id is not None:
        dependencies["order"] = head.parent_external_id
    whole = row["contract_version"] == built.contract_version and (built.customer is None or "customer" in dependencies)
    kept = not whole or same_content(row["applied_mark"], built.mark)
    job = Job(
        ref=head.external_ref,
        revision=head.revision,
        mark=row["applied_mark"] if kept else built.mark,
        document=built.document,
        external_id=head.external_id,
        dependencies=dependencies,
        sent_lines=head.lines,
    )
    return _Paper(head, job, whole)


def _head(row: Mapping[str, Any]) -> Head:
    """The effect that made the document, as if it were the lane's turn."""
    taken = (
        "connection", "seq", "entity_type", "entity_id", "operation", "op_id", "revision", "external_ref",
        "received_at", "body", "external_id", "applied_revision", "applied_mark", "parent_revision",
        "parent_external_id",
    )  # fmt: skip
    return Head(
        claim=Claim(row["lane_key"], 0),
        late_for_s=0.0,
        kind=Kind(row["kind"]),
        forced=False,
        state=EffectState.APPLIED,
        step=0,
        intents=0,
        attempts=0,
        lines=tuple(orjson.loads(row["lines"])),
        doubt_age_s=None,
        parent_skipped=False,
        parent_ended=False,
        recorded_for_s=0.0,
        **{name: row[name] for name in taken},
    )


def _grouped(papers: Sequence[_Paper]) -> Iterable[tuple[tuple[str, bool], list[_Paper]]]:
    groups: dict[tuple[str, bool], list[_Paper]] = defaultdict(list)
    for paper in papers:
        groups[paper.head.entity_type, paper.whole].append(paper)
    return groups.items()
