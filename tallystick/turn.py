"""One head's turn in a wave: what is decided about it, and how an answer becomes an outcome. Pure; no I/O.

The rules are those of the protocol, sections 4 to 6; the exhaustive search under tests/protocol explains each.
"""

import random
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from tallystick.built import Built
from tallystick.contract.document import Document, OrderDocument, RefundDocument, StockDocument
from tallystick.ledger.rows import EffectState, Head, Kind, Outcome, Row
from tallystick.marks import same_content
from tallystick.pacing import spread
from tallystick.ports import (
    Answer,
    Applied,
    Capability,
    Doubt,
    Found,
    Job,
    NotApplied,
    Refused,
    Step,
    Verdict,
)
from tallystick.reasons import HoldReason, WaitReason
from tallystick.rules import Rules
from tallystick.telemetry import flow_of

_UNFINISHED = (EffectState.IN_FLIGHT, EffectState.IN_DOUBT)
_LINED = (OrderDocument, RefundDocument)


class Move(Enum):
    """What to do next with a turn that is still open."""

    PROBE = auto()
    COMPARE = auto()
    SEND = auto()


@dataclass(slots=True)
class Turn:
    """A head on its way through one wave; it ends when it has an outcome."""

    head: Head
    rules: Rules
    document: Document | None = None
    mark: str = ""
    contract_version: str | None = None
    steps: tuple[Step, ...] = ()
    dependencies: dict[str, str] = field(default_factory=dict)
    job: Job | None = None
    #: The customer that has to be in the target first.
    customer: Row | None = None
    move: Move | None = None
    #: The state and step in which the effect stands; the step falls back when content fell back.
    state: EffectState = field(init=False)
    step_index: int = field(init=False)
    outcome: Outcome | None = None
    #: The intent was refused: the effect is no longer as it was read, look again.
    stale: bool = False

    def __post_init__(self) -> None:
        self.state = self.head.state
        self.step_index = self.head.step

    @property
    def open(self) -> bool:
        """Still to be dealt with in this wave."""
        return self.outcome is None and not self.stale

    @property
    def flow(self) -> str:
        """The metric label of the flow."""
        return flow_of(self.head.entity_type)

    @property
    def step(self) -> Step:
        """The step whose turn it is."""
        return self.steps[self.step_index]

    @property
    def frozen(self) -> bool:
        """Something stands beside its document, which is changed no more from then on: it may be cancelled."""
        return self.head.split and isinstance(self.document, OrderDocument) and not self.document.cancelled

    # ---- before anything is sent -----------------------------------------------------------------------------------

    def decide(self) -> None:
        """Set the move, or the outcome when nothing may be sent now. Needs no document."""
        head = self.head
        if head.state in _UNFINISHED:
            self.move = Move.PROBE
        elif head.kind is Kind.DELTA and head.parent_revision is None:
            self._wait_for_parent()
        elif self._applied_already():
            self.settle(EffectState.SUPERSEDED, "superseded", detail="a newer revision is in the target already")
        elif head.forced and head.step == 0:
            self.move = Move.COMPARE
        elif self._something_may_land_late():
            self.wait(WaitReason.LATE_WINDOW, head.late_for_s, "an earlier request without an answer may still land")
        elif self._reference_in_doubt():
            self._probe_after_quiet_time()
        else:
            self.move = Move.SEND

    def _applied_already(self) -> bool:
        applied, head = self.head.applied_revision, self.head
        if applied is None:
            return False
        return applied > head.revision or (applied == head.revision and not head.forced and head.kind is Kind.STATE)

    def _wait_for_parent(self) -> None:
        if self.head.parent_skipped:
            self.hold(HoldReason.PARENT_SKIPPED, "its order was skipped by a person")
        elif self.head.parent_ended:
            detail = "its order ended before it had a document, so nothing is booked beside it"
            self.settle(EffectState.SUPERSEDED, "not eligible", detail=detail)
        elif self.head.recorded_for_s > self.rules.parent_s:
            words = "resync it; where it was booked by hand, skip this and book it by hand as well"
            self.hold(HoldReason.PARENT_MISSING, f"its order is not in the target, and none is on its way: {words}")
        else:
            self.wait(WaitReason.DEPENDENCY, self.rules.dependency_s, "its order is not in the target yet")

    def _something_may_land_late(self) -> bool:
        # A DELTA makes a document of its own, which nothing earlier can undo; unless it changes the one that is there.
        changes = self.head.kind is Kind.STATE or self.head.external_id is not None
        return changes and self.head.step == 0 and self.head.late_for_s > 0

    def _reference_in_doubt(self) -> bool:
        create = self.head.step == 0 and self.head.external_id is None
        return create and self.rules.traits.capability is Capability.E2 and self.head.doubt_age_s is not None

    def _probe_after_quiet_time(self) -> None:
        left_s = self._quiet_left_s()
        if left_s > 0:
            self.wait(WaitReason.QUIET_TIME, left_s, "an earlier create may still become visible")
        else:
            self.move = Move.PROBE

    def _quiet_left_s(self) -> float:
        """How long an unanswered request may still land or be hidden from look-ups; 0 when there never was one."""
        age_s = self.head.doubt_age_s
        return 0.0 if age_s is None else self.rules.quiet_s - age_s

    def takes(self, built: Built, steps: tuple[Step, ...]) -> None:
        """What the contract made of it; nothing is sent that the document holds already.

        So an echo of what we wrote into the source is no news, nor is a change of something that is not booked. A
        figure of stock is of its moment: the shelf may show another one by now.
        """
        self.document, self.mark, self.contract_version = built.document, built.mark, built.contract_version
        self.customer, self.steps = built.customer, steps
        head = self.head
        fresh = self.move is Move.SEND and head.kind is Kind.STATE and not (head.forced or head.intents or head.split)
        known = self._holds_this and not head.touched and not isinstance(self.document, StockDocument)
        if fresh and known:
            self.verified(Found(Verdict.THIS, head.external_id, detail="nothing that is booked has changed"))

    @property
    def _holds_this(self) -> bool:
        """By our record."""
        return self.head.external_id is not None and same_content(self.head.applied_mark, self.mark)

    # ---- what a look at the target says ----------------------------------------------------------------------------

    @property
    def asked(self) -> Job:
        """As the target is asked about it: compared by the mark of the revision that wrote what it holds."""
        assert self.job is not None
        kept = self.head.applied_mark if self.move is Move.COMPARE and self._holds_this else None
        return replace(self.job, mark=kept) if kept is not None else self.job

    def compared(self, found: Found) -> None:
        """A forced effect was compared in all mapped fields before anything is sent."""
        match found.verdict:
            case Verdict.THIS if not self.frozen:
                self.verified(found)
            case Verdict.NEWER:
                self.settle(EffectState.SUPERSEDED, "superseded", detail="the target holds a newer revision")
            case Verdict.FOREIGN:
                self.hold(HoldReason.FOREIGN, found.detail)
            case Verdict.ABSENT if self.head.external_id is not None:
                self.hold(HoldReason.DELETED_IN_TARGET, found.detail)
            case _ if self._something_may_land_late():
                self.wait(WaitReason.LATE_WINDOW, self.head.late_for_s, "an earlier request may still land")
            case Verdict.ABSENT if self._reference_in_doubt() and self._quiet_left_s() > 0:
                self.wait(WaitReason.QUIET_TIME, self._quiet_left_s(), "an earlier create may still become visible")
            case _:
                self._send_to(found)

    def _send_to(self, found: Found) -> None:
        """What was found with other content is the document to change: a create would make a second one."""
        if self.job is not None and found.external_id is not None:
            self.job = replace(self.job, external_id=found.external_id)
        self.move = Move.SEND

    def book_beside(self, found: tuple[Row, ...] | Refused | None) -> None:
        """Its document is locked: what differs is booked by effects of their own, behind it in its lane.

        None leaves it held; no effects mean that all stands beside it already.
        """
        if isinstance(found, Refused):
            self.refused(found)
        elif found is not None and self.head.state in _UNFINISHED and self.head.late_for_s > 0:
            # What was sent before may still reach the document, which would then say the same twice.
            detail = "an earlier request without an answer may still land"
            self.wait(WaitReason.LATE_WINDOW, self.head.late_for_s, detail, back=EffectState.IN_DOUBT)
        elif found == ():
            self.settle(EffectState.VERIFIED, "verified", detail="all of it stands in its documents already")
        elif found is not None:
            words = "its document is locked; what differs is booked beside it"
            self.settle(EffectState.APPLIED, "split", detail=words, more=found)

    def verified(self, found: Found) -> None:
        """Nothing differs: no write, and the document keeps the mark of the revision that wrote it."""
        self.settle(
            EffectState.VERIFIED,
            "verified",
            external_id=found.external_id or self.head.external_id,
            number=found.number,
            detail=found.detail or None,
            applied_revision=self.head.revision,
            applied_mark=self.head.applied_mark if self._holds_this else self.mark,
            lines=self.line_keys(),
        )

    def probed(self, found: Found) -> None:
        """A step in doubt, or a create whose reference ever was: what the target says about it."""
        match found.verdict:
            case Verdict.THIS:
                self.advance(Applied(found.external_id or "", found.number), proved=True)
            case Verdict.NEWER:
                self.settle(EffectState.SUPERSEDED, "superseded", detail="the target holds a newer revision")
            case Verdict.FOREIGN:
                self.hold(HoldReason.FOREIGN, found.detail)
            case Verdict.OLDER if self.step_index > 0:
                # Something undid our content: start again at the first step, still in doubt.
                self.step_index = 0
                self.goes_on(EffectState.IN_DOUBT, "the content fell back to an older revision")
            case Verdict.ABSENT if self.step_index == 0:
                self._absent(found)
            case _:
                self._send_to(found)

    def _absent(self, found: Found) -> None:
        if self.head.external_id is not None:
            self.hold(HoldReason.DELETED_IN_TARGET, found.detail)
        elif self.rules.traits.capability is Capability.E3:
            self.hold(HoldReason.IN_DOUBT_NO_LOOKUP, "the answer was lost and the target has no look-up")
        elif self.rules.traits.capability is Capability.E2 and self._quiet_left_s() > 0:
            self.wait(WaitReason.QUIET_TIME, self._quiet_left_s(), "the lost request may still land or become visible")
        else:
            self.move = Move.SEND

    # ---- what an answer means --------------------------------------------------------------------------------------

    def answered(self, answer: Answer, *, mute: bool = False) -> None:
        """The step was sent, and stands as IN_FLIGHT in the ledger. `mute`: no write comes to anything, none counts."""
        if self.step.writes:
            self.state = EffectState.IN_FLIGHT
        match answer:
            case Applied():
                self.advance(answer)
            case NotApplied():
                self._not_applied(answer, mute)
            case Refused():
                self.refused(answer)
            case Doubt():
                self._doubted(answer, mute)

    def refused(self, answer: Refused) -> None:
        """Refused for good: a person has to look."""
        self.hold(answer.reason, answer.detail, back=self._as_before())

    def advance(self, applied: Applied, *, proved: bool = False) -> None:
        """This step is done; the last one makes the effect APPLIED."""
        last = self.step_index == len(self.steps) - 1
        done = "done" if self.step.writes else "checked"
        self.outcome = self._outcome(
            EffectState.APPLIED if last else EffectState.QUEUED,
            "applied" if last else done,
            step=self.step_index if last else self.step_index + 1,
            applied_revision=self.head.revision if last else None,
            applied_mark=self.mark if last else None,
            external_id=applied.external_id or self.head.external_id,
            number=applied.number,
            clear_late=proved and self._only_request_of_its_window(),
            lines=self.line_keys(),
        )

    def _only_request_of_its_window(self) -> bool:
        """A mark tells which revision landed, not which attempt. A DELTA did not wait for the window of another."""
        return self.step.marks and self.head.kind is Kind.STATE and self.head.intents == 1

    def _as_before(self) -> EffectState:
        """A definite answer is about one request: one that was sent earlier and got none is still in doubt."""
        return EffectState.IN_DOUBT if self.head.state in _UNFINISHED else EffectState.QUEUED

    def _not_applied(self, answer: NotApplied, mute: bool = False) -> None:
        back = self._as_before()
        if answer.throttled:
            reason, due_in_s = WaitReason.THROTTLED, spread(answer.retry_after_s or self.backoff_s())
        elif not answer.reached or mute:
            reason, due_in_s = WaitReason.TARGET_DOWN, answer.retry_after_s or self.backoff_s()
        else:
            reason, due_in_s = WaitReason.TRANSIENT, answer.retry_after_s or self.backoff_s()
        free = answer.throttled or not answer.reached or mute
        if not free and self._attempts_over():
            self.hold(HoldReason.ATTEMPTS, answer.detail, back=back)
        else:
            self.wait(reason, due_in_s, answer.detail, back=back, attempts=-1 if free and self.step.writes else 0)

    def _doubted(self, answer: Doubt, mute: bool) -> None:
        if not self.step.writes:
            self._not_applied(NotApplied(answer.detail))
        elif self._attempts_over() and not mute:
            self.hold(HoldReason.ATTEMPTS, answer.detail, back=EffectState.IN_DOUBT, doubt=answer.unanswered)
        elif self.head.attempts > 1 or mute:
            self.wait(
                WaitReason.TARGET_DOWN if mute else WaitReason.TRANSIENT,
                self.backoff_s(),
                answer.detail,
                back=EffectState.IN_DOUBT,
                attempts=-1 if mute else 0,
                doubt=answer.unanswered,
                what="in doubt",
            )
        else:
            self.goes_on(EffectState.IN_DOUBT, answer.detail, doubt=answer.unanswered)

    def _attempts_over(self) -> bool:
        return self.head.attempts + 1 >= self.rules.attempts_max

    def backoff_s(self) -> float:
        """Doubles with each attempt up to a minute, spread so that lanes do not come back together."""
        base = min(60.0, self.rules.backoff_s * 2.0 ** min(self.head.attempts, 8))
        return base * random.uniform(0.7, 1.3)

    # ---- outcomes --------------------------------------------------------------------------------------------------

    def settle(self, state: EffectState, what: str, **more: Any) -> None:
        """A terminal state."""
        self.outcome = self._outcome(state, what, **more)

    def goes_on(self, state: EffectState, detail: str, *, doubt: bool = False) -> None:
        """Not terminal, and the lane goes on in the next wave."""
        self.outcome = self._outcome(state, "in doubt" if doubt else "", detail=detail, doubt=doubt)

    def hold(self, reason: HoldReason, detail: str, *, back: EffectState | None = None, doubt: bool = False) -> None:
        """Stop the lane for a person; an effect in doubt stays in doubt."""
        state = back or self._resting_state()
        self.outcome = self._outcome(state, "held", hold=reason, detail=detail, doubt=doubt)

    def wait(
        self,
        reason: WaitReason,
        due_in_s: float,
        detail: str,
        *,
        back: EffectState | None = None,
        attempts: int = 0,
        doubt: bool = False,
        what: str = "",
    ) -> None:
        """Give the lane back until it is due."""
        self.outcome = self._outcome(
            back or self._resting_state(),
            what,
            wait=reason,
            due_in_s=max(due_in_s, 0.01),
            detail=detail,
            attempts=attempts,
            doubt=doubt,
        )

    def _resting_state(self) -> EffectState:
        return EffectState.IN_DOUBT if self.state in _UNFINISHED else self.state

    def _outcome(self, state: EffectState, what: str, *, step: int | None = None, **more: Any) -> Outcome:
        return Outcome(
            claim=self.head.claim,
            seq=self.head.seq,
            was_state=self.state,
            was_step=self.head.step,
            state=state,
            step=self.step_index if step is None else step,
            what=what,
            step_name=self.steps[self.step_index].name if self.steps else "",
            contract_version=self.contract_version,
            **more,
        )

    def line_keys(self) -> tuple[str, ...]:
        """Keys of the document's lines."""
        document = self.document
        return tuple(line.key for line in document.lines) if isinstance(document, _LINED) else ()
