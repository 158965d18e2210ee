"""Options that several commands share, with their help."""

import uuid
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from tallystick.canonical.times import to_timestamp
from tallystick.cli import screen
from tallystick.errors import SetupError
from tallystick.settings import utc

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
Api = Annotated[
    str | None,
    typer.Option(
        "--api",
        envvar="TALLYSTICK_API",
        help="The gRPC API of a running Tallystick.",
        show_default=False,
        metavar="HOST:PORT",
    ),
]
Store = Annotated[str | None, typer.Option("--connection", help="Only this store.", show_default=False, metavar="ID")]
Target = Annotated[str | None, typer.Option("--target", help="Only this ERP.", show_default=False, metavar="ID")]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        help="Changed then or later, such as 2026-11-20 or 2026-11-20T08:00+07:00; UTC if it names no zone.",
        show_default=False,
        metavar="TIME",
    ),
]
Request = Annotated[
    str | None,
    typer.Option(
        "--request-id",
        help="To repeat an act that may have been done: the same id is the same act.",
        show_default=False,
        metavar="ID",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document and nothing else.", callback=screen.want_json)
]
LogLevel = Annotated[
    str, typer.Option("--log-level", envvar="TALLYSTICK_LOG_LEVEL", help="debug, info, warning or error.")
]


def instant(text: str) -> datetime:
    """A time that a person typed. Raises `SetupError`."""
    try:
        return utc(text)
    except ValueError as error:
        raise SetupError(f"{text!r} is no time; write it as 2026-11-20 or 2026-11-20T08:00+07:00") from error


def timestamp(text: str | None) -> Timestamp | None:
    """The same for the API; None for nothing."""
    return to_timestamp(instant(text)) if text is not None else None


def request_id(given: str | None) -> str:
    """The one that was given, else a new one."""
    return given or str(uuid.uuid4())
