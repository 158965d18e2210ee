"""Reading requests: names of orders, request ids, reasons, times. What cannot be is refused in words."""

import re
from collections.abc import Sequence
from datetime import datetime

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from service.callers import Context
from service.errors import ApiError, invalid, not_found, precondition
from tallystick.canonical.times import to_datetime
from tallystick.ledger.views import Order, Views
from tallystick.v1 import order_sync_pb2

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
NOTE_MAX = 500
NAME_MAX = 400


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


def wait_s(asked: Duration, context: Context, look_again_s: float) -> float:
    """As long as is asked for, and short enough to answer before the deadline."""
    return max(0.0, min(asked.seconds + asked.nanos / 1e9, (context.time_remaining() or 0.0) - 2 * look_again_s))


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


def end(views: Views, text: str, field: str) -> str:
    """A store or an ERP of ours, or empty for all: what crosses may come from either, and go to either."""
    if text and text not in views.ends:
        raise invalid(field, f"no route touches {text[:60]!r}; there are {', '.join(views.ends)}")
    return text


def state(value: order_sync_pb2.SyncState.ValueType) -> str:
    """The name of a state, such as HELD; empty for all."""
    if value not in order_sync_pb2.SyncState.values():
        raise invalid("state", "is no state of this version")
    return order_sync_pb2.SyncState.Name(value).removeprefix("SYNC_STATE_") if value else ""


async def order(views: Views, name: str, field: str = "name") -> Order:
    """The one order that is named. Raises NOT_FOUND, or FAILED_PRECONDITION when several have that number."""
    (found,) = await _find(views, [name], field)
    if found is None:
        raise _unknown(name)
    return found


async def orders_or_new(views: Views, names: Sequence[str], field: str) -> list[Order]:
    """As `order` for each, but a full name may be one that nobody has told us of yet."""
    found = await _find(views, names, field)
    orders = [one or views.named(name) for one, name in zip(found, names, strict=True)]
    for one, name in zip(orders, names, strict=True):
        if one is None:
            raise _unknown(name)
    return [one for one in orders if one is not None]


def record(text: str) -> str:
    """The full name of a record."""
    if not _nameable(text):
        raise invalid("name", "write it in full, such as <connection>/<order id>/refund/<id>")
    return text


def _nameable(text: str) -> bool:
    return bool(text) and len(text) <= NAME_MAX and "\0" not in text


async def _find(views: Views, names: Sequence[str], field: str) -> list[Order | None]:
    for name in names:
        if not _nameable(name):
            raise invalid(field, "name the order as <connection>/<order id>, or by its number")
    found = await views.find(names)
    return [_one(name, candidates) for name, candidates in zip(names, found, strict=True)]


def _one(name: str, found: Sequence[Order]) -> Order | None:
    if len(found) > 1:
        names = ", ".join(one.name for one in found[:5])
        raise precondition("ORDER_AMBIGUOUS", f"several orders are called {name[:60]!r}: {names}; use a full name")
    return found[0] if found else None


def _unknown(name: str) -> ApiError:
    return not_found("ORDER", f"no store has shown an order {name[:60]!r}")
