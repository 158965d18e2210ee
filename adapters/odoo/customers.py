"""Contacts: made when absent, found again by their External ID, and changed by the customer's own revisions only.

An order only makes sure of its customer. A revision of the customer's own writes what the store owns, and its mark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tallystick import marks
from tallystick.clock import Budget
from tallystick.contract.document import Document
from tallystick.pacing import Pacer
from tallystick.ports import Answer, Applied, Found, Job, Refused, Step, Verdict
from tallystick.reasons import HoldReason

from . import fields, people
from .contacts import MODEL, Contact, Contacts, customer, customer_of
from .loading import Loader
from .parties import personal
from .records import Records
from .references import References
from .rows import Item
from .settings import OdooSettings
from .traits import operation_traits
from .transport import Transport
from .values import readable, text, with_mark, without_mark

ENSURE = Step("ensure")
LOAD = Step("load", marks=True)


@dataclass(frozen=True, slots=True)
class ReadyCustomer:
    """What `prepare` found: the contact that is there, and what has to be sent, if anything."""

    contact: Contact | None
    item: Item | None


class CustomerSinkOfOdoo:
    """A `Sink` of contacts. What an order made sure of is there by its name alone; other revisions carry a mark."""

    def __init__(
        self, connection: str, settings: OdooSettings, transport: Transport, records: Records, references: References,
        pacer: Pacer,
    ) -> None:  # fmt: skip
        self.pacer = pacer
        self.traits = operation_traits(settings, settings.customer_mark_field)
        self._mark_field = settings.customer_mark_field
        self._records = records
        self._references = references
        self._contacts = Contacts(connection, records, self._mark_field)
        self._loader = Loader(transport, pacer, records.context)

    def steps(self, document: Document) -> tuple[Step, ...]:
        """One call, with all addresses of a company."""
        return (LOAD,) if customer_of(document).own else (ENSURE,)

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused]:
        """Find the contacts that are there, companies that nobody of ours made among them, and every reference."""
        contacts: dict[str, Contact | Refused] = dict(await self._contacts.known(jobs))
        fresh = [job for job in jobs if job.ref not in contacts and job.external_id is None]
        contacts |= await self._contacts.matching(fresh)
        writing = [job for job in jobs if customer(job).own or job.ref not in contacts]
        found = await self._look_up(writing)
        return [self._ready(job, contacts.get(job.ref), found) for job in jobs]

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """Make those that are absent and change the others, in as few calls as their columns allow."""
        answers: dict[str, Answer] = {job.ref: _there(job.ready) for job in jobs}
        items = [job.ready.item for job in jobs if job.ready.item is not None]
        answers |= await self._loader.load(MODEL, items, budget)
        return [answers[job.ref] for job in jobs]

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """Of what an order made sure of, being there is all. Else by the mark, or by all that was to be written."""
        own = [job for job in jobs if customer(job).own]
        types = await self._records.fields(MODEL) if own else {}
        read = {*people.READ, *(name for job in own for name in customer(job).fields if name in types)}
        contacts = await self._contacts.known(jobs, read if own else ())
        found = await self._look_up(own)
        return [self._found(job, contacts.get(job.ref), found, whole) for job in jobs]

    # ---- what is there

    def _found(self, job: Job, contact: Contact | None, found: people.Found, whole: bool) -> Found:
        if contact is None:
            return Found(Verdict.ABSENT, detail="there is no contact under our reference")
        verdict = self._verdict(job, contact, found, whole) if customer(job).own else Verdict.THIS
        return Found(verdict, str(contact.id), detail=f"contact {contact.id} carries the mark of another one of ours")

    def _verdict(self, job: Job, contact: Contact, found: people.Found, whole: bool) -> Verdict:
        stored = text(contact.values.get(self._mark_field))
        verdict = marks.judge(stored, job.mark) if marks.find(stored) else Verdict.OLDER
        unmarked = marks.find(stored) is None
        if verdict in (Verdict.NEWER, Verdict.FOREIGN) or not (whole or unmarked):
            return verdict
        # Nobody, or a person who tidied the notes, left no mark: then the content tells.
        lacking = people.lacking(customer(job), found)
        return Verdict.OLDER if lacking or people.differing(customer(job), contact, found) else Verdict.THIS

    async def _look_up(self, jobs: Sequence[Job]) -> people.Found:
        """Countries, states and the contract's references of all of them, each kind in one search."""
        types = await self._records.fields(MODEL)
        customers = [customer(job) for job in jobs]
        places = [place for one in customers for place in people.places(one)]
        countries = await self._references.countries({one.country_code for one in places if one.country_code})
        regions = {(country, one.region_code) for one in places for country in countries.get(one.country_code, ())}
        states = await self._references.states({place for place in regions if place[1]})
        wanted = {reference for one in customers for reference in fields.references(one.fields, types)}
        return people.Found(types, countries, states, await self._references.resolve(wanted))

    # ---- what is to be sent

    def _ready(self, job: Job, contact: Contact | Refused | None, found: people.Found) -> Job | Refused:
        if isinstance(contact, Refused):
            return contact
        if contact is None and job.external_id is not None:
            return Refused(HoldReason.DELETED_IN_TARGET, f"contact {job.external_id} was deleted in Odoo")
        if contact is not None and not customer(job).own:
            return replace(job, ready=ReadyCustomer(contact, self._claim(job, contact)))
        refused = self._refused(job, contact, found)
        return refused or replace(job, ready=ReadyCustomer(contact, self._item(job, contact, found)))

    def _refused(self, job: Job, contact: Contact | None, found: people.Found) -> Refused | None:
        lacking = people.lacking(customer(job), found)
        if lacking:
            return Refused(HoldReason.MAPPING, "; ".join(lacking))
        if contact is None:
            return None
        if contact.archived:
            words = f"contact {contact.id} is archived in Odoo: take it into use again there, or skip this"
            return Refused(HoldReason.DELETED_IN_TARGET, words)
        mark = marks.find(text(contact.values.get(self._mark_field)))
        if mark is not None and mark.ref != job.ref:
            words = f"contact {contact.id} is kept by another customer of ours ({mark.ref}): mark this as applied"
            return Refused(HoldReason.FOREIGN, words)
        return None

    def _claim(self, job: Job, contact: Contact) -> Item | None:
        """Of a contact that nobody of ours made: our mark, and nothing else, so that no other customer takes it."""
        if contact.named or job.external_id is not None or marks.find(text(contact.values.get(self._mark_field))):
            return None
        return Item(job.ref, "", self._marked(job, contact, {}), expected_id=contact.id)

    def _item(self, job: Job, contact: Contact | None, found: people.Found) -> Item:
        one = customer(job)
        cells = people.whole(one, found) if contact is None else people.changes(one, found)
        own = tuple(str(value) for value in one.fields.values() if value)
        below = tuple(value for place in one.locations for value in (place.name, place.street, place.city) if value)
        return Item(
            ref=job.ref,
            name=self._contacts.name(job) if contact is None or contact.named else "",
            cells=self._marked(job, contact, cells),
            lines=self._addresses(job, contact, found),
            expected_id=None if contact is None else contact.id,
            personal=(*personal(one), *own, *below),
        )

    def _addresses(self, job: Job, contact: Contact | None, found: people.Found) -> tuple[Mapping[str, str], ...]:
        """All of them; one that is gone in the store stays in Odoo, since documents name it."""
        one = customer(job)
        if contact is not None and "locations" in one.given_once and contact.addresses:
            return ()
        named = [(self._contacts.address_name(job, place.key), place) for place in one.locations]
        return tuple(people.address_cells(name, place, found) for name, place in named)

    def _marked(self, job: Job, contact: Contact | None, cells: Mapping[str, str]) -> dict[str, str]:
        """The cells with our mark behind what people, or the contract, wrote into its field."""
        kept = "" if contact is None else without_mark(text(contact.values.get(self._mark_field)))
        kept = kept if readable(kept) else ""
        return {**cells, self._mark_field: with_mark(cells.get(self._mark_field, kept), job.mark)}


def _there(ready: ReadyCustomer) -> Answer:
    """For a contact that is there already; what is sent gets its own answer."""
    return Applied(str(ready.contact.id)) if ready.contact is not None else Applied("")
