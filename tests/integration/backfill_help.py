"""The whole product between an archive and a plain ERP: what is walked through, what arrives, in which order."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import yaml

from consumers.backfill import Backfills, Source
from consumers.main import work
from simulators.serving import serve
from tallystick.canonical.keys import order_key
from tallystick.installation import Addresses, Installation, assemble
from tallystick.intake.door import Arrival, Door
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.producer import Producer
from tallystick.ledger.cursors import Cursors
from tallystick.ledger.migrate import migrate
from tallystick.ledger.objects import Objects
from tallystick.ledger.operations import Operations, Wanted
from tallystick.ledger.pending import PendingDeliveries
from tallystick.ledger.pool import Pool, open_pool
from tallystick.settings import load_settings
from tallystick.stack import Stack
from tallystick.v1 import event_pb2, operation_pb2
from tests.doubles import archive_store, plain_adapter
from tests.doubles.archive_store import FIRST, ArchiveStore, at, reading
from tests.doubles.plain_erp import PlainErp
from tests.unit.contract.written import rules

KINDS = (archive_store.KIND, plain_adapter.KIND)
#: A lease of a backfill is 1.2 s.
SCALE = 0.02
RUNNING = operation_pb2.OPERATION_STATE_RUNNING


@dataclass
class Yard:
    """Open it with `open_yard`; nothing runs yet."""

    installation: Installation
    config: Path
    dsn: str
    pool: Pool
    producer: Producer
    erp: PlainErp
    operations: Operations = field(init=False)

    def __post_init__(self) -> None:
        self.operations = Operations(self.pool)

    @property
    def store(self) -> ArchiveStore:
        """The archive of this process."""
        store: ArchiveStore = self.installation.adapters["shop"]
        return store

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All loops of the product."""
        stop, started = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(work(self.installation, stop, started.set))
        waiting = asyncio.create_task(started.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        try:
            yield
        finally:
            waiting.cancel()
            stop.set()
            await task

    def backfills(self) -> Backfills:
        """One more feeder."""
        objects = Objects(self.pool)
        return Backfills(
            self.pool,
            {"shop": Source(self.store, ("erp",))},
            objects,
            Door(objects, self.producer),
            PendingDeliveries(self.pool),
            self.installation.clock,
            scale=SCALE,
        )

    async def ask(self, first: int, last: int, request_id: str = "") -> str:
        """A backfill of the orders with these numbers; its id."""
        wanted = Wanted(connection="shop", since=at(first), until=at(last), from_store=True)
        operation = await self.operations.create(request_id or uuid.uuid4().hex, wanted, "Ada", "")
        return operation.operation_id

    async def operation(self, name: str) -> operation_pb2.Operation:
        """As it stands."""
        found = await self.operations.get(name)
        assert found is not None
        return found

    async def ended(self, name: str) -> operation_pb2.Operation:
        """Once it has ended."""

        async def over() -> bool:
            return (await self.operation(name)).state != RUNNING

        await self.until(over)
        return await self.operation(name)

    async def sell(self, number: int) -> None:
        """A new order comes in, as by a webhook."""
        now = datetime.now(UTC)
        arrival = Arrival("shop", reading("shop", number, now), event_pb2.ORIGIN_WEBHOOK, now)
        await Door(Objects(self.pool), self.producer).enter([arrival])

    def documents(self) -> list[int]:
        """Numbers of the orders in the ERP, in the order in which they were made."""
        made = [one.key for one in self.erp.journal.of("created") if one.detail["kind"] == "orders"]
        return [int(key.rpartition("/")[2]) for key in made]

    async def finished(self, number: int) -> bool:
        """Whether an order is in the ERP with nothing left to do for it."""
        key = order_key("shop", str(number))
        rows = await self.pool.fetch(
            "SELECT FROM binding b JOIN lane l USING (target) WHERE b.entity_id = $1 AND b.applied_revision IS NOT NULL"
            " AND l.lane_key = $1 AND l.due_at IS NULL",
            key,
        )
        return bool(rows)

    async def until(self, condition: Callable[[], Awaitable[bool]], within_s: float = 240) -> None:
        """Until the condition holds."""
        async with asyncio.timeout(within_s):
            while not await condition():
                await asyncio.sleep(0.05)

    async def process(self, crash_at: str = "") -> asyncio.subprocess.Process:
        """The product in a process of its own, which may end at a crash point."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.integration.backfill_process"),
            str(self.config),
            self.installation.addresses.kafka,
            self.dsn,
            env={**os.environ, "TALLYSTICK_CRASH_AT": crash_at},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )


@asynccontextmanager
async def open_yard(
    stack: Stack, dsn: str, folder: Path, *, orders: int, since: datetime = FIRST, **erp: object
) -> AsyncIterator[Yard]:
    """An archive of so many orders, and an ERP that knows none of them."""
    await migrate(dsn)
    books = PlainErp()
    async with serve(books.application()) as url:
        config = _configure(folder, orders, since, {"url": url, "late_apply_max_s": 5, "search_lag_max_s": 5, **erp})
        installation = assemble(load_settings(config), KINDS, Addresses(stack.kafka, dsn))
        await ensure_topics(stack.kafka, installation.settings.kafka)
        pool = await open_pool(dsn)
        producer = Producer(stack.kafka, prefix=installation.settings.kafka.prefix)
        await producer.start()
        # Polls have been here: what they have passed is what a backfill is for.
        await Cursors(pool).advance("shop", "orders", datetime.now(UTC))
        try:
            yield Yard(installation, config, dsn, pool, producer, books)
        finally:
            await producer.stop()
            await pool.close()
            await installation.close()


def _configure(folder: Path, orders: int, since: datetime, erp: dict[str, object]) -> Path:
    (folder / "contract.yaml").write_text(rules())
    settings = {
        "connections": {"shop": {"kind": "archive", "orders": orders}, "erp": {"kind": "plain", **erp}},
        "routes": [{"store": "shop", "erp": "erp", "contract": "contract.yaml", "since": since.isoformat()}],
        "kafka": {"prefix": f"b{uuid.uuid4().hex[:10]}.", "partitions": 2},
        "work": {"time_scale": SCALE, "poll_every_s": 3600, "sweep_every_s": 0.05},
    }
    path = folder / "tallystick.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path
