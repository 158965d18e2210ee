"""Orders that changed in a span of time: the filters that the real shop obeys, page by page, twice if it must be.

Seen on WooCommerce 11.0.1: `modified_after` and `modified_before` exclude their own second, `dates_are_gmt=true`
works only without a `Z`, `status=any` leaves out the trash, and a page after the last says that the total is 0.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from tallystick.ports import Window

from .api import PER_PAGE, Api, InvalidParameter, Page
from .fields import Json

#: An order that changes during a walk leaves its window and shifts the pages after it, so the walk is repeated.
_PASSES_MAX = 3

_SECOND = timedelta(seconds=1)


def span(window: Window, field: str) -> dict[str, str]:
    """The filter of a closed window, a second wider at both ends; `field` is "modified_" or "" (date of creation)."""
    return {
        f"{field}after": _gmt(window.start - _SECOND),
        f"{field}before": _gmt(window.end + _SECOND),
        "dates_are_gmt": "true",
    }


def _gmt(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


class Changes:
    """Walks through lists of orders of one shop."""

    def __init__(self, api: Api) -> None:
        self._api = api
        #: `orderby=modified` is newer than the date filters; older shops sort by creation.
        self._order_by = "modified"

    async def modified(self, window: Window) -> AsyncIterator[Sequence[Json]]:
        """Orders whose date of change lies in the window, those in the trash included, drafts of checkouts not."""
        for status in ("any", "trash"):
            async for page in self._walk(span(window, "modified_") | {"status": status}):
                yield page

    async def created(self, window: Window) -> AsyncIterator[Sequence[Json]]:
        """Orders placed in the window."""
        async for page in self._walk(span(window, "") | {"status": "any"}):
            yield page

    async def accounts(self) -> AsyncIterator[Sequence[Json]]:
        """All accounts, the newest last, so that one that is made meanwhile moves no page."""
        number, last = 0, False
        while not last:
            number += 1
            params = {"role": "all", "orderby": "id", "order": "asc", "per_page": str(PER_PAGE), "page": str(number)}
            page = await self._api.page("customers", params)
            last = number >= page.pages if page.pages is not None else len(page.rows) < PER_PAGE
            yield page.rows

    async def _walk(self, filters: Mapping[str, str]) -> AsyncIterator[Sequence[Json]]:
        for _ in range(_PASSES_MAX):
            totals: set[int | None] = set()
            async for page in self._pages(filters):
                totals.add(page.total)
                yield page.rows
            if len(totals) <= 1:
                return

    async def _pages(self, filters: Mapping[str, str]) -> AsyncIterator[Page]:
        number, last = 0, False
        while not last:
            number += 1
            page = await self._page(filters, number)
            if not page.rows:
                return
            last = number >= page.pages if page.pages is not None else len(page.rows) < PER_PAGE
            yield page

    async def _page(self, filters: Mapping[str, str], number: int) -> Page:
        params = {**filters, "per_page": str(PER_PAGE), "page": str(number), "order": "asc"}
        try:
            return await self._api.page("orders", params | {"orderby": self._order_by})
        except InvalidParameter as error:
            if "orderby" not in error.names or self._order_by == "date":
                raise
        self._order_by = "date"
        return await self._api.page("orders", params | {"orderby": "date"})
