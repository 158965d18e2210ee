"""What is searched: the scenarios in which the protocol must hold, and those in which it must fail without a rule.

A rule is switched off on a target where that matters, not on all of them: a target that compares marks forgives a late
update, one that refuses a second create forgives an impatient probe.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from .intake_model import Intake, Version
from .ledger_model import Ledger
from .rules import EVERY_RULE
from .search import Verdict, Wrong, search
from .state import Op
from .targets import KINDS, Create, TargetKind, Update


class Row(NamedTuple):
    name: str
    model: Ledger | Intake
    expected: Wrong | None = None
    """What must be found; None where nothing may be."""

    @property
    def repaired(self) -> Ledger | Intake:
        """The same scenario with every rule on."""
        if isinstance(self.model, Ledger):
            return replace(self.model, rules=EVERY_RULE)
        return replace(self.model, rules=Intake.rules)


def verdict(model: Ledger | Intake) -> Verdict:
    # Each branch searches states of its own type.
    if isinstance(model, Ledger):
        return search(model)
    return search(model)


R1, R2, REFUND = Op.R1, Op.R2, Op.REFUND
REFUSED_CONDITIONAL = TargetKind(Create.REFUSED, Update.CONDITIONAL)
REFUSED_OVERWRITTEN = TargetKind(Create.REFUSED, Update.UNCONDITIONAL)
SEARCHED_CONDITIONAL = TargetKind(Create.SEARCHABLE, Update.CONDITIONAL)
SEARCHED_OVERWRITTEN = TargetKind(Create.SEARCHABLE, Update.UNCONDITIONAL)
UNCONFIRMING = tuple(TargetKind(Create.REFUSED, update, load_unconfirms=True) for update in Update)


def _on_every_kind(kind: TargetKind) -> dict[str, Ledger]:
    first_refused = replace(kind, refuses=frozenset({1}))
    second_refused = replace(kind, refuses=frozenset({2}))
    return {
        "a worker dies": Ledger(kind, losses=0),
        "out of order": Ledger(kind, log=(R2, R1)),
        "repeated, and the consumer dies": Ledger(kind, log=(R1, R2, R1), crashes=0, losses=0, deaths=1),
        "two requests go wrong": Ledger(kind, crashes=0, losses=2),
        "refund first": Ledger(kind, log=(REFUND, R1)),
        "refund between": Ledger(kind, log=(R1, REFUND, R2), crashes=0, losses=2),
        "r1 is refused": Ledger(first_refused),
        "r2 is refused": Ledger(second_refused, crashes=0, losses=2),
        "a person forces a resync": Ledger(kind, crashes=0, resyncs=1),
        "a person skips r1": Ledger(kind, crashes=0, skips=1),
    }


def _on_the_hardest_kind(kind: TargetKind) -> dict[str, Ledger]:
    """Large scenarios, for the kind that forgives least."""
    return {
        "two workers die": Ledger(kind, crashes=2, losses=0),
        "repeated, a request goes wrong, and the consumer dies": Ledger(kind, log=(R1, R2, R1), crashes=0, deaths=1),
        "a person skips r1 and forces a resync": Ledger(kind, crashes=0, skips=1, resyncs=1),
    }


def full_ledger() -> Iterator[Row]:
    for kind in KINDS:
        for name, model in _on_every_kind(kind).items():
            yield Row(f"{name}, {kind}", model)
    for kind in KINDS:
        if kind.create is not Create.FOLDED:
            # An upsert differs from a refused create by one answer; the smaller scenarios cover it.
            yield Row(f"a worker dies and a request goes wrong, {kind}", Ledger(kind))
    for name, model in _on_the_hardest_kind(SEARCHED_OVERWRITTEN).items():
        yield Row(f"{name}, {SEARCHED_OVERWRITTEN}", model)
    for kind in (REFUSED_CONDITIONAL, REFUSED_OVERWRITTEN, *UNCONFIRMING):
        yield Row(f"the order exists, {kind}", Ledger(kind, order_exists=True))


HISTORIES = {
    "a, b, c in three seconds": (Version("a", 1), Version("b", 2), Version("c", 3)),
    "a, then b and c in one second": (Version("a", 1), Version("b", 2), Version("c", 2)),
    "a, b, a in three seconds": (Version("a", 1), Version("b", 2), Version("a", 3)),
    "a, then b and a in one second": (Version("a", 1), Version("b", 2), Version("a", 2)),
    "a, b, a in one second": (Version("a", 1), Version("b", 1), Version("a", 1)),
}


def full_intake() -> Iterator[Row]:
    for name, history in HISTORIES.items():
        yield Row(f"intake: {name}", Intake(history))
