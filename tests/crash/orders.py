"""What the crash tests produce: small orders, refunds and shipments, each revision with a total of its own."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tallystick.canonical import written
from tallystick.canonical.keys import key, order_key
from tallystick.canonical.times import to_timestamp
from tallystick.kafka.codec import encode
from tallystick.kafka.producer import Message
from tallystick.v1 import event_pb2, fulfilment_pb2

STORE = "shop"


@dataclass(frozen=True, slots=True, order=True)
class Revision:
    """One revision of one order."""

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


@dataclass(frozen=True, slots=True, order=True)
class Refund:
    """One refund of an order."""

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
        return f"1.{self.place}"


@dataclass(frozen=True, slots=True, order=True)
class Shipment:
    """One revision of a shipment of an order, on its way to the store; its tracking number changes."""

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


Thing = Revision | Refund | Shipment


def message(one: Thing) -> Message:
    """As intake publishes it."""
    if isinstance(one, Revision):
        return encode(_order(one))
    return encode(_refund(one) if isinstance(one, Refund) else _shipment(one))


def _order(one: Revision) -> event_pb2.Event:
    """Every fourth order names its buyer, all others share the anonymous customer."""
    buyer = {"customer": {"email": f"buyer-{one.number}@example.com"}} if one.number % 4 == 0 else {}
    line = {"sku": "MUG", "quantity": 1, "amount": {"gross": one.total}, "taxes": [{"rate_percent": 19}]}
    paid = [{"id": name, "gateway": "card", "amount": "4.00"} for name in one.paid]
    content = {"connection": STORE, "number": str(one.number), "lines": [line], "payments": paid, **buyer}
    order = written.order(content)
    return event_pb2.Event(
        connection=STORE,
        type=event_pb2.ENTITY_TYPE_ORDER,
        object_id=str(one.number),
        revision=one.revision,
        received_at=to_timestamp(datetime.now(UTC)),
        order=order,
    )


def _refund(one: Refund) -> event_pb2.Event:
    """Money for one mug, which stays where it is."""
    line = {"line_id": "1", "kind": "goods", "sku": "MUG", "quantity": 0, "restock": "no"}
    line |= {"amount": {"gross": one.total}, "taxes": [{"rate_percent": 19}]}
    refund = written.refund({"connection": STORE, "id": one.id, "order_id": str(one.number), "lines": [line]})
    return event_pb2.Event(
        connection=STORE,
        type=event_pb2.ENTITY_TYPE_REFUND,
        object_id=one.id,
        revision=one.revision,
        received_at=to_timestamp(datetime.now(UTC)),
        refund=refund,
    )


def _shipment(one: Shipment) -> event_pb2.Event:
    shipped = fulfilment_pb2.Fulfilment(
        connection=one.erp,
        id=one.id,
        order_connection=STORE,
        order_id=str(one.number),
        shipped_at=to_timestamp(datetime.now(UTC)),
        lines=[fulfilment_pb2.FulfilmentLine(line_id="1", sku="MUG", quantity="1")],
        trackings=[fulfilment_pb2.Tracking(carrier="post", number=one.total)],
    )
    return event_pb2.Event(
        connection=one.erp,
        type=event_pb2.ENTITY_TYPE_FULFILMENT,
        object_id=one.id,
        revision=one.revision,
        received_at=to_timestamp(datetime.now(UTC)),
        fulfilment=shipped,
    )


def whole_lives(numbers: Iterable[int], erp: str) -> list[Thing]:
    """Two revisions of each order, two refunds of it, and two parcels whose tracking changes once; part by part."""
    chosen = list(numbers)
    parts: list[Thing] = [*revisions(chosen, 2)]
    for place in (1, 2):
        parts += [Refund(number, place) for number in chosen]
        parts += [Shipment(number, place, revision, erp) for revision in (1, 2) for number in chosen]
    return parts


def revisions(numbers: Iterable[int], each: int) -> list[Thing]:
    """`each` revisions of every order, revision by revision."""
    chosen = list(numbers)
    return [Revision(number, revision) for revision in range(1, each + 1) for number in chosen]


def disturbed(clean: Sequence[Thing], die: random.Random, *, twice: float = 0.3, reach: int = 20) -> list[Thing]:
    """Some of them twice, each a little out of its place."""
    spoilt = [*clean, *(one for one in clean if die.random() < twice)]
    places = {id(one): index for index, one in enumerate(clean)}
    return sorted(spoilt, key=lambda one: places[id(one)] + die.uniform(0, reach))
