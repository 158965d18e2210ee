"""Where each poller stands: everything that changed in the source before the cursor has been seen."""

from datetime import datetime, timedelta

from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries

_SQL = queries("cursors")


class Cursors:
    """The table `poll_cursor`. A cursor is source time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def load(self, connection: str, flow: str) -> datetime | None:
        """None when this flow of the connection was never polled."""
        rows = await self._pool.fetch(_SQL["load"], connection, flow)
        return rows[0]["cursor_at"] if rows else None

    async def take_turn(self, connection: str, flow: str, first: datetime, every_s: float) -> datetime | None:
        """The cursor (`first` when there was none), or None when somebody took this turn less than `every_s` ago."""
        rows = await self._pool.fetch(_SQL["take_turn"], connection, flow, first, timedelta(seconds=every_s))
        return rows[0]["cursor_at"] if rows else None

    async def advance(self, connection: str, flow: str, covered: datetime) -> None:
        """A finished walk has covered everything before `covered`."""
        await self._pool.fetch(_SQL["advance"], connection, flow, covered)

    async def rewind(self, connection: str, to: datetime) -> None:
        """Poll again from `to` on (after a restore)."""
        await self._pool.fetch(_SQL["rewind"], connection, to)
