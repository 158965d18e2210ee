"""FC-088: edits of orders whose documents lock when they are confirmed, while workers die and requests are lost.

The lives of `test_engine_in_process`, in an ERP that changes no confirmed document: what differs stands beside it.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tallystick.clock import SystemClock, Timing
from tallystick.engine import Engine, Limits
from tallystick.flows.plan import Plan
from tallystick.flows.router import Router
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.migrate import migrate
from tallystick.ledger.pool import Pool, open_pool
from tallystick.settings import Route
from tallystick.telemetry import Metrics
from tests.crash.arena import FOLDED, LATE_S, REFUSED, Kind
from tests.crash.orders import STORE, Revision, Thing
from tests.crash.test_engine_in_process import SCALE, World, at_rest, mortal, something_happened
from tests.doubles.memory import MemoryDoor
from tests.doubles.plain_adapter import History, PlainSettings, PlainSink
from tests.doubles.plain_erp import Behaviour, PlainErp
from tests.unit.contract.written import contract

ORDERS, EACH = 4, 4
SEEDS = range(1, 5)
_SINKS = (("order", "orders"), ("supplement", "orders"), ("reduction", "refunds"), ("customer", "customers"))


class Wavering(Revision):
    """Its price goes up, back to what it was at first, and up again."""

    @property
    def total(self) -> str:
        """Tells neighbours apart."""
        return f"{(12, 14, 12, 13)[self.revision - 1]}.{self.number}"


@dataclass(slots=True)
class Locking(World):
    """Its confirmed documents are not changed any more."""

    def engine(self, owner: str) -> Engine:
        """A worker that books beside them."""
        settings = PlainSettings(
            url="memory:",
            capability=self.kind.capability,
            conditional_update=self.kind.conditional,
            batch_max=3,
            late_apply_max_s=LATE_S,
        )
        timing = Timing().scaled(SCALE)
        return Engine(
            Ledger(self.pool, self.target, owner, timing, LATE_S),
            {entity: PlainSink(kind, self.door, settings, SystemClock(), History(None)) for entity, kind in _SINKS},
            self.router.build,
            clock=SystemClock(),
            timing=timing,
            metrics=Metrics(),
            limits=Limits(attempts_max=1000),
            beside=self.router.beside,
        )


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """A ledger that the lives of all seeds share; each has a target of its own."""
    await migrate(database)
    opened = await open_pool(database)
    yield opened
    await opened.close()


def locking(kind: Kind, seed: int, pool: Pool) -> Locking:
    target = f"{kind.name}-locks-{seed}"
    erp = PlainErp(Behaviour(kind.create, kind.conditional, locks=True))
    door = MemoryDoor(erp, random.Random(seed), LATE_S * SCALE)
    route = Route(store=STORE, erp=target, contract=Path("test.yaml"), since=datetime(2020, 1, 1, tzinfo=UTC))
    plan = Plan(route, contract(when_locked="delta"))
    return Locking(target, kind, pool, door, Router(target, {STORE: plan}))


def findings(erp: PlainErp) -> list[str]:
    """Documents that stand twice or unconfirmed, and orders whose documents do not come to their newest total."""
    found, sums = [], defaultdict[str, Decimal](Decimal)
    seen: set[str] = set()
    for one in (*erp.of("orders"), *erp.of("refunds")):
        sign = 1 if one.kind == "orders" else -1
        sums[one.ref.partition("/delta/")[0]] += sign * Decimal(one.content["total"])
        found += [f"{one.ref} stands twice"] if one.ref in seen else []
        found += [] if one.confirmed else [f"{one.ref} is not confirmed"]
        seen.add(one.ref)
    for newest in (Wavering(number, EACH) for number in range(1, ORDERS + 1)):
        if sums[newest.key] != Decimal(newest.total):
            found.append(f"{newest.key} comes to {sums[newest.key]} instead of {newest.total}")
    return found


@pytest.mark.parametrize("kind", [REFUSED, FOLDED], ids=lambda kind: kind.name)
async def test_whatever_goes_wrong_the_documents_of_an_order_come_to_its_newest_total(pool: Pool, kind: Kind) -> None:
    """FC-001, FC-005, FC-088"""
    lives = [locking(kind, seed, pool) for seed in SEEDS]
    await asyncio.gather(*(live(life, seed) for life, seed in zip(lives, SEEDS, strict=True)))
    assert [finding for life in lives for finding in findings(life.door.erp)] == []
    held = await pool.fetch("SELECT lane_key, reason, detail FROM lane WHERE reason IS NOT NULL")
    assert [tuple(row) for row in held] == []
    kinds = {row["entity_type"] for row in await pool.fetch("SELECT DISTINCT entity_type FROM effect")}
    assert {"supplement", "reduction"} <= kinds
    assert all(life.door.struck for life in lives)


async def live(life: Locking, seed: int) -> None:
    """Every order wavers, revision by revision, each recorded twice now and then."""
    die, over = random.Random(seed), asyncio.Event()
    life.door.share = 0.3
    workers = [asyncio.create_task(mortal(life, name, random.Random(f"{name}{seed}"), over)) for name in "ab"]
    recorder = life.engine("recorder").ledger
    for revision in range(1, EACH + 1):
        batch: list[Thing] = [Wavering(number, revision) for number in range(1, ORDERS + 1)]
        for part in (batch[:3], batch[3:], batch[:2] if die.random() < 0.5 else []):
            await recorder.record(life.rows(part), take=die.random() < 0.5)
            await something_happened(life)
    await at_rest(life)
    over.set()
    await asyncio.gather(*workers)
