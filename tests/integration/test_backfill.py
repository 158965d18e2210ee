"""Backfills: a store's past comes in by the one door, a bounded number at a time, and new orders pass by."""

import asyncio
import re
from collections import Counter
from pathlib import Path

from tallystick.errors import Unavailable
from tallystick.ledger.operations import BACKFILL
from tallystick.reasons import NotEligible
from tallystick.stack import Stack
from tallystick.v1 import operation_pb2
from tests.doubles.archive_store import at
from tests.integration.backfill_help import RUNNING, Yard, open_yard

DONE, CANCELLED = operation_pb2.OPERATION_STATE_DONE, operation_pb2.OPERATION_STATE_CANCELLED
POINTS = ("backfill.claimed", "backfill.page", "backfill.held", "backfill.entered", "backfill.advanced")
ROOT = Path(__file__).parents[2]


async def outstanding(yard: Yard) -> int:
    """Lanes of the backfill that are in the ledger and unfinished."""
    rows = await yard.pool.fetch("SELECT count(*) AS lanes FROM lane WHERE yields AND due_at IS NOT NULL")
    return int(rows[0]["lanes"])


async def test_a_span_of_the_past_comes_in_once(stack: Stack, database: str, tmp_path: Path) -> None:
    """Its ends included; what was placed before the route's start is only observed; asked again, nothing happens."""
    async with open_yard(stack, database, tmp_path, orders=450, since=at(60)) as yard, yard.running():
        name = await yard.ask(21, 420)
        most = 0
        while (await yard.operation(name)).state == RUNNING:
            most = max(most, await outstanding(yard))
            await asyncio.sleep(0.02)
        done = await yard.operation(name)
        assert (done.state, done.total, done.done, done.failed, done.outstanding) == (DONE, 400, 400, 0, 0)
        assert done.covered_until.ToDatetime(at(1).tzinfo) == at(420)
        assert 0 < most <= 200
        assert Counter(yard.documents()) == Counter(range(60, 421))
        early = await yard.pool.fetch(
            "SELECT id FROM source_object WHERE type = 'order' AND not_eligible = $1", NotEligible.BEFORE_SINCE
        )
        assert {int(row["id"]) for row in early} == set(range(21, 60))
        effects = "SELECT count(*) AS effects FROM effect"
        before = (await yard.pool.fetch(effects))[0]["effects"]
        again = await yard.ended(await yard.ask(21, 420))
        assert (again.state, again.done) == (DONE, 400)
        assert (await yard.pool.fetch(effects))[0]["effects"] == before


async def test_new_orders_pass_by_while_thousands_are_backfilled(stack: Stack, database: str, tmp_path: Path) -> None:
    """FC-111, 2,000 instead of 100,000: the ERP takes 150 requests a second, of ten orders each.

    Measured by what is before a new order and not by time: of the two hundred that are outstanding few are written
    between its arrival and its own document.
    """
    async with open_yard(stack, database, tmp_path, orders=2000, rate_per_s=150, batch_max=10) as yard, yard.running():
        name = await yard.ask(1, 2000)

        async def full() -> bool:
            return await outstanding(yard) > 100

        ahead = []
        for number in range(5001, 5013):
            await yard.until(full)
            before = len(yard.documents())
            await yard.sell(number)
            await yard.until(lambda number=number: yard.finished(number))  # type: ignore[misc]
            ahead.append(yard.documents().index(number) - before)
        assert (await yard.operation(name)).state == RUNNING, "the new ones came while it ran"
        assert max(ahead) < 60, ahead
        done = await yard.ended(name)
        assert (done.state, done.done) == (DONE, 2000)
        assert Counter(yard.documents()) == Counter([*range(1, 2001), *range(5001, 5013)])


async def test_a_new_revision_of_an_order_that_waits_is_not_held_up(
    stack: Stack, database: str, tmp_path: Path
) -> None:
    async with open_yard(stack, database, tmp_path, orders=300, rate_per_s=20, batch_max=1) as yard, yard.running():
        name = await yard.ask(1, 300)

        async def last_waits() -> bool:
            rows = await yard.pool.fetch("SELECT 1 FROM lane WHERE lane_key = 'shop/150' AND yields")
            return bool(rows)

        await yard.until(last_waits)
        await yard.sell(150)
        await yard.until(lambda: yard.finished(150))
        assert yard.documents().index(150) < 145
        await yard.operations.cancel(name, "Ada")


async def test_a_cancelled_one_ends_at_once(stack: Stack, database: str, tmp_path: Path) -> None:
    """What was handed on reaches the ERP; nothing more is asked of the store."""
    async with open_yard(stack, database, tmp_path, orders=1000, rate_per_s=50, batch_max=5) as yard, yard.running():
        name = await yard.ask(1, 1000)

        async def begun() -> bool:
            return len(yard.documents()) > 10

        await yard.until(begun)
        await yard.operations.cancel(name, "Ada")

        async def at_rest() -> bool:
            return not yard.store.walking and not await outstanding(yard)

        await yard.until(at_rest)
        left = await yard.operation(name)
        assert left.state == CANCELLED
        assert left.done < 1000
        rows = await yard.pool.fetch("SELECT count(*) AS known FROM source_object WHERE type = 'order'")
        assert 10 < rows[0]["known"] == len(yard.documents()) <= left.done + 700
        pages = len(yard.store.pages)
        other = await yard.ended(await yard.ask(1, 5))
        assert other.state == DONE
        assert len(yard.store.pages) == pages + 1


async def test_two_processes_never_feed_one_job_at_a_time(stack: Stack, database: str, tmp_path: Path) -> None:
    """They take turns at its parts. Who comes back from a pause beyond his lease finds it in other hands."""
    async with open_yard(stack, database, tmp_path, orders=300) as yard, yard.running():
        name = await yard.ask(1, 300)
        stop, others = asyncio.Event(), [yard.backfills(), yard.backfills()]
        tasks = [asyncio.create_task(one.run(stop)) for one in others]
        done = await yard.ended(name)
        stop.set()
        await asyncio.gather(*tasks)
        assert (done.state, done.done) == (DONE, 300)
        assert yard.store.walking_most == 1
        assert Counter(yard.documents()) == Counter(range(1, 301))


async def test_who_was_silent_for_a_lease_lets_nothing_in(stack: Stack, database: str, tmp_path: Path) -> None:
    async with open_yard(stack, database, tmp_path, orders=30) as yard:
        name = await yard.ask(1, 30)
        slow = await yard.operations.claim(0.0, BACKFILL, "shop")
        assert slow is not None
        quick = await yard.operations.claim(60.0, BACKFILL, "shop")
        assert quick is not None
        await yard.backfills()._work(slow)
        assert not yard.store.pages
        assert (await yard.operation(name)).done == 0
        rows = await yard.pool.fetch("SELECT count(*) AS known FROM source_object")
        assert rows[0]["known"] == 0


async def test_a_store_that_cannot_be_read_is_asked_again_later(stack: Stack, database: str, tmp_path: Path) -> None:
    async with open_yard(stack, database, tmp_path, orders=80) as yard, yard.running():
        yard.store.fails = Unavailable("the archive is being moved")
        done = await yard.ended(await yard.ask(1, 80))
        assert yard.store.fails is None
        assert (done.state, done.done) == (DONE, 80)


async def test_killed_at_every_point_it_goes_on_where_it_was(stack: Stack, database: str, tmp_path: Path) -> None:
    """Each process dies at another point, some of them later than at the first passing; the last one stays."""
    async with open_yard(stack, database, tmp_path, orders=600) as yard:
        name = await yard.ask(1, 600)
        for point in (*POINTS, "intake.accepted:2", "intake.published:2", "backfill.entered:3"):
            process = await yard.process(point)
            assert await asyncio.wait_for(process.wait(), 120) == 137, point
        async with yard.running():
            done = await yard.ended(name)
        assert (done.state, done.total, done.done) == (DONE, 600, 600)
        assert Counter(yard.documents()) == Counter(range(1, 601))
        rows = await yard.pool.fetch("SELECT max(revision) AS most FROM source_object")
        assert rows[0]["most"] == 1


def test_the_loop_goes_over_every_point_of_the_feeder() -> None:
    """A point that somebody adds is killed at, too."""
    named = re.findall(r'reach\("([\w.]+)"\)', (ROOT / "consumers/backfill.py").read_text())
    assert set(named) == set(POINTS)
