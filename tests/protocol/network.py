"""Between a worker and the target: each request may arrive, be lost, be refused at the door, or come much too late."""

from collections.abc import Iterator

from .lane import awaited_by
from .search import Move
from .state import IDLE, Phase, State, Worker
from .targets import Answer, Request, TargetKind


class Network:
    def __init__(self, kind: TargetKind) -> None:
        self.kind = kind

    def moves(self, state: State) -> Iterator[Move[State]]:
        for request in dict.fromkeys(state.network):
            yield from self._awaited(state, request) if request.awaited else self._given_up(state, request)
        if state.budget.crashes:
            yield from self._crashes(state)

    def _given_up(self, state: State, request: Request) -> Iterator[Move[State]]:
        name = describe(request)
        yield Move(f"the late {name} lands", self._land(state, request)[0])
        yield Move(f"the late {name} is lost for good", state.taken_off(request))

    def _awaited(self, state: State, request: Request) -> Iterator[Move[State]]:
        name = describe(request)
        landed, answer = self._land(state, request)
        yield Move(f"{name} lands and is answered: {answer}", _answered(landed, request, answer))
        if not state.budget.losses:
            return
        state, landed = _one_loss_less(state), _one_loss_less(landed)
        gone = state.taken_off(request)
        late = state.abandoned(request)
        yield Move(f"{name} lands, its answer is lost", _answered(landed, request, Answer.UNKNOWN), True)
        yield Move(f"{name} is lost", _answered(gone, request, Answer.UNKNOWN), True)
        yield Move(f"{name} is under way when its sender gives up", _answered(late, request, Answer.UNKNOWN), True)
        yield Move(f"{name} is throttled", _answered(gone, request, Answer.NOT_SENT), True)

    def _land(self, state: State, request: Request) -> tuple[State, Answer]:
        target, answer, violation = self.kind.land(state.target, request)
        return state.taken_off(request)._replace(target=target, wrong=violation), answer

    def _crashes(self, state: State) -> Iterator[Move[State]]:
        budget = state.budget._replace(crashes=state.budget.crashes - 1)
        for slot, worker in enumerate(state.workers):
            if worker.phase is Phase.WAITING:
                crashed = state.abandoned(awaited_by(worker)).with_worker(slot, IDLE)
            else:
                crashed = state.with_worker(slot, IDLE)
            if worker.phase is not Phase.IDLE:
                yield Move(f"the worker crashes, {worker.phase}", crashed._replace(budget=budget), True)


def _one_loss_less(state: State) -> State:
    return state._replace(budget=state.budget._replace(losses=state.budget.losses - 1))


def _answered(state: State, request: Request, answer: Answer) -> State:
    for slot, worker in enumerate(state.workers):
        if worker.phase is Phase.WAITING and awaited_by(worker) == request:
            return state.with_worker(slot, _recording(worker, answer))
    raise AssertionError("an awaited request has a sender that waits")


def _recording(worker: Worker, answer: Answer) -> Worker:
    return worker._replace(phase=Phase.RECORDING, answer=answer)


def describe(request: Request) -> str:
    return request.call if request.revision < 0 else f"{request.call} of r{request.revision}"
