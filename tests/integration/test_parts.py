"""Parts of an order in the ledger: refunds that come first, that were passed over, that ended with their order."""

from dataclasses import replace

from tallystick.ledger.ledger import Ledger
from tallystick.ledger.objects import ObjectKey, Objects, Seen, Sighting
from tallystick.ledger.pool import Pool
from tallystick.ledger.rows import Claim, EffectState, Intent, Recorded, Row
from tallystick.reasons import HoldReason, NotEligible
from tests.integration.ledger_help import applied, head_of, open_ledger, order, outcome, refund

ORDER, PART = ObjectKey("shop", "order", "1"), ObjectKey("shop", "refund", "9")


async def seen(pool: Pool) -> Objects:
    """The store has shown the order with its refund, and both were published."""
    objects = Objects(pool)
    part = Sighting(PART, b"refund", None, parent="1")
    await objects.accept([Seen(Sighting(ORDER, b"order", None), (part,), started=(await objects.draw())[0])])
    await objects.published([(ORDER, 1), (PART, 1)])
    return objects


async def apply(ledger: Ledger, claim: Claim) -> None:
    head = await head_of(ledger, claim)
    await ledger.intend([Intent(head, "v1", None)])
    await ledger.settle([applied(head)])


async def settle(ledger: Ledger, claim: Claim, state: EffectState, hold: HoldReason | None = None) -> None:
    await ledger.settle([outcome(await head_of(ledger, claim), state, hold=hold)])


async def test_a_part_whose_order_is_not_for_the_target_makes_no_effect(database: str) -> None:
    async with open_ledger(database) as (ledger, pool):
        await seen(pool)
        part = replace(refund(1, "9"), part=True)
        await ledger.record([order(1, not_eligible=NotEligible.UNPAID)])
        assert (await ledger.record([part])).answers == (Recorded.NOT_ELIGIBLE,)
        stranger = replace(refund(2, "9"), part=True)
        assert (await ledger.record([stranger])).answers == (Recorded.MINE,), "its order may still come"


async def test_the_parts_of_an_order_that_becomes_eligible_are_told_again(database: str) -> None:
    """FC-062: they were passed over while it was not."""
    async with open_ledger(database) as (ledger, pool):
        objects = await seen(pool)
        await ledger.record([order(1, not_eligible=NotEligible.UNPAID)])
        assert await objects.unpublished("shop", older_than_s=0) == []
        await ledger.record([order(1, 2)])
        rows = await pool.fetch("SELECT type FROM source_object WHERE published_revision < revision")
        assert [row["type"] for row in rows] == ["refund"]
        await objects.published([(PART, 1)])
        await ledger.record([order(1, 3)])
        assert await objects.unpublished("shop", older_than_s=0) == [], "once"


async def test_an_order_that_comes_late_frees_the_lane_held_for_its_part(database: str) -> None:
    """FC-062: what waited too long for its order goes on when it comes."""
    async with open_ledger(database) as (ledger, _):
        (claim,) = (await ledger.record([refund(1, "9")])).claims
        await settle(ledger, claim, EffectState.QUEUED, HoldReason.PARENT_MISSING)
        assert await ledger.take_due(limit=10, per_connection=10) == ()
        late = await ledger.record([order(1)])
        assert late.answers == (Recorded.MINE,)
        assert (await head_of(ledger, late.claims[0])).entity_type == "order"


async def test_a_hold_for_another_reason_is_not_lifted_by_the_order(database: str) -> None:
    async with open_ledger(database) as (ledger, _):
        (claim,) = (await ledger.record([order(1), refund(1, "9")])).claims
        await apply(ledger, claim)
        await settle(ledger, claim, EffectState.QUEUED, HoldReason.MAPPING)
        assert (await ledger.record([order(1, 2)])).answers == (Recorded.HELD,)


async def test_a_part_that_ended_with_its_order_goes_on_with_it(database: str) -> None:
    """Appended anew, once; its ended effect stays as it is."""
    async with open_ledger(database) as (ledger, pool):
        (claim,) = (await ledger.record([order(1), refund(1, "9")])).claims
        await settle(ledger, claim, EffectState.SUPERSEDED)
        await settle(ledger, claim, EffectState.SUPERSEDED)
        (claim,) = (await ledger.record([order(1, 2)])).claims
        assert (await ledger.record([order(1, 2), refund(1, "9")])).answers == (Recorded.DUPLICATE,) * 2
        await apply(ledger, claim)
        head = await head_of(ledger, claim)
        assert (head.entity_type, head.op_id, head.body, head.seq) == ("refund", "9#4", b"refund", 4)
        await ledger.record([order(1, 3)])
        rows = await pool.fetch("SELECT state FROM effect WHERE entity_type = 'refund' ORDER BY seq")
        assert [row["state"] for row in rows] == ["SUPERSEDED", "QUEUED"]


async def test_a_head_knows_what_was_dealt_with_before(database: str) -> None:
    async with open_ledger(database) as (ledger, _):
        again = replace(refund(1, "9"), op_id="9/2", revision=2, body=b"changed")
        rows: list[Row] = [order(1), refund(1, "9"), again]
        (claim,) = (await ledger.record(rows)).claims
        assert not (await head_of(ledger, claim)).credited
        await apply(ledger, claim)
        assert (await head_of(ledger, claim)).settled_body is None
        await apply(ledger, claim)
        assert (await head_of(ledger, claim)).settled_body == b"refund"
        await settle(ledger, claim, EffectState.SUPERSEDED)
        (claim,) = (await ledger.record([order(1, 2)])).claims
        head = await head_of(ledger, claim)
        assert (head.credited, head.settled_body) == (True, b"1@1")


# ---- returns -----------------------------------------------------------------------------------------------------


def returned(revision: int) -> Row:
    """One revision of a return in the lane of order 1."""
    op_id = "7" if revision == 1 else f"7/{revision}"
    return replace(refund(1, "7"), entity_type="return", op_id=op_id, revision=revision, body=b"r%d" % revision)


async def states(pool: Pool) -> list[tuple[int, str]]:
    rows = await pool.fetch("SELECT revision, state FROM effect WHERE entity_type = 'return' ORDER BY seq")
    return [(row["revision"], row["state"]) for row in rows]


async def booked(ledger: Ledger) -> Claim:
    """The order is in the target, and a return of it is next."""
    (claim,) = (await ledger.record([order(1), returned(1)])).claims
    await apply(ledger, claim)
    return claim


async def test_a_held_return_gives_way_to_its_newer_revision(database: str) -> None:
    """And its lane is free again; a refund in its place would keep it."""
    async with open_ledger(database) as (ledger, pool):
        claim = await booked(ledger)
        await ledger.intend([Intent(await head_of(ledger, claim), "v1", None)])
        await settle(ledger, claim, EffectState.QUEUED, HoldReason.LOCKED)
        later = await ledger.record([returned(2)])
        assert later.answers == (Recorded.MINE,)
        assert (await head_of(ledger, later.claims[0])).revision == 2
        assert await states(pool) == [(1, "SUPERSEDED"), (2, "QUEUED")]


async def test_a_return_in_flight_or_half_made_does_not_give_way(database: str) -> None:
    async with open_ledger(database) as (ledger, pool):
        claim = await booked(ledger)
        await ledger.intend([Intent(await head_of(ledger, claim), "v1", None)])
        await ledger.record([returned(2)])
        assert await states(pool) == [(1, "IN_FLIGHT"), (2, "QUEUED")]
        made = outcome(await head_of(ledger, claim), EffectState.QUEUED)
        await ledger.settle([replace(made, step=1, external_id="77")])
        await ledger.record([returned(3)])
        assert await states(pool) == [(1, "QUEUED"), (2, "SUPERSEDED"), (3, "QUEUED")]


async def test_a_return_that_is_refused_while_a_newer_revision_waits_gives_way(database: str) -> None:
    """It was in flight when that was recorded, and nothing was made of it."""
    async with open_ledger(database) as (ledger, pool):
        claim = await booked(ledger)
        await ledger.intend([Intent(await head_of(ledger, claim), "v1", None)])
        await ledger.record([returned(2)])
        await settle(ledger, claim, EffectState.QUEUED, HoldReason.LOCKED)
        assert await states(pool) == [(1, "SUPERSEDED"), (2, "QUEUED")]
        assert (await head_of(ledger, claim)).revision == 2


async def test_an_older_revision_that_comes_late_makes_nothing(database: str) -> None:
    """Kafka may bring it after a newer one; also where the order of both ended meanwhile, and goes on."""
    async with open_ledger(database) as (ledger, pool):
        (claim,) = (await ledger.record([order(1), returned(2)])).claims
        assert (await ledger.record([returned(1)])).answers == (Recorded.SUPERSEDED,)
        await settle(ledger, claim, EffectState.SUPERSEDED)
        await settle(ledger, claim, EffectState.SUPERSEDED)
        await ledger.record([order(1, 2)])
        assert await states(pool) == [(2, "SUPERSEDED"), (1, "SUPERSEDED"), (2, "QUEUED")]


async def test_what_follows_from_an_outcome_is_recorded_with_it(database: str) -> None:
    """FC-088: in its transaction, behind it, once; and not at all by a holder that lost its lane."""
    async with open_ledger(database) as (ledger, pool):
        (claim,) = (await ledger.record([order(1)])).claims
        await apply(ledger, claim)
        (claim,) = (await ledger.record([order(1, 2)])).claims
        more = replace(refund(1, "2"), entity_type="supplement", entity_id="shop/1/delta/2")
        split = replace(outcome(await head_of(ledger, claim), EffectState.APPLIED), more=(more,))
        lost = replace(split, claim=Claim(claim.lane_key, claim.epoch - 1))
        assert (await ledger.settle([lost])).written == frozenset()
        assert (await ledger.settle([split])).mine == (claim,)
        assert (await ledger.settle([split])).written == frozenset()
        head = await head_of(ledger, claim)
        assert (head.entity_type, head.seq, head.parent_revision) == ("supplement", 3, 1)
        await ledger.record([order(1, 3)])
        await apply(ledger, claim)
        head = await head_of(ledger, claim)
        assert (head.revision, head.applied_revision, head.settled_body) == (3, 1, b"1@2"), "told apart from revision 2"
        assert head.credited
        rows = await pool.fetch("SELECT count(*) AS number FROM effect WHERE entity_type = 'supplement'")
        assert rows[0]["number"] == 1
