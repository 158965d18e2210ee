"""The real ledger and engine on a real Postgres, two workers in one process, many short seeded lives.

Workers are cancelled at any point, as if they had died; requests are lost, late, never applied, throttled or answered
with a page. What the workers of `test_kill_points` do at named points, these do at all others.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulators.faults import Fault
from tallystick.clock import SystemClock, Timing
from tallystick.engine import Engine, Limits
from tallystick.flows.plan import Plan
from tallystick.flows.router import Router
from tallystick.kafka.codec import decode
from tallystick.kafka.consumer import Record
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.migrate import migrate
from tallystick.ledger.pool import Pool, open_pool
from tallystick.ledger.rows import Row
from tallystick.settings import FlowName, Mode, Route
from tallystick.telemetry import Metrics
from tests.crash import history
from tests.crash.arena import (
    ALL,
    EFFECTS,
    LANES,
    LATE_S,
    PAYMENTS,
    REFUSED,
    Kind,
    as_produced,
    documents,
    journal,
    paid,
)
from tests.crash.checkers import judge
from tests.crash.orders import STORE, Revision, Thing, disturbed, message, revisions
from tests.doubles.memory import MemoryDoor
from tests.doubles.plain_adapter import History, PlainSettings, PlainSink
from tests.doubles.plain_erp import Behaviour, PlainErp
from tests.unit.contract.written import contract

#: A lease is 0.3 s, a request has 0.6 s, a late one may land within 0.3 s more.
SCALE = 1 / 50
LAG_S = 5.0
ORDERS, EACH = 8, 6
SEEDS = range(1, 9)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """A ledger that the lives of all seeds share; each has a target of its own."""
    await migrate(database)
    opened = await open_pool(database)
    yield opened
    await opened.close()


@dataclass(slots=True)
class World:
    """One target, its ERP, and the way to it."""

    target: str
    kind: Kind
    pool: Pool
    door: MemoryDoor
    router: Router

    def engine(self, owner: str) -> Engine:
        """A worker that was just started."""
        settings = PlainSettings(
            url="memory:",
            capability=self.kind.capability,
            conditional_update=self.kind.conditional,
            batch_max=3,
            late_apply_max_s=LATE_S,
            search_lag_max_s=LAG_S,
        )
        sinks = {
            entity: PlainSink(kind, self.door, settings, SystemClock(), History(None))
            for entity, kind in (("order", "orders"), ("customer", "customers"), ("payment", "payments"))
        }
        timing = Timing().scaled(SCALE)
        ledger = Ledger(self.pool, self.target, owner, timing, LATE_S)
        limits = Limits(attempts_max=1000)
        return Engine(
            ledger, sinks, self.router.build, clock=SystemClock(), timing=timing, metrics=Metrics(), limits=limits
        )

    def rows(self, revisions: Iterable[Thing]) -> list[Row]:
        """As the worker reads them from the topic."""
        rows: list[Row] = []
        for one in revisions:
            sent = message(one)
            record = Record(sent.topic.name, 0, 0, sent.key, sent.value, tuple(sent.headers), 0)
            rows += self.router.rows(decode(record), sent.value or b"", None)
        return rows


def world(kind: Kind, seed: int, pool: Pool) -> World:
    """An empty ERP of that kind."""
    target = f"{kind.name}-{seed}"
    lag_s = LAG_S * SCALE * 0.8 if kind.capability == "E2" else 0.0
    door = MemoryDoor(PlainErp(Behaviour(kind.create, kind.conditional, lag_s)), random.Random(seed), LATE_S * SCALE)
    since, flows = datetime(2020, 1, 1, tzinfo=UTC), {FlowName.PAYMENTS: Mode.LIVE}
    route = Route(store=STORE, erp=target, contract=Path("test.yaml"), since=since, flows=flows)
    return World(target, kind, pool, door, Router(target, {STORE: Plan(route, contract(payments=PAYMENTS))}))


async def mortal(world: World, owner: str, die: random.Random, over: asyncio.Event) -> None:
    """A worker that takes what is due, dies now and then in the middle of it, and comes back."""
    engine = world.engine(owner)
    while not over.is_set():
        work = asyncio.create_task(_sweep(engine))
        if die.random() < 0.3:
            await asyncio.sleep(die.uniform(0, 0.1))
            work.cancel()
            engine = world.engine(owner)
        with contextlib.suppress(asyncio.CancelledError):
            await work
        await asyncio.sleep(0.01)


async def _sweep(engine: Engine) -> None:
    await engine.work(await engine.ledger.take_due(limit=5, per_connection=5))


async def something_happened(world: World) -> None:
    """The ERP has changed, or for a while nobody could get on: then more may come."""
    entries = world.door.erp.journal.entries
    before = len(entries)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            while len(entries) == before:
                await asyncio.sleep(0.005)


async def at_rest(world: World) -> None:
    """Everything is done. Raises `TimeoutError`."""
    busy = "SELECT FROM lane WHERE target = $1 AND (owner IS NOT NULL OR due_at IS NOT NULL) LIMIT 1"
    async with asyncio.timeout(60):
        while world.door.late or await world.pool.fetch(busy, world.target):
            await asyncio.sleep(0.02)


async def findings(world: World, produced: Iterable[Thing]) -> list[str]:
    """What the judges say about this life."""
    erp = world.door.erp
    life = history.History(
        target=world.target,
        produced=as_produced(produced),
        journal=journal(erp),
        documents=documents(erp),
        paid=paid(erp),
        effects=[history.Effect(**row) for row in await world.pool.fetch(EFFECTS, world.target)],
        lanes=[history.Lane(**row) for row in await world.pool.fetch(LANES, world.target)],
    )
    found = judge(life)
    return [f"history: {history.keep([life], world.target)}", *found] if found else []


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
async def test_whatever_goes_wrong_everything_crosses_once(pool: Pool, kind: Kind) -> None:
    """All seeds side by side: most of a life is waiting."""
    lives = await asyncio.gather(*(live(world(kind, seed, pool), seed) for seed in SEEDS))
    assert [finding for life in lives for finding in life] == []


async def live(life: World, seed: int) -> list[str]:
    """A whole life, and what the judges find in it."""
    die, over = random.Random(seed), asyncio.Event()
    life.door.share = 0.3
    workers = [asyncio.create_task(mortal(life, name, random.Random(f"{name}{seed}"), over)) for name in "ab"]
    clean = revisions(range(1, ORDERS + 1), EACH)
    spoilt = disturbed(clean, die, reach=6)
    recorder = life.engine("recorder").ledger
    while spoilt:
        number = die.randint(1, 4)
        batch, spoilt = spoilt[:number], spoilt[number:]
        # The lanes it takes are left behind: it dies after the record.
        await recorder.record(life.rows(batch), take=die.random() < 0.5)
        await something_happened(life)
    await at_rest(life)
    over.set()
    await asyncio.gather(*workers)
    return await findings(life, clean) if life.door.struck else ["nothing ever went wrong"]


@pytest.mark.parametrize("retry_after", ["99999999", "Fri, 31 Dec 9999 23:59:59 GMT", "-5", "soon", "1", None])
async def test_no_form_of_retry_after_counts_an_attempt_or_stops_a_lane_for_good(
    pool: Pool, retry_after: str | None
) -> None:
    """F14: an absurd wait is bounded by a quarter of an hour, and a fifth of it so that not everybody comes at once."""
    life = world(REFUSED, 1, pool)
    life.door.share, life.door.faults, life.door.retry_after = 1.0, (Fault.THROTTLED,), retry_after
    engine = life.engine("worker")
    taken = await engine.deliver(life.rows([Revision(1, 1)]))
    await asyncio.wait_for(engine.work(taken.claims), 30)
    # The customer comes before the order, and is throttled first.
    due = "SELECT lane_key, extract(epoch FROM due_at - clock_timestamp()) AS in_s FROM lane WHERE reason = 'THROTTLED'"
    (lane,) = await pool.fetch(due)
    assert lane["in_s"] <= 900 * 1.2
    (effect,) = await pool.fetch("SELECT state, attempts FROM effect WHERE lane_key = $1", lane["lane_key"])
    assert (effect["state"], effect["attempts"]) == ("QUEUED", 0)
