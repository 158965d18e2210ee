"""Reading requests: names of orders, request ids, reasons, times. What cannot be is refused in words."""

import re
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from service.errors import ApiError, invalid, not_found, precondition
from tallystick.canonical.times import to_datetime
from tallystick.ledger.views import Order, Views

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
NOTE_MAX = 500


def request_id(text: str) -> str:
    """Chosen by the caller."""
    if not _REQUEST_ID.fullmatch(text):
        raise invalid(
            "request_id", "1 to 64 of A-Z, a-z, 0-9 and . _ : -, such as a UUID; the same for each repetition"
        )
    return text


def note(text: str, *, required: bool) -> str:
    """Why, for the audit."""
    said = " ".join(text.split())
    if len(said) > NOTE_MAX:
        raise invalid("reason", f"at most {NOTE_MAX} characters")
    if required and not said:
        raise invalid("reason", "say why, for the audit")
    return said


def instant(stamp: Timestamp, field: str) -> datetime:
    """A time of a request."""
    try:
        return to_datetime(stamp)
    except (ValueError, OverflowError) as error:
        raise invalid(field, "is no time between the years 1 and 9999") from error


def target(views: Views, text: str) -> str:
    """A target of ours, or empty for all."""
    if text and text not in views.targets:
        raise invalid("target", f"no route leads to {text[:60]!r}; there are {', '.join(views.targets)}")
    return text


def connection(views: Views, text: str, field: str = "connection") -> str:
    """A store of ours, or empty for all."""
    if text and text not in views.connections:
        raise invalid(field, f"{text[:60]!r} is no store of any route; there are {', '.join(views.connections)}")
    return text


async def order(views: Views, name: str, field: str = "name") -> Order:
    """The one order that is named. Raises NOT_FOUND, or FAILED_PRECONDITION when several have that number."""
    found = await _candidates(views, name, field)
    if not found:
        raise _unknown(name)
    return found[0]


async def order_or_new(views: Views, name: str, field: str) -> Order:
    """As `order`, but a full name may be one that nobody has told us of yet."""
    found = await _candidates(views, name, field)
    new = None if found else views.named(name)
    if not found and new is None:
        raise _unknown(name)
    return found[0] if found else new  # type: ignore[return-value]


async def _candidates(views: Views, name: str, field: str) -> list[Order]:
    if not name or len(name) > 400 or "\0" in name:
        raise invalid(field, "name the order as <connection>/<order id>, or by its number")
    found = await views.find(name)
    if len(found) > 1:
        names = ", ".join(one.name for one in found[:5])
        raise precondition(
            "ORDER_AMBIGUOUS", f"several orders are called {name[:60]!r}: {names}; use one of these names"
        )
    return found


def _unknown(name: str) -> ApiError:
    return not_found("ORDER", f"no store has shown an order {name[:60]!r}")
