"""The whole product between doubles of two stores and of an Odoo: real HTTP, real Kafka, real Postgres, one process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters import KINDS
from consumers.main import work
from consumers.pollers import Pollers
from consumers.walks import order_trails
from service.webhooks import webhook_server
from simulators.odoo import Credit, Odoo, demo_company
from simulators.odoo import OdooSettings as OdooServer
from simulators.odoo import Order as Document
from simulators.odoo import application as odoo_application
from simulators.serving import serve
from simulators.shopify import CUSTOMER_TOPICS, WEBHOOK_TOPICS, Sender
from simulators.shopify import Shop as ShopifyShop
from simulators.shopify import application as shopify_application
from simulators.woocommerce import CUSTOMER_TOPICS as WOO_CUSTOMER_TOPICS
from simulators.woocommerce import TOPICS, Shop
from simulators.woocommerce import application as woo_application
from tallystick.canonical.keys import order_key
from tallystick.clock import Clock, SystemClock
from tallystick.installation import Addresses, Installation, assemble
from tallystick.intake.door import Door, content_hash, to_event
from tallystick.kafka.producer import Producer
from tallystick.ledger.acts import Act, Acts, Lane
from tallystick.ledger.cursors import Cursors
from tallystick.ledger.migrate import migrate
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import PendingDeliveries
from tallystick.ledger.pool import Pool, open_pool
from tallystick.registry import Pace
from tallystick.secrets import Secret
from tallystick.settings import Settings
from tallystick.stack import Stack

WOO, SHOPIFY, ODOO = "woocommerce", "shopify", "odoo"
SECRET = "whs-secret-1"
#: A second of the protocol takes a fiftieth.
SCALE = 0.02
_CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
_FAST = Pace(rate_per_s=5000, burst=5000, parallel=4)


@dataclass(slots=True)
class Company:
    """Two shops that deliver to the product, and the books that it keeps."""

    woo: Shop
    shop: ShopifyShop
    odoo: Odoo
    pool: Pool
    installation: Installation
    pollers: Pollers
    #: Where deliveries go, host and port.
    edge: str

    # ---- what the shops do -----------------------------------------------------------------------------------------

    async def deliver(self, times: int = 1) -> None:
        """Both shops send what they owe, each delivery so often; every one has to be answered with 2xx."""
        async with Sender() as sender:
            for owed in self.woo.pending_deliveries():
                request = self.woo.take(owed)
                assert [await self.woo.send(request) for _ in range(times)] == [200] * times
            for delivery in self.shop.pending_deliveries():
                assert await self.shop.deliver(delivery, sender) == 200
                for _ in range(times - 1):
                    assert await sender.send(delivery) == 200

    def lose(self) -> None:
        """Nothing of what the shops owe ever leaves."""
        for owed in self.woo.pending_deliveries():
            self.woo.outbox.drop(owed)
        for delivery in self.shop.pending_deliveries():
            self.shop.lose(delivery)

    async def poll(self) -> None:
        """Look at both shops now."""
        for connection in (WOO, SHOPIFY):
            await self.pollers.turn(connection)

    # ---- what stands in the books ----------------------------------------------------------------------------------

    def documents(self, connection: str, order_id: object) -> list[Document]:
        """The sales orders of one order of a shop, cancelled ones too."""
        tail = f"__{connection}__{order_id}"
        return [one for one in self.odoo.orders if one.external_id.endswith(tail) or _marked(one, connection, order_id)]

    async def document(self, connection: str, order_id: object, state: str = "sale", *, revision: int = 0) -> Document:
        """The one sales order of an order, once it stands at that revision (any) and in that state."""
        lane = order_key(connection, str(order_id))

        async def there() -> bool:
            found = self.documents(connection, order_id)
            return bool(found) and found[0].state == state and await self.applied(lane) >= (revision or 1)

        await self.until(there)
        (found,) = self.documents(connection, order_id)
        return found

    def credits(self, connection: str, order_id: object) -> list[Credit]:
        """The credit notes of one order of a shop."""
        mark = f"tallystick {order_key(connection, str(order_id))}/refund/"
        return [one for one in self.odoo.credits if mark in one.origin]

    async def credited(self, connection: str, order_id: object, times: int = 1) -> list[Credit]:
        """Its credit notes, once there are so many, all are posted, and nothing is left to do."""
        lane = order_key(connection, str(order_id))

        async def posted() -> bool:
            found = self.credits(connection, order_id)
            return len(found) >= times and {one.state for one in found} == {"posted"} and await self.applied(lane) > 0

        await self.until(posted)
        return self.credits(connection, order_id)

    async def applied(self, lane: str) -> int:
        """The revision that a lane's document holds according to the ledger; 0 for none, or while there is more."""
        rows = await self.pool.fetch(
            """SELECT b.applied_revision FROM binding b WHERE b.target = $1 AND b.entity_type = 'order'
               AND b.entity_id = $2 AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.target = b.target
               AND e.lane_key = $2 AND e.state IN ('QUEUED', 'IN_FLIGHT', 'IN_DOUBT'))""",
            ODOO,
            lane,
        )
        return rows[0]["applied_revision"] or 0 if rows else 0

    async def recorded(self, connection: str, order_id: object) -> None:
        """Until the ledger of the ERP has the order as its shop holds it now, and nothing older is on its way."""
        now = await self.installation.adapters[connection].read_order(str(order_id))
        content = content_hash(to_event(connection, now))

        async def known() -> bool:
            rows = await self.pool.fetch(
                """SELECT 1 FROM source_object o WHERE connection = $1 AND type = 'order' AND id = $2
                   AND content_hash = $3 AND (not_eligible IS NOT NULL OR EXISTS (SELECT 1 FROM effect e
                   WHERE e.target = $4 AND e.lane_key = $5 AND e.revision = o.revision)) AND NOT EXISTS (
                   SELECT 1 FROM effect e WHERE e.target = $4 AND e.lane_key = $5 AND e.kind = 'STATE'
                   AND e.revision < o.revision AND e.unfinished)""",
                connection,
                str(order_id),
                content,
                ODOO,
                order_key(connection, str(order_id)),
            )
            return bool(rows)

        await self.until(known)

    async def held(self, connection: str, order_id: object) -> tuple[str, str]:
        """Why an order is held and the detail, once it is."""
        lane = order_key(connection, str(order_id))
        found: list[Any] = []

        async def is_held() -> bool:
            found[:] = await self.pool.fetch(
                "SELECT reason, detail FROM lane WHERE target = $1 AND lane_key = $2 AND held_seq IS NOT NULL",
                ODOO,
                lane,
            )
            return bool(found)

        await self.until(is_held)
        return found[0]["reason"], found[0]["detail"]

    async def stands(self, connection: str, order_id: object) -> str | None:
        """Why an order waits or is held; None when nothing is left to do for it."""
        lane = order_key(connection, str(order_id))
        [row] = await self.pool.fetch("SELECT reason FROM lane WHERE target = $1 AND lane_key = $2", ODOO, lane)
        return None if row["reason"] is None else str(row["reason"])

    async def resume(self, connection: str, order_id: object) -> None:
        """A person mended what held the order."""
        lane = Lane(ODOO, order_key(connection, str(order_id)))
        await Acts(self.pool).resume(lane, Act("Ada", f"resume-{order_id}"))

    async def not_eligible(self, connection: str, order_id: object, revision: int = 1) -> str:
        """Why an order of at least that revision is no business of the ERP, once that is known."""
        found: list[Any] = []

        async def known() -> bool:
            found[:] = await self.pool.fetch(
                "SELECT not_eligible, revision FROM source_object WHERE connection = $1 AND type = 'order' AND id = $2",
                connection,
                str(order_id),
            )
            return bool(found) and found[0]["revision"] >= revision and found[0]["not_eligible"] is not None

        await self.until(known)
        return str(found[0]["not_eligible"])

    async def quiet(self) -> None:
        """Until nothing is unfinished that is not held, and nothing waits to become canonical."""

        async def nothing() -> bool:
            rows = await self.pool.fetch(
                """SELECT (SELECT count(*) FROM lane l WHERE l.due_at IS NOT NULL OR l.lease_until IS NOT NULL)
                   + (SELECT count(*) FROM pending_delivery)
                   + (SELECT count(*) FROM source_object WHERE published_revision < revision) AS busy"""
            )
            return not rows[0]["busy"]

        await self.until(nothing)

    async def until(self, condition: Callable[[], Awaitable[bool]], within_s: float = 90) -> None:
        """Until the condition holds."""
        async with asyncio.timeout(within_s):
            while not await condition():
                await asyncio.sleep(0.05)


def _marked(document: Document, connection: str, order_id: object) -> bool:
    """Whether a document carries our mark of this order: one without its External ID would be a double."""
    return f"tallystick {order_key(connection, str(order_id))} " in document.origin


@dataclass(frozen=True, slots=True)
class Options:
    """What a company may have otherwise than the others."""

    #: Beside the orders.
    flows: Mapping[str, str] = field(default_factory=lambda: {"refunds": "live", "customers": "live"})
    #: Of the connection to Shopify, and topics that its shop delivers beside the usual ones.
    shopify: Mapping[str, Any] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    contracts: Path = _CONTRACTS
    #: Of the connections to WooCommerce and Odoo.
    woo: Mapping[str, Any] = field(default_factory=dict)
    odoo: Mapping[str, Any] = field(default_factory=dict)
    #: Where deliveries go, host and port.
    edge: str = "127.0.0.1:0"
    #: Polls are made by the tests that are about them.
    poll_every_s: float = 3600.0
    #: Everybody's.
    clock: Clock = field(default_factory=SystemClock)
    #: Of the route from Shopify alone.
    shopify_flows: Mapping[str, str] = field(default_factory=dict)
    #: What a second of the protocol takes.
    scale: float = SCALE
    #: What is done to the empty database first.
    prepare: Callable[[str], Awaitable[None]] | None = None


@asynccontextmanager
async def open_company(stack: Stack, dsn: str, prefix: str, options: Options | None = None) -> AsyncIterator[Company]:
    """Everything, started and joined."""
    options = options or Options()
    clock = options.clock
    if options.prepare is not None:
        await options.prepare(dsn)
    await migrate(dsn)
    woo, shop = Shop(now=clock.now), ShopifyShop(now=clock.now)
    odoo = Odoo(OdooServer(rounding="round_per_line"), now=clock.now)
    _stock(woo, odoo)
    # The points of the largest plan: what is tested here is not about waiting for them.
    shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
    async with (
        serve(woo_application(woo)) as woo_address,
        serve(shopify_application(shop)) as shop_address,
        serve(odoo_application(odoo)) as odoo_address,
    ):
        settings = _settings(prefix, woo_address, shop_address, odoo_address, woo, shop, odoo, options)
        installation = assemble(settings, KINDS, Addresses(stack.kafka, dsn), clock=clock)
        pool, producer = await open_pool(dsn), Producer(stack.kafka, prefix=prefix)
        await producer.start()
        try:
            async with _running(installation), _edge(installation, producer, pool) as edge:
                await woo.subscribe(f"http://{edge}/webhooks/{WOO}", SECRET, (*TOPICS, *WOO_CUSTOMER_TOPICS))
                shop.subscribe(
                    f"http://{edge}/webhooks/{SHOPIFY}", (*WEBHOOK_TOPICS, *CUSTOMER_TOPICS, *options.topics)
                )
                yield Company(woo, shop, odoo, pool, installation, _pollers(installation, pool, producer), edge)
        finally:
            await odoo.faults.settle()
            await producer.stop()
            await pool.close()
            await installation.close()


def _stock(woo: Shop, odoo: Odoo) -> None:
    demo_company(odoo)
    for sku, price, tax_class in (("MUG", "11.00", ""), ("BOOK", "10.70", "reduced-rate")):
        woo.add_product(sku, price, sku.title(), tax_class)
        odoo.add_product(sku, sku.title(), price)
    for owed in woo.pending_deliveries():
        woo.outbox.drop(owed)
    for sku in ("TEA", "JAM"):
        odoo.add_product(sku, sku.title())
    # What no ERP knows.
    woo.add_product("SECRET", "5.00", "Secret")


def _settings(
    prefix: str, woo_address: str, shop_address: str, odoo_address: str, woo: Shop, shop: ShopifyShop, odoo: Odoo,
    options: Options,
) -> Settings:  # fmt: skip
    key, (secret, _) = next(iter(woo.settings.keys.items()))
    common = {"private_network": True, "pace": _FAST}
    return Settings.model_validate(
        {
            "connections": {
                WOO: {
                    "kind": WOO,
                    "url": woo_address,
                    "consumer_key": Secret.of(key),
                    "consumer_secret": Secret.of(secret),
                    "webhook_secrets": [Secret.of(SECRET)],
                    **common,
                    **options.woo,
                },
                SHOPIFY: {
                    "kind": SHOPIFY,
                    "shop": "example",
                    "url": shop_address,
                    "client_id": shop.client_id,
                    "client_secret": Secret.of(shop.secret),
                    **common,
                    **options.shopify,
                },
                ODOO: {
                    "kind": ODOO,
                    "url": odoo_address,
                    "database": odoo.settings.database,
                    "login": odoo.settings.login,
                    "api_key": Secret.of(odoo.settings.key),
                    # A product that was added is looked for again at once.
                    "references_ttl_s": 0,
                    **common,
                    **options.odoo,
                },
            },
            "routes": [
                {
                    "store": store,
                    "erp": ODOO,
                    "contract": options.contracts / f"{store}-odoo.yaml",
                    "since": "2020-01-01T00:00:00Z",
                    "flows": {**options.flows, **(options.shopify_flows if store == SHOPIFY else {})},
                }
                for store in (WOO, SHOPIFY)
            ],
            "kafka": {"partitions": 2, "prefix": prefix},
            "listen": {"webhooks": options.edge},
            "work": {"time_scale": options.scale, "poll_every_s": options.poll_every_s, "sweep_every_s": 0.05},
        }
    )


@asynccontextmanager
async def _running(installation: Installation) -> AsyncIterator[None]:
    """All loops, in the background."""
    stop, started = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(work(installation, stop, started.set))
    try:
        waiting = asyncio.create_task(started.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            waiting.cancel()
            await task
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def _edge(installation: Installation, producer: Producer, pool: Pool) -> AsyncIterator[str]:
    async with webhook_server(installation, producer, PendingDeliveries(pool)) as address:
        yield address


def _pollers(installation: Installation, pool: Pool, producer: Producer) -> Pollers:
    """A second poller, as of another process, whose turns the tests take."""
    objects = Objects(pool)
    return Pollers(
        order_trails(installation.stores, {}, objects, installation.clock),
        Cursors(pool),
        objects,
        Door(objects, producer),
        PendingDeliveries(pool),
        installation.clock,
    )


def amounts(document: Document | Credit) -> Sequence[str]:
    """Net, tax and total as text."""
    return [str(one) for one in (document.amount_untaxed, document.amount_tax, document.amount_total)]


def lines(document: Document | Credit) -> list[tuple[str, int]]:
    """Product and whole quantity of each line, those that were taken out as 0."""
    return [(line.product, int(line.quantity)) for line in document.lines]
