"""Intake: from deliveries and reads of one object to revisions, and from revisions to the topic.

The store goes through a history of (content, modification date). Each version sends one delivery with its body, which
arrives at any later time in any order; a poll reads whatever the store shows. Two workers handle what comes in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from .search import Move, Violation, Wrong


@dataclass(frozen=True)
class IntakeRules:
    only_newer_bodies: bool = True
    """A body counts only if its date is strictly newer than the stored one: a date is no version.

    Without it: two states within one second; the older body comes second and becomes the newer revision."""

    doubtful_body_is_read: bool = True
    """A body that is a tie or older, with other content, makes us read the object; it is not dropped.

    Without it: two states within one second; the newer one is dropped as a tie and never seen again."""

    started_before_accepted: bool = True
    """A read draws a number *before* its request, and counts only if nothing was accepted since.

    Without it: a read hangs, a newer body comes in, and the read's old content becomes a higher revision."""

    body_draws_number: bool = True
    """Accepting a body is an acceptance like any other: it outdates the reads under way.

    Without it: the same, although reads are compared with each other."""

    equal_content_draws_number: bool = True
    """Seeing the stored content again is an acceptance too.

    Without it: after a, b, a the last a looks like the first; a read of b that began in between is then accepted."""

    equal_content_moves_date: bool = True
    """Seeing the stored content again moves the stored date.

    Without it: after a, b, a the body of b is newer than the date of the first a, and is accepted."""

    repeat_has_its_date: bool = True
    """A read that began too early counts if it shows what is stored, of the very date that is stored.

    Without it: after a, b, a a late read of the first a moves the date back, and the body of b is newer again."""

    unpublished_is_published: bool = True
    """Equal content is published again while its revision has not been acknowledged.

    Without it: a crash between the revision and its publication; the repeat sees equal content and does nothing."""


class Version(NamedTuple):
    content: str
    date: int


class Task(StrEnum):
    IDLE = "idle"
    READING = "reading the object"
    READ = "holding what was read"
    PUBLISHING = "about to publish"
    ACKNOWLEDGED = "about to note the publication"


class Worker(NamedTuple):
    task: Task = Task.IDLE
    delivery: int = -1
    """Which delivery is handled; -1 for a poll."""
    fresh: bool = False
    """Nothing has been accepted since this read drew its number."""
    version: int = 0
    message: tuple[int, str] = (0, "")
    """(revision, content) as it goes to the topic."""


class Source(NamedTuple):
    revision: int = 0
    content: str = ""
    date: int = 0
    published: int = 0


class State(NamedTuple):
    store: int
    deliveries: tuple[int, ...]
    polls: int
    source: Source
    newest_seen: int
    topic: frozenset[tuple[int, str]]
    late: tuple[tuple[int, str], ...]
    """Publications that timed out and may still arrive."""
    workers: tuple[Worker, Worker]
    crashes: int
    timeouts: int
    wrong: Violation | None = None

    def with_worker(self, slot: int, worker: Worker) -> "State":
        return self._replace(workers=(worker, self.workers[1]) if slot == 0 else (self.workers[0], worker))

    def twins_sorted(self) -> "State":
        first, second = self.workers
        return self if first <= second else self._replace(workers=(second, first))


IDLE = Worker()


@dataclass(frozen=True)
class Intake:
    history: tuple[Version, ...]
    polls: int = 1
    crashes: int = 1
    timeouts: int = 1
    rules: IntakeRules = IntakeRules()

    def start(self) -> State:
        return State(0, (0,), self.polls, Source(), -1, frozenset(), (), (IDLE, IDLE), self.crashes, self.timeouts)

    def moves(self, state: State) -> Iterator[Move[State]]:
        yield from self._world(state)
        for slot, worker in enumerate(state.workers):
            if worker.task is not Task.IDLE and state.crashes:
                yield self._crash(state, slot, worker)
            for label, after, optional in self._work(state, slot, worker):
                yield Move(label, after.twins_sorted(), optional)

    def violation(self, state: State) -> Violation | None:
        return state.wrong

    def bad_end(self, state: State) -> Violation | None:
        if len({revision for revision, _ in state.topic}) < len(state.topic):
            return Violation(Wrong.REORDERED, "one revision with two contents")
        _, last = max(state.topic, default=(0, "nothing"))
        if last != self.history[-1].content:
            return Violation(Wrong.STALE, f"the topic ends with {last}, the store shows {self.history[-1].content}")
        return None

    # -- the store, the network, the crash -----------------------------------------------------------------------------

    def _world(self, state: State) -> Iterator[Move[State]]:
        following = state.store + 1
        if following < len(self.history):
            version = self.history[following]
            sent = state._replace(store=following, deliveries=tuple(sorted((*state.deliveries, following))))
            yield Move(f"the store changes to {version.content} at {version.date}", sent)
        for message in state.late:
            rest = tuple(other for other in state.late if other != message)
            yield Move(
                f"the late revision {message[0]} lands", state._replace(late=rest, topic=state.topic | {message})
            )

    @staticmethod
    def _crash(state: State, slot: int, worker: Worker) -> Move[State]:
        """Whatever it worked on comes again: a delivery from the topic, a poll from its cursor."""
        after = state._replace(crashes=state.crashes - 1).with_worker(slot, IDLE).twins_sorted()
        if worker.delivery < 0:
            return Move(f"the worker crashes, {worker.task}", after._replace(polls=after.polls + 1), optional=True)
        again = tuple(sorted((*after.deliveries, worker.delivery)))
        return Move(f"the worker crashes, {worker.task}", after._replace(deliveries=again), optional=True)

    # -- a worker ------------------------------------------------------------------------------------------------------

    def _work(self, state: State, slot: int, worker: Worker) -> Iterator[Move[State]]:
        if worker.task is Task.IDLE:
            yield from self._begin(state, slot)
        elif worker.task is Task.READING:
            version = self.history[state.store]
            read = worker._replace(task=Task.READ, version=state.store)
            yield Move(f"the read returns {version.content} at {version.date}", state.with_worker(slot, read))
        elif worker.task is Task.READ:
            yield self._take_read(state, slot, worker)
        elif worker.task is Task.PUBLISHING:
            yield from self._publish(state, slot, worker)
        else:
            published = max(state.source.published, worker.message[0])
            noted = state._replace(source=state.source._replace(published=published))
            yield Move(f"revision {worker.message[0]} is noted as published", noted.with_worker(slot, IDLE))

    def _begin(self, state: State, slot: int) -> Iterator[Move[State]]:
        if state.polls:
            polling = state._replace(polls=state.polls - 1).with_worker(slot, _reading(-1))
            yield Move("a poll draws its number and reads", polling)
        for delivery in state.deliveries:
            rest = tuple(other for other in state.deliveries if other != delivery)
            yield self._take_body(state._replace(deliveries=rest), slot, delivery)

    def _take_body(self, state: State, slot: int, delivery: int) -> Move[State]:
        body, stored = self.history[delivery], state.source
        name = f"the body {body.content} at {body.date}"
        tie_counts = not self.rules.only_newer_bodies and body.date == stored.date
        if body.date > stored.date or tie_counts or body.content == stored.content:
            return Move(f"{name} is accepted", self._accept(state, slot, delivery, delivery, is_body=True))
        if self.rules.doubtful_body_is_read:
            return Move(f"{name} is not newer: a read draws its number", state.with_worker(slot, _reading(delivery)))
        return Move(f"{name} is not newer and is dropped", state)

    def _take_read(self, state: State, slot: int, worker: Worker) -> Move[State]:
        if worker.fresh or not self.rules.started_before_accepted or self._repeats(state.source, worker):
            accepted = self._accept(state, slot, worker.version, worker.delivery, is_body=False)
            return Move(f"the read of {self.history[worker.version].content} is accepted", accepted)
        return Move("the read began too early and is repeated", state.with_worker(slot, _reading(worker.delivery)))

    def _repeats(self, stored: Source, worker: Worker) -> bool:
        """What is stored, seen once more: to read it again would bring nothing, and may never end where many read."""
        read = self.history[worker.version]
        same_date = read.date == stored.date or not self.rules.repeat_has_its_date
        return read.content == stored.content and same_date

    def _publish(self, state: State, slot: int, worker: Worker) -> Iterator[Move[State]]:
        revision, content = worker.message
        done = state._replace(topic=state.topic | {worker.message})
        acknowledged = worker._replace(task=Task.ACKNOWLEDGED)
        yield Move(f"revision {revision} ({content}) is published", done.with_worker(slot, acknowledged))
        if state.timeouts:
            late = tuple(sorted({*state.late, worker.message}))
            label = f"the publication of revision {revision} times out and is repeated"
            yield Move(label, state._replace(late=late, timeouts=state.timeouts - 1), optional=True)

    # -- one transaction on the source object --------------------------------------------------------------------------

    def _accept(self, state: State, slot: int, seen: int, delivery: int, is_body: bool) -> State:
        if self.history[seen].content == state.source.content:
            return self._accept_equal(state, slot, seen, delivery, is_body)
        if not is_body or self.rules.body_draws_number:
            state = _outdate_reads(state)
        if seen < state.newest_seen:
            detail = f"revision {state.source.revision + 1} carries older content than was seen before"
            return state._replace(wrong=Violation(Wrong.REORDERED, detail))
        version = self.history[seen]
        source = state.source._replace(revision=state.source.revision + 1, content=version.content, date=version.date)
        return _to_publish(state._replace(source=source, newest_seen=seen), slot, delivery)

    def _accept_equal(self, state: State, slot: int, seen: int, delivery: int, is_body: bool) -> State:
        """A repeated sighting: the revision stays, but that it was seen now is news."""
        date = self.history[seen].date
        source = state.source
        if self.rules.equal_content_moves_date:
            source = source._replace(date=max(date, source.date) if is_body else date)
        if self.rules.equal_content_draws_number:
            state = _outdate_reads(state)
        state = state._replace(source=source, newest_seen=max(state.newest_seen, seen))
        if self.rules.unpublished_is_published and source.published < source.revision:
            return _to_publish(state, slot, delivery)
        return state.with_worker(slot, IDLE)


def _reading(delivery: int) -> Worker:
    return Worker(Task.READING, delivery, fresh=True)


def _outdate_reads(state: State) -> State:
    first, second = state.workers
    return state._replace(workers=(first._replace(fresh=False), second._replace(fresh=False)))


def _to_publish(state: State, slot: int, delivery: int) -> State:
    message = (state.source.revision, state.source.content)
    return state.with_worker(slot, Worker(Task.PUBLISHING, delivery, message=message))
