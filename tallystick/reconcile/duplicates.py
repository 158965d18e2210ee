"""The duplicate sweep: documents of a target that carry a reference of ours beside the one that the ledger knows.

It watches what no protocol can prove where a target neither refuses nor folds a second document (classes E1 and E2),
and what people duplicate by hand.
"""

from collections.abc import Sequence

from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries
from tallystick.reconcile.findings import Finding, What
from tallystick.reconcile.ports import Marked
from tallystick.telemetry import Metrics, flow_of

_SQL = queries("reconcile")


class Duplicates:
    """Sweeps one target. Every duplicate is counted once, whoever finds it and however often."""

    def __init__(self, pool: Pool, target: str, metrics: Metrics) -> None:
        self._pool = pool
        self._target = target
        self._counter = metrics.duplicate_documents.labels(target)

    async def judge(self, page: Sequence[Marked]) -> list[Finding]:
        """The duplicates among documents that carry our marks; a reference stands for one document of its kind."""
        rows = await self._pool.fetch(_SQL["bound"], self._target, [one.ref for one in page])
        firsts = {
            (row["entity_type"], row["entity_id"]): Marked(
                row["entity_type"], row["entity_id"], row["external_id"], row["number"]
            )
            for row in rows
        }
        found = []
        for one in page:
            first = firsts.setdefault((one.entity_type, one.ref), one)
            if first.external_id != one.external_id:
                found.append((first, one))
        await self._count([second for _, second in found])
        return [self._finding(first, second) for first, second in found]

    def _finding(self, first: Marked, second: Marked) -> Finding:
        detail = f"{first.number or first.external_id} and {second.number or second.external_id} carry one reference"
        return Finding(flow_of(second.entity_type), What.DUPLICATE, second.ref, self._target, detail)

    async def _count(self, seconds: Sequence[Marked]) -> None:
        if not seconds:
            return
        new = await self._pool.fetch(
            _SQL["add_duplicates"],
            self._target,
            [one.entity_type for one in seconds],
            [one.ref for one in seconds],
            [one.external_id for one in seconds],
            [one.number for one in seconds],
        )
        self._counter.inc(len(new))
