"""Instants are UTC; a day belongs to the selling entity's zone. Both are kept, neither is guessed."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from google.protobuf import timestamp_pb2

from tallystick.errors import SetupError, Unreadable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def zone(name: str) -> ZoneInfo:
    """A time zone of the IANA database, such as Asia/Bangkok. Raises `SetupError`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SetupError(f"{name!r} is no IANA time zone; write for example Asia/Bangkok or Europe/Berlin") from error


def parse_instant(text: str, naive_in: tzinfo | None = None) -> datetime:
    """A store's ISO 8601 text as an instant in UTC.

    Shopify writes an offset or `Z`; WooCommerce's `*_gmt` fields write none and need `naive_in=UTC`.
    Raises `Unreadable` for anything else, also for a time without an offset when `naive_in` is not given.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable(f"{text[:40]!r} is no date and time such as 2026-11-20T03:15:42Z") from error
    if len(text) <= len("2026-11-20") or (instant.tzinfo is None and naive_in is None):
        raise Unreadable(f"{text[:40]!r} names no instant: its time or its offset from UTC is missing")
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=naive_in)
    return instant.astimezone(UTC)


def to_timestamp(instant: datetime) -> timestamp_pb2.Timestamp:
    """The protobuf form. Raises ValueError for a datetime without a zone."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(instant)
    return stamp


def to_datetime(stamp: timestamp_pb2.Timestamp) -> datetime:
    """The instant in UTC, to the microsecond."""
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)


def business_date(instant: datetime, where: tzinfo) -> date:
    """The calendar day on which it happened there: 23:50 UTC is already tomorrow in Bangkok and Tokyo."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(where).date()
