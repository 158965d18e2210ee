"""The command, which loads what it plays with only when it is called."""

from typing import Annotated

import typer

from tallystick.cli import options
from tallystick.cli.codes import Exit
from tallystick.cli.running import run

Stay = Annotated[bool, typer.Option("--stay", help="Keep everything running afterwards, until Ctrl-C.")]
Docker = Annotated[bool, typer.Option("--docker", help="Kafka and PostgreSQL in containers instead of embedded ones.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    kafka: options.Kafka = None,
    postgres: options.Postgres = None,
    docker: Docker = False,
    stay: Stay = False,
    json: options.Json = False,
) -> None:
    """Monday, nine o'clock: 47 orders of a weekend reach Odoo exactly once, whatever goes wrong.

    Two shops and an Odoo are doubles on this machine; Kafka, PostgreSQL and Tallystick are real. A third of the
    deliveries comes twice, some late, some never; Odoo loses replies, throttles and is down for ten seconds; a worker
    is killed. At the end both sides are compared from the doubles' own books. Exit code 1 if a single figure is off.

    `tallystick demo`

    `tallystick demo --stay`     then, in another terminal, what it says at the end
    """
    from tallystick.cli.demo.monday import monday

    result = run(monday(kafka, postgres, docker=docker, stay=stay and not json, as_json=json))
    if not result.ok:
        raise typer.Exit(Exit.FAILED)
