"""Resident memory of each process of the product, and the time from its start until it is ready."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import yaml

from bench.report import Progress
from bench.servers import Servers
from simulators.monday import open_scene
from simulators.monday.scene import ODOO_KEY, WEBHOOK_SECRET, Scene
from tallystick.cli.examples import demo_configuration
from tallystick.stack.process import free_port

ROLES = ("serve", "work")
PATIENCE_S = 60.0
#: Memory is read when the first polls are over.
SETTLED_S = 3.0


@dataclass(frozen=True, slots=True)
class FootprintFigures:
    """By role: MB, and seconds."""

    rss_mb: Mapping[str, float]
    ready_s: Mapping[str, float]


async def measure(servers: Servers, progress: Progress) -> FootprintFigures:
    """Start `tallystick serve` and `tallystick work` with two shops and an Odoo beside them, one after the other."""
    rss_mb: dict[str, float] = {}
    ready_s: dict[str, float] = {}
    async with open_scene() as scene:
        with tempfile.TemporaryDirectory() as folder:
            config, database, prefix = Path(folder) / "shop.yaml", await servers.database(), servers.prefix()
            for role in ROLES:
                progress.step(f"footprint, tallystick {role}")
                port = free_port()
                config.write_text(yaml.safe_dump(_configuration(scene, prefix, port), sort_keys=False))
                began_s = time.perf_counter()
                async with _running(role, config, _environment(scene, servers.kafka, database)) as pid:
                    await _ready(port)
                    ready_s[role] = time.perf_counter() - began_s
                    await asyncio.sleep(SETTLED_S)
                    rss_mb[role] = psutil.Process(pid).memory_info().rss / 1e6
    return FootprintFigures(rss_mb, ready_s)


@asynccontextmanager
async def _running(role: str, config: Path, environment: Mapping[str, str]) -> AsyncIterator[int]:
    command = [sys.executable, "-m", "tallystick.cli", role, "--config", str(config), "--log-level", "error"]
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def _ready(port: int) -> None:
    async with aiohttp.ClientSession() as client, asyncio.timeout(PATIENCE_S):
        while True:
            try:
                async with client.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.02)


def _environment(scene: Scene, kafka: str, database: str) -> dict[str, str]:
    return {
        **os.environ,
        "SHOPIFY_CLIENT_SECRET": scene.shop.secret,
        "WOOCOMMERCE_KEY": "ck_demo",
        "WOOCOMMERCE_SECRET": "cs_demo",
        "WOOCOMMERCE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "ODOO_KEY": ODOO_KEY,
        "TALLYSTICK_KAFKA": kafka,
        "TALLYSTICK_POSTGRES": database,
    }


def _configuration(scene: Scene, prefix: str, telemetry: int) -> dict[str, Any]:
    """The demo's own, with the addresses of the doubles."""
    example = demo_configuration()
    content: dict[str, Any] = yaml.safe_load(example.read_text(encoding="utf-8"))
    at = scene.addresses
    for name, address in (("shopify", at.shopify), ("woocommerce", at.woocommerce), ("odoo", at.odoo)):
        content["connections"][name] |= {"url": address, "private_network": True}
    content["connections"]["shopify"]["client_id"] = scene.shop.client_id
    for route in content["routes"]:
        route["contract"] = str(example.parent / route["contract"])
    content["listen"] = {"webhooks": "127.0.0.1:0", "grpc": "127.0.0.1:0", "telemetry": f"127.0.0.1:{telemetry}"}
    content["kafka"] = {"prefix": prefix}
    return content
