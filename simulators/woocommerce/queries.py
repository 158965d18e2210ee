"""Lists of orders: filters with the quirks of the real shop, sorting, pages and their headers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from .errors import ApiError, invalid
from .model import Order
from .shop import ShopSettings

_STATUSES = (
    "any", "trash", "auto-draft", "pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed",
    "checkout-draft",
)  # fmt: skip
_HIDDEN_FROM_ANY = ("trash", "auto-draft", "checkout-draft")
_ORDERS_BY: Mapping[str, Callable[[Order], Any]] = {
    "date": lambda order: (order.created, order.id),
    "id": lambda order: order.id,
    "include": lambda order: order.id,
    "title": lambda order: order.id,
    "slug": lambda order: order.id,
    "modified": lambda order: (order.modified, order.id),
}


@dataclass(frozen=True, slots=True)
class ListPage:
    """The orders of one page and the headers that come with it."""

    orders: Sequence[Order]
    headers: Mapping[str, str]


def page_of(orders: Sequence[Order], query: Mapping[str, str], settings: ShopSettings) -> ListPage:
    """Filter, sort and cut. Raises `ApiError` for parameters that are not allowed; unknown ones are ignored."""
    per_page = _number(query, "per_page", 10, 1, 100)
    number = _number(query, "page", 1, 1, None)
    zone = ZoneInfo(settings.zone)
    if not settings.filters_by_change:
        query = {name: value for name, value in query.items() if not name.startswith("modified_")}
    found = [order for order in _sorted(orders, query, settings) if _wanted(order, query, zone)]
    cut = found[(number - 1) * per_page : number * per_page]
    total = len(found) if cut or not settings.hpos else 0
    pages = -(-total // per_page)
    headers = {"X-WP-Total": str(total), "X-WP-TotalPages": str(pages), "Allow": "GET, POST"}
    return ListPage(cut, headers | {"Link": _link(query, number, pages, settings.home)})


def _sorted(orders: Sequence[Order], query: Mapping[str, str], settings: ShopSettings) -> list[Order]:
    by, direction = query.get("orderby", "date"), query.get("order", "desc")
    allowed = [name for name in _ORDERS_BY if name != "modified" or settings.sorts_by_change]
    if by not in allowed:
        message = f"orderby is not one of {', '.join(allowed[:-1])}, and {allowed[-1]}."
        raise invalid("orderby", "rest_not_in_enum", message)
    return sorted(orders, key=_ORDERS_BY[by], reverse=direction == "desc")


def _wanted(order: Order, query: Mapping[str, str], zone: ZoneInfo) -> bool:
    return (
        _has_status(order, query.get("status", "any"))
        and _in_span(order.modified, query, "modified_", zone)
        and _in_span(order.created, query, "", zone)
        and ("include" not in query or str(order.id) in query["include"].split(","))
    )


def _has_status(order: Order, wanted: str) -> bool:
    statuses = wanted.split(",")
    for index, status in enumerate(statuses):
        if status not in _STATUSES:
            allowed = f"{', '.join(_STATUSES[:-1])}, and {_STATUSES[-1]}"
            raise invalid("status", "rest_not_in_enum", f"status[{index}] is not one of {allowed}.")
    if "any" in statuses:
        return order.status not in _HIDDEN_FROM_ANY
    return order.status in statuses


def _in_span(moment: datetime, query: Mapping[str, str], prefix: str, zone: ZoneInfo) -> bool:
    """Both ends exclusive, in whole seconds.

    A value with an offset becomes the shop's wall clock; with `dates_are_gmt=true` any wall clock is then compared
    with GMT. So `Z` and the flag together are off by the shop's zone.
    """
    in_gmt = query.get("dates_are_gmt") in ("true", "1")
    shown = moment.astimezone(UTC if in_gmt else zone).replace(tzinfo=None)
    after, before = f"{prefix}after", f"{prefix}before"
    return not (
        (after in query and shown <= _wall_clock(query, after, zone))
        or (before in query and shown >= _wall_clock(query, before, zone))
    )


def _wall_clock(query: Mapping[str, str], name: str, zone: ZoneInfo) -> datetime:
    try:
        value = datetime.fromisoformat(query[name])
    except ValueError:
        raise invalid(name, "rest_invalid_date", "Invalid date.") from None
    return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value


def _number(query: Mapping[str, str], name: str, default: int, least: int, most: int | None) -> int:
    text = query.get(name, str(default))
    if not text.lstrip("-").isdigit():
        raise invalid(name, "rest_invalid_type", f"{name} is not of type integer.")
    value = int(text)
    if value < least or (most is not None and value > most):
        raise _out_of_bounds(name, least, most)
    return value


def _out_of_bounds(name: str, least: int, most: int | None) -> ApiError:
    bound = f"between {least} (inclusive) and {most} (inclusive)" if most else f"greater than or equal to {least}"
    return invalid(name, "rest_out_of_bounds", f"{name} must be {bound}")


def _link(query: Mapping[str, str], number: int, pages: int, home: str) -> str:
    """A list of one page has only the link to the API itself."""
    links = []
    if number > 1:
        links.append((min(number - 1, pages), "prev"))
    if number < pages:
        links.append((number + 1, "next"))
    if not links:
        return f'<{home}/wp-json/>; rel="https://api.w.org/"'
    base = f"{home}/wp-json/wc/v3/orders"
    return ", ".join(f'<{base}?{urlencode({**query, "page": page})}>; rel="{rel}"' for page, rel in links)
