"""What Odoo holds under our references, read set-based: heads of documents, and their lines."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallystick import marks
from tallystick.contract.document import OrderDocument, PaymentDocument, RefundDocument, ReturnDocument
from tallystick.errors import Unavailable
from tallystick.ports import Job, Verdict

from . import names
from .forms import Form
from .records import Address, Records
from .transport import Json
from .values import link, links, number, shown, text
from .versions import DISCOUNT, NAME, PRICE, PRODUCT, Dialect

CANCELLED = "cancel"
#: Both have a currency, a total, lines and fields.
Lined = OrderDocument | RefundDocument


@dataclass(frozen=True, slots=True)
class Known:
    """A document as Odoo has it."""

    form: Form
    id: int
    values: Json
    #: It was bound by a person, not made by us: there is no External ID of ours.
    adopted: bool
    mark_text: str

    @property
    def number(self) -> str:
        """As people know it, such as S00042; Odoo numbers a credit note when it is posted."""
        return text(self.values["name"]).strip("/")

    @property
    def called(self) -> str:
        """For people: the order S00042."""
        return f"{self.form.word} {self.number or self.id}"

    @property
    def open(self) -> bool:
        """May be changed; a quotation that was sent is open too."""
        return self.values["state"] in self.form.open

    @property
    def booked(self) -> bool:
        """Confirmed, or posted."""
        return self.values["state"] in self.form.closed

    @property
    def cancelled(self) -> bool:
        """Cancelled in Odoo."""
        return text(self.values["state"]) == CANCELLED

    @property
    def received(self) -> bool:
        """Of a transfer: the goods are there."""
        return text(self.values["state"]) == "done"

    @property
    def total(self) -> Decimal:
        """The amount due, as Odoo computed it."""
        return number(self.values["amount_total"])

    @property
    def currency(self) -> str:
        """Its code."""
        return shown(self.values["currency_id"])

    def verdict(self, wanted: str) -> Verdict:
        """By the mark. Our External ID says whose it is, so a document whose mark is gone holds an older content."""
        return Verdict.OLDER if marks.find(self.mark_text) is None else marks.judge(self.mark_text, wanted)


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no such document. `deleted`: the ledger knows one."""

    deleted: bool
    detail: str


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
    """The job's order."""
    assert isinstance(job.document, OrderDocument)
    return job.document


def lined(job: Job) -> Lined:
    """The job's document, of either kind."""
    assert isinstance(job.document, OrderDocument | RefundDocument)
    return job.document


def _fields(job: Job) -> Collection[str]:
    if isinstance(job.document, ReturnDocument):
        return ()
    assert isinstance(job.document, OrderDocument | RefundDocument | PaymentDocument)
    return job.document.fields


class Readback:
    """Reads of one connection's documents of one kind. Raises `Unavailable`, `Unauthorised`."""

    def __init__(self, connection: str, records: Records, form: Form, mark_field: str) -> None:
        self._connection = connection
        self._records = records
        self._form = form
        self._mark_field = mark_field

    async def heads(
        self, jobs: Sequence[Job], dialect: Dialect, also: Collection[str] = ()
    ) -> tuple[list[Head], Mapping[str, Address]]:
        """The document of each job, and where our External IDs (those of `also` too) lead to."""
        if self._mark_field not in dialect.head:
            model = self._form.model
            raise Unavailable(f"{model} has no field {self._mark_field!r}: name one in the settings that is there")
        ours = [self._form.named(self._connection, job.ref) for job in jobs]
        addresses = await self._records.addresses({*ours, *also})
        ids = {addresses[name].record_id for name in ours if name in addresses}
        ids |= {int(job.external_id) for job in jobs if job.external_id and job.external_id.isdigit()}
        fields = {name for job in jobs for name in _fields(job) if name in dialect.head}
        rows = await self._records.by_id(self._form.model, ids, {*self._form.head, self._mark_field, *fields})
        return [self._head(job, addresses.get(name), rows) for job, name in zip(jobs, ours, strict=True)], addresses

    def _head(self, job: Job, address: Address | None, rows: Mapping[int, Json]) -> Head:
        if job.external_id is None:
            return self._missing() if address is None else self._known(address.record_id, rows, deleted=False)
        if address is not None and str(address.record_id) != job.external_id:
            lead = f"our reference leads to {self._form.word} {address.record_id} now"
            detail = f"{lead}, where the ledger knows {job.external_id}"
            return Missing(True, f"{detail}; cancel that one, or mark this as applied with it")
        known_id = int(job.external_id) if job.external_id.isdigit() else 0
        return self._known(known_id, rows, deleted=True, adopted=address is None)

    def _known(self, record_id: int, rows: Mapping[int, Json], *, deleted: bool, adopted: bool = False) -> Head:
        row = rows.get(record_id)
        if row is not None:
            return Known(self._form, record_id, row, adopted, text(row[self._mark_field]))
        if not deleted:
            return self._missing()
        what = f"{self._form.word} {record_id}"
        return Missing(True, f"{what} was deleted in Odoo, or belongs to a company that the user does not see")

    def _missing(self) -> Missing:
        return Missing(False, f"there is no {self._form.word} under our reference")

    async def lines(
        self, wanted: Mapping[str, Collection[str]], dialect: Dialect, also: Collection[str] = ()
    ) -> dict[str, dict[str, StoredLine]]:
        """The lines with these keys of these documents (by reference), as far as they are there, with fields `also`."""
        keys = {names.line_name(self._connection, ref, key): (ref, key) for ref, many in wanted.items() for key in many}
        addresses = await self._records.addresses(list(keys))
        ids = {address.record_id for address in addresses.values()}
        rows = await self._records.by_id(self._form.line_model, ids, {*dialect.line_fields, *also})
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
        quantity=number(row[dialect.quantity]),
        price=number(row[PRICE]),
        discount=number(row[DISCOUNT]),
        taxes=links(row[dialect.taxes]),
        values=row,
    )


def order_id(job: Job, ours: Address | None) -> int:
    """The order that a job is beside: by the ledger's binding, which knows adopted orders too, else the one that our
    External ID names; 0 when there is none."""
    bound = job.dependencies.get("order", "")
    return int(bound) if bound.isdigit() else ours.record_id if ours is not None else 0
