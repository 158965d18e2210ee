"""The columns of a load: paths such as `order_line/tax_ids/id`, and which rows make one record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from . import errors
from .fields import Field

if TYPE_CHECKING:
    from .model import Model

_REFERENCES = ("id", ".id")
Cells = Sequence[Any]
Path = Sequence[str]


@dataclass(frozen=True, slots=True)
class Column:
    """One field and where its cells are."""

    field: Field
    index: int
    #: How a relation to one record or to tags is referred to: "id", ".id", or "" for a name.
    by: str = ""
    #: Of a one2many.
    lines: "Plan | None" = None


class Plan:
    """What the columns mean for one model, worked out once for all rows."""

    def __init__(self, model: "Model", paths: Sequence[Path], indexes: Sequence[int]) -> None:
        self.model = model
        self.indexes = indexes
        self.columns: list[Column] = []
        self._by_name: dict[str, int] = {}
        grouped: dict[str, list[tuple[Path, int]]] = {}
        for path, index in zip(paths, indexes, strict=True):
            grouped.setdefault(path[0], []).append((path[1:], index))
        for name, parts in grouped.items():
            self._add(name, parts)
        lines = {index for column in self.columns if column.lines for index in column.lines.indexes}
        self._lines = sorted(lines)
        self._own = [index for index in indexes if index not in lines]

    def external_id(self, row: Cells) -> str:
        """The cell of `id`, or ""."""
        return self._reference(row, "id")

    def database_id(self, row: Cells) -> str:
        """The cell of `.id`, or ""."""
        return self._reference(row, ".id")

    def _reference(self, row: Cells, name: str) -> str:
        index = self._by_name.get(name)
        return str(row[index] or "") if index is not None else ""

    def spans(self, rows: Sequence[Cells]) -> Iterator[tuple[int, Sequence[Cells]]]:
        """Each record's first row number, and its rows: those below it that say something about its lines only."""
        start = 0
        while start < len(rows):
            below = takewhile(self._goes_on, (rows[at] for at in range(start + 1, len(rows))))
            span = [rows[start], *below]
            yield start, span
            start += len(span)

    def _goes_on(self, row: Cells) -> bool:
        return any(row[index] for index in self._lines) and not any(row[index] for index in self._own)

    def _add(self, name: str, parts: Sequence[tuple[Path, int]]) -> None:
        if name in _REFERENCES:
            self._by_name[name] = parts[0][1]
        elif name not in self.model.fields:
            raise errors.no_field_loaded(self.model.db.version, name)
        else:
            self.columns.append(self._column(self.model.fields[name], parts))

    def _column(self, field: Field, parts: Sequence[tuple[Path, int]]) -> Column:
        path, index = parts[0]
        if field.kind == "one2many":
            there = self.model.db.models[field.relation]
            indexes = [index for _, index in parts]
            return Column(field, index, lines=Plan(there, [path or ("id",) for path, _ in parts], indexes))
        if len(parts) > 1 or (path and path[0] not in _REFERENCES):
            raise errors.value_error(
                f"Ambiguous specification for field '{field.label}', "
                "only provide one of name, external id or database id"
            )
        return Column(field, index, by=path[0] if path else "")
