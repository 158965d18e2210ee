"""What operators look at over HTTP: `/metrics`, `/healthz` (this process lives) and `/readyz` (it can serve).

`/healthz` asks no dependency, since a restart would not mend one; it tells only that the event loop still turns.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

import structlog
from aiohttp import web
from prometheus_client.exposition import choose_encoder

from tallystick.errors import SetupError
from tallystick.installation import Installation
from tallystick.settings import Settings
from tallystick.telemetry import Metrics

log = structlog.get_logger(__name__)

#: What is not ready yet, in words; empty when all is.
Ready = Callable[[], Sequence[str]]

_BEAT_S = 0.25
#: A loop that has not turned for so long serves nobody; Kafka has thrown its consumers out of their groups as well.
_DEAD_S = 45.0
_Page = Callable[[web.Request], Awaitable[web.Response]]


class Heartbeat:
    """Wakes up again and again and notes how late it was."""

    def __init__(self, metrics: Metrics) -> None:
        self._lag_seconds = metrics.event_loop_lag_seconds
        self._loop = asyncio.get_running_loop()
        self._beat_at_s = self._loop.time()

    @property
    def alive(self) -> bool:
        """Whether the loop has turned lately."""
        return self._loop.time() - self._beat_at_s < _DEAD_S

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            due_at_s = self._loop.time() + _BEAT_S
            await asyncio.sleep(_BEAT_S)
            self._beat_at_s = self._loop.time()
            self._lag_seconds.observe(max(0.0, self._beat_at_s - due_at_s))


@asynccontextmanager
async def telemetry_server(installation: Installation, ready: Ready) -> AsyncIterator[str]:
    """Serve on the configured address; the address with its real port. Raises `SetupError` when it is taken."""
    _introduce(installation.metrics, installation.settings)
    heartbeat = Heartbeat(installation.metrics)
    beating = asyncio.create_task(heartbeat.run())
    runner = web.AppRunner(_application(installation.metrics, heartbeat, ready), access_log=None)
    try:
        await runner.setup()
        yield await _listen(runner, installation.settings.listen.telemetry)
    finally:
        await runner.cleanup()
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating


async def _listen(runner: web.AppRunner, address: str) -> str:
    host, _, port = address.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except (OSError, ValueError) as error:
        raise SetupError(f"cannot listen on {address!r}: {error}; give a free host:port of this machine") from error
    bound = f"{host}:{runner.addresses[0][1]}"
    log.info("telemetry", address=bound)
    return bound


def _introduce(metrics: Metrics, settings: Settings) -> None:
    """Which build runs, under which configuration; a digest, so that two processes can be compared."""
    metrics.build_info.labels(version("tallystick")).set(1)
    digest = hashlib.sha256(settings.model_dump_json().encode()).hexdigest()
    metrics.config_info.labels(digest[:12]).set(1)


def _application(metrics: Metrics, heartbeat: Heartbeat, ready: Ready) -> web.Application:
    application = web.Application()
    application.router.add_get("/metrics", _metrics(metrics))
    application.router.add_get("/healthz", _health(heartbeat))
    application.router.add_get("/readyz", _readiness(ready))
    return application


def _metrics(metrics: Metrics) -> _Page:
    async def page(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(metrics.registry), headers={"Content-Type": content_type})

    return page


def _health(heartbeat: Heartbeat) -> _Page:
    async def page(_request: web.Request) -> web.Response:
        if heartbeat.alive:
            return web.Response(text="alive\n")
        return web.Response(status=503, text="the event loop does not turn\n")

    return page


def _readiness(ready: Ready) -> _Page:
    async def page(_request: web.Request) -> web.Response:
        missing = ready()
        if not missing:
            return web.Response(text="ready\n")
        return web.Response(status=503, text="".join(f"not ready: {what}\n" for what in missing))

    return page
