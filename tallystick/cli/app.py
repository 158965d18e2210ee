"""The command `tallystick`: every command registers itself here, and every error leaves through here.

A group of commands is a module of this package with `register(app)`. Modules import what is heavy inside their
commands, so that `--help` and `preview` answer at once.
"""

import os
from typing import Any

import typer
from typer.core import TyperGroup

from tallystick.cli import (
    adopt,
    backup,
    codes,
    connections,
    demo,
    held,
    migrate,
    operations,
    orders,
    preview,
    reconcile,
    records,
    resync,
    roles,
    simulate,
    status,
    stock,
    whole,
)
from tallystick.cli.codes import Exit, Stop
from tallystick.cli.places import start_logging
from tallystick.cli.screen import complain, known_error
from tallystick.errors import SetupError, Unreadable

_EPILOG = "Exit codes\n\n" + codes.table()


class _Friendly(TyperGroup):
    """Turns errors into one sentence and an exit code; `TALLYSTICK_DEBUG=1` shows the traceback as well."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            raise typer.Exit(Exit.INTERRUPTED) from None
        except Exception as error:
            if _is_usage(error) or os.environ.get("TALLYSTICK_DEBUG"):
                raise
            raise typer.Exit(_explain(error)) from error


def _is_usage(error: Exception) -> bool:
    """typer's own complaints carry their exit code and print themselves."""
    return hasattr(error, "exit_code")


def _explain(error: Exception) -> Exit:
    if isinstance(error, Stop):
        complain(str(error))
        return error.code
    known = known_error(error)
    if known is None:
        complain(f"something unexpected went wrong ({type(error).__name__}: {error}); TALLYSTICK_DEBUG=1 shows where")
        return Exit.FAILED
    complain(str(known))
    return Exit.USAGE if isinstance(known, SetupError | Unreadable) else Exit.FAILED


app = typer.Typer(
    name="tallystick",
    cls=_Friendly,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog=_EPILOG,
)


@app.callback()
def _before_every_command() -> None:
    """Every order of a store reaches the ERP exactly once, or is visibly held with a reason."""
    # Nothing but results goes to standard output, whatever runs below.
    start_logging("warning")


for _module in (
    demo,
    whole,
    roles,
    simulate,
    migrate,
    preview,
    status,
    orders,
    records,
    held,
    stock,
    resync,
    reconcile,
    operations,
    adopt,
    connections,
    backup,
):
    _module.register(app)
