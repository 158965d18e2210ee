"""Webhooks as Shopify sends them: signed over the bytes, tried again with the *old* bytes, deleted when nobody answers.

Nothing is sent by itself. The shop queues deliveries, and whoever plays the scene decides to send, repeat, reorder,
lose or forge them. Times come from the shop's clock.
"""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp

#: Shopify tries a delivery again eight times within four hours (developer changelog of 2024-09-10).
RETRIES = 8
#: After so many failures in a row a subscription made by the API is deleted.
FAILURES_MAX = 8
#: Connect and answer together.
ANSWER_S = 5.0


@dataclass(slots=True)
class Subscription:
    """One topic to one address, made by the API."""

    id: int
    topic: str
    address: str
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One signed message. `body` stays what it was when the change happened, however late it is sent."""

    subscription: int
    topic: str
    address: str
    headers: Mapping[str, str]
    body: bytes
    order_id: int
    due_at: datetime
    attempts: int = 0

    def forged(self) -> "Delivery":
        """The same with other content under the old signature."""
        return replace(self, body=self.body.replace(b'"total_price": "', b'"total_price": "9', 1) + b" ")


@dataclass(slots=True)
class Hooks:
    """Subscriptions and the queue of deliveries."""

    domain: str
    api_version: str
    secret: str
    subscriptions: dict[int, Subscription] = field(default_factory=dict)
    queue: list[Delivery] = field(default_factory=list)
    _events: int = 0

    def subscribe(self, topic: str, address: str) -> Subscription:
        """A new subscription; several of one topic are allowed."""
        number = 1_000_000 + len(self.subscriptions) + sum(1 for _ in self.queue)
        while number in self.subscriptions:
            number += 1
        made = Subscription(number, topic, address)
        self.subscriptions[number] = made
        return made

    def announce(self, now: datetime, order_id: int, bodies: Mapping[str, Any]) -> None:
        """One change: each topic with its body, to every subscription of it, all under one event id."""
        self._events += 1
        event = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.domain}/{self._events}"))
        for topic, content in bodies.items():
            body = json.dumps(content, ensure_ascii=False).encode()
            for subscription in self.subscriptions.values():
                if subscription.topic == topic:
                    self.queue.append(self._delivery(subscription, event, now, order_id, body))

    def _delivery(self, subscription: Subscription, event: str, now: datetime, order_id: int, body: bytes) -> Delivery:
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": subscription.topic,
            "X-Shopify-Shop-Domain": self.domain,
            "X-Shopify-Hmac-Sha256": sign(self.secret, body),
            "X-Shopify-API-Version": self.api_version,
            "X-Shopify-Webhook-Id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{event}/{subscription.id}")),
            "X-Shopify-Event-Id": event,
            "X-Shopify-Triggered-At": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        return Delivery(subscription.id, subscription.topic, subscription.address, headers, body, order_id, now)

    def settled(self, delivery: Delivery, now: datetime, delivered: bool) -> None:
        """Take note of an answer, or of none: success, a later try, or the end."""
        if delivery in self.queue:
            self.queue.remove(delivery)
        subscription = self.subscriptions.get(delivery.subscription)
        if subscription is None:
            return
        if delivered:
            subscription.failures = 0
            return
        subscription.failures += 1
        if subscription.failures >= FAILURES_MAX:
            self._delete(subscription)
        elif delivery.attempts < RETRIES:
            wait = timedelta(hours=4) / 2 ** (RETRIES - delivery.attempts)
            self.queue.append(replace(delivery, attempts=delivery.attempts + 1, due_at=now + wait))

    def _delete(self, subscription: Subscription) -> None:
        del self.subscriptions[subscription.id]
        self.queue = [one for one in self.queue if one.subscription != subscription.id]


def sign(secret: str, body: bytes) -> str:
    """The header's text: base64 of HMAC-SHA256 over the raw bytes."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


class Sender:
    """Sends deliveries over HTTP. An async context manager."""

    async def __aenter__(self) -> "Sender":
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=ANSWER_S), cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def send(self, delivery: Delivery) -> int:
        """The answer's status; 0 when there was none in time. A redirect is a failure like any other."""
        try:
            async with self._session.post(
                delivery.address, data=delivery.body, headers=dict(delivery.headers), allow_redirects=False
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0
