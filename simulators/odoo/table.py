"""Rows of one model in memory: found by an index, changed inside a transaction, and undone with it."""

from collections.abc import Collection
from typing import Any

Row = dict[str, Any]


class Undo:
    """What a transaction has changed, newest last. A savepoint is a length of it."""

    def __init__(self) -> None:
        self.steps: list[tuple[Table, int, Row | None]] = []

    def back_to(self, savepoint: int) -> None:
        """Put everything back as it was then. Ids that were given are not given again, as on Postgres."""
        while len(self.steps) > savepoint:
            table, row_id, before = self.steps.pop()
            table.put(row_id, before)


class Table:
    """Rows by id. An index is built the first time that a field is asked for by equality, and kept from then on."""

    def __init__(self, model: str, undo: Undo) -> None:
        self.model = model
        self.rows: dict[int, Row] = {}
        self._undo = undo
        self._last_id = 0
        self._indexes: dict[str, dict[Any, dict[int, None]]] = {}

    def insert(self, row: Row) -> int:
        """Keep a new row; its id."""
        self._last_id += 1
        self._undo.steps.append((self, self._last_id, None))
        self.put(self._last_id, {"id": self._last_id, **row})
        return self._last_id

    def update(self, row_id: int, changes: Row) -> None:
        """Change some fields of a row."""
        before = self.rows[row_id]
        self._undo.steps.append((self, row_id, before))
        self.put(row_id, {**before, **changes})

    def delete(self, row_id: int) -> None:
        """Forget a row."""
        self._undo.steps.append((self, row_id, self.rows[row_id]))
        self.put(row_id, None)

    def put(self, row_id: int, row: Row | None) -> None:
        """Set a row as it is to be, outside any transaction; None removes it."""
        before = self.rows.get(row_id)
        for name, index in self._indexes.items():
            _move(index, row_id, before, row, name)
        if row is None:
            del self.rows[row_id]
        else:
            self.rows[row_id] = row

    def matching(self, field: str, value: Any) -> Collection[int]:
        """Ids of the rows in which the field equals the value."""
        if field == "id":
            return (value,) if value in self.rows else ()
        index = self._indexes.get(field)
        if index is None:
            index = self._indexes[field] = {}
            for row_id, row in self.rows.items():
                index.setdefault(row.get(field), {})[row_id] = None
        return index.get(value, ())


def _move(index: dict[Any, dict[int, None]], row_id: int, before: Row | None, after: Row | None, name: str) -> None:
    """The row's place in one index."""
    old = before.get(name) if before is not None else None
    new = after.get(name) if after is not None else None
    if before is not None and after is not None and old == new:
        return
    if before is not None:
        del index[old][row_id]
        if not index[old]:
            del index[old]
    if after is not None:
        index.setdefault(new, {})[row_id] = None
