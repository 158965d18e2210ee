"""Returns: which pieces come back, and what the store says of them."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from tallystick.canonical.quantities import parse_quantity, quantity_text
from tallystick.v1 import return_pb2

_OVER = (return_pb2.RETURN_STATE_DECLINED, return_pb2.RETURN_STATE_CANCELLED)
_DEALT_WITH = (return_pb2.RETURN_STATE_RECEIVED, return_pb2.RETURN_STATE_CLOSED)


def is_over(returned: return_pb2.Return) -> bool:
    """It came to nothing: no goods come back by it."""
    return returned.state in _OVER


def is_dealt_with(returned: return_pb2.Return) -> bool:
    """Nothing more comes back by it."""
    return returned.state in _DEALT_WITH


def quantities(returned: return_pb2.Return) -> Mapping[str, Decimal]:
    """Pieces by line of the order. Raises `Unreadable`."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in returned.lines:
        found[line.line_id] += parse_quantity(line.quantity)
    return found


def told(returned: return_pb2.Return) -> Mapping[tuple[str, int, str], Decimal]:
    """Pieces by line, by what became of them, and by the store's location. Raises `Unreadable`."""
    found: dict[tuple[str, int, str], Decimal] = defaultdict(Decimal)
    for line in returned.lines:
        for one in line.disposals:
            found[line.line_id, one.disposition, one.location_id] += parse_quantity(one.quantity)
    return found


def state_words(state: return_pb2.ReturnState.ValueType) -> str:
    """The state as one word."""
    return return_pb2.ReturnState.Name(state).removeprefix("RETURN_STATE_").lower()


def in_words(returned: return_pb2.Return) -> str:
    """The pieces, without personal data."""
    pieces = [f"{quantity_text(pieces)} of line {line}" for line, pieces in quantities(returned).items()]
    return ", ".join(pieces) or "nothing"
