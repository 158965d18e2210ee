"""Quantities are decimal texts, since shops sell 1.5 m of cloth. Booked = ordered − removed by an edit.

A refund never lowers what is booked: it is a document of its own, and would be credited twice.
"""

from decimal import Decimal
from functools import lru_cache

from tallystick.canonical.money import parse_amount
from tallystick.v1 import order_pb2


@lru_cache(maxsize=4096)
def parse_quantity(text: str) -> Decimal:
    """The quantity; an empty text is zero. Raises `Unreadable`."""
    return parse_amount(text) if text else Decimal(0)


def quantity_text(value: Decimal) -> str:
    """The one text of a quantity, so that 2, 2.0 and 2E0 are the same content: without exponent or needless zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def booked(line: order_pb2.OrderLine) -> Decimal:
    """How many pieces the order's document holds. Raises `Unreadable`."""
    return parse_quantity(line.quantity.ordered) - parse_quantity(line.quantity.removed_by_edit)
