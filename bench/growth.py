"""Cost of an order in a ledger of a thousand effects and in one of a million: the history should not be felt."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import asyncpg

from bench.delivery import events
from bench.installation import TARGET, installation
from bench.report import Progress
from bench.servers import Servers
from consumers.target import build_engine
from tallystick.engine import Engine
from tallystick.flows.router import Router
from tallystick.kafka.codec import encode
from tallystick.ledger.pool import Pool, open_pool
from tallystick.ledger.rows import Row

SMALL, LARGE = 1_000, 1_000_000
BATCH = 500
#: Old effects: done, bound and told of. Their payloads are over their retention but for the newest tenth.
_HISTORY = (
    """INSERT INTO lane (target, lane_key, connection, epoch, next_seq)
    SELECT 'erp', 'woo/old-' || n, 'woo', 1, 2 FROM generate_series(1, $1::integer) AS n""",
    """INSERT INTO effect (target, lane_key, seq, entity_type, entity_id, operation, op_id, kind, revision, state,
        contract_version, external_ref, received_at, claimed_at, intent_at, settled_at, lines)
    SELECT 'erp', 'woo/old-' || n, 1, 'order', 'woo/old-' || n, 'upsert', '1', 'STATE', 1, 'APPLIED', '1+00000000',
        'woo/old-' || n, now(), now(), now(), now(), '["1", "2"]' FROM generate_series(1, $1::integer) AS n""",
    """INSERT INTO payload (target, lane_key, seq, body)
    SELECT 'erp', 'woo/old-' || n, 1, convert_to(repeat('x', 900), 'UTF8')
    FROM generate_series($1::integer * 9 / 10, $1::integer) AS n""",
    """INSERT INTO binding (target, entity_type, entity_id, external_id, number, applied_revision, applied_mark, lines)
    SELECT 'erp', 'order', 'woo/old-' || n, 'erp-' || n, '', 1, 'tallystick woo/old r1.0123456789', '["1", "2"]'
    FROM generate_series(1, $1::integer) AS n""",
    """INSERT INTO event (target, lane_key, seq, entity_type, entity_id, revision, what)
    SELECT 'erp', 'woo/old-' || n, 1, 'order', 'woo/old-' || n, 1, 'applied'
    FROM generate_series(1, $1::integer) AS n""",
)


@dataclass(frozen=True, slots=True)
class GrowthFigures:
    """Milliseconds for an order; the ratio is the median over neighbouring rounds."""

    small_ms: float
    large_ms: float
    ratio: float


@dataclass(slots=True)
class _Book:
    """One ledger with its engine, and the next order that it has not seen."""

    pool: Pool
    engine: Engine
    router: Router
    next: int = 1

    async def cost_ms(self, orders: int) -> float:
        """Deliver so many new orders."""
        batches = [self._rows(min(BATCH, orders - done)) for done in range(0, orders, BATCH)]
        began_s = time.perf_counter()
        for rows in batches:
            result = await self.engine.deliver(rows)
            await self.engine.work(result.claims)
        return (time.perf_counter() - began_s) / orders * 1000

    def _rows(self, number: int) -> Sequence[Row]:
        found = [self.router.row(event, encode(event).value or b"", None) for event in events(number, self.next)]
        self.next += number
        return [row for row in found if row is not None]


async def measure(
    servers: Servers, progress: Progress, *, rounds: int, orders: int, large: int = LARGE
) -> GrowthFigures:
    """Turn by turn, in two databases of one server."""
    progress.step(f"filling one ledger with {SMALL} effects, another with {large}")
    small, big = await _book(servers, SMALL), await _book(servers, large)
    for book in (small, big):
        await book.cost_ms(orders)
    costs: list[tuple[float, float]] = []
    for number in range(rounds):
        progress.step(f"growth, round {number + 1} of {rounds}")
        costs.append((await small.cost_ms(orders), await big.cost_ms(orders)))
    for book in (small, big):
        await book.pool.close()
    one, other = zip(*costs, strict=True)
    return GrowthFigures(median(one), median(other), median(b / a for a, b in costs))


async def _book(servers: Servers, effects: int) -> _Book:
    database = await servers.database()
    connection = await asyncpg.connect(database)
    for statement in _HISTORY:
        await connection.execute(statement, effects, timeout=600)
    await connection.execute("VACUUM ANALYZE", timeout=600)
    # What filling left to write would else be written while the first rounds are measured.
    await connection.execute("CHECKPOINT", timeout=600)
    await connection.close()
    ours = installation(servers.kafka, database, "")
    pool = await open_pool(database, ours.settings.ledger)
    return _Book(pool, build_engine(ours, pool, TARGET), Router(TARGET, ours.plans(TARGET)))
