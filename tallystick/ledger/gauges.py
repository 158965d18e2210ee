"""What stands in the ledger at one moment, for metrics: held and waiting lanes, unfinished effects, broken promises."""

from dataclasses import dataclass
from datetime import timedelta

from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries

_SQL = queries("gauges")
#: Lanes that are marked in one statement; more of them wait for the next.
_LANES_MAX = 5000


@dataclass(frozen=True, slots=True)
class Lanes:
    """Lanes of one target with one reason, and the age of the oldest in seconds."""

    target: str
    reason: str
    held: bool
    lanes: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Effects of one target in one state; ages in seconds."""

    target: str
    entity_type: str
    state: str
    effects: int
    #: Since the oldest was first heard of.
    oldest_s: float
    #: Since the first request of the one that was begun first.
    claimed_s: float


@dataclass(frozen=True, slots=True)
class Overdue:
    """Effects of one target whose time was over before they were done; each is told once."""

    target: str
    entity_type: str
    effects: int


class LedgerGauges:
    """Looks over all targets at once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def lanes(self) -> list[Lanes]:
        """Lanes that are held or wait."""
        return [Lanes(*row) for row in await self._pool.fetch(_SQL["lanes"])]

    async def unfinished(self) -> list[Unfinished]:
        """Effects that have not ended."""
        return [Unfinished(*row) for row in await self._pool.fetch(_SQL["unfinished"])]

    async def overdue(self, after_s: float) -> list[Overdue]:
        """Mark what is unfinished so long after it was first heard of; never the same effect twice."""
        rows = await self._pool.run(
            lambda connection: connection.fetch(_SQL["overdue"], timedelta(seconds=after_s), _LANES_MAX)
        )
        return [Overdue(*row) for row in rows]
