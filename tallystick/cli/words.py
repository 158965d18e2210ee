"""States and times of the API in the words and colours of the terminal."""

from datetime import UTC, timedelta
from enum import StrEnum

from google.protobuf.timestamp_pb2 import Timestamp
from rich.markup import escape
from rich.text import Text

from tallystick.v1 import order_sync_pb2 as pb


class State(StrEnum):
    """How far an order has come, as it is typed."""

    ACCEPTED = "accepted"
    SYNCING = "syncing"
    WAITING = "waiting"
    HELD = "held"
    SYNCED = "synced"
    NOT_ELIGIBLE = "not-eligible"
    SKIPPED = "skipped"
    ADOPTED = "adopted"


STATES = {one: pb.SyncState.Value("SYNC_STATE_" + one.name) for one in State}
_NAMES = {value: name for name, value in STATES.items()}
#: It goes on by nobody but a person, or not at all.
STOPPED = (pb.SYNC_STATE_HELD, pb.SYNC_STATE_NOT_ELIGIBLE)
_COLOURS = {State.SYNCED: "green", State.ADOPTED: "green", State.HELD: "bold yellow", State.WAITING: "cyan"}


def state(value: pb.SyncState.ValueType) -> str:
    """Its name."""
    name = _NAMES.get(value)
    return name.value if name else "unknown"


def coloured(value: pb.SyncState.ValueType, text: str) -> str:
    """A sentence in the colour of its state."""
    colour = _COLOURS.get(_NAMES.get(value, State.ACCEPTED))
    return f"[{colour}]{escape(text)}[/]" if colour else escape(text)


def cell(value: pb.SyncState.ValueType) -> Text:
    """Its name in a table, in its colour."""
    return Text(state(value), style=_COLOURS.get(_NAMES.get(value, State.ACCEPTED), ""))


def moment(stamp: Timestamp) -> str:
    """Day and time in the reader's zone."""
    return f"{day(stamp)} {time_of_day(stamp)}"


def day(stamp: Timestamp) -> str:
    """Such as 2026-11-28."""
    return f"{stamp.ToDatetime(UTC).astimezone():%Y-%m-%d}"


def time_of_day(stamp: Timestamp) -> str:
    """Such as 09:00:03."""
    return f"{stamp.ToDatetime(UTC).astimezone():%H:%M:%S}"


def ago(age: timedelta) -> str:
    """An age in its largest unit, such as `12 s ago` or `3 h ago`."""
    seconds = max(0, round(age.total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
