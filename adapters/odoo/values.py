"""Odoo's values: texts for the cells of `load`, and what is read back.

A many2one reads as [id, name] or false; an empty text or date reads as false. Datetimes are naive UTC.
"""

import html
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from tallystick import marks
from tallystick.canonical.times import parse_instant
from tallystick.contract.document import Value
from tallystick.errors import Unreadable

_TAG = re.compile(r"<[^>]*>")
_NUMBERS = ("float", "monetary", "integer")


# ---- reading -----------------------------------------------------------------------------------------------------


def number(value: object) -> Decimal:
    """A quantity or an amount; JSON's floats arrive as `Decimal` of their text."""
    return value if isinstance(value, Decimal) else Decimal(value) if isinstance(value, int) else Decimal(0)


def link(value: object) -> int | None:
    """The id of a many2one."""
    return value[0] if isinstance(value, list) and value else None


def shown(value: object) -> str:
    """The name of a many2one, as people see it."""
    return str(value[1]) if isinstance(value, list) and len(value) > 1 else ""


def links(value: object) -> tuple[int, ...]:
    """The ids of a many2many, in order of their number."""
    return tuple(sorted(value)) if isinstance(value, list) else ()


def text(value: object) -> str:
    """A text; empty for false."""
    return value if isinstance(value, str) else ""


def instant(value: object) -> datetime:
    """A datetime. Raises `Unreadable`."""
    return parse_instant(text(value).replace(" ", "T"), UTC)


# ---- writing -----------------------------------------------------------------------------------------------------


def moment(instant: datetime) -> str:
    """An instant as Odoo writes it; `T`, `Z` and an offset are refused."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def plain(amount: Decimal) -> str:
    """A number without an exponent."""
    return f"{amount:f}"


def cell(value: Value, kind: str) -> str:
    """A contract's value as a cell for a field of type `kind`; an empty cell clears the field.

    Raises `Unreadable` for a number or a date that is none.
    """
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if kind in _NUMBERS or isinstance(value, Decimal):
        return plain(_decimal(value))
    return _text_cell(str(value), kind)


def _text_cell(written: str, kind: str) -> str:
    if kind == "datetime":
        return moment(parse_instant(written.replace(" ", "T"), UTC))
    if kind == "date":
        return parse_instant(f"{written[:10]}T00:00:00", UTC).date().isoformat()
    return html.escape(written, quote=False).replace("\n", "<br/>") if kind == "html" else written


def _decimal(value: Value) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise Unreadable(f"{str(value)[:40]!r} is no number") from error


def same(stored: Any, value: Value, kind: str) -> bool:
    """Whether a field that was read back holds a contract's value."""
    if kind in _NUMBERS:
        return number(stored) == Decimal(str(value or 0))
    if kind == "boolean":
        return bool(stored) == (value is True or cell(value, kind).lower() in ("1", "true", "yes"))
    if kind == "html":
        return readable(text(stored)) == readable(cell(value, kind))
    return text(stored).strip() == cell(value, kind).strip()


def readable(markup: str) -> str:
    """What a person reads of a text with markup: the server wraps and cleans what it is given."""
    return " ".join(html.unescape(_TAG.sub(" ", markup)).split())


# ---- the mark ----------------------------------------------------------------------------------------------------


def with_mark(content: str, mark: str) -> str:
    """A field's text with our mark behind it."""
    return f"{content} [{mark}]" if content else mark


def without_mark(content: str) -> str:
    """The text again, whichever mark stands in it."""
    found = marks.find(content)
    return content if found is None else content.replace(f"[{found}]", "").replace(str(found), "").strip()
