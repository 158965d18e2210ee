"""Passes: one walk over a span of a source's time, in windows, with a durable position and what it found so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tallystick.ledger.pool import Connection, Pool
from tallystick.ledger.queries import queries
from tallystick.reconcile.findings import COMPARED, Finding, Result, What

_SQL = queries("reconcile")
#: What is told in words of one pass; the tallies count all.
FINDINGS_MAX = 200
#: The first window of a pass, in seconds.
WINDOW_S = 21_600.0


@dataclass(frozen=True, slots=True)
class Span:
    """What a pass goes over: one flow of one connection, in its source's time."""

    connection: str
    flow: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """A pass in hand, ours as long as its epoch is this one."""

    id: int
    epoch: int
    connection: str
    flow: str
    span_end: datetime
    position: datetime
    window_s: float
    #: Tries at the next window, this one included.
    attempts: int


@dataclass(frozen=True, slots=True)
class Run:
    """A pass as people see it."""

    id: int
    connection: str
    flow: str
    depth: str
    span_start: datetime
    span_end: datetime
    position: datetime
    #: Why a part of it was left out, and why the next window waits; empty when all is well.
    problem: str
    waits: str
    started_at: datetime
    finished_at: datetime | None
    #: By flow and kind.
    tallies: Mapping[tuple[str, str], int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def share(self) -> float:
        """How much of the span is compared, 0 to 1."""
        whole_s = (self.span_end - self.span_start).total_seconds()
        done_s = (self.position - self.span_start).total_seconds()
        return 1.0 if self.finished_at is not None or whole_s <= 0 else min(1.0, max(0.0, done_s / whole_s))


class Runs:
    """The tables `reconcile_run`, `reconcile_tally` and `reconcile_finding`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    # ---- for those who ask -----------------------------------------------------------------------------------------

    async def schedule(self, span: Span, depth: str, window_s: float, every_s: float) -> None:
        """Begin a pass of this depth, unless one is under way or began less than `every_s` ago."""
        await self._pool.fetch(
            _SQL["schedule"], span.connection, span.flow, depth, span.start, span.end, window_s,
            timedelta(seconds=every_s),
        )  # fmt: skip

    async def ask(self, spans: Sequence[Span], request_id: str, actor: str, window_s: float) -> list[Run]:
        """Begin passes for a person; the same request again answers those that it began."""
        names = [f"{request_id}/{span.connection}/{span.flow}" for span in spans]

        async def work(connection: Connection) -> None:
            for span, name in zip(spans, names, strict=True):
                what = (span.connection, span.flow, span.start, span.end)
                await connection.execute(_SQL["ask"], *what, window_s, name, actor)

        await self._pool.run(work)
        return await self._whole(await self._pool.fetch(_SQL["asked"], names))

    async def page(self, connection: str, limit: int, before: int | None = None) -> list[Run]:
        """The newest passes first, of one connection or of all, without their findings."""
        return await self._whole(await self._pool.fetch(_SQL["runs"], connection, before, limit))

    async def get(self, run_id: int) -> Run | None:
        """One pass with its findings."""
        rows = await self._pool.fetch(_SQL["run"], run_id)
        if not rows:
            return None
        found = await self._pool.fetch(_SQL["findings"], run_id)
        [run] = await self._whole(rows, tuple(_finding(row) for row in found))
        return run

    async def _whole(self, rows: Sequence[Mapping[str, Any]], findings: tuple[Finding, ...] = ()) -> list[Run]:
        told = await self._pool.fetch(_SQL["tallies"], [row["id"] for row in rows])
        tallies: dict[int, dict[tuple[str, str], int]] = {row["id"]: {} for row in rows}
        for row in told:
            tallies[row["run_id"]][row["flow"], row["what"]] = row["number"]
        return [_run(row, tallies[row["id"]], findings) for row in rows]

    # ---- for those who work ----------------------------------------------------------------------------------------

    async def claim(self, lease_s: float, connections: Sequence[str]) -> Taken | None:
        """Take the one that goes first, of these connections; due for others again after the lease."""
        rows = await self._pool.fetch(_SQL["claim"], timedelta(seconds=lease_s), list(connections))
        return Taken(**dict(rows[0])) if rows else None

    async def advance(
        self, taken: Taken, position: datetime, window_s: float, result: Result, *, pause_s: float
    ) -> bool:
        """A window is compared, and what it came to is added, in one transaction. False: it is in other hands."""
        last = position >= taken.span_end

        async def work(connection: Connection) -> bool:
            pause = timedelta(seconds=pause_s)
            place = (taken.id, taken.epoch, position, window_s, result.problem, last, pause)
            if await connection.fetchrow(_SQL["advance"], *place) is None:
                return False
            await _add(connection, taken.id, result)
            return True

        return await self._pool.run(work)

    async def later(self, taken: Taken, in_s: float, why: str = "", *, tried: bool = True) -> None:
        """The same window again later; `tried` counts as a try."""
        await self._pool.fetch(_SQL["later"], taken.id, taken.epoch, timedelta(seconds=in_s), 0 if tried else 1, why)

    async def forget(self, older_than_s: float) -> None:
        """Leave old passes behind."""
        await self._pool.fetch(_SQL["forget"], timedelta(seconds=older_than_s))

    # ---- for metrics -----------------------------------------------------------------------------------------------

    async def mismatches(self) -> dict[tuple[str, str], int]:
        """By flow and connection: what the newest finished pass found to disagree."""
        found: dict[tuple[str, str], int] = {}
        for row in await self._pool.fetch(_SQL["newest"]):
            place = (row["flow"], row["connection"])
            found[place] = found.get(place, 0) + (0 if row["what"] == COMPARED else row["number"])
        return found

    async def last_success(self) -> dict[tuple[str, str], float]:
        """By flow and connection: when a pass was last made without a problem, in seconds since 1970."""
        rows = await self._pool.fetch(_SQL["last_success"])
        return {(row["flow"], row["connection"]): row["at"] for row in rows}


async def _add(connection: Connection, run_id: int, result: Result) -> None:
    tallies = result.tallies
    flows, kinds = [flow for flow, _ in tallies], [what for _, what in tallies]
    await connection.execute(_SQL["add_tallies"], run_id, flows, kinds, list(tallies.values()))
    if result.findings:
        found = result.findings[:FINDINGS_MAX]
        await connection.execute(
            _SQL["add_findings"],
            run_id,
            [one.flow for one in found],
            [str(one.what) for one in found],
            [one.name for one in found],
            [one.target for one in found],
            [one.detail for one in found],
            FINDINGS_MAX,
        )


def _run(row: Mapping[str, Any], tallies: Mapping[tuple[str, str], int], findings: tuple[Finding, ...]) -> Run:
    names = (
        "id", "connection", "flow", "depth", "span_start", "span_end", "position", "problem", "waits", "started_at",
        "finished_at",
    )  # fmt: skip
    return Run(**{name: row[name] for name in names}, tallies=tallies, findings=findings)


def _finding(row: Mapping[str, Any]) -> Finding:
    return Finding(row["flow"], What(row["what"]), row["name"], row["target"], row["detail"])
