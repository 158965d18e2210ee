"""FC-065: orders that go to and fro between two contents, while workers die and requests are lost.

What a document holds already is not sent again; so that rule is tried where it would do harm: where something else was
sent in between, lost, late, refused, or done by half. The lives of `test_engine_in_process`.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from tallystick.ledger.migrate import migrate
from tallystick.ledger.pool import Pool, open_pool
from tests.crash.arena import ALL, Kind
from tests.crash.orders import Revision, Thing
from tests.crash.test_engine_in_process import World, at_rest, mortal, something_happened, world

ORDERS, EACH = 5, 5
SEEDS = range(1, 5)


class Seesaw(Revision):
    """Every other revision says the same; its payments come and stay."""

    @property
    def total(self) -> str:
        """One of two."""
        return "21" if self.revision * (1 + self.number % 2) // 2 % 2 else "20"


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """A ledger that the lives of all seeds share; each has a target of its own."""
    await migrate(database)
    opened = await open_pool(database)
    yield opened
    await opened.close()


def findings(life: World) -> list[str]:
    """Orders without exactly one confirmed document that holds what their newest revision says."""
    documents = life.door.erp.of("orders")
    number = Counter(one.ref for one in documents)
    newest = {one.key: one.total for one in (Seesaw(number, EACH) for number in range(1, ORDERS + 1))}
    found = [f"{ref} has {number[ref]} documents" for ref in newest if number[ref] != 1]
    found += [
        f"{one.ref} holds {one.content['total']}, confirmed {one.confirmed}, instead of {newest[one.ref]}"
        for one in documents
        if one.content["total"] != newest[one.ref] or not one.confirmed
    ]
    return found


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
async def test_whatever_goes_wrong_a_document_ends_with_the_newest_content(pool: Pool, kind: Kind) -> None:
    lives = [world(kind, seed, pool) for seed in SEEDS]
    await asyncio.gather(*(live(life, seed) for life, seed in zip(lives, SEEDS, strict=True)))
    assert [finding for life in lives for finding in findings(life)] == []
    spared = await pool.fetch("SELECT FROM effect WHERE entity_type = 'order' AND state = 'VERIFIED' AND NOT forced")
    assert spared, "some of it was no news"


async def live(life: World, seed: int) -> None:
    """Revision by revision, each at its time, so that many are applied; some of them twice."""
    die, over = random.Random(seed), asyncio.Event()
    life.door.share = 0.3
    workers = [asyncio.create_task(mortal(life, name, random.Random(f"{name}{seed}"), over)) for name in "ab"]
    recorder = life.engine("recorder").ledger
    for revision in range(1, EACH + 1):
        batch: list[Thing] = [Seesaw(number, revision) for number in range(1, ORDERS + 1)]
        for part in (batch[:3], batch[3:], batch[:2] if die.random() < 0.5 else []):
            await recorder.record(life.rows(part), take=die.random() < 0.3)
            await something_happened(life)
    await at_rest(life)
    over.set()
    await asyncio.gather(*workers)
