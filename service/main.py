"""Everything that listens, for one process: the edge for deliveries and the API for other services."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from service.api import api_server
from service.webhooks import webhook_server
from tallystick.installation import Installation
from tallystick.ledger.pending import PendingDeliveries
from tallystick.start import ground


@dataclass(frozen=True, slots=True)
class Listening:
    """Where this process listens, with real ports."""

    webhooks: str
    grpc: str


async def serve(
    installation: Installation, stop: asyncio.Event, started: Callable[[Listening], None] | None = None
) -> None:
    """Until `stop` is set; then deliveries under way are made durable. `started` is told once all listen.

    No vendor is called from here: the edge answers whoever signs correctly. Raises `SetupError` before it begins when
    something cannot work as it stands.
    """
    async with (
        ground(installation) as base,
        webhook_server(installation, base.producer, PendingDeliveries(base.pool)) as webhooks,
        api_server(installation, base.pool, installation.settings.listen.grpc) as port,
    ):
        if started is not None:
            started(Listening(webhooks, _with_port(installation.settings.listen.grpc, port)))
        await stop.wait()


def _with_port(address: str, port: int) -> str:
    """The address with the port that it got, where it asked for any."""
    host, colon, _ = address.rpartition(":")
    return address if address.startswith("unix:") else f"{host}{colon}{port}"
