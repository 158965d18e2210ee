"""Acceptance of sightings on a real Postgres (protocol section 3): which sighting gives which revision."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tallystick.ledger.migrate import migrate
from tallystick.ledger.objects import Accepted, Judgement, ObjectKey, Objects, Seen, Sighting, Verdict
from tallystick.ledger.pool import Pool, open_pool

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ORDER = ObjectKey("woo", "order", "1042")
PUBLISH, SEEN, READ, STALE = Verdict


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    await migrate(database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


@pytest.fixture
def objects(pool: Pool) -> Objects:
    return Objects(pool)


def at(second: int) -> datetime:
    return NINE + timedelta(seconds=second)


def sighting(content: str, second: int | None, key: ObjectKey = ORDER, *, gone: bool = False) -> Sighting:
    return Sighting(
        key,
        hashlib.sha256(content.encode()).digest(),
        None if second is None else at(second),
        gone,
        number="#" + key.id,
    )


def body(content: str, second: int | None, *parts: Sighting) -> Seen:
    return Seen(sighting(content, second), parts)


def read(content: str, second: int | None, started: int, *parts: Sighting, insist: bool = False) -> Seen:
    return Seen(sighting(content, second), parts, started, insist)


def gone(started: int) -> Seen:
    return Seen(sighting("gone", None, gone=True), (), started)


async def take(objects: Objects, seen: Seen) -> Judgement:
    return (await objects.accept([seen]))[0].main


async def row(pool: Pool, key: ObjectKey = ORDER) -> dict[str, object]:
    rows = await pool.fetch("SELECT * FROM source_object WHERE connection = $1 AND type = $2 AND id = $3", *key)
    return dict(rows[0])


async def publish(objects: Objects, revision: int) -> None:
    await objects.published([(ORDER, revision)])


# ---- bodies --------------------------------------------------------------------------------------------------------


async def test_updated_before_created_converges(objects: Objects) -> None:
    """FC-061, FC-115: whichever comes first is the first sighting; the other is a repeated one."""
    assert await take(objects, body("placed", 5)) == (PUBLISH, 1)
    await publish(objects, 1)
    assert await take(objects, body("placed", 5)) == (SEEN, 1)


async def test_a_body_retried_hours_later_is_read_again_never_taken(objects: Objects) -> None:
    """FC-064: it carries its original, now old, payload."""
    await take(objects, body("placed", 0))
    assert await take(objects, body("paid", 60)) == (PUBLISH, 2)
    assert await take(objects, body("placed", 0)) == (READ, 2)


async def test_a_tie_with_other_content_is_read(objects: Objects) -> None:
    """One second holds many states."""
    await take(objects, body("a", 1))
    assert await take(objects, body("b", 1)) == (READ, 1)


async def test_a_body_without_a_date_is_read_unless_its_content_is_known(objects: Objects) -> None:
    assert await take(objects, body("a", None)) == (READ, 0)
    [started] = await objects.draw()
    assert await take(objects, read("a", None, started)) == (PUBLISH, 1)
    await publish(objects, 1)
    assert await take(objects, body("a", None)) == (SEEN, 1)
    assert await take(objects, body("b", 7)) == (READ, 1)


async def test_an_older_body_never_moves_the_date_back(objects: Objects, pool: Pool) -> None:
    await take(objects, body("a", 9))
    await take(objects, body("a", 3))
    assert (await row(pool))["source_modified"] == at(9)
    assert await take(objects, body("b", 5)) == (READ, 1)


# ---- reads ---------------------------------------------------------------------------------------------------------


async def test_a_read_that_began_before_a_body_came_in_is_stale(objects: Objects) -> None:
    """Without a new number for the body the old content would get the higher revision."""
    [started] = await objects.draw()
    await take(objects, body("b", 2))
    assert await take(objects, read("a", 1, started)) == (STALE, 1)
    [again] = await objects.draw()
    assert await take(objects, read("b", 2, again)) == (PUBLISH, 1)


async def test_a_read_that_began_before_another_was_accepted_is_stale(objects: Objects) -> None:
    first, second = await objects.draw(2)
    assert await take(objects, read("b", 2, second)) == (PUBLISH, 1)
    assert await take(objects, read("a", 2, first)) == (STALE, 1)


async def test_a_read_that_began_early_counts_if_it_shows_what_is_stored(objects: Objects) -> None:
    """With several readers at work each would outdate the next one, and none would ever end."""
    first, second, third, fourth = await objects.draw(4)
    await take(objects, read("a", 2, fourth))
    await publish(objects, 1)
    assert await take(objects, read("a", 2, first)) == (SEEN, 1)
    # That was an acceptance as any other: what began before it is as stale as it was.
    assert await take(objects, read("b", 2, second)) == (STALE, 1)
    assert await take(objects, read("a", 3, third)) == (STALE, 1)


async def test_equal_content_draws_a_new_number_too(objects: Objects) -> None:
    """a@1 -> b@2 -> a@3: without it the late middle state wins."""
    await take(objects, body("a", 1))
    [started] = await objects.draw()  # this read will return b@2, late
    assert await take(objects, body("a", 3)) == (PUBLISH, 1)
    assert await take(objects, read("b", 2, started)) == (STALE, 1)
    assert await take(objects, body("b", 2)) == (READ, 1)


async def test_a_read_sets_the_date_that_it_saw(objects: Objects, pool: Pool) -> None:
    await take(objects, body("a", 1))
    [started] = await objects.draw()
    assert await take(objects, read("b", 8, started)) == (PUBLISH, 2)
    assert (await row(pool))["source_modified"] == at(8)


async def test_a_replica_that_lags_is_asked_again_but_not_for_ever(objects: Objects, pool: Pool) -> None:
    await take(objects, body("b", 5))
    first, second = await objects.draw(2)
    assert await take(objects, read("a", 4, first)) == (STALE, 1)
    assert await take(objects, read("a", 4, second, insist=True)) == (PUBLISH, 2)
    assert (await row(pool))["source_modified"] == at(4)


async def test_gone_is_a_revision_and_old_bodies_do_not_revive(objects: Objects, pool: Pool) -> None:
    """FC-116: the order was deleted; what was sent before arrives later and is read again, not believed."""
    await take(objects, body("a", 1))
    [started] = await objects.draw()
    assert await take(objects, gone(started)) == (PUBLISH, 2)
    assert await take(objects, body("a", 1)) == (READ, 2)
    assert await take(objects, body("b", 9)) == (READ, 2)
    [again] = await objects.draw()
    assert await take(objects, gone(again)) == (PUBLISH, 2)
    assert (await row(pool))["gone"]
    [revived] = await objects.draw()
    assert await take(objects, read("a", 10, revived)) == (PUBLISH, 3)
    assert not (await row(pool))["gone"]


# ---- publication ---------------------------------------------------------------------------------------------------


async def test_equal_content_is_published_again_until_kafka_had_it(objects: Objects) -> None:
    """A crash between the acceptance and the publication."""
    await take(objects, body("a", 1))
    assert await take(objects, body("a", 1)) == (PUBLISH, 1)
    await publish(objects, 1)
    assert await take(objects, body("a", 1)) == (SEEN, 1)


async def test_late_news_of_an_older_publication_changes_nothing(objects: Objects, pool: Pool) -> None:
    await take(objects, body("a", 1))
    await take(objects, body("b", 2))
    await objects.published([(ORDER, 2), (ORDER, 1)])
    await publish(objects, 1)
    assert (await row(pool))["published_revision"] == 2


async def test_what_was_never_published_is_found(objects: Objects) -> None:
    refund = ObjectKey("woo", "refund", "7")
    part = Sighting(refund, b"r", at(1), parent=ORDER.id)
    await objects.accept([body("a", 1, part), Seen(sighting("x", 1, ObjectKey("woo", "order", "9")))])
    await objects.published([(ORDER, 1), (ObjectKey("woo", "order", "9"), 1)])
    assert await objects.unpublished("woo", older_than_s=0) == [ORDER]
    assert await objects.unpublished("woo", older_than_s=60) == []
    await objects.published([(refund, 1)])
    assert await objects.unpublished("woo", older_than_s=0) == []


# ---- dates ---------------------------------------------------------------------------------------------------------


async def test_a_date_is_settled_until_date_or_content_change(objects: Objects) -> None:
    async def settled() -> bool:
        return (await objects.dates("woo", "order", [ORDER.id]))[ORDER.id].settled

    await take(objects, body("a", 5))
    assert not await settled()
    await objects.settle("woo", "order", {ORDER.id: at(4)})
    assert not await settled()
    await objects.settle("woo", "order", {ORDER.id: at(5)})
    assert await settled()
    await take(objects, body("a", 5))
    assert await settled()
    [started] = await objects.draw()
    await take(objects, read("b", 5, started))
    assert not await settled()


async def test_a_date_is_as_old_as_it_has_been_stored(objects: Objects, pool: Pool) -> None:
    assert await objects.dates("woo", "order", [ORDER.id]) == {}
    await take(objects, body("a", 5))
    await pool.fetch("UPDATE source_object SET dated_at = dated_at - interval '1 hour'")
    await take(objects, body("a", 5))
    assert (await objects.dates("woo", "order", [ORDER.id]))[ORDER.id].for_s > 3000
    await take(objects, body("a", 6))
    assert (await objects.dates("woo", "order", [ORDER.id]))[ORDER.id].for_s < 3000


# ---- parts ---------------------------------------------------------------------------------------------------------


async def test_parts_wait_for_their_order(objects: Objects, pool: Pool) -> None:
    """A refund in a body whose order has to be read is not taken from it."""
    refund = Sighting(ObjectKey("woo", "refund", "7"), b"r", at(1), parent=ORDER.id)
    await take(objects, body("a", 1))
    [answer] = await objects.accept([body("b", 1, refund)])
    assert answer == Accepted(Judgement(READ, 1), (Judgement(READ, 0),))
    [started] = await objects.draw()
    [answer] = await objects.accept([read("b", 1, started, refund)])
    assert answer == Accepted(Judgement(PUBLISH, 2), (Judgement(PUBLISH, 1),))


async def test_a_part_that_cannot_be_used_asks_for_a_read_of_the_whole(objects: Objects) -> None:
    refund = Sighting(ObjectKey("woo", "refund", "7"), b"r", None, parent=ORDER.id)
    [answer] = await objects.accept([body("a", 1, refund)])
    assert answer.main == (PUBLISH, 1)
    assert answer.read_again


async def test_an_object_may_stand_in_a_batch_once(objects: Objects) -> None:
    with pytest.raises(ValueError, match="twice"):
        await objects.accept([body("a", 1), body("b", 2)])


# ---- two connections at once ---------------------------------------------------------------------------------------


async def test_two_replicas_see_an_object_first_at_the_same_moment(objects: Objects) -> None:
    """FC-002, FC-003: one object, one revision."""
    for number in range(20):
        key = ObjectKey("woo", "order", str(number))
        answers = await asyncio.gather(*(objects.accept([Seen(sighting("a", 1, key))]) for _ in range(4)))
        assert {a[0].main for a in answers} == {(PUBLISH, 1)}


async def test_of_two_states_seen_at_once_the_newer_stays(objects: Objects, pool: Pool) -> None:
    for number in range(20):
        key = ObjectKey("woo", "order", str(number))
        first, second = await asyncio.gather(
            objects.accept([Seen(sighting("a", 1, key))]), objects.accept([Seen(sighting("b", 2, key))])
        )
        assert (await row(pool, key))["source_modified"] == at(2)
        # Either a, then b; or b alone, and a is to be read.
        assert (first[0].main, second[0].main) in [((PUBLISH, 1), (PUBLISH, 2)), ((READ, 1), (PUBLISH, 1))]


async def test_overlapping_batches_in_differing_orders_neither_deadlock_nor_lose(objects: Objects, pool: Pool) -> None:
    keys = [ObjectKey("woo", "order", str(number)) for number in range(200)]

    async def worker(seed: int) -> None:
        die = random.Random(seed)
        for second in range(1, 6):
            mine = die.sample(keys, 150)
            batch = [Seen(sighting(f"{seed}@{second}", second * 10 + seed, key)) for key in mine]
            answers = await objects.accept(batch)
            done = [(k, a.main.revision) for k, a in zip(mine, answers, strict=True) if a.main.verdict is PUBLISH]
            await objects.published(done)

    await asyncio.gather(*(worker(seed) for seed in range(4)))
    rows = await pool.fetch("SELECT revision, published_revision, accepted_seq FROM source_object")
    assert len(rows) == len(keys)
    assert all(row["published_revision"] == row["revision"] for row in rows)
    assert len({row["accepted_seq"] for row in rows}) == len(rows)
