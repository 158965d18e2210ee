"""Before a document is sent: which one it is in Odoo, and every reference as a database id, or why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tallystick.contract.document import DocumentLine, OrderDocument, Value
from tallystick.ports import Job, Refused
from tallystick.reasons import HoldReason

from . import fields
from .fields import Reference
from .forms import Form
from .parties import Parties, Party, personal
from .readback import Known, Lined, Missing, Readback, StoredLine, document_of, lined
from .records import Address, Records
from .references import Ids, References
from .versions import Dialect, dialect_of

_TAX = "account.tax"


@dataclass(frozen=True, slots=True)
class Ready:
    """What `prepare` found out about one document."""

    dialect: Dialect
    #: The document as it was a moment ago; None for one that is made now.
    known: Known | None
    partner: int = 0
    #: The head's fields, without those that are the ERP's own once the document is there; and its other columns.
    fields: Mapping[str, Value] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)
    #: Ids by SKU, and of all that the contract refers to (taxes, pricelist …).
    products: Mapping[str, int] = field(default_factory=dict)
    ids: Mapping[Reference, int] = field(default_factory=dict)
    #: Lines that an earlier revision sent and this one lacks, as far as they still hold a quantity.
    surplus: Mapping[str, StoredLine] = field(default_factory=dict)
    #: What must not stand in a message.
    personal: tuple[str, ...] = ()
    #: The order that a credit note belongs to.
    order: int = 0

    def taxes(self, line: DocumentLine) -> tuple[int, ...]:
        """The ids of a line's taxes."""
        return tuple(self.ids[_TAX, tax] for tax in line.taxes)


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything looked up for a batch."""

    dialect: Dialect
    parties: Mapping[str, Party | Refused]
    surplus: Mapping[str, Mapping[str, StoredLine]]
    products: Mapping[str, Ids]
    references: Mapping[Reference, Ids]


class Resolver:
    """`prepare` of documents of one kind. Raises `Unavailable`, `Unauthorised`."""

    def __init__(
        self, records: Records, references: References, readback: Readback, form: Form, parties: Parties
    ) -> None:
        self._records = records
        self._references = references
        self._readback = readback
        self._form = form
        self._parties = parties

    async def prepare(self, jobs: Sequence[Job]) -> list[Job | Refused]:
        """See `Sink.prepare`. Of a cancelled order nothing is looked up: its products may be gone by now."""
        dialect = await dialect_of(self._records, self._form)
        made = [job for job in jobs if not is_cancelled(job)]
        heads, addresses = await self._readback.heads(jobs, dialect, self._parties.named(made))
        found = await self._look_up(made, dialect, addresses)
        return [self._ready(job, head, found) for job, head in zip(jobs, heads, strict=True)]

    async def _look_up(self, jobs: Sequence[Job], dialect: Dialect, addresses: Mapping[str, Address]) -> _Found:
        documents = [lined(job) for job in jobs]
        products = await self._references.products({line.product for one in documents for line in one.lines})
        wanted = {reference for one in documents for reference in _references(one, dialect)}
        removed = {job.ref: gone for job in jobs if (gone := removed_lines(job))}
        surplus = await self._readback.lines(removed, dialect) if removed else {}
        parties = await self._parties.find(jobs, addresses)
        return _Found(dialect, parties, surplus, products, await self._references.resolve(wanted))

    def _ready(self, job: Job, head: Known | Missing, found: _Found) -> Job | Refused:
        if isinstance(head, Missing) and head.deleted:
            return Refused(HoldReason.DELETED_IN_TARGET, head.detail)
        known = head if isinstance(head, Known) else None
        if is_cancelled(job):
            return replace(job, ready=Ready(found.dialect, known, personal=personal(document_of(job).customer)))
        if known is not None and known.adopted:
            return replace(job, ready=Ready(found.dialect, known))
        document, party = lined(job), found.parties[job.ref]
        lacking = self._lacking(document, found)
        if isinstance(party, Refused):
            return Refused(party.reason, "; ".join([*lacking, party.detail]))
        if lacking:
            return Refused(HoldReason.MAPPING, "; ".join(lacking))
        return replace(job, ready=_ids(document, found, known, party, found.surplus.get(job.ref, {})))

    def _lacking(self, document: Lined, found: _Found) -> list[str]:
        """Everything that leads nowhere, in words, each once."""
        form, dialect = self._form, found.dialect
        told = fields.unfit(form.model, document.fields, dialect.head)
        told += [one for line in document.lines for one in fields.unfit(form.line_model, line.fields, dialect.line)]
        skus = dict.fromkeys(line.product for line in document.lines)
        told += [words for sku in skus if (words := no_product(sku, found.products[sku]))]
        told += fields.unresolved(_references(document, dialect), found.references)
        return list(dict.fromkeys(told))


def is_cancelled(job: Job) -> bool:
    """The order is cancelled in the store."""
    return isinstance(job.document, OrderDocument) and job.document.cancelled


def removed_lines(job: Job) -> list[str]:
    """Keys that earlier revisions sent and this one lacks."""
    kept = {line.key for line in lined(job).lines}
    return [sent for sent in job.sent_lines if sent not in kept]


def _ids(document: Lined, found: _Found, known: Known | None, party: Party, surplus: Mapping[str, StoredLine]) -> Ready:
    return Ready(
        dialect=found.dialect,
        known=known,
        partner=party.partner,
        fields={**_given(party, known), **_owned(document, known=known is not None)},
        cells=party.cells,
        products={line.product: found.products[line.product][0] for line in document.lines},
        ids={reference: found.references[reference][0] for reference in _references(document, found.dialect)},
        surplus={line_key: line for line_key, line in surplus.items() if line.quantity},
        personal=party.personal,
        order=party.order,
    )


def _given(party: Party, known: Known | None) -> Mapping[str, Value]:
    return {name: value for name, value in party.fields.items() if known is None or name not in party.given_once}


def _owned(document: Lined, *, known: bool) -> Mapping[str, Value]:
    """The contract's fields, without those that are the ERP's own once the order is there."""
    given_once = document.given_once if known and isinstance(document, OrderDocument) else ()
    return {name: value for name, value in document.fields.items() if name not in given_once}


def _references(document: Lined, dialect: Dialect) -> list[Reference]:
    """All that the contract refers to: taxes, and the fields of head and lines that lead to other records."""
    found = [(_TAX, tax) for line in document.lines for tax in line.taxes]
    found += fields.references(document.fields, dialect.head)
    return found + [one for line in document.lines for one in fields.references(line.fields, dialect.line)]


def no_product(sku: str, ids: Ids) -> str:
    """Why a SKU is not one product, in words; empty when it is."""
    if not ids:
        return f"no product of Odoo has the internal reference {sku!r}: set it on the product, or map the SKU"
    if len(ids) > 1:
        shown = ", ".join(map(str, sorted(ids)))
        return f"{len(ids)} products of Odoo have the internal reference {sku!r} (ids {shown}): it has to be unique"
    return ""
