"""What an order of the shop holds about its shipments: our own notes of them, one meta entry each.

A meta entry of its own for each shipment, so that a late request about one never undoes what stands of another.
WordPress hides keys that begin with "_", and a save with a key that is there replaces its value.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tallystick.canonical.money import parse_amount
from tallystick.contract.document import FulfilmentDocument
from tallystick.errors import Unreadable
from tallystick.ports import Refused
from tallystick.reasons import HoldReason

from .fields import Json, meta, part, reference, rows, text

PREFIX = "_tallystick_shipment_"
#: States out of which a shipment moves no order.
_ENDED = frozenset({"completed", "cancelled", "refunded", "failed", "trash", "pending", "checkout-draft"})


@dataclass(frozen=True, slots=True)
class Entry:
    """What we wrote about one shipment: our mark, pieces by line id, tracking numbers."""

    mark: str
    lines: Mapping[str, Decimal]
    numbers: tuple[str, ...]

    def __str__(self) -> str:
        lines = {line: str(pieces) for line, pieces in self.lines.items()}
        return json.dumps({"mark": self.mark, "lines": lines, "numbers": self.numbers}, sort_keys=True)

    @classmethod
    def of(cls, document: FulfilmentDocument, mark: str) -> "Entry":
        """The entry of a shipment."""
        return cls(mark, pieces_of(document), numbers_of(document))


@dataclass(frozen=True, slots=True)
class Shipped:
    """An order as the shop shows it, as far as shipments matter."""

    status: str
    #: (ordered, name) by line id
    lines: Mapping[str, tuple[Decimal, str]]
    entries: Mapping[str, Entry]
    has_refunds: bool
    refunded: Mapping[str, Decimal] = field(default_factory=dict)

    def refused(self, document: FulfilmentDocument) -> Refused | None:
        """Why this cannot have been shipped of it; None when it can."""
        wanted = pieces_of(document)
        if not wanted:
            return Refused(HoldReason.DATA, "the shipment holds no goods")
        if self.status == "trash":
            return Refused(HoldReason.DELETED_IN_TARGET, "the order is in the shop's trash: restore it, then retry")
        strangers = [line for line in wanted if line not in self.lines]
        if strangers:
            known = ", ".join(self.lines) or "none"
            return Refused(HoldReason.DATA, f"the order has no line {', '.join(strangers)}; its lines are {known}")
        left = {line: self.lines[line][0] - self._gone(line, document.fulfilment_id) for line in wanted}
        over = [
            f"{pieces} of line {line}, of which {left[line]} remain to be shipped in the shop"
            for line, pieces in wanted.items()
            if pieces > left[line]
        ]
        return Refused(HoldReason.DATA, f"the shipment holds {'; '.join(over)}") if over else None

    def completed_by(self, document: FulfilmentDocument) -> bool:
        """Whether nothing is left to be shipped after this one, and the order waited for that."""
        wanted = pieces_of(document)
        return self.status not in _ENDED and all(
            self._gone(line, document.fulfilment_id) + wanted.get(line, 0) + self.refunded.get(line, 0) >= ordered
            for line, (ordered, _) in self.lines.items()
        )

    def _gone(self, line: str, but: str) -> Decimal:
        """Pieces that other shipments took."""
        others = (entry for shipment, entry in self.entries.items() if shipment != but)
        return sum((entry.lines.get(line, Decimal(0)) for entry in others), Decimal(0))


def shipped(order: Json) -> Shipped:
    """From the order's JSON. Raises `Unreadable`."""
    found = meta(order.get("meta_data"))
    return Shipped(
        status=text(order.get("status")),
        lines={
            reference(line.get("id")): (parse_amount(line.get("quantity")), text(line.get("name")))
            for line in rows(order.get("line_items"))
        },
        entries={key.removeprefix(PREFIX): _entry(value) for key, value in found.items() if key.startswith(PREFIX)},
        has_refunds=bool(rows(order.get("refunds"))),
    )


def refunded(refunds: Sequence[Json]) -> dict[str, Decimal]:
    """Pieces that were given back by line id; a refund counts them below zero."""
    found: dict[str, Decimal] = {}
    for refund in refunds:
        for line in rows(refund.get("line_items")):
            of = meta(line.get("meta_data")).get("_refunded_item_id", "")
            found[of] = found.get(of, Decimal(0)) + abs(parse_amount(line.get("quantity")))
    return found


def pieces_of(document: FulfilmentDocument) -> dict[str, Decimal]:
    """Pieces by line id, each line once."""
    found: dict[str, Decimal] = {}
    for line, quantity in document.lines:
        found[line] = found.get(line, Decimal(0)) + quantity
    return found


def numbers_of(document: FulfilmentDocument) -> tuple[str, ...]:
    """The tracking numbers."""
    return tuple(parcel.number for parcel in document.parcels if parcel.number)


def _entry(value: str) -> Entry:
    try:
        content: Any = json.loads(value)
    except ValueError as error:
        raise Unreadable(f"a meta entry {PREFIX}… of the order was changed by hand and is no JSON any more") from error
    lines = {line: parse_amount(pieces) for line, pieces in part(part(content).get("lines")).items()}
    return Entry(text(part(content).get("mark")), lines, tuple(map(text, part(content).get("numbers") or ())))
