"""Goods that come back from a buyer: a return transfer, made ready for the warehouse to receive.

Odoo's own wizard gives the transfer no name of ours, so a lost answer could not be told from none. A `load` of the same
content with an External ID folds as orders do (measured on 16.0 and 19.0: what stands there afterwards, made ready, is
what the wizard makes). The stock itself rises when people receive the goods.

A refund announces the goods that it puts back, a return its own. Where both are about the same goods, what stands under
the other's name counts: nothing comes back twice.
"""

import html
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tallystick.canonical.quantities import quantity_text

from . import names
from .forms import RETURN
from .goods import Goods, Taken, goods_of
from .readback import Known
from .records import Records
from .rows import Item
from .transport import Json
from .values import link, plain, shown

Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class Piece:
    """Goods that are wanted back."""

    product: int
    sku: str
    quantity: Decimal
    #: The place that they go to; None for the one that they left from.
    location: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to come back by one transfer."""

    ref: str
    #: The order, and those beside it that an edit added goods with.
    orders: tuple[int, ...]
    partner: int
    #: For people, with our mark.
    origin: str
    pieces: tuple[Piece, ...]
    #: References of ours whose transfers are about the same goods.
    beside: tuple[str, ...] = ()
    #: What must not stand in a message.
    personal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Back:
    """A part of a delivery on its way back."""

    taken: Taken
    location: int | None


@dataclass(frozen=True, slots=True)
class Short:
    """Pieces that no delivery can give back."""

    sku: str
    quantity: Decimal
    #: The deliveries with which the product is still to leave, by name.
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """From which deliveries goods come back, and of which there is not enough; neither where all is back already."""

    back: tuple[Back, ...]
    short: tuple[Short, ...]


class Transfers:
    """Reads of one connection, and the rows of transfers. Raises `Unavailable`, `Unauthorised`."""

    def __init__(self, connection: str, records: Records) -> None:
        self._connection = connection
        self._records = records

    async def made(self, refs: Collection[str]) -> dict[str, Known]:
        """The transfers that stand under our names, by reference."""
        ours = {names.return_name(self._connection, ref): ref for ref in refs}
        addresses = await self._records.addresses(list(ours))
        ids = {address.record_id for address in addresses.values()}
        rows = await self._records.by_id(RETURN.model, ids, RETURN.head)
        return {
            ours[name]: Known(RETURN, address.record_id, rows[address.record_id], adopted=False, mark_text="")
            for name, address in addresses.items()
            if address.record_id in rows
        }

    async def choose(self, several: Sequence[Wanted]) -> dict[str, Choice]:
        """From which deliveries the goods come back, by reference."""
        if not several:
            return {}
        goods = await goods_of(self._records, {order for one in several for order in one.orders})
        others = await self.made({ref for one in several for ref in one.beside})
        return {
            one.ref: _choice(
                one,
                Goods.of(goods.get(order) for order in one.orders),
                {others[ref].id for ref in one.beside if ref in others},
            )
            for one in several
        }

    async def items(self, several: Sequence[Wanted], choices: Mapping[str, Choice]) -> dict[str, Item]:
        """The transfers of those for which something was chosen."""
        wanted = [one for one in several if choices[one.ref].back]
        if not wanted:
            return {}
        types = await self._types([back.taken.move for one in wanted for back in choices[one.ref].back])
        heads, lines = await self._records.fields(RETURN.model), await self._records.fields(RETURN.line_model)
        return {
            one.ref: Item(
                ref=one.ref,
                name=names.return_name(self._connection, one.ref),
                cells=_as_known(_head(one, choices[one.ref].back[0], types), heads),
                lines=tuple(_below(_as_known(self._line(one, back, types), lines)) for back in choices[one.ref].back),
                personal=one.personal,
            )
            for one in wanted
        }

    async def _types(self, moves: Sequence[Json]) -> dict[int | None, int]:
        """The type of operation that takes back what another one sent; the same where none is named."""
        ids = {link(move["picking_type_id"]) or 0 for move in moves}
        rows = await self._records.by_id("stock.picking.type", ids, ("return_picking_type_id",))
        return {type_id: link(row["return_picking_type_id"]) or type_id for type_id, row in rows.items()}

    def _line(self, wanted: Wanted, back: Back, types: Mapping[int | None, int]) -> Cells:
        move = back.taken.move
        named = str(move["id"]) if back.location is None else f"{move['id']}-{back.location}"
        return {
            "id": names.external_id(names.returned_name(self._connection, wanted.ref, named)),
            "name": shown(move["product_id"]),
            "product_id/.id": str(link(move["product_id"])),
            "product_uom_qty": plain(back.taken.quantity),
            "product_uom/.id": str(link(move["product_uom"])),
            **_way_back(back, types),
            "origin_returned_move_id/.id": str(move["id"]),
            "sale_line_id/.id": str(link(move["sale_line_id"])),
            # The order's delivered quantity falls with it.
            "to_refund": "1",
            # In 16 a transfer finds its order by the group.
            "group_id/.id": str(link(move.get("group_id")) or ""),
        }


def _head(wanted: Wanted, first: Back, types: Mapping[int | None, int]) -> Cells:
    return {
        **_way_back(first, types),
        "partner_id/.id": str(wanted.partner),
        "origin": wanted.origin,
        "return_id/.id": str(link(first.taken.move["picking_id"]) or ""),
        "note": _reasons(wanted.pieces),
    }


def _reasons(pieces: Iterable[Piece]) -> str:
    """Why they come back, for the people of the warehouse; Odoo keeps a text with tags."""
    told = [f"{quantity_text(one.quantity)} {one.sku}: {one.reason}" for one in pieces if one.reason]
    return "<br/>".join(html.escape(one) for one in told)


def _way_back(back: Back, types: Mapping[int | None, int]) -> Cells:
    move = back.taken.move
    return {
        "picking_type_id/.id": str(types[link(move["picking_type_id"])]),
        "location_id/.id": str(link(move["location_dest_id"])),
        "location_dest_id/.id": str(back.location or link(move["location_id"])),
    }


def _as_known(cells: Cells, known: Collection[str]) -> Cells:
    """Without the columns whose field this Odoo does not have."""
    return {column: cell for column, cell in cells.items() if column.removesuffix("/.id") in known}


def _below(cells: Cells) -> Cells:
    return {f"{RETURN.lines}/{column}": cell for column, cell in cells.items()}


# ---- which goods -------------------------------------------------------------------------------------------------


def _choice(wanted: Wanted, goods: Goods, others: Collection[int]) -> Choice:
    """Of two lines with the same goods it does not matter which; what the others took back is back."""
    products: dict[int, list[Piece]] = defaultdict(list)
    for piece in wanted.pieces:
        products[piece.product].append(piece)
    back: dict[tuple[int, int | None], Back] = {}
    short = []
    for product, pieces in products.items():
        left = _less(pieces, goods.back_by(product, others))
        taken = goods.take(product, sum((one.quantity for one in left), Decimal(0)))
        missing = sum((one.quantity for one in left), Decimal(0)) - sum((one.quantity for one in taken), Decimal(0))
        if missing:
            short.append(Short(pieces[0].sku, missing, tuple(goods.waiting(product))))
        for one in _dealt(taken, left):
            at = one.taken.move["id"], one.location
            back[at] = _together(back[at], one) if at in back else one
    return Choice(tuple(back.values()), tuple(short))


def _less(pieces: Sequence[Piece], quantity: Decimal) -> list[Piece]:
    """The pieces without so many, from the first on."""
    left = []
    for piece in pieces:
        gone = min(piece.quantity, quantity)
        quantity -= gone
        left.append(replace(piece, quantity=piece.quantity - gone))
    return left


def _dealt(taken: Sequence[Taken], pieces: Sequence[Piece]) -> Iterable[Back]:
    """Each part of a delivery to the places of the pieces, in their order."""
    left = [piece.quantity for piece in pieces]
    for one in taken:
        rest = one.quantity
        for place, piece in enumerate(pieces):
            quantity = min(rest, left[place])
            rest, left[place] = rest - quantity, left[place] - quantity
            if quantity:
                yield Back(Taken(one.move, quantity), piece.location)


def _together(one: Back, other: Back) -> Back:
    return Back(Taken(one.taken.move, one.taken.quantity + other.taken.quantity), one.location)
