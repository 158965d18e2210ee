"""What stores show on their shelves as far as we have seen it, and what we decided about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries

_SQL = queries("stock")
#: (location, the ERP's SKU)
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a store shows at a place; `quantity` None when there is nothing to set, and why."""

    place: Place
    quantity: int | None
    why: str = ""
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class ShelfRow:
    """A shelf as it was seen last."""

    store: str
    location: str
    #: The ERP's.
    sku: str
    erp: str
    shown: int | None
    decided: int | None
    decided_at: datetime | None
    looked_at: datetime
    why: str
    wrong: bool

    @property
    def cursor(self) -> tuple[str, str, str]:
        """Its place in a listing."""
        return self.store, self.sku, self.location


class ShelfTable:
    """The table `stock_shelf`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def looked(self, store: str, erp: str, seen: Sequence[Seen]) -> None:
        """The store was asked just now."""
        await self._pool.fetch(
            _SQL["looked"],
            store,
            erp,
            [one.place[0] for one in seen],
            [one.place[1] for one in seen],
            [one.quantity for one in seen],
            [one.why for one in seen],
            [one.wrong for one in seen],
        )

    async def decide(self, store: str, figures: Mapping[Place, int]) -> dict[Place, int]:
        """Figures that are about to be told; answers the revision of each decision."""
        places = sorted(figures)
        rows = await self._pool.fetch(
            _SQL["decide"],
            store,
            [place[0] for place in places],
            [place[1] for place in places],
            [figures[place] for place in places],
        )
        return {(row["location"], row["sku"]): row["revision"] for row in rows}

    async def page(self, store: str, sku: str, after: Sequence[str] | None, limit: int) -> list[ShelfRow]:
        """Shelves in the order of store, SKU and location; `store` and `sku` empty for all."""
        begin = after or (None, None, None)
        rows: list[Any] = await self._pool.fetch(_SQL["shelves"], store, sku, *begin, limit)
        return [ShelfRow(**dict(row)) for row in rows]

    async def counts(self) -> list[tuple[str, str, str, int]]:
        """(what, erp, store, number) for the gauges."""
        return [tuple(row) for row in await self._pool.fetch(_SQL["counts"])]
