"""The shop's webhooks: as it lists them, and mended where they are missing or disabled.

A webhook without a secret is signed with one that the shop makes up and never shows, so one is always sent. Making it
active again does not reset its count of failures: one more failure disables it again (both seen on WooCommerce 11.0.1).
"""

from collections.abc import Sequence

from tallystick.clock import Budget, Clock
from tallystick.errors import Throttled, Unavailable, Unreadable
from tallystick.pacing import Pacer
from tallystick.ports import Doubt, NotApplied, Refused, WebhookState

from .api import Api
from .fields import Json, reference, text
from .settings import WooCommerceSettings
from .webhook import TOPICS

_REQUEST_S = 30.0


class Subscriptions:
    """Of one shop. Raises `Unavailable`, `Unauthorised`."""

    def __init__(self, api: Api, settings: WooCommerceSettings, pacer: Pacer, clock: Clock) -> None:
        self._api = api
        self._settings = settings
        self._pacer = pacer
        self._clock = clock

    async def states(self) -> Sequence[WebhookState]:
        """As the shop lists them; with an address in the settings, wanted topics that nobody sends there as well."""
        rows = await self._listed()
        states = [_state(row) for row in rows]
        return [*states, *(WebhookState(topic, False, "") for topic in self._missing(rows))]

    async def mend(self) -> Sequence[str]:
        """Activate ours that are not, make ours that are missing; answers the topics. Raises `Unreadable` too."""
        rows = await self._listed()
        asleep = [row for row in rows if self._is_ours(row) and not _state(row).active]
        for row in asleep:
            await self._write("PUT", f"webhooks/{reference(row.get('id'))}", {"status": "active"})
        missing = self._missing(rows)
        for topic in missing:
            await self._write("POST", "webhooks", self._made(topic))
        return sorted({*(text(row.get("topic")) for row in asleep), *missing})

    async def _listed(self) -> Sequence[Json]:
        return (await self._api.page("webhooks", {"per_page": "100", "context": "view"})).rows

    def _is_ours(self, row: Json) -> bool:
        return text(row.get("topic")) in TOPICS and text(row.get("delivery_url")) == self._settings.webhook_address

    def _missing(self, rows: Sequence[Json]) -> list[str]:
        if self._settings.webhook_address is None:
            return []
        there = {text(row.get("topic")) for row in rows if self._is_ours(row)}
        return [topic for topic in TOPICS if topic not in there]

    def _made(self, topic: str) -> Json:
        return {
            "name": f"Tallystick {topic}",
            "topic": topic,
            "delivery_url": self._settings.webhook_address,
            "secret": self._settings.webhook_secrets[0].reveal(),
            "status": "active",
        }

    async def _write(self, method: str, path: str, body: Json) -> None:
        await self._pacer.wait()
        budget = Budget(self._clock, self._clock.monotonic_s() + _REQUEST_S)
        answer = await self._api.change(method, path, body, budget)
        if isinstance(answer, Refused):
            raise Unreadable(f"{answer.detail}; the key needs the right to write")
        if isinstance(answer, NotApplied) and answer.throttled:
            raise Throttled(answer.detail, answer.retry_after_s)
        if isinstance(answer, NotApplied | Doubt):
            raise Unavailable(answer.detail)


def _state(row: Json) -> WebhookState:
    return WebhookState(text(row.get("topic")), text(row.get("status")) == "active", text(row.get("delivery_url")))
