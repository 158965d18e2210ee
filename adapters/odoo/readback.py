"""What Odoo holds under our references, read set-based: heads of orders, and their lines."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallystick import marks
from tallystick.contract.document import OrderDocument
from tallystick.errors import Unavailable
from tallystick.ports import Job, Verdict

from . import names
from .records import Address, Records
from .transport import Json
from .values import link, links, number, shown, text
from .versions import DISCOUNT, NAME, PRICE, PRODUCT, QUANTITY, Dialect

_HEAD = ("name", "state", "amount_total", "currency_id", "date_order", "partner_id")
_OPEN, CONFIRMED = ("draft", "sent"), ("sale", "done")


@dataclass(frozen=True, slots=True)
class Known:
    """A sales order as Odoo has it."""

    id: int
    values: Json
    #: It was bound by a person, not made by us: there is no External ID of ours.
    adopted: bool
    mark_text: str

    @property
    def number(self) -> str:
        """As people know it, such as S00042."""
        return text(self.values["name"])

    @property
    def open(self) -> bool:
        """Not confirmed yet; a quotation that was sent is open too."""
        return self.values["state"] in _OPEN

    @property
    def confirmed(self) -> bool:
        """Confirmed, and in Odoo 16 perhaps locked ("done")."""
        return self.values["state"] in CONFIRMED

    @property
    def total(self) -> Decimal:
        """The amount due, as Odoo computed it."""
        return number(self.values["amount_total"])

    @property
    def currency(self) -> str:
        """Its code."""
        return shown(self.values["currency_id"])

    def verdict(self, wanted: str) -> Verdict:
        """By the mark. Our External ID says whose it is, so an order whose mark is gone holds an older content."""
        return Verdict.OLDER if marks.find(self.mark_text) is None else marks.judge(self.mark_text, wanted)


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no such order. `deleted`: the ledger knows one."""

    deleted: bool
    detail: str = "there is no order under our reference"


Head = Known | Missing


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A line as Odoo has it."""

    product: int | None
    name: str
    quantity: Decimal
    price: Decimal
    discount: Decimal
    taxes: tuple[int, ...]
    values: Json


def document_of(job: Job) -> OrderDocument:
    """The job's document."""
    assert isinstance(job.document, OrderDocument)
    return job.document


class Readback:
    """Reads of one connection's orders. Raises `Unavailable`, `Unauthorised`."""

    def __init__(self, connection: str, records: Records, mark_field: str) -> None:
        self._connection = connection
        self._records = records
        self._mark_field = mark_field

    async def heads(
        self, jobs: Sequence[Job], dialect: Dialect, also: Collection[str] = ()
    ) -> tuple[list[Head], Mapping[str, Address]]:
        """The order of each job, and where our External IDs (those of `also` too) lead to."""
        if self._mark_field not in dialect.order:
            raise Unavailable(f"sale.order has no field {self._mark_field!r}: set `mark_field` to one that is there")
        ours = [names.order_name(self._connection, job.ref) for job in jobs]
        addresses = await self._records.addresses({*ours, *also})
        ids = {addresses[name].record_id for name in ours if name in addresses}
        ids |= {int(job.external_id) for job in jobs if job.external_id and job.external_id.isdigit()}
        fields = {name for job in jobs for name in document_of(job).fields if name in dialect.order}
        rows = await self._records.by_id("sale.order", ids, {*_HEAD, self._mark_field, *fields})
        return [self._head(job, addresses.get(name), rows) for job, name in zip(jobs, ours, strict=True)], addresses

    def _head(self, job: Job, address: Address | None, rows: Mapping[int, Json]) -> Head:
        if job.external_id is None:
            return Missing(False) if address is None else self._known(address.record_id, rows, deleted=False)
        if address is not None and str(address.record_id) != job.external_id:
            detail = f"our reference leads to order {address.record_id} now, where the ledger knows {job.external_id}"
            return Missing(True, f"{detail}; cancel that one, or mark this as applied with it")
        known_id = int(job.external_id) if job.external_id.isdigit() else 0
        return self._known(known_id, rows, deleted=True, adopted=address is None)

    def _known(self, order_id: int, rows: Mapping[int, Json], *, deleted: bool, adopted: bool = False) -> Head:
        row = rows.get(order_id)
        if row is None:
            detail = f"order {order_id} was deleted in Odoo, or belongs to a company that the user does not see"
            return Missing(True, detail) if deleted else Missing(False)
        return Known(order_id, row, adopted, text(row[self._mark_field]))

    async def lines(
        self, wanted: Mapping[str, Collection[str]], dialect: Dialect, also: Collection[str] = ()
    ) -> dict[str, dict[str, StoredLine]]:
        """The lines with these keys of these orders (by reference), as far as they are there, with fields `also`."""
        keys = {names.line_name(self._connection, ref, key): (ref, key) for ref, many in wanted.items() for key in many}
        addresses = await self._records.addresses(list(keys))
        ids = {address.record_id for address in addresses.values()}
        rows = await self._records.by_id("sale.order.line", ids, {*dialect.line_fields, *also})
        found: dict[str, dict[str, StoredLine]] = {ref: {} for ref in wanted}
        for name, address in addresses.items():
            if address.record_id in rows:
                ref, key = keys[name]
                found[ref][key] = _line(rows[address.record_id], dialect)
        return found


def _line(row: Json, dialect: Dialect) -> StoredLine:
    return StoredLine(
        product=link(row[PRODUCT]),
        name=text(row[NAME]),
        quantity=number(row[QUANTITY]),
        price=number(row[PRICE]),
        discount=number(row[DISCOUNT]),
        taxes=links(row[dialect.taxes]),
        values=row,
    )
