"""The abilities that the flow of stock needs of a store and of an ERP."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from tallystick.ports import Hint, NeedsRead, Reading, Sink, Window

# ---- stores ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a store keeps stock of one SKU; `location` is empty where the store has only one."""

    sku: str
    location: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a store shows buyers as available on a shelf."""

    shelf: Shelf
    #: None when there is nothing to set: `why` says it in words for a person.
    quantity: int | None
    #: The store's own id of what holds the figure.
    external_id: str = ""
    why: str = ""
    #: A person has to look (an ambiguous SKU); False for what the store just does not sell or does not count.
    wrong: bool = False


class Shelves(Sink, Protocol):
    """Takes `StockDocument`s. One step, absolute figures; its probe says `this` or, of any other figure, `newer`:
    what is not shown is decided anew, never sent again."""

    #: The target sets a figure only while it still shows `StockDocument.expected`.
    compares: bool
    #: How long after an order was placed a search for orders may still miss it, in seconds.
    order_search_lag_s: float

    async def shown(self, shelves: Sequence[Shelf]) -> Sequence[Shown]:
        """What the store shows now; parallel to `shelves`. Raises `Unavailable`, `Unauthorised`."""
        ...


@runtime_checkable
class StockSink(Protocol):
    """A store that is told what may be sold."""

    stock: Shelves


# ---- ERPs --------------------------------------------------------------------------------------------------------


class TakesStockAt(StrEnum):
    """From which step of an order's document on its goods are missing from what the ERP calls available."""

    DRAFT = "draft"
    CONFIRM = "confirm"
    RESERVE = "reserve"
    SHIP = "ship"


@runtime_checkable
class StockSource(Protocol):
    """An ERP that keeps stock of each product in each warehouse."""

    overlap_s: float
    takes_stock_at: TakesStockAt

    def changed_stock(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """Pages of levels that changed in the window, repeats allowed, none left out; `object_id` is
        `keys.key(warehouse, sku)`. Raises as `OrderSource` does."""
        ...

    async def read_stock(self, skus: Sequence[str]) -> Sequence[Reading]:
        """The levels of these products in all warehouses, as they are now; products that the ERP does not know are
        left out."""
        ...


@runtime_checkable
class StockHook(Protocol):
    """Takes what an ERP sends when stock changed. Figures are never taken from it, only which products to read."""

    def verify(self, headers: Mapping[str, str], raw: bytes) -> bool:
        """Whether it comes from the ERP; constant-time. Header names are lower-case, a token of the address among
        them (`tallystick.stock.hook.TOKEN`)."""
        ...

    def hint(self, headers: Mapping[str, str], raw: bytes) -> Hint:
        """The id of the delivery. Never raises on odd bodies."""
        ...

    def told(self, headers: Mapping[str, str], raw: bytes) -> Sequence[str]:
        """What changed, in words of the ERP's own: SKUs, or records that `skus_of` knows. Raises `Unreadable`."""
        ...

    async def skus_of(self, told: Collection[str]) -> Collection[str]:
        """The SKUs that these words stand for; what stands for none is left out. Raises `Unavailable`,
        `Unauthorised`."""
        ...


@runtime_checkable
class PushesStock(Protocol):
    """An ERP that can tell at once what changed; its polls find the same later."""

    #: None while no secret is set: then nobody is listened to.
    stock_hook: StockHook | None
