"""What the ERP may do wrong while three workers run: nothing is lost, doubled, overtaken or left lying (F11 to F18)."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

import pytest

from simulators.faults import Fault, Rule
from tests.crash.arena import LATE_S, SCALE, Arena
from tests.crash.orders import Revision, disturbed, revisions
from tests.doubles.plain_erp import PlainErp

WRITES = "*.write|*.confirm"
#: Of the window in which a given-up request may still land.
MOST_OF_THE_WINDOW_S = LATE_S * SCALE * 0.9


@pytest.fixture(autouse=True)
async def honest_again(crowd: Arena) -> AsyncIterator[None]:
    """Faults end with their test."""
    yield
    crowd.spoil()


async def deliver(crowd: Arena, orders: int, each: int, seed: int) -> list[int]:
    """Some orders with some revisions, twice and out of order, until everything is at rest and judged."""
    chosen = crowd.orders(orders)
    await crowd.produce(disturbed(revisions(chosen, each), random.Random(seed)))
    await crowd.settled()
    await crowd.judge()
    return chosen


def struck(crowd: Arena, *faults: Fault) -> None:
    """The test was one: each fault really happened at each target."""
    for name, erp in crowd.erps.items():
        for fault in faults:
            assert erp.faults.struck[fault], f"{name} never did this: {fault}"


async def test_replies_lost_after_the_commit(crowd: Arena) -> None:
    """FC-001, FC-013"""
    crowd.spoil(Rule(Fault.LOST_REPLY, WRITES, every=3))
    await deliver(crowd, 40, 2, seed=1)
    struck(crowd, Fault.LOST_REPLY)


async def test_requests_that_are_applied_after_they_were_given_up(crowd: Arena) -> None:
    """FC-008: by the same share some are never applied; neither tells which."""
    crowd.spoil(
        Rule(Fault.LATE_APPLY, WRITES, every=4, seconds=MOST_OF_THE_WINDOW_S),
        Rule(Fault.NEVER_APPLIED, WRITES, every=5),
    )
    await deliver(crowd, 40, 3, seed=2)
    struck(crowd, Fault.LATE_APPLY, Fault.NEVER_APPLIED)


async def test_successes_that_are_none(crowd: Arena) -> None:
    """F17: a 200 with a page or with half an answer proves nothing."""
    crowd.spoil(Rule(Fault.HTML_ANSWER, WRITES, every=3), Rule(Fault.CUT_JSON, WRITES, every=4))
    await deliver(crowd, 30, 2, seed=3)
    struck(crowd, Fault.HTML_ANSWER, Fault.CUT_JSON)


async def test_throttling_in_every_form_counts_no_attempt(crowd: Arena) -> None:
    """F14, FC-037: seconds, a date, nothing, nonsense. The absurd one is bounded, see `test_engine_in_process`."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    forms = ("0.3", soon, None, "as soon as you can", "-5")
    crowd.spoil(*(Rule(Fault.THROTTLED, WRITES, first=2, retry_after=form) for form in forms))
    chosen = await deliver(crowd, 30, 1, seed=4)
    struck(crowd, Fault.THROTTLED)
    keys = [Revision(number, 1).key for number in chosen]
    counted = await crowd.pool.fetch("SELECT max(attempts) AS most FROM effect WHERE lane_key = ANY ($1)", keys)
    assert counted[0]["most"] == 1, "only the request that succeeded is an attempt"


async def test_an_erp_that_is_down_is_one_open_circuit_and_drains_afterwards(crowd: Arena) -> None:
    """FC-041 scaled, FC-046, F15: no order fails for good, none is lost, and the ERP is not hammered meanwhile."""
    down = True
    crowd.spoil(Rule(Fault.SERVER_ERROR, "*", while_true=lambda: down))
    waiting = crowd.orders(300)
    await crowd.produce(revisions(waiting, 1))
    for name, erp in crowd.erps.items():
        await crowd.until(partial(_circuit_is_open, crowd, name))
        assert await crowd.applied(name, waiting) == 0
        # Three workers with three failures each before they know; then trials whose distance doubles.
        assert erp.faults.struck[Fault.SERVER_ERROR] < 150
    down = False
    await crowd.settled()
    await crowd.judge()
    assert not await crowd.pool.fetch("SELECT FROM effect WHERE state = 'IN_DOUBT'")


async def _circuit_is_open(crowd: Arena, target: str) -> bool:
    return bool(await crowd.pool.fetch("SELECT FROM circuit WHERE target = $1", target))


async def test_a_slow_erp_is_never_asked_twice_at_a_time(crowd: Arena) -> None:
    """F16: answers that take their time, or come byte by byte."""
    crowd.spoil(
        Rule(Fault.SLOW, WRITES, every=2, seconds=0.5),
        Rule(Fault.DRIP_FEED, WRITES, every=3, seconds=0.5),
    )
    await deliver(crowd, 30, 3, seed=5)
    struck(crowd, Fault.SLOW, Fault.DRIP_FEED)


async def test_a_store_that_repeats_itself_makes_few_writes(crowd: Arena) -> None:
    """FC-103: hundreds of updates of one order are folded; the ERP sees a bounded number of them."""
    (number,) = crowd.orders(1)
    await crowd.produce([Revision(number, revision) for revision in range(1, 501)])
    await crowd.settled()
    for history in await crowd.judge():
        key = Revision(number, 1).key
        assert sum(request.key == key and request.step == "write" for request in history.requests) < 100


async def test_a_poisoned_order_waits_alone(crowd: Arena) -> None:
    """FC-067, FC-045: the head of one key and its hundred followers are refused; all other keys flow meanwhile.

    The refusal is final: each revision is tried once. A correction that the ERP takes frees the lane.
    """
    (poison, *others) = crowd.orders(40)
    key = Revision(poison, 1).key
    for erp in crowd.erps.values():
        erp.refuses.add(key)
    crowd.held[key] = "DATA"
    followers = [Revision(poison, revision) for revision in range(1, 102)]
    await crowd.produce([followers[0], *revisions(others, 2), *followers[1:]])
    await crowd.settled()
    for history in await crowd.judge():
        tried = [request.revision for request in history.requests if request.key == key]
        assert len(tried) == len(set(tried)), "a refusal by the content is no reason to try again"
    for erp in crowd.erps.values():
        erp.refuses.clear()
    del crowd.held[key]
    await crowd.produce([Revision(poison, 102)])
    await crowd.settled()
    await crowd.judge()


async def test_a_document_that_is_busy_for_a_moment_is_not_held(crowd: Arena) -> None:
    """FC-046: a passing refusal is tried again, and nothing behind it is lost."""
    (number,) = crowd.orders(1)
    key = Revision(number, 1).key
    for erp in crowd.erps.values():
        erp.busy.add(key)
    await crowd.produce([Revision(number, 1)])
    for erp in crowd.erps.values():
        await crowd.until(partial(_was_busy, erp, key))
        erp.busy.clear()
    await crowd.settled()
    await crowd.judge()


async def _was_busy(erp: PlainErp, key: str) -> bool:
    return any(entry.key == key for entry in erp.journal.of("busy"))
