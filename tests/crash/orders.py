"""The orders that the crash tests produce: small, each revision with a total of its own."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tallystick.canonical import written
from tallystick.canonical.keys import order_key
from tallystick.canonical.times import to_timestamp
from tallystick.kafka.codec import encode
from tallystick.kafka.producer import Message
from tallystick.v1 import event_pb2

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


def message(one: Revision) -> Message:
    """As intake publishes it. Every fourth order names its buyer, all others share the anonymous customer."""
    buyer = {"customer": {"email": f"buyer-{one.number}@example.com"}} if one.number % 4 == 0 else {}
    line = {"sku": "MUG", "quantity": 1, "amount": {"gross": one.total}, "taxes": [{"rate_percent": 19}]}
    order = written.order({"connection": STORE, "number": str(one.number), "lines": [line], **buyer})
    event = event_pb2.Event(
        connection=STORE,
        type=event_pb2.ENTITY_TYPE_ORDER,
        object_id=str(one.number),
        revision=one.revision,
        received_at=to_timestamp(datetime.now(UTC)),
        order=order,
    )
    return encode(event)


def revisions(numbers: Iterable[int], each: int) -> list[Revision]:
    """`each` revisions of every order, revision by revision."""
    chosen = list(numbers)
    return [Revision(number, revision) for revision in range(1, each + 1) for number in chosen]


def disturbed(clean: Sequence[Revision], die: random.Random, *, twice: float = 0.3, reach: int = 20) -> list[Revision]:
    """Some of them twice, each a little out of its place."""
    spoilt = [*clean, *(one for one in clean if die.random() < twice)]
    places = {id(one): index for index, one in enumerate(clean)}
    return sorted(spoilt, key=lambda one: places[id(one)] + die.uniform(0, reach))
