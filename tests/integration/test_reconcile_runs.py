"""Passes on a real Postgres: begun once, in one pair of hands at a time, their findings counted once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tallystick.ledger.migrate import migrate
from tallystick.ledger.pool import Pool, open_pool
from tallystick.reconcile.duplicates import Duplicates
from tallystick.reconcile.findings import Finding, Result, What
from tallystick.reconcile.ports import Marked
from tallystick.reconcile.runs import FINDINGS_MAX, WINDOW_S, Runs, Span, Taken
from tallystick.telemetry import Metrics

START = datetime(2026, 11, 20, tzinfo=UTC)
SPAN = Span("woo", "orders", START, START + timedelta(hours=12))
HERE = ["woo"]


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    await migrate(database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


@pytest.fixture
def runs(pool: Pool) -> Runs:
    return Runs(pool)


async def taken(runs: Runs, lease_s: float = 60.0) -> Taken:
    found = await runs.claim(lease_s, HERE)
    assert found is not None
    return found


def found(number: int = 1) -> Result:
    result = Result(findings=[Finding("orders", What.MISSING, f"woo/{index}") for index in range(number)])
    result.compared["orders"] = 10
    return result


async def test_a_pass_comes_round_when_its_time_has_come_and_not_before(runs: Runs, pool: Pool) -> None:
    for _ in range(2):
        await runs.schedule(SPAN, "recent", WINDOW_S, 3600)
    assert len(await runs.page("", 10)) == 1
    await pool.fetch("UPDATE reconcile_run SET started_at = started_at - interval '2 hours'")
    await runs.schedule(SPAN, "recent", WINDOW_S, 3600)
    assert len(await runs.page("", 10)) == 1, "one is under way"
    one = await taken(runs)
    assert await runs.advance(one, SPAN.end, WINDOW_S, Result(), pause_s=0)
    await runs.schedule(SPAN, "recent", WINDOW_S, 3600)
    assert len(await runs.page("", 10)) == 2


async def test_what_a_person_asked_for_goes_first(runs: Runs) -> None:
    for depth in ("whole", "recent"):
        await runs.schedule(SPAN, depth, WINDOW_S, 3600)
    [asked] = await runs.ask([SPAN], "r-1", "Ada", WINDOW_S)
    order = [await taken(runs) for _ in range(3)]
    depths = {run.id: run.depth for run in await runs.page("", 10)}
    assert [depths[one.id] for one in order] == ["asked", "recent", "whole"]
    assert order[0].id == asked.id
    assert await runs.claim(60, HERE) is None
    assert await runs.claim(60, ["elsewhere"]) is None


async def test_a_window_that_two_processes_compared_counts_once(runs: Runs) -> None:
    """The first was frozen beyond its lease: what it brings back changes nothing."""
    [asked] = await runs.ask([SPAN], "r-1", "Ada", WINDOW_S)
    frozen = await taken(runs, lease_s=0)
    other = await taken(runs)
    half = SPAN.start + timedelta(hours=6)
    assert await runs.advance(other, half, WINDOW_S, found(), pause_s=0)
    assert not await runs.advance(frozen, half, WINDOW_S, found(), pause_s=0)
    seen = await runs.get(asked.id)
    assert seen is not None
    assert (seen.share, seen.tallies) == (0.5, {("orders", "compared"): 10, ("orders", "missing"): 1})
    assert [one.name for one in seen.findings] == ["woo/0"]
    assert await runs.last_success() == {}
    assert await runs.advance(await taken(runs), SPAN.end, WINDOW_S, found(2), pause_s=0)
    assert await runs.mismatches() == {("orders", "woo"): 3}
    assert set(await runs.last_success()) == {("orders", "woo")}


async def test_a_pass_with_a_part_left_out_is_no_success(runs: Runs) -> None:
    await runs.ask([SPAN], "r-1", "Ada", WINDOW_S)
    problem = Result(problem="documents in odoo were not compared")
    assert await runs.advance(await taken(runs), SPAN.end, WINDOW_S, problem, pause_s=0)
    assert await runs.last_success() == {}
    [run] = await runs.page("woo", 1)
    assert (run.share, run.problem) == (1.0, problem.problem)


async def test_of_very_many_findings_the_first_are_told_and_all_are_counted(runs: Runs) -> None:
    [asked] = await runs.ask([SPAN], "r-1", "Ada", WINDOW_S)
    half = SPAN.start + timedelta(hours=6)
    assert await runs.advance(await taken(runs), half, WINDOW_S, found(FINDINGS_MAX - 1), pause_s=0)
    assert await runs.advance(await taken(runs), SPAN.end, WINDOW_S, found(50), pause_s=0)
    seen = await runs.get(asked.id)
    assert seen is not None
    assert len(seen.findings) == FINDINGS_MAX
    assert seen.tallies["orders", "missing"] == FINDINGS_MAX + 49


async def test_a_duplicate_is_counted_by_whoever_sees_it_first(pool: Pool) -> None:
    """Two processes sweep the same page, of which the ledger knows one document."""
    await pool.fetch(
        "INSERT INTO binding (target, entity_type, entity_id, external_id, number)"
        " VALUES ('odoo', 'order', 'woo/1', '7', 'S00007')"
    )
    page = [Marked("order", "woo/1", "7", "S00007"), Marked("order", "woo/1", "9", "S00009")]
    several = [Metrics(), Metrics()]
    for metrics in several:
        [finding] = await Duplicates(pool, "odoo", metrics).judge(page)
        assert (finding.what, finding.detail) == (What.DUPLICATE, "S00007 and S00009 carry one reference")
    labels = {"target": "odoo"}
    name = "tallystick_duplicate_documents_total"
    assert [metrics.registry.get_sample_value(name, labels) for metrics in several] == [1.0, 0.0]
    unknown = [Marked("refund", "woo/2/refund/3", "4", "RBILL/4")]
    assert await Duplicates(pool, "odoo", Metrics()).judge(unknown) == []
