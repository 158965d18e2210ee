"""The abilities that the flow of prices needs of a store and of an ERP."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from tallystick.ports import Reading, Sink, Window


@runtime_checkable
class PriceSink(Protocol):
    """A store that is told prices, as `PriceDocument`s. What it does not sell is `Needless`."""

    prices: Sink


@runtime_checkable
class PriceSource(Protocol):
    """An ERP whose prices can be read. `lists` are its own references of price lists, as contracts name them.

    A `Product` holds all its prices in these lists as they are at the moment of the read: what is in force has no
    `valid_from`, what has ended is not there. `object_id` is the SKU. A price that the adapter cannot work out for
    certain is `untold`, never a guess.
    """

    overlap_s: float

    def changed_prices(self, lists: Sequence[str], window: Window) -> AsyncIterator[Sequence[Reading]]:
        """Pages of products that changed in the window, or of which a price came into force or ended in it.

        Repeats allowed. Raises as `OrderSource` does, and `SetupError` for a list that is not there.
        """
        ...

    def all_prices(self, lists: Sequence[str]) -> AsyncIterator[Sequence[Reading]]:
        """Pages of all products; likewise. For what leaves no trace, such as a rule that was deleted."""
        ...
