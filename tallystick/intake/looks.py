"""Looks: orders as their stores show them now, let in by the door, with the revisions that their content has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tallystick.canonical.times import to_timestamp
from tallystick.intake.delivery import Dealt, Waits
from tallystick.intake.door import Arrival, Entered, content_hash, to_event
from tallystick.intake.rereads import Entrance, Rereads, Wish
from tallystick.ledger.operations import Operations
from tallystick.ledger.pending import PendingReason
from tallystick.ledger.views import Order
from tallystick.v1 import event_pb2

#: Only another version of ours, or a person, can mend these.
_HOPELESS = (PendingReason.PARSER, PendingReason.TOO_LARGE)


@dataclass(frozen=True, slots=True)
class Look:
    """One order: its event at its revision, or why there is none."""

    order: Order
    event: event_pb2.Event | None = None
    #: In words, without personal data.
    problem: str = ""
    #: In how many seconds it is worth trying again; None when it is not.
    again_in_s: float | None = None


class Keeping:
    """An entrance for one round of looks that keeps what it let in.

    What its store does not know and never showed stays out: else a typing error would become an order that is gone.
    """

    def __init__(self, door: Entrance, operations: Operations) -> None:
        self._door = door
        self._operations = operations
        self.kept: dict[Order, Arrival] = {}

    async def enter(self, arrivals: Sequence[Arrival]) -> list[Entered]:
        """As the door, and keep those that need not be read again."""
        gone = [_order(arrival) for arrival in arrivals if arrival.reading.gone]
        known = await self._operations.revisions(gone)
        let_in = [one for one in arrivals if not one.reading.gone or _order(one) in known]
        answers = dict(zip(map(_order, let_in), await self._door.enter(let_in), strict=True))
        self.kept |= {_order(one): one for one in let_in if not answers[_order(one)].read_again}
        nothing = Entered(published=False, read_again=False)
        return [answers.get(_order(arrival), nothing) for arrival in arrivals]


class Looks:
    """Reads orders on somebody's behalf."""

    def __init__(self, rereads: Rereads, door: Entrance, operations: Operations) -> None:
        self._rereads = rereads
        self._door = door
        self._operations = operations

    async def look(self, wishes: Sequence[Wish], within_s: float) -> list[Look]:
        """Each order once; parallel to `wishes`. Raises what the door raises."""
        door = Keeping(self._door, self._operations)
        readable = [wished for wished in wishes if wished.connection in self._rereads.connections]
        read = await self._rereads.through(door).read(readable, within_s)
        answers = {_wanted(wished): answer for wished, answer in zip(readable, read, strict=True)}
        revisions = await self._operations.revisions(list(door.kept))
        return [_judge(order, answers.get(order), door.kept.get(order), revisions) for order in map(_wanted, wishes)]


def _wanted(wished: Wish) -> Order:
    return Order(wished.connection, wished.object_id)


def _judge(
    order: Order, answer: Dealt | Waits | None, arrival: Arrival | None, revisions: Mapping[Order, tuple[int, bytes]]
) -> Look:
    if answer is None:
        return Look(order, problem="no route reads its store")
    if isinstance(answer, Waits):
        return _waits(order, answer)
    if arrival is None:
        return Look(order, problem="its store does not know it")
    return _look(order, arrival, revisions[order])


def _order(arrival: Arrival) -> Order:
    return Order(arrival.connection, arrival.reading.object_id)


def _waits(order: Order, waits: Waits) -> Look:
    words = waits.detail or waits.reason.replace("_", " ").lower()
    return Look(order, problem=words, again_in_s=None if waits.reason in _HOPELESS else waits.due_in_s)


def _look(order: Order, arrival: Arrival, stored: tuple[int, bytes]) -> Look:
    event = to_event(arrival.connection, arrival.reading)
    revision, stored_hash = stored
    if content_hash(event) != stored_hash:
        return Look(order, problem="it changed while it was read", again_in_s=0.0)
    event.revision = revision
    event.origin = arrival.origin
    event.received_at.CopyFrom(to_timestamp(arrival.received_at))
    if arrival.reading.source_modified is not None:
        event.source_modified.CopyFrom(to_timestamp(arrival.reading.source_modified))
    return Look(order, event)
