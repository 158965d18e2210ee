"""The command line in this process: what it prints, and the code it ends with."""

import json
from dataclasses import dataclass
from typing import Any

import structlog
from typer.testing import CliRunner

from tallystick.cli.app import app


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which has to be one JSON document."""
        return json.loads(self.out)


def tallystick(*arguments: str, stdin: bytes | None = None) -> Answer:
    """Run one command; nothing of its logging stays behind."""
    try:
        result = CliRunner().invoke(app, list(arguments), input=stdin)
    finally:
        structlog.reset_defaults()
    return Answer(result.exit_code, result.stdout, result.stderr)
