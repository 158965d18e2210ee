"""The API over loopback, on a real ledger whose engine delivers to the plain ERP from a store on a shelf."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from consumers.resyncs import Into, Resyncs
from consumers.target import build_engine
from service.api import api_server
from service.watch import WatchLimits
from simulators.serving import serve
from tallystick.canonical.keys import order_key
from tallystick.engine import Engine
from tallystick.flows.router import Router
from tallystick.installation import Addresses, Installation, assemble
from tallystick.intake.door import Door
from tallystick.intake.looks import Looks
from tallystick.intake.pauses import Pauses
from tallystick.intake.rereads import Rereads, Wish
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.codec import encode
from tallystick.kafka.producer import Producer
from tallystick.kafka.topics import ORDERS
from tallystick.ledger.migrate import migrate
from tallystick.ledger.objects import Objects
from tallystick.ledger.operations import Operations
from tallystick.ledger.pool import Pool, open_pool
from tallystick.settings import Settings
from tallystick.stack import Stack
from tallystick.v1 import event_pb2, held_pb2, order_sync_pb2
from tallystick.v1.held_pb2_grpc import HeldServiceStub
from tallystick.v1.order_sync_pb2_grpc import OrderSyncServiceStub
from tallystick.v1.status_pb2_grpc import StatusServiceStub
from tests.doubles import plain_adapter, shelf_store
from tests.doubles.plain_erp import PlainErp
from tests.doubles.shelf_store import ShelfStore
from tests.unit.contract.written import rules

#: A request may take six seconds, whatever else the machine does; what waits for late requests waits a fifth of one.
SCALE = 0.2
_LATE_S = 1.0
#: Nobody reads what these tests publish, so one topic serves all of them.
PREFIX = f"api{uuid.uuid4().hex[:8]}."
ACTOR = (("tallystick-actor", "Ada"),)
DEADLINE_S = 30.0
QUICK = WatchLimits(heartbeat_s=0.3, poll_s=0.02, page=20, per_caller=3)


@dataclass
class World:
    """One process that serves and works, with its client."""

    installation: Installation
    pool: Pool
    erp: PlainErp
    engine: Engine
    router: Router
    door: Door
    rereads: Rereads
    resyncs: Resyncs
    channel: grpc.aio.Channel
    syncs: Any = field(init=False)
    held: Any = field(init=False)
    status: Any = field(init=False)

    def __post_init__(self) -> None:
        self.syncs = OrderSyncServiceStub(self.channel)
        self.held = HeldServiceStub(self.channel)
        self.status = StatusServiceStub(self.channel)

    @property
    def shop(self) -> ShelfStore:
        """The store."""
        store: ShelfStore = self.installation.adapters["shop"]
        return store

    # ---- from the store to the ERP ---------------------------------------------------------------------------------

    async def see(self, *order_ids: str) -> list[event_pb2.Event]:
        """The store is read: its orders have revisions now, and the ledger of the target has not heard of them."""
        now = self.installation.clock.now()
        wishes = [Wish("shop", one, event_pb2.ORIGIN_POLL, now) for one in order_ids]
        looks = await Looks(self.rereads, self.door, Operations(self.pool)).look(wishes, 10)
        return [look.event for look in looks if look.event is not None]

    async def take(self, *order_ids: str, work: bool = True) -> None:
        """Orders on their whole way, as far as it leads."""
        rows = [self.router.row(event, encode(event).value or b"", None) for event in await self.see(*order_ids)]
        result = await self.engine.deliver([row for row in rows if row is not None])
        if work:
            await self.engine.work(result.claims)
        else:
            await self.engine.ledger.release(result.claims)

    async def work(self) -> None:
        """Everything that is due, as the sweeper does it."""
        while claims := await self.engine.ledger.take_due(limit=500, per_connection=500):
            await self.engine.work(claims)

    async def settled(self) -> None:
        """Work until nothing is unfinished, also what waits for a moment."""
        async with asyncio.timeout(60):
            while await self.engine.ledger.unfinished(1):
                await self.work()
                await asyncio.sleep(0.02)

    async def hold(self, order_id: str = "1", **order: Any) -> None:
        """An order that the ERP refuses."""
        self.shop.put(order_id, **order)
        name = order_key("shop", order_id)
        self.erp.refuses.add(name)
        await self.take(order_id)
        async with asyncio.timeout(60):
            while await self.state(name) != ("HELD", "DATA"):
                await asyncio.sleep(0.02)
                await self.work()

    def writes(self, order_id: str = "1") -> list[str]:
        """What the ERP was made to do for an order."""
        changes = ("created", "updated", "confirmed")
        return [
            entry.what
            for entry in self.erp.journal.entries
            if entry.key == f"shop/{order_id}" and entry.what in changes
        ]

    # ---- what is asked ---------------------------------------------------------------------------------------------

    async def sync(self, name: str = "shop/1") -> order_sync_pb2.OrderSync:
        """Where an order is."""
        request = order_sync_pb2.GetOrderSyncRequest(name=name)
        answer = await self.syncs.GetOrderSync(request, timeout=DEADLINE_S)
        found: order_sync_pb2.OrderSync = answer.order_sync
        return found

    async def state(self, name: str = "shop/1") -> tuple[str, str]:
        """State and reason in the ERP."""
        (target,) = (await self.sync(name)).targets
        return order_sync_pb2.SyncState.Name(target.state).removeprefix("SYNC_STATE_"), target.reason

    async def kinds(self, name: str = "shop/1") -> list[str]:
        """The story of an order in single words."""
        request = order_sync_pb2.ListOrderEventsRequest(name=name)
        answer = await self.syncs.ListOrderEvents(request, timeout=DEADLINE_S)
        names = order_sync_pb2.OrderEventKind
        return [names.Name(event.kind).removeprefix("ORDER_EVENT_KIND_") for event in answer.events]

    async def resume(self, name: str = "shop/1", **fields: str) -> held_pb2.Held:
        """An act of Ada's."""
        return await self._act("Resume", "resumed", name, fields)

    async def skip(self, name: str = "shop/1", **fields: str) -> held_pb2.Held:
        """An act of Ada's."""
        return await self._act("Skip", "skipped", name, fields)

    async def _act(self, verb: str, answer: str, name: str, fields: dict[str, str]) -> held_pb2.Held:
        request = getattr(held_pb2, f"{verb}HeldRequest")(
            **{"name": name, "request_id": uuid.uuid4().hex, "reason": "asked by finance", **fields}
        )
        done = await getattr(self.held, f"{verb}Held")(request, timeout=DEADLINE_S, metadata=ACTOR)
        acted: held_pb2.Held = getattr(done, answer)
        return acted

    async def resync(self, *names: str, request_id: str = "", **fields: Any) -> order_sync_pb2.ResyncOrdersResponse:
        """Ask for a resync."""
        request = order_sync_pb2.ResyncOrdersRequest(
            names=names, request_id=request_id or uuid.uuid4().hex, reason="the ERP was restored", **fields
        )
        answer: order_sync_pb2.ResyncOrdersResponse = await self.syncs.ResyncOrders(
            request, timeout=DEADLINE_S, metadata=ACTOR
        )
        return answer

    async def finish(self) -> None:
        """Work operations and lanes until nothing is due."""
        while await self.resyncs.turn():
            pass
        await self.work()


@asynccontextmanager
async def open_world(
    stack: Stack, dsn: str, folder: Path, *, watch: WatchLimits = QUICK, **settings: Any
) -> AsyncIterator[World]:
    """A world of its own for each test."""
    async with AsyncExitStack() as exits:
        erp = PlainErp()
        url = await exits.enter_async_context(serve(erp.application()))
        installation = _installation(Addresses(stack.kafka, dsn), url, folder, settings)
        exits.push_async_callback(installation.close)
        await ensure_topics(stack.kafka, installation.settings.kafka, (ORDERS,))
        await migrate(dsn)
        pool = await open_pool(dsn)
        exits.push_async_callback(pool.close)
        producer = Producer(stack.kafka, prefix=PREFIX)
        await producer.start()
        exits.push_async_callback(producer.stop)
        port = await exits.enter_async_context(api_server(installation, pool, "127.0.0.1:0", watch=watch))
        channel = await exits.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        yield _world(installation, pool, producer, erp, channel)


def _installation(addresses: Addresses, url: str, folder: Path, more: dict[str, Any]) -> Installation:
    (folder / "contract.yaml").write_text(rules())
    route = {"store": "shop", "erp": "erp", "contract": folder / "contract.yaml", "since": "2020-01-01T00:00:00Z"}
    settings = Settings.model_validate(
        {
            "connections": {
                "shop": {"kind": "shelf"},
                "erp": {"kind": "plain", "url": url, "late_apply_max_s": _LATE_S, "search_lag_max_s": _LATE_S},
            },
            "routes": [route],
            "kafka": {"prefix": PREFIX, "partitions": 1},
            "work": {"time_scale": SCALE},
            **more,
        }
    )
    return assemble(settings, (plain_adapter.KIND, shelf_store.KIND), addresses)


def _world(
    installation: Installation, pool: Pool, producer: Producer, erp: PlainErp, channel: grpc.aio.Channel
) -> World:
    objects, clock = Objects(pool), installation.clock
    door = Door(objects, producer, installation.metrics)
    rereads = Rereads(objects, door, installation.stores, clock, pauses=Pauses(clock, SCALE / 100))
    engine = build_engine(installation, pool, "erp")
    router = Router("erp", installation.plans("erp"))
    resyncs = Resyncs(pool, rereads, door, (Into(engine.ledger, router),), clock, every_s=0.05, scale=SCALE)
    return World(installation, pool, erp, engine, router, door, rereads, resyncs, channel)


@dataclass(frozen=True)
class Refused:
    """How a call was refused."""

    code: grpc.StatusCode
    reason: str
    text: str
    fields: Sequence[str]
    retry_after_s: float | None


async def refused(call: Any) -> Refused:
    """The refusal of a call, with its details."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]
    assert status is not None, caught.value
    return _refused(caught.value.code(), status)


def _refused(code: grpc.StatusCode, status: status_pb2.Status) -> Refused:
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    after_s = None
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad)
        if detail.Unpack(retry):
            after_s = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    assert info.domain == "tallystick"
    return Refused(code, info.reason, status.message, [one.field for one in bad.field_violations], after_s)
