"""What the feeder of a backfill keeps in the table `operation` beside what every operation has."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from tallystick.canonical.keys import order_key
from tallystick.errors import TallystickError
from tallystick.ledger.operations import Taken
from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries

_SQL = queries("operations")


class NoLongerOurs(TallystickError):
    """The operation was cancelled, or somebody else has it after our lease was over."""


class Hand:
    """The orders of one operation that are let in and may be unfinished in a ledger."""

    def __init__(self, pool: Pool, taken: Taken, targets: Sequence[str], lease_s: float) -> None:
        self._pool = pool
        self._taken = taken
        self._targets = list(targets)
        self._lease = timedelta(seconds=lease_s)
        self._orders = set(taken.in_hand)

    def __len__(self) -> int:
        return len(self._orders)

    async def hold(self, more: Iterable[str] = ()) -> set[str]:
        """Begin the lease anew and write down what is in hand, `more` included; those that were not before.

        Raises `NoLongerOurs`.
        """
        fresh = set(more) - self._orders
        self._orders |= fresh
        row = (self._taken.id, self._taken.epoch, self._lease, sorted(self._orders))
        if not await self._pool.fetch(_SQL["hold"], *row):
            raise NoLongerOurs(f"the operation {self._taken.id} is no longer in our hands")
        return fresh

    def drop(self, orders: Collection[str]) -> None:
        """Nothing follows from these."""
        self._orders -= set(orders)

    async def look(self) -> None:
        """Drop what every target has dealt with."""
        connection, orders = self._taken.wanted.connection, sorted(self._orders)
        if orders:
            keys = [order_key(connection, order_id) for order_id in orders]
            rows = await self._pool.fetch(_SQL["outstanding"], connection, orders, keys, self._targets)
            self._orders = {row["id"] for row in rows}

    async def expect(self, total: int) -> None:
        """The store told how many there are."""
        await self._pool.fetch(_SQL["expect"], self._taken.id, self._taken.epoch, total)
