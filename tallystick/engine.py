"""The one recipe for every flow and both directions.

    deliver(batch)  record it in the ledger; now the Kafka offsets may advance
    work(lanes)     in waves, until each lane is done, held, or waits for its due time:
                    heads -> decide -> contract -> probe what is in doubt -> dependencies -> references
                    -> compare what is forced -> permit -> intent, durable -> the adapter's step -> outcome

No transaction is open while a request is under way, and nothing sleeps for a lease, a doubt or a Retry-After.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from tallystick.breaker import Breaker, PoisonLimiter
from tallystick.built import Beside, Build, Unwanted
from tallystick.clock import Budget, Clock, Timing
from tallystick.crashpoints import reach
from tallystick.errors import Throttled, Unauthorised, Unavailable
from tallystick.leases import kept
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.rows import Claim, EffectState, Head, Intent, RecordResult, Row
from tallystick.pacing import spread, yields_now
from tallystick.ports import Answer, Doubt, Job, Needless, NotApplied, Refused, Sink, Step
from tallystick.reasons import HoldReason, WaitReason
from tallystick.rules import FROZEN, Rules
from tallystick.telemetry import SLO_S, Metrics
from tallystick.together import together
from tallystick.turn import Move, Turn
from tallystick.wave import by_step, by_type, open_turns, parents, to_send

log = structlog.get_logger(__name__)
REREAD_AFTER_S = 60.0
Asked = TypeVar("Asked")
#: Asks intake to read an order of a connection again.
Reread = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the engine does at once, and when it gives up."""

    attempts_max: int = 8
    backoff_s: float = 0.5
    parallel_chunks: int = 4


class Engine:
    """Delivers to one target. `sinks` by entity type; `build` and `beside` apply the contract of the head's route."""

    def __init__(
        self,
        ledger: Ledger,
        sinks: Mapping[str, Sink],
        build: Build,
        *,
        clock: Clock,
        timing: Timing,
        metrics: Metrics,
        limits: Limits | None = None,
        reread: Reread | None = None,
        beside: Beside = lambda _: None,
    ) -> None:
        self.ledger = ledger
        self._sinks = sinks
        self._build = build
        self._beside = beside
        self._clock = clock
        self._timing = timing
        self._metrics = metrics
        self._limits = limits or Limits()
        self._reread = reread
        self._reread_done: set[tuple[str, int]] = set()
        self._rules = {name: self._rules_of(sink) for name, sink in sinks.items()}
        #: How many lanes go through a wave together.
        self.chunk = max(sink.traits.batch_max for sink in sinks.values())
        self._chunks = asyncio.Semaphore(self._limits.parallel_chunks)
        #: What yields has places of its own, so that nothing queues behind it.
        self._yielding_chunks = asyncio.Semaphore(max(1, self._limits.parallel_chunks // 2))
        self.breaker = Breaker(ledger, timing, metrics)
        self._poison = PoisonLimiter(ledger, clock, timing)
        self.stopping = False

    def _rules_of(self, sink: Sink) -> Rules:
        traits, scale = sink.traits, self._timing.scale
        return Rules(
            traits,
            late_apply_s=traits.late_apply_max_s * scale,
            search_lag_s=traits.search_lag_max_s * scale,
            dependency_s=self._timing.dependency_s,
            parent_s=self._timing.parent_s,
            attempts_max=self._limits.attempts_max,
            backoff_s=self._limits.backoff_s * scale,
        )

    # ---- the recipe ------------------------------------------------------------------------------------------------

    async def deliver(self, rows: Sequence[Row]) -> RecordResult:
        """Record a batch. When this returns, the offsets may advance; the claimed lanes are to be given to `work`."""
        result = await self.ledger.record(rows, take=not self.stopping and not self.breaker.open)
        reach("engine.recorded")
        return result

    async def work(self, claims: Sequence[Claim]) -> None:
        """Work lanes until each is done, held or waiting. Chunks go side by side, so that a slow answer holds few."""
        chunks = [claims[start : start + self.chunk] for start in range(0, len(claims), self.chunk)]
        await together(self._work_chunk(chunk) for chunk in chunks)

    async def _work_chunk(self, claims: Sequence[Claim]) -> None:
        came_at_s = self._clock.monotonic_s()
        async with self._yielding_chunks if yields_now() else self._chunks:
            if self._clock.monotonic_s() - came_at_s > self._timing.lease_s / 3:
                # They waited for a place: some may be another's by now, the rest must not become so in mid-wave.
                claims = await self.ledger.renew(claims)
            await self._work_chunk_inside(claims)

    async def _wave(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        """Every lane makes one move; answers the lanes that have more to do."""
        heads, idle = await self.ledger.heads(claims)
        await self.ledger.release(idle)
        turns = [Turn(head, self._rules[head.entity_type]) for head in heads]
        for turn in turns:
            turn.decide()
        self._apply_contract(turns)
        await self._read_again(turns)
        await self._look(turns, Move.PROBE)
        await self._make_dependencies(turns)
        await self._resolve_references(turns)
        await self._look(turns, Move.COMPARE)
        await self._send(turns)
        return await self._settle(turns)

    # ---- the parts -------------------------------------------------------------------------------------------------

    def _apply_contract(self, turns: Sequence[Turn]) -> None:
        for turn in open_turns(turns):
            built = self._asked(self._build, turn.head)
            if isinstance(built, Refused):
                turn.hold(built.reason, built.detail)
                continue
            if isinstance(built, Unwanted):
                turn.settle(EffectState.SUPERSEDED, "not eligible", detail=built.reason.words)
                continue
            turn.takes(built, self._sinks[turn.head.entity_type].steps(built.document))
            turn.job = self._job(turn)

    def _asked(self, ask: Callable[[Head], Asked], head: Head) -> Asked | Refused:
        try:
            return ask(head)
        except Exception as error:
            log.exception("contract failed", target=self.ledger.target, kind=type(error).__name__)
            return Refused(HoldReason.DATA, f"the contract could not be applied ({type(error).__name__})")

    def _job(self, turn: Turn) -> Job:
        head = turn.head
        assert turn.document is not None
        turn.dependencies |= parents(head, turn.document)
        return Job(
            ref=head.external_ref,
            revision=head.revision,
            mark=turn.mark,
            document=turn.document,
            external_id=head.external_id,
            dependencies=turn.dependencies,
            sent_lines=head.lines,
        )

    async def _read_again(self, turns: Sequence[Turn]) -> None:
        """A create that has waited long is read from its store again first: it may be cancelled by now."""
        if self._reread is None:
            return
        for turn in open_turns(turns, Move.SEND):
            head, key = turn.head, (turn.head.claim.lane_key, turn.head.seq)
            first = head.step == 0 and head.intents == 0 and head.external_id is None and head.entity_type == "order"
            if not first or head.recorded_for_s < REREAD_AFTER_S * self._timing.scale or key in self._reread_done:
                continue
            self._reread_done.add(key)
            await self._reread(head.connection, head.claim.lane_key)
            turn.wait(WaitReason.TRANSIENT, 2.0 * self._timing.scale, "it waited long, so the store is asked again")

    async def _look(self, turns: Sequence[Turn], move: Move) -> None:
        """Ask the target about what is in doubt (PROBE) or forced (COMPARE)."""
        for (entity_type, step), group in by_step(open_turns(turns, move)):
            sink = self._sinks[entity_type]
            whole = move is Move.COMPARE
            try:
                found = await sink.probe(step, [turn.asked for turn in group], whole=whole)
            except (Unavailable, Unauthorised) as error:
                self._cannot_ask(group, error)
                continue
            self.breaker.answered()
            reach("engine.probed")
            for turn, answer in zip(group, found, strict=True):
                (turn.compared if whole else turn.probed)(answer)
                if not whole:
                    self._metrics.in_doubt_resolved.labels(self.ledger.target, answer.verdict).inc()

    async def _make_dependencies(self, turns: Sequence[Turn]) -> None:
        """Customers before orders: made if absent, never updated. A lane holder never waits for another lane."""
        needing = [
            turn for turn in open_turns(turns, Move.SEND, Move.COMPARE) if turn.customer and turn.step_index == 0
        ]
        if not needing:
            return
        rows = {turn.customer.entity_id: turn.customer for turn in needing if turn.customer}
        known = await self.ledger.bindings("customer", list(rows))
        missing = [row for key, row in rows.items() if key not in known]
        if missing:
            recorded = await self.ledger.record(missing)
            await self._work_chunk_inside(recorded.claims)
            known = await self.ledger.bindings("customer", list(rows))
        for turn in needing:
            assert turn.customer is not None
            customer = known.get(turn.customer.entity_id)
            if customer is None:
                turn.wait(WaitReason.DEPENDENCY, self._timing.dependency_s, "its customer is not in the target yet")
            else:
                turn.dependencies["customer"] = customer

    async def _work_chunk_inside(self, claims: Sequence[Claim]) -> None:
        """As `_work_chunk`, where there is a place already."""
        while claims and not self.stopping:
            async with kept(self.ledger, claims, self._timing.lease_s):
                claims = await self._wave(claims)
        await self.ledger.release(claims)

    async def _resolve_references(self, turns: Sequence[Turn]) -> None:
        for entity_type, group in by_type(open_turns(turns, Move.SEND, Move.COMPARE)):
            try:
                ready = await self._sinks[entity_type].prepare([_job_of(turn) for turn in group])
            except (Unavailable, Unauthorised) as error:
                self._cannot_ask(group, error)
                continue
            self.breaker.answered()
            for turn, job in zip(group, ready, strict=True):
                if isinstance(job, Refused):
                    turn.hold(job.reason, job.detail)
                elif isinstance(job, Needless):
                    turn.settle(EffectState.SUPERSEDED, "not eligible", detail=job.detail)
                else:
                    turn.job = job

    async def _send(self, turns: Sequence[Turn]) -> None:
        for turn in open_turns(turns, Move.SEND):
            if turn.frozen:
                self._beside_instead(turn, FROZEN)
        requests = to_send(open_turns(turns, Move.SEND))
        await together(self._send_step(group[0].head.entity_type, group[0].step, group) for group in requests)

    async def _send_step(self, entity_type: str, step: Step, turns: list[Turn]) -> None:
        """Permit, then intent, then send: one request of the target for all these turns."""
        sink = self._sinks[entity_type]
        budget = Budget(self._clock, self._clock.monotonic_s() + self._timing.request_s)
        if step.writes:
            wait_s = sink.pacer.permit()
            if wait_s < 0:
                for turn in turns:
                    turn.wait(WaitReason.THROTTLED, -wait_s, "the pace of the connection")
                return
            self._metrics.limiter_wait_seconds.labels(self.ledger.target).observe(wait_s)
            await asyncio.sleep(wait_s)
            budget = Budget(self._clock, self._clock.monotonic_s() + self._timing.request_s)
            turns = await self._intend(step, turns)
            reach("engine.intended")
        if not turns:
            return
        self._metrics.batch_size.labels(self.ledger.target).observe(len(turns))
        answers = await self._call(sink, step, turns, budget)
        reach("engine.answered")
        if step.writes:
            self.breaker.heard([turn.head.claim.lane_key for turn in turns], answers)
        for turn, answer in zip(turns, answers, strict=True):
            self._note(turn, answer)
            turn.answered(answer, mute=self.breaker.mute)
            if isinstance(answer, Refused) and answer.beside:
                self._beside_instead(turn, answer)

    def _beside_instead(self, turn: Turn, refused: Refused) -> None:
        """What its document cannot take stands beside it; what cannot stand there either is held."""
        turn.refused(refused)
        turn.book_beside(self._asked(self._beside, turn.head))

    async def _intend(self, step: Step, turns: Sequence[Turn]) -> list[Turn]:
        granted = await self.ledger.intend([self._intent(step, turn) for turn in turns])
        for turn in turns:
            turn.stale = turn.head.claim.lane_key not in granted
        return open_turns(turns)

    def _intent(self, step: Step, turn: Turn) -> Intent:
        # A target that compares marks refuses a late call with an older one; a call without a mark it cannot compare.
        may_undo = not (step.marks and self._sinks[turn.head.entity_type].traits.conditional_update)
        return Intent(turn.head, turn.contract_version, turn.line_keys() if step.marks else None, may_undo)

    async def _call(self, sink: Sink, step: Step, turns: Sequence[Turn], budget: Budget) -> Sequence[Answer]:
        target = self.ledger.target
        self._metrics.inflight_effects.labels(target).inc(len(turns))
        try:
            with self._metrics.target_request_seconds.labels(target, step.name, "any").time():
                return await sink.send(step, [_job_of(turn) for turn in turns], budget)
        except (Unavailable, Unauthorised) as error:
            return [_could_not(step, error)] * len(turns)
        except Exception as error:
            log.exception("adapter failed", target=target, step=step.name, kind=type(error).__name__)
            detail = f"the adapter failed ({type(error).__name__})"
            return [Doubt(detail) if step.writes else NotApplied(detail)] * len(turns)
        finally:
            self._metrics.inflight_effects.labels(target).dec(len(turns))

    def _note(self, turn: Turn, answer: Answer) -> None:
        if isinstance(answer, NotApplied):
            self._metrics.attempts.labels(self.ledger.target, "throttled" if answer.throttled else "passing").inc()
            if not answer.reached and not answer.throttled:
                self.breaker.failed(answer.detail)
            return
        if isinstance(answer, Doubt) and answer.unanswered:
            self._metrics.in_doubt.labels(self.ledger.target).inc()
            return
        self.breaker.answered()

    def _cannot_ask(self, turns: Sequence[Turn], error: Unavailable | Unauthorised) -> None:
        if isinstance(error, Unauthorised):
            self.breaker.refused(str(error))
        elif not isinstance(error, Throttled):
            self.breaker.failed(str(error))
        for turn in turns:
            reason = WaitReason.THROTTLED if isinstance(error, Throttled) else WaitReason.TARGET_DOWN
            after_s = getattr(error, "retry_after_s", None) or turn.backoff_s()
            turn.wait(reason, spread(after_s) if reason is WaitReason.THROTTLED else after_s, str(error))

    async def _settle(self, turns: Sequence[Turn]) -> list[Claim]:
        await self.breaker.write()
        outcomes = [turn.outcome for turn in turns if turn.outcome is not None]
        reach("engine.settling")
        settled = await self.ledger.settle(outcomes)
        reach("engine.settled")
        for turn in turns:
            if turn.head.claim.lane_key in settled.written:
                self._count(turn)
        await self._poison.watch(turns)
        return [*settled.mine, *(turn.head.claim for turn in turns if turn.stale)]

    def _count(self, turn: Turn) -> None:
        outcome, target = turn.outcome, self.ledger.target
        assert outcome is not None
        if outcome.hold is not None:
            self._count_hold(turn, outcome.hold)
        elif outcome.state in _COUNTED:
            self._metrics.effects.labels(turn.flow, target, _COUNTED[outcome.state]).inc()
            # What yields has no promised time.
            if outcome.state is not EffectState.SUPERSEDED and not yields_now():
                self._count_arrival(turn)

    def _count_hold(self, turn: Turn, reason: HoldReason) -> None:
        self._metrics.effects.labels(turn.flow, self.ledger.target, "held").inc()
        if reason is HoldReason.MAPPING:
            self._metrics.mapping_errors.labels(turn.head.connection, turn.flow).inc()
        elif reason is HoldReason.UNBALANCED:
            self._metrics.money_mismatch.labels(turn.head.connection, "total").inc()

    def _count_arrival(self, turn: Turn) -> None:
        """In time or late; what is overdue was counted as late at its deadline."""
        labels = (turn.flow, self.ledger.target)
        latency_s = max(0.0, self._clock.now().timestamp() - turn.head.received_at.timestamp())
        self._metrics.sync_latency_seconds.labels(*labels).observe(latency_s)
        if not turn.head.overdue:
            self._metrics.slo_events.labels(*labels, "true" if latency_s <= SLO_S else "false").inc()


_COUNTED = {
    EffectState.APPLIED: "applied",
    EffectState.VERIFIED: "verified",
    EffectState.SUPERSEDED: "superseded",
}


def _job_of(turn: Turn) -> Job:
    assert turn.job is not None
    return turn.job


def _could_not(step: Step, error: Unavailable | Unauthorised) -> NotApplied:
    return NotApplied(str(error), getattr(error, "retry_after_s", None), isinstance(error, Throttled), reached=False)
