"""Searches by `updated_at`: what the filter of a query lets through, the earliest change first."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol, TypeVar

_UPDATED_AT = re.compile(r"updated_at:(>=|<=)'([^']+)'")


class Dated(Protocol):
    """Anything that changes."""

    updated_at: datetime


_T = TypeVar("_T", bound=Dated)


def bounds(query: str) -> tuple[datetime, datetime]:
    """The window of a query, both ends included; open where it names none."""
    named = {sign: datetime.fromisoformat(text) for sign, text in _UPDATED_AT.findall(query)}
    low, high = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    return named.get(">=", low), named.get("<=", high)


def within(found: Iterable[_T], query: str) -> list[_T]:
    """Those that changed in the window."""
    low, high = bounds(query)
    return sorted((one for one in found if low <= one.updated_at <= high), key=lambda one: one.updated_at)
