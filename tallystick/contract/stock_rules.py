"""The words of a contract's `stock` section, and what contradicts itself in it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

Place = tuple[int | str, ...]


class _Strict(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Combine(StrEnum):
    """What several warehouses behind one location come to."""

    #: An order may be put together from all of them.
    SUM = "sum"
    #: An order leaves from one of them: the first in the list that has anything.
    PRIORITY = "priority"


class Negative(StrEnum):
    """What a store is told when the ERP has less than nothing."""

    CLAMP = "clamp"
    #: For stores that sell on back-order and count it.
    AS_IS = "pass"


class Source(_Strict):
    """A warehouse behind a location."""

    warehouse: str
    #: In per cent: how much of what is free there this location may sell.
    share: Decimal = Field(default=Decimal(100), gt=0, le=100)
    #: Other stores show the same pieces, and whoever sells first wins: to be said by each of them.
    shared: bool = False

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: object) -> object:
        return {"warehouse": value} if isinstance(value, str) else value


class Location(_Strict):
    """One place where a store keeps stock."""

    #: The store's own id of it; empty where the store has only one.
    location: str = ""
    warehouses: tuple[Source, ...] = Field(min_length=1)
    combine: Combine = Combine.SUM


class ReserveFrom(_Strict):
    """The warehouse that an order takes its goods from: by what stands at a path of the order, or always the same."""

    otherwise: str
    by: str | None = None
    rows: dict[str, str] = {}


class Buffer(_Strict):
    """Pieces that are kept back from every shelf."""

    every: int = Field(default=0, ge=0)
    #: By the ERP's SKU.
    by_sku: dict[str, int] = {}

    def of(self, sku: str) -> int:
        """Pieces of this SKU that no buyer is shown."""
        return self.by_sku.get(sku, self.every)


class Stock(_Strict):
    """What may be sold where."""

    locations: tuple[Location, ...] = ()
    reserve_from: ReserveFrom | None = None
    buffer: Buffer = Buffer()
    negative: Negative = Negative.CLAMP

    def findings(self) -> Iterator[tuple[Place, str]]:
        """Places and what contradicts itself there."""
        yield from self._twice()
        yield from self._shares()
        behind = {source.warehouse for place in self.locations for source in place.warehouses}
        if self.locations and self.reserve_from is None:
            yield ("locations",), "say under `reserve_from` which warehouse orders take their goods from"
        elif self.locations and self.reserve_from is not None:
            for warehouse in sorted({self.reserve_from.otherwise, *self.reserve_from.rows.values()} - behind):
                yield (
                    ("reserve_from",),
                    f"orders take goods from {warehouse!r}, which stands behind no location: what they sell would "
                    "never be missing where it is shown",
                )

    def _twice(self) -> Iterator[tuple[Place, str]]:
        seen: set[str] = set()
        for number, place in enumerate(self.locations):
            if place.location in seen:
                yield ("locations", number, "location"), f"the location {place.location!r} stands here twice"
            seen.add(place.location)
            names = [source.warehouse for source in place.warehouses]
            if len(set(names)) < len(names):
                yield ("locations", number, "warehouses"), "a warehouse stands here twice"

    def _shares(self) -> Iterator[tuple[Place, str]]:
        for warehouse, share in self.shares().items():
            if share > 100:
                yield (
                    ("locations",),
                    f"{warehouse!r} is shown with {share:f} % in all: its pieces would be sold twice; split it by "
                    "`share`",
                )

    def shares(self) -> Mapping[str, Decimal]:
        """How much of each warehouse the store shows over all its locations, in per cent."""
        shares: dict[str, Decimal] = {}
        for place in self.locations:
            for source in place.warehouses:
                shares[source.warehouse] = shares.get(source.warehouse, Decimal(0)) + source.share
        return shares

    def shared(self) -> frozenset[str]:
        """Warehouses whose pieces the store knows that others show too."""
        return frozenset(s.warehouse for place in self.locations for s in place.warehouses if s.shared)
