"""The worker: reads the head of its lane, probes, writes the intent, sends, records the outcome. One move, one commit.

A worker decides on what it has read; time passes, the world changes, and only then does it act. So each phase holds
the effect *as it was read*.
"""

from collections.abc import Callable, Iterator

from .lane import open_window
from .rules import Rules
from .search import Move, Violation, Wrong
from .state import (
    IDLE,
    NOTHING,
    RESYNCS,
    Due,
    Effect,
    EffectState,
    Phase,
    State,
    Step,
    Worker,
)
from .targets import Answer, Call, Document, Request, TargetKind

Moved = Move[State]


class WorkerModel:
    def __init__(self, rules: Rules, kind: TargetKind) -> None:
        self.rules = rules
        self.kind = kind
        self._phases: dict[Phase, Callable[[State, int, Worker], Iterator[Moved]]] = {
            Phase.READING: self._read,
            Phase.PROBING: self._probe,
            Phase.JUDGING: self._judge,
            Phase.INTENDING: self._intend,
            Phase.SENDING: self._send,
            Phase.RECORDING: self._record_outcome,
        }

    def moves(self, state: State) -> Iterator[Moved]:
        for slot, worker in enumerate(state.workers):
            if act := self._phases.get(worker.phase):
                yield from act(state, slot, worker)

    # -- the head of the lane ------------------------------------------------------------------------------------------

    def _read(self, state: State, slot: int, worker: Worker) -> Iterator[Moved]:
        effect = self._head(state)
        if effect is None:
            yield Move("the worker finds nothing left and releases the lane", released(state, slot))
        elif effect.unsettled:
            yield Move(f"the worker reads {effect.op} {effect.state}", goes_to(state, slot, Phase.PROBING, effect))
        elif effect.is_refund:
            yield self._read_refund(state, slot, effect)
        elif self._is_outdated(state, effect):
            done = state.with_effect(effect._replace(state=EffectState.SUPERSEDED))
            yield Move(f"{effect.op} is superseded: the applied revision is newer", reads_again(done, slot))
        elif effect.is_resync:
            yield self._asks_first(state, slot, effect)
        elif self._must_wait(state, effect):
            yield self._waits(state, slot, effect)
        elif self._reference_in_doubt(state, effect):
            yield self._asks_first(state, slot, effect)
        else:
            label = f"the worker reads {effect.op} step {effect.step}"
            yield Move(label, goes_to(state, slot, Phase.INTENDING, effect))

    def _head(self, state: State) -> Effect | None:
        unfinished = state.unfinished()
        if self.rules.order_before_refund and state.lane.applied == NOTHING:
            orders = (effect for effect in unfinished if not effect.is_refund)
            return next(orders, unfinished[0] if unfinished else None)
        return unfinished[0] if unfinished else None

    def _read_refund(self, state: State, slot: int, effect: Effect) -> Moved:
        if self.rules.order_before_refund and state.lane.applied == NOTHING:
            return Move("the refund waits for its order", released(state, slot))
        return Move("the worker reads the refund", goes_to(state, slot, Phase.INTENDING, effect))

    @staticmethod
    def _is_outdated(state: State, effect: Effect) -> bool:
        applied = state.lane.applied
        return applied > effect.revision or (applied == effect.revision and effect.op not in RESYNCS)

    def _must_wait(self, state: State, effect: Effect) -> bool:
        undone = self.kind.load_unconfirms and self.rules.undone_step_waits
        return state.lane.late_until and (effect.step is Step.LOAD or undone)

    @staticmethod
    def _waits(state: State, slot: int, effect: Effect) -> Moved:
        label = f"{effect.op} step {effect.step} waits until nothing can land late"
        return Move(label, released(state, slot, Due.LATE_WINDOW))

    @staticmethod
    def _asks_first(state: State, slot: int, effect: Effect) -> Moved:
        label = f"the worker reads {effect.op} and asks the target first"
        return Move(label, goes_to(state, slot, Phase.PROBING, effect))

    def _reference_in_doubt(self, state: State, effect: Effect) -> bool:
        """A create with the same reference was lost once, whichever revision sent it, even if it was skipped."""
        if not self.rules.quiet_time_of_the_reference or effect.step is not Step.LOAD or state.lane.bound:
            return False
        return any(other.doubted and not other.is_refund for other in state.effects)

    # -- what the target shows -----------------------------------------------------------------------------------------

    def _probe(self, state: State, slot: int, worker: Worker) -> Iterator[Moved]:
        answer = self._seen(state, worker.effect)
        probed = worker._replace(phase=Phase.JUDGING, answer=answer)
        label = f"the worker probes {worker.effect.op} step {worker.effect.step}: {answer}"
        yield Move(label, state.with_worker(slot, probed))

    def _seen(self, state: State, effect: Effect) -> Answer:
        counts = self.rules.quiet_before_probe
        if effect.is_refund:
            return Answer.THIS if any(state.target.refunds) else self._absent(state, counts)
        for document in state.target.documents:
            if document.searchable or state.lane.bound:
                return self._compare(document, effect)
        return self._absent(state, counts)

    def _absent(self, state: State, counts: bool) -> Answer:
        """`counts`: this is the moment whose quiet time decides."""
        waits = self.rules.quiet_time and counts and state.lane.quiet_until
        return Answer.NOT_SEEN_YET if waits else Answer.ABSENT

    def _compare(self, document: Document, effect: Effect) -> Answer:
        if not self.rules.mark_decides:
            return Answer.THIS
        if document.revision != effect.revision:
            return Answer.OLDER if document.revision < effect.revision else Answer.NEWER
        if effect.is_resync and not document.confirmed:
            return Answer.OLDER
        if effect.step is Step.CONFIRM and not document.confirmed:
            return Answer.ABSENT
        return Answer.THIS

    def _judge(self, state: State, slot: int, worker: Worker) -> Iterator[Moved]:
        effect, answer = worker.effect, worker.answer
        if not self.rules.quiet_before_probe and answer is Answer.ABSENT:
            answer = self._absent(state, counts=True)
        if answer is Answer.OLDER and self.rules.older_is_updated:
            state = state.with_lane(bound=True)
        if state.effect(effect.op) != effect:
            yield Move(f"{effect.op} has changed meanwhile, the worker reads again", reads_again(state, slot))
        elif answer is Answer.THIS:
            yield self._found(state, slot, effect)
        elif answer is Answer.NEWER:
            done = state.with_effect(effect._replace(state=EffectState.SUPERSEDED))
            yield Move(f"{effect.op} is superseded: the target shows a newer mark", reads_again(done, slot))
        elif answer is Answer.NOT_SEEN_YET:
            asked = state.with_effect(effect._replace(state=_doubtful(effect)))
            yield Move(f"{effect.op} waits for the quiet time", released(asked, slot, Due.QUIET_TIME))
        elif answer is Answer.OLDER and effect.step is Step.CONFIRM:
            again = state.with_effect(effect._replace(state=EffectState.IN_DOUBT, step=Step.LOAD))
            yield Move(f"the content of {effect.op} fell back, it starts again", reads_again(again, slot))
        elif not effect.unsettled and self._must_wait(state, effect):
            yield self._waits(state, slot, effect)
        else:
            label = f"{effect.op} is to be sent, since the target shows it {answer}"
            yield Move(label, goes_to(state, slot, Phase.INTENDING, effect))

    def _found(self, state: State, slot: int, effect: Effect) -> Moved:
        if effect.is_resync and effect.state is EffectState.QUEUED:
            done = settled(state, effect, EffectState.VERIFIED)
            return Move(f"{effect.op} is VERIFIED: nothing differs", reads_again(done, slot))
        if self._proves_landed(effect):
            state = state.with_lane(late_until=False)
        done = step_done(state, effect)
        return Move(f"{effect.op} step {effect.step} is done, the probe shows it", reads_again(done, slot))

    def _proves_landed(self, effect: Effect) -> bool:
        """The only request that could still land is known to have landed."""
        if effect.step is Step.CONFIRM or (effect.is_refund and self.rules.only_its_own_window):
            return False
        return effect.intents == 1 or not self.rules.only_a_single_intent_clears

    # -- intent and request --------------------------------------------------------------------------------------------

    def _intend(self, state: State, slot: int, worker: Worker) -> Iterator[Moved]:
        read = worker.effect
        now = state.effect(read.op) or read
        if self.rules.state_check and (now.state, now.step) != (read.state, read.step):
            again = state.with_worker(slot, IDLE) if worker.fenced else reads_again(state, slot)
            yield Move(f"{read.op} has changed meanwhile, the worker reads again", again)
            return
        if not now.unfinished:
            state = state._replace(wrong=Violation(Wrong.SENT_AFTER_END, f"{now.op} is {now.state} and is sent"))
        state = state.with_effect(now._replace(state=EffectState.IN_FLIGHT, intents=min(2, now.intents + 1)))
        sending = worker._replace(phase=Phase.SENDING, call=_call(state, read), answer=Answer.NONE)
        label = f"the worker writes its intent: {read.op} step {read.step}"
        yield Move(label, state.with_lane(leased=True).with_worker(slot, sending))

    def _send(self, state: State, slot: int, worker: Worker) -> Iterator[Moved]:
        request = Request(worker.call, worker.effect.revision, awaited=not worker.fenced)
        after = IDLE if worker.fenced else worker._replace(phase=Phase.WAITING)
        who = "the fenced worker wakes up and" if worker.fenced else "the worker"
        yield Move(
            f"{who} sends {worker.effect.op} step {worker.effect.step}", state.sent(request).with_worker(slot, after)
        )
        if not worker.fenced:
            late = worker._replace(phase=Phase.RECORDING, answer=Answer.NOT_SENT)
            yield Move("the worker finds its time budget spent and does not send", state.with_worker(slot, late))

    # -- the outcome ---------------------------------------------------------------------------------------------------

    def _record_outcome(self, state: State, slot: int, worker: Worker) -> Iterator[Moved]:
        effect = state.effect(worker.effect.op)
        if effect is None or effect.state is not EffectState.IN_FLIGHT or effect.step is not worker.effect.step:
            yield Move("the outcome finds the effect changed, the worker reads again", reads_again(state, slot))
        elif worker.answer is Answer.DONE:
            done = step_done(state, effect)
            yield Move(f"{effect.op} step {effect.step} is recorded as done", reads_again(done, slot))
        elif worker.answer is Answer.NOT_SENT:
            yield self._not_sent(state, slot, worker.effect, effect)
        elif worker.answer is Answer.UNKNOWN:
            state = open_window(state, self.kind, self.rules, effect)
            yield self._in_doubt(state, slot, state.effect(effect.op) or effect)
        elif worker.answer is Answer.EXISTS and self.rules.refused_duplicate_is_doubt:
            yield self._in_doubt(state, slot, effect)
        else:
            yield self._refused(state, slot, worker.effect, effect)

    def _in_doubt(self, state: State, slot: int, effect: Effect) -> Moved:
        doubtful = effect._replace(state=EffectState.IN_DOUBT)
        probing = goes_to(state.with_effect(doubtful), slot, Phase.PROBING, doubtful)
        return Move(f"{effect.op} is recorded as IN_DOUBT", probing)

    def _not_sent(self, state: State, slot: int, read: Effect, effect: Effect) -> Moved:
        back = self._as_before(read)
        again = state.with_effect(_queued(state, effect) if back is EffectState.QUEUED else effect._replace(state=back))
        return Move(f"{effect.op} was not applied: {back} again", released(again, slot))

    @staticmethod
    def _as_before(read: Effect) -> EffectState:
        """A definite answer is about one request. What an earlier one left open stays open."""
        return EffectState.IN_DOUBT if read.unsettled else EffectState.QUEUED

    def _refused(self, state: State, slot: int, read: Effect, effect: Effect) -> Moved:
        before = self._as_before(read)
        newer = any(other.unfinished and other.revision > effect.revision for other in state.effects)
        if newer and before is EffectState.QUEUED and self.rules.hold_looks_for_newer and not effect.is_refund:
            done = state.with_effect(effect._replace(state=EffectState.SUPERSEDED))
            return Move(f"{effect.op} is refused and gives way to the newer revision", reads_again(done, slot))
        held = state.with_effect(effect._replace(state=before)).with_lane(held_for=effect.op)
        return Move(f"{effect.op} is refused and holds the lane", released(held, slot, Due.HELD))


def goes_to(state: State, slot: int, phase: Phase, effect: Effect) -> State:
    return state.with_worker(slot, Worker(phase, effect=effect))


def reads_again(state: State, slot: int) -> State:
    return state.with_worker(slot, Worker(Phase.READING))


def released(state: State, slot: int, until: Due = Due.NOW) -> State:
    return state.with_worker(slot, IDLE).with_lane(leased=False, due=until)


def step_done(state: State, effect: Effect) -> State:
    """Between two steps an effect is queued: a newer revision may supersede it there."""
    if effect.is_refund or effect.step is Step.CONFIRM:
        return settled(state, effect, EffectState.APPLIED)
    confirm = effect._replace(step=Step.CONFIRM, intents=0, doubted=False)
    return state.with_effect(_queued(state, confirm)).with_lane(bound=True)


def _queued(state: State, effect: Effect) -> Effect:
    """Back in the queue, where it gives way to a newer revision that was recorded while it was under way."""
    newer = any(other.unfinished and other.revision > effect.revision for other in state.effects)
    gives_way = newer and not effect.is_refund
    return effect._replace(state=EffectState.SUPERSEDED if gives_way else EffectState.QUEUED)


def settled(state: State, effect: Effect, terminal: EffectState) -> State:
    """The claim "it is there", checked against what the target really shows at this moment."""
    if effect.is_refund:
        true = bool(state.target.refunds)
    else:
        true = any(document[:2] == (effect.revision, True) for document in state.target.documents)
        state = state.with_lane(bound=True, applied=max(state.lane.applied, effect.revision))
    state = state.with_effect(effect._replace(state=terminal, intents=0, doubted=False))
    return state if true else state._replace(wrong=_false_claim(state, effect, terminal))


def _false_claim(state: State, effect: Effect, terminal: EffectState) -> Violation:
    older = [document.revision for document in state.target.documents if document.revision < effect.revision]
    if older:
        return Violation(Wrong.STALE, f"{effect.op} is {terminal}, the target shows older content")
    return Violation(Wrong.FALSE_SUCCESS, f"{effect.op} is {terminal}, the target does not show it")


def _call(state: State, effect: Effect) -> Call:
    if effect.is_refund:
        return Call.REFUND
    if effect.step is Step.CONFIRM:
        return Call.CONFIRM
    return Call.UPDATE if state.lane.bound else Call.CREATE


def _doubtful(effect: Effect) -> EffectState:
    return EffectState.IN_DOUBT if effect.unsettled else effect.state
