"""The product in the demo: one process that listens and two that work, as on three machines."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import yaml

from simulators.monday import Scene
from simulators.monday.scene import ODOO_KEY, WEBHOOK_SECRET
from tallystick.cli.examples import demo_configuration
from tallystick.ledger.migrate import migrate
from tallystick.stack import Stack
from tallystick.stack.process import Guardian, Process, free_port

#: The protocol's durations run at a tenth: a lease of 1.5 s instead of 15, so that a killed worker is missed soon.
TIME_SCALE = 0.1
_POLL_EVERY_S = 4.0
_PARTITIONS = 8
_ASSIGNED = re.compile(r"^tallystick_consumer_assigned_partitions\{[^}]*\} (\S+)$", re.MULTILINE)
WORKERS = ("worker-1", "worker-2")


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the product listens."""

    webhooks: str
    grpc: str


class Company:
    """Starts and ends the processes; their logs stand in `folder`. Nothing of them outlives the context."""

    def __init__(self, folder: Path, scene: Scene, stack: Stack) -> None:
        self._folder = folder
        self._stack = stack
        self._env = {**os.environ, **_secrets(scene), "TALLYSTICK_KAFKA": stack.kafka}
        self._env["TALLYSTICK_POSTGRES"] = stack.postgres
        self.listening = Listening(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
        self._configuration = _configuration(scene, self.listening)
        #: Where each process shows its metrics.
        self._telemetry: dict[str, str] = {}
        self._processes: dict[str, Process] = {}
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        self._guardian = Guardian()
        self._exits.callback(self._guardian.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes.values():
            process.stop(patience_s=10)
        self._exits.close()

    def start(self, name: str, role: str) -> None:
        """Start one process in a role, `serve` or `work`."""
        config = str(self._write_configuration(name))
        process = Process(
            name,
            [sys.executable, "-m", "tallystick.cli", role, "--config", config, "--log-level", "warning"],
            log=self._folder / f"{name}.log",
            guardian=self._guardian,
            stop_signal=signal.SIGTERM,
            env=self._env,
        )
        process.start()
        self._processes[name] = process

    def _write_configuration(self, name: str) -> Path:
        """The file of one process, which differs in where its metrics are."""
        self._telemetry[name] = f"127.0.0.1:{free_port()}"
        listen = {**self._configuration["listen"], "telemetry": self._telemetry[name]}
        path = self._folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump({**self._configuration, "listen": listen}, sort_keys=False), encoding="utf-8")
        return path

    async def migrate(self) -> None:
        """Make the tables."""
        await migrate(self._stack.postgres)

    async def workers_ready(self) -> None:
        """Wait until the workers have shared all partitions of both topics among them."""
        async with aiohttp.ClientSession() as session:
            while await self._assigned(session) < 2 * _PARTITIONS:
                self.require_running()
                await asyncio.sleep(0.1)

    async def _assigned(self, session: aiohttp.ClientSession) -> int:
        pages = await asyncio.gather(*(_page(session, self._telemetry[name]) for name in WORKERS))
        return sum(int(float(number)) for page in pages for number in _ASSIGNED.findall(page))

    def kill(self, name: str) -> None:
        """End it as by kill -9."""
        self._processes.pop(name).kill()

    def require_running(self) -> None:
        """Raise `StackError` with the last words of a process that ended by itself."""
        for process in self._processes.values():
            process.require_running()


async def _page(session: aiohttp.ClientSession, address: str) -> str:
    try:
        async with session.get(f"http://{address}/metrics") as answer:
            return await answer.text()
    except (aiohttp.ClientError, OSError):
        return ""


def _configuration(scene: Scene, listening: Listening) -> dict[str, Any]:
    """The example configuration with the addresses of today."""
    example = demo_configuration()
    content: dict[str, Any] = yaml.safe_load(example.read_text(encoding="utf-8"))
    for name, address in (
        ("shopify", scene.addresses.shopify),
        ("woocommerce", scene.addresses.woocommerce),
        ("odoo", scene.addresses.odoo),
    ):
        content["connections"][name] |= {"url": address, "private_network": True}
    content["connections"]["shopify"]["client_id"] = scene.shop.client_id
    # An Odoo of one's own, not one of the cloud that wants a request a second.
    content["connections"]["odoo"]["pace"] = {"rate_per_s": 50, "burst": 50, "parallel": 4}
    for route in content["routes"]:
        route["flows"] = {"refunds": "live", "fulfilments": "live", "stock": "live"}
        route["contract"] = str((example.parent / route["contract"]).resolve())
    content["listen"] = {"webhooks": listening.webhooks, "grpc": listening.grpc}
    content["kafka"] = {"partitions": _PARTITIONS}
    content["work"] = {"time_scale": TIME_SCALE, "poll_every_s": _POLL_EVERY_S, "sweep_every_s": 0.2}
    return content


def _secrets(scene: Scene) -> Mapping[str, str]:
    """What the example configuration takes from the environment."""
    key, (secret, _) = next(iter(scene.woo.settings.keys.items()))
    return {
        "SHOPIFY_CLIENT_SECRET": scene.shop.secret,
        "WOOCOMMERCE_KEY": key,
        "WOOCOMMERCE_SECRET": secret,
        "WOOCOMMERCE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "ODOO_KEY": ODOO_KEY,
    }
