"""The table that `load` takes: columns and rows of texts, the lines of an order as rows with an empty head.

`id` is the External ID, `.id` and `field/.id` are database ids, and an empty cell clears its field.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .names import external_id


@dataclass(frozen=True, slots=True)
class Item:
    """One record with its lines, as cells by column."""

    ref: str
    #: Its External ID without the module; empty for a record that is known by `expected_id` alone.
    name: str
    cells: Mapping[str, str]
    lines: tuple[Mapping[str, str], ...] = ()
    #: The database id that has to come back; None for a record that is made now.
    expected_id: int | None = None
    #: What must not stand in a message about it.
    personal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One call's arguments; `owners` tells for each row whose it is, by position among the items."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    owners: tuple[int, ...]


def grouped(items: Iterable[Item]) -> list[list[Item]]:
    """Items that may stand in one table: a cell cannot say "leave the field alone", so the columns are the same."""
    groups: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        groups.setdefault((*item.cells, "" if item.lines else "-", "" if item.name else "."), []).append(item)
    return list(groups.values())


def sheet(items: Sequence[Item]) -> Sheet:
    """The table of items with the same columns."""
    head = tuple(items[0].cells)
    body = tuple(dict.fromkeys(column for item in items for line in item.lines for column in line))
    rows, owners = [], []
    for position, item in enumerate(items):
        named = external_id(item.name) if item.name else str(item.expected_id)
        first = (named, *(item.cells[column] for column in head))
        for index, line in enumerate(item.lines or ({},)):
            cells = first if index == 0 else ("",) * len(first)
            rows.append((*cells, *(line.get(column, "") for column in body)))
            owners.append(position)
    return Sheet(("id" if items[0].name else ".id", *head, *body), tuple(rows), tuple(owners))
