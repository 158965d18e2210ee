"""The ability of a store whose customers have revisions of their own."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from tallystick.ports import NeedsRead, Reading, Window


@runtime_checkable
class CustomerSource(Protocol):
    """A store whose customers can be read back. The id of a customer is the canonical `Customer.key`."""

    #: How much earlier than the cursor a walk over customers begins, in seconds.
    overlap_s: float
    #: The store has no filter by date, so each walk lists all customers: walks are rare then, and never cut in parts.
    lists_all_customers: bool

    async def read_customer(self, customer_id: str) -> Reading:
        """The customer as it is now; `gone` when the store answers that it is not there.

        Raises `Unavailable` (also `Throttled`), `Unauthorised`, `Unreadable`.
        """
        ...

    def changed_customers(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """Pages of customers that changed in the window, repeats allowed, none left out. Raises as `read_customer`.

        A company changes with its locations, and with what hangs on them.
        """
        ...
