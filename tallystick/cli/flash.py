"""One flash sale from the servers to the verdict, in one process, with a live picture."""

import asyncio
import contextlib
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from adapters import KINDS
from consumers.main import work
from service.webhooks import webhook_server
from simulators.flash import ERP, SECRET, Sale, Stall, Verdict, judge, open_stall
from tallystick.cli.examples import demo_configuration
from tallystick.installation import Addresses, Installation, assemble
from tallystick.kafka.producer import Producer
from tallystick.ledger.migrate import migrate
from tallystick.ledger.pending import PendingDeliveries
from tallystick.ledger.pool import Pool, open_pool
from tallystick.secrets import Secret
from tallystick.settings import Settings
from tallystick.stack import Stack, open_stack

#: Five hundred pieces.
UNITS = {"LAMP": 200, "CHAIR": 200, "CLOCK": 100}
#: Odoo's thirty seconds are one and a half, and a poll each minute is one each three; leases, budgets and the search's
#: lag take a fifth of their time, so that a slow answer still comes within its request.
_FACTOR, SCALE = 0.05, 0.2
_SLOW_S, _POLL_S = 30.0, 60.0
_PATIENCE_S = 600.0
_SECRETS = ("client_secret", "consumer_key", "consumer_secret", "api_key")


async def flash_sale(
    store: str,
    kafka: str | None,
    postgres: str | None,
    *,
    buyers: int,
    over_s: float,
    as_json: bool,
    units: Mapping[str, int] = UNITS,
) -> Verdict:
    """Hold it, and answer with what it came to. `units` are the pieces of each product."""
    console = Console(file=sys.stderr if as_json else sys.stdout, highlight=False)
    async with AsyncExitStack() as exits:
        stack = await exits.enter_async_context(
            open_stack(kafka=kafka, postgres=postgres, durable=False, report=console.print)
        )
        console.print(stack.describe())
        await migrate(stack.postgres)
        stall = await exits.enter_async_context(open_stall(store, _SLOW_S * _FACTOR))
        sale = Sale(stall, units, buyers, over_s)
        sale.stock_up()
        pool = await exits.enter_async_context(_product(stall, stack))
        with _picture(sale, console):
            await _until(lambda: _is(sale.open))
            console.print(f"Odoo has {sum(units.values())} pieces, and the shop shows them: the doors are open.")
            await sale.run()
            console.print(f"All {sale.came:,} buyers were there; {sale.sold} have bought. Odoo is still booking.")
            await _until(lambda: _settled(pool, stall, sale))
        shown = {sku: stall.shown(sku) for sku in units}
        return judge(store, buyers, units, stall.journal, shown)


@asynccontextmanager
async def _product(stall: Stall, stack: Stack) -> AsyncIterator[Pool]:
    """Everything that works and listens, in this process."""
    settings = _settings(stall)
    installation = assemble(settings, KINDS, Addresses(stack.kafka, stack.postgres))
    pool, producer = await open_pool(stack.postgres), Producer(stack.kafka, prefix=settings.kafka.prefix)
    await producer.start()
    try:
        async with _working(installation), webhook_server(installation, producer, PendingDeliveries(pool)) as edge:
            await stall.subscribe(edge)
            yield pool
    finally:
        await stall.odoo.faults.settle()
        await producer.stop()
        await pool.close()
        await installation.close()


@asynccontextmanager
async def _working(installation: Installation) -> AsyncIterator[None]:
    stop, started = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(work(installation, stop, started.set))
    waiting = asyncio.create_task(started.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield
    finally:
        waiting.cancel()
        stop.set()
        await task


def _settings(stall: Stall) -> Settings:
    contract = demo_configuration().parent / f"{stall.name}-odoo.yaml"
    route = {"store": stall.name, "erp": ERP, "contract": contract, "since": "2020-01-01T00:00:00Z"}
    return Settings.model_validate(
        {
            "connections": {stall.name: _secret(stall.connection), ERP: _secret(stall.erp_connection)},
            "routes": [{**route, "flows": {"stock": "live"}}],
            "kafka": {"partitions": 2, "prefix": f"flash{uuid.uuid4().hex[:8]}."},
            "listen": {"webhooks": "127.0.0.1:0"},
            "work": {"time_scale": SCALE, "poll_every_s": _POLL_S * _FACTOR, "sweep_every_s": 0.1},
        }
    )


def _secret(connection: Any) -> dict[str, Any]:
    """Credentials of the doubles, which are no secrets."""
    made = dict(connection)
    for name in set(made) & set(_SECRETS):
        made[name] = Secret.of(made[name])
    if "webhook_secrets" in made:
        made["webhook_secrets"] = [Secret.of(SECRET)]
    return made


async def _settled(pool: Pool, stall: Stall, sale: Sale) -> bool:
    """Whether Odoo has every order, and nobody has anything left to do."""
    booked = sum(order.state == "sale" for order in stall.odoo.orders)
    if booked < sale.sold:
        return False
    [row] = await pool.fetch(
        """SELECT (SELECT count(*) FROM stock_wish) + (SELECT count(*) FROM stock_touch)
           + (SELECT count(*) FROM lane WHERE due_at IS NOT NULL) + (SELECT count(*) FROM pending_delivery) AS busy"""
    )
    return not row["busy"]


async def _is(found: bool) -> bool:
    return found


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@contextlib.contextmanager
def _picture(sale: Sale, console: Console) -> Any:
    """What is sold, what is shown, what Odoo has; through a pipe nothing."""
    progress = Progress(
        TextColumn("  sold"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:>3.0f} of {task.total:.0f}"),
        TextColumn("[dim]{task.fields[words]}[/]"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    bar = progress.add_task("", total=sum(sale.units.values()), words="")

    async def refresh() -> None:
        while True:
            shown = " ".join(f"{sku} {sale.stall.shown(sku)}" for sku in sale.units)
            booked = sum(order.state == "sale" for order in sale.stall.odoo.orders)
            post = f"webhooks late {sale.late}, lost {sale.lost}"
            words = f"{sale.came:,} buyers · shown {shown} · in Odoo {booked} · {post}"
            progress.update(bar, completed=sale.sold, words=words)
            await asyncio.sleep(0.2)

    task = asyncio.ensure_future(refresh())
    with progress:
        try:
            yield
        finally:
            task.cancel()
