"""The product in the demo: one process that listens and two that work, as on three machines."""

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

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
        self._config = _write_configuration(folder, scene, self.listening)
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
        process = Process(
            name,
            [sys.executable, "-m", "tallystick.cli", role, "--config", str(self._config), "--log-level", "warning"],
            log=self._folder / f"{name}.log",
            guardian=self._guardian,
            stop_signal=signal.SIGTERM,
            env=self._env,
        )
        process.start()
        self._processes[name] = process

    async def migrate(self) -> None:
        """Make the tables."""
        await migrate(self._stack.postgres)

    def kill(self, name: str) -> None:
        """End it as by kill -9."""
        self._processes.pop(name).kill()

    def require_running(self) -> None:
        """Raise `StackError` with the last words of a process that ended by itself."""
        for process in self._processes.values():
            process.require_running()


def _write_configuration(folder: Path, scene: Scene, listening: Listening) -> Path:
    """The example configuration with the addresses of today."""
    example = demo_configuration()
    content: dict[str, Any] = yaml.safe_load(example.read_text(encoding="utf-8"))
    for name, address in (
        ("shopify", scene.addresses.shopify),
        ("woocommerce", scene.addresses.woocommerce),
        ("odoo", scene.addresses.odoo),
    ):
        content["connections"][name] |= {"url": address, "private_network": True}
    for route in content["routes"]:
        route["contract"] = str((example.parent / route["contract"]).resolve())
    content["listen"] = {"webhooks": listening.webhooks, "grpc": listening.grpc, "telemetry": "127.0.0.1:0"}
    content["work"] = {"time_scale": TIME_SCALE, "poll_every_s": _POLL_EVERY_S, "sweep_every_s": 0.2}
    path = folder / "tallystick.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def _secrets(scene: Scene) -> Mapping[str, str]:
    """What the example configuration takes from the environment."""
    key, (secret, _) = next(iter(scene.woocommerce.settings.keys.items()))
    return {
        "SHOPIFY_CLIENT_SECRET": scene.shopify.secret,
        "WOOCOMMERCE_KEY": key,
        "WOOCOMMERCE_SECRET": secret,
        "WOOCOMMERCE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "ODOO_KEY": ODOO_KEY,
    }
