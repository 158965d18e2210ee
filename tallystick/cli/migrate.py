"""`tallystick migrate`: bring the database up to date."""

from enum import StrEnum
from typing import Annotated

import typer

from tallystick.cli import options, places
from tallystick.cli.running import run
from tallystick.cli.screen import say, show_json
from tallystick.errors import SetupError
from tallystick.settings import load_settings


class Phase(StrEnum):
    """Which half of each migration."""

    PRE = "pre"
    POST = "post"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)


def migrate(
    config: options.MaybeConfig = None,
    postgres: options.Postgres = None,
    phase: Annotated[
        Phase | None,
        typer.Option(help="pre: before the new version starts. post: once the old one is gone. Without: both."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Bring the database up to date, over a direct connection (not pgbouncer). Safe to repeat and side by side.

    `tallystick run` does this by itself.

    `TALLYSTICK_POSTGRES=postgresql://owner@db/tallystick tallystick migrate`

    `tallystick migrate --phase pre && roll out && tallystick migrate --phase post`
    """
    ran = run(_migrate(_address(config, postgres), phase))
    if json:
        show_json({"applied": ran})
        return
    for name in ran:
        say(f"applied {name}")
    if not ran:
        say("the database is up to date")


def _address(config: options.MaybeConfig, postgres: str | None) -> str:
    if config is not None:
        postgres = places.postgres_of(load_settings(config), postgres, direct=True)
    if postgres is None:
        raise SetupError(
            "it is not said where PostgreSQL is: set TALLYSTICK_POSTGRES, or name a --config whose `servers:` does"
        )
    return postgres


async def _migrate(postgres: str, phase: Phase | None) -> list[str]:
    from tallystick.ledger.migrate import migrate as bring_up_to_date

    async with places.reaching("PostgreSQL"):
        return await bring_up_to_date(postgres, phase.value if phase is not None else None)
