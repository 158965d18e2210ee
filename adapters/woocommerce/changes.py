"""Orders that changed in a span of time: the filters that the real shop obeys, page by page.

Seen on WooCommerce 11.0.1: `modified_after` and `modified_before` exclude their own second, `dates_are_gmt=true`
works only without a `Z`, `status=any` leaves out the trash, and a page after the last says that the total is 0.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from tallystick.ports import Window

from .api import PER_PAGE, Api, InvalidParameter, Page
from .fields import Json, gmt

#: Where pages have to be numbered, what changes during a walk shifts those after it, so the walk is repeated.
_PASSES_MAX = 3
#: By the filter's field: the date that it is about, and what a list has to be sorted by to follow it.
_DATES = {"modified_": "date_modified", "": "date_created"}
_SORTED_BY = {"modified_": "modified", "": "date"}

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
            async for rows in self._walk(window, "modified_", status):
                yield rows

    async def count(self, window: Window) -> int | None:
        """How many `modified` will find; None when the shop states no totals."""
        total = 0
        for status in ("any", "trash"):
            params = span(window, "modified_") | {"status": status, "per_page": "1"}
            told = (await self._api.page("orders", params)).total
            if told is None:
                return None
            total += told
        return total

    async def created(self, window: Window) -> AsyncIterator[Sequence[Json]]:
        """Orders placed in the window."""
        async for rows in self._walk(window, "", "any"):
            yield rows

    async def accounts(self) -> AsyncIterator[Sequence[Json]]:
        """All accounts, the newest last, so that one that is made meanwhile moves no page."""
        number, last = 0, False
        while not last:
            number += 1
            params = {"role": "all", "orderby": "id", "order": "asc", "per_page": str(PER_PAGE), "page": str(number)}
            page = await self._api.page("customers", params)
            last = _is_last(page, number)
            yield page.rows

    async def _walk(self, window: Window, field: str, status: str) -> AsyncIterator[Sequence[Json]]:
        """From date to date and not by page numbers: what changes or goes meanwhile would shift the pages after it.

        The second in which one page ended is read again by the next, so that some rows repeat and none is left out.
        """
        while True:
            filters = span(window, field) | {"status": status}
            page = await self._page(filters, 1, field)
            if page.rows:
                yield page.rows
            if _is_last(page, 1):
                return
            reached = gmt(page.rows[-1], _DATES[field])
            if reached is None or reached <= window.start or self._sorting(field) != _SORTED_BY[field]:
                break
            window = Window(reached, window.end)
        # More than a page in one second, or a shop that cannot sort so.
        async for rows in self._by_number(filters, field, page):
            yield rows

    async def _by_number(self, filters: Mapping[str, str], field: str, first: Page) -> AsyncIterator[Sequence[Json]]:
        """The pages after the first one; all of them again where they shifted meanwhile."""
        totals, begin = {first.total}, 2
        for _ in range(_PASSES_MAX):
            async for page in self._pages(filters, field, begin):
                totals.add(page.total)
                yield page.rows
            if len(totals) <= 1:
                return
            totals, begin = set(), 1

    async def _pages(self, filters: Mapping[str, str], field: str, number: int) -> AsyncIterator[Page]:
        while True:
            page = await self._page(filters, number, field)
            if not page.rows:
                return
            yield page
            if _is_last(page, number):
                return
            number += 1

    def _sorting(self, field: str) -> str:
        return self._order_by if field else "date"

    async def _page(self, filters: Mapping[str, str], number: int, field: str) -> Page:
        params = {**filters, "per_page": str(PER_PAGE), "page": str(number), "order": "asc"}
        try:
            return await self._api.page("orders", params | {"orderby": self._sorting(field)})
        except InvalidParameter as error:
            if "orderby" not in error.names or self._sorting(field) == "date":
                raise
        self._order_by = "date"
        return await self._api.page("orders", params | {"orderby": "date"})


def _is_last(page: Page, number: int) -> bool:
    return number >= page.pages if page.pages is not None else len(page.rows) < PER_PAGE
