"""Deliveries that wait, and the cursors of pollers, on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tallystick.ledger.cursors import Cursors
from tallystick.ledger.migrate import migrate
from tallystick.ledger.pending import PendingDeliveries, PendingReason, Waiting
from tallystick.ledger.pool import Pool, open_pool

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    await migrate(database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


@pytest.fixture
def pending(pool: Pool) -> PendingDeliveries:
    return PendingDeliveries(pool)


def waiting(number: int, connection: str = "woo", due_in_s: float = 0) -> Waiting:
    return Waiting(
        connection,
        f"{connection}/{number}",
        b"\x00 not JSON \xff",
        {"x-wc-webhook-topic": "order.updated", "odd": "\u2028 ê"},
        PendingReason.STORE_DOWN,
        NINE,
        due_in_s=due_in_s,
    )


async def test_bytes_and_headers_come_back_exactly(pending: PendingDeliveries) -> None:
    await pending.put([waiting(1)])
    [found] = await pending.claim("woo", 10, lease_s=60)
    assert (found.raw, found.headers, found.received_at) == (waiting(1).raw, waiting(1).headers, NINE)
    assert (found.object_key, found.reason, found.attempts) == ("woo/1", PendingReason.STORE_DOWN, 1)


async def test_each_due_delivery_goes_to_one_taker(pending: PendingDeliveries) -> None:
    await pending.put([waiting(number) for number in range(100)])
    takers = await asyncio.gather(*(pending.claim("woo", 30, lease_s=60) for _ in range(5)))
    taken = [row.id for rows in takers for row in rows]
    assert len(taken) == len(set(taken)) == 100


async def test_a_taker_that_dies_gives_its_deliveries_back(pending: PendingDeliveries) -> None:
    await pending.put([waiting(1)])
    await pending.claim("woo", 10, lease_s=0)
    [again] = await pending.claim("woo", 10, lease_s=60)
    assert again.attempts == 2
    assert await pending.claim("woo", 10, lease_s=60) == []


async def test_connections_do_not_take_each_others_turn(pending: PendingDeliveries) -> None:
    await pending.put([waiting(number, "loud") for number in range(50)] + [waiting(1, "quiet")])
    assert [row.object_key for row in await pending.claim("quiet", 10, lease_s=60)] == ["quiet/1"]


async def test_done_leaves_and_later_waits(pending: PendingDeliveries) -> None:
    await pending.put([waiting(1), waiting(2), waiting(3, due_in_s=3600)])
    one, two = await pending.claim("woo", 10, lease_s=60)
    await pending.done([one.id])
    await pending.later([(two.id, PendingReason.THROTTLED, "HTTP 429", 0.0)])
    [again] = await pending.claim("woo", 10, lease_s=60)
    assert (again.id, again.reason) == (two.id, PendingReason.THROTTLED)
    backlog = {(b.reason, b.number) for b in await pending.backlog()}
    assert backlog == {("STORE_DOWN", 1), ("THROTTLED", 1)}


async def test_a_cursor_goes_forward_only_until_somebody_rewinds_it(pool: Pool) -> None:
    cursors = Cursors(pool)
    assert await cursors.load("woo", "orders") is None
    await cursors.advance("woo", "orders", NINE)
    await cursors.advance("woo", "orders", NINE - timedelta(hours=1))
    assert await cursors.load("woo", "orders") == NINE
    await cursors.rewind("woo", NINE - timedelta(days=1))
    assert await cursors.load("woo", "orders") == NINE - timedelta(days=1)
