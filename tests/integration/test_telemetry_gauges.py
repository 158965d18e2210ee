"""The figures of the ledger: what is held, waits, is in doubt, and which promises were broken, each once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from consumers.gauges import Gauges
from tallystick.installation import Installation
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.consumer import Consumer
from tallystick.kafka.producer import Message, Producer
from tallystick.kafka.topics import ORDERS
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.migrate import migrate
from tallystick.ledger.pool import Pool, open_pool
from tallystick.ledger.rows import Claim, EffectState, Head, Intent, Row
from tallystick.reasons import HoldReason, WaitReason
from tallystick.settings import KafkaSettings
from tallystick.stack import Stack
from tallystick.telemetry import Metrics
from tests.integration.ledger_help import LATE_S, TIMING, applied, expire_leases, head_of, order, outcome
from tests.integration.webhooks_help import installation_at

TARGET = "odoo"


@dataclass(slots=True)
class Observed:
    """A ledger, and what one process tells of it."""

    installation: Installation
    pool: Pool
    ledger: Ledger
    gauges: Gauges

    def figure(self, name: str, **labels: str) -> float | None:
        """As Prometheus would see it."""
        return self.installation.metrics.registry.get_sample_value(f"tallystick_{name}", {"target": TARGET, **labels})

    def promises(self, good: bool) -> float | None:
        """Events judged, of the flow of orders."""
        return self.figure("slo_events_total", flow="orders", good=str(good).lower())

    async def begun(self, row: Row) -> Head:
        """Record a row, and make its first intent durable."""
        (claim,) = (await self.ledger.record([row])).claims
        return await self.intended(claim)

    async def intended(self, claim: Claim) -> Head:
        """The head of a lane of ours, in flight now."""
        head = await head_of(self.ledger, claim)
        assert await self.ledger.intend([Intent(head, "v1", ("l1",))])
        return head


@pytest.fixture
async def observed(database: str) -> AsyncIterator[Observed]:
    await migrate(database)
    installation = installation_at("", database)
    pool = await open_pool(database, metrics=installation.metrics)
    ledger = Ledger(pool, TARGET, "worker-1", TIMING, LATE_S, installation.metrics)
    yield Observed(installation, pool, ledger, Gauges(installation, pool))
    await pool.close()


def heard_of(number: int, ago_s: float) -> Row:
    return replace(order(number), received_at=datetime.now(UTC) - timedelta(seconds=ago_s))


# ---- gauges --------------------------------------------------------------------------------------------------------


async def test_what_never_happened_stands_at_zero(observed: Observed) -> None:
    await observed.gauges.measure()
    assert observed.promises(True) == observed.promises(False) == 0
    assert observed.figure("effects_total", flow="orders", outcome="held") == 0
    assert {observed.figure("held_lanes", reason=reason) for reason in HoldReason} == {0}
    assert {observed.figure("waiting_lanes", reason=reason) for reason in WaitReason} == {0}
    assert observed.figure("oldest_unsynced_age_seconds", flow="orders") == 0
    assert observed.figure("in_doubt_oldest_age_seconds") == 0


async def test_held_waiting_and_doubtful_lanes_show_and_go_again(observed: Observed) -> None:
    doubt, held, waits = [await observed.begun(heard_of(number, 100.0 * number)) for number in (1, 2, 3)]
    flying = EffectState.IN_FLIGHT
    await observed.ledger.settle(
        [
            outcome(doubt, EffectState.IN_DOUBT, was=flying, doubt=True, wait=WaitReason.QUIET_TIME, due_in_s=0.01),
            outcome(held, EffectState.QUEUED, was=flying, hold=HoldReason.MAPPING),
            outcome(waits, EffectState.QUEUED, was=flying, wait=WaitReason.THROTTLED, due_in_s=60),
        ]
    )
    await observed.gauges.measure()
    assert observed.figure("held_lanes", reason="MAPPING") == 1
    assert observed.figure("waiting_lanes", reason="THROTTLED") == 1
    assert observed.figure("waiting_lanes", reason="QUIET_TIME") == 1
    assert observed.figure("effect_states", state="QUEUED") == 2
    assert observed.figure("effect_states", state="IN_DOUBT") == 1
    assert (observed.figure("oldest_unsynced_age_seconds", flow="orders") or 0) >= 300
    assert (observed.figure("held_oldest_age_seconds", reason="MAPPING") or 0) > 0
    assert (observed.figure("in_doubt_oldest_age_seconds") or 0) > 0
    (claim,) = await observed.ledger.take_due(limit=10, per_connection=10)
    again = await observed.intended(claim)
    await observed.ledger.settle([applied(again)])
    await observed.gauges.measure()
    assert observed.figure("waiting_lanes", reason="QUIET_TIME") == 0
    assert observed.figure("in_doubt_oldest_age_seconds") == 0
    assert observed.figure("effect_states", state="IN_DOUBT") == 0


async def test_a_lane_that_is_tried_in_vain_gets_older_all_the_same(observed: Observed) -> None:
    """Each try gives the lane a new due time; the alarm looks at how long its work has waited."""
    head = await observed.begun(order(1))
    for _ in range(3):
        waits = outcome(head, EffectState.QUEUED, was=EffectState.IN_FLIGHT, wait=WaitReason.TRANSIENT, due_in_s=0.0)
        await observed.ledger.settle([waits])
        await observed.pool.fetch("UPDATE effect SET recorded_at = recorded_at - interval '1 hour'")
        await observed.gauges.measure()
        (claim,) = await observed.ledger.take_due(limit=10, per_connection=10)
        head = await observed.intended(claim)
    assert (observed.figure("waiting_oldest_age_seconds", reason="TRANSIENT") or 0) > 3 * 3600


# ---- the promise ---------------------------------------------------------------------------------------------------


async def test_a_broken_promise_is_counted_at_its_deadline_and_once(observed: Observed) -> None:
    """Whoever restarts, and however many look at the same time."""
    await observed.ledger.record([heard_of(number, 400) for number in range(1, 51)], take=False)
    await observed.ledger.record([heard_of(number, 200) for number in range(51, 61)], take=False)
    others = [Gauges(installation_at("", ""), observed.pool) for _ in range(4)]
    await asyncio.gather(observed.gauges.measure(), *(other.measure() for other in others))
    await Gauges(observed.installation, observed.pool).measure()
    told = [other._metrics.registry.get_sample_value for other in others]
    labels = {"flow": "orders", "target": TARGET, "good": "false"}
    late = sum(tell("tallystick_slo_events_total", labels) or 0 for tell in told)
    assert late + (observed.promises(False) or 0) == 50
    assert observed.promises(True) == 0


async def test_a_lane_in_hand_is_judged_by_its_holder(observed: Observed) -> None:
    """Between deadline and outcome nobody else counts it, so nobody counts it twice."""
    row = heard_of(1, 400)
    (claim,) = (await observed.ledger.record([row])).claims
    await observed.gauges.measure()
    assert observed.promises(False) == 0
    assert not (await head_of(observed.ledger, claim)).overdue
    await expire_leases(observed.pool)
    await observed.gauges.measure()
    await observed.gauges.measure()
    assert observed.promises(False) == 1
    (again,) = await observed.ledger.take_due(limit=1, per_connection=1)
    assert (await head_of(observed.ledger, again)).overdue


# ---- counters at their source --------------------------------------------------------------------------------------


async def test_lost_lanes_and_late_answers_are_counted(observed: Observed) -> None:
    head = await observed.begun(order(1))
    await expire_leases(observed.pool)
    assert len(await observed.ledger.take_due(limit=1, per_connection=1)) == 1
    assert not (await observed.ledger.settle([applied(head)])).written
    assert observed.figure("lease_takeovers_total") == 1
    assert observed.figure("fenced_writes_total") == 1


async def test_the_wait_for_a_database_connection_is_measured(observed: Observed) -> None:
    await observed.gauges.measure()
    count = observed.installation.metrics.registry.get_sample_value("tallystick_db_acquire_seconds_count")
    assert count is not None
    assert count >= 3


async def test_lag_shows_while_paused_and_only_for_partitions_in_hand(stack: Stack, topic_prefix: str) -> None:
    settings, metrics = KafkaSettings(partitions=2, prefix=topic_prefix), Metrics()
    await ensure_topics(stack.kafka, settings, (ORDERS,))
    producer = Producer(stack.kafka, prefix=topic_prefix)
    await producer.start()
    consumer = Consumer(stack.kafka, "workers", (ORDERS,), prefix=topic_prefix, metrics=metrics)
    try:
        async with consumer, asyncio.timeout(60):
            while len(consumer.assigned) < 2:
                await consumer.poll(wait_s=0.1)
            consumer.pause()
            await producer.send_all([Message(ORDERS, b"woo/%d" % n, b"") for n in range(30)])
            while sum((await consumer.lag()).values()) != 30:
                await consumer.poll(wait_s=0.1)
            consumer._lag_due_at_s = 0.0
            await consumer.poll(wait_s=0.1)
        shown = [s for family in metrics.consumer_lag.collect() for s in family.samples]
    finally:
        await producer.stop()
    assert sum(sample.value for sample in shown) == 30
    assert {sample.labels["partition"] for sample in shown} == {"0", "1"}
    assert {sample.labels["topic"] for sample in shown} == {topic_prefix + ORDERS.name}
