"""When each store was last seen to send deliveries, and the hole since then that has not been looked through."""

from dataclasses import dataclass
from datetime import datetime

from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries

_SQL = queries("watched")


@dataclass(frozen=True, slots=True)
class Lost:
    """How often within a day it happened, and whether this look is the first that saw it."""

    times: int
    opened: bool


class Watched:
    """The table `webhook_watch`. Times are of our own clock."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def lost(self, connection: str, at: datetime) -> Lost | None:
        """Subscriptions were found missing or disabled at a look that began `at`.

        None when somebody else took note less than a moment ago, and mends.
        """
        rows = await self._pool.fetch(_SQL["lost"], connection, at)
        return Lost(rows[0]["times"], rows[0]["opened"]) if rows else None

    async def hole(self, connection: str) -> datetime | None:
        """Since when deliveries may be missing; None while all was well at each look."""
        rows = await self._pool.fetch(_SQL["hole"], connection)
        return rows[0]["active_at"] if rows else None

    async def well(self, connection: str, at: datetime) -> None:
        """All was well at this look, and what was missed before it has been looked for."""
        await self._pool.fetch(_SQL["well"], connection, at)
