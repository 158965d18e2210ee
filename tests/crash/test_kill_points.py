"""Kill -9 at every named point of the worker, over all of them, with three processes that come back (FC-005, F1)."""

import itertools
import random
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from simulators.faults import Fault, Rule
from tests.crash.arena import REFUSED, Arena
from tests.crash.batches import Batch, Batches
from tests.crash.orders import disturbed, revisions
from tests.crash.workers import CRASHED, Worker

ROOT = Path(__file__).parents[2]

#: After poll, record, before commit; probe, intent, send, answer; before and after the outcome.
POINTS = (
    "worker.polled",
    "engine.recorded",
    "worker.before_commit",
    "engine.probed",
    "engine.intended",
    "http.sent",
    "engine.answered",
    "engine.settling",
    "engine.settled",
)
#: Where a lane's own effect is in hand: these differ from flow to flow.
OF_A_LANE = POINTS[3:]
ORDERS_AT_A_TIME = 24
#: What is behind an order in its lane, and what is not.
FLOWS = (("payments", "refunds", "returns"), ("customers", "shipments", "prices"))


async def test_no_kill_point_loses_doubles_or_strands_anything(arena: Arena) -> None:
    """FC-001, FC-005, FC-113: some answers are lost beside, so that there is something to probe."""
    die = random.Random(5)
    arena.spoil(Rule(Fault.LOST_REPLY, "*.write|*.confirm", share=0.15))
    await _kill_at_every_point(arena, die, lambda: revisions(arena.orders(ORDERS_AT_A_TIME), 3))


@pytest.mark.parametrize("flows", FLOWS, ids=" ".join)
async def test_no_kill_point_harms_any_flow_in_either_direction(told_arena: Arena, flows: Sequence[str]) -> None:
    """FC-001, FC-005, FC-062: flow by flow a worker dies at each point at which something of it is sent or settled.

    Refunds, returns and shipments come before their orders as well, and customers beside the orders that ask for them.
    One worker lives on. What happens before a lane is taken is the same for all flows: see above.
    """
    die = random.Random(9)
    batches = Batches(told_arena.numbers, REFUSED.name)
    told_arena.workers.start()
    await told_arena.produce(batches.first)
    await told_arena.settled()
    for more in map(batches.flows.__getitem__, flows):
        told_arena.spoil(Rule(Fault.LOST_REPLY, "*.write|*.confirm", share=0.25))
        doomed = [told_arena.workers.start(f"{point}:{die.randint(1, 2)}") for point in OF_A_LANE]
        await _until_dead(told_arena, doomed, die, more)
        told_arena.spoil()
        await told_arena.settled()
    await told_arena.judge()


async def _kill_at_every_point(arena: Arena, die: random.Random, more: Batch) -> None:
    schedule = [f"{point}:{die.randint(1, 3)}" for point in POINTS]
    die.shuffle(schedule)
    for start in range(0, len(schedule), 3):
        workers = [arena.workers.start(point) for point in schedule[start : start + 3]]
        await _until_dead(arena, workers, die, more)
    arena.spoil()
    for _ in range(3):
        arena.workers.start()
    await arena.settled()
    await arena.judge()


async def _until_dead(arena: Arena, workers: Sequence[Worker], die: random.Random, more: Batch) -> None:
    """Give them work until each has died at its point."""
    while alive := [worker for worker in workers if worker.running]:
        await arena.produce(disturbed(more(), die))
        await arena.until(_fewer_than(alive, arena))
    assert {worker.code for worker in workers} == {CRASHED}


def test_the_loop_goes_over_every_flow_that_there_are_batches_of() -> None:
    assert {name for flows in FLOWS for name in flows} == set(Batches(itertools.count(1), REFUSED.name).flows)


def test_the_loop_goes_over_every_point_of_the_worker() -> None:
    """A point that somebody adds is killed at, too."""
    files = ("consumers/worker.py", "tallystick/engine.py", "adapters/http.py")
    named = {name for file in files for name in re.findall(r'reach(?:\(|, )"([\w.]+)"', (ROOT / file).read_text())}
    assert named == set(POINTS)


def _fewer_than(alive: list[Worker], arena: Arena) -> Callable[[], Awaitable[bool]]:
    """One of them has died, or there is nothing left to do and more is needed."""

    async def condition() -> bool:
        return not all(worker.running for worker in alive) or await arena.at_rest()

    return condition
