"""What keeps workers busy with one flow at a time, batch by batch, for as long as a test asks for more."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from tests.crash.masters import Buyer, Tag
from tests.crash.orders import Comeback, Refund, Revision, Shipment, Thing, revisions

Batch = Callable[[], Sequence[Thing]]
Parts = TypeVar("Parts", bound=Thing)


class Batches:
    """Everything but a few new orders in each batch is about orders that are booked already (`first`), so that what a
    worker sends is nearly always of the flow in question. `numbers` are those that nobody has used yet."""

    def __init__(self, numbers: Iterator[int], erp: str) -> None:
        self._numbers = numbers
        self._erp = erp
        self._old = [number for number in self._next(18) if number % 3]
        self._places = itertools.count(1)

    @property
    def first(self) -> Sequence[Thing]:
        """To be settled before anything else."""
        return revisions(self._old, 1)

    @property
    def flows(self) -> dict[str, Batch]:
        """By what they are about, in both directions."""
        return {
            "payments": self._payments,
            "refunds": self._refunds,
            "returns": self._returns,
            "customers": self._customers,
            "shipments": self._shipments,
            "prices": self._prices,
        }

    def _next(self, number: int) -> list[int]:
        return list(itertools.islice(self._numbers, number))

    def _behind_orders(self, each: Callable[[int], list[Parts]]) -> Sequence[Thing]:
        """Parts of the old orders, and of new ones that come with them, or after them."""
        new = self._next(3)
        return [*revisions(new, 1), *(part for number in [*self._old, *new] for part in each(number))]

    def _payments(self) -> Sequence[Thing]:
        """A payment at each of two revisions: where an order's own two steps are over, they are all there is to do."""
        return revisions([number for number in self._next(30) if number % 3 == 0], 2)

    def _refunds(self) -> Sequence[Thing]:
        place = next(self._places)
        return self._behind_orders(lambda number: [Refund(number, place)])

    def _returns(self) -> Sequence[Thing]:
        """One that is approved and one that comes to nothing, of each order."""
        places = next(self._places), next(self._places)
        return self._behind_orders(lambda number: [one for place in places for one in Comeback.life(number, place)])

    def _shipments(self) -> Sequence[Thing]:
        """The tracking number of each comes, and changes."""
        place = next(self._places)
        return self._behind_orders(lambda number: [Shipment(number, place, one, self._erp) for one in (1, 2)])

    def _customers(self) -> Sequence[Thing]:
        """Known ones change; new ones come together with the order that asks for them."""
        revision = next(self._places)
        new = [number for number in self._next(12) if Revision(number, 1).has_account]
        old = [number for number in self._old if Revision(number, 1).has_account]
        changes = [Buyer(number, revision) for number in old]
        return [*changes, *revisions(new, 1), *(Buyer(number, 1) for number in new)]

    def _prices(self) -> Sequence[Thing]:
        revision = next(self._places)
        return [Tag(number, revision, self._erp) for number in self._old]
