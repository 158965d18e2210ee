"""Contacts: made when absent, found again by their External ID, never updated from an order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tallystick.clock import Budget
from tallystick.contract.document import CustomerDocument, Document
from tallystick.pacing import Pacer
from tallystick.ports import Answer, Applied, Found, Job, Refused, Step, Verdict
from tallystick.reasons import HoldReason

from . import fields, names
from .loading import Loader
from .parties import personal
from .records import Records
from .references import Ids, References
from .rows import Item
from .settings import OdooSettings
from .traits import operation_traits
from .transport import Transport

_MODEL = "res.partner"
ENSURE = Step("ensure")


@dataclass(frozen=True, slots=True)
class ReadyCustomer:
    """What `prepare` found: the contact that is there, or the cells of the one to be made."""

    contact: int | None
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything looked up for a batch."""

    types: fields.Types
    countries: Mapping[str, Ids]
    states: Mapping[tuple[int, str], Ids]
    references: Mapping[fields.Reference, Ids]


class CustomerSinkOfOdoo:
    """A `Sink` of contacts. A document is one by its External ID alone: it has one revision and carries no mark."""

    def __init__(
        self, connection: str, settings: OdooSettings, transport: Transport, records: Records, references: References,
        pacer: Pacer,
    ) -> None:  # fmt: skip
        self.pacer = pacer
        self.traits = operation_traits(settings, mark_field="id")
        self._connection = connection
        self._records = records
        self._references = references
        self._loader = Loader(transport, pacer, records.context)

    def steps(self, document: Document) -> tuple[Step, ...]:
        """One call."""
        return (ENSURE,)

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused]:
        """Find the contacts that are there; for the others their country, state and the contract's references."""
        contacts = await self._contacts(jobs)
        found = await self._look_up([_document(job) for job in jobs if job.ref not in contacts])
        return [_ready(job, contacts.get(job.ref), found) for job in jobs]

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """Make those that are absent, in one call."""
        answers: dict[str, Answer] = {
            job.ref: Applied(str(job.ready.contact)) for job in jobs if job.ready.contact is not None
        }
        items = [self._item(job) for job in jobs if job.ready.contact is None]
        answers |= await self._loader.load(_MODEL, items, budget)
        return [answers[job.ref] for job in jobs]

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """Being there is all: a contact belongs to the ERP once it is made."""
        contacts = await self._contacts(jobs)
        return [_found(contacts.get(job.ref)) for job in jobs]

    # ---- the parts

    async def _contacts(self, jobs: Sequence[Job]) -> dict[str, int]:
        """The contact of each job that has one, archived ones too; by External ID, for that follows a merge."""
        ours = {job.ref: names.customer_name(self._connection, job.ref) for job in jobs}
        addresses = await self._records.addresses(list(ours.values()))
        wanted = {job.ref: _bound(job) for job in jobs if _bound(job)}
        wanted |= {ref: addresses[name].record_id for ref, name in ours.items() if name in addresses}
        there = await self._records.by_id(_MODEL, set(wanted.values()), ("id",))
        return {ref: contact for ref, contact in wanted.items() if contact in there}

    async def _look_up(self, customers: Sequence[CustomerDocument]) -> _Found:
        """Countries, states and the contract's references of all of them, each kind in one search."""
        types = await self._records.fields(_MODEL)
        countries = await self._references.countries({one.country_code for one in customers if one.country_code})
        places = {(country, one.region_code) for one in customers for country in countries.get(one.country_code, ())}
        states = await self._references.states({place for place in places if place[1]})
        wanted = {reference for one in customers for reference in fields.references(one.fields, types)}
        return _Found(types, countries, states, await self._references.resolve(wanted))

    def _item(self, job: Job) -> Item:
        customer = _document(job)
        own = tuple(str(value) for value in customer.fields.values() if value)
        name = names.customer_name(self._connection, job.ref)
        return Item(job.ref, name, job.ready.cells, personal=(*personal(customer), *own))


def _ready(job: Job, contact: int | None, found: _Found) -> Job | Refused:
    if contact is not None:
        return replace(job, ready=ReadyCustomer(contact, {}))
    if job.external_id is not None:
        return Refused(HoldReason.DELETED_IN_TARGET, f"contact {job.external_id} was deleted in Odoo")
    customer = _document(job)
    lacking = _lacking(customer, found)
    if lacking:
        return Refused(HoldReason.MAPPING, "; ".join(lacking))
    return replace(job, ready=ReadyCustomer(None, _cells(customer, found)))


def _lacking(customer: CustomerDocument, found: _Found) -> list[str]:
    """What leads nowhere, in words. A state that Odoo does not know is no reason to hold an order."""
    told = fields.unfit(_MODEL, customer.fields, found.types)
    told += fields.unresolved(fields.references(customer.fields, found.types), found.references)
    if customer.country_code and not found.countries[customer.country_code]:
        told.append(f"Odoo knows no country {customer.country_code!r}")
    return told


def _cells(customer: CustomerDocument, found: _Found) -> dict[str, str]:
    country = next(iter(found.countries.get(customer.country_code, ())), 0)
    state = next(iter(found.states.get((country, customer.region_code), ())), "")
    wanted = fields.references(customer.fields, found.types)
    ids = {reference: found.references[reference][0] for reference in wanted}
    place = {"country_id/.id": str(country or ""), "state_id/.id": str(state)}
    return {**_own_cells(customer), **place, **fields.cells(customer.fields, found.types, ids)}


def _own_cells(customer: CustomerDocument) -> dict[str, str]:
    return {
        "name": customer.name,
        "is_company": "1" if customer.company else "0",
        "email": customer.email,
        "phone": customer.phone,
        "vat": customer.tax_id,
        "street": customer.street,
        "street2": customer.street2,
        "city": customer.city,
        "zip": customer.postal_code,
    }


def _document(job: Job) -> CustomerDocument:
    assert isinstance(job.document, CustomerDocument)
    return job.document


def _bound(job: Job) -> int:
    """The contact that the ledger knows; 0 for none."""
    return int(job.external_id) if job.external_id and job.external_id.isdigit() else 0


def _found(contact: int | None) -> Found:
    if contact is None:
        return Found(Verdict.ABSENT, detail="there is no contact under our reference")
    return Found(Verdict.THIS, str(contact))
