"""What goes into the ledger and what comes out of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tallystick.reasons import HoldReason, NotEligible, WaitReason


class Kind(StrEnum):
    """STATE: only the newest revision matters. DELTA: each exactly once, in order of arrival."""

    STATE = "STATE"
    DELTA = "DELTA"


class EffectState(StrEnum):
    """Where one effect stands."""

    QUEUED = "QUEUED"
    IN_FLIGHT = "IN_FLIGHT"
    IN_DOUBT = "IN_DOUBT"
    APPLIED = "APPLIED"
    VERIFIED = "VERIFIED"
    SUPERSEDED = "SUPERSEDED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class Row:
    """One effect to record. Its key is (lane_key, entity_type, entity_id, operation, op_id): no offset, no delivery."""

    lane_key: str
    connection: str
    entity_type: str
    entity_id: str
    operation: str
    #: The revision for STATE, the id of the refund or payment for DELTA, the request id for a forced resync.
    op_id: str
    kind: Kind
    revision: int
    body: bytes
    external_ref: str
    received_at: datetime
    #: The id in the source, where the entity is a source object of its own.
    object_id: str = ""
    forced: bool = False
    source: tuple[str, int, int] | None = None
    #: Set when the object is not for this target; such a row makes no effect unless its lane is known already.
    not_eligible: NotEligible | None = None
    #: False: such a row makes no effect even then.
    follows: bool = True
    #: It belongs to an order: it makes no effect where that order is by rule not for the target.
    part: bool = False
    #: It came by a backfill: its lane gives way to others while nothing else is unfinished in it.
    yields: bool = False

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """The natural key inside a target."""
        return (self.lane_key, self.entity_type, self.entity_id, self.operation, self.op_id)


class Recorded(StrEnum):
    """What became of a row."""

    MINE = "mine"
    QUEUED = "queued"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"
    HELD = "held"
    NOT_ELIGIBLE = "not eligible"


@dataclass(frozen=True, slots=True)
class Claim:
    """A lane that is ours as long as its epoch is this one."""

    lane_key: str
    epoch: int


@dataclass(frozen=True, slots=True)
class RecordResult:
    """Answers parallel to the rows, and the lanes that were taken."""

    answers: tuple[Recorded, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of outcomes; the keys are those of lanes."""

    #: Still ours, and with more to do.
    mine: tuple[Claim, ...] = ()
    #: Written down. The others were lost, or their effect had changed meanwhile.
    written: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Supplement:
    """An order of the target that stands beside a lane's own, with what an edit charged more."""

    external_id: str
    #: Keys of its lines.
    lines: frozenset[str]


@dataclass(frozen=True, slots=True)
class Head:
    """The effect whose turn it is in a lane of ours, with all that is known about it."""

    claim: Claim
    connection: str
    #: Seconds until nothing of this lane can land late any more; 0 or less when that is over.
    late_for_s: float
    seq: int
    entity_type: str
    entity_id: str
    operation: str
    op_id: str
    kind: Kind
    revision: int
    forced: bool
    state: EffectState
    step: int
    intents: int
    attempts: int
    external_ref: str
    received_at: datetime
    #: None when the payload's retention is over.
    body: bytes | None
    external_id: str | None
    applied_revision: int | None
    applied_mark: str | None
    lines: tuple[str, ...]
    parent_revision: int | None
    #: The target's id of the order that this lane is about, once it has one.
    parent_external_id: str | None
    #: Seconds since the last doubt about this entity; None when there never was one.
    doubt_age_s: float | None
    parent_skipped: bool
    #: The order that a DELTA belongs to ended before it had a document.
    parent_ended: bool
    recorded_for_s: float
    #: Its time was over before, and that was counted.
    overdue: bool = False
    #: Something was sent of this entity that did not become what the target holds by our record.
    touched: bool = False
    #: Of an order: money of it was given back, or charged in addition, in documents of their own.
    credited: bool = False
    #: Of an order: what an earlier revision changed stands beside its document, or is to.
    split: bool = False
    #: The newest revision of which a person skipped something that was to stand beside it.
    left_out: int | None = None
    #: Of a DELTA: the orders that stand beside its order, and the keys of that order's own lines.
    supplements: tuple[Supplement, ...] = ()
    parent_lines: frozenset[str] = frozenset()
    #: The content of this entity that was dealt with last (applied, or a DELTA that a person skipped).
    settled_body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """The wish to send one step of an effect as it was read; `lines` when the step carries document lines."""

    head: Head
    contract_version: str | None
    lines: tuple[str, ...] | None
    #: Landing late, it could undo newer content.
    may_undo: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an effect, from the state and step in which the worker left it to the next.

    `hold` stops the lane for a person; `wait` gives it back until `due_in_s`; neither goes on at once.
    """

    claim: Claim
    seq: int
    was_state: EffectState
    was_step: int
    state: EffectState
    step: int
    #: Written to the event log; empty for what people need not see.
    what: str = ""
    step_name: str = ""
    hold: HoldReason | None = None
    wait: WaitReason | None = None
    due_in_s: float = 0.0
    #: For people; no personal data.
    detail: str | None = None
    #: A request of this effect got no answer and may still land.
    doubt: bool = False
    #: Its only unanswered request is proved to have landed: nothing can come late.
    clear_late: bool = False
    attempts: int = 0
    external_id: str | None = None
    number: str = ""
    applied_revision: int | None = None
    applied_mark: str | None = None
    contract_version: str | None = None
    lines: tuple[str, ...] = ()
    #: Effects that follow from it, recorded behind it in the same transaction.
    more: tuple[Row, ...] = ()

    @property
    def reason(self) -> str | None:
        """The reason for the lane, of whichever kind."""
        return self.hold or self.wait
