"""The pace of a connection: permits, what a throttled answer teaches, how many at a time, and who goes first."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tallystick.clock import SystemClock
from tallystick.pacing import SLOWEST, Pacer, spread, yielding


class Clock(SystemClock):
    """Moved by hand."""

    now_s = 1000.0

    def monotonic_s(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pacer(clock: Clock, *, rate_per_s: float = 10, burst: float = 10, parallel: int = 50) -> Pacer:
    return Pacer(clock, rate_per_s=rate_per_s, burst=burst, parallel=parallel)


def sent(pace: Pacer, clock: Clock, seconds: float, step_s: float = 0.05) -> int:
    """How many requests leave in that time when everybody always wants to send."""
    count, ends_at_s = 0, clock.now_s + seconds
    while clock.now_s < ends_at_s:
        while pace.permit(0.0) >= 0:
            count += 1
        clock.now_s += step_s
    return count


def test_two_minutes_of_429_with_retry_after(clock: Clock) -> None:
    """FC-037: nothing leaves before the stated time; then slower, and back to the whole rate by and by."""
    pace = pacer(clock)
    for _ in range(4):
        pace.close_for(30)
        began_s = clock.now_s
        assert pace.permit(0.0) <= -30
        while pace.permit(0.0) < 0:
            clock.now_s += 0.5
        assert 30 <= clock.now_s - began_s <= 30 * 1.2 + 0.5
    assert pace.rate_per_s < 2
    assert sent(pace, clock, 10) < 30
    clock.now_s += 120
    assert pace.rate_per_s == 10
    pace.permit()
    assert sent(pace, clock, 10) >= 99


def test_many_answers_to_one_burst_are_one_piece_of_news(clock: Clock) -> None:
    pace = pacer(clock)
    for _ in range(50):
        pace.close_for(0.0)
    assert pace.rate_per_s == 5
    for _ in range(30):
        clock.now_s += 1.5
        pace.close_for(0.0)
    assert 10 * SLOWEST <= pace.rate_per_s < 0.8


def test_those_who_wait_do_not_come_back_together() -> None:
    waits = [spread(10) for _ in range(200)]
    assert min(waits) >= 10
    assert max(waits) - min(waits) > 1


class Erp:
    """Takes so many requests at a time and refuses the rest, without saying how many it takes."""

    def __init__(self, pace: Pacer, clock: Clock, takes: int) -> None:
        self.pace, self.clock, self.takes = pace, clock, takes
        self.inside = self.refused = self.answered = 0

    async def ask(self) -> None:
        async with self.pace.slot():
            full = self.inside >= self.takes
            self.inside += not full
            await asyncio.sleep(0)
            self.inside -= not full
            self.refused, self.answered = self.refused + full, self.answered + (not full)
            if full:
                self.pace.close_for(0.0)
        self.clock.now_s += 0.02


async def test_the_new_ceiling_is_found_when_the_erp_takes_fewer_at_a_time(clock: Clock) -> None:
    """FC-039: from 50 to 5 without notice; afterwards few are refused, and the ceiling follows when it rises again."""
    pace = pacer(clock, rate_per_s=1e6, burst=1e6)
    erp = Erp(pace, clock, takes=50)
    await asyncio.gather(*(erp.ask() for _ in range(500)))
    assert (erp.refused, pace.parallel) == (0, 50)
    erp.takes = 5
    await asyncio.gather(*(erp.ask() for _ in range(1500)))
    assert 1 <= pace.parallel <= 6
    erp.refused = erp.answered = 0
    await asyncio.gather(*(erp.ask() for _ in range(1000)))
    assert erp.refused < erp.answered / 10
    erp.takes = 50
    await asyncio.gather(*(erp.ask() for _ in range(3000)))
    assert pace.parallel == 50


async def test_order_writes_outrank_sweeps_for_a_slot(clock: Clock) -> None:
    """FC-039: what yields waits behind everything that does not, however long it has waited."""
    pace, order, free = pacer(clock, parallel=1), [], asyncio.Event()

    async def request(name: str) -> None:
        async with pace.slot():
            order.append(name)
            await free.wait()

    tasks = [asyncio.create_task(request("first"))]
    await asyncio.sleep(0)
    with yielding():
        tasks += [asyncio.create_task(request("sweep")) for _ in range(3)]
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(request("order")) for _ in range(3)]
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(*tasks)
    assert order == ["first", "order", "order", "order", "sweep", "sweep", "sweep"]


async def test_a_slot_is_not_lost_with_the_task_that_waited_for_it(clock: Clock) -> None:
    pace = pacer(clock, parallel=1)
    async with pace.slot():
        waiting = [asyncio.create_task(_pass(pace)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
    waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.wait_for(_pass(pace), 5)


async def _pass(pace: Pacer) -> None:
    async with pace.slot():
        pass


def test_what_yields_takes_only_what_is_left_over(clock: Clock) -> None:
    """FC-111: never on credit, and not while something that cannot wait was told to come back."""
    pace = pacer(clock, rate_per_s=1, burst=2)
    with yielding():
        assert [pace.permit() >= 0 for _ in range(3)] == [True, True, False]
    assert pace.permit(1.0) == pytest.approx(1.0)
    again = pace.permit(1.0)
    assert again < -1.9
    clock.now_s += 2.0
    with yielding():
        assert pace.permit() < 0, "the token is there, and kept for the one who comes back"
    assert pace.permit(1.0) >= 0


async def test_what_yields_stays_so_in_the_tasks_that_it_begins(clock: Clock) -> None:
    pace = pacer(clock, rate_per_s=1, burst=1)
    assert pace.permit() == 0
    with yielding():
        assert await asyncio.create_task(_permit(pace)) < 0
    assert await asyncio.create_task(_permit(pace)) > 0


async def _permit(pace: Pacer) -> float:
    return pace.permit(1.0)


@contextmanager
def share(pace: Pacer, part: float) -> Iterator[None]:
    pace.take_share(part)
    yield
    pace.take_share(1.0)


def test_a_share_bounds_rate_burst_and_slots(clock: Clock) -> None:
    pace = pacer(clock)
    with share(pace, 0.5):
        assert sent(pace, clock, 10) <= 5 + 50 + 1
        assert pace.parallel == 25
    with share(pace, 0.0):
        assert sent(pace, clock, 10) == 0
    assert pace.rate_per_s == 10
