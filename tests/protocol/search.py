"""Breadth-first search of everything a model can do, with the shortest counterexample when something is wrong.

Three questions are asked of every reachable state:

- safety: is something wrong in it already (a second document, a false success)?
- good end: if nothing moves any more, is the work done, or visibly held for a cause?
- liveness: can a good end still be reached without another fault and without a person's help? If not, it is stranded.
"""

import gc
from array import array
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Generic, NamedTuple, Protocol, TypeVar

S = TypeVar("S", bound=Hashable)


class Wrong(StrEnum):
    """The ways in which a protocol can fail, as an accountant would see them."""

    DUPLICATE = "DUPLICATE"
    """Two documents, or two refunds, for one."""
    TOO_EARLY = "TOO_EARLY"
    """A refund before its order, or a confirmation of content that nobody has proved."""
    FALSE_SUCCESS = "FALSE_SUCCESS"
    """Settled as done, and the target does not show it."""
    SENT_AFTER_END = "SENT_AFTER_END"
    """An effect that was superseded or settled is sent all the same."""
    STALE = "STALE"
    """Everything is at rest and the target, or the topic, shows older content."""
    LOST = "LOST"
    """Something was never recorded, published or booked, and nobody will."""
    STRANDED = "STRANDED"
    """Work is left and nobody may take it up, or it goes round for ever."""
    REORDERED = "REORDERED"
    """A higher revision carries older content, or one revision two contents."""


class Violation(NamedTuple):
    wrong: Wrong
    detail: str


class Move(NamedTuple, Generic[S]):
    """One atomic step of one participant. `optional`: a fault or a person's act, which may happen but need not."""

    label: str
    state: S
    optional: bool = False


class Model(Protocol[S]):
    def start(self) -> S: ...

    def moves(self, state: S) -> Iterable[Move[S]]: ...

    def violation(self, state: S) -> Violation | None:
        """What is wrong in this state, whatever comes after."""
        ...

    def bad_end(self, state: S) -> Violation | None:
        """What is wrong if nothing moves any more; None for a good end."""
        ...


class Verdict(NamedTuple):
    states: int
    violation: Violation | None
    trace: tuple[str, ...]
    """The labels of a shortest way from the start to the violation."""

    @property
    def wrong(self) -> Wrong | None:
        return self.violation.wrong if self.violation else None

    def __str__(self) -> str:
        if self.violation is None:
            return f"holds ({self.states:,} states)"
        way = "".join(f"\n  {number:2}. {label}" for number, label in enumerate(self.trace, 1))
        return f"{self.violation.wrong}: {self.violation.detail} ({self.states:,} states){way}"


class _Found(NamedTuple):
    where: int
    violation: Violation


class _Graph(Generic[S]):
    """The states found so far, in the order of their distance from the start, and who leads to whom."""

    def __init__(self, model: Model[S]) -> None:
        self.model = model
        self.states = [model.start()]
        self.number = {self.states[0]: 0}
        self.parent = array("i", [-1])
        self.arrows = (array("i"), array("i"))
        self.good_ends: list[int] = []

    def expand(self, here: int) -> _Found | None:
        """Adds all successors of one state, or stops at the first one in which something is wrong."""
        rests = True
        for _, state, optional in self.model.moves(self.states[here]):
            known = len(self.states)
            there = self._number(state, here)
            if there == known and (violation := self.model.violation(state)):
                return _Found(there, violation)
            if not optional:
                rests = False
                self.arrows[0].append(here)
                self.arrows[1].append(there)
        return self._end(here) if rests else None

    def _number(self, state: S, parent: int) -> int:
        there = self.number.setdefault(state, len(self.states))
        if there == len(self.states):
            self.states.append(state)
            self.parent.append(parent)
        return there

    def _end(self, here: int) -> _Found | None:
        violation = self.model.bad_end(self.states[here])
        if violation is None:
            self.good_ends.append(here)
            return None
        return _Found(here, violation)

    def stranded(self) -> _Found | None:
        """The nearest state from which no good end can be reached by moves that are not optional."""
        before: list[list[int]] = [[] for _ in self.states]
        for here, there in zip(*self.arrows, strict=True):
            before[there].append(here)
        safe = bytearray(len(self.states))
        frontier = list(self.good_ends)
        while frontier:
            here = frontier.pop()
            if not safe[here]:
                safe[here] = 1
                frontier.extend(before[here])
        first = safe.find(0)
        return None if first < 0 else _Found(first, Violation(Wrong.STRANDED, "no good end can be reached any more"))

    def way_to(self, here: int) -> tuple[str, ...]:
        return tuple(self._labels(here))[::-1]

    def _labels(self, here: int) -> Iterator[str]:
        while (parent := self.parent[here]) >= 0:
            moves = self.model.moves(self.states[parent])
            yield next(label for label, state, _ in moves if state == self.states[here])
            here = parent


@contextmanager
def _without_collector() -> Iterator[None]:
    """Millions of small tuples and no cycles: the garbage collector would only walk over them, again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_without_collector()
def search(model: Model[S], limit: int = 1_000_000) -> Verdict:
    """The verdict over all reachable states. Raises `RuntimeError` when there are more than `limit` of them."""
    graph = _Graph(model)
    found = None
    here = 0
    while here < len(graph.states) and found is None:
        found = graph.expand(here)
        here += 1
        if here > limit:
            raise RuntimeError(f"more than {limit:,} states: choose a smaller scenario")
    found = found or graph.stranded()
    if found is None:
        return Verdict(len(graph.states), None, ())
    return Verdict(len(graph.states), found.violation, graph.way_to(found.where))
