"""A store with a long past: orders a minute apart, shown in pages of a window, as many as its settings say.

Every process that opens it sees the same orders.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict

from tallystick.canonical import written
from tallystick.clock import Clock
from tallystick.errors import Unavailable
from tallystick.ports import NeedsRead, Reading, WebhookState, Window
from tallystick.registry import AdapterKind
from tallystick.v1 import event_pb2

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)


class ArchiveSettings(BaseModel):
    """How much there is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    orders: int = 0
    page: int = 50


def at(number: int) -> datetime:
    """When an order was placed and last changed; the first is number 1."""
    return FIRST + STEP * number


def reading(connection: str, number: int, moment: datetime) -> Reading:
    """An order of one piece."""
    line = {"sku": "MUG", "quantity": 1, "amount": {"gross": "11"}, "taxes": [{"rate_percent": 19}]}
    order = written.order(
        {
            "connection": connection,
            "id": str(number),
            "number": f"#{number}",
            "placed_at": moment.isoformat(),
            "lines": [line],
        }
    )
    return Reading(event_pb2.ENTITY_TYPE_ORDER, str(number), moment, order=order)


@dataclass
class ArchiveStore:
    """An `OrderSource` and `OrderCount`. `fails` is raised by the next page."""

    connection: str
    settings: ArchiveSettings
    clock: Clock
    #: Walks that find something, at this moment, and the most there ever were at a time: those that look at the present
    #: (polls, reconciliation) find nothing here.
    walking: int = 0
    walking_most: int = 0
    pages: list[Window] = field(default_factory=list)
    fails: Exception | None = None
    overlap_s: float = 0.0

    async def identity(self) -> str:
        """Its own name."""
        return self.connection

    async def read_order(self, order_id: str) -> Reading:
        """As the pages show it."""
        number = int(order_id)
        if not 1 <= number <= self.settings.orders:
            return Reading(event_pb2.ENTITY_TYPE_ORDER, order_id, None, gone=True)
        return reading(self.connection, number, at(number))

    async def changed_orders(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """Both ends included, and a second more on each side, as WooCommerce answers."""
        found = [
            number
            for number in range(1, self.settings.orders + 1)
            if window.start - _SECOND <= at(number) <= window.end + _SECOND
        ]
        self.walking += bool(found)
        self.walking_most = max(self.walking_most, self.walking)
        try:
            for start in range(0, len(found), self.settings.page):
                if self.fails is not None:
                    error, self.fails = self.fails, None
                    raise error
                self.pages.append(window)
                yield [reading(self.connection, one, at(one)) for one in found[start : start + self.settings.page]]
        finally:
            self.walking -= bool(found)

    async def count_orders(self, window: Window) -> int | None:
        """As many as a walk finds."""
        return sum(window.start <= at(number) <= window.end for number in range(1, self.settings.orders + 1))

    def parse_order(self, raw: bytes) -> Reading:
        """It has no form of its own."""
        raise Unavailable("the archive has no payloads")

    async def webhooks(self) -> Sequence[WebhookState]:
        """None."""
        return ()

    async def close(self) -> None:
        """Nothing is open."""


KIND = AdapterKind("archive", "store", ArchiveSettings, ArchiveStore)
