"""One Monday from the servers to the verdict."""

import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from simulators.monday import Scene, open_scene
from tallystick.cli.demo.company import WORKERS, Company
from tallystick.cli.demo.live import Live
from tallystick.cli.demo.office import Office
from tallystick.cli.demo.plot import Plot
from tallystick.cli.demo.result import Result, conclude
from tallystick.cli.screen import out, show_json
from tallystick.stack import open_stack

_READY_S = 60.0


async def monday(kafka: str | None, postgres: str | None, *, docker: bool, stay: bool, as_json: bool) -> Result:
    """Play it, show how it ended, and answer with the figures."""
    console = Console(file=sys.stderr if as_json else sys.stdout, highlight=False)
    async with AsyncExitStack() as exits:
        stack = await exits.enter_async_context(
            open_stack(kafka=kafka, postgres=postgres, docker=docker, durable=False, report=console.print)
        )
        console.print(stack.describe())
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="tallystick-demo-")))
        scene = await exits.enter_async_context(open_scene())
        company = exits.enter_context(Company(folder, scene, stack))
        await company.migrate()
        office = await exits.enter_async_context(Office(company.listening.grpc))
        await _open(company, office, scene)
        began_s = time.monotonic()
        with Live(scene, console) as live:
            plot = Plot(scene, company, office, live.tell)
            await plot.play()
        result = conclude(plot, stack, await office.held(), time.monotonic() - began_s)
        if as_json:
            show_json(result.as_json())
        else:
            result.show()
            await _farewell(company, office, result, stay=stay)
    return result


async def _open(company: Company, office: Office, scene: Scene) -> None:
    """Start every process and wait until the API and the webhooks answer."""
    company.start("api", "serve")
    for worker in WORKERS:
        company.start(worker, "work")
    async with asyncio.timeout(_READY_S):
        await office.ready()
        await company.workers_ready()
    await scene.subscribe(f"http://{company.listening.webhooks}")


async def _farewell(company: Company, office: Office, result: Result, *, stay: bool) -> None:
    """How to look at one order."""
    name = result.held[0].name if result.held else "woocommerce/5010"
    if not stay:
        out().print("\nLook around in it: [bold]tallystick demo --stay[/]; it prints how to see one order's story.")
        return
    api = company.listening.grpc
    out().print(
        f"\nEverything stays up until Ctrl-C. In another terminal:\n\n  tallystick orders show {name} --api {api}"
    )
    out().print(f"  tallystick held list --api {api}\n  tallystick status --api {api}")
    await asyncio.Event().wait()
