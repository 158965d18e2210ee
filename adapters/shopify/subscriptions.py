"""The shop's webhook subscriptions: as the API lists them, and made anew after Shopify deleted them.

Shopify deletes a subscription that was made by the API after eight failed deliveries (developer changelog of
2024-09-10). Subscriptions in the app's own configuration file are not listed, and show as missing here.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from adapters.shopify.buyer_webhooks import COMPANY_TOPICS, CUSTOMER_TOPICS
from adapters.shopify.client import ShopifyClient
from adapters.shopify.fields import objects, part, text
from adapters.shopify.settings import ShopifySettings
from adapters.shopify.webhooks import ORDER_TOPICS, PART_TOPICS
from tallystick.clock import Budget, Clock
from tallystick.errors import Throttled, Unavailable, Unreadable
from tallystick.pacing import Pacer
from tallystick.ports import Doubt, NotApplied, WebhookState

_PAGE = 100
_REQUEST_S = 30.0

READ_SUBSCRIPTIONS = """query ReadSubscriptions($first: Int!, $after: String) {
  webhookSubscriptions(first: $first, after: $after) {
    nodes { topic uri }
    pageInfo { hasNextPage endCursor }
  }
}
"""

CREATE_SUBSCRIPTION = """mutation CreateSubscription(
  $topic: WebhookSubscriptionTopic!, $webhookSubscription: WebhookSubscriptionInput!
) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $webhookSubscription) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
"""

ALL = (READ_SUBSCRIPTIONS, CREATE_SUBSCRIPTION)


class Subscriptions:
    """Of one shop. Raises `Unavailable`, `Unauthorised`, `Unreadable`."""

    def __init__(self, client: ShopifyClient, settings: ShopifySettings, pacer: Pacer, clock: Clock) -> None:
        self._client = client
        self._settings = settings
        self._pacer = pacer
        self._clock = clock

    async def states(self) -> Sequence[WebhookState]:
        """The subscriptions made by the API, and as inactive the wanted topics that have none."""
        found = [state async for state in self._listed()]
        return [*found, *(WebhookState(topic, active=False, address="") for topic in self._missing(found))]

    async def mend(self) -> Sequence[str]:
        """Make those that are missing; answers their topics.

        One that is refused does not keep the others from being made, and is no matter if it is there in the end:
        another process, or a person, made it meanwhile.
        """
        missing = self._missing([state async for state in self._listed()])
        refused = {topic: why for topic in missing if (why := await self._create(topic))}
        lacking = self._missing([state async for state in self._listed()]) if refused else []
        if lacking:
            told = "; ".join(f"{topic}: {refused.get(topic, 'it is gone again')}" for topic in lacking)
            raise Unreadable(f"Shopify refuses subscriptions: {told[:300]}")
        return missing

    def _missing(self, found: Sequence[WebhookState]) -> list[str]:
        address = self._settings.webhook_address
        there = {state.topic for state in found if address in (None, state.address)}
        return [topic for topic in self._settings.wanted_topics if topic not in there]

    async def _listed(self) -> AsyncIterator[WebhookState]:
        variables: dict[str, Any] = {"first": _PAGE, "after": None}
        while True:
            page = part((await self._client.query(READ_SUBSCRIPTIONS, variables)).get("webhookSubscriptions"))
            for node in objects(page.get("nodes")):
                yield WebhookState(_topic(text(node.get("topic"))), active=True, address=text(node.get("uri")))
            if not part(page.get("pageInfo")).get("hasNextPage"):
                return
            variables["after"] = text(part(page["pageInfo"]).get("endCursor"))

    async def _create(self, topic: str) -> str:
        """Empty, or why it is refused."""
        await self._pacer.wait()
        budget = Budget(self._clock, self._clock.monotonic_s() + _REQUEST_S)
        wanted = {"uri": self._settings.webhook_address, "format": "JSON"}
        variables = {"topic": topic.replace("/", "_").upper(), "webhookSubscription": wanted}
        answer = await self._client.change(CREATE_SUBSCRIPTION, variables, budget)
        if isinstance(answer, NotApplied) and answer.throttled:
            raise Throttled(answer.detail, answer.retry_after_s)
        if isinstance(answer, NotApplied | Doubt):
            raise Unavailable(answer.detail)
        made = part(answer.get("webhookSubscriptionCreate"))
        return "; ".join(text(error.get("message")) for error in objects(made.get("userErrors")))


_TOPICS = {
    topic.replace("/", "_").upper(): topic for topic in (*ORDER_TOPICS, *PART_TOPICS, *CUSTOMER_TOPICS, *COMPANY_TOPICS)
}


def _topic(name: str) -> str:
    """ORDERS_CREATE as deliveries spell it, orders/create; topics of no interest stay as they are."""
    return _TOPICS.get(name, name.lower())
