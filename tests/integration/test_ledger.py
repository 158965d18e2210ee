"""The transitions of the ledger on a real Postgres (protocol sections 4 to 6)."""

import pytest

from tallystick.ledger.ledger import Ledger
from tallystick.ledger.rows import Claim, EffectState, Intent, Recorded
from tallystick.reasons import HoldReason, NotEligible, WaitReason
from tests.integration.ledger_help import (
    applied,
    expire_leases,
    head_of,
    open_ledger,
    order,
    outcome,
    refund,
)


async def states(pool: object, lane: str = "shop/1") -> list[tuple[int, str]]:
    rows = await pool.fetch("SELECT seq, state FROM effect WHERE lane_key = $1 ORDER BY seq", lane)  # type: ignore[attr-defined]
    return [(row["seq"], row["state"]) for row in rows]


async def lane(pool: object, key: str = "shop/1") -> dict[str, object]:
    return dict((await pool.fetch("SELECT * FROM lane WHERE lane_key = $1", key))[0])  # type: ignore[attr-defined]


async def intend(ledger: Ledger, claim: Claim) -> bool:
    return claim.lane_key in await ledger.intend([Intent(await head_of(ledger, claim), "v1", ("l1",))])


async def test_each_row_is_recorded_once_however_often_it_comes(database: str) -> None:
    """FC-002, FC-003: two deliveries and a poll of one revision are one effect."""
    async with open_ledger(database) as (ledger, pool):
        first = await ledger.record([order(1), order(1), order(2)])
        again = await ledger.record([order(1)])
        assert first.answers == (Recorded.MINE, Recorded.DUPLICATE, Recorded.MINE)
        assert again.answers == (Recorded.DUPLICATE,)
        assert await states(pool) == [(1, "QUEUED")]


async def test_a_newer_revision_supersedes_what_nobody_began_to_send(database: str) -> None:
    async with open_ledger(database) as (ledger, pool):
        await ledger.record([order(1), order(1, 2)])
        assert await states(pool) == [(1, "SUPERSEDED"), (2, "QUEUED")]
        late = await ledger.record([order(1, 3), order(3, 2), order(3, 1)])
        assert late.answers[2] is Recorded.SUPERSEDED, "a revision that comes late is written down and folded"


async def test_an_effect_in_flight_or_in_doubt_is_never_superseded(database: str) -> None:
    async with open_ledger(database) as (ledger, pool):
        (claim,) = (await ledger.record([order(1)])).claims
        assert await intend(ledger, claim)
        result = await ledger.record([order(1, 2)])
        assert result.answers == (Recorded.QUEUED,)
        assert await states(pool) == [(1, "IN_FLIGHT"), (2, "QUEUED")]


async def test_an_intent_for_an_effect_that_was_superseded_meanwhile_is_refused(database: str) -> None:
    async with open_ledger(database) as (ledger, _):
        (claim,) = (await ledger.record([order(1)])).claims
        head = await head_of(ledger, claim)
        await ledger.record([order(1, 2)])
        assert await ledger.intend([Intent(head, "v1", None)]) == set()
        assert (await head_of(ledger, claim)).revision == 2, "the holder reads again and finds the newer one"


async def test_only_the_newest_holder_of_a_lane_may_write(database: str) -> None:
    """FC-006, FC-113: the late result of a former holder changes nothing."""
    async with open_ledger(database) as (ledger, pool):
        (claim,) = (await ledger.record([order(1)])).claims
        old = await head_of(ledger, claim)
        assert await intend(ledger, claim)
        await expire_leases(pool)
        (taken,) = await ledger.take_due(limit=10, per_connection=10)
        assert taken.epoch == claim.epoch + 1
        assert (await ledger.settle([applied(old)])).mine == ()
        assert await ledger.intend([Intent(old, "v1", None)]) == set()
        assert await states(pool) == [(1, "IN_DOUBT")], "what the former holder left in flight is in doubt"
        assert (await lane(pool))["late_until"] is not None


async def test_lanes_that_waited_for_a_place_are_kept_unless_another_took_them(database: str) -> None:
    async with open_ledger(database) as (ledger, pool):
        claims = (await ledger.record([order(1), order(2)])).claims
        await expire_leases(pool)
        taken = await ledger.take_due(limit=1, per_connection=1)
        (kept,) = await ledger.renew(claims)
        assert kept.lane_key != taken[0].lane_key
        assert await ledger.take_due(limit=10, per_connection=10) == ()


async def test_a_lane_is_free_and_idle_when_nothing_is_left(database: str) -> None:
    async with open_ledger(database) as (ledger, pool):
        (claim,) = (await ledger.record([order(1)])).claims
        head = await head_of(ledger, claim)
        await intend(ledger, claim)
        assert (await ledger.settle([applied(head)])).mine == ()
        row = await lane(pool)
        assert (row["owner"], row["lease_until"], row["due_at"], row["reason"]) == (None, None, None, None)
        bound = await ledger.bindings("order", ["shop/1"])
        assert bound == {"shop/1": "17"}


async def test_a_revision_recorded_while_the_lane_is_held_is_seen_by_its_holder(database: str) -> None:
    """One statement for all of it left revision 2 queued with nobody to release it."""
    async with open_ledger(database) as (ledger, _):
        (claim,) = (await ledger.record([order(1)])).claims
        head = await head_of(ledger, claim)
        await intend(ledger, claim)
        await ledger.record([order(1, 2)])
        assert (await ledger.settle([applied(head)])).mine == (claim,)
        assert (await head_of(ledger, claim)).revision == 2


async def test_a_hold_waits_for_a_person_and_gives_way_to_a_newer_revision(database: str) -> None:
    async with open_ledger(database) as (ledger, pool):
        (claim,) = (await ledger.record([order(1)])).claims
        head = await head_of(ledger, claim)
        await ledger.settle([outcome(head, EffectState.QUEUED, hold=HoldReason.DATA)])
        row = await lane(pool)
        assert (row["reason"], row["due_at"], row["held_seq"]) == ("DATA", None, 1)
        assert (await ledger.record([refund(1, "9")])).answers == (Recorded.HELD,), "deltas wait behind it"
        result = await ledger.record([order(1, 2)])
        assert result.answers == (Recorded.MINE,)
        assert (await lane(pool))["reason"] is None


async def test_an_outcome_that_would_hold_gives_way_to_a_revision_that_came_meanwhile(database: str) -> None:
    async with open_ledger(database) as (ledger, pool):
        (claim,) = (await ledger.record([order(1)])).claims
        head = await head_of(ledger, claim)
        await intend(ledger, claim)
        await ledger.record([order(1, 2)])
        held = outcome(head, EffectState.QUEUED, was=EffectState.IN_FLIGHT, hold=HoldReason.DATA)
        assert (await ledger.settle([held])).mine == (claim,)
        assert await states(pool) == [(1, "SUPERSEDED"), (2, "QUEUED")]


async def test_what_was_throttled_or_goes_on_to_its_next_step_gives_way_as_well(database: str) -> None:
    """A confirmation of the older content would lock the document against the newer one."""
    async with open_ledger(database) as (ledger, pool):
        claims = (await ledger.record([order(1), order(2)])).claims
        throttled, stepped = [await head_of(ledger, claim) for claim in claims]
        assert [await intend(ledger, claim) for claim in claims] == [True, True]
        await ledger.record([order(1, 2), order(2, 2)])
        was = EffectState.IN_FLIGHT
        waits = outcome(throttled, EffectState.QUEUED, was=was, wait=WaitReason.THROTTLED, due_in_s=3600)
        goes_on = outcome(stepped, EffectState.QUEUED, was=was, step=1, external_id="17")
        assert (await ledger.settle([waits, goes_on])).mine == (stepped.claim,)
        for claim in claims:
            assert await states(pool, claim.lane_key) == [(1, "SUPERSEDED"), (2, "QUEUED")]
        newer = await head_of(ledger, stepped.claim)
        assert (newer.revision, newer.external_id) == (2, "17")


async def test_an_effect_in_doubt_keeps_its_doubt_when_it_is_held(database: str) -> None:
    async with open_ledger(database) as (ledger, pool):
        (claim,) = (await ledger.record([order(1)])).claims
        head = await head_of(ledger, claim)
        await intend(ledger, claim)
        await ledger.record([order(1, 2)])
        held = outcome(
            head, EffectState.IN_DOUBT, was=EffectState.IN_FLIGHT, hold=HoldReason.IN_DOUBT_NO_LOOKUP, doubt=True
        )
        assert (await ledger.settle([held])).mine == ()
        assert await states(pool) == [(1, "IN_DOUBT"), (2, "QUEUED")]
        assert (await lane(pool))["reason"] == "IN_DOUBT_NO_LOOKUP"


async def test_a_doubt_sets_the_late_window_and_only_its_proof_clears_it(database: str) -> None:
    async with open_ledger(database) as (ledger, pool):
        (claim,) = (await ledger.record([order(1)])).claims
        head = await head_of(ledger, claim)
        await intend(ledger, claim)
        await ledger.settle([outcome(head, EffectState.IN_DOUBT, was=EffectState.IN_FLIGHT, doubt=True)])
        doubted = await head_of(ledger, claim)
        assert doubted.state is EffectState.IN_DOUBT
        assert doubted.late_for_s > 60
        assert doubted.intents == 1
        assert doubted.doubt_age_s is not None
        await ledger.settle([outcome(doubted, EffectState.QUEUED, step=1, external_id="17", clear_late=True)])
        assert (await head_of(ledger, claim)).late_for_s <= 0
        assert (await lane(pool))["late_until"] is None


@pytest.mark.parametrize("may_undo", [True, False])
async def test_only_what_could_undo_newer_content_opens_the_late_window(database: str, may_undo: bool) -> None:
    """Lost at a worker that lives, and at one that died: a mark that the target compares cannot come too late."""
    async with open_ledger(database) as (ledger, pool):
        claims = (await ledger.record([order(1), order(2)])).claims
        heads, _ = await ledger.heads(claims)
        await ledger.intend([Intent(head, "v1", None, may_undo) for head in heads])
        await ledger.settle([outcome(heads[0], EffectState.IN_DOUBT, was=EffectState.IN_FLIGHT, doubt=True)])
        await expire_leases(pool)
        taken = await ledger.take_due(limit=10, per_connection=10)
        windows = {head.claim.lane_key: head.late_for_s > 60 for head in (await ledger.heads(taken))[0]}
        assert windows == {"shop/1": may_undo, "shop/2": may_undo}


async def test_while_the_order_was_never_applied_its_state_goes_before_every_delta(database: str) -> None:
    """FC-062: a refund that is recorded first waits behind its order, whatever their places."""
    async with open_ledger(database) as (ledger, _):
        (claim,) = (await ledger.record([refund(1, "9")])).claims
        first = await head_of(ledger, claim)
        assert first.entity_type == "refund"
        assert first.parent_revision is None
        await ledger.record([order(1)])
        head = await head_of(ledger, claim)
        assert head.entity_type == "order"
        await intend(ledger, claim)
        assert (await ledger.settle([applied(head)])).mine == (claim,)
        assert (await head_of(ledger, claim)).entity_type == "refund"


async def test_a_waiting_lane_is_due_again_by_itself(database: str) -> None:
    async with open_ledger(database) as (ledger, pool):
        (claim,) = (await ledger.record([order(1)])).claims
        head = await head_of(ledger, claim)
        waits = outcome(head, EffectState.QUEUED, wait=WaitReason.THROTTLED, due_in_s=3600)
        assert (await ledger.settle([waits])).mine == ()
        assert await ledger.take_due(limit=10, per_connection=10) == ()
        await pool.fetch("UPDATE lane SET due_at = clock_timestamp()")
        (again,) = await ledger.take_due(limit=10, per_connection=10)
        assert again.epoch == claim.epoch + 1
        assert (await lane(pool))["reason"] is None


async def test_what_is_not_eligible_makes_no_effect_until_its_lane_has_a_history(database: str) -> None:
    async with open_ledger(database) as (ledger, pool):
        insert = (
            "INSERT INTO source_object (connection, type, id, revision, content_hash, accepted_seq)"
            " VALUES ('shop', 'order', $1, 1, '', 1)"
        )
        await pool.fetch(insert, "1")
        draft = await ledger.record([order(1, not_eligible=NotEligible.DRAFT)])
        assert draft.answers == (Recorded.NOT_ELIGIBLE,)
        assert (await pool.fetch("SELECT not_eligible FROM source_object"))[0]["not_eligible"] == "DRAFT"
        placed = await ledger.record([order(1, 2)])
        assert placed.answers == (Recorded.MINE,)
        assert (await pool.fetch("SELECT not_eligible FROM source_object"))[0]["not_eligible"] is None
        cancelled = await ledger.record([order(1, 3, not_eligible=NotEligible.CANCELLED)])
        assert cancelled.answers == (Recorded.QUEUED,), "an order with a history is told of its cancellation"


async def test_paused_sources_are_recorded_and_not_taken(database: str) -> None:
    async with open_ledger(database) as (ledger, _):
        await ledger.pause("shop", HoldReason.MAPPING, 60)
        assert (await ledger.record([order(1)])).answers == (Recorded.QUEUED,)
        assert await ledger.take_due(limit=10, per_connection=10) == ()
        assert await ledger.unfinished(100) == 0


async def test_the_sweeper_serves_every_source_in_turn(database: str) -> None:
    async with open_ledger(database) as (ledger, _):
        rows = [order(number) for number in range(50)]
        await ledger.record(rows, take=False)
        assert len(await ledger.take_due(limit=100, per_connection=20)) == 20
        assert len(await ledger.take_due(limit=100, per_connection=40)) == 30


async def test_lines_that_any_intent_carried_are_remembered(database: str) -> None:
    """A lost load may have left a line behind that the next revision no longer has."""
    async with open_ledger(database) as (ledger, _):
        (claim,) = (await ledger.record([order(1)])).claims
        head = await head_of(ledger, claim)
        await ledger.intend([Intent(head, "v1", ("a", "b"))])
        await ledger.settle([outcome(head, EffectState.SUPERSEDED, was=EffectState.IN_FLIGHT, doubt=True)])
        (claim,) = (await ledger.record([order(1, 2)])).claims
        assert set((await head_of(ledger, claim)).lines) == {"a", "b"}


async def test_a_drained_lane_is_due_at_once(database: str) -> None:
    async with open_ledger(database) as (ledger, _):
        (claim,) = (await ledger.record([order(1)])).claims
        await ledger.release([claim])
        (again,) = await ledger.take_due(limit=10, per_connection=10)
        assert again.lane_key == "shop/1"


@pytest.mark.parametrize("size", [1, 500])
async def test_recording_takes_the_same_number_of_statements_for_any_batch(database: str, size: int) -> None:
    async with open_ledger(database) as (ledger, pool):
        statements: list[str] = []
        async with pool._pool.acquire() as connection:
            connection.add_query_logger(lambda query: statements.append(query.query))
            async with connection.transaction():
                await ledger.record_in(connection, [order(number) for number in range(size)], take=True)
        assert len([text for text in statements if "lane" in text or "pause" in text]) == 6
