"""From options, environment and configuration to the servers and the installation of a command."""

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import stamina

from tallystick.cli import screen
from tallystick.cli.state import running_in
from tallystick.errors import SetupError
from tallystick.settings import Settings, load_settings

if TYPE_CHECKING:
    from tallystick.installation import Addresses, Installation


def start_logging(level: str) -> None:
    """Logs for people in a terminal, JSON lines otherwise."""
    from tallystick.telemetry import set_up_logging

    if level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise SetupError(f"there is no log level {level!r}; there are debug, info, warning and error")
    set_up_logging(as_json=not sys.stderr.isatty(), level=level)
    # What they have to say comes from our ports in our words; their own lines tell of every passing hiccup.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    stamina.instrumentation.set_on_retry_hooks([])


def postgres_of(settings: Settings, given: str | None, *, direct: bool = False) -> str | None:
    """The address by option or variable, else by the configuration; `direct` prefers the one past pgbouncer."""
    servers = settings.servers
    if given:
        return given
    if direct and servers.postgres_direct is not None:
        return servers.postgres_direct.reveal()
    return servers.postgres.reveal() if servers.postgres is not None else None


def require_addresses(settings: Settings, kafka: str | None, postgres: str | None) -> "Addresses":
    """Both addresses. Raises `SetupError` that says where they may stand."""
    from tallystick.installation import Addresses

    kafka = kafka or settings.servers.kafka
    postgres = postgres_of(settings, postgres)
    lacking = [name for name, found in (("Kafka", kafka), ("PostgreSQL", postgres)) if not found]
    if lacking:
        raise SetupError(
            f"it is not said where {' and '.join(lacking)} can be found: set TALLYSTICK_KAFKA and "
            "TALLYSTICK_POSTGRES, or `servers:` in the configuration; or let `tallystick run` bring its own"
        )
    assert kafka is not None
    assert postgres is not None
    return Addresses(kafka, postgres)


@asynccontextmanager
async def reaching(server: str) -> AsyncIterator[None]:
    """What asyncpg and sockets raise when a server cannot be reached, as a `SetupError` in words."""
    import asyncpg

    try:
        yield
    except (
        OSError,
        TimeoutError,
        asyncpg.PostgresConnectionError,
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.InvalidCatalogNameError,
    ) as error:
        raise SetupError(
            f"{server} cannot be reached at the address given ({type(error).__name__}); check host, user and password"
        ) from error


def installation_of(config: Path) -> "Installation":
    """The configuration with its adapters and contracts, checked; its addresses are still empty."""
    from adapters import KINDS
    from tallystick.installation import Addresses, assemble

    return assemble(load_settings(config), KINDS, Addresses("", ""))


def installation_at(config: Path, kafka: str | None, postgres: str | None) -> "Installation":
    """The configuration at the servers that options, environment or the file itself name."""
    blank = installation_of(config)
    return at(blank, require_addresses(blank.settings, kafka, postgres))


def at(installation: "Installation", addresses: "Addresses", *, unclean: bool = False) -> "Installation":
    """The same at these servers."""
    return replace(installation, addresses=addresses, unclean=unclean)


@asynccontextmanager
async def servers(
    settings: Settings, data: Path | None, kafka: str | None, postgres: str | None
) -> AsyncIterator["Addresses"]:
    """The servers of an installation for one command: by address, those of what runs on `data`, else started there."""
    from tallystick.installation import Addresses
    from tallystick.stack import open_stack

    kafka, postgres = kafka or settings.servers.kafka, postgres_of(settings, postgres, direct=True)
    running = running_in(data) if data is not None else None
    if running is not None:
        yield Addresses(kafka or running.kafka, postgres or running.postgres)
    elif data is None:
        yield require_addresses(settings, kafka, postgres)
    else:
        async with open_stack(data=data, kafka=kafka, postgres=postgres, report=screen.note) as stack:
            yield Addresses(stack.kafka, stack.postgres)


@asynccontextmanager
async def ledger(settings: Settings | None, data: Path | None, postgres: str | None) -> AsyncIterator[str]:
    """The direct address of the ledger alone, found as `servers` finds both."""
    from tallystick.stack import open_stack

    postgres = postgres_of(settings, postgres, direct=True) if settings is not None else postgres
    running = running_in(data) if data is not None else None
    if postgres is not None or running is not None:
        yield postgres or running.postgres  # type: ignore[union-attr]
    elif data is None:
        raise SetupError("it is not said where PostgreSQL is: set TALLYSTICK_POSTGRES, or name the folder with --data")
    else:
        # An address for Kafka, which nobody calls: only PostgreSQL is started.
        async with open_stack(data=data, kafka="-", report=screen.note) as stack:
            yield stack.postgres
