"""The shop's webhooks: subscriptions, the queue of what is to be sent, and the sender that never tries twice."""

import base64
import hashlib
import hmac
import random
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

import aiohttp

from simulators.journal import Journal

#: 200 to 302 count as success; a redirect is not followed, so nothing arrives (seen on WooCommerce 11.0.1).
_SUCCESS = range(200, 303)
#: The seventh failure in a row disables a webhook.
_FAILURES_MAX = 6
_SECRET_LETTERS = string.ascii_letters + string.digits + "!@#%^*()&<>"


@dataclass(slots=True)
class Webhook:
    """One subscription. A secret that was not given is made up and never shown."""

    id: int
    topic: str
    address: str
    secret: str
    created: datetime
    name: str = ""
    status: str = "active"
    failures: int = 0
    modified: datetime | None = None
    ping_owed: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that is owed. Its body is built only when it is taken, so it may be newer than its event."""

    webhook_id: int
    topic: str
    object_id: int


@dataclass(frozen=True, slots=True)
class Request:
    """A delivery as it leaves the shop: exact headers and bytes. May be sent again, changed or thrown away."""

    delivery: Delivery
    address: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def forged(self, body: bytes | None = None) -> "Request":
        """The same request signed by somebody who does not know the secret."""
        content = self.body if body is None else body
        signature = ("X-WC-Webhook-Signature", sign("a guess", content))
        headers = tuple(signature if name == signature[0] else (name, value) for name, value in self.headers)
        return replace(self, headers=headers, body=content)


def sign(secret: str, body: bytes) -> str:
    """base64(HMAC-SHA256) over the raw bytes."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@dataclass(slots=True)
class Outbox:
    """Queue and sender. `body_of` builds a payload as the shop stands at that moment."""

    home: str
    version: str
    wordpress: str
    now: Callable[[], datetime]
    body_of: Callable[[Delivery], bytes]
    journal: Journal
    die: random.Random
    webhooks: dict[int, Webhook] = field(default_factory=dict)
    _owed: dict[Delivery, None] = field(default_factory=dict)
    _next_id: int = 1

    def subscribe(self, topic: str, address: str, secret: str = "", name: str = "") -> Webhook:
        """A new subscription, without its ping."""
        made_up = "".join(self.die.choices(_SECRET_LETTERS, k=50))
        webhook = Webhook(self._next_id, topic, address, secret or made_up, self.now(), name or f"hook {topic}")
        self.webhooks[webhook.id] = webhook
        self._next_id += 1
        return webhook

    def owe(self, topic: str, object_id: int) -> None:
        """An event: one delivery for each active webhook of the topic, merged with one that is still owed."""
        for webhook in self.webhooks.values():
            if webhook.topic == topic and webhook.status == "active":
                self._owed.setdefault(Delivery(webhook.id, topic, object_id))

    def pending(self) -> list[Delivery]:
        """What is owed, oldest first."""
        return list(self._owed)

    def drop(self, delivery: Delivery) -> None:
        """Lose a delivery: nobody will ever hear of it."""
        self._owed.pop(delivery, None)
        self.journal.note("delivery lost", str(delivery.object_id), delivery.topic)

    def take(self, delivery: Delivery) -> Request:
        """Build the request as the shop stands now; it is no longer owed."""
        self._owed.pop(delivery, None)
        webhook, body = self.webhooks[delivery.webhook_id], self.body_of(delivery)
        resource, event = delivery.topic.split(".")
        headers = (
            *self._common(),
            ("Content-Type", "application/json"),
            ("X-WC-Webhook-Source", f"{self.home}/"),
            ("X-WC-Webhook-Topic", delivery.topic),
            ("X-WC-Webhook-Resource", resource),
            ("X-WC-Webhook-Event", event),
            ("X-WC-Webhook-Signature", sign(webhook.secret, body)),
            ("X-WC-Webhook-ID", str(webhook.id)),
            ("X-WC-Webhook-Delivery-ID", self._delivery_id(webhook)),
            ("Connection", "close"),
        )
        return Request(delivery, webhook.address, headers, body)

    async def send(self, request: Request) -> int | None:
        """Send once, answer the status or None when none came. Failures in a row disable the webhook."""
        status = await _post(request.address, request.headers, request.body, timeout_s=60)
        delivery, webhook = request.delivery, self.webhooks.get(request.delivery.webhook_id)
        self.journal.note("delivered", str(delivery.object_id), (delivery.topic, status))
        if webhook is not None:
            await self._count(webhook, status)
        return status

    async def _count(self, webhook: Webhook, status: int | None) -> None:
        if status in _SUCCESS:
            webhook.failures = 0
            return
        webhook.failures += 1
        if webhook.failures > _FAILURES_MAX:
            webhook.status = "disabled"
            self.journal.note("webhook disabled", str(webhook.id), webhook.topic)
        if webhook.ping_owed:
            await self.ping(webhook)

    async def ping(self, webhook: Webhook) -> None:
        """A form without a signature. Over REST the answer does not matter, but a failed ping is owed still."""
        headers = (*self._common(), ("Connection", "close"), ("Content-Type", "application/x-www-form-urlencoded"))
        status = await _post(webhook.address, headers, f"webhook_id={webhook.id}".encode(), timeout_s=5)
        webhook.ping_owed = status not in _SUCCESS
        self.journal.note("pinged", str(webhook.id), status)

    def _common(self) -> Iterable[tuple[str, str]]:
        return (
            ("User-Agent", f"WooCommerce/{self.version} Hookshot (WordPress/{self.wordpress})"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "deflate, gzip, br, zstd"),
        )

    def _delivery_id(self, webhook: Webhook) -> str:
        """The same for all deliveries of one webhook within one second."""
        seed = f"{webhook.id}{int(self.now().timestamp())}"
        return hashlib.md5(seed.encode(), usedforsecurity=False).hexdigest()


async def _post(address: str, headers: Iterable[tuple[str, str]], body: bytes, timeout_s: float) -> int | None:
    """A connection of its own for each request, as the real shop's `Connection: close`."""
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(address, data=body, headers=list(headers), allow_redirects=False) as response,
        ):
            await response.read()
            return response.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None
