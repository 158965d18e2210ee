"""Stock on its way to both kinds of shop, while processes die at every point between a decision and its outcome (F1).

The shops, the Odoo, their adapters and the servers are those of a flash sale; who dies runs one part of the flow of
stock, and nothing else. One process that runs all lives on, in the test itself. Judged by the shop's own journal.
"""

import asyncio
import random
import re
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters import KINDS
from consumers.main import work
from simulators.faults import Fault, Rule
from simulators.flash import ARRIVED, ERP, SECRET, Stall, judge, open_stall
from tallystick.installation import Addresses, Installation, assemble
from tallystick.ledger.migrate import migrate
from tallystick.ledger.pool import Pool, open_pool
from tallystick.settings import load_settings
from tallystick.stack import Stack
from tests.crash.workers import CRASHED, Workers

ROOT = Path(__file__).parents[2]
#: What dies where: the desk with the store's engine, a member of the books, the reads.
POINTS = {
    "desks": (
        "desk.decided",
        "engine.recorded",
        "desk.told",
        "engine.probed",
        "engine.intended",
        "engine.answered",
        "engine.settling",
        "engine.settled",
    ),
    "books": ("books.recorded",),
    "reads": ("reads.entered",),
}
SKUS = ("LAMP", "CHAIR", "CLOCK", "TABLE")
PIECES = 20
_SECRETS = ("client_secret", "consumer_key", "consumer_secret", "api_key", "webhook_secrets")


@dataclass(slots=True)
class Market:
    """A shop and its Odoo, with the product between them."""

    stall: Stall
    pool: Pool
    workers: Workers
    die: random.Random
    #: In Odoo's warehouse, promised or not.
    there: Counter[str]

    def trade(self) -> None:
        """Of each product some goods arrive, and buyers take some."""
        for sku in SKUS:
            pieces = self.die.randint(1, 3)
            self.there[sku] += pieces
            self.stall.journal.note(ARRIVED, sku, pieces)
            self.stall.odoo.set_stock(sku, "WH", self.there[sku])
            for _ in range(min(self.stall.shown(sku), self.die.randint(0, 2))):
                self.stall.buy(sku)

    def agrees(self) -> bool:
        """Whether the shop shows all that is there and not sold."""
        return all(self.stall.shown(sku) == self.there[sku] - self.sold[sku] for sku in SKUS)

    @property
    def sold(self) -> Counter[str]:
        """Pieces of each product."""
        return Counter(entry.key for entry in self.stall.journal.of("stock sold"))

    async def at_rest(self) -> bool:
        """Nothing is left to be told, booked or looked at."""
        [row] = await self.pool.fetch(
            """SELECT (SELECT count(*) FROM stock_wish) + (SELECT count(*) FROM stock_touch)
               + (SELECT count(*) FROM lane WHERE due_at IS NOT NULL OR owner IS NOT NULL) AS busy"""
        )
        return self.agrees() and not row["busy"]

    def documents(self) -> Counter[str]:
        """How many Odoo has of each of the shop's orders."""
        return Counter(one.external_id.rpartition("__")[2] for one in self.stall.odoo.orders)


@asynccontextmanager
async def open_market(store: str, stack: Stack, dsn: str, folder: Path) -> AsyncIterator[Market]:
    """Everything lies in the warehouse, and the shop shows it."""
    await migrate(dsn)
    async with AsyncExitStack() as exits:
        stall = await exits.enter_async_context(open_stall(store, slow_s=0.0))
        there = Counter(dict.fromkeys(SKUS, PIECES))
        for sku in SKUS:
            stall.odoo.add_product(sku, sku.title(), "10.00")
            stall.odoo.set_stock(sku, "WH", PIECES)
            stall.offer(sku)
        config = _configure(stall, folder)
        pool = await open_pool(dsn)
        exits.push_async_callback(pool.close)
        installation = assemble(load_settings(config), KINDS, Addresses(stack.kafka, dsn))
        exits.push_async_callback(installation.close)
        await exits.enter_async_context(_living(installation))
        environment = {"TALLYSTICK_KAFKA": stack.kafka, "TALLYSTICK_POSTGRES": dsn}
        workers = exits.enter_context(Workers(config, environment, folder))
        market = Market(stall, pool, workers, random.Random(3), there)
        await _until(market, lambda: market.agrees())
        yield market


def _configure(stall: Stall, folder: Path) -> Path:
    contract = ROOT / "contracts" / f"{stall.name}-odoo.yaml"
    route = {"store": stall.name, "erp": ERP, "contract": str(contract), "since": "2020-01-01T00:00:00Z"}
    settings = {
        "connections": {
            stall.name: _with_files(stall.connection, folder),
            ERP: _with_files(stall.erp_connection, folder),
        },
        "routes": [{**route, "flows": {"stock": "live"}}],
        "kafka": {"partitions": 2, "prefix": f"m{uuid.uuid4().hex[:10]}."},
        "work": {"time_scale": 0.2, "poll_every_s": 1.0, "sweep_every_s": 0.2},
    }
    path = folder / "tallystick.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def _with_files(connection: Any, folder: Path) -> dict[str, Any]:
    """As an installation has it: its secrets are files."""
    made = dict(connection)
    for name in set(made) & set(_SECRETS):
        file = folder / f"{made['kind']}-{name}"
        file.write_text(SECRET if name == "webhook_secrets" else made[name])
        given = {"file": str(file)}
        made[name] = [given] if name == "webhook_secrets" else given
    return made


@asynccontextmanager
async def _living(installation: Installation) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(work(installation, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def _until(market: Market, condition: Any, within_s: float = 240.0) -> None:
    async with asyncio.timeout(within_s):
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            market.workers.require_alive()
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(("store", "compares"), [("shopify", True), ("woocommerce", False)])
async def test_no_kill_point_of_stock_sells_a_piece_twice_or_forgets_one(
    stack: Stack, database: str, tmp_path: Path, store: str, compares: bool
) -> None:
    """FC-005, FC-090, FC-091: a shop that compares is never told more than there is, and neither is left too low."""
    async with open_market(store, stack, database, tmp_path) as market:
        stall = market.stall
        stall.faults.rules.append(Rule(Fault.LOST_REPLY, stall.sets_stock, share=0.3))
        doomed = [
            market.workers.start(f"{point}:{market.die.randint(1, 2)}", role)
            for role, points in POINTS.items()
            for point in points
        ]
        while alive := [worker for worker in doomed if worker.running]:
            market.trade()
            await _until(market, lambda: market.agrees() or not all(one.running for one in alive))
        assert {worker.code for worker in doomed} == {CRASHED}
        stall.faults.rules.clear()
        await _until(market, market.at_rest)
        verdict = judge(store, 0, dict.fromkeys(SKUS, PIECES), stall.journal, {sku: stall.shown(sku) for sku in SKUS})
        assert verdict.ok(compares=compares), verdict
        assert verdict.sold == sum(market.sold.values()) > 0
        assert market.documents() == Counter(stall.orders())


def test_the_loop_goes_over_every_point_of_stock() -> None:
    """A point that somebody adds is killed at, too."""
    files = ("consumers/desk.py", "consumers/stock_books.py", "consumers/stock_reads.py")
    named = {name for file in files for name in re.findall(r'reach\("([\w.]+)"\)', (ROOT / file).read_text())}
    assert named == {point for points in POINTS.values() for point in points if not point.startswith("engine.")}
