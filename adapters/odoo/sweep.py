"""The sweep for second documents: all orders and credit notes that carry our mark, whichever External ID they have.

Our creates fold into one document by the External ID. What has our mark and not our External ID was made past that:
by a person who duplicated the order in Odoo (which copies `origin`), or by a script.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from tallystick import marks
from tallystick.ports import Window
from tallystick.reconcile.ports import Marked

from .forms import CREDIT, ORDER, Form
from .readback import CANCELLED
from .records import Records
from .settings import OdooSettings
from .transport import Json
from .values import moment, text

PER_PAGE = 200
_SECOND = timedelta(seconds=1)


class Sweep:
    """Reads of one connection. Raises `Unavailable`, `Unauthorised`."""

    def __init__(self, settings: OdooSettings, records: Records) -> None:
        self._kinds = (("order", ORDER, settings.mark_field), ("refund", CREDIT, settings.credit_mark_field))
        self._records = records

    async def marked(self, window: Window) -> AsyncIterator[Sequence[Marked]]:
        """Pages of documents made in the window, by id, cancelled ones left out."""
        for kind, form, mark_field in self._kinds:
            last_id = 0
            while True:
                rows = await self._page(form, mark_field, window, last_id)
                yield [one for row in rows if (one := _marked(kind, row, mark_field)) is not None]
                if len(rows) < PER_PAGE:
                    break
                last_id = rows[-1]["id"]

    async def _page(self, form: Form, mark_field: str, window: Window, after_id: int) -> list[Json]:
        domain = [
            ("id", ">", after_id),
            # `create_date` is kept with microseconds and compared in whole seconds by 19.
            ("create_date", ">=", moment(window.start)),
            ("create_date", "<", moment(window.end.replace(microsecond=0) + _SECOND)),
            (mark_field, "like", "tallystick "),
            ("state", "!=", CANCELLED),
        ]
        return await self._records.find(form.model, domain, ("name", mark_field), limit=PER_PAGE, order="id")


def _marked(kind: str, row: Json, mark_field: str) -> Marked | None:
    found = marks.find(text(row[mark_field]))
    return None if found is None else Marked(kind, found.ref, str(row["id"]), text(row["name"]).strip("/"))
