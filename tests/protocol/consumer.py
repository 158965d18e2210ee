"""What enters a lane: the rows of the topic, and the acts of a person."""

from collections.abc import Iterator

from .rules import Rules
from .search import Move
from .state import RESYNC_OF, Due, Effect, EffectState, Op, State


class Consumer:
    """Polls, records, commits. It needs no lease: recording is safe beside a worker that holds the lane.

    Only a consumer that may die shows a time between its record and its commit; otherwise both are one move."""

    def __init__(self, rules: Rules, log: tuple[Op, ...]) -> None:
        self.rules = rules
        self.log = log

    def moves(self, state: State) -> Iterator[Move[State]]:
        position, committed = state.consumer
        if self.rules.record_before_offset:
            yield from self._record(state)
            if committed < position:
                yield Move("the consumer commits its offset", self._at(state, position, position))
        elif committed == position:
            yield from self._commit_first(state)
        else:
            yield from self._record(state)
        if state.budget.deaths and committed != position:
            budget = state.budget._replace(deaths=state.budget.deaths - 1)
            again = self._at(state, committed, committed)._replace(budget=budget)
            yield Move("the consumer dies; another reads on from the offset", again, optional=True)

    def _commit_first(self, state: State) -> Iterator[Move[State]]:
        position = state.consumer.position
        if position < len(self.log):
            yield Move("the consumer commits its offset before it records", self._at(state, position, position + 1))

    def _record(self, state: State) -> Iterator[Move[State]]:
        position, committed = state.consumer
        if position < len(self.log):
            op = self.log[position]
            committed = committed if state.budget.deaths else position + 1
            yield Move(f"the consumer records {op}", self._at(record(state, op, self.rules), position + 1, committed))

    @staticmethod
    def _at(state: State, position: int, committed: int) -> State:
        return state._replace(consumer=state.consumer._replace(position=position, committed=committed))


def record(state: State, op: Op, rules: Rules) -> State:
    """One transaction: de-duplicate by key, append, supersede what is older, free the hold that this ends."""
    if state.effect(op):
        return state
    state = state._replace(effects=(*state.effects, Effect(op)))
    state = _supersede_older(state, rules)
    held = state.effect(state.lane.held_for)
    if rules.record_frees_hold and held and not held.unfinished:
        state = state.with_lane(due=Due.NOW, held_for=Op.NONE)
    return state


def _supersede_older(state: State, rules: Rules) -> State:
    newest = max(effect.revision for effect in state.effects)
    for effect in state.effects:
        may_be = effect.state is EffectState.QUEUED or (effect.unsettled and not rules.in_flight_stays)
        if not effect.is_refund and effect.revision < newest and may_be:
            state = state.with_effect(effect._replace(state=EffectState.SUPERSEDED))
    return state


class Person:
    """May force a resync of the newest revision, and skip revision 1 whatever is known about it."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def moves(self, state: State) -> Iterator[Move[State]]:
        if state.budget.resyncs:
            yield from self._resync(state)
        if state.budget.skips and not state.lane.leased:
            yield from self._skip(state)

    def _resync(self, state: State) -> Iterator[Move[State]]:
        newest = max((effect.revision for effect in state.effects), default=0)
        if newest > 0:
            budget = state.budget._replace(resyncs=state.budget.resyncs - 1)
            forced = record(state, RESYNC_OF[newest], self.rules)._replace(budget=budget)
            yield Move(f"a person forces a resync of r{newest}", _free(forced), optional=True)

    @staticmethod
    def _skip(state: State) -> Iterator[Move[State]]:
        first = state.effect(Op.R1)
        if first and first.state in (EffectState.QUEUED, EffectState.IN_DOUBT):
            budget = state.budget._replace(skips=state.budget.skips - 1)
            skipped = state.with_effect(first._replace(state=EffectState.SKIPPED))._replace(budget=budget)
            yield Move(f"a person skips r1, which is {first.state}", _free(skipped), optional=True)


def _free(state: State) -> State:
    return state.with_lane(due=Due.NOW, held_for=Op.NONE)
