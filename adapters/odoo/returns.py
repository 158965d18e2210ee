"""Goods of a refund that go back into stock: a return transfer, made ready for the warehouse to receive.

Odoo's own wizard gives the transfer no name of ours, so a lost answer could not be told from none. A `load` of the same
content with an External ID folds as orders do (measured on 16.0 and 19.0: what stands there afterwards, made ready, is
what the wizard makes). The stock itself rises when people receive the goods.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from tallystick.canonical.quantities import quantity_text
from tallystick.ports import Job, Refused
from tallystick.reasons import HoldReason

from . import names
from .forms import RETURN
from .goods import Goods, Taken, goods_of
from .parties import refund_of
from .readback import Known
from .records import Records
from .rows import Item
from .transport import Json
from .values import link, plain, shown

Cells = dict[str, str]


class Returns:
    """Reads of one connection, and the rows of transfers. Raises `Unavailable`, `Unauthorised`."""

    def __init__(self, connection: str, records: Records) -> None:
        self._connection = connection
        self._records = records

    async def made(self, jobs: Sequence[Job]) -> dict[str, Known]:
        """The transfers that stand under our names, by the jobs' references."""
        ours = {names.return_name(self._connection, job.ref): job.ref for job in jobs}
        addresses = await self._records.addresses(list(ours))
        ids = {address.record_id for address in addresses.values()}
        rows = await self._records.by_id(RETURN.model, ids, RETURN.head)
        return {
            ours[name]: Known(RETURN, address.record_id, rows[address.record_id], adopted=False, mark_text="")
            for name, address in addresses.items()
            if address.record_id in rows
        }

    async def items(self, jobs: Sequence[Job]) -> dict[str, Item | Refused]:
        """The transfer of each job that needs one, or why there is none yet."""
        goods = await goods_of(self._records, {order for job in jobs for order in _orders(job)})
        chosen = {job.ref: _chosen(job, Goods.of(goods.get(order) for order in _orders(job))) for job in jobs}
        refused = {ref: one for ref, one in chosen.items() if isinstance(one, Refused)}
        back = {ref: one for ref, one in chosen.items() if one and not isinstance(one, Refused)}
        return {**refused, **await self._items([job for job in jobs if job.ref in back], back)}

    async def _items(self, jobs: Sequence[Job], back: Mapping[str, Sequence[Taken]]) -> dict[str, Item]:
        if not jobs:
            return {}
        types = await self._types([taken.move for one in back.values() for taken in one])
        heads, lines = await self._records.fields(RETURN.model), await self._records.fields(RETURN.line_model)
        return {
            job.ref: Item(
                ref=job.ref,
                name=names.return_name(self._connection, job.ref),
                cells=_as_known(_head(job, back[job.ref][0].move, types), heads),
                lines=tuple(_below(_as_known(self._line(job, taken, types), lines)) for taken in back[job.ref]),
                personal=job.ready.personal,
            )
            for job in jobs
        }

    async def _types(self, moves: Sequence[Json]) -> dict[int | None, int]:
        """The type of operation that takes back what another one sent; the same where none is named."""
        ids = {link(move["picking_type_id"]) or 0 for move in moves}
        rows = await self._records.by_id("stock.picking.type", ids, ("return_picking_type_id",))
        return {type_id: link(row["return_picking_type_id"]) or type_id for type_id, row in rows.items()}

    def _line(self, job: Job, taken: Taken, types: Mapping[int | None, int]) -> Cells:
        move = taken.move
        return {
            "id": names.external_id(names.returned_name(self._connection, job.ref, str(move["id"]))),
            "name": shown(move["product_id"]),
            "product_id/.id": str(link(move["product_id"])),
            "product_uom_qty": plain(taken.quantity),
            "product_uom/.id": str(link(move["product_uom"])),
            **_way_back(move, types),
            "origin_returned_move_id/.id": str(move["id"]),
            "sale_line_id/.id": str(link(move["sale_line_id"])),
            # The order's delivered quantity falls with it.
            "to_refund": "1",
            # In 16 a transfer finds its order by the group.
            "group_id/.id": str(link(move.get("group_id")) or ""),
        }


def _head(job: Job, move: Json, types: Mapping[int | None, int]) -> Cells:
    return {
        **_way_back(move, types),
        "partner_id/.id": str(job.ready.partner),
        "origin": f"{job.ready.fields['ref']} [{job.mark}]",
        "return_id/.id": str(link(move["picking_id"]) or ""),
    }


def _way_back(move: Json, types: Mapping[int | None, int]) -> Cells:
    return {
        "picking_type_id/.id": str(types[link(move["picking_type_id"])]),
        "location_id/.id": str(link(move["location_dest_id"])),
        "location_dest_id/.id": str(link(move["location_id"])),
    }


def _as_known(cells: Cells, known: Collection[str]) -> Cells:
    """Without the columns whose field this Odoo does not have."""
    return {column: cell for column, cell in cells.items() if column.removesuffix("/.id") in known}


def _below(cells: Cells) -> Cells:
    return {f"{RETURN.lines}/{column}": cell for column, cell in cells.items()}


# ---- which goods -------------------------------------------------------------------------------------------------


def _orders(job: Job) -> list[int]:
    """The order, and those beside it that an edit added goods with."""
    beside = job.dependencies.get("supplements", "").split(",")
    return [job.ready.order, *(int(order) for order in beside if order.isdigit())]


def _chosen(job: Job, goods: Goods) -> list[Taken] | Refused:
    """From which deliveries the goods come back. What never left, and is not to leave, needs no way back."""
    chosen: list[Taken] = []
    for product, wanted in _wanted(job).items():
        taken = goods.take(product, wanted)
        missing = wanted - sum((one.quantity for one in taken), Decimal(0))
        waiting = goods.waiting(product)
        if missing and waiting:
            return _still_here(job, product, missing, waiting)
        chosen += taken
    return chosen


def _still_here(job: Job, product: int, missing: Decimal, waiting: Sequence[str]) -> Refused:
    sku = next(sku for sku, known in job.ready.products.items() if known == product)
    words = (
        f"{quantity_text(missing)} of {sku!r} were refunded or taken off in the store, and are not for the buyer, but "
        f"in Odoo they are still to leave with {', '.join(waiting)}: take them off there by hand, then resume this"
    )
    return Refused(HoldReason.LOCKED, words)


def _wanted(job: Job) -> dict[int, Decimal]:
    """Pieces that come back, by product: of two lines with the same goods it does not matter which."""
    document = refund_of(job.document)
    products = {line.key: job.ready.products[line.product] for line in document.lines}
    wanted: dict[int, Decimal] = defaultdict(Decimal)
    for line_key, quantity in document.restocked:
        wanted[products[line_key]] += quantity
    return wanted
