"""The product beside its doubles: two shops and an Odoo on loopback, real Kafka and Postgres, the command line."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import yaml

from adapters import KINDS
from consumers.main import work
from service.main import Listening, serve
from simulators.monday import Scene, open_scene
from simulators.monday.scene import ODOO_KEY, WEBHOOK_SECRET
from simulators.woocommerce import Item
from simulators.woocommerce.model import Order
from tallystick.cli.examples import demo_configuration
from tallystick.installation import Addresses, Installation, assemble
from tallystick.settings import load_settings
from tallystick.stack import Stack
from tallystick.v1 import order_sync_pb2, order_sync_pb2_grpc

PATIENCE_S = 90.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which has to be one JSON document."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Product:
    """The configuration of one installation, and the doubles it speaks to."""

    scene: Scene
    config: Path
    env: Mapping[str, str]
    addresses: Addresses

    def installation(self) -> Installation:
        """Built anew, as a process would."""
        return assemble(load_settings(self.config), KINDS, self.addresses)

    def change(self, **parts: Any) -> None:
        """Replace top-level parts of the configuration; a mapping is merged into what is there."""
        content = yaml.safe_load(self.config.read_text())
        for name, part in parts.items():
            content[name] = {**content.get(name, {}), **part} if isinstance(part, dict) else part
        self.config.write_text(yaml.safe_dump(content, sort_keys=False))

    def routes(self) -> list[dict[str, Any]]:
        """The routes as the configuration has them."""
        found: list[dict[str, Any]] = yaml.safe_load(self.config.read_text())["routes"]
        return found

    def drop(self, connection: str) -> None:
        """Take a connection and its routes out of the configuration."""
        content = yaml.safe_load(self.config.read_text())
        del content["connections"][connection]
        content["routes"] = [r for r in content["routes"] if connection not in (r["store"], r["erp"])]
        self.config.write_text(yaml.safe_dump(content, sort_keys=False))

    def sell(self, *items: Item) -> Order:
        """An order in the WooCommerce shop."""
        return self.scene.woo.place_order(items or [Item("MUG-01", 2)])

    def booked(self, reference: str) -> list[str]:
        """The numbers of the orders in Odoo under a reference."""
        return [one.name for one in self.scene.odoo.orders if one.client_order_ref == reference]

    async def run(self, *arguments: str, api: str = "") -> Answer:
        """One command in a process of its own."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tallystick.cli",
            *arguments,
            env={**self.env, "TALLYSTICK_API": api} if api else self.env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        except TimeoutError:
            process.kill()
            raise
        assert process.returncode is not None
        return Answer(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def product(stack: Stack, database: str, folder: Path, prefix: str) -> AsyncIterator[Product]:
    """An installation that has not started yet; its tables are not made."""
    async with open_scene() as scene:
        env = {
            **os.environ,
            "SHOPIFY_CLIENT_SECRET": scene.shop.secret,
            "WOOCOMMERCE_KEY": "ck_demo",
            "WOOCOMMERCE_SECRET": "cs_demo",
            "WOOCOMMERCE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "ODOO_KEY": ODOO_KEY,
            "TALLYSTICK_KAFKA": stack.kafka,
            "TALLYSTICK_POSTGRES": database,
        }
        config = folder / "shop.yaml"
        config.write_text(yaml.safe_dump(_configuration(scene, prefix), sort_keys=False))
        yield Product(scene, config, env, Addresses(stack.kafka, database))


def _configuration(scene: Scene, prefix: str) -> dict[str, Any]:
    """The example with the addresses of the doubles, free ports, and the protocol's durations at a tenth."""
    example = demo_configuration()
    content: dict[str, Any] = yaml.safe_load(example.read_text())
    at = scene.addresses
    for name, address in (("shopify", at.shopify), ("woocommerce", at.woocommerce), ("odoo", at.odoo)):
        content["connections"][name] |= {"url": address, "private_network": True}
    content["connections"]["shopify"]["client_id"] = scene.shop.client_id
    for route in content["routes"]:
        route["contract"] = str(example.parent / route["contract"])
    content["listen"] = {"webhooks": "127.0.0.1:0", "grpc": "127.0.0.1:0", "telemetry": "127.0.0.1:0"}
    content["work"] = {"time_scale": 0.1, "poll_every_s": 1.0, "sweep_every_s": 0.2}
    content["kafka"] = {"prefix": prefix, "partitions": 2}
    return content


@asynccontextmanager
async def running(wanted: Product) -> AsyncIterator[Listening]:
    """Both roles in this process, as `tallystick run` runs them; drained at the end."""
    installation, stop = wanted.installation(), asyncio.Event()
    listening: asyncio.Future[Listening] = asyncio.get_running_loop().create_future()
    looping = asyncio.Event()
    roles = [
        asyncio.create_task(serve(installation, stop, listening.set_result)),
        asyncio.create_task(work(installation, stop, looping.set)),
    ]
    started = asyncio.gather(listening, looping.wait())
    waited: set[asyncio.Future[Any]] = {started, *roles}
    try:
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_S)
        for role in roles:
            if role.done():
                role.result()
        assert started.done(), "the roles did not start in time"
        yield listening.result()
    finally:
        stop.set()
        _, late = await asyncio.wait(roles, timeout=PATIENCE_S)
        started.cancel()
        await installation.close()
        assert not late, "the roles did not drain in time"


async def until(true: Callable[[], bool] | Callable[[], Awaitable[bool]], within_s: float = PATIENCE_S) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(within_s):
        while True:
            found = true()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.05)


def at(wanted: Product, addresses: Addresses) -> Product:
    """The same installation at other servers."""
    env = {**wanted.env, "TALLYSTICK_KAFKA": addresses.kafka, "TALLYSTICK_POSTGRES": addresses.postgres}
    return replace(wanted, addresses=addresses, env=env)


async def standing(api: str, order_id: int) -> order_sync_pb2.OrderSync:
    """A WooCommerce order as the API shows it; an empty answer while it is not known."""
    async with grpc.aio.insecure_channel(api) as channel:
        asked = order_sync_pb2.GetOrderSyncRequest(name=f"woocommerce/{order_id}")
        try:
            answer = await order_sync_pb2_grpc.OrderSyncServiceStub(channel).GetOrderSync(asked, timeout=PATIENCE_S)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return order_sync_pb2.OrderSync()
    found: order_sync_pb2.OrderSync = answer.order_sync
    return found


async def stands(api: str, order_id: int, state: str) -> bool:
    """Whether it stands so in Odoo."""
    wanted = order_sync_pb2.SyncState.Value(f"SYNC_STATE_{state}")
    return any(one.state == wanted for one in (await standing(api, order_id)).targets)
