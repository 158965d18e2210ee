"""The classic suite: 10,000 events of 100 keys in 8 partitions; three workers, restarted one by one at half."""

import random
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from simulators.faults import Fault, Rule
from tallystick.stack import Stack
from tests.crash.arena import Arena, open_arena
from tests.crash.orders import disturbed, revisions

KEYS, EACH = 100, 100


@pytest.fixture
async def wide(stack: Stack, database: str, tmp_path: Path) -> AsyncIterator[Arena]:
    """As `arena`, with the batches of the product."""
    async with open_arena("test_classic", stack, database, tmp_path, batch=500) as opened:
        yield opened


async def test_ten_thousand_events_survive_the_restart_of_every_worker(wide: Arena) -> None:
    """F1, F18: events come twice and out of order, replies are lost, and the workers die by kill -9."""
    wide.spoil(Rule(Fault.LOST_REPLY, "*.write|*.confirm", every=10))
    clean = revisions(wide.orders(KEYS), EACH)
    events = disturbed(clean, random.Random(10), twice=0.05, reach=500)
    half = len(events) // 2
    workers = [wide.workers.start() for _ in range(3)]
    await wide.produce(events[:half])
    for number, worker in enumerate(workers, 1):
        await wide.until(partial(_recorded, wide, number * len(clean) // 8))
        worker.kill()
        wide.workers.start()
    await wide.produce(events[half:])
    await wide.settled()
    for history in await wide.judge():
        orders = [one for one in history.documents if not one.key.startswith("customer/")]
        assert len(orders) == KEYS
        assert {effect.key for effect in history.effects if effect.state == "APPLIED"} >= set(history.newest())


async def _recorded(arena: Arena, revisions: int) -> bool:
    return await arena.recorded() >= revisions
