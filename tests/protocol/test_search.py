"""With all rules on, every scenario holds on every kind of target; and the search itself finds what is there."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from .conftest import Verdicts
from .scenarios import Row, full_intake, full_ledger
from .search import Move, Violation, Wrong, search


@pytest.mark.parametrize("row", [*full_ledger(), *full_intake()], ids=lambda row: row.name)
def test_the_protocol_holds(row: Row, verdicts: Verdicts) -> None:
    found = verdicts(row.model)
    assert found.violation is None, str(found)


class Counter(NamedTuple):
    """A model small enough to be judged by eye: from `number` to `number + 1`, or by a fault to `trap`."""

    forbidden: int = -1
    rest: int = 3
    trap: int = -1

    def start(self) -> int:
        return 0

    def moves(self, state: int) -> Iterator[Move[int]]:
        if state < self.rest:
            yield Move(f"to {state + 1}", state + 1)
        if state == 1 and self.trap > 0:
            yield Move(f"falls to {self.trap}", self.trap, optional=True)
        if state > self.rest:
            yield Move("round and round", state)

    def violation(self, state: int) -> Violation | None:
        return Violation(Wrong.DUPLICATE, "seen") if state == self.forbidden else None

    def bad_end(self, state: int) -> Violation | None:
        return None if state == 3 else Violation(Wrong.LOST, "ended too early")


def test_a_model_without_faults_holds() -> None:
    assert str(search(Counter())) == "holds (4 states)"


def test_a_violation_comes_with_its_shortest_way() -> None:
    found = search(Counter(forbidden=2))
    assert (found.wrong, found.trace) == (Wrong.DUPLICATE, ("to 1", "to 2"))


def test_a_rest_before_the_goal_is_found() -> None:
    assert search(Counter(rest=2)).wrong is Wrong.LOST


def test_a_circle_without_a_way_out_is_stranded() -> None:
    found = search(Counter(trap=9))
    assert (found.wrong, found.trace) == (Wrong.STRANDED, ("to 1", "falls to 9"))


def test_too_many_states_are_no_verdict() -> None:
    with pytest.raises(RuntimeError, match="more than 2 states"):
        search(Counter(), limit=2)
