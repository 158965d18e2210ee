"""What a store may sell: pure, and the one place where it is computed.

The proof that it never says too much, and in the end never too little, is `tests/unit/stock/test_any_interleaving.py`;
the reasons stand in docs/decisions/0006-stock-by-rows.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from enum import Enum, auto

from tallystick.contract.stock_rules import Combine, Location, Negative

_ZERO = Decimal(0)
_WHOLE = Decimal(100)


@dataclass(frozen=True, slots=True)
class Held:
    """Pieces that are sold; `taken_seq` is our number of the moment after which the ERP has them off its figure."""

    quantity: Decimal
    taken_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One SKU in one warehouse: what the ERP says, and what is sold and not in that figure yet."""

    available: Decimal
    reserved: Decimal

    @property
    def free(self) -> Decimal:
        """May be below zero."""
        return self.available - self.reserved


def reserved(held: Iterable[Held], read_seq: int) -> Decimal:
    """What a figure, read under this number, does not have in it: all that was not taken before the read began."""
    open_pieces = (one.quantity for one in held if one.taken_seq is None or one.taken_seq > read_seq)
    return sum(open_pieces, _ZERO)


def sellable(place: Location, figures: Mapping[str, Figure], buffer: int, negative: Negative) -> int | None:
    """Pieces that may be shown at a location; whole ones only. None while a warehouse behind it was never read."""
    if any(source.warehouse not in figures for source in place.warehouses):
        return None
    parts = [figures[source.warehouse].free * source.share / _WHOLE for source in place.warehouses]
    first = next((part for part in parts if part >= 1), parts[0])
    total = sum(parts, _ZERO) if place.combine is Combine.SUM else first
    pieces = int(total.to_integral_value(ROUND_FLOOR)) - buffer
    return max(0, pieces) if negative is Negative.CLAMP else pieces


class Move(Enum):
    """What to do about a shelf."""

    #: It shows what it should, or nothing can be said.
    LEAVE = auto()
    SET = auto()
    #: More may be shown, if no sale is on its way that we do not know of: ask the stores for their orders first.
    LOOK_FIRST = auto()


def move(shown: int, wanted: int | None, *, looked: bool) -> Move:
    """Less is told at once; more only when every order up to the moment at which `shown` was read is known."""
    if wanted is None or wanted == shown:
        return Move.LEAVE
    return Move.SET if wanted < shown or looked else Move.LOOK_FIRST
