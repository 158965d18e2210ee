"""Options that several commands share, with their help."""

from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli import screen

Config = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="TALLYSTICK_CONFIG", help="The configuration file.", show_default=False),
]
MaybeConfig = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="TALLYSTICK_CONFIG", help="The configuration file.", show_default=False),
]
Kafka = Annotated[
    str | None,
    typer.Option(
        "--kafka", envvar="TALLYSTICK_KAFKA", help="Kafka, as host:port.", show_default=False, metavar="HOST:PORT"
    ),
]
Postgres = Annotated[
    str | None,
    typer.Option(
        "--postgres",
        envvar="TALLYSTICK_POSTGRES",
        help="PostgreSQL, as postgresql://user:password@host/database; better by the variable than here.",
        show_default=False,
        metavar="URL",
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data", envvar="TALLYSTICK_DATA", help="The folder of `tallystick run`.", show_default=False, metavar="DIR"
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document and nothing else.", callback=screen.want_json)
]
LogLevel = Annotated[
    str, typer.Option("--log-level", envvar="TALLYSTICK_LOG_LEVEL", help="debug, info, warning or error.")
]
