"""Workers that are frozen, stopped in order, or come and go all the time (F2, F3, F6, F7)."""

import asyncio
import random
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from simulators.faults import Fault, Rule
from tallystick.clock import Timing
from tallystick.stack import Stack
from tests.crash.arena import FOLDED, REFUSED, SCALE, Arena, open_arena
from tests.crash.orders import disturbed, revisions
from tests.crash.workers import Worker

LEASE_S = Timing().scaled(SCALE).lease_s


@pytest.fixture
async def refusing(stack: Stack, database: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Arena]:
    """Targets that refuse or fold a second create: for one that only can be searched, no pause may be this long."""
    async with open_arena(request.node.name, stack, database, tmp_path, (REFUSED, FOLDED)) as opened:
        yield opened


async def test_a_worker_frozen_for_three_leases_does_no_harm_when_it_wakes(refusing: Arena) -> None:
    """FC-006, FC-113: its lanes are taken over, and what it answers afterwards is fenced."""
    die = random.Random(6)
    refusing.spoil(Rule(Fault.SLOW, "*.write|*.confirm", every=2, seconds=0.3))
    workers = [refusing.workers.start() for _ in range(3)]
    for victim in workers:
        await _catch_at_work(refusing, victim, die)
        victim.freeze()
        await asyncio.sleep(3 * LEASE_S)
        await refusing.until(partial(_holds_nothing, refusing, victim))
        victim.thaw()
    refusing.spoil()
    await refusing.settled()
    await refusing.judge()


async def _catch_at_work(arena: Arena, worker: Worker, die: random.Random) -> None:
    """Produce until this worker has lanes in hand, which is when something can go wrong."""
    while not await _holds_lanes(arena, worker):
        await arena.produce(disturbed(revisions(arena.orders(60), 3), die))
        await arena.until(partial(_holds_lanes_or_rests, arena, worker))


async def _holds_lanes_or_rests(arena: Arena, worker: Worker) -> bool:
    return await _holds_lanes(arena, worker) or await arena.at_rest()


async def _holds_lanes(arena: Arena, worker: Worker) -> bool:
    return bool(await arena.pool.fetch("SELECT FROM lane WHERE owner LIKE '%:' || $1 LIMIT 1", str(worker.pid)))


async def _holds_nothing(arena: Arena, worker: Worker) -> bool:
    return not await _holds_lanes(arena, worker)


async def test_workers_that_are_replaced_under_load_drain_and_leave_nothing(arena: Arena) -> None:
    """F3: each ends with 0 within its budget and holds no lane afterwards."""
    die = random.Random(7)
    arena.spoil(Rule(Fault.SLOW, "*.write|*.confirm", every=4, seconds=0.2))
    workers = [arena.workers.start() for _ in range(3)]
    for worker in workers:
        await _catch_at_work(arena, worker, die)
        arena.workers.start()
        assert await worker.stop() == 0
        assert not await _holds_lanes(arena, worker)
    await arena.settled()
    await arena.judge()


async def test_workers_that_come_and_go_all_the_time_still_get_on(arena: Arena) -> None:
    """F6: each arrival and departure is a rebalance; the lanes do not care."""
    die = random.Random(8)
    workers = [arena.workers.start() for _ in range(3)]
    for _ in range(5):
        chosen = arena.orders(30)
        await arena.produce(disturbed(revisions(chosen, 2), die))
        workers.append(arena.workers.start())
        assert await workers.pop(0).stop() == 0
        await arena.until(partial(_some_arrived, arena, chosen))
    await arena.settled()
    await arena.judge()


async def _some_arrived(arena: Arena, orders: list[int]) -> bool:
    return all([await arena.applied(name, orders) for name in arena.erps])
