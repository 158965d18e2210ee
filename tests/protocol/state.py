"""The state of the ledger model: one order's lane, two workers, the network between them and the target.

Everything is immutable and small: a state is found again by its hash. Time is kept as facts, not as numbers: "may a
request that was given up still land?" (`late_until`), "may a document still be hidden from search?" (`quiet_until`).
"""

from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

from .search import Violation
from .targets import Answer, Call, Request, Target

NOTHING, EARLIER = -1, 0
"""`applied` before the order exists, and when it exists at a revision from before the scenario."""


class Op(StrEnum):
    """What one effect is about. An order's revision and its resync take two steps, a refund one."""

    NONE = ""
    R1 = "r1"
    R2 = "r2"
    REFUND = "refund"
    RESYNC_R1 = "resync of r1"
    RESYNC_R2 = "resync of r2"


REVISION = {Op.NONE: NOTHING, Op.R1: 1, Op.R2: 2, Op.REFUND: NOTHING, Op.RESYNC_R1: 1, Op.RESYNC_R2: 2}
RESYNC_OF = {1: Op.RESYNC_R1, 2: Op.RESYNC_R2}
RESYNCS = frozenset(RESYNC_OF.values())


class Step(IntEnum):
    LOAD = 1
    CONFIRM = 2


class EffectState(StrEnum):
    QUEUED = "QUEUED"
    IN_FLIGHT = "IN_FLIGHT"
    IN_DOUBT = "IN_DOUBT"
    APPLIED = "APPLIED"
    VERIFIED = "VERIFIED"
    SUPERSEDED = "SUPERSEDED"
    SKIPPED = "SKIPPED"


UNFINISHED = frozenset({EffectState.QUEUED, EffectState.IN_FLIGHT, EffectState.IN_DOUBT})
UNSETTLED = frozenset({EffectState.IN_FLIGHT, EffectState.IN_DOUBT})


class Effect(NamedTuple):
    op: Op
    state: EffectState = EffectState.QUEUED
    step: Step = Step.LOAD
    intents: int = 0
    """How often this step was about to be sent: 0, 1, or 2 for more than once."""
    doubted: bool = False
    """A create of it got no definite answer. Remembered even when a person skips it: the reference is for all."""

    @property
    def revision(self) -> int:
        return REVISION[self.op]

    @property
    def is_refund(self) -> bool:
        return self.op is Op.REFUND

    @property
    def is_resync(self) -> bool:
        """A person's resync at its first step: it compares before it writes."""
        return self.step is Step.LOAD and self.op in RESYNCS

    @property
    def unfinished(self) -> bool:
        return self.state in UNFINISHED

    @property
    def unsettled(self) -> bool:
        """A request for it may be under way, or may have landed without our knowledge."""
        return self.state in UNSETTLED


NO_EFFECT = Effect(Op.NONE)


class Due(StrEnum):
    """When a lane may be taken."""

    NOW = "now"
    LATE_WINDOW = "after late_until"
    QUIET_TIME = "after the quiet time"
    HELD = "held for a person"


class Lane(NamedTuple):
    leased: bool = False
    due: Due = Due.NOW
    held_for: Op = Op.NONE
    late_until: bool = False
    """An unanswered request of this lane may still land and undo something."""
    quiet_until: bool = False
    """A document that was created without an answer may still land, or be hidden from search."""
    applied: int = NOTHING
    bound: bool = False
    """The target's own id of the order is known, so it is read directly and updated, not searched and created."""


class Phase(StrEnum):
    IDLE = "idle"
    READING = "about to read the head"
    PROBING = "about to probe"
    JUDGING = "holding the answer to a probe"
    INTENDING = "about to write the intent"
    SENDING = "between intent and first byte"
    WAITING = "waiting for the answer"
    RECORDING = "about to record the outcome"


class Worker(NamedTuple):
    phase: Phase = Phase.IDLE
    fenced: bool = False
    """The lane has been taken by another since: the epoch is no longer this worker's."""
    effect: Effect = NO_EFFECT
    """The effect as it was when this worker read it, and on which it decides."""
    call: Call = Call.NONE
    answer: Answer = Answer.NONE


IDLE = Worker()


class Consumer(NamedTuple):
    position: int = 0
    committed: int = 0


class Budget(NamedTuple):
    """What may still go wrong, and what a person may still do."""

    crashes: int
    losses: int
    deaths: int
    resyncs: int
    skips: int


class State(NamedTuple):
    consumer: Consumer
    lane: Lane
    effects: tuple[Effect, ...]
    workers: tuple[Worker, Worker]
    network: tuple[Request, ...]
    target: Target
    budget: Budget
    wrong: Violation | None = None

    def effect(self, op: Op) -> Effect | None:
        return next((effect for effect in self.effects if effect.op is op), None)

    def unfinished(self) -> list[Effect]:
        return [effect for effect in self.effects if effect.state in UNFINISHED]

    def with_effect(self, changed: Effect) -> "State":
        return self._replace(effects=tuple(changed if effect.op is changed.op else effect for effect in self.effects))

    def with_lane(self, **changes: Any) -> "State":
        return self._replace(lane=self.lane._replace(**changes))

    def with_worker(self, slot: int, worker: Worker) -> "State":
        return self._replace(workers=(worker, self.workers[1]) if slot == 0 else (self.workers[0], worker))

    def twins_sorted(self) -> "State":
        """The workers are twins: one order of the two stands for both."""
        first, second = self.workers
        return self if first <= second else self._replace(workers=(second, first))

    def sent(self, request: Request) -> "State":
        return self._replace(network=tuple(sorted((*self.network, request))))

    def taken_off(self, request: Request) -> "State":
        network = list(self.network)
        network.remove(request)
        return self._replace(network=tuple(network))

    def abandoned(self, request: Request) -> "State":
        """Nobody waits for this request any more."""
        return self.taken_off(request).sent(request._replace(awaited=False))
