"""One payment: what is looked up for it, how it is spelled, and how what stands in Odoo differs from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tallystick.contract.document import Document, PaymentDocument
from tallystick.ports import Job, Refused
from tallystick.reasons import HoldReason

from . import fields
from .compare import Difference
from .fields import Types
from .forms import PAYMENT
from .readback import Head, Known, Missing
from .references import Ids
from .transport import Json
from .values import link, number, plain, shown, text, with_mark

JOURNAL = "account.journal"
#: Journals of these types take no payments of customers.
_NO_MONEY = ("sale", "purchase", "general")


@dataclass(frozen=True, slots=True)
class ReadyPayment:
    """What `prepare` found: the payment that is there, and the cells of one that is not."""

    known: Known | None
    types: Types = field(default_factory=dict)
    ids: Mapping[fields.Reference, int] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)
    mark_field: str = ""
    #: What must not stand in a message.
    personal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LookedUp:
    """Everything looked up for a batch."""

    types: Types
    #: The field that people read, and the one that carries our mark; mostly one and the same.
    memo: str
    mark_field: str
    orders: Mapping[str, Json]
    references: Mapping[fields.Reference, Ids]
    journals: Mapping[int, Json]


def payment_of(document: Document) -> PaymentDocument:
    """A document that is a payment."""
    assert isinstance(document, PaymentDocument)
    return document


def memo_of(types: Types) -> str:
    """The field that people read: `memo`, before Odoo 18 `ref`."""
    return "memo" if "memo" in types else "ref"


def ready_job(job: Job, head: Head, found: LookedUp) -> Job | Refused:
    """The job with what was found, or everything that leads nowhere."""
    if isinstance(head, Missing) and head.deleted:
        return Refused(HoldReason.DELETED_IN_TARGET, head.detail)
    known = head if isinstance(head, Known) else None
    if known is not None and known.adopted:
        return replace(job, ready=ReadyPayment(known))
    document, order = payment_of(job.document), found.orders.get(job.ref)
    if order is None:
        words = f"the order {document.order_id} that was paid is not in Odoo, or was deleted there"
        return Refused(HoldReason.DELETED_IN_TARGET, words)
    lacking = _lacking(document, order, found)
    if lacking:
        return Refused(HoldReason.MAPPING, "; ".join(lacking))
    wanted = fields.references(document.fields, found.types)
    ids = {one: found.references[one][0] for one in wanted}
    told = (shown(order["partner_id"]), shown(order["partner_invoice_id"]))
    cells = _cells(job, order, found, ids)
    return replace(job, ready=ReadyPayment(known, found.types, ids, cells, found.mark_field, told))


def _lacking(document: PaymentDocument, order: Json, found: LookedUp) -> list[str]:
    """Everything that leads nowhere, in words."""
    wanted = fields.references(document.fields, found.types)
    told = fields.unfit(PAYMENT.model, document.fields, found.types)
    told += fields.unresolved(wanted, found.references)
    currency = shown(order["currency_id"])
    if currency != document.currency:
        words = f"the payment is in {document.currency}, its order {text(order['name'])} is in {currency} in Odoo"
        told.append(words)
    ids = {ids[0]: reference for (_, reference), ids in found.references.items() if ids}
    for journal in (found.journals[one] for one in ids if one in found.journals):
        if journal["type"] in _NO_MONEY and ids[journal["id"]] in document.fields.values():
            told.append(f"the journal {text(journal['name'])!r} is of type {journal['type']}: name one of bank or cash")
    return told


def _cells(job: Job, order: Json, found: LookedUp, ids: Mapping[fields.Reference, int]) -> dict[str, str]:
    document = payment_of(job.document)
    partner = link(order["partner_invoice_id"]) or link(order["partner_id"]) or 0
    named = (text(order["name"]), text(order["client_order_ref"]) or document.order_number, _named(document))
    memo = " ".join(dict.fromkeys(one for one in named if one))
    return {
        "payment_type": "inbound",
        "partner_type": "customer",
        "partner_id/.id": str(partner),
        "amount": plain(document.amount),
        "currency_id/.id": str(link(order["currency_id"]) or ""),
        "date": document.business_date.isoformat(),
        **({} if found.memo == found.mark_field else {found.memo: memo}),
        **fields.cells(document.fields, found.types, ids),
        found.mark_field: with_mark(memo if found.memo == found.mark_field else "", job.mark),
    }


def _named(document: PaymentDocument) -> str:
    """As the gateway's statement has it, where the store tells."""
    return document.reference or document.payment_id


def differences(job: Job, known: Known) -> list[Difference]:
    """Odoo's own figures against the document's; whom the payment is for may change when people merge contacts."""
    document, values = payment_of(job.document), known.values
    told = []
    paid, currency = number(values["amount"]), shown(values["currency_id"])
    if (paid, currency) != (document.amount, document.currency):
        words = f"{plain(document.amount)} {document.currency} were paid, in Odoo it is {plain(paid)} {currency}"
        told.append(Difference(HoldReason.UNBALANCED, words))
    if values["payment_type"] != "inbound":
        told.append(Difference(HoldReason.DATA, f"its type is {values['payment_type']!r} in Odoo, and not inbound"))
    if text(values["date"]) != document.business_date.isoformat():
        words = f"it was paid on {document.business_date}, in Odoo it is dated {text(values['date'])}"
        told.append(Difference(HoldReason.DATA, words))
    ready: ReadyPayment = job.ready
    for name, value in document.fields.items():
        if not fields.holds(values[name], value, ready.types[name], ready.ids):
            told.append(Difference(HoldReason.DATA, f"the field {name!r} holds something else in Odoo"))
    return told
