"""What a store tells cheaply: which orders changed and when, without their content."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from tallystick.ports import NeedsRead, Reading, Window


@dataclass(frozen=True, slots=True)
class Listed:
    """An order that changed, by its id, and the date of its last change as the store has it."""

    order_id: str
    modified: datetime


@runtime_checkable
class OrderListing(Protocol):
    """A store where a list of changed orders costs far less than the orders."""

    def list_orders(self, window: Window) -> AsyncIterator[Sequence[Listed]]:
        """Pages of what `changed_orders` would show in full, none left out."""
        ...

    async def read_orders(self, ids: Sequence[str]) -> Sequence[Reading | NeedsRead]:
        """These orders as they are now, in any order; `gone` for one that is not there. Raises as `read_order`."""
        ...
