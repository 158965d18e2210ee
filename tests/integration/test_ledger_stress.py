"""Two connections against one another: the exhaustive search takes transitions as atomic, Postgres does not.

A consumer records batches in random order while two workers take, intend and settle the same lanes. Whatever the
interleaving: nobody deadlocks for good, one holder a lane, no lane is stranded, every effect ends.
"""

import asyncio
import random

import asyncpg
import pytest

from tallystick.ledger.ledger import Ledger
from tallystick.ledger.pool import Connection, Pool
from tallystick.ledger.rows import Claim, Intent, Row
from tests.integration.ledger_help import LATE_S, TIMING, applied, open_ledger, order

LANES, REVISIONS, SEED = 60, 6, 20261124


def _batches(die: random.Random) -> list[list[Row]]:
    """Every revision twice, shuffled: late, repeated and out of order."""
    rows = [order(lane, revision) for lane in range(LANES) for revision in range(1, REVISIONS + 1)] * 2
    die.shuffle(rows)
    return [rows[start : start + 40] for start in range(0, len(rows), 40)]


async def _record_all(ledger: Ledger, batches: list[list[Row]], taken: asyncio.Queue[tuple[Claim, ...]]) -> None:
    for batch in batches:
        await taken.put((await ledger.record(batch)).claims)


async def _work(ledger: Ledger, taken: asyncio.Queue[tuple[Claim, ...]], done: asyncio.Event) -> None:
    while not done.is_set() or not taken.empty():
        try:
            claims = list(taken.get_nowait())
        except asyncio.QueueEmpty:
            claims = list(await ledger.take_due(limit=50, per_connection=50))
        while claims:
            heads, idle = await ledger.heads(claims)
            await ledger.release(idle)
            granted = await ledger.intend([Intent(head, "v1", None) for head in heads])
            again = [head.claim for head in heads if head.claim.lane_key not in granted]
            settled = await ledger.settle([applied(head) for head in heads if head.claim.lane_key in granted])
            claims = [*settled.mine, *again]
        await asyncio.sleep(0)


async def _until_idle(pool: Pool) -> None:
    while (await pool.fetch("SELECT count(*) AS n FROM lane WHERE due_at IS NOT NULL"))[0]["n"]:
        await asyncio.sleep(0.05)


async def test_no_interleaving_of_two_connections_strands_a_lane(database: str) -> None:
    die = random.Random(SEED)
    async with open_ledger(database) as (ledger, pool):
        other = Ledger(pool, "erp", "worker-2", TIMING, LATE_S)
        taken: asyncio.Queue[tuple[Claim, ...]] = asyncio.Queue()
        done = asyncio.Event()
        workers = [asyncio.create_task(_work(one, taken, done)) for one in (ledger, other)]
        half = _batches(die)
        middle = len(half) // 2
        await asyncio.gather(_record_all(ledger, half[:middle], taken), _record_all(other, half[middle:], taken))
        await asyncio.wait_for(_until_idle(pool), 120)
        done.set()
        await asyncio.gather(*workers)
        unfinished = await pool.fetch("SELECT * FROM effect WHERE state IN ('QUEUED', 'IN_FLIGHT', 'IN_DOUBT')")
        stranded = await pool.fetch("SELECT * FROM lane WHERE owner IS NOT NULL OR due_at IS NOT NULL")
        newest = await pool.fetch("SELECT applied_revision FROM binding")
        assert not unfinished
        assert not stranded
        assert [row["applied_revision"] for row in newest] == [REVISIONS] * LANES


async def _lock_pair(dsn: str, keys: list[str], ordered: bool) -> None:
    """Lock lanes one by one as an UPDATE in that order would."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            for key in sorted(keys) if ordered else keys:
                await connection.execute("SELECT FROM lane WHERE lane_key = $1 FOR UPDATE", key)
                await asyncio.sleep(0.01)
    finally:
        await connection.close()


async def test_a_process_that_is_frozen_inside_a_transaction_loses_its_locks(database: str) -> None:
    """F2: it is stopped where it holds the lane's row; others record there before it wakes."""
    async with open_ledger(database) as (ledger, pool):
        await ledger.record([order(1)])
        sleepy = Pool(pool._pool, idle_max_s=0.2)

        async def freeze(connection: Connection) -> None:
            await connection.execute("SELECT FROM lane FOR UPDATE")
            await asyncio.wait_for(ledger.record([order(1, 2)]), 30)
            await connection.execute("SELECT 1")

        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await sleepy.run(freeze)
        assert len(await pool.fetch("SELECT FROM effect")) == 2


async def test_a_transaction_that_is_cancelled_anywhere_leaves_none_open(database: str) -> None:
    """Workers are cancelled when they stop; their connections go on."""
    die = random.Random(SEED)
    open_ones = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    async with open_ledger(database) as (ledger, pool):
        for number in range(200):
            recording = asyncio.create_task(ledger.record([order(number % 5, number)]))
            await asyncio.sleep(die.uniform(0, 0.004))
            recording.cancel()
            await asyncio.wait([recording])
        assert not await pool.fetch(open_ones)


@pytest.mark.parametrize("ordered", [True, False])
async def test_key_order_is_what_keeps_two_transactions_from_deadlock(database: str, ordered: bool) -> None:
    """The ablation: the same locks in shuffled order deadlock."""
    async with open_ledger(database) as (ledger, _):
        await ledger.record([order(number) for number in range(8)], take=False)
        keys = [f"shop/{number}" for number in range(8)]
        results = await asyncio.gather(
            _lock_pair(database, keys, ordered),
            _lock_pair(database, keys[::-1], ordered),
            return_exceptions=True,
        )
        deadlocks = [result for result in results if isinstance(result, asyncpg.DeadlockDetectedError)]
        assert len(deadlocks) == (0 if ordered else 1)
