"""What the crash tests produce: small orders, refunds, returns and shipments, each revision with a total of its own."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Protocol, Self

from tallystick.canonical import written
from tallystick.canonical.keys import key, order_key
from tallystick.canonical.times import to_timestamp
from tallystick.kafka.codec import encode
from tallystick.kafka.producer import Message
from tallystick.v1 import event_pb2, fulfilment_pb2

STORE = "shop"


class Thing(Protocol):
    """One revision of something that crosses, in either direction."""

    #: Whether the store is its target.
    to_store: ClassVar[bool]

    @property
    def revision(self) -> int:
        """Given by us."""
        ...

    @property
    def key(self) -> str:
        """The reference in the target."""
        ...

    @property
    def total(self) -> str:
        """What tells its revisions apart in the target."""
        ...

    def event(self) -> event_pb2.Event:
        """As intake publishes it."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class Revision:
    """One revision of one order."""

    to_store: ClassVar[bool] = False
    number: int
    revision: int

    @property
    def key(self) -> str:
        """The lane, and the reference in the ERP."""
        return order_key(STORE, str(self.number))

    @property
    def total(self) -> str:
        """Tells revisions of one order apart."""
        return str(10 + self.revision)

    @property
    def paid(self) -> tuple[str, ...]:
        """What was paid of it by then: every third order in two parts, the second with its second revision."""
        return () if self.number % 3 else ("deposit", "rest")[: self.revision]

    @property
    def payments(self) -> tuple[str, ...]:
        """Their references in the ERP."""
        return tuple(key(STORE, str(self.number), "payment", name) for name in self.paid)

    @property
    def buyer(self) -> dict[str, str]:
        """Of four orders one names its buyer by an e-mail address, and one has a buyer with an account in the store;
        all others share the anonymous customer."""
        guest = {"email": f"buyer-{self.number}@example.com"}
        return {0: guest, 2: {"id": str(self.number), "name": f"Buyer {self.number}"}}.get(self.number % 4, {})

    @property
    def has_account(self) -> bool:
        """Whether its buyer has revisions of its own."""
        return "id" in self.buyer

    def event(self) -> event_pb2.Event:
        """With its payments."""
        line = {"sku": "MUG", "quantity": 1, "amount": {"gross": self.total}, "taxes": [{"rate_percent": 19}]}
        paid = [{"id": name, "gateway": "card", "amount": "4.00"} for name in self.paid]
        content = {"connection": STORE, "number": str(self.number), "lines": [line], "payments": paid}
        named = {"customer": self.buyer} if self.buyer else {}
        order = written.order({**content, **named})
        return event(STORE, event_pb2.ENTITY_TYPE_ORDER, str(self.number), self.revision, order=order)


@dataclass(frozen=True, slots=True, order=True)
class Refund:
    """One refund of an order."""

    to_store: ClassVar[bool] = False
    number: int
    place: int
    revision: int = 1

    @property
    def key(self) -> str:
        """The reference in the ERP."""
        return key(STORE, str(self.number), "refund", self.id)

    @property
    def id(self) -> str:
        """In the store."""
        return f"{self.number}-{self.place}"

    @property
    def total(self) -> str:
        """Tells the refunds of one order apart."""
        return format((1 + Decimal(self.place) / 100).normalize(), "f")

    def event(self) -> event_pb2.Event:
        """Money for one mug, which stays where it is."""
        line = {"line_id": "1", "kind": "goods", "sku": "MUG", "quantity": 0, "restock": "no"}
        line |= {"amount": {"gross": self.total}, "taxes": [{"rate_percent": 19}]}
        refund = written.refund({"connection": STORE, "id": self.id, "order_id": str(self.number), "lines": [line]})
        return event(STORE, event_pb2.ENTITY_TYPE_REFUND, self.id, self.revision, refund=refund)


@dataclass(frozen=True, slots=True, order=True)
class Comeback:
    """One revision of a return of an order: it is asked for, approved, and every second one comes to nothing."""

    to_store: ClassVar[bool] = False
    number: int
    place: int
    revision: int

    @property
    def key(self) -> str:
        """The reference in the ERP."""
        return key(STORE, str(self.number), "return", self.id)

    @property
    def id(self) -> str:
        """In the store."""
        return f"{self.number}-{self.place}"

    @property
    def total(self) -> str:
        """How many mugs are to come back; empty where none are, and no document is needed."""
        return "" if self.revision > 2 else str(self.place)

    def event(self) -> event_pb2.Event:
        """As far as it is."""
        state = {1: "requested", 2: "open"}.get(self.revision, "cancelled")
        content = {"connection": STORE, "id": self.id, "order_id": str(self.number), "state": state}
        line = {"line_id": "1", "sku": "MUG", "quantity": self.place}
        made = event(STORE, event_pb2.ENTITY_TYPE_RETURN, self.id, self.revision)
        getattr(made, "return").CopyFrom(written.returned({**content, "lines": [line]}))
        return made

    @classmethod
    def life(cls, number: int, place: int) -> list[Self]:
        """All its revisions."""
        return [cls(number, place, revision) for revision in range(1, 3 + (place % 2 == 0))]


@dataclass(frozen=True, slots=True, order=True)
class Shipment:
    """One revision of a shipment of an order, on its way to the store; its tracking number changes."""

    to_store: ClassVar[bool] = True
    number: int
    place: int
    revision: int
    erp: str

    @property
    def key(self) -> str:
        """The reference in the store."""
        return key(self.erp, "fulfilment", self.id)

    @property
    def id(self) -> str:
        """In the ERP."""
        return f"{self.number}-{self.place}"

    @property
    def total(self) -> str:
        """What the store shows of it."""
        return f"T{self.revision}"

    def event(self) -> event_pb2.Event:
        """A mug in a parcel."""
        shipped = fulfilment_pb2.Fulfilment(
            connection=self.erp,
            id=self.id,
            order_connection=STORE,
            order_id=str(self.number),
            shipped_at=to_timestamp(datetime.now(UTC)),
            lines=[fulfilment_pb2.FulfilmentLine(line_id="1", sku="MUG", quantity="1")],
            trackings=[fulfilment_pb2.Tracking(carrier="post", number=self.total)],
        )
        return event(self.erp, event_pb2.ENTITY_TYPE_FULFILMENT, self.id, self.revision, fulfilment=shipped)


def event(connection: str, kind: Any, object_id: str, revision: int, **content: Any) -> event_pb2.Event:
    """What was received just now."""
    received_at = to_timestamp(datetime.now(UTC))
    return event_pb2.Event(
        connection=connection, type=kind, object_id=object_id, revision=revision, received_at=received_at, **content
    )


def message(one: Thing) -> Message:
    """As intake publishes it."""
    return encode(one.event())


def revisions(numbers: Iterable[int], each: int) -> list[Revision]:
    """`each` revisions of every order, revision by revision."""
    chosen = list(numbers)
    return [Revision(number, revision) for revision in range(1, each + 1) for number in chosen]


def disturbed(clean: Sequence[Thing], die: random.Random, *, twice: float = 0.3, reach: int = 20) -> list[Thing]:
    """Some of them twice, each a little out of its place."""
    spoilt = [*clean, *(one for one in clean if die.random() < twice)]
    places = {id(one): index for index, one in enumerate(clean)}
    return sorted(spoilt, key=lambda one: places[id(one)] + die.uniform(0, reach))
