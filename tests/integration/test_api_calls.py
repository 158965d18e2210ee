"""What holds for every call: deadlines, limits, errors with details, health, reflection, the measured duration; and
the status of the whole."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from service.api import MESSAGE_MAX, api_server
from tallystick.errors import SetupError
from tallystick.ledger.cursors import Cursors
from tallystick.ledger.pending import PendingDeliveries, PendingReason, Waiting
from tallystick.ports import WebhookState
from tallystick.reasons import HoldReason
from tallystick.stack import Stack
from tallystick.v1 import held_pb2, order_sync_pb2, status_pb2
from tallystick.v1.order_sync_pb2_grpc import OrderSyncServiceStub
from tests.doubles.tcp import Wire
from tests.integration.api_help import DEADLINE_S, World, open_world, refused


@pytest.fixture
async def world(stack: Stack, database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(stack, database, tmp_path) as world:
        yield world


# ---- limits --------------------------------------------------------------------------------------------------------


async def test_every_unary_call_without_a_deadline_is_refused_in_words(world: World) -> None:
    for stub, services in (
        (world.syncs, order_sync_pb2.DESCRIPTOR),
        (world.held, held_pb2.DESCRIPTOR),
        (world.status, status_pb2.DESCRIPTOR),
    ):
        for service in services.services_by_name.values():
            for method in service.methods:
                if not method.server_streaming:
                    request = GetMessageClass(method.input_type)()
                    call = getattr(stub, method.name)(request)
                    refusal = await refused(call)
                    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "DEADLINE_REQUIRED")
                    assert "no deadline" in refusal.text


async def test_a_message_over_the_limit_is_refused(world: World) -> None:
    request = order_sync_pb2.ResyncOrdersRequest(reason="x" * MESSAGE_MAX)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.syncs.ResyncOrders(request, timeout=DEADLINE_S)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_page_is_never_larger_than_the_cap(world: World) -> None:
    await world.pool.fetch(
        "INSERT INTO source_object (connection, type, id, revision, content_hash, accepted_seq)"
        " SELECT 'shop', 'order', n::text, 1, '', n FROM generate_series(1, 501) n"
    )
    request = order_sync_pb2.ListOrderSyncsRequest(page_size=4_000_000_000)
    answer = await world.syncs.ListOrderSyncs(request, timeout=DEADLINE_S)
    assert len(answer.order_syncs) == 500
    assert answer.next_page_token


async def test_calls_beyond_what_a_process_takes_at_once_are_refused(world: World) -> None:
    address = "127.0.0.1:0"
    async with (
        api_server(world.installation, world.pool, address, concurrent_max=2) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        stub: Any = OrderSyncServiceStub(channel)
        streams = [stub.WatchOrderSync(order_sync_pb2.WatchOrderSyncRequest()) for _ in range(2)]
        for stream in streams:
            await stream.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetOrderSync(order_sync_pb2.GetOrderSyncRequest(name="1"), timeout=DEADLINE_S)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


# ---- errors --------------------------------------------------------------------------------------------------------


async def test_a_database_that_is_away_is_unavailable_and_says_when_to_come_back(
    stack: Stack, database: str, tmp_path: Path
) -> None:
    at = urlsplit(database)
    wire = Wire(at.hostname or "", at.port or 0)
    await wire.mend()
    through = database.replace(f"{at.hostname}:{at.port}", f"127.0.0.1:{wire.port}")
    async with open_world(stack, through, tmp_path) as world:
        await status(world)
        watching = world.syncs.WatchOrderSync(order_sync_pb2.WatchOrderSyncRequest())
        await watching.read()
        await wire.cut()
        for call in (world.status.GetStatus(status_pb2.GetStatusRequest(), timeout=10), _next_event(watching)):
            refusal = await refused(call)
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "LEDGER_AWAY")
            assert refusal.retry_after_s == 2
        await wire.mend()
        await status(world)
    await wire.cut()


async def _next_event(stream: Any) -> None:
    while (await stream.read()).HasField("heartbeat"):
        pass


async def test_a_fault_of_ours_gives_nothing_away(world: World) -> None:
    """No SQL, no stack, no names of tables."""
    await world.pool.fetch("ALTER TABLE source_object RENAME COLUMN sightings TO canary_column")
    request = order_sync_pb2.ListOrderSyncsRequest()
    refusal = await refused(world.syncs.ListOrderSyncs(request, timeout=DEADLINE_S))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert refusal.text == "a fault of ours; it is in the log of the service"


async def test_calls_are_measured_by_method_and_code(world: World) -> None:
    request = order_sync_pb2.GetOrderSyncRequest(name="shop/404")
    await refused(world.syncs.GetOrderSync(request, timeout=DEADLINE_S))
    await world.status.GetStatus(status_pb2.GetStatusRequest(), timeout=DEADLINE_S)
    stream = world.syncs.WatchOrderSync(order_sync_pb2.WatchOrderSyncRequest())
    await stream.read()
    stream.cancel()
    for method, code in (
        ("OrderSyncService/GetOrderSync", "NOT_FOUND"),
        ("StatusService/GetStatus", "OK"),
        ("OrderSyncService/WatchOrderSync", "CANCELLED"),
    ):
        await _until_counted(world, f"tallystick.v1.{method}", code)


async def _until_counted(world: World, method: str, code: str) -> None:
    registry = world.installation.metrics.registry
    labels = {"rpc_method": method, "status_code": code}
    async with asyncio.timeout(30):
        while registry.get_sample_value("rpc_server_call_duration_seconds_count", labels) != 1:
            await asyncio.sleep(0.02)


# ---- the server ----------------------------------------------------------------------------------------------------


async def test_health_is_served_without_ado(world: World) -> None:
    """As Kubernetes asks: for the whole, and for one service."""
    stub: Any = health_pb2_grpc.HealthStub(world.channel)
    for name in ("", "tallystick.v1.OrderSyncService", "tallystick.v1.HeldService", "tallystick.v1.StatusService"):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("wanted", [True, False])
async def test_reflection_is_there_by_setting_only(stack: Stack, database: str, tmp_path: Path, wanted: bool) -> None:
    listen = {"reflection": wanted}
    async with open_world(stack, database, tmp_path, listen=listen) as world:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(world.channel)  # type: ignore[arg-type]
        call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
        if not wanted:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call.read()
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
            return
        answer = await call.read()
        names = {service.name for service in answer.list_services_response.service}
        assert {"tallystick.v1.OrderSyncService", "tallystick.v1.HeldService", "tallystick.v1.StatusService"} <= names


async def test_an_address_that_is_taken_is_refused_with_what_to_do(world: World) -> None:
    async with api_server(world.installation, world.pool, "127.0.0.1:0") as port:
        with pytest.raises(SetupError, match=r"listen\.grpc"):
            async with api_server(world.installation, world.pool, f"127.0.0.1:{port}"):
                pass


async def test_a_unix_socket_serves_as_well(world: World, tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/api.sock"
    async with (
        api_server(world.installation, world.pool, address),
        grpc.aio.insecure_channel(address) as channel,
    ):
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_server_that_ends_ends_its_streams_in_peace(world: World) -> None:
    async with api_server(world.installation, world.pool, "127.0.0.1:0") as port:
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        stub: Any = OrderSyncServiceStub(channel)
        stream = stub.WatchOrderSync(order_sync_pb2.WatchOrderSyncRequest())
        await stream.read()
    assert await stream.read() is grpc.aio.EOF
    assert await stream.code() is grpc.StatusCode.OK
    await channel.close()


# ---- the status ----------------------------------------------------------------------------------------------------


async def status(world: World, **fields: bool) -> status_pb2.GetStatusResponse:
    answer: status_pb2.GetStatusResponse = await world.status.GetStatus(
        status_pb2.GetStatusRequest(**fields), timeout=DEADLINE_S
    )
    return answer


async def test_the_status_of_an_idle_installation_is_quiet(world: World) -> None:
    now = await status(world)
    assert now.version
    assert now.postgres_version.split(".")[0].isdigit()
    (target,) = now.targets
    assert (target.target, target.kind, list(target.lanes), target.HasField("circuit")) == ("erp", "plain", [], False)
    (route,) = target.routes
    assert (route.connection, route.mode, route.contract_version[:2], list(route.pauses)) == ("shop", "live", "1+", [])
    (store,) = now.connections
    assert (store.connection, store.kind, list(store.pending), list(store.not_eligible)) == ("shop", "shelf", [], [])
    assert not store.HasField("polled_at")


async def test_the_status_counts_what_does_not_go_on(world: World) -> None:
    await world.hold("1")
    await world.hold("2")
    world.shop.put("3", state="draft")
    world.shop.put("4")
    world.shop.put("5")
    await world.take("3")
    await world.take("4", work=False)
    world.erp.busy.add("shop/5")
    await world.take("5")
    await world.engine.ledger.open_circuit(60, "DOWN", "connection refused")
    await world.engine.ledger.pause("shop", HoldReason.DATA, 60)
    now = await status(world)
    (target,) = now.targets
    lanes = {(status_pb2.LaneState.Name(lane.state), lane.reason): lane for lane in target.lanes}
    assert {key: lane.number for key, lane in lanes.items()} == {
        ("LANE_STATE_HELD", "DATA"): 2,
        ("LANE_STATE_UNFINISHED", ""): 1,
        ("LANE_STATE_WAITING", "TRANSIENT"): 1,
    }
    assert lanes[("LANE_STATE_HELD", "DATA")].words == "the target refused the content"
    assert all(lane.HasField("oldest_since") for lane in lanes.values())
    assert (target.circuit.reason, target.circuit.detail, target.circuit.failures) == ("DOWN", "connection refused", 1)
    assert [pause.reason for pause in target.routes[0].pauses] == ["DATA"]
    (not_eligible,) = now.connections[0].not_eligible
    assert (not_eligible.reason, not_eligible.number) == ("DRAFT", 1)
    assert not_eligible.words == "it was never placed (a draft or a checkout left behind)"


async def test_the_status_shows_deliveries_that_wait_and_where_the_poller_stands(world: World) -> None:
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    waiting = Waiting("shop", "shop/1", b"{}", {}, PendingReason.STORE_DOWN, at)
    await PendingDeliveries(world.pool).put([waiting, waiting])
    await Cursors(world.pool).take_turn("shop", "orders", at, 60)
    (store,) = (await status(world)).connections
    (pending,) = store.pending
    assert (pending.reason, pending.number, pending.oldest_at.ToDatetime(UTC)) == ("STORE_DOWN", 2, at)
    assert store.polled_until.ToDatetime(UTC) == at
    assert store.HasField("polled_at")


async def test_stores_are_asked_for_their_webhooks_only_when_that_is_wanted(world: World) -> None:
    world.shop.hooks = [WebhookState("orders/updated", False, "https://shop.example/webhooks/shop")]
    assert list((await status(world)).connections[0].webhooks) == []
    (hook,) = (await status(world, with_webhooks=True)).connections[0].webhooks
    assert (hook.topic, hook.active, hook.address) == ("orders/updated", False, "https://shop.example/webhooks/shop")
    world.shop.down = True
    store = (await status(world, with_webhooks=True)).connections[0]
    assert (list(store.webhooks), store.webhooks_error) == ([], "the shelf cannot be reached")
