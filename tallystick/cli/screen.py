"""What commands print: results on standard output, everything else on standard error.

In a terminal there are colours and tables; through a pipe the same words, plain. With `--json` standard output holds
one JSON document and nothing else.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import orjson
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tallystick.errors import TallystickError


def out() -> Console:
    """Standard output as it is now (tests and pipes exchange it)."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


def say(text: str = "") -> None:
    """A line of the result, with rich's markup."""
    out().print(text)


def note(text: str) -> None:
    """A line beside the result: progress, advice."""
    Console(file=sys.stderr, highlight=False, soft_wrap=True).print(escape(text))


_as_json = False


def want_json(wanted: bool) -> bool:
    """Remember whether this command was asked for JSON, so that its errors are, too."""
    global _as_json
    _as_json = wanted
    return wanted


def complain(text: str) -> None:
    """What went wrong, in words; with `--json` also as `{"error": …}`."""
    if _as_json:
        show_json({"error": text})
    Console(file=sys.stderr, highlight=False, soft_wrap=True).print(f"[bold red]error:[/] {escape(text)}")


def show_json(document: Any) -> None:
    """One JSON document, indented, on standard output."""
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
    sys.stdout.flush()


#: A text, or one with its colour.
Cell: TypeAlias = str | Text


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]], whole: Sequence[str] = ()) -> None:
    """A table in a terminal; through a pipe, columns between tabs under their names.

    What stands in the columns `whole` is never broken, so that it can be copied.
    """
    console = out()
    if not console.is_terminal:
        for row in (columns, *rows):
            sys.stdout.write("\t".join(map(str, row)) + "\n")
        return
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        shown.add_column(column, overflow="fold", no_wrap=column in whole)
    for row in rows:
        shown.add_row(*(escape(cell) if isinstance(cell, str) else cell for cell in row))
    Console(file=sys.stdout, highlight=False).print(shown)


def known_error(error: BaseException) -> TallystickError | None:
    """The error that was raised on purpose, out of the groups that tasks wrap it in."""
    if isinstance(error, TallystickError):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(known_error, error.exceptions)), None)
    return None
