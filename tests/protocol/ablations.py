"""Each rule switched off, on the target where that matters, with the failure it must bring.

A rule is not expected to matter everywhere: a target that compares marks forgives a late update, one that refuses a
second create forgives an impatient probe.
"""

from collections.abc import Iterator
from dataclasses import replace

from .intake_model import Intake, IntakeRules
from .ledger_model import Ledger
from .rules import EVERY_RULE
from .scenarios import (
    HISTORIES,
    R1,
    R2,
    REFUND,
    REFUSED_CONDITIONAL,
    REFUSED_OVERWRITTEN,
    SEARCHED_CONDITIONAL,
    UNCONFIRMING,
    Row,
)
from .search import Wrong
from .targets import KINDS

ORDER = Ledger(REFUSED_OVERWRITTEN, crashes=0)
"""A new order where nothing goes wrong but one request."""
EXISTING = replace(ORDER, order_exists=True)
"""The same for an order that is there: both revisions are updates, and overwrite."""
SEARCHED = Ledger(SEARCHED_CONDITIONAL, crashes=0)
"""The same where a second create makes a second document, and the search may lag."""
CORRECTED = replace(ORDER, target=replace(REFUSED_OVERWRITTEN, refuses=frozenset({1})), losses=0)
"""Revision 1 is refused by the target, revision 2 is its correction."""
REFUNDED = replace(EXISTING, log=(R1, REFUND, R2), losses=2)


def _off(rule: str, model: Ledger, expected: Wrong) -> Row:
    rules = replace(EVERY_RULE, **{rule: False})
    return Row(f"without {rule}, {model.target}", replace(model, rules=rules), expected)


def _who_may_send() -> Iterator[Row]:
    yield _off("lane_lease", SEARCHED, Wrong.DUPLICATE)
    yield _off("lane_lease", replace(EXISTING, losses=0), Wrong.STALE)
    yield _off("epoch_at_intent", replace(SEARCHED, crashes=1), Wrong.DUPLICATE)
    yield _off("epoch_at_intent", replace(EXISTING, crashes=1), Wrong.STALE)
    yield _off("state_check", replace(ORDER, losses=0), Wrong.SENT_AFTER_END)
    yield _off("in_flight_stays", SEARCHED, Wrong.DUPLICATE)
    yield _off("in_flight_stays", EXISTING, Wrong.STALE)


def _what_an_answer_means() -> Iterator[Row]:
    for kind in KINDS:
        yield _off("mark_decides", replace(ORDER, target=kind), Wrong.FALSE_SUCCESS)
    yield _off("refused_duplicate_is_doubt", ORDER, Wrong.STRANDED)
    yield _off("refused_duplicate_is_doubt", replace(ORDER, target=REFUSED_CONDITIONAL), Wrong.STRANDED)
    yield _off("quiet_time", SEARCHED, Wrong.DUPLICATE)
    yield _off("quiet_before_probe", SEARCHED, Wrong.DUPLICATE)
    yield _off("quiet_time_of_the_reference", replace(SEARCHED, skips=1), Wrong.DUPLICATE)
    yield _off("older_is_updated", replace(SEARCHED, skips=1), Wrong.DUPLICATE)
    yield _off("older_is_updated", replace(ORDER, skips=1), Wrong.STRANDED)


def _what_may_still_land() -> Iterator[Row]:
    comparing, overwriting = (replace(EXISTING, target=kind) for kind in UNCONFIRMING)
    yield _off("late_window", EXISTING, Wrong.STALE)
    yield _off("only_a_single_intent_clears", replace(EXISTING, losses=2), Wrong.STALE)
    yield _off("only_its_own_window", REFUNDED, Wrong.STALE)
    yield _off("unmarked_step_counts", comparing, Wrong.TOO_EARLY)
    yield _off("undone_step_waits", replace(overwriting, log=(R1,)), Wrong.FALSE_SUCCESS)


def _who_goes_first() -> Iterator[Row]:
    yield _off("record_before_offset", replace(ORDER, losses=0, deaths=1), Wrong.LOST)
    yield _off("order_before_refund", replace(ORDER, log=(REFUND, R1), losses=0), Wrong.TOO_EARLY)
    yield _off("order_before_refund", replace(ORDER, log=(R1, REFUND, R2), losses=0), Wrong.TOO_EARLY)
    yield _off("hold_looks_for_newer", CORRECTED, Wrong.STRANDED)
    yield _off("record_frees_hold", CORRECTED, Wrong.STRANDED)


def ledger_ablations() -> Iterator[Row]:
    yield from _who_may_send()
    yield from _what_an_answer_means()
    yield from _what_may_still_land()
    yield from _who_goes_first()


def intake_ablations() -> Iterator[Row]:
    fails = (
        ("only_newer_bodies", "a, then b and c in one second", Wrong.REORDERED),
        ("doubtful_body_is_read", "a, then b and c in one second", Wrong.STALE),
        ("started_before_accepted", "a, b, c in three seconds", Wrong.REORDERED),
        ("body_draws_number", "a, b, c in three seconds", Wrong.REORDERED),
        ("equal_content_draws_number", "a, b, a in three seconds", Wrong.REORDERED),
        ("equal_content_moves_date", "a, b, a in three seconds", Wrong.REORDERED),
        ("repeat_has_its_date", "a, b, a in three seconds", Wrong.REORDERED),
        ("unpublished_is_published", "a, b, c in three seconds", Wrong.STALE),
    )
    for rule, history, expected in fails:
        rules = replace(IntakeRules(), **{rule: False})
        yield Row(f"intake without {rule}: {history}", Intake(HISTORIES[history], rules=rules), expected)
