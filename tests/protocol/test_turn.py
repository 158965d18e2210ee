"""The engine's decisions, held to the rules of the search: what `rules.py` names is what `tallystick/turn.py` does."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tallystick.built import Built
from tallystick.contract.document import CustomerDocument, OrderDocument, StockDocument
from tallystick.ledger.rows import Claim, EffectState, Head, Kind, Row
from tallystick.ports import (
    Answer,
    Applied,
    Capability,
    Doubt,
    Found,
    Job,
    NotApplied,
    OperationTraits,
    Refused,
    Step,
    Verdict,
)
from tallystick.reasons import HoldReason, WaitReason
from tallystick.rules import Rules
from tallystick.turn import Move, Turn

LOAD, CONFIRM = Step("load", marks=True), Step("confirm")
LATE_S, LAG_S = 60.0, 30.0
DOCUMENT = CustomerDocument("shop", "7", "A", "", "", False, "", "", "", "", "", "", "")
HEAD = Head(
    claim=Claim("shop/1", 3),
    connection="shop",
    late_for_s=0.0,
    seq=2,
    entity_type="order",
    entity_id="shop/1",
    operation="upsert",
    op_id="2",
    kind=Kind.STATE,
    revision=2,
    forced=False,
    state=EffectState.QUEUED,
    step=0,
    intents=0,
    attempts=0,
    external_ref="shop/1",
    received_at=datetime(2026, 11, 23, 9, tzinfo=UTC),
    body=b"",
    external_id=None,
    applied_revision=None,
    applied_mark=None,
    lines=(),
    parent_revision=None,
    parent_external_id=None,
    doubt_age_s=None,
    parent_skipped=False,
    parent_ended=False,
    recorded_for_s=0.0,
)
IN_DOUBT = replace(HEAD, state=EffectState.IN_DOUBT, intents=1, attempts=1, doubt_age_s=0.0)
BOUND = replace(HEAD, external_id="17", applied_revision=1)


def rules(capability: Capability) -> Rules:
    traits = OperationTraits(
        capability=capability,
        conditional_update=False,
        late_apply_max_s=LATE_S,
        search_lag_max_s=LAG_S,
        batch_max=1,
        parallel_max=1,
        mark_field="note",
    )
    return Rules(traits, LATE_S, LAG_S, dependency_s=1.0, parent_s=60.0, attempts_max=8, backoff_s=0.5)


def decided(head: Head, capability: Capability = Capability.E1) -> Turn:
    turn = Turn(head, rules(capability))
    turn.document, turn.mark, turn.steps = DOCUMENT, "mark", (LOAD, CONFIRM)
    turn.job = Job(head.external_ref, head.revision, "mark", DOCUMENT, external_id=head.external_id)
    turn.decide()
    return turn


def answered(head: Head, answer: Answer) -> Turn:
    turn = decided(head)
    turn.move = Move.SEND
    turn.answered(answer)
    return turn


def document(*, cancelled: bool) -> OrderDocument:
    """An order's, empty but for its state in the store."""
    at = HEAD.received_at
    told: dict[str, Any] = {"connection": "shop", "order_id": "1", "number": "1", "currency": "EUR", "placed_at": at}
    made: dict[str, Any] = {"lines": (), "total": Decimal(0), "customer": DOCUMENT, "fields": {}}
    return OrderDocument(
        **told, **made, business_date=at.date(), confirm=True, cancelled=cancelled, contract_version="1"
    )


def resting(turn: Turn) -> tuple[EffectState, HoldReason | WaitReason | None]:
    assert turn.outcome is not None
    return turn.outcome.state, turn.outcome.hold or turn.outcome.wait


# ---- what is in doubt is probed, and keeps its doubt


@pytest.mark.parametrize("state", [EffectState.IN_FLIGHT, EffectState.IN_DOUBT])
def test_what_a_former_holder_left_open_is_probed_first(state: EffectState) -> None:
    assert decided(replace(IN_DOUBT, state=state)).move is Move.PROBE


@pytest.mark.parametrize(
    "answer", [NotApplied("429", 3.0, throttled=True), NotApplied("refused connection", reached=False)]
)
def test_a_repeat_that_is_not_applied_leaves_the_earlier_request_in_doubt(answer: NotApplied) -> None:
    assert resting(answered(IN_DOUBT, answer))[0] is EffectState.IN_DOUBT
    assert resting(answered(HEAD, answer))[0] is EffectState.QUEUED


def test_a_repeat_that_is_refused_holds_the_lane_and_keeps_the_doubt() -> None:
    refused = Refused(HoldReason.DATA, "no such product")
    assert resting(answered(IN_DOUBT, refused)) == (EffectState.IN_DOUBT, HoldReason.DATA)
    assert resting(answered(HEAD, refused)) == (EffectState.QUEUED, HoldReason.DATA)


def test_a_refused_duplicate_is_doubt_but_opens_no_window() -> None:
    """FC-013: it is probed next, and nothing of ours can land late."""
    outcome = answered(HEAD, Doubt("duplicate reference", unanswered=False)).outcome
    assert outcome is not None
    assert (outcome.state, outcome.doubt, outcome.wait, outcome.hold) == (EffectState.IN_DOUBT, False, None, None)


@pytest.mark.parametrize("answer", [Doubt("no answer"), NotApplied("another transaction was in the way")])
def test_no_attempt_counts_while_nothing_that_is_written_comes_to_anything(answer: Answer) -> None:
    """FC-046: the last attempt would hold the lane; the target's own fault is none of what is sent."""
    turn = decided(replace(HEAD, attempts=7))
    turn.move = Move.SEND
    turn.answered(answer, mute=True)
    assert turn.outcome is not None
    assert (resting(turn)[1], turn.outcome.attempts) == (WaitReason.TARGET_DOWN, -1)
    assert resting(answered(replace(HEAD, attempts=7), answer))[1] is HoldReason.ATTEMPTS


def test_found_is_not_done_the_older_document_is_changed_not_made_again() -> None:
    turn = decided(IN_DOUBT)
    turn.probed(Found(Verdict.OLDER, external_id="17"))
    assert turn.move is Move.SEND
    assert turn.job is not None
    assert turn.job.external_id == "17"


def test_a_document_of_somebody_else_is_held() -> None:
    """FC-013"""
    turn = decided(IN_DOUBT)
    turn.probed(Found(Verdict.FOREIGN, detail="no mark of ours"))
    assert resting(turn)[1] is HoldReason.FOREIGN


def test_content_that_fell_back_starts_again_at_the_first_step_in_doubt() -> None:
    turn = decided(replace(IN_DOUBT, step=1, external_id="17"))
    turn.probed(Found(Verdict.OLDER, external_id="17"))
    assert turn.outcome is not None
    assert (turn.outcome.state, turn.outcome.step, turn.outcome.was_step) == (EffectState.IN_DOUBT, 0, 1)


# ---- quiet time, where a reference can only be searched for


def test_absent_counts_once_nothing_may_land_or_be_hidden() -> None:
    """FC-008: the look-up that counts is asked after the quiet time, whose age was read before it began."""
    early = decided(replace(IN_DOUBT, doubt_age_s=LATE_S + LAG_S - 1), Capability.E2)
    early.probed(Found(Verdict.ABSENT))
    assert resting(early) == (EffectState.IN_DOUBT, WaitReason.QUIET_TIME)
    later = decided(replace(IN_DOUBT, doubt_age_s=LATE_S + LAG_S + 1), Capability.E2)
    later.probed(Found(Verdict.ABSENT))
    assert later.move is Move.SEND


def test_quiet_time_is_the_references_whichever_revision_was_in_doubt() -> None:
    assert resting(decided(replace(HEAD, doubt_age_s=5.0), Capability.E2))[1] is WaitReason.QUIET_TIME
    assert decided(replace(HEAD, doubt_age_s=LATE_S + LAG_S + 1), Capability.E2).move is Move.PROBE
    assert decided(replace(HEAD, doubt_age_s=5.0), Capability.E1).move is Move.SEND
    assert decided(replace(BOUND, doubt_age_s=5.0), Capability.E2).move is Move.SEND


def test_a_resync_too_waits_for_the_quiet_time_before_it_believes_absent() -> None:
    turn = decided(replace(HEAD, forced=True, doubt_age_s=5.0), Capability.E2)
    assert turn.move is Move.COMPARE
    turn.compared(Found(Verdict.ABSENT))
    assert resting(turn)[1] is WaitReason.QUIET_TIME


def test_absent_without_any_unanswered_request_needs_no_quiet_time() -> None:
    turn = decided(replace(IN_DOUBT, doubt_age_s=None), Capability.E2)
    turn.probed(Found(Verdict.ABSENT))
    assert turn.move is Move.SEND


def test_without_any_look_up_a_lost_answer_is_held() -> None:
    """FC-009"""
    turn = decided(IN_DOUBT, Capability.E3)
    turn.probed(Found(Verdict.ABSENT))
    assert resting(turn) == (EffectState.IN_DOUBT, HoldReason.IN_DOUBT_NO_LOOKUP)


# ---- the late window


def test_the_first_step_of_a_newer_revision_waits_for_the_late_window() -> None:
    waiting = decided(replace(BOUND, late_for_s=7.0))
    assert resting(waiting)[1] is WaitReason.LATE_WINDOW
    assert decided(replace(BOUND, late_for_s=7.0, step=1)).move is Move.SEND
    assert decided(replace(IN_DOUBT, late_for_s=7.0)).move is Move.PROBE


def test_a_delta_waits_for_it_where_its_document_is_there_already() -> None:
    """A return that is cancelled: what made its transfer may land once more, and would bring it back."""
    fresh = replace(HEAD, kind=Kind.DELTA, parent_revision=1, late_for_s=7.0)
    assert decided(fresh).move is Move.SEND
    waiting = decided(replace(fresh, external_id="17", applied_revision=1))
    assert resting(waiting) == (EffectState.QUEUED, WaitReason.LATE_WINDOW)


def test_a_resync_that_would_write_waits_for_it_too() -> None:
    turn = decided(replace(BOUND, forced=True, late_for_s=7.0))
    turn.compared(Found(Verdict.OLDER, external_id="17"))
    assert resting(turn)[1] is WaitReason.LATE_WINDOW


@pytest.mark.parametrize(
    ("head", "clears"),
    [
        (IN_DOUBT, True),
        (replace(IN_DOUBT, intents=2), False),
        (replace(IN_DOUBT, step=1), False),
        (replace(IN_DOUBT, kind=Kind.DELTA, parent_revision=1), False),
    ],
    ids=["one marked intent of a state", "two intents", "a step without a mark", "a delta"],
)
def test_a_probe_clears_the_window_only_where_it_proves_the_only_request(head: Head, clears: bool) -> None:
    turn = decided(head)
    turn.probed(Found(Verdict.THIS, external_id="17"))
    assert turn.outcome is not None
    assert turn.outcome.clear_late is clears


def test_an_ordinary_answer_does_not_clear_it() -> None:
    outcome = answered(HEAD, Applied("17")).outcome
    assert outcome is not None
    assert not outcome.clear_late


# ---- who goes first, and what is over


def test_a_delta_waits_for_its_order_and_is_held_behind_a_skipped_one() -> None:
    """FC-062"""
    refund = replace(HEAD, kind=Kind.DELTA, entity_type="refund")
    assert resting(decided(refund))[1] is WaitReason.DEPENDENCY
    assert resting(decided(replace(refund, parent_skipped=True)))[1] is HoldReason.PARENT_SKIPPED
    assert decided(replace(refund, parent_revision=1)).move is Move.SEND
    missing = decided(replace(refund, recorded_for_s=61.0))
    assert resting(missing)[1] is HoldReason.PARENT_MISSING, "nobody waits for ever for an order that never came"


def test_an_older_revision_of_a_part_does_not_follow_a_newer_one() -> None:
    part = replace(HEAD, kind=Kind.DELTA, entity_type="refund", parent_revision=1)
    assert resting(decided(replace(part, applied_revision=HEAD.revision + 1)))[0] is EffectState.SUPERSEDED


def test_an_applied_newer_or_equal_revision_supersedes_unless_forced() -> None:
    """FC-068, FC-007"""
    assert resting(decided(replace(BOUND, applied_revision=3)))[0] is EffectState.SUPERSEDED
    assert resting(decided(replace(BOUND, applied_revision=2)))[0] is EffectState.SUPERSEDED
    assert decided(replace(BOUND, applied_revision=2, forced=True)).move is Move.COMPARE
    assert resting(decided(replace(BOUND, applied_revision=3, forced=True)))[0] is EffectState.SUPERSEDED


# ---- a locked document


def test_what_differs_from_a_locked_document_is_settled_by_effects_behind_it() -> None:
    """FC-088: the effect is done with, its document's binding stays, and the rows go into the same transaction."""
    turn = answered(BOUND, Refused(HoldReason.LOCKED, "it is confirmed", beside=True))
    row = Row("shop/1", "shop", "supplement", "shop/1/delta/2", "add", "2", Kind.DELTA, 2, b"", "", HEAD.received_at)
    turn.book_beside((row,))
    outcome = turn.outcome
    assert outcome is not None
    assert (outcome.state, outcome.more, outcome.hold) == (EffectState.APPLIED, (row,), None)
    assert (outcome.external_id, outcome.applied_revision) == (None, None)


def test_a_document_that_something_stands_beside_is_no_proof_of_a_revision() -> None:
    """FC-088: it may say what the newest revision says, and not be all that is booked."""
    turn = decided(replace(BOUND, forced=True, split=True))
    turn.document = document(cancelled=False)
    turn.compared(Found(Verdict.THIS, "17"))
    assert (turn.frozen, turn.outcome, turn.move) == (True, None, Move.SEND)
    turn.book_beside(())
    assert resting(turn)[0] is EffectState.VERIFIED


def test_a_document_that_something_stands_beside_may_still_be_cancelled() -> None:
    turn = decided(replace(BOUND, split=True))
    turn.document = document(cancelled=True)
    assert not turn.frozen


def test_a_locked_document_stays_held_where_nothing_may_stand_beside_it() -> None:
    turn = answered(BOUND, Refused(HoldReason.LOCKED, "it is confirmed", beside=True))
    turn.book_beside(None)
    assert resting(turn)[1] is HoldReason.LOCKED
    turn.book_beside(Refused(HoldReason.UNBALANCED, "35.70 and 11.90 are not 48.60"))
    assert resting(turn)[1] is HoldReason.UNBALANCED


def test_nothing_stands_beside_a_document_that_an_earlier_request_may_still_reach() -> None:
    locked = Refused(HoldReason.LOCKED, "it is confirmed", beside=True)
    doubted = replace(BOUND, state=EffectState.IN_DOUBT, late_for_s=7.0)
    turn = answered(doubted, locked)
    turn.book_beside(())
    assert resting(turn) == (EffectState.IN_DOUBT, WaitReason.LATE_WINDOW)
    turn = answered(replace(doubted, late_for_s=0.0), locked)
    turn.book_beside(())
    assert resting(turn)[0] is EffectState.VERIFIED


KEPT = replace(BOUND, applied_mark="tallystick shop/1 r1.0123456789")
SAME, OTHER = "tallystick shop/1 r2.0123456789", "tallystick shop/1 r2.aaaaaaaaaa"


@pytest.mark.parametrize(
    ("head", "mark", "sent"),
    [
        (KEPT, SAME, False),
        (KEPT, OTHER, True),
        (replace(KEPT, touched=True), SAME, True),
        (replace(KEPT, split=True), SAME, True),
        (replace(KEPT, forced=True), SAME, True),
        (replace(KEPT, intents=1), SAME, True),
        (replace(KEPT, late_for_s=5.0), SAME, True),
        (replace(KEPT, kind=Kind.DELTA, parent_revision=1), SAME, True),
        (replace(KEPT, applied_mark=None), SAME, True),
        (HEAD, SAME, True),
    ],
)
def test_what_the_document_holds_already_is_not_sent_again(head: Head, mark: str, sent: bool) -> None:
    """FC-065: unless anything else may have reached it since; the document keeps the mark that it has."""
    turn = Turn(head, rules(Capability.E1))
    turn.decide()
    turn.takes(Built(DOCUMENT, mark, "v1"), (LOAD, CONFIRM))
    assert (turn.outcome is None or turn.outcome.wait is not None) is sent
    if not sent:
        assert turn.outcome is not None
        assert (turn.outcome.state, turn.outcome.applied_revision) == (EffectState.VERIFIED, 2)
        assert turn.outcome.applied_mark == head.applied_mark


def test_a_figure_of_stock_is_sent_again_although_it_was_set_before() -> None:
    """The shelf may show another one by now."""
    turn = Turn(KEPT, rules(Capability.E1))
    turn.decide()
    turn.takes(Built(StockDocument("shop", "MUG", "", 3, 5, "9", "v1"), SAME, "v1"), (LOAD,))
    assert turn.open
