"""A document spelled as rows of `load`. It decides nothing: the contract did, and `prepare` found the ids."""

from collections.abc import Mapping

from tallystick.contract.document import DocumentLine, LineRole
from tallystick.ports import Job

from . import fields, names
from .forms import Form
from .readback import StoredLine, lined
from .resolve import Ready
from .rows import Item
from .values import cell, link, plain, with_mark, without_mark
from .versions import DELIVERY, DISCOUNT, NAME, PRICE, PRODUCT

Cells = dict[str, str]


class Spelling:
    """How one connection's documents of one kind are spelled."""

    def __init__(self, connection: str, form: Form, mark_field: str) -> None:
        self._connection = connection
        self._form = form
        self._mark_field = mark_field

    def whole(self, job: Job) -> Item:
        """Head and lines, and with quantity 0 the lines that it no longer has (`load` never removes one)."""
        ready: Ready = job.ready
        head = {**_partner(ready), **ready.cells, **fields.cells(ready.fields, ready.dialect.head, ready.ids)}
        head[self._mark_field] = with_mark(head.get(self._mark_field, _kept(ready)), job.mark)
        lines = [self._line(job.ref, line, ready) for line in lined(job).lines]
        lines += [self._emptied(job.ref, line_key, line, ready) for line_key, line in ready.surplus.items()]
        return self.head_only(job, head, tuple(lines))

    def mark_only(self, job: Job) -> Item:
        """The mark of a revision whose content stands in Odoo already."""
        return self.head_only(job, {self._mark_field: with_mark(_kept(job.ready), job.mark)})

    def head_only(self, job: Job, head: Mapping[str, str], lines: tuple[Cells, ...] = ()) -> Item:
        """These columns of the head; all others stay."""
        ready: Ready = job.ready
        return Item(
            ref=job.ref,
            name=self._form.named(self._connection, job.ref),
            cells=head,
            lines=lines,
            expected_id=None if ready.known is None else ready.known.id,
            personal=ready.personal,
        )

    # ---- lines

    def _line(self, ref: str, line: DocumentLine, ready: Ready) -> Cells:
        delivery = "1" if line.role is LineRole.SHIPPING else "0"
        cells = {
            f"{PRODUCT}/.id": str(ready.products[line.product]),
            NAME: line.name or line.product,
            self._form.quantity: plain(line.quantity),
            PRICE: plain(line.unit_price),
            # Else Odoo gives the discount that its own pricelist knows.
            DISCOUNT: "0",
            f"{ready.dialect.taxes}/.id": ",".join(map(str, ready.taxes(line))),
            **({DELIVERY: delivery} if ready.dialect.marks_delivery else {}),
            **fields.cells(line.fields, ready.dialect.line, ready.ids),
        }
        return self._below(ref, line.key, cells)

    def _emptied(self, ref: str, line_key: str, line: StoredLine, ready: Ready) -> Cells:
        """All as it stands, because an empty cell would clear it, and the quantity 0."""
        cells = {
            f"{PRODUCT}/.id": str(line.product or ""),
            NAME: line.name,
            self._form.quantity: "0",
            PRICE: plain(line.price),
            DISCOUNT: plain(line.discount),
            f"{ready.dialect.taxes}/.id": ",".join(map(str, line.taxes)),
            **({DELIVERY: cell(bool(line.values.get(DELIVERY)), "boolean")} if ready.dialect.marks_delivery else {}),
        }
        return self._below(ref, line_key, cells)

    def _below(self, ref: str, line_key: str, cells: Mapping[str, str]) -> Cells:
        named = {"id": names.external_id(names.line_name(self._connection, ref, line_key)), **cells}
        return {f"{self._form.lines}/{column}": value for column, value in named.items()}


def _partner(ready: Ready) -> Cells:
    """Only where it changes: when it is written, Odoo takes payment terms and pricelist from it anew (measured)."""
    same = ready.known is not None and link(ready.known.values["partner_id"]) == ready.partner
    return {} if same else {"partner_id/.id": str(ready.partner)}


def _kept(ready: Ready) -> str:
    """What people, or an earlier revision, wrote into the field of the mark."""
    return "" if ready.known is None else without_mark(ready.known.mark_text)
