"""Walks over what is news: of a cheap list of changed orders only those are read whose content may be unknown.

A walk begins before its cursor, so it sees most orders many times. Dates alone do not tell that one is known: they are
whole seconds, and a second change within the same second leaves no trace. So an order is left out only once a read
that began after that second had passed showed the date which is listed now; "after" by our own clock alone, counted
from when we first saw the date.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tallystick.clock import Clock
from tallystick.listing import Listed, OrderListing
from tallystick.ports import NeedsRead, Reading, Window

#: The source's second is over so long after its date was seen, with a margin for its replicas.
SETTLED_S = 2.0


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An order that was left out, and its date."""

    order_id: str
    source_modified: datetime


@dataclass(slots=True)
class _Known:
    modified: datetime
    first_seen_s: float
    settled: bool = False


class News:
    """Of one store. Remembers, for this process, what was read of the orders that the last lists showed."""

    def __init__(self, store: OrderListing, clock: Clock, settled_s: float = SETTLED_S) -> None:
        self._store = store
        self._clock = clock
        self._settled_s = settled_s
        self._known: dict[str, _Known] = {}

    async def changed(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead | Unchanged]]:
        """Pages of whole orders that may be news, and of those that are not."""
        seen: set[str] = set()
        async for page in self._store.list_orders(window):
            began_s = self._clock.monotonic_s()
            seen.update(one.order_id for one in page)
            unread = [one for one in page if not self._is_known(one, began_s)]
            yield [Unchanged(one.order_id, one.modified) for one in page if one not in unread]
            if unread:
                found = await self._store.read_orders([one.order_id for one in unread])
                yield found
                # Only now: whoever walks comes back for more when what was yielded is taken in.
                self._settle(found, began_s)
        self._known = {order_id: known for order_id, known in self._known.items() if order_id in seen}

    def _is_known(self, listed: Listed, now_s: float) -> bool:
        known = self._known.get(listed.order_id)
        if known is None or known.modified != listed.modified:
            self._known[listed.order_id] = _Known(listed.modified, now_s)
            return False
        return known.settled

    def _settle(self, found: Sequence[Reading | NeedsRead], began_s: float) -> None:
        for one in found:
            known = self._known.get(one.object_id)
            if known is None or isinstance(one, NeedsRead) or began_s - known.first_seen_s < self._settled_s:
                continue
            known.settled = known.modified == one.source_modified
