"""Reading WooCommerce's JSON leniently: plugins and old versions write numbers as texts and lists as objects."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tallystick.canonical.times import parse_instant
from tallystick.errors import Unreadable

Json = Mapping[str, Any]


def text(value: object) -> str:
    """A scalar as text without surrounding space; empty for null, objects and lists."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value.strip()
        case Decimal():
            return format(value, "f")
        case int():
            return str(value)
    return ""


def reference(value: object) -> str:
    """An id; WooCommerce writes 0 or "" for none."""
    return "" if text(value) in ("", "0", "false") else text(value)


def flag(value: object) -> bool:
    """A truth in any of the forms that PHP gives it."""
    return text(value).lower() in ("true", "yes", "1", "on")


def rows(value: object) -> list[Json]:
    """The objects of a list; PHP writes a list with gaps as an object with numbers for keys."""
    found = value.values() if isinstance(value, Mapping) else value if isinstance(value, Sequence) else ()
    return [row for row in found if isinstance(row, Mapping)]


def part(value: object) -> Json:
    """An object, empty when it is something else (PHP writes an empty object as a list)."""
    return value if isinstance(value, Mapping) else {}


def meta(value: object) -> dict[str, str]:
    """`meta_data` by key, the entries that are texts, numbers or truths; of several with one key the last wins."""
    entries = [(text(row["key"]), row.get("value")) for row in rows(value) if "key" in row]
    if isinstance(value, Mapping) and not entries:
        entries = [(key, entry) for key, entry in value.items() if not isinstance(entry, Mapping)]
    return {key: text(entry) for key, entry in entries if key and text(entry)}


def visible(entries: Mapping[str, str], also: Sequence[str] = ()) -> dict[str, str]:
    """The entries that belong to the content.

    Keys that begin with "_" are the plugins' own book-keeping (`_reduced_stock`, `_edit_lock`): they move while the
    order stays the same. Kept of them are where the buyer came from and what the connection names in `also`.
    """
    return {
        key: entry
        for key, entry in entries.items()
        if not key.startswith("_") or key.startswith("_wc_order_attribution_") or key in also
    }


def first(entries: Mapping[str, str], keys: Sequence[str]) -> str:
    """The first of these keys that is filled."""
    return next((entries[key] for key in keys if entries.get(key)), "")


def gmt(row: Json, field: str) -> datetime | None:
    """The instant of a `*_gmt` field, which has no offset and is UTC. The other date fields are in the shop's zone."""
    try:
        return parse_instant(text(row.get(f"{field}_gmt")), naive_in=UTC)
    except Unreadable:
        return None
