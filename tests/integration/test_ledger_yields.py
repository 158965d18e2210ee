"""Lanes of a backfill give way: they are taken by the sweeper alone, and stop to yield when anything else comes in."""

from dataclasses import replace

from tallystick.ledger.rows import Claim, Intent, Recorded, Row
from tests.integration.ledger_help import applied, head_of, open_ledger, order


def past(number: int, revision: int = 1) -> Row:
    """A revision that a backfill found."""
    return replace(order(number, revision), yields=True)


def keys(claims: tuple[Claim, ...]) -> list[str]:
    return sorted(claim.lane_key for claim in claims)


async def test_a_backfill_is_recorded_and_left_to_the_sweeper(database: str) -> None:
    """FC-111: what is new is taken at once, whatever was recorded before it."""
    async with open_ledger(database) as (ledger, _):
        recorded = await ledger.record([past(1), past(2), order(3)])
        assert recorded.answers == (Recorded.QUEUED, Recorded.QUEUED, Recorded.MINE)
        assert await ledger.take_due(limit=10, per_connection=10) == ()
        assert keys(await ledger.take_due(limit=10, per_connection=10, yielding=True)) == ["shop/1", "shop/2"]


async def test_a_new_revision_in_such_a_lane_is_taken_at_once(database: str) -> None:
    async with open_ledger(database) as (ledger, pool):
        await ledger.record([past(1)])
        assert (await ledger.record([order(1, 2)])).answers == (Recorded.MINE,)
        rows = await pool.fetch("SELECT yields FROM lane")
        assert not rows[0]["yields"]


async def test_a_backfill_does_not_slow_a_lane_that_others_wait_in(database: str) -> None:
    async with open_ledger(database) as (ledger, _):
        await ledger.record([order(1)], take=False)
        await ledger.record([past(1, 2)], take=False)
        assert keys(await ledger.take_due(limit=10, per_connection=10)) == ["shop/1"]


async def test_a_lane_at_rest_yields_for_the_next_backfill(database: str) -> None:
    async with open_ledger(database) as (ledger, _):
        (claim,) = (await ledger.record([order(1)])).claims
        head = await head_of(ledger, claim)
        await ledger.intend([Intent(head, "v1", None)])
        await ledger.settle([applied(head)])
        assert (await ledger.record([past(1, 2)])).answers == (Recorded.QUEUED,)
        assert keys(await ledger.take_due(limit=10, per_connection=10, yielding=True)) == ["shop/1"]
