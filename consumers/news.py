"""Walks over what is news: of a cheap list of changed orders only those are read whose content may be unknown.

A walk begins before its cursor, so it sees most orders many times. Dates alone do not tell that one is known: they are
whole seconds, and a second change within the same second leaves no trace. So an order is left out only once a read
that began after that second had passed showed the date which is listed now; "after" by our own clock alone, counted
from when we first saw the date. That is written down, so that one read serves all processes.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tallystick.canonical.entities import entity_name
from tallystick.ledger.objects import Dated
from tallystick.listing import Listed, OrderListing
from tallystick.ports import NeedsRead, Reading, Window
from tallystick.v1 import event_pb2

#: The source's second is over so long after its date was seen, with a margin for its replicas.
SETTLED_S = 2.0
_ORDER = entity_name(event_pb2.ENTITY_TYPE_ORDER)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An order that was left out, and its date."""

    order_id: str
    source_modified: datetime


class Dates(Protocol):
    """What is known of dates; as `tallystick.ledger.objects.Objects`."""

    async def dates(self, connection: str, type_: str, ids: Sequence[str]) -> dict[str, Dated]:
        """By id; nothing of an object that was never seen."""
        ...

    async def settle(self, connection: str, type_: str, dates: Mapping[str, datetime]) -> None:
        """These were read again after their seconds had passed."""
        ...


class News:
    """Of one store."""

    def __init__(self, connection: str, store: OrderListing, dates: Dates, settled_s: float = SETTLED_S) -> None:
        self._connection = connection
        self._store = store
        self._dates = dates
        self._settled_s = settled_s

    async def changed(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead | Unchanged]]:
        """Pages of whole orders that may be news, and of those that are not."""
        async for page in self._store.list_orders(window):
            known = await self._dates.dates(self._connection, _ORDER, [one.order_id for one in page])
            same: list[Listed] = []
            unread: list[Listed] = []
            for one in page:
                (same if _is_known(one, known.get(one.order_id)) else unread).append(one)
            yield [Unchanged(one.order_id, one.modified) for one in same]
            if unread:
                found = await self._store.read_orders([one.order_id for one in unread])
                yield found
                # Only now: whoever walks comes back for more when what was yielded is taken in.
                await self._dates.settle(self._connection, _ORDER, self._over(found, known))

    def _over(self, found: Sequence[Reading | NeedsRead], known: Mapping[str, Dated]) -> dict[str, datetime]:
        """Dates that were old enough before the read, and which it showed again."""
        return {
            one.object_id: one.source_modified
            for one in found
            if isinstance(one, Reading)
            and one.source_modified is not None
            and (was := known.get(one.object_id)) is not None
            and was.source_modified == one.source_modified
            and was.for_s >= self._settled_s
        }


def _is_known(listed: Listed, known: Dated | None) -> bool:
    return known is not None and known.settled and known.source_modified == listed.modified
