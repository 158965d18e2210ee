"""Who may use which part of a connection's request quota: all parts together never exceed the whole."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from tallystick.ledger.pool import Connection, Pool
from tallystick.ledger.queries import queries

_SQL = queries("quota")


class Quota:
    """The table `quota_share`, for one owner."""

    def __init__(self, pool: Pool, owner: str) -> None:
        self._pool = pool
        self._owner = owner

    async def divide(
        self, connections: Sequence[str], lease_s: float, before: Callable[[Mapping[str, float]], None]
    ) -> dict[str, float]:
        """This owner's part of each connection's quota, for a lease.

        `before` is called with the parts before others can see them: what becomes smaller has to be in force by then.
        """

        async def work(connection: Connection) -> dict[str, float]:
            await connection.execute(_SQL["lock"], list(connections))
            await connection.execute(_SQL["forget_dead"])
            rows = await connection.fetch(_SQL["divide"], list(connections), self._owner, timedelta(seconds=lease_s))
            parts = {row["connection"]: float(row["share"]) for row in rows}
            before(parts)
            return parts

        return await self._pool.run(work)

    async def give_back(self) -> None:
        """The others may have it at once."""
        await self._pool.fetch(_SQL["give_back"], self._owner)
