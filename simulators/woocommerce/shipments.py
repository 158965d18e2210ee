"""What a shop tells the buyer beside the order: notes of the core, and trackings of an extension that may be there.

A note to the buyer is a mail; neither notes nor trackings touch the order, so no delivery tells of them.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from simulators.journal import Journal

from .errors import ApiError, invalid, no_route
from .model import Order

Json = dict[str, Any]


class Shipments:
    """Notes and trackings by order id."""

    def __init__(self, journal: Journal, now: Callable[[], datetime]) -> None:
        self.notes: dict[int, list[Json]] = {}
        self.trackings: dict[int, list[Json]] = {}
        #: Whether the extension is installed.
        self.extension = False
        self._journal = journal
        self._now = now
        self._last_id = 0

    def notes_of(self, order: Order, kind: str) -> list[Json]:
        """`kind` is any, customer or internal; the newest first."""
        found = reversed(self.notes.get(order.id, []))
        return [note for note in found if kind == "any" or note["customer_note"] == (kind == "customer")]

    def note(self, order: Order, body: Mapping[str, Any]) -> Json:
        """`POST /orders/{id}/notes`."""
        if not body.get("note"):
            raise invalid("note", "rest_missing_callback_param", "note is required.")
        made = {
            "id": self._id(),
            "author": "system",
            **self._dates(),
            "note": body["note"],
            "customer_note": body.get("customer_note") is True,
        }
        self.notes.setdefault(order.id, []).append(made)
        self._journal.note("note", str(order.id), made["note"])
        if made["customer_note"]:
            self._journal.note("mail", str(order.id), "note")
        return made

    def trackings_of(self, order: Order) -> list[Json]:
        """All of them."""
        self._installed()
        return self.trackings.get(order.id, [])

    def track(self, order: Order, body: Mapping[str, Any]) -> Json:
        """`POST /orders/{id}/shipment-trackings`: nothing keeps two from being alike."""
        self._installed()
        made = {
            "tracking_id": f"{self._id():032x}",
            "tracking_provider": body.get("custom_tracking_provider") or body.get("tracking_provider", ""),
            "tracking_link": body.get("custom_tracking_link", ""),
            "tracking_number": str(body.get("tracking_number", "")),
            "date_shipped": str(body.get("date_shipped", "")),
        }
        self.trackings.setdefault(order.id, []).append(made)
        self._journal.note("tracking", str(order.id), made["tracking_number"])
        return made

    def untrack(self, order: Order, tracking_id: str) -> Json:
        """`DELETE …/{tracking_id}`."""
        self._installed()
        found = next((one for one in self.trackings_of(order) if one["tracking_id"] == tracking_id), None)
        if found is None:
            message = "Invalid shipment tracking ID."
            raise ApiError(404, "woocommerce_rest_order_shipment_tracking_invalid_id", message)
        self.trackings[order.id].remove(found)
        self._journal.note("tracking deleted", str(order.id), found["tracking_number"])
        return found

    def _installed(self) -> None:
        if not self.extension:
            raise no_route()

    def _dates(self) -> Json:
        stamp = self._now().strftime("%Y-%m-%dT%H:%M:%S")
        return {"date_created": stamp, "date_created_gmt": stamp}

    def _id(self) -> int:
        self._last_id += 1
        return self._last_id
