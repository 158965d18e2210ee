"""An edge with two real stores' adapters on the real servers, and what reached Kafka and Postgres behind it."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from adapters.shopify import KIND as SHOPIFY
from adapters.woocommerce import KIND as WOOCOMMERCE
from service.webhook_messages import Limits
from service.webhooks import webhook_server
from tallystick.clock import SystemClock, Timing
from tallystick.installation import Addresses, Installation
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.consumer import Record
from tallystick.kafka.producer import Producer
from tallystick.kafka.topics import INTAKE, ORDERS, Topic
from tallystick.ledger.migrate import migrate
from tallystick.ledger.pending import PendingDeliveries
from tallystick.ledger.pool import Pool, open_pool
from tallystick.secrets import Secret
from tallystick.settings import KafkaSettings, Settings
from tallystick.telemetry import Metrics

WOO_SECRETS = ("whs-secret-1", "whs-secret-2")
SHOPIFY_SECRETS = ("hush", "hush-before")
ODD_BODY = '{"id":727,"note":"ê â \u2028 \\/ ","status":"processing"}'.encode()


def installation_at(kafka: str, postgres: str, prefix: str = "") -> Installation:
    """Two stores with routes to an ERP that nobody calls."""
    route = {"erp": "odoo", "contract": "none.yaml", "since": "2026-11-01T00:00:00Z"}
    settings = Settings.model_validate(
        {
            "connections": {"woo": {"kind": "woocommerce"}, "shop": {"kind": "shopify"}, "odoo": {"kind": "odoo"}},
            "routes": [{"store": "woo", **route}, {"store": "shop", **route}],
            "kafka": {"prefix": prefix},
            "listen": {"webhooks": "127.0.0.1:0", "telemetry": "127.0.0.1:0"},
        }
    )
    clock = SystemClock()
    woo = WOOCOMMERCE.settings(
        url="https://woo.example",
        consumer_key=Secret.of("ck"),
        consumer_secret=Secret.of("cs"),
        webhook_secrets=[Secret.of(text) for text in WOO_SECRETS],
    )
    shop = SHOPIFY.settings(
        shop="demo", access_token=Secret.of("t"), webhook_secrets=[Secret.of(text) for text in SHOPIFY_SECRETS]
    )
    adapters = {"woo": WOOCOMMERCE.open("woo", woo, clock), "shop": SHOPIFY.open("shop", shop, clock)}
    return Installation(settings, adapters, {}, Addresses(kafka, postgres), clock, Timing(), Metrics())


@dataclass(slots=True)
class Edge:
    """A running edge."""

    installation: Installation
    address: str
    producer: Producer
    pending: PendingDeliveries

    def url(self, connection: str = "woo") -> str:
        """Where a store delivers to."""
        return f"http://{self.address}/webhooks/{connection}"

    def sample(self, outcome: str, connection: str = "woo") -> float | None:
        """The counter of one outcome; None where it is not shown."""
        labels = {"flow": "orders", "connection": connection, "outcome": outcome}
        return self.installation.metrics.registry.get_sample_value("tallystick_inbound_events_total", labels)

    def counted(self, outcome: str, connection: str = "woo") -> float:
        """The counter of one outcome."""
        return self.sample(outcome, connection) or 0.0

    @property
    def prefix(self) -> str:
        """Before the names of topics."""
        return self.installation.settings.kafka.prefix


@asynccontextmanager
async def edge(kafka: str, pool: Pool, prefix: str, *, limits: Limits | None = None) -> AsyncIterator[Edge]:
    """Run one on a free port."""
    installation = installation_at(kafka, "", prefix)
    producer, pending = Producer(kafka, prefix=prefix, metrics=installation.metrics), PendingDeliveries(pool)
    await producer.start()
    try:
        async with webhook_server(installation, producer, pending, limits=limits) as address:
            yield Edge(installation, address, producer, pending)
    finally:
        await producer.stop()
        await installation.close()


@asynccontextmanager
async def fresh_edge(kafka: str, database: str, prefix: str, *, limits: Limits | None = None) -> AsyncIterator[Edge]:
    """Run one on an empty database and a topic of its own."""
    await migrate(database)
    await ensure_topics(kafka, KafkaSettings(partitions=2, prefix=prefix), (INTAKE, ORDERS))
    pool = await open_pool(database)
    try:
        async with edge(kafka, pool, prefix, limits=limits) as running:
            yield running
    finally:
        await pool.close()


def woo_headers(body: bytes, secret: str = WOO_SECRETS[0], **more: str) -> dict[str, str]:
    """As WooCommerce signs."""
    return {
        "Content-Type": "application/json",
        "X-WC-Webhook-Topic": "order.updated",
        "X-WC-Webhook-Delivery-ID": "5f2f3c0f6b6d4b3f0e8d2a1c9b7a6e54",
        "X-WC-Webhook-Signature": _signed(secret, body),
        **more,
    }


def shopify_headers(body: bytes, secret: str = SHOPIFY_SECRETS[0], **more: str) -> dict[str, str]:
    """As Shopify signs."""
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": "orders/updated",
        "X-Shopify-Shop-Domain": "demo.myshopify.com",
        "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "X-Shopify-Hmac-Sha256": _signed(secret, body),
        **more,
    }


def _signed(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


@dataclass(slots=True)
class Raw:
    """A connection that sends whatever bytes it likes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seen: bytes = field(default=b"")

    async def send(self, data: bytes) -> None:
        """Write and flush."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, within_s: float = 30) -> tuple[int, dict[str, str]]:
        """The next answer: its status and its headers; its body is read and dropped."""
        async with asyncio.timeout(within_s):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(head[0].split()[1]), headers

    async def ended(self, within_s: float = 30) -> bool:
        """Whether the other side closed."""
        async with asyncio.timeout(within_s):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True


@asynccontextmanager
async def raw(address: str) -> AsyncIterator[Raw]:
    """Open one."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


def request(
    body: bytes, headers: Mapping[str, str], *, path: str = "/webhooks/woo", length: int | None = None
) -> bytes:
    """The bytes of one POST."""
    lines = [f"POST {path} HTTP/1.1", "Host: edge", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def on_topic(kafka: str, prefix: str, topic: Topic = INTAKE) -> list[Record]:
    """All that is on a topic at present."""
    client = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await client.start()
    try:
        await client._client.set_topics([prefix + topic.name])
        partitions = [TopicPartition(prefix + topic.name, n) for n in client.partitions_for_topic(prefix + topic.name)]
        client.assign(partitions)
        await client.seek_to_beginning(*partitions)
        ends = await client.end_offsets(partitions)
        found: list[Record] = []
        async with asyncio.timeout(60):
            while len(found) < sum(ends.values()):
                for tp, records in (await client.getmany(timeout_ms=100)).items():
                    found += [
                        Record(tp.topic, tp.partition, m.offset, m.key, m.value, tuple(m.headers), m.timestamp)
                        for m in records
                    ]
        return found
    finally:
        await client.stop()
