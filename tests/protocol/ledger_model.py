"""The ledger as a whole: a scenario, the participants that move in it, and what a good end is."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from .consumer import Consumer, Person
from .lane import Taker, Time
from .network import Network
from .rules import EVERY_RULE, Rules
from .search import Move, Violation, Wrong
from .state import EARLIER, IDLE, NOTHING, Budget, Due, Lane, Op, State
from .state import Consumer as ConsumerState
from .targets import Document, Target, TargetKind
from .worker import WorkerModel


class Participant(Protocol):
    def moves(self, state: State) -> Iterator[Move[State]]: ...


@dataclass(frozen=True)
class Ledger:
    """One lane on one kind of target.

    `crashes` counts workers that crash or are paused past their lease; `losses` counts requests and answers that are
    lost, late or throttled; `deaths` counts consumers that die before they commit; `resyncs` and `skips` are what a
    person may do."""

    target: TargetKind
    log: tuple[Op, ...] = (Op.R1, Op.R2)
    order_exists: bool = False
    crashes: int = 1
    losses: int = 1
    deaths: int = 0
    resyncs: int = 0
    skips: int = 0
    rules: Rules = EVERY_RULE

    @cached_property
    def _participants(self) -> tuple[Participant, ...]:
        return (
            Time(),
            Consumer(self.rules, self.log),
            Person(self.rules),
            Taker(self.rules, self.target),
            Network(self.target),
            WorkerModel(self.rules, self.target),
        )

    def start(self) -> State:
        lane = Lane(applied=EARLIER, bound=True) if self.order_exists else Lane(applied=NOTHING)
        target = Target((Document(EARLIER, confirmed=True, searchable=True),)) if self.order_exists else Target()
        budget = Budget(self.crashes, self.losses, self.deaths, self.resyncs, self.skips)
        return State(ConsumerState(), lane, (), (IDLE, IDLE), (), target, budget)

    def moves(self, state: State) -> Iterator[Move[State]]:
        for participant in self._participants:
            for move in participant.moves(state):
                after = move.state.twins_sorted()
                yield move if after is move.state else move._replace(state=after)

    def violation(self, state: State) -> Violation | None:
        return state.wrong

    def bad_end(self, state: State) -> Violation | None:
        """At rest: everything recorded, and the target shows the newest revision, or a person is asked for a cause."""
        if any(state.effect(op) is None for op in self.log):
            return Violation(Wrong.LOST, "a row of the topic was never recorded")
        if state.unfinished():
            return self._bad_rest(state)
        return self._bad_target(state)

    def _newest(self) -> int:
        return 2 if Op.R2 in self.log else 1

    def _bad_rest(self, state: State) -> Violation | None:
        if state.lane.due is not Due.HELD:
            return Violation(Wrong.STRANDED, "work is left and nobody takes it up")
        held = state.effect(state.lane.held_for)
        if held and held.revision in self.target.refuses and (held.revision == self._newest() or held.unsettled):
            return None
        return Violation(Wrong.STRANDED, f"the lane is held for {state.lane.held_for}, without a cause that lasts")

    def _bad_target(self, state: State) -> Violation | None:
        document = next(iter(state.target.documents), None)
        if document is None or document.revision != self._newest():
            return Violation(Wrong.STALE, f"all is settled, the target shows {document}")
        if not document.confirmed:
            return Violation(Wrong.FALSE_SUCCESS, "all is settled, the order is not confirmed")
        if Op.REFUND in self.log and not state.target.refunds:
            return Violation(Wrong.LOST, "all is settled, the refund is not booked")
        return None
