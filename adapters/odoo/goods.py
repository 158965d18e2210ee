"""What moved, or is to move, of the goods of an order: what can come back, and what has not left yet."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .records import Records
from .transport import Json
from .values import link, number, shown

_MOVE = "stock.move"
_FIELDS = (
    *("sale_line_id", "product_id", "product_uom", "product_uom_qty", "state", "picking_id", "picking_type_id"),
    *("location_id", "location_dest_id", "origin_returned_move_id"),
)
#: What went, or is to go, to a buyer, and what came back from one.
_TO_AND_FRO = ["|", ["location_dest_id.usage", "=", "customer"], ["origin_returned_move_id", "!=", False]]


@dataclass(frozen=True, slots=True)
class Taken:
    """A quantity of a move that took goods to the buyer."""

    move: Json
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Goods:
    """Of an order. Cancelled moves are none."""

    moves: Sequence[Json] = ()
    #: The field of what was done: 16 calls it `quantity_done`.
    done: str = ""

    @classmethod
    def of(cls, several: Iterable["Goods | None"]) -> "Goods":
        """Of several orders together."""
        found = [goods for goods in several if goods is not None]
        return cls([move for goods in found for move in goods.moves], found[0].done if found else "")

    def take(self, product: int, wanted: Decimal) -> list[Taken]:
        """What of the product left and has not come back, as much as is wanted, the first deliveries first."""
        taken = []
        for move in self._out(product):
            quantity = min(wanted, self._kept(move)) if move["state"] == "done" else Decimal(0)
            if quantity > 0:
                wanted -= quantity
                taken.append(Taken(move, quantity))
        return taken

    def back_by(self, product: int, pickings: Collection[int]) -> Decimal:
        """How much of the product came back, or is on its way back, with these transfers."""
        ours = [one for one in self.moves if link(one["picking_id"]) in pickings and one["origin_returned_move_id"]]
        return sum((self._quantity(one) for one in ours if link(one["product_id"]) == product), Decimal(0))

    def waiting(self, product: int) -> list[str]:
        """The deliveries with which the product is still to leave, by name."""
        return sorted({shown(move["picking_id"]) for move in self._out(product) if move["state"] != "done"})

    def _out(self, product: int) -> list[Json]:
        ours = [move for move in self.moves if link(move["product_id"]) == product]
        return [move for move in ours if not move["origin_returned_move_id"]]

    def _kept(self, move: Json) -> Decimal:
        """What the buyer still has of it; what is on its way back counts as come back."""
        back = [one for one in self.moves if link(one["origin_returned_move_id"]) == move["id"]]
        return self._quantity(move) - sum((self._quantity(one) for one in back), Decimal(0))

    def _quantity(self, move: Json) -> Decimal:
        return number(move[self.done if move["state"] == "done" else "product_uom_qty"])


async def goods_of(records: Records, order_ids: Collection[int]) -> dict[int, Goods]:
    """By order; nothing where Odoo has no stock at all. Raises `Unavailable`, `Unauthorised`."""
    if not order_ids or "picking_ids" not in await records.fields("sale.order"):
        return {}
    lines = await records.find("sale.order.line", [["order_id", "in", sorted(order_ids)]], ("order_id",))
    return await _sorted(records, {line["id"]: link(line["order_id"]) or 0 for line in lines})


async def _sorted(records: Records, order_of: Mapping[int, int]) -> dict[int, Goods]:
    known = await records.fields(_MOVE)
    done = "quantity_done" if "quantity_done" in known else "quantity"
    more = ("group_id",) if "group_id" in known else ()
    domain = [["sale_line_id", "in", sorted(order_of)], ["state", "!=", "cancel"], *_TO_AND_FRO]
    moves: dict[int, list[Json]] = defaultdict(list)
    for move in await records.find(_MOVE, domain, (*_FIELDS, done, *more), order="id"):
        moves[order_of[link(move["sale_line_id"]) or 0]].append(move)
    return {order_id: Goods(found, done) for order_id, found in moves.items()}
