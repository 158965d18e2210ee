"""`tallystick serve` and `work`: the two kinds of process, any number of each."""

import asyncio
from collections.abc import Callable

import typer

from tallystick.cli import options, places
from tallystick.cli.running import run


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.command()(work)


def serve(
    config: options.Config,
    kafka: options.Kafka = None,
    postgres: options.Postgres = None,
    log_level: options.LogLevel = "info",
) -> None:
    """Run what listens: the address for the stores' webhooks, and the gRPC API. Any number may run side by side.

    SIGTERM drains; a second signal ends at once. Nothing is lost either way.

    `TALLYSTICK_KAFKA=kafka:9092 tallystick serve --config shop.yaml`
    """
    from service.main import serve as listen
    from tallystick.cli.process import run_roles

    places.start_logging(log_level)
    installation = places.installation_at(config, kafka, postgres)

    async def role(stop: asyncio.Event, started: Callable[[], None]) -> None:
        await listen(installation, stop, lambda _listening: started())

    run(run_roles(installation, {"serve": role}))


def work(
    config: options.Config,
    kafka: options.Kafka = None,
    postgres: options.Postgres = None,
    log_level: options.LogLevel = "info",
) -> None:
    """Run what loops: intake, pollers, and a worker for each ERP. Any number may run side by side.

    SIGTERM drains; a second signal ends at once. Nothing is lost either way.

    `TALLYSTICK_KAFKA=kafka:9092 tallystick work --config shop.yaml`
    """
    from consumers.main import work as loop
    from tallystick.cli.process import run_roles

    places.start_logging(log_level)
    installation = places.installation_at(config, kafka, postgres)

    async def role(stop: asyncio.Event, started: Callable[[], None]) -> None:
        await loop(installation, stop, started)

    run(run_roles(installation, {"work": role}))
