"""Whom a document is for, and what else of it comes from other records of Odoo."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tallystick.canonical.keys import key, order_key
from tallystick.contract.document import CustomerDocument, Document, OrderDocument, RefundDocument, Value
from tallystick.ports import Job, Refused
from tallystick.reasons import HoldReason

from . import names
from .readback import document_of
from .records import Address, Records
from .transport import Json
from .values import link, moment, shown, text


@dataclass(frozen=True, slots=True)
class Party:
    """What a document is made with beside its own content."""

    partner: int
    #: Fields of the head that the contract may give otherwise.
    fields: Mapping[str, Value] = field(default_factory=dict)
    #: Names of `fields` that are given when the document is made, and are not looked at afterwards.
    given_once: frozenset[str] = frozenset()
    #: Columns of the head that are no field of the contract.
    cells: Mapping[str, str] = field(default_factory=dict)
    #: What must not stand in a message.
    personal: tuple[str, ...] = ()
    #: The order that a credit note belongs to.
    order: int = 0


class Parties(Protocol):
    """Finds them for a batch. Raises `Unavailable`, `Unauthorised`."""

    def named(self, jobs: Sequence[Job]) -> Collection[str]:
        """External IDs that have to be looked up for it."""
        ...

    async def find(self, jobs: Sequence[Job], addresses: Mapping[str, Address]) -> Mapping[str, Party | Refused]:
        """By the jobs' references."""
        ...


class Buyers:
    """Of orders: the customer's contact."""

    def __init__(self, connection: str) -> None:
        self._connection = connection

    def named(self, jobs: Sequence[Job]) -> Collection[str]:
        """Their contacts."""
        return {self._name(document_of(job)) for job in jobs}

    async def find(self, jobs: Sequence[Job], addresses: Mapping[str, Address]) -> Mapping[str, Party | Refused]:
        """By our External ID, for that one follows when people merge contacts; else as the ledger knows it."""
        return {job.ref: self._party(job, addresses) for job in jobs}

    def _party(self, job: Job, addresses: Mapping[str, Address]) -> Party | Refused:
        document = document_of(job)
        contact = _found(addresses.get(self._name(document)), job.dependencies.get("customer", ""))
        if contact is None:
            return Refused(HoldReason.MAPPING, "its customer is not in Odoo")
        notes = (str(document.fields["note"]),) if document.fields.get("note") else ()
        told = (*personal(document.customer), *notes)
        return Party(contact, cells={"date_order": moment(document.placed_at)}, personal=told)

    def _name(self, document: OrderDocument) -> str:
        customer = document.customer
        return names.customer_name(self._connection, key("customer", customer.connection, customer.key or "-"))


_ORDER = ("name", "partner_id", "partner_invoice_id", "currency_id", "client_order_ref")


class CreditedOrders:
    """Of credit notes: the order's invoice address and its currency."""

    def __init__(self, connection: str, records: Records) -> None:
        self._connection = connection
        self._records = records

    def named(self, jobs: Sequence[Job]) -> Collection[str]:
        """Their orders."""
        return {self._name(refund_of(job.document)) for job in jobs}

    async def find(self, jobs: Sequence[Job], addresses: Mapping[str, Address]) -> Mapping[str, Party | Refused]:
        """By the ledger's binding, which knows adopted orders too; else by our External ID."""
        ids = {job.ref: self._order(job, addresses) for job in jobs}
        carriers = {job.ref: _ids(job.dependencies.get("carriers", "")) or [ids[job.ref]] for job in jobs}
        wanted = {*ids.values(), *(one for several in carriers.values() for one in several)}
        orders = await self._records.by_id("sale.order", {one for one in wanted if one}, _ORDER)
        return {
            job.ref: _credited(
                refund_of(job.document),
                orders.get(ids[job.ref] or 0),
                [orders.get(one or 0) for one in carriers[job.ref]],
            )
            for job in jobs
        }

    def _order(self, job: Job, addresses: Mapping[str, Address]) -> int | None:
        bound = job.dependencies.get("order", "")
        return int(bound) if bound.isdigit() else _found(addresses.get(self._name(refund_of(job.document))), "")

    def _name(self, document: RefundDocument) -> str:
        return names.order_name(self._connection, order_key(document.connection, document.order_id))


def _ids(told: str) -> list[int | None]:
    return [int(one) for one in told.split(",") if one.isdigit()]


def _credited(document: RefundDocument, order: Json | None, carriers: Sequence[Json | None]) -> Party | Refused:
    """For the order. `carriers` hold what is given back: the order itself, or such as stand beside it."""
    standing = [one for one in carriers if one is not None]
    if order is None or len(standing) < len(carriers):
        words = f"the order {document.order_id} that it gives money back for is not in Odoo, or was deleted there"
        return Refused(HoldReason.DELETED_IN_TARGET, words)
    number, currency = text(order["name"]), shown(order["currency_id"])
    if currency != document.currency:
        words = f"the refund is in {document.currency}, its order {number} is in {currency} in Odoo"
        return Refused(HoldReason.MAPPING, words)
    known_as = text(order["client_order_ref"]) or document.order_id
    return Party(
        partner=link(order["partner_invoice_id"]) or link(order["partner_id"]) or 0,
        fields={
            "ref": f"{known_as} refund {document.refund_id}",
            # As Odoo itself names several.
            "invoice_origin": ", ".join(text(one["name"]) for one in standing),
            "invoice_date": document.business_date.isoformat(),
        },
        # Which orders stand beside it, and hold the same line, may have changed since.
        given_once=frozenset({"invoice_origin"}),
        cells={"move_type": "out_refund", "currency_id/.id": str(link(order["currency_id"]) or "")},
        personal=(*_told(document), shown(order["partner_id"]), shown(order["partner_invoice_id"])),
        order=order["id"],
    )


def _told(document: RefundDocument) -> tuple[str, ...]:
    """Why the money went back, as the buyer or the shop said it."""
    return (str(document.fields["narration"]),) if document.fields.get("narration") else ()


def orders_of(job: Job, order: int) -> tuple[int, ...]:
    """The order that a part is of, and those beside it that an edit added goods with."""
    beside = job.dependencies.get("supplements", "").split(",")
    return (order, *(int(one) for one in beside if one.isdigit()))


def refund_of(document: Document) -> RefundDocument:
    """A document that is a refund."""
    assert isinstance(document, RefundDocument)
    return document


def personal(document: CustomerDocument) -> tuple[str, ...]:
    """What must not stand in a message."""
    named = (document.name, document.email, document.phone, document.tax_id, document.street, document.street2)
    return tuple(value for value in (*named, document.city, document.postal_code) if value)


def _found(address: Address | None, bound: str) -> int | None:
    if address is not None:
        return address.record_id
    return int(bound) if bound.isdigit() else None
