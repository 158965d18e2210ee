"""`tallystick connections test`: what only the real shop can prove."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from tallystick.errors import TallystickError
from tallystick.ports import WebhookState, Window

from .api import Api
from .changes import span
from .fields import Json, gmt, text
from .settings import WooCommerceSettings
from .webhook import TOPICS

Finding = tuple[str, bool, str]

#: The shop decodes HTML entities in a secret before it signs, so these characters may change on the way.
_ENTITY_CHARACTERS = frozenset("&<>\"'")


class Shop(Protocol):
    """What the adapter can tell about its shop."""

    async def identity(self) -> str: ...

    async def webhooks(self) -> Sequence[WebhookState]: ...

    async def legacy_storage(self) -> bool: ...


class Probe:
    """Tries one thing after the other; a thing that fails is a finding and does not stop the next."""

    def __init__(self, api: Api, settings: WooCommerceSettings, shop: Shop) -> None:
        self._api = api
        self._settings = settings
        self._shop = shop

    async def run(self) -> list[Finding]:
        """All findings, in the order in which they are worth reading."""
        tried: list[tuple[str, Callable[[], Awaitable[list[Finding]]]]] = [
            ("the shop answers", self._answers),
            ("orders can be read, and filtered by date", self._date_filter),
            ("the storage of orders", self._storage),
            ("webhooks", self._webhooks),
        ]
        findings = self._secrets()
        for name, attempt in tried:
            try:
                findings += await attempt()
            except TallystickError as error:
                findings.append((name, False, str(error)))
        return findings

    async def _answers(self) -> list[Finding]:
        return [(f"the shop answers as {await self._shop.identity()}", True, "")]

    async def _date_filter(self) -> list[Finding]:
        """One known order has to be inside the window around its own date, and outside of every other window."""
        name = "orders can be filtered by their date of change"
        latest = await self._api.page("orders", {"per_page": "1", "orderby": "modified", "order": "desc"})
        known = latest.rows[0] if latest.rows else None
        changed = gmt(known, "date_modified") if known else None
        if known is None or changed is None:
            return [(name, True, "the shop has no order yet, so this could not be tried")]
        inside = await self._found(known, changed, changed)
        outside = await self._found(known, changed + timedelta(hours=25), changed + timedelta(hours=26))
        if inside and not outside:
            return [(name, True, "")]
        what = "ignores the filter" if inside else "filters by another time zone than GMT"
        return [(name, False, f"the shop {what}; update WooCommerce to 5.8 or newer: polling would miss orders")]

    async def _found(self, known: Json, start: datetime, end: datetime) -> bool:
        filters = span(Window(start, end), "modified_")
        page = await self._api.page("orders", {**filters, "status": "any", "per_page": "100"})
        return text(known.get("id")) in {text(row.get("id")) for row in page.rows}

    async def _storage(self) -> list[Finding]:
        if not await self._shop.legacy_storage():
            return [("orders are in tables of their own (HPOS)", True, "")]
        hours = self._settings.legacy_lookback_h
        return [
            (
                "orders are in tables of their own (HPOS)",
                False,
                "they are kept as posts, where edits do not move an order's date: a lost delivery of an edit is "
                f"found only within {hours} hours of the order; switch to high-performance order storage",
            )
        ]

    async def _webhooks(self) -> list[Finding]:
        states, address = await self._shop.webhooks(), self._settings.webhook_address
        return [self._webhook(topic, states, address) for topic in TOPICS]

    def _webhook(self, topic: str, states: Sequence[WebhookState], address: str | None) -> Finding:
        name = f"the webhook {topic} delivers here"
        ours = [state for state in states if state.topic == topic and address in (None, state.address)]
        if not ours:
            where = f" to {address}" if address else ""
            return (name, False, f"there is none{where}: make it under WooCommerce, Settings, Advanced, with a secret")
        if not any(state.active for state in ours):
            return (name, False, "it is not active; the shop disables it after seven failures in a row: activate it")
        return (name, True, "" if address else "set `webhook_address` to have its address compared")

    def _secrets(self) -> list[Finding]:
        """A secret that is not set at the webhook itself is made up by the shop and shown to nobody."""
        name = "the webhook secrets can be used"
        secrets = [secret.reveal() for secret in self._settings.webhook_secrets]
        if any(_ENTITY_CHARACTERS & set(secret) for secret in secrets):
            return [(name, False, "a secret has one of & < > \" ' in it, which the shop may change: choose another")]
        if not all(secrets):
            return [(name, False, "a secret is empty: give each webhook the same long random text")]
        return [(name, True, "")]
