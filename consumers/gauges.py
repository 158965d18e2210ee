"""What operators see of the ledger: lanes held and waiting, doubts, ages, and the promise of five minutes.

Every process shows the same figures, so dashboards take the maximum; a broken promise is counted by one process only.
"""

import asyncio
from collections.abc import Iterable, Mapping
from itertools import product

from prometheus_client import Gauge

from tallystick.away import persist, sleep_unless
from tallystick.installation import Installation
from tallystick.ledger.gauges import Lanes, LedgerGauges, Unfinished
from tallystick.ledger.pool import Pool
from tallystick.ledger.rows import EffectState
from tallystick.reasons import HoldReason, WaitReason
from tallystick.telemetry import EFFECT_OUTCOMES, FLOWS, SLO_S, flow_of

Labels = tuple[str, ...]

_EVERY_S = 10.0
_UNFINISHED = (EffectState.QUEUED, EffectState.IN_FLIGHT, EffectState.IN_DOUBT)


class Gauges:
    """One per process; measures for all targets."""

    def __init__(self, installation: Installation, pool: Pool, *, promised_s: float = SLO_S) -> None:
        self._metrics = installation.metrics
        self._targets = installation.targets
        self._ledger = LedgerGauges(pool)
        self._every_s = _EVERY_S * installation.timing.scale
        self._promised_s = promised_s
        self._shown: dict[Gauge, set[Labels]] = {}
        self._begin_at_zero()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; while Postgres is away the last figures stay."""
        while not stop.is_set():
            await persist(self.measure, stop, "gauges")
            await sleep_unless(stop, self._every_s)

    async def measure(self) -> None:
        """Look once. Raises one of `away.AWAY`."""
        self._show_lanes(await self._ledger.lanes())
        self._show_unfinished(await self._ledger.unfinished())
        for late in await self._ledger.overdue(self._promised_s):
            self._metrics.slo_events.labels(flow_of(late.entity_type), late.target, "false").inc(late.effects)

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _begin_at_zero(self) -> None:
        """A rate over a counter that appears with its first event misses that event."""
        for target in self._targets:
            for flow in FLOWS:
                for good in ("true", "false"):
                    self._metrics.slo_events.labels(flow, target, good)
                for outcome in EFFECT_OUTCOMES:
                    self._metrics.effects.labels(flow, target, outcome)
            self._metrics.in_doubt.labels(target)

    def _show_lanes(self, lanes: Iterable[Lanes]) -> None:
        m, rows = self._metrics, list(lanes)
        held, waiting = [row for row in rows if row.held], [row for row in rows if not row.held]
        for number, age, found, reasons in (
            (m.held_lanes, m.held_oldest_age_seconds, held, tuple(HoldReason)),
            (m.waiting_lanes, m.waiting_oldest_age_seconds, waiting, tuple(WaitReason)),
        ):
            known = product(self._targets, reasons)
            self._show(number, {(row.target, row.reason): row.lanes for row in found}, known)
            self._show(age, {(row.target, row.reason): row.oldest_s for row in found})

    def _show_unfinished(self, effects: Iterable[Unfinished]) -> None:
        states: dict[Labels, float] = {}
        oldest: dict[Labels, float] = {}
        doubts: dict[Labels, float] = {}
        for row in effects:
            key = (flow_of(row.entity_type), row.target)
            oldest[key] = max(row.oldest_s, oldest.get(key, 0.0))
            states[(row.target, row.state)] = states.get((row.target, row.state), 0) + row.effects
            if row.state == EffectState.IN_DOUBT:
                doubts[(row.target,)] = max(row.claimed_s, doubts.get((row.target,), 0.0))
        m = self._metrics
        self._show(m.effect_states, states, product(self._targets, _UNFINISHED))
        self._show(m.oldest_unsynced_age_seconds, oldest, product(FLOWS, self._targets))
        self._show(m.in_doubt_oldest_age_seconds, doubts, product(self._targets))

    def _show(self, gauge: Gauge, found: Mapping[Labels, float], known: Iterable[Labels] = ()) -> None:
        """Set what was found; what is known, or was shown before, and was not found is zero now."""
        shown = self._shown.setdefault(gauge, set())
        shown.update(known, found)
        for labels in shown:
            gauge.labels(*labels).set(max(0.0, found.get(labels, 0.0)))
