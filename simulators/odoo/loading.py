"""`load`: records from rows of texts, all or nothing, as section 4 of the card and the vendor's source have it.

A column is a path: `id` is the External ID, `.id` the database id, `partner_id/id` and `tax_ids/id` refer by External
ID, `partner_id/.id` by database id, `partner_id` by name, `order_line/price_unit` is a field of a line. A row whose
cells outside its lines are empty goes on with the record above. An empty cell empties its field.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from itertools import takewhile
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from . import errors
from .errors import OdooError
from .fields import Field, moment, number

if TYPE_CHECKING:
    from .model import Model

_REFERENCES = ("id", ".id")
_ERRORS_MAX = 10
_TRUE, _FALSE = ("1", "true", "yes"), ("", "0", "false", "no")
Cells = Sequence[Any]
Message = dict[str, Any]


@dataclass(slots=True)
class Refused(Exception):
    """A cell that cannot be converted. `%(field)s` in the message stands for the field's label."""

    message: str
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Column:
    """One field of the plan and where its cells are."""

    field: Field
    index: int
    #: How a many2one or many2many is referred to: "id", ".id", or "" for its name.
    by: str = ""
    #: Of a one2many.
    lines: "Plan | None" = None


class Plan:
    """What the columns mean for one model, worked out once."""

    def __init__(self, model: "Model", paths: Sequence[Sequence[str]], indexes: Sequence[int]) -> None:
        self.model = model
        self.indexes = indexes
        self.columns: list[Column] = []
        self.external_id: int | None = None
        self.database_id: int | None = None
        grouped: dict[str, list[tuple[Sequence[str], int]]] = {}
        for path, index in zip(paths, indexes, strict=True):
            grouped.setdefault(path[0], []).append((path[1:], index))
        for name, parts in grouped.items():
            self._add(name, parts)
        to_many = {index for column in self.columns if column.lines for index in column.lines.indexes}
        self._lines = sorted(to_many)
        self._own = [index for index in indexes if index not in to_many]

    def _add(self, name: str, parts: Sequence[tuple[Sequence[str], int]]) -> None:
        if name == "id":
            self.external_id = parts[0][1]
        elif name == ".id":
            self.database_id = parts[0][1]
        elif name not in self.model.fields:
            raise errors.no_field_loaded(self.model.db.version, name)
        else:
            self.columns.append(self._column(self.model.fields[name], parts))

    def _column(self, field: Field, parts: Sequence[tuple[Sequence[str], int]]) -> Column:
        if field.kind == "one2many":
            there = self.model.db.models[field.relation]
            paths, indexes = [part or ("display_name",) for part, _ in parts], [index for _, index in parts]
            return Column(field, indexes[0], lines=Plan(there, paths, indexes))
        if field.relation and (len(parts) > 1 or (parts[0][0] and parts[0][0][0] not in _REFERENCES)):
            raise errors.value_error(
                f"Ambiguous specification for field '{field.label}', "
                "only provide one of name, external id or database id"
            )
        return Column(field, parts[0][1], by=parts[0][0][0] if parts[0][0] else "")

    def spans(self, rows: Sequence[Cells]) -> Iterator[tuple[int, Sequence[Cells]]]:
        """Each record's first row number, and its rows."""
        start = 0
        while start < len(rows):
            more = takewhile(self._goes_on, (rows[at] for at in range(start + 1, len(rows))))
            span = [rows[start], *more]
            yield start, span
            start += len(span)

    def _goes_on(self, row: Cells) -> bool:
        return any(row[index] for index in self._lines) and not any(row[index] for index in self._own)


class Loader:
    """One call of `load`."""

    def __init__(self, model: "Model", paths: Sequence[str], rows: Sequence[Cells]) -> None:
        self._model = model
        self._db = model.db
        self._rows = rows
        split = [path.replace(":id", "/id").split("/") for path in paths]
        self._plan = Plan(model, split, range(len(split)))
        self._messages: list[Message] = []
        zone = self._db.context.get("tz") or self._db.zone
        self._zone = ZoneInfo(zone)

    def run(self) -> dict[str, Any]:
        """The answer of the call."""
        savepoint = self._db.savepoint()
        ids: list[int] = []
        converted = [self._converted(number, start, span) for number, (start, span) in self._spans()]
        self._store(converted, ids)
        if any(message["type"] == "error" for message in self._messages):
            self._db.back_to(savepoint)
            return {"ids": False, "messages": self._messages, "nextrow": 0}
        return {"ids": ids, "messages": self._messages, "nextrow": 0}

    def _spans(self) -> Iterator[tuple[int, tuple[int, Sequence[Cells]]]]:
        return enumerate(self._plan.spans(self._rows))

    # ---- converting --------------------------------------------------------------------------------------------------

    def _converted(self, number: int, start: int, span: Sequence[Cells]) -> tuple[Message, str, int, dict[str, Any]]:
        where = {"rows": {"from": start, "to": start + len(span) - 1}, "record": number}
        values: dict[str, Any] = {}

        def log(column: Field, refused: Refused, kind: str) -> None:
            message = refused.message.replace("%(field)s", column.label)
            more = {**refused.more, "field_name": column.label}
            self._messages.append({**where, "type": kind, "field": column.name, "message": message, **more})

        self._convert(self._plan, span, values, log)
        plan, row = self._plan, span[0]
        external = str(row[plan.external_id] or "") if plan.external_id is not None else ""
        database_id = self._database_id(row[plan.database_id] if plan.database_id is not None else None, where)
        return where, external, database_id, values

    def _database_id(self, cell: Any, where: Message) -> int:
        if not cell:
            return 0
        if str(cell).isdigit() and int(cell) in self._model.table.rows:
            return int(cell)
        message = f"Unknown database identifier '{cell}'"
        self._messages.append({**where, "type": "error", "field": ".id", "message": message})
        return 0

    def _convert(
        self,
        plan: Plan,
        span: Sequence[Cells],
        values: dict[str, Any],
        log: Callable[[Field, Refused, str], None],
    ) -> None:
        """All columns of one record; a refused cell leaves its field out and is logged."""
        row = span[0]
        for column in plan.columns:
            name = column.field.name
            try:
                if column.lines is not None:
                    rows = [one for one in span if any(one[index] for index in column.lines.indexes)]
                    values[name] = self._lines(column.field, column.lines, rows) if rows else False
                elif not row[column.index]:
                    values[name] = False
                else:
                    values[name] = self._cell(column, row[column.index], log)
            except Refused as refused:
                log(column.field, refused, "error")

    def _cell(self, column: Column, cell: Any, log: Callable[[Field, Refused, str], None]) -> Any:
        kind = column.field.kind
        if kind == "many2one":
            return self._reference(column, cell, log)
        if kind == "many2many":
            return [(6, 0, [self._reference(column, part, log) for part in str(cell).split(",")])]
        convert = _CELLS.get(kind)
        if kind == "datetime":
            return self._moment(cell)
        return convert(column.field, cell) if convert is not None else cell

    def _moment(self, cell: Any) -> str:
        """A load reads moments in the zone of the context or of the user, other calls in UTC."""
        try:
            naive = moment(cell)
        except OdooError:
            raise Refused(
                f"'{cell}' does not seem to be a valid datetime for field '%(field)s'",
                {"moreinfo": "Use the format '2012-12-31 23:59:59'"},
            ) from None
        return naive.replace(tzinfo=self._zone).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

    def _reference(self, column: Column, cell: Any, log: Callable[[Field, Refused, str], None]) -> int | bool:
        there = self._db.models[column.field.relation]
        if column.by == "id":
            return self._by_external_id(there, str(cell))
        if column.by == ".id":
            return self._by_database_id(there, str(cell))
        found = there.name_search(str(cell), operator="=")
        if len(found) > 1:
            message = f'Found multiple matches for value "{cell}" in field "%(field)s" ({len(found)} matches)'
            log(column.field, Refused(message), "warning")
        if not found:
            raise _no_match("name", cell)
        return int(found[0][0])

    def _by_external_id(self, there: "Model", cell: str) -> int | bool:
        if cell.lower() in _FALSE:
            return False
        found = self._db.external_ids.find(self._full(cell), there.name)
        if found is None:
            raise _no_match("external id", cell)
        return found

    def _by_database_id(self, there: "Model", cell: str) -> int | bool:
        if cell.lower() in _FALSE:
            return False
        try:
            found = int(cell)
        except ValueError:
            raise Refused(f"Invalid database id '{cell}' for the field '%(field)s'") from None
        if found not in there.table.rows:
            raise _no_match("database id", cell)
        return found

    def _full(self, external_id: str) -> str:
        """With its module; without a dot it is taken as an import by hand."""
        return external_id if "." in external_id else f"{self._db.context.get('module', '__import__')}.{external_id}"

    def _lines(self, parent: Field, plan: Plan, rows: Sequence[Cells]) -> list[tuple[Any, ...]]:
        """Commands for the lines of one record. A known External ID updates, an unknown one creates and is kept."""
        commands: list[tuple[Any, ...]] = []

        def log(column: Field, refused: Refused, kind: str) -> None:
            if kind == "error":
                message = refused.message.replace("%(field)s", f"%(field)s/{column.label}")
                raise Refused(message, refused.more)

        for _, span in plan.spans(rows):
            values: dict[str, Any] = {}
            self._convert(plan, span, values, log)
            external = span[0][plan.external_id] if plan.external_id is not None else None
            database_id = span[0][plan.database_id] if plan.database_id is not None else None
            found = self._line_id(plan, external, database_id)
            if found:
                commands += [(4, found), (1, found, values)]
            else:
                commands.append((0, self._full(str(external)) if external else 0, values))
        return commands

    def _line_id(self, plan: Plan, external: Any, database_id: Any) -> int | bool | None:
        if database_id:
            return self._by_database_id(plan.model, str(database_id))
        return self._db.external_ids.find(self._full(str(external)), plan.model.name) if external else None

    # ---- storing -----------------------------------------------------------------------------------------------------

    def _store(self, records: Sequence[tuple[Message, str, int, dict[str, Any]]], ids: list[int]) -> None:
        """Record by record, so that each failure has its place; the server gives up after ten."""
        failed: list[OdooError] = []
        for count, (where, external, database_id, values) in enumerate(records, 1):
            savepoint = self._db.savepoint()
            try:
                ids.append(self._store_one(external, database_id, values))
            except OdooError as error:
                self._db.back_to(savepoint)
                failed.append(error)
                self._messages.append({**where, "type": "error", **_told(self._model, error)})
            if len(failed) >= _ERRORS_MAX and len(failed) >= count / 10:
                self._messages.append({"type": "warning", "message": _INTERRUPTED})
                break
        if failed:
            self._blame_the_first(failed[0], records[0][0])

    def _store_one(self, external: str, database_id: int, values: dict[str, Any]) -> int:
        external = self._full(external) if external else ""
        known = self._db.external_ids.find(external, self._model.name) if external else database_id
        if known:
            self._model.write_one(known, values)
            return known
        created = self._model.create_one(values)
        if external:
            self._db.external_ids.name_record(external, self._model.name, created)
        return created

    def _blame_the_first(self, error: OdooError, where: Message) -> None:
        """A rule is first broken by the whole batch, and the server blames the batch's first record for it."""
        if error.name not in errors.SPOKEN or error.from_database:
            return
        message = {**where, "type": "error", "message": error.message}
        if message not in self._messages:
            self._messages.insert(0, message)


def _told(model: "Model", error: OdooError) -> Message:
    if error.from_database and error.field:
        label = model.fields[error.field].label if error.field in model.fields else error.field
        return {"message": f"Missing required value for the field '{label}' ({error.field})", "field": error.field}
    if error.name in errors.SPOKEN:
        return {"message": error.message}
    kind = error.name.removeprefix("builtins.")
    return {
        "message": f"Unknown error during import: <class '{kind}'>: {error.message}",
        "moreinfo": "Resolve other errors first",
    }


def _no_match(by: str, cell: Any) -> Refused:
    more = {"moreinfo": {"name": "Possible Values", "type": "ir.actions.act_window"}}
    return Refused(f"No matching record found for {by} '{cell}' in field '%(field)s'", more)


def _boolean(field: Field, cell: Any) -> bool:
    text = str(cell).lower()
    if text not in (*_TRUE, *_FALSE):
        raise Refused(f"Unknown value '{cell}' for boolean field '%(field)s'")
    return text in _TRUE


def _integer(field: Field, cell: Any) -> int:
    try:
        return int(cell)
    except ValueError:
        raise Refused(f"'{cell}' does not seem to be an integer for field '%(field)s'") from None


def _number(field: Field, cell: Any) -> Any:
    try:
        return number(str(cell).strip(), None)
    except OdooError:
        raise Refused(f"'{cell}' does not seem to be a number for field '%(field)s'") from None


def _choice(field: Field, cell: Any) -> str:
    text = str(cell).lower()
    for value, label in field.selection:
        if text in (value.lower(), label.lower()):
            return value
    more = {"moreinfo": [label for _, label in field.selection]}
    raise Refused(f"Value '{cell}' not found in selection field '%(field)s'", more)


_CELLS: dict[str, Callable[[Field, Any], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "float": _number,
    "monetary": _number,
    "selection": _choice,
}
_INTERRUPTED = (
    "Found more than 10 errors and more than one error per 10 records, interrupted to avoid showing too many errors."
)
