"""The intake side on the real servers, with doubles of stores in front: what goes in, what comes out, what waits."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from adapters.shopify import ShopifySettings
from adapters.shopify.adapter import ShopifyAdapter
from adapters.woocommerce.adapter import WooCommerce
from adapters.woocommerce.settings import WooCommerceSettings
from consumers.intake import GROUP, Intake
from consumers.pollers import Pollers
from consumers.relay import Relay
from consumers.walks import Pace, order_trails
from simulators.serving import serve
from simulators.shopify import Shop as ShopifyShop
from simulators.shopify import application as shopify
from simulators.woocommerce import TOPICS, Item, Shop
from simulators.woocommerce import Delivery as Owed
from simulators.woocommerce import application as woocommerce
from tallystick.clock import SystemClock
from tallystick.intake.admission import Admission
from tallystick.intake.delivery import Delivery, Outcome, delivered, to_message
from tallystick.intake.door import Door
from tallystick.intake.pauses import Pauses
from tallystick.intake.rereads import Rereads
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.codec import decode
from tallystick.kafka.consumer import Consumer, Record, Times, _record
from tallystick.kafka.producer import Producer
from tallystick.kafka.topics import INTAKE, ORDERS, QUARANTINE, Topic
from tallystick.ledger.cursors import Cursors
from tallystick.ledger.migrate import migrate
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import PendingDeliveries
from tallystick.ledger.pool import Pool, open_pool
from tallystick.registry import Pace as RequestPace
from tallystick.secrets import Secret
from tallystick.settings import KafkaSettings
from tallystick.stack import Stack
from tallystick.telemetry import Metrics
from tallystick.v1 import event_pb2

SECRET = "whs-secret-1"
_FAST = RequestPace(rate_per_s=5000, burst=5000, parallel=4)


class Time(SystemClock):
    """The instant stands still until the test moves it; what is monotonic goes on."""

    def __init__(self, moment: datetime | None = None) -> None:
        self.moment = moment or datetime(2026, 11, 23, 6, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def forward(self, seconds: float = 1) -> datetime:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)
        return self.moment


@dataclass(slots=True)
class Side:
    """One process's intake side. `stores` may be added to at any time."""

    kafka: str
    settings: KafkaSettings
    pool: Pool
    time: Time
    producer: Producer
    stores: dict[str, Any] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=Metrics)
    #: Shortens the durations of pauses and of the relay.
    scale: float = 0.05
    objects: Objects = field(init=False)
    pending: PendingDeliveries = field(init=False)
    cursors: Cursors = field(init=False)
    pauses: Pauses = field(init=False)
    door: Door = field(init=False)
    rereads: Rereads = field(init=False)
    admission: Admission = field(init=False)

    def __post_init__(self) -> None:
        self.objects, self.pending, self.cursors = (
            Objects(self.pool),
            PendingDeliveries(self.pool),
            Cursors(self.pool),
        )
        self.door = Door(self.objects, self.producer, self.metrics)
        self.run_at(self.scale)

    def run_at(self, scale: float) -> None:
        """Begin anew at another speed."""
        self.scale = scale
        self.pauses = Pauses(self.time, scale)
        self.begin()

    def begin(self) -> None:
        """Build what looks at the stores, anew after stores were added: as a process that starts."""
        self.rereads = Rereads(self.objects, self.door, self.stores, self.time, pauses=self.pauses)
        self.admission = Admission(self.door, self.rereads, self.stores)

    # ---- roles -----------------------------------------------------------------------------------------------------

    def relay(self) -> Relay:
        """A relay for all stores."""
        return Relay(
            tuple(self.stores),
            self.pending,
            self.objects,
            self.admission,
            self.rereads,
            self.producer,
            self.time,
            metrics=self.metrics,
            every_s=0.05,
            scale=self.scale,
        )

    def pollers(self, since: datetime | None = None, *, pace: Pace | None = None, unclean: bool = False) -> Pollers:
        """Pollers for all stores."""
        first = since or self.time.now() - timedelta(hours=1)
        return Pollers(
            order_trails(self.stores, dict.fromkeys(self.stores, first), self.objects, self.time),
            self.cursors,
            self.objects,
            self.door,
            self.pending,
            self.time,
            pace=pace or Pace(),
            unclean=unclean,
            metrics=self.metrics,
        )

    @asynccontextmanager
    async def consuming(self, *, batch: int = 500, read_within_s: float = 10.0) -> AsyncIterator[None]:
        """Intake in the background, a member of its group."""
        times = Times(session_s=6, rebalance_s=6, heartbeat_s=0.5)
        consumer = Consumer(self.kafka, GROUP, (INTAKE,), prefix=self.settings.prefix, times=times)
        async with consumer:
            intake = Intake(
                consumer,
                self.producer,
                self.admission,
                self.pending,
                metrics=self.metrics,
                batch=batch,
                read_within_s=read_within_s,
            )
            async with running(intake):
                yield

    async def relayed(self, within_s: float = 60) -> None:
        """Take up what waits until nothing does."""
        relay = self.relay()
        async with asyncio.timeout(within_s):
            while await self.waiting():
                for connection in self.stores:
                    await relay.turn(connection)
                await asyncio.sleep(0.05)

    # ---- what goes in ----------------------------------------------------------------------------------------------

    def arrived(self, connection: str, headers: Mapping[str, str], raw: bytes) -> Delivery:
        """What the edge makes of a request of this store."""
        lower = {name.lower(): value for name, value in headers.items()}
        store = self.stores[connection]
        assert store.verify(lower, raw)
        return delivered(connection, store.hint(lower, raw), lower, raw, self.time.now())

    def taken(self, connection: str, shop: Shop, owed: Owed) -> Delivery:
        """A delivery of a WooCommerce double as it leaves the shop now."""
        request = shop.take(owed)
        return self.arrived(connection, dict(request.headers), request.body)

    def all_taken(self, connection: str, shop: Shop) -> list[Delivery]:
        """Everything that a WooCommerce double owes."""
        return [self.taken(connection, shop, owed) for owed in shop.pending_deliveries()]

    async def put(self, deliveries: Iterable[Delivery]) -> None:
        """On the intake topic, as the edge does it."""
        await self.producer.send_all([to_message(delivery) for delivery in deliveries])

    async def admit(self, deliveries: Sequence[Delivery], within_s: float = 10) -> list[Outcome]:
        """Through admission, without Kafka in front."""
        return await self.admission.admit(deliveries, within_s)

    # ---- what comes out --------------------------------------------------------------------------------------------

    async def records(self, topic: Topic) -> list[Record]:
        """Everything on a topic, from its beginning to its present end."""
        client = AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        await client.start()
        try:
            ends = await _ends(client, self.settings.prefix + topic.name)
            client.assign(list(ends))
            await client.seek_to_beginning()
            found: list[Record] = []
            while any([await client.position(tp) < end for tp, end in ends.items()]):
                got = await client.getmany(timeout_ms=500)
                found += [_record(message) for messages in got.values() for message in messages]
            return found
        finally:
            await client.stop()

    async def events(self, order_id: object = None) -> list[event_pb2.Event]:
        """The revisions on the orders topic, all or those of one order."""
        found = [decode(record) for record in await self.records(ORDERS)]
        return [event for event in found if order_id is None or event.object_id == str(order_id)]

    async def revisions(self, order_id: object) -> list[int]:
        """The numbers of an order's revisions as they were published."""
        return [event.revision for event in await self.events(order_id)]

    async def waiting(self) -> dict[str, int]:
        """How many deliveries wait, by reason."""
        found: dict[str, int] = {}
        for backlog in await self.pending.backlog():
            found[backlog.reason] = found.get(backlog.reason, 0) + backlog.number
        return found

    async def caught_up(self, within_s: float = 90) -> None:
        """Until the offsets of intake have moved past everything on its topic."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        client = AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        await admin.start()
        await client.start()
        try:
            async with asyncio.timeout(within_s):
                ends = await _ends(client, self.settings.prefix + INTAKE.name)
                while True:
                    at = await admin.list_consumer_group_offsets(self.settings.prefix + GROUP)
                    if all(end == 0 or (tp in at and at[tp].offset >= end) for tp, end in ends.items()):
                        return
                    await asyncio.sleep(0.1)
        finally:
            await client.stop()
            await admin.close()

    # ---- stores ----------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def woocommerce(self, connection: str = "woo", **options: Any) -> AsyncIterator[Shop]:
        """A WooCommerce double that sells mugs, its webhooks owed to nobody in particular, joined as a store."""
        shop = woo_shop(self.time)
        async with serve(woocommerce(shop)) as address:
            settings = woo_settings(address, **options)
            async with self._joined(connection, WooCommerce(connection, settings, SystemClock())):
                yield shop

    @asynccontextmanager
    async def shopify(self, connection: str = "shopify", **options: Any) -> AsyncIterator[ShopifyShop]:
        """A Shopify double with the largest plan's points, joined as a store."""
        shop = ShopifyShop(now=self.time.now)
        shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
        shop.subscribe("http://127.0.0.1:9/")
        async with serve(shopify(shop)) as address:
            settings = ShopifySettings.model_validate(
                {
                    "shop": "example",
                    "url": address,
                    "client_id": shop.client_id,
                    "client_secret": Secret.of(shop.secret),
                    "private_network": True,
                    "pace": _FAST,
                    **options,
                }
            )
            async with self._joined(connection, ShopifyAdapter(connection, settings, SystemClock())):
                yield shop

    @asynccontextmanager
    async def _joined(self, connection: str, adapter: Any) -> AsyncIterator[None]:
        self.stores[connection] = adapter
        self.begin()
        try:
            yield
        finally:
            await adapter.close()


async def _ends(client: AIOKafkaConsumer, topic: str) -> dict[TopicPartition, int]:
    await client._client.set_topics([topic])
    partitions = [TopicPartition(topic, p) for p in client.partitions_for_topic(topic) or ()]
    assert partitions, f"there is no topic {topic}"
    return dict(await client.end_offsets(partitions))


def woo_shop(time: Time) -> Shop:
    """A double that sells mugs and owes its deliveries to an address where nobody listens."""
    shop = Shop(now=time.now)
    shop.add_product("MUG", "11.00", "Mug")
    for topic in TOPICS:
        shop.outbox.subscribe(topic, "http://127.0.0.1:9/", SECRET)
    return shop


def woo_settings(address: str, **options: Any) -> WooCommerceSettings:
    """Those of a connection to a double, without a pace that tests would wait for."""
    given = {
        "url": address,
        "consumer_key": Secret.of("ck_demo"),
        "consumer_secret": Secret.of("cs_demo"),
        "webhook_secrets": (Secret.of(SECRET),),
        "private_network": True,
        "pace": _FAST,
    }
    return WooCommerceSettings.model_validate({**given, **options})


@asynccontextmanager
async def open_side(stack: Stack, dsn: str, prefix: str, *, partitions: int = 2) -> AsyncIterator[Side]:
    """One intake side with topics and a database of its own."""
    settings = KafkaSettings(partitions=partitions, prefix=prefix)
    await ensure_topics(stack.kafka, settings, (INTAKE, ORDERS, QUARANTINE))
    await migrate(dsn)
    pool = await open_pool(dsn)
    producer = Producer(stack.kafka, prefix=prefix)
    await producer.start()
    try:
        yield Side(stack.kafka, settings, pool, Time(), producer)
    finally:
        await producer.stop()
        await pool.close()


class Role(Protocol):
    """What runs until it is told to stop."""

    async def run(self, stop: asyncio.Event) -> None: ...


@asynccontextmanager
async def running(role: Role) -> AsyncIterator[None]:
    """The role in the background, ended in good order whatever happens."""
    stop = asyncio.Event()
    task = asyncio.create_task(role.run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)


async def until(condition: Callable[[], Any], within_s: float = 60) -> None:
    """Until the condition, an async function, answers true."""
    async with asyncio.timeout(within_s):
        while not await condition():
            await asyncio.sleep(0.05)


def mugs(number: int = 1) -> list[Item]:
    """So many mugs on one line."""
    return [Item("MUG", number)]
