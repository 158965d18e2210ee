"""`load`: records from rows of texts, all or nothing, as section 4 of the card and the vendor's source have it.

`id` is the External ID, `.id` the database id, `partner_id/id` and `tax_ids/id` refer by External ID, `partner_id/.id`
by database id, `partner_id` by name, `order_line/price_unit` is a field of a line. An empty cell empties its field.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from . import errors
from .cells import FALSE, Refused, converted, no_match
from .columns import Cells, Column, Plan
from .commands import CREATE, LINK, SET, UPDATE
from .errors import OdooError
from .fields import Field, moment

if TYPE_CHECKING:
    from .model import Model

_ERRORS_MAX = 10
_INTERRUPTED = (
    "Found more than 10 errors and more than one error per 10 records, interrupted to avoid showing too many errors."
)
Message = dict[str, Any]
Log = Callable[[Field, Refused, str], None]


@dataclass(frozen=True, slots=True)
class _Item:
    """One record to be stored: the place that messages name, how it is found, its values."""

    where: Message
    external_id: str
    database_id: int
    values: dict[str, Any]


class Loader:
    """One call of `load`."""

    def __init__(self, model: "Model", paths: Sequence[str], rows: Sequence[Cells]) -> None:
        self._model = model
        self._db = model.db
        self._rows = rows
        split = [path.replace(":id", "/id").split("/") for path in paths]
        self._plan = Plan(model, split, range(len(split)))
        self._zone = ZoneInfo(self._db.context.get("tz") or self._db.settings.zone)
        self._messages: list[Message] = []
        self._waiting: list[_Item] = []
        self._ids: list[int] = []

    def run(self) -> dict[str, Any]:
        """The answer of the call."""
        savepoint = self._db.savepoint()
        for number, (start, span) in enumerate(self._plan.spans(self._rows)):
            # Making an item may store those that wait, and begin a new list of them.
            item = self._item(number, start, span)
            self._waiting.append(item)
        self._store()
        if any(message["type"] == "error" for message in self._messages):
            self._db.back_to(savepoint)
            return {"ids": False, "messages": self._messages, "nextrow": 0}
        return {"ids": self._ids, "messages": self._messages, "nextrow": 0}

    # ---- converting --------------------------------------------------------------------------------------------------

    def _item(self, number: int, start: int, span: Sequence[Cells]) -> _Item:
        where = {"rows": {"from": start, "to": start + len(span) - 1}, "record": number}

        def log(field: Field, refused: Refused, kind: str) -> None:
            message = refused.message.replace("%(field)s", field.label)
            more = {**refused.more, "field_name": field.label}
            self._messages.append({**where, "type": kind, "field": field.name, "message": message, **more})

        values = self._values(self._plan, span, log)
        external_id = self._plan.external_id(span[0])
        database_id = self._known(self._plan.database_id(span[0]), where)
        return _Item(where, self._full(external_id) if external_id else "", database_id, values)

    def _known(self, cell: str, where: Message) -> int:
        """The database id of a cell of `.id`, 0 for none."""
        if not cell:
            return 0
        if cell.isdigit() and int(cell) in self._model.table.rows:
            return int(cell)
        message = f"Unknown database identifier '{cell}'"
        self._messages.append({**where, "type": "error", "field": ".id", "message": message})
        return 0

    def _values(self, plan: Plan, span: Sequence[Cells], log: Log) -> dict[str, Any]:
        """All columns of one record; a refused cell leaves its field out and is logged."""
        values: dict[str, Any] = {}
        for column in plan.columns:
            try:
                values[column.field.name] = self._value(column, span, log)
            except Refused as refused:
                log(column.field, refused, "error")
        return values

    def _value(self, column: Column, span: Sequence[Cells], log: Log) -> Any:
        if column.lines is not None:
            rows = [row for row in span if any(row[index] for index in column.lines.indexes)]
            return self._lines(column.lines, rows) if rows else False
        cell = span[0][column.index]
        if not cell:
            return False
        match column.field.kind:
            case "many2one":
                return self._reference(column, cell, log)
            case "many2many":
                return [(SET, 0, [self._reference(column, part, log) for part in str(cell).split(",")])]
            case "datetime":
                return self._moment(cell)
        return converted(column.field, cell)

    def _moment(self, cell: Any) -> str:
        """A load reads moments in the zone of the context or of the user, other calls in UTC."""
        try:
            naive = moment(cell)
        except OdooError:
            more = {"moreinfo": "Use the format '2012-12-31 23:59:59'"}
            raise Refused(f"'{cell}' does not seem to be a valid datetime for field '%(field)s'", more) from None
        return naive.replace(tzinfo=self._zone).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

    def _reference(self, column: Column, cell: Any, log: Log) -> int | bool:
        there = self._db.models[column.field.relation]
        if column.by:
            if str(cell).lower() in FALSE:
                return False
            return self._by_external_id(there, cell) if column.by == "id" else _by_database_id(there, cell)
        found = there.name_search(str(cell), operator="=")
        if not found:
            raise no_match("name", cell)
        if len(found) > 1:
            message = f'Found multiple matches for value "{cell}" in field "%(field)s" ({len(found)} matches)'
            log(column.field, Refused(message), "warning")
        return int(found[0][0])

    def _by_external_id(self, there: "Model", cell: Any) -> int:
        found = self._named(str(cell), there)
        if found is None and any(item.external_id == self._full(str(cell)) for item in self._waiting):
            # It stands further up in the same table.
            self._store()
            found = self._named(str(cell), there)
        if found is None:
            raise no_match("external id", cell)
        return found

    def _named(self, external_id: str, there: "Model") -> int | None:
        try:
            return self._db.external_ids.find(self._full(external_id), there.name)
        except OdooError as error:
            raise Refused(error.message) from None

    def _full(self, external_id: str) -> str:
        """With its module; without a dot it is taken as an import by hand."""
        return external_id if "." in external_id else f"{self._db.context.get('module', '__import__')}.{external_id}"

    def _lines(self, plan: Plan, rows: Sequence[Cells]) -> list[tuple[Any, ...]]:
        """Commands for the lines of one record. A known External ID updates, an unknown one creates and is kept."""
        found: list[tuple[Any, ...]] = []
        for _, span in plan.spans(rows):
            values = self._values(plan, span, _refuse_the_line)
            external_id, database_id = plan.external_id(span[0]), plan.database_id(span[0])
            known = self._named(external_id, plan.model) if external_id else None
            if database_id:
                known = _by_database_id(plan.model, database_id)
            if known is None:
                found.append((CREATE, self._full(external_id) if external_id else 0, values))
            else:
                found += [(LINK, known), (UPDATE, known, values)]
        return found

    # ---- storing -----------------------------------------------------------------------------------------------------

    def _store(self) -> None:
        """What waits, record by record, so that each failure has its place; the server gives up after ten."""
        items, self._waiting = self._waiting, []
        failed: list[OdooError] = []
        for count, item in enumerate(items, 1):
            savepoint = self._db.savepoint()
            try:
                self._ids.append(self._store_one(item))
            except OdooError as error:
                self._db.back_to(savepoint)
                failed.append(error)
                self._messages.append({**item.where, "type": "error", **_told(self._model, error)})
            if len(failed) >= _ERRORS_MAX and len(failed) >= count / 10:
                self._messages.append({"type": "warning", "message": _INTERRUPTED})
                break
        if failed:
            self._blame_the_first(failed[0], items[0].where)

    def _store_one(self, item: _Item) -> int:
        external_ids, name = self._db.external_ids, self._model.name
        known = external_ids.find(item.external_id, name) if item.external_id else item.database_id
        if known:
            self._model.write_one(known, item.values)
            return known
        created = self._model.create_one(item.values)
        if item.external_id:
            external_ids.name_record(item.external_id, name, created)
        return created

    def _blame_the_first(self, error: OdooError, where: Message) -> None:
        """A rule is first broken by the whole batch, and the server blames the batch's first record for it."""
        message = {**where, "type": "error", "message": error.message}
        if error.name in errors.SPOKEN and not error.from_database and message not in self._messages:
            self._messages.insert(0, message)


def _refuse_the_line(field: Field, refused: Refused, kind: str) -> None:
    """A bad cell of a line is an error of the field that holds the lines."""
    if kind == "error":
        raise Refused(refused.message.replace("%(field)s", f"%(field)s/{field.label}"), refused.more)


def _by_database_id(there: "Model", cell: Any) -> int:
    try:
        found = int(cell)
    except ValueError:
        raise Refused(f"Invalid database id '{cell}' for the field '%(field)s'") from None
    if found not in there.table.rows:
        raise no_match("database id", cell)
    return found


def _told(model: "Model", error: OdooError) -> Message:
    """A failure of one record in the words of a load."""
    if error.from_database and error.field in model.fields:
        label = model.fields[error.field].label
        return {"message": f"Missing required value for the field '{label}' ({error.field})", "field": error.field}
    if error.name in errors.SPOKEN:
        return {"message": error.message}
    kind = error.name.removeprefix("builtins.")
    message = f"Unknown error during import: <class '{kind}'>: {error.message}"
    return {"message": message, "moreinfo": "Resolve other errors first"}
