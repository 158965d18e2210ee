"""An order spelled as rows of `load`. It decides nothing: the contract did, and `prepare` found the ids."""

from collections.abc import Mapping

from tallystick.contract.document import CustomerDocument, DocumentLine, LineRole, OrderDocument, Value
from tallystick.ports import Job

from . import fields, names
from .readback import StoredLine, document_of
from .resolve import Ready
from .rows import Item
from .values import cell, link, moment, plain, with_mark, without_mark
from .versions import DELIVERY, DISCOUNT, NAME, PRICE, PRODUCT, QUANTITY

_LINE = "order_line"


def whole_order(connection: str, job: Job, ready: Ready, mark_field: str) -> Item:
    """The order with all its lines, and with quantity 0 those that it no longer has (`load` never removes one)."""
    document = document_of(job)
    owned = owned_fields(document, known=ready.known is not None)
    head = {
        **_partner(ready),
        "date_order": moment(document.placed_at),
        **fields.cells(owned, ready.dialect.order, ready.ids),
    }
    head[mark_field] = with_mark(head.get(mark_field, _kept(ready)), job.mark)
    lines = [_line(connection, job.ref, line, ready) for line in document.lines]
    lines += [_emptied(connection, job.ref, line_key, line, ready) for line_key, line in ready.surplus.items()]
    return _item(connection, job, head, tuple(lines))


def _partner(ready: Ready) -> dict[str, str]:
    """Only where it changes: when it is written, Odoo takes payment terms and pricelist from it anew (measured)."""
    same = ready.known is not None and link(ready.known.values["partner_id"]) == ready.partner
    return {} if same else {"partner_id/.id": str(ready.partner)}


def mark_only(connection: str, job: Job, ready: Ready, mark_field: str) -> Item:
    """The mark of a revision whose content stands in Odoo already."""
    return _item(connection, job, {mark_field: with_mark(_kept(ready), job.mark)}, ())


def date_only(connection: str, job: Job) -> Item:
    """The time of the order, which a confirmation has overwritten."""
    return _item(connection, job, {"date_order": moment(document_of(job).placed_at)}, ())


def _kept(ready: Ready) -> str:
    """What people, or an earlier revision, wrote into the field of the mark."""
    return "" if ready.known is None else without_mark(ready.known.mark_text)


def owned_fields(document: OrderDocument, *, known: bool) -> Mapping[str, Value]:
    """The contract's fields, without those that are the ERP's own once the order is there."""
    if not known:
        return document.fields
    return {name: value for name, value in document.fields.items() if name not in document.given_once}


def personal(document: CustomerDocument) -> tuple[str, ...]:
    """What must not stand in a message."""
    named = (document.name, document.email, document.phone, document.tax_id, document.street, document.street2)
    return tuple(value for value in (*named, document.city, document.postal_code) if value)


def _item(connection: str, job: Job, head: Mapping[str, str], lines: tuple[Mapping[str, str], ...]) -> Item:
    document = document_of(job)
    known = job.ready.known
    notes = tuple(str(value) for name, value in document.fields.items() if name == "note" and value)
    return Item(
        ref=job.ref,
        name=names.order_name(connection, job.ref),
        cells=head,
        lines=lines,
        expected_id=None if known is None else known.id,
        personal=(*personal(document.customer), *notes),
    )


def _line(connection: str, ref: str, line: DocumentLine, ready: Ready) -> dict[str, str]:
    delivery = "1" if line.role is LineRole.SHIPPING else "0"
    cells = {
        "id": names.external_id(names.line_name(connection, ref, line.key)),
        f"{PRODUCT}/.id": str(ready.products[line.product]),
        NAME: line.name or line.product,
        QUANTITY: plain(line.quantity),
        PRICE: plain(line.unit_price),
        # Else Odoo gives the discount that its own pricelist knows.
        DISCOUNT: "0",
        f"{ready.dialect.taxes}/.id": ",".join(map(str, ready.taxes(line))),
        **({DELIVERY: delivery} if ready.dialect.marks_delivery else {}),
        **fields.cells(line.fields, ready.dialect.line, ready.ids),
    }
    return _below(cells)


def _emptied(connection: str, ref: str, line_key: str, line: StoredLine, ready: Ready) -> dict[str, str]:
    """All as it stands, because an empty cell would clear it, and the quantity 0."""
    cells = {
        "id": names.external_id(names.line_name(connection, ref, line_key)),
        f"{PRODUCT}/.id": str(line.product or ""),
        NAME: line.name,
        QUANTITY: "0",
        PRICE: plain(line.price),
        DISCOUNT: plain(line.discount),
        f"{ready.dialect.taxes}/.id": ",".join(map(str, line.taxes)),
        **({DELIVERY: cell(bool(line.values.get(DELIVERY)), "boolean")} if ready.dialect.marks_delivery else {}),
    }
    return _below(cells)


def _below(cells: Mapping[str, str]) -> dict[str, str]:
    return {f"{_LINE}/{column}": value for column, value in cells.items()}
