"""`tallystick work`, `serve` and `run`: the processes."""

import asyncio

import structlog
import typer

from tallystick.cli import options, places
from tallystick.cli.running import run as run_loop
from tallystick.cli.running import until_signalled

log = structlog.get_logger(__name__)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(work)


def work(
    config: options.Config,
    kafka: options.Kafka = None,
    postgres: options.Postgres = None,
    log_level: options.LogLevel = "info",
) -> None:
    """Run what loops: intake, pollers, and a worker for each ERP. Any number may run side by side.

    [dim]TALLYSTICK_KAFKA=kafka:9092 tallystick work --config shop.yaml[/]
    """
    from consumers.main import work as loops

    places.start_logging(log_level)
    blank = places.installation_of(config)
    installation = places.at(blank, places.require_addresses(blank.settings, kafka, postgres))

    async def role(stop: asyncio.Event) -> None:
        try:
            await loops(installation, stop)
        finally:
            await installation.close()

    run_loop(until_signalled(role))
