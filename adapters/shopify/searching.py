"""Searches by the date of change, both ends included."""

from datetime import UTC, datetime, timedelta

#: A search walks at most 25,000 objects (Shopify, "Pagination"); before that a new search begins where it stood.
WALK_MAX = 20_000


def changed_between(start: datetime, end: datetime) -> str:
    """The filter of a closed window."""
    return f"updated_at:>='{_stamp(start)}' AND updated_at:<='{_stamp(_up(end))}'"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _up(moment: datetime) -> datetime:
    """The next whole second: a change in the last second of the window is stamped with the second it began in."""
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + timedelta(seconds=1)
