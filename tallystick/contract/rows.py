"""Field rows, compiled: where a field's value comes from, through which table, and how it is made to fit."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from tallystick.contract.document import Value
from tallystick.contract.paths import Path
from tallystick.contract.report import Report
from tallystick.contract.schema import FieldRow, Table, UseValue
from tallystick.reasons import HoldReason


@dataclass(frozen=True, slots=True)
class Row:
    """One field of the target."""

    to: str
    given_once: bool
    read: Callable[[Message, Report], Value]
    #: Where it reads from; empty for a constant.
    path: str = ""


def compile_row(row: FieldRow, path: Path | None, tables: Mapping[str, Table], currency: Path | None = None) -> Row:
    """Chain source, table and fit; `currency` tells that of an amount. The row's names were checked before."""
    steps: list[Callable[[Value, Report], Value]] = []
    if row.table is not None:
        steps.append(_through(row, tables[row.table], path))
    if row.charset is not None:
        steps.append(_charset(row, row.charset))
    if row.max is not None:
        steps.append(_length(row, row.max))
    if row.required:
        steps.append(_required(row))

    def read(message: Message, report: Report) -> Value:
        value = path.get(message) if path is not None else row.value
        if value is not None and currency is not None and currency.get(message) != row.currency:
            wrong = f"{row.to}: the amount is in {currency.get(message)}, the target takes it in {row.currency}"
            report.missing("field", row.to, wrong)
            return None
        for step in steps:
            value = step(value, report)
        return value

    return Row(row.to, row.owner == "erp", read, row.from_ or "")


def apply(rows: Sequence[Row], message: Message, report: Report) -> dict[str, Value]:
    """The fields that have a value. A field without one is left alone in the target."""
    found = {row.to: row.read(message, report) for row in rows}
    return {name: value for name, value in found.items() if value is not None}


def fit(text: str, length: int) -> str:
    """Cut to the length, never inside a combining sequence's base and marks."""
    cut = text[:length]
    while len(text) > len(cut) > 0 and unicodedata.combining(text[len(cut)]):
        cut = cut[:-1]
    return cut.rstrip()


def _through(row: FieldRow, table: Table, path: Path | None) -> Callable[[Value, Report], Value]:
    def look_up(value: Value, report: Report) -> Value:
        key = _key(value)
        if key is None or key in table.rows:
            return None if key is None else table.rows[key]
        if isinstance(table.otherwise, UseValue):
            return table.otherwise.use
        if table.otherwise == "hold":
            shown = "" if path is not None and path.personal else key
            known = ", ".join(sorted(table.rows)) or "none"
            report.missing("field", shown, f"{row.to}: {shown!r} has no row in table {row.table!r}; there are {known}")
        return None

    return look_up


def _key(value: Value) -> str | None:
    """How a value is written as a key of a table."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _length(row: FieldRow, most: int) -> Callable[[Value, Report], Value]:
    def shorten(value: Value, report: Report) -> Value:
        if not isinstance(value, str) or len(value) <= most:
            return value
        says = f"{row.to}: {len(value)} characters, the ERP takes {most}"
        if row.too_long == "hold":
            report.hold(HoldReason.DATA, f"{says}; shorten it in the store, or write `too_long: cut`")
        else:
            report.note(f"{says}; the rest was cut off")
        return fit(value, most)

    return shorten


def _charset(row: FieldRow, charset: str) -> Callable[[Value, Report], Value]:
    def keep(value: Value, report: Report) -> Value:
        if not isinstance(value, str) or _encodes(value, charset):
            return value
        if row.misfit == "hold":
            report.hold(HoldReason.DATA, f"{row.to} holds characters outside {charset}; or write `misfit: drop`")
        else:
            report.note(f"{row.to}: characters outside {charset} were left out")
        return "".join(_nearest(character, charset) for character in value).strip()

    return keep


def _nearest(character: str, charset: str) -> str:
    """The character, or its base letters without marks, or nothing."""
    if _encodes(character, charset):
        return character
    plain = unicodedata.normalize("NFKD", character)
    return "".join(one for one in plain if _encodes(one, charset))


def _encodes(text: str, charset: str) -> bool:
    if charset == "bmp":
        return all(ord(character) <= 0xFFFF for character in text)
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _required(row: FieldRow) -> Callable[[Value, Report], Value]:
    def insist(value: Value, report: Report) -> Value:
        if value in (None, ""):
            source = f"the order has no {row.from_}" if row.from_ else "the row gives no value"
            report.missing("field", row.to, f"{row.to} is required, and {source}")
        return value

    return insist
