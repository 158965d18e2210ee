"""Which contact of Odoo a customer is: by our External ID, by the ledger, or, before one is made, by what names it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from tallystick import marks
from tallystick.canonical.keys import parts
from tallystick.contract.document import CustomerDocument, Document
from tallystick.ports import Job, Refused
from tallystick.reasons import HoldReason

from . import names
from .records import Records
from .transport import Json
from .values import text

MODEL = "res.partner"
#: The field of each key by which a company may be found.
FIELDS: Mapping[str, str] = {"account_number": "ref", "tax_id": "vat", "email": "email"}


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as it was a moment ago."""

    id: int
    values: Json
    #: Whether our External ID names it; else it is known by its database id alone.
    named: bool
    #: Its further addresses that we made, by the key of the location.
    addresses: Mapping[str, Json] = field(default_factory=dict)

    @property
    def archived(self) -> bool:
        """Out of use: somebody archived it."""
        return self.values.get("active") is False


class Contacts:
    """Finds them for a batch, each kind of look-up in one search. Raises `Unavailable`, `Unauthorised`."""

    def __init__(self, connection: str, records: Records, mark_field: str) -> None:
        self._connection = connection
        self._records = records
        self._mark_field = mark_field

    def name(self, job: Job) -> str:
        """Its External ID without the module."""
        return names.customer_name(self._connection, job.ref)

    def address_name(self, job: Job, location: str) -> str:
        """The same of one of its further addresses."""
        return names.location_name(self._connection, job.ref, location)

    async def known(self, jobs: Sequence[Job], fields: Collection[str] = ()) -> dict[str, Contact]:
        """The contact of each job that has one, archived ones too; by External ID first, for that follows a merge."""
        ours = {job.ref: self.name(job) for job in jobs}
        keys = {self.address_name(job, one.key): (job.ref, one.key) for job in jobs for one in customer(job).locations}
        named = await self._records.addresses([*ours.values(), *keys])
        wanted = {job.ref: bound for job in jobs if (bound := _bound(job))}
        wanted |= {ref: named[name].record_id for ref, name in ours.items() if name in named}
        below = {place: named[name].record_id for name, place in keys.items() if name in named}
        there = await self._read({*wanted.values(), *below.values()}, fields)
        return {
            ref: Contact(contact, there[contact], ours[ref] in named, _of(ref, below, there))
            for ref, contact in wanted.items()
            if contact in there
        }

    async def _read(self, ids: Collection[int], fields: Collection[str]) -> Mapping[int, Json]:
        return await self._records.by_id(MODEL, ids, {"active", "parent_id", "type", self._mark_field, *fields})

    # ---- one that nobody of ours made

    async def matching(self, jobs: Sequence[Job], fields: Collection[str] = ()) -> dict[str, Contact | Refused]:
        """Of each company that is looked for and found: the one contact, or why it is none. Others are left out."""
        hits = await self._hits(jobs, fields)
        found = {job.ref: one for job in jobs if (one := _first(customer(job), hits)) is not None}
        owners = await self._owners([one.id for one in found.values() if isinstance(one, Contact)])
        strangers = {
            ref: _stranger(one)
            for ref, one in found.items()
            if isinstance(one, Contact) and self._is_anothers(ref, one, owners.get(one.id, set()))
        }
        return found | strangers

    async def _hits(self, jobs: Sequence[Job], fields: Collection[str]) -> dict[tuple[str, str], list[Contact]]:
        """Companies by key and value, addresses of companies left out."""
        asked: dict[str, set[str]] = defaultdict(set)
        for job in jobs:
            for key, value in customer(job).match:
                asked[key] |= {value, value.lower(), "".join(value.split()).upper()}
        hits: dict[tuple[str, str], list[Contact]] = defaultdict(list)
        read = {"active", "parent_id", "type", self._mark_field, *FIELDS.values(), *fields}
        for key, values in asked.items():
            domain = [[FIELDS[key], "in", sorted(values)], ["parent_id", "=", False]]
            for row in await self._records.find(MODEL, domain, read):
                hits[key, _compact(text(row[FIELDS[key]]))].append(Contact(row["id"], row, named=False))
        return hits

    async def _owners(self, ids: Sequence[int]) -> dict[int, set[tuple[str, str]]]:
        """Store and key of the customers whose External IDs lead to these contacts."""
        owners: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for record_id, name in await self._records.names(MODEL, ids):
            owner = names.customer_of(self._connection, name)
            if owner is not None:
                owners[record_id].add(owner)
        return owners

    def _is_anothers(self, ref: str, contact: Contact, owners: Collection[tuple[str, str]]) -> bool:
        """Whether it is another customer of the same store already. Two stores may sell to one company."""
        store = parts(ref)[1]
        mark = marks.find(text(contact.values.get(self._mark_field)))
        marked = mark is not None and mark.ref != ref and parts(mark.ref)[1:2] == (store,)
        return marked or any(owner[0] == store for owner in owners)


def customer(job: Job) -> CustomerDocument:
    """The job's customer."""
    return customer_of(job.document)


def customer_of(document: Document) -> CustomerDocument:
    """A document that is a customer."""
    assert isinstance(document, CustomerDocument)
    return document


def _bound(job: Job) -> int:
    """The contact that the ledger knows; 0 for none."""
    return int(job.external_id) if job.external_id and job.external_id.isdigit() else 0


def _of(ref: str, below: Mapping[tuple[str, str], int], there: Mapping[int, Json]) -> dict[str, Json]:
    return {key: there[one] for (owner, key), one in below.items() if owner == ref and one in there}


def _first(wanted: CustomerDocument, hits: Mapping[tuple[str, str], Sequence[Contact]]) -> Contact | Refused | None:
    """By the first key that finds anything. Several hits are strangers to be told apart by a person."""
    for key, value in wanted.match:
        found = hits.get((key, _compact(value)), ())
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(str(contact.id) for contact in found)
            words = f"{len(found)} contacts of Odoo ({ids}) have this customer's {key.replace('_', ' ')}"
            return Refused(HoldReason.MAPPING, f"{words}: merge them there, or mark this as applied with the right one")
    return None


def _stranger(contact: Contact) -> Refused:
    words = f"contact {contact.id}, which was found for it, is another customer of the same store already"
    return Refused(HoldReason.MAPPING, f"{words}: tell them apart in the store, or mark this as applied with its own")


def _compact(value: str) -> str:
    return "".join(value.split()).casefold()
