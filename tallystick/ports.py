"""The abilities that a store or an ERP may have, and the words in which it answers.

Abilities are small protocols; an adapter has those that its class implements, computed and never declared twice.
What types cannot say is `Traits` data, each figure with its source in the adapter. No ability retries a write.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from tallystick.clock import Budget
from tallystick.contract.document import Document
from tallystick.pacing import Pacer
from tallystick.reasons import HoldReason
from tallystick.v1 import (
    customer_pb2,
    event_pb2,
    fulfilment_pb2,
    inventory_pb2,
    order_pb2,
    price_pb2,
    refund_pb2,
    return_pb2,
)

# ---- stores ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hint:
    """All that the edge reads of a delivery: which object may have changed. It decides the Kafka key, nothing else."""

    topic: str
    #: Empty when none can be read cheaply; the delivery id is the key then.
    object_id: str
    delivery_id: str
    #: The store only tries the address out; answered with 2xx and not kept.
    ping: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One object as its source showed it, already canonical."""

    type: event_pb2.EntityType.ValueType
    object_id: str
    #: The source's own date of this state; None when it states none. Only compared with others of the same object.
    source_modified: datetime | None
    order: order_pb2.Order | None = None
    customer: customer_pb2.Customer | None = None
    refund: refund_pb2.Refund | None = None
    returned: return_pb2.Return | None = None
    fulfilment: fulfilment_pb2.Fulfilment | None = None
    level: inventory_pb2.InventoryLevel | None = None
    product: price_pb2.Product | None = None
    gone: bool = False
    findings: tuple[event_pb2.Finding, ...] = ()
    #: Refunds and returns that came with their order; published after it.
    parts: tuple["Reading", ...] = ()


@dataclass(frozen=True, slots=True)
class NeedsRead:
    """The delivery's body cannot be used (thin, an error object, a deletion): read this object again."""

    type: event_pb2.EntityType.ValueType
    object_id: str
    why: str


@dataclass(frozen=True, slots=True)
class NotOurs:
    """A correctly signed delivery about something that no flow carries; it is counted and done with."""

    why: str
    #: A person has to hear of it: it is logged. `why` holds no personal data.
    tell: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A closed span of source time, both ends included as far as the source allows."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class WebhookState:
    """One subscription at the store. `active` False or a missing topic means that changes are found by polling only."""

    topic: str
    active: bool
    address: str


@runtime_checkable
class WebhookSource(Protocol):
    """A store that sends signed deliveries. Pure and fast: called for every request at the edge."""

    def verify(self, headers: Mapping[str, str], raw: bytes) -> bool:
        """Whether one of the active secrets signed exactly these bytes; constant-time. Header names are lower-case."""
        ...

    def hint(self, headers: Mapping[str, str], raw: bytes) -> Hint:
        """Read one id by a per-topic path. Never raises on odd bodies."""
        ...

    def reading(self, headers: Mapping[str, str], raw: bytes) -> Reading | NeedsRead | NotOurs:
        """The canonical content of a delivery. Raises `Unreadable` when the bytes are no JSON at all."""
        ...


@runtime_checkable
class OrderSource(Protocol):
    """A store whose orders can be read back."""

    #: How much earlier than the cursor a poll begins, in seconds: search lag and whole-second dates.
    overlap_s: float

    async def identity(self) -> str:
        """The vendor's own immutable name of the shop; a connection is bound to it at first start."""
        ...

    async def read_order(self, order_id: str) -> Reading:
        """The order as it is now; `gone` when the store answers that it is not there.

        Raises `Unavailable` (also `Throttled`), `Unauthorised`, `Unreadable`. Reads are repeated inside; harmless.
        """
        ...

    def changed_orders(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """Pages of whole orders that changed in the window, in any order, repeats allowed, none left out.

        An order that cannot be translated is `NeedsRead`: one order must not stop the walk over all others.
        """
        ...

    def parse_order(self, raw: bytes) -> Reading:
        """An order in any form this store shows it (API answer or webhook body). Raises `Unreadable`."""
        ...

    async def webhooks(self) -> Sequence[WebhookState]:
        """The subscriptions as the store holds them."""
        ...


@runtime_checkable
class FulfilmentSink(Protocol):
    """A store that is told what was shipped."""

    fulfilments: "Sink"


# ---- ERPs --------------------------------------------------------------------------------------------------------


class Capability(StrEnum):
    """How safe a repeated create is (protocol: classes of operations)."""

    #: A ledger row in the target's own transaction.
    E0 = "E0"
    #: The target refuses or folds a second document with our reference.
    E1 = "E1"
    #: The reference is stored and searchable, not unique.
    E2 = "E2"
    #: No look-up at all.
    E3 = "E3"


@dataclass(frozen=True, slots=True)
class Step:
    """One atomic call of the target, and a recovery point."""

    name: str
    #: Reads need no intent.
    writes: bool = True
    #: The call itself writes the mark, so that a probe can tell `this` revision.
    marks: bool = False


@dataclass(frozen=True, slots=True)
class OperationTraits:
    """What the types cannot say about one operation of one target. Durations in seconds."""

    capability: Capability
    #: The target compares (revision, attempt) strictly lower in the same call.
    conditional_update: bool
    #: How long after a request was given up it may still be applied.
    late_apply_max_s: float
    #: How long a written document may stay invisible to look-ups.
    search_lag_max_s: float
    #: Documents per request; 1 for none.
    batch_max: int
    #: Requests at a time to one connection.
    parallel_max: int
    mark_field: str


@dataclass(frozen=True, slots=True)
class Job:
    """One effect at one step, as an adapter sees it."""

    #: Names the document, the same for all its revisions.
    ref: str
    revision: int
    #: `tallystick.marks` text of revision and digest, to be written into the document by the call that changes it.
    mark: str
    document: Document
    #: The target's id of the document as far as the ledger knows it.
    external_id: str | None = None
    #: Target ids of what the document refers to, such as {"customer": "17"}.
    dependencies: Mapping[str, str] = field(default_factory=dict)
    #: Keys of the lines that earlier revisions sent; those missing now are removed.
    sent_lines: tuple[str, ...] = ()
    #: What `prepare` made of it; None before.
    ready: Any = None


@dataclass(frozen=True, slots=True)
class Applied:
    """The target applied this step, and its answer names our document."""

    external_id: str
    #: The document's number as people know it in the target, where it has one.
    number: str = ""


@dataclass(frozen=True, slots=True)
class NotApplied:
    """Surely not applied: never sent, or refused for a passing reason. Sent again at `retry_after_s`."""

    detail: str
    retry_after_s: float | None = None
    #: The vendor throttles; no attempt is counted.
    throttled: bool = False
    #: False when the request never left us (refused connection, no permit): the target may be down.
    reached: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused for good by the vendor's own code; the lane is held."""

    reason: HoldReason
    #: Says what was sent, what is allowed and what to do; no personal data.
    detail: str
    #: The document goes on in the target and is only locked: what differs may be booked beside it.
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Needless:
    """The target has no place for it by its nature (a product that it does not sell): nothing is sent or held."""

    detail: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """May or may not have been applied: a lost answer, or a refusal saying that our reference is already there."""

    detail: str
    #: False when the target itself answered (a duplicate reference, already confirmed): nothing can land late.
    unanswered: bool = True


Answer = Applied | NotApplied | Refused | Doubt


class Verdict(StrEnum):
    """What a probe says about one step of one revision. Found without `this` is not success."""

    ABSENT = "absent"
    OLDER = "older"
    THIS = "this"
    NEWER = "newer"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Found:
    """The answer of a probe."""

    verdict: Verdict
    external_id: str | None = None
    number: str = ""
    #: What differs, in words without personal data.
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A document that was in the ERP before us, for adoption."""

    external_id: str
    number: str
    total: str
    currency: str


class SinkReader(Protocol):
    """What may be done without writing: all that a shadow route is given."""

    traits: OperationTraits
    #: The pace of the connection: the engine takes a permit before each intent.
    pacer: Pacer

    def steps(self, document: Document) -> tuple[Step, ...]:
        """The fixed list of steps for this document; for an order that is cancelled, those that cancel its document."""
        ...

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused | Needless]:
        """Resolve references (products, taxes, currencies) by look-ups and spell the call; parallel to `jobs`.

        A reference that is missing or ambiguous is `Refused(MAPPING)`. Raises `Unavailable`, `Unauthorised`.
        """
        ...

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """Ask the target about a step; parallel to `jobs`. Raises `Unavailable`, `Unauthorised`.

        By the mark; with `whole` every mapped field is compared, and `this` then means that nothing differs.
        """
        ...


class Sink(SinkReader, Protocol):
    """A target that takes documents of one kind."""

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """Make one step for each job, in one request where the target takes batches; parallel to `jobs`.

        Never repeats a write whose answer is unknown. Never raises for what the target answers.
        A batch refused as a whole for some of its rows may be sent again without them while the budget lasts.
        """
        ...


@runtime_checkable
class OrderSink(Protocol):
    """An ERP that takes sales orders."""

    orders: Sink


@runtime_checkable
class CustomerSink(Protocol):
    """An ERP that takes customers."""

    customers: Sink


@runtime_checkable
class FulfilmentSource(Protocol):
    """An ERP whose shipments can be read."""

    #: How much earlier than the cursor a poll begins, in seconds.
    overlap_s: float

    def changed_fulfilments(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """Pages of shipments of our orders that left or changed in the window, repeats allowed, none left out.

        A shipment is told once it has left; what is only reserved is none. Raises as `OrderSource` does.
        """
        ...


@runtime_checkable
class ReferenceLookup(Protocol):
    """An ERP whose sales orders can be found by a reference field, for adoption."""

    async def find_orders(self, field_name: str, values: Sequence[str]) -> Mapping[str, Sequence[FoundDocument]]:
        """Documents whose field equals each value, cancelled ones left out."""
        ...


@runtime_checkable
class Identified(Protocol):
    """Anything that is bound to the vendor's own identity at first start."""

    async def identity(self) -> str:
        """Shop id, database uuid, company id. Raises `Unavailable`, `Unauthorised`."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...


@runtime_checkable
class ConnectionTest(Protocol):
    """Checks beyond `identity` for `tallystick connections test`."""

    async def check(self) -> Sequence[tuple[str, bool, str]]:
        """(what was tried, whether it is fine, what to do about it if not)."""
        ...
