"""`tallystick run`: the whole product on one machine, with servers of its own where none are named."""

import asyncio
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import options, places
from tallystick.cli.running import run as run_loop
from tallystick.cli.screen import note, say
from tallystick.cli.state import State, running_in, shown
from tallystick.errors import SetupError

if TYPE_CHECKING:
    from service.main import Listening
    from tallystick.cli.process import Role
    from tallystick.installation import Installation

Docker = Annotated[bool, typer.Option("--docker", help="Kafka and PostgreSQL in containers instead of embedded ones.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(run)


def run(
    config: options.MaybeConfig = None,
    data: options.Data = None,
    kafka: options.Kafka = None,
    postgres: options.Postgres = None,
    docker: Docker = False,
    log_level: options.LogLevel = "info",
) -> None:
    """Run everything in one process: webhooks, API, pollers and workers.

    Where no Kafka or PostgreSQL is named, the real ones are started and keep everything in --data: a power cut loses
    nothing. The database is brought up to date first. Ctrl-C or SIGTERM drains, a second one ends at once.

    `tallystick run --config shop.yaml --data /var/lib/tallystick`

    `tallystick orders show 1042 --data /var/lib/tallystick`     in another terminal
    """
    places.start_logging(log_level)
    installation = places.installation_of(_config(config, data))
    run_loop(_run(installation, data, kafka, postgres, docker=docker))


def _config(config: Path | None, data: Path | None) -> Path:
    """The file that was named, else the one in the data folder."""
    kept = data / "tallystick.yaml" if data is not None else None
    if config is not None:
        return config
    if kept is not None and kept.exists():
        return kept
    from tallystick.cli.examples import demo_configuration

    where = f", or put it at {kept}" if kept is not None else ""
    raise SetupError(f"name the configuration with --config{where}; {demo_configuration()} is one to copy")


async def _run(
    blank: "Installation", data: Path | None, kafka: str | None, postgres: str | None, *, docker: bool
) -> None:
    from tallystick.installation import Addresses
    from tallystick.ledger.migrate import migrate
    from tallystick.stack import open_stack

    settings = blank.settings
    kafka, pooled = kafka or settings.servers.kafka, places.postgres_of(settings, postgres)
    if data is None and not docker and not (kafka and pooled):
        raise SetupError("say with --data in which folder to keep everything, or name a Kafka and a PostgreSQL")
    _require_free(data)
    async with open_stack(data=data, kafka=kafka, postgres=pooled, docker=docker, report=note) as stack:
        say(stack.describe())
        async with places.reaching("PostgreSQL"):
            await migrate(places.postgres_of(settings, postgres, direct=True) or stack.postgres)
        installation = places.at(blank, Addresses(stack.kafka, stack.postgres), unclean=stack.unclean)
        await _run_roles(installation, data)


def _require_free(data: Path | None) -> None:
    if data is not None and running_in(data) is not None:
        raise SetupError(f"{data} is in use by another Tallystick; stop that one first, or choose another folder")


async def _run_roles(installation: "Installation", data: Path | None) -> None:
    from consumers.main import work
    from service.main import serve
    from tallystick.cli.process import run_roles

    with ExitStack() as exits:

        async def listening(stop: asyncio.Event, started: Callable[[], None]) -> None:
            def tell(where: "Listening") -> None:
                if data is not None:
                    exits.enter_context(shown(data, _state(installation, where)))
                started()

            await serve(installation, stop, tell)

        async def looping(stop: asyncio.Event, started: Callable[[], None]) -> None:
            await work(installation, stop, started)

        roles: dict[str, Role] = {"serve": listening, "work": looping}
        await run_roles(installation, roles)


def _state(installation: "Installation", where: "Listening") -> State:
    addresses = installation.addresses
    return State(os.getpid(), where.grpc, where.webhooks, addresses.kafka, addresses.postgres)
