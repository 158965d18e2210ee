"""The lane: who takes it, who is fenced off by that, and what time does to it."""

from collections.abc import Iterator

from .rules import Rules
from .search import Move
from .state import IDLE, Due, Effect, EffectState, Lane, Phase, State, Step, Worker
from .targets import Request, TargetKind


def due(lane: Lane) -> bool:
    waits = {Due.NOW: False, Due.LATE_WINDOW: lane.late_until, Due.QUIET_TIME: lane.quiet_until, Due.HELD: True}
    return not waits[lane.due]


def open_window(state: State, kind: TargetKind, rules: Rules, effect: Effect) -> State:
    """A request of this effect has no definite answer: from here on it may land at any time, until the window ends."""
    if not effect.is_refund and effect.step is Step.CONFIRM:
        may_undo = rules.unmarked_step_counts
    else:
        may_undo = rules.late_window and (kind.load_unconfirms or not kind.compares)
    may_hide = kind.finds_by_search_only and (effect.is_refund or not state.lane.bound)
    lane = state.lane
    state = state.with_lane(late_until=lane.late_until or may_undo, quiet_until=lane.quiet_until or may_hide)
    return state.with_effect(effect._replace(doubted=True)) if may_hide else state


def awaited_by(worker: Worker) -> Request:
    return Request(worker.call, worker.effect.revision, awaited=True)


class Taker:
    """A free lane that is due and has work is taken by a worker, after a record or by its sweeper: epoch + 1."""

    def __init__(self, rules: Rules, kind: TargetKind) -> None:
        self.rules = rules
        self.kind = kind

    def moves(self, state: State) -> Iterator[Move[State]]:
        free = not state.lane.leased or not self.rules.lane_lease
        if free and IDLE in state.workers and due(state.lane) and state.unfinished():
            yield Move("a worker takes the lane", self._take(state))

    def _take(self, state: State) -> State:
        """What the former holder left in flight is in doubt from here on."""
        for effect in state.unfinished():
            if effect.state is EffectState.IN_FLIGHT:
                state = open_window(state, self.kind, self.rules, effect)
        if self.rules.lane_lease:
            state = self._fence(state)
        slot = state.workers.index(IDLE)
        return state.with_worker(slot, Worker(Phase.READING)).with_lane(leased=True, due=Due.NOW)

    def _fence(self, state: State) -> State:
        for slot, worker in enumerate(state.workers):
            if worker.phase is not Phase.IDLE and not worker.fenced:
                state = self._fence_one(state, slot, worker)
        return state

    def _fence_one(self, state: State, slot: int, worker: Worker) -> State:
        """A fenced worker is heard of again only if it may still send; every other write of it is refused by its epoch,
        so it is idle at once (this saves states, and takes no behaviour away)."""
        if worker.phase is Phase.WAITING:
            state = state.abandoned(awaited_by(worker))
        may_send = worker.phase is Phase.SENDING
        may_send |= worker.phase is Phase.INTENDING and not self.rules.epoch_at_intent
        return state.with_worker(slot, worker._replace(fenced=True) if may_send else IDLE)


class Time:
    """What passes by itself. A window ends only when nothing can land any more: that is what its length is for."""

    def moves(self, state: State) -> Iterator[Move[State]]:
        lane = state.lane
        if nothing_can_land(state):
            if lane.late_until:
                yield Move("late_until passes", state.with_lane(late_until=False))
            if lane.quiet_until:
                shown = state._replace(target=state.target.all_searchable())
                yield Move("the quiet time is over", shown.with_lane(late_until=False, quiet_until=False))
        if state.target.hides_something:
            yield Move("the search shows everything", state._replace(target=state.target.all_searchable()))
        if lane.leased:
            yield from self._lease_ends(state)

    def _lease_ends(self, state: State) -> Iterator[Move[State]]:
        free = state.with_lane(leased=False)
        if all(worker.phase is Phase.IDLE or worker.fenced for worker in state.workers):
            yield Move("the lease of the dead holder expires", free)
        elif state.budget.crashes:
            budget = state.budget._replace(crashes=state.budget.crashes - 1)
            yield Move("the holder is paused past its lease", free._replace(budget=budget), optional=True)


def nothing_can_land(state: State) -> bool:
    given_up = any(not request.awaited for request in state.network)
    return not given_up and not any(worker.fenced for worker in state.workers)
