"""What a source holds, as far as we have seen it: acceptance of sightings, and the revisions that we give.

A sighting is a body that was delivered or an object that was read. Only what is surely newer than what is stored may
change it; the reasons, and the orders of events that break without each rule, stand in the exhaustive search under
tests/protocol.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import asyncpg

from tallystick.ledger.pool import Connection, Pool
from tallystick.ledger.queries import queries

_SQL = queries("objects")


class ObjectKey(NamedTuple):
    """An object in its source; `type` is the name of `tallystick.canonical.entities`."""

    connection: str
    type: str
    id: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """One object as it was seen."""

    key: ObjectKey
    #: Over the canonical message: two API forms of one state have one hash.
    content_hash: bytes
    #: The source's own date; None when it states none.
    source_modified: datetime | None
    gone: bool = False
    number: str = ""
    #: The id of the order that it is a part of.
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """An object with its parts, seen at once. Parts are accepted only together with their whole."""

    main: Sighting
    parts: tuple[Sighting, ...] = ()
    #: Drawn before the read was sent; None for a delivered body.
    started: int | None = None
    #: A read older than the stored date was repeated long enough: the source was set back, not late.
    insist: bool = False
    #: How many deliveries this sighting stands for.
    times: int = 1

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """The whole, then its parts."""
        return (self.main, *self.parts)


@dataclass(frozen=True, slots=True)
class Stored:
    """The row of an object."""

    revision: int
    source_modified: datetime | None
    content_hash: bytes
    accepted_seq: int
    published_revision: int
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Dated:
    """What is known of the date of an object."""

    id: str
    source_modified: datetime | None
    #: Nothing can hide behind it: it was read again after its second had passed.
    settled: bool
    #: How long it has been this date, in seconds.
    for_s: float


class Verdict(StrEnum):
    """What follows from a sighting."""

    #: Accepted; this revision is to be published (it is new, or nobody knows that it was).
    PUBLISH = "publish"
    #: Accepted; nothing new.
    SEEN = "seen"
    #: The body may be older than what is stored: read the object.
    READ = "read"
    #: The read may be older than what is stored: read again.
    STALE = "stale"


class Judgement(NamedTuple):
    """The verdict, and the object's revision after it."""

    verdict: Verdict
    revision: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of one `Seen`; `parts` is parallel to its parts."""

    main: Judgement
    parts: tuple[Judgement, ...]

    @property
    def read_again(self) -> bool:
        """Whether the object has to be read, or read again."""
        return any(j.verdict in (Verdict.READ, Verdict.STALE) for j in (self.main, *self.parts))


# ---- the rules, pure ---------------------------------------------------------------------------------------------


def judge(stored: Stored | None, sighting: Sighting, started: int | None, insist: bool = False) -> Verdict:
    """What follows from a sighting of an object of which `stored` is known."""
    if started is None and not _body_usable(stored, sighting):
        return Verdict.READ
    if started is not None and stored is not None and not _read_usable(stored, sighting, started, insist):
        return Verdict.STALE
    if stored is None or sighting.content_hash != stored.content_hash:
        return Verdict.PUBLISH
    return Verdict.PUBLISH if stored.published_revision < stored.revision else Verdict.SEEN


def _body_usable(stored: Stored | None, body: Sighting) -> bool:
    """Strictly newer than what is stored, or the same content; after a deletion no body is."""
    if stored is None:
        return body.source_modified is not None
    if body.content_hash == stored.content_hash:
        return True
    if stored.gone or stored.source_modified is None or body.source_modified is None:
        return False
    return body.source_modified > stored.source_modified


def _read_usable(stored: Stored, read: Sighting, started: int, insist: bool) -> bool:
    """Begun after the last acceptance, and not from a replica that lags behind a body we have had.

    Or what is stored once more, of the same date: with several readers at work each would outdate the next for ever.
    """
    if (read.content_hash, read.source_modified) == (stored.content_hash, stored.source_modified):
        return True
    if started <= stored.accepted_seq:
        return False
    if insist or stored.source_modified is None or read.source_modified is None:
        return True
    return read.source_modified >= stored.source_modified


def after(stored: Stored, sighting: Sighting, started: int | None) -> tuple[int, datetime | None]:
    """Revision and date of the row after an acceptance: a body sets the greater date, a read what was read."""
    revision = stored.revision + (sighting.content_hash != stored.content_hash)
    dates = [date for date in (stored.source_modified, sighting.source_modified) if date is not None]
    if started is not None and sighting.source_modified is not None:
        return revision, sighting.source_modified
    # What is gone has no date; the last one known keeps old bodies out.
    return revision, max(dates, default=None)


# ---- the table ---------------------------------------------------------------------------------------------------


class _FirstSeenElsewhere(asyncpg.SerializationError):  # type: ignore[misc]
    """Another transaction inserted the object between our look and our insert: decide again on its row."""


class Objects:
    """The table `source_object`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def draw(self, count: int = 1) -> list[int]:
        """Numbers for reads, drawn before their requests are sent."""
        return [row["started"] for row in await self._pool.fetch(_SQL["draw"], count)]

    async def accept(self, seen: Sequence[Seen]) -> list[Accepted]:
        """Judge and store a batch in one transaction; parallel to `seen`. Each object may stand in it once."""
        if not seen:
            return []
        keys = [sighting.key for one in seen for sighting in one.sightings]
        if len(set(keys)) != len(keys):
            raise ValueError("an object stands twice in one batch")
        return await self._pool.run(lambda connection: _accept(connection, seen, sorted(keys)))

    async def parts(self, orders: Sequence[tuple[str, str]]) -> dict[ObjectKey, str]:
        """The parts of these orders (connection, id) that are not gone, each with the id of its order."""
        if not orders:
            return {}
        connections, ids = zip(*orders, strict=True)
        rows = await self._pool.fetch(_SQL["parts"], list(connections), list(ids))
        return {ObjectKey(row["connection"], row["type"], row["id"]): row["parent"] for row in rows}

    async def published(self, revisions: Iterable[tuple[ObjectKey, int]]) -> None:
        """Kafka has acknowledged these revisions."""
        newest: dict[ObjectKey, int] = {}
        for key, revision in revisions:
            newest[key] = max(revision, newest.get(key, 0))
        if newest:
            await self._pool.run(lambda connection: _published(connection, newest))

    async def dates(self, connection: str, type_: str, ids: Sequence[str]) -> dict[str, Dated]:
        """What is known of the dates of these objects, by their ids; nothing of one that was never seen."""
        rows = await self._pool.fetch(_SQL["dates"], connection, type_, list(ids))
        return {row["id"]: Dated(**dict(row)) for row in rows}

    async def settle(self, connection: str, type_: str, dates: Mapping[str, datetime]) -> None:
        """These dates were read again after their seconds had passed."""
        if dates:
            await self._pool.fetch(_SQL["settle"], connection, type_, sorted(dates), [dates[k] for k in sorted(dates)])

    async def unpublished(self, connection: str, older_than_s: float, limit: int = 100) -> list[ObjectKey]:
        """Objects of which a revision, or a part's, was accepted so long ago and is not known to be published."""
        rows = await self._pool.fetch(_SQL["unpublished"], connection, timedelta(seconds=older_than_s), limit)
        return [ObjectKey(connection, row["type"], row["id"]) for row in rows]


async def _accept(connection: Connection, seen: Sequence[Seen], keys: Sequence[ObjectKey]) -> list[Accepted]:
    rows = await connection.fetch(_SQL["lock"], *_columns(keys))
    stored = {ObjectKey(*row[:3]): Stored(*row[3:]) for row in map(tuple, rows)}
    answers: list[Accepted] = []
    fresh: list[tuple[Seen, Sighting]] = []
    again: list[tuple[Seen, Sighting]] = []
    for one in seen:
        answer = _judge_whole(stored, one)
        answers.append(answer)
        for sighting, judgement in zip(one.sightings, (answer.main, *answer.parts), strict=True):
            if judgement.verdict in (Verdict.PUBLISH, Verdict.SEEN):
                (again if sighting.key in stored else fresh).append((one, sighting))
    await _insert(connection, fresh)
    await _update(connection, again, stored)
    return answers


def _judge_whole(stored: dict[ObjectKey, Stored], one: Seen) -> Accepted:
    main = _judge_one(stored, one, one.main)
    if main.verdict in (Verdict.READ, Verdict.STALE):
        return Accepted(main, tuple(Judgement(main.verdict, 0) for _ in one.parts))
    return Accepted(main, tuple(_judge_one(stored, one, part) for part in one.parts))


def _judge_one(stored: dict[ObjectKey, Stored], one: Seen, sighting: Sighting) -> Judgement:
    row = stored.get(sighting.key)
    verdict = judge(row, sighting, one.started, one.insist)
    if verdict in (Verdict.READ, Verdict.STALE):
        return Judgement(verdict, row.revision if row else 0)
    return Judgement(verdict, after(row, sighting, one.started)[0] if row else 1)


async def _insert(connection: Connection, fresh: Sequence[tuple[Seen, Sighting]]) -> None:
    if not fresh:
        return
    inserted = await connection.fetch(
        _SQL["insert"],
        *_columns([s.key for _, s in fresh]),
        [s.source_modified for _, s in fresh],
        [s.content_hash for _, s in fresh],
        [s.gone for _, s in fresh],
        [s.number for _, s in fresh],
        [s.parent for _, s in fresh],
        [one.times for one, _ in fresh],
    )
    if len(inserted) < len(fresh):
        raise _FirstSeenElsewhere


async def _update(
    connection: Connection, again: Sequence[tuple[Seen, Sighting]], stored: dict[ObjectKey, Stored]
) -> None:
    if not again:
        return
    rows = [after(stored[s.key], s, one.started) for one, s in again]
    await connection.execute(
        _SQL["update"],
        *_columns([s.key for _, s in again]),
        [revision for revision, _ in rows],
        [date for _, date in rows],
        [s.content_hash for _, s in again],
        [s.gone for _, s in again],
        [s.number for _, s in again],
        [one.times for one, _ in again],
    )


async def _published(connection: Connection, newest: dict[ObjectKey, int]) -> None:
    keys = sorted(newest)
    await connection.fetch(_SQL["lock"], *_columns(keys))
    await connection.execute(_SQL["published"], *_columns(keys), [newest[key] for key in keys])


def _columns(keys: Sequence[ObjectKey]) -> tuple[list[str], list[str], list[str]]:
    return [key.connection for key in keys], [key.type for key in keys], [key.id for key in keys]
