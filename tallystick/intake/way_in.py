"""Pages of a walk through a source, taken in by the door; what has to be read again is left to the relay, durably."""

from collections.abc import Collection, Iterable
from datetime import datetime

from tallystick.intake.delivery import Waits, to_waiting, wish
from tallystick.intake.door import Arrival, Door
from tallystick.ledger.pending import PendingDeliveries, PendingReason
from tallystick.ports import NeedsRead, Reading
from tallystick.v1 import event_pb2

#: Kind and id of an object.
Again = tuple[event_pb2.EntityType.ValueType, str]


class WayIn:
    """The way in for one kind of walk."""

    def __init__(
        self, door: Door, pending: PendingDeliveries, origin: event_pb2.Origin.ValueType, found_by: str
    ) -> None:
        self._door = door
        self._pending = pending
        self._origin = origin
        self._later = Waits(PendingReason.READ_LATER, found_by)

    async def enter(
        self,
        connection: str,
        page: Iterable[Reading | NeedsRead],
        started: int,
        now: datetime,
        kinds: Collection[event_pb2.EntityType.ValueType] | None,
    ) -> tuple[set[str], list[Again]]:
        """Ids of what was published, and what has to be read again: objects of these kinds, or of all for None.

        `started` was drawn before the page was asked for. Raises what the door raises; a page that is let in again does
        no harm.
        """
        unique = {found.object_id: found for found in page}
        arrivals = [
            Arrival(connection, found, self._origin, now, started)
            for found in unique.values()
            if isinstance(found, Reading)
        ]
        again = [(found.type, found.object_id) for found in unique.values() if isinstance(found, NeedsRead)]
        published = set()
        for arrival, entered in zip(arrivals, await self._door.enter(arrivals), strict=True):
            readable = kinds is None or arrival.reading.type in kinds
            if (entered.read_again or entered.too_large) and readable:
                again.append((arrival.reading.type, arrival.reading.object_id))
            elif entered.published:
                published.add(arrival.reading.object_id)
        return published, again

    async def leave(self, connection: str, again: Iterable[Again], now: datetime) -> None:
        """To the relay, durably."""
        wishes = [wish(connection, object_id, self._origin, now, kind) for kind, object_id in again]
        await self._pending.put([to_waiting(wished, self._later) for wished in wishes])
