"""Before an order is sent: which order it is in Odoo, and every reference as a database id, or why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tallystick.canonical.keys import key
from tallystick.contract.document import DocumentLine, OrderDocument
from tallystick.ports import Job, Refused
from tallystick.reasons import HoldReason

from . import fields, names
from .fields import Reference
from .readback import Known, Missing, Readback, StoredLine, document_of
from .records import Address, Records
from .references import Ids, References
from .versions import Dialect, dialect_of

_TAX = "account.tax"


@dataclass(frozen=True, slots=True)
class Ready:
    """What `prepare` found out about one order."""

    dialect: Dialect
    #: The order as it was a moment ago; None for one that is made now.
    known: Known | None
    partner: int = 0
    #: Ids by SKU, and of all that the contract refers to (taxes, pricelist …).
    products: Mapping[str, int] = field(default_factory=dict)
    ids: Mapping[Reference, int] = field(default_factory=dict)
    #: Lines that an earlier revision sent and this one lacks, as far as they still hold a quantity.
    surplus: Mapping[str, StoredLine] = field(default_factory=dict)

    def taxes(self, line: DocumentLine) -> tuple[int, ...]:
        """The ids of a line's taxes."""
        return tuple(self.ids[_TAX, tax] for tax in line.taxes)


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything looked up for a batch."""

    dialect: Dialect
    addresses: Mapping[str, Address]
    surplus: Mapping[str, Mapping[str, StoredLine]]
    products: Mapping[str, Ids]
    references: Mapping[Reference, Ids]


class Resolver:
    """`prepare` of orders. Raises `Unavailable`, `Unauthorised`."""

    def __init__(self, connection: str, records: Records, references: References, readback: Readback) -> None:
        self._connection = connection
        self._records = records
        self._references = references
        self._readback = readback

    async def prepare(self, jobs: Sequence[Job]) -> list[Job | Refused]:
        """See `Sink.prepare`."""
        dialect = await dialect_of(self._records)
        customers = {self._customer(job) for job in jobs}
        heads, addresses = await self._readback.heads(jobs, dialect, customers)
        found = await self._look_up(jobs, dialect, addresses)
        return [self._ready(job, head, found) for job, head in zip(jobs, heads, strict=True)]

    def _customer(self, job: Job) -> str:
        customer = document_of(job).customer
        return names.customer_name(self._connection, key("customer", customer.connection, customer.key or "-"))

    async def _look_up(self, jobs: Sequence[Job], dialect: Dialect, addresses: Mapping[str, Address]) -> _Found:
        documents = [document_of(job) for job in jobs]
        products = await self._references.products({line.product for one in documents for line in one.lines})
        wanted = {reference for one in documents for reference in _references(one, dialect)}
        removed = {job.ref: gone for job in jobs if (gone := removed_lines(job))}
        surplus = await self._readback.lines(removed, dialect) if removed else {}
        return _Found(dialect, addresses, surplus, products, await self._references.resolve(wanted))

    def _ready(self, job: Job, head: Known | Missing, found: _Found) -> Job | Refused:
        if isinstance(head, Missing) and head.deleted:
            return Refused(HoldReason.DELETED_IN_TARGET, head.detail)
        known = head if isinstance(head, Known) else None
        if known is not None and known.adopted:
            return replace(job, ready=Ready(found.dialect, known))
        document = document_of(job)
        partner = self._partner(job, found.addresses)
        lacking = _lacking(document, found)
        if partner is None:
            lacking.append("its customer is not in Odoo")
        if lacking or partner is None:
            return Refused(HoldReason.MAPPING, "; ".join(lacking))
        return replace(job, ready=_ids(document, found, known, partner, found.surplus.get(job.ref, {})))

    def _partner(self, job: Job, addresses: Mapping[str, Address]) -> int | None:
        """By our External ID, for that one follows when people merge contacts; else as the ledger knows it."""
        address, bound = addresses.get(self._customer(job)), job.dependencies.get("customer", "")
        if address is not None:
            return address.record_id
        return int(bound) if bound.isdigit() else None


def removed_lines(job: Job) -> list[str]:
    """Keys that earlier revisions sent and this one lacks."""
    kept = {line.key for line in document_of(job).lines}
    return [sent for sent in job.sent_lines if sent not in kept]


def _ids(
    document: OrderDocument, found: _Found, known: Known | None, partner: int, surplus: Mapping[str, StoredLine]
) -> Ready:
    return Ready(
        dialect=found.dialect,
        known=known,
        partner=partner,
        products={line.product: found.products[line.product][0] for line in document.lines},
        ids={reference: found.references[reference][0] for reference in _references(document, found.dialect)},
        surplus={line_key: line for line_key, line in surplus.items() if line.quantity},
    )


def _references(document: OrderDocument, dialect: Dialect) -> list[Reference]:
    """All that the contract refers to: taxes, and the fields of head and lines that lead to other records."""
    found = [(_TAX, tax) for line in document.lines for tax in line.taxes]
    found += fields.references(document.fields, dialect.order)
    return found + [one for line in document.lines for one in fields.references(line.fields, dialect.line)]


def _lacking(document: OrderDocument, found: _Found) -> list[str]:
    """Everything that leads nowhere, in words, each once."""
    dialect = found.dialect
    told = fields.unfit("sale.order", document.fields, dialect.order)
    told += [words for line in document.lines for words in fields.unfit("sale.order.line", line.fields, dialect.line)]
    skus = dict.fromkeys(line.product for line in document.lines)
    told += [words for sku in skus if (words := _product(sku, found.products[sku]))]
    told += fields.unresolved(_references(document, dialect), found.references)
    return list(dict.fromkeys(told))


def _product(sku: str, ids: Ids) -> str:
    if not ids:
        return f"no product of Odoo has the internal reference {sku!r}: set it on the product, or map the SKU"
    if len(ids) > 1:
        shown = ", ".join(map(str, sorted(ids)))
        return f"{len(ids)} products of Odoo have the internal reference {sku!r} (ids {shown}): it has to be unique"
    return ""
