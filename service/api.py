"""The gRPC API of one process: its services, health, reflection by setting, and the limits that hold for all calls.

Plain text on loopback or on a Unix socket; TLS stands before it where it has to be reached from elsewhere.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from service.held import HeldOrders
from service.interceptors import Guard
from service.order_syncs import OrderSyncs
from service.reconciles import Reconciles
from service.records import RecordBook, ways
from service.status import Status
from service.stock import StockShelves
from service.watch import Watches, WatchLimits
from tallystick.errors import SetupError
from tallystick.installation import Installation
from tallystick.ledger.acts import Acts
from tallystick.ledger.events import Events
from tallystick.ledger.operations import Operations
from tallystick.ledger.pool import Pool
from tallystick.ledger.records import Records
from tallystick.ledger.views import Views
from tallystick.reconcile.plan import places
from tallystick.reconcile.runs import Runs
from tallystick.v1 import (
    held_pb2,
    held_pb2_grpc,
    order_sync_pb2,
    order_sync_pb2_grpc,
    reconcile_pb2,
    reconcile_pb2_grpc,
    record_pb2,
    record_pb2_grpc,
    status_pb2,
    status_pb2_grpc,
    stock_pb2,
    stock_pb2_grpc,
)

log = structlog.get_logger(__name__)

MESSAGE_MAX = 4 * 1024 * 1024
#: Streams included; more are refused with RESOURCE_EXHAUSTED before they cost anything.
CONCURRENT_MAX = 256
#: How long calls that are under way may take when the process ends.
GRACE_S = 5.0

_SERVICES = tuple(
    file.DESCRIPTOR.services_by_name[name].full_name
    for file, name in (
        (order_sync_pb2, "OrderSyncService"),
        (held_pb2, "HeldService"),
        (reconcile_pb2, "ReconcileService"),
        (record_pb2, "RecordService"),
        (stock_pb2, "StockService"),
        (status_pb2, "StatusService"),
    )
)


@asynccontextmanager
async def api_server(
    installation: Installation,
    pool: Pool,
    address: str,
    *,
    watch: WatchLimits | None = None,
    concurrent_max: int = CONCURRENT_MAX,
) -> AsyncIterator[int]:
    """Serve at `address` (`host:port` or `unix:/path`) while the context lasts; yields the port.

    Raises `SetupError` when the address cannot be had.
    """
    server = grpc.aio.server(
        interceptors=(Guard(installation.metrics),),
        maximum_concurrent_rpcs=concurrent_max,
        options=(
            ("grpc.max_receive_message_length", MESSAGE_MAX),
            ("grpc.max_send_message_length", MESSAGE_MAX),
            # A second process on the same port is a mistake, not a way to share the load.
            ("grpc.so_reuseport", 0),
        ),
    )
    watches = _add_services(server, installation, pool, watch or WatchLimits())
    healthy = await _add_health(server)
    if installation.settings.listen.reflection:
        reflection.enable_server_reflection((*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    port = _listen(server, address)
    await server.start()
    log.info("api ready", address=address, port=port)
    try:
        yield port
    finally:
        await healthy.enter_graceful_shutdown()
        watches.stop()
        await server.stop(GRACE_S)


def _add_services(server: grpc.aio.Server, installation: Installation, pool: Pool, limits: WatchLimits) -> Watches:
    views = Views(pool, installation.settings.routes)
    watches = Watches(views, Events(pool), installation.clock, limits)
    order_sync_pb2_grpc.add_OrderSyncServiceServicer_to_server(
        OrderSyncs(views, Operations(pool), watches, installation.clock), server
    )
    held_pb2_grpc.add_HeldServiceServicer_to_server(HeldOrders(views, Acts(pool), installation.metrics), server)
    reconcile_pb2_grpc.add_ReconcileServiceServicer_to_server(
        Reconciles(Runs(pool), places(installation), installation.clock), server
    )
    status_pb2_grpc.add_StatusServiceServicer_to_server(Status(installation, pool), server)
    crossing = [way for route in installation.settings.routes for way in ways(route)]
    record_pb2_grpc.add_RecordServiceServicer_to_server(RecordBook(views, Records(pool, crossing)), server)
    stock_pb2_grpc.add_StockServiceServicer_to_server(StockShelves(installation, views, pool), server)
    return watches


async def _add_health(server: grpc.aio.Server) -> health.aio.HealthServicer:
    servicer = health.aio.HealthServicer()
    for name in ("", *_SERVICES):
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    return servicer


def _listen(server: grpc.aio.Server, address: str) -> int:
    try:
        return server.add_insecure_port(address)
    except RuntimeError as error:
        raise SetupError(
            f"the API cannot listen at {address!r}: the address is in use or is none of this machine's; "
            "set listen.grpc to another one"
        ) from error
