"""How long a new order takes while a backfill runs, against the same without one, in one run."""

import asyncio
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from bench.children import Child, child
from bench.delivery import events
from bench.installation import STORE
from bench.report import Progress
from bench.servers import Servers
from tallystick.canonical.keys import order_key
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.codec import encode
from tallystick.kafka.producer import Producer
from tallystick.kafka.topics import ALL
from tallystick.settings import KafkaSettings

#: New orders a second, evenly: a busy hour of a large shop.
PER_S = 20
PATIENCE_S = 120.0
#: The backfill is under way once so many of its orders were taken in.
UNDER_WAY = 500


@dataclass(frozen=True, slots=True)
class BackfillFigures:
    """Medians over the rounds, in milliseconds; the ratio is the median over neighbouring rounds."""

    quiet_p99_ms: float
    busy_p99_ms: float
    ratio: float
    #: What the backfill took in beside them.
    old_per_s: float


async def measure(servers: Servers, progress: Progress, *, orders: int, rounds: int) -> BackfillFigures:
    """Turn by turn, each with a fresh ledger and topic."""
    quiet: list[float] = []
    busy: list[float] = []
    rates: list[float] = []
    async with child("erp") as erp:
        for number in range(rounds):
            for backfill in (False, True):
                what = "with a backfill" if backfill else "alone"
                progress.step(f"new orders {what}, round {number + 1} of {rounds}")
                p99_ms, per_s = await _round(servers, erp, orders, backfill)
                (busy if backfill else quiet).append(p99_ms)
                rates += [per_s] if backfill else []
    ratios = [one / other for one, other in zip(busy, quiet, strict=True)]
    return BackfillFigures(median(quiet), median(busy), median(ratios), median(rates))


async def _round(servers: Servers, erp: Child, orders: int, backfill: bool) -> tuple[float, float]:
    """p99 of the new orders in milliseconds, and the old ones that came beside them in a second."""
    database, prefix = await servers.database(), servers.prefix()
    await ensure_topics(servers.kafka, KafkaSettings(partitions=8, prefix=prefix), ALL)
    await erp.ask(begin=True)
    producer = Producer(servers.kafka, prefix=prefix)
    await producer.start()
    async with child("our_backfill", servers.kafka, database, prefix, str(erp.said["url"])) as ours:
        # The first orders pay for what is made once, such as statements and connections.
        await _sell(producer, erp, 1, 50)
        if backfill:
            await _under_way(ours)
        began_s, before = perf_counter(), await _taken(ours)
        took_ms = sorted(await _sell(producer, erp, 51, orders))
        per_s = (await _taken(ours) - before) / (perf_counter() - began_s)
    await producer.stop()
    await servers.drop(database)
    return took_ms[len(took_ms) * 99 // 100], per_s


async def _taken(ours: Child) -> int:
    return int(str((await ours.ask())["taken"]))


async def _under_way(ours: Child) -> None:
    await ours.ask(backfill=True)
    ends_at_s = perf_counter() + PATIENCE_S
    while perf_counter() < ends_at_s:
        if await _taken(ours) >= UNDER_WAY:
            return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"the backfill did not come under way within {PATIENCE_S:.0f} s")


async def _sell(producer: Producer, erp: Child, first: int, orders: int) -> list[float]:
    """One after another on the topic; milliseconds from there to the ERP for each."""
    sent_s: dict[str, float] = {}
    began_s = perf_counter()
    for place, event in enumerate(events(orders, first)):
        await asyncio.sleep(max(0.0, began_s + place / PER_S - perf_counter()))
        sent_s[order_key(STORE, event.object_id)] = perf_counter()
        await producer.send_all([encode(event)])
    came_s = await _came(erp, list(sent_s))
    return [(at_s - sent_s[ref]) * 1000 for ref, at_s in came_s.items()]


async def _came(erp: Child, refs: list[str]) -> dict[str, float]:
    ends_at_s = perf_counter() + PATIENCE_S
    came_s: dict[str, float] = {}
    while perf_counter() < ends_at_s:
        told = (await erp.ask(of=refs))["came_s"]
        assert isinstance(told, dict)
        came_s = told
        if len(came_s) == len(refs):
            return came_s
        await asyncio.sleep(0.1)
    raise RuntimeError(f"only {len(came_s)} of {len(refs)} new orders arrived within {PATIENCE_S:.0f} s")
