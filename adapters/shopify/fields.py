"""Single values of a Shopify payload. JSON is parsed with `parse_float=Decimal`, so no amount ever was a float."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.shopify.state import ZERO
from tallystick.canonical.money import parse_amount
from tallystick.canonical.times import parse_instant
from tallystick.errors import Unreadable

Json = Mapping[str, Any]


def parse(raw: bytes) -> Any:
    """The JSON with ids as exact integers and numbers as `Decimal`. Raises `Unreadable`."""
    try:
        return json.loads(raw, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the bytes are not JSON") from error


def objects(value: object) -> list[Json]:
    """The JSON objects of a list; null and a missing list are empty."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def part(value: object) -> Json:
    """A JSON object; null is an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: object) -> str:
    """A text; null is empty."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list that are not empty."""
    return tuple(item for item in value if isinstance(item, str) and item) if isinstance(value, list) else ()


def identifier(value: object) -> str:
    """The number of an id, from `123`, `"123"` or `gid://shopify/Order/123?x=y`; empty for null."""
    if isinstance(value, bool) or value is None:
        return ""
    return str(value).rpartition("/")[2].partition("?")[0]


def instant(value: object) -> datetime | None:
    """An instant; None for null. Raises `Unreadable`."""
    return parse_instant(value) if isinstance(value, str) and value else None


def decimal(value: object) -> Decimal:
    """An amount; null and a missing one are zero. Raises `Unreadable`."""
    return ZERO if value is None or value == "" else parse_amount(value)


def count(value: object) -> int:
    """A number of pieces. Raises `Unreadable`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable(f"a quantity was {type(value).__name__}; Shopify counts whole pieces")
    return value


def percent(rate: object) -> str:
    """A fraction such as 0.0725 as the text of its percents, "7.25"; empty when the store states none."""
    if isinstance(rate, bool) or not isinstance(rate, int | Decimal):
        return ""
    written = format((Decimal(rate) * 100).normalize(), "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def spelled(value: object) -> str:
    """A value that a buyer's form left in an attribute, as text."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, default=str, sort_keys=True)


def pairs(items: Sequence[Json], name: str) -> tuple[tuple[str, str], ...]:
    """Attributes in their order; those without a name are left out."""
    return tuple((text(item.get(name)), spelled(item.get("value"))) for item in items if text(item.get(name)))


def filled(**values: str) -> tuple[tuple[str, str], ...]:
    """The pairs that are not empty."""
    return tuple((name, value) for name, value in values.items() if value)


def joined(*words: str) -> str:
    """Words with one space between those that are there."""
    return " ".join(word for word in words if word)


def need(order: Json, *names: str) -> None:
    """Raise `Unreadable` that tells which of the fields are missing, and that includeFields may be why."""
    missing = [name for name in names if order.get(name) is None]
    if missing:
        raise Unreadable(
            f"this is no whole order of Shopify: it has no {', '.join(missing)}; if a subscription limits its fields "
            "(includeFields), take that away"
        )
