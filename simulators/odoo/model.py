"""One model: its records, and the methods of the framework that every model has."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from . import commands, domains, errors, grouping
from .fields import TO_MANY, Field, to_json, to_ours
from .loading import Loader
from .table import Row, Table

if TYPE_CHECKING:
    from .database import Database

_CREATED = Field("create_date", "datetime", "Created on", readonly=True)
_WRITTEN = Field("write_date", "datetime", "Last Updated on", readonly=True)
_COMMON = (
    Field("id", "integer", "ID", readonly=True),
    Field("display_name", "char", "Display Name", readonly=True, store=False, computed=True),
    _CREATED,
    _WRITTEN,
)
Values = Mapping[str, Any]


class Model:
    """Records of one kind. Subclasses add what the business computes, refuses and does."""

    name: ClassVar[str]
    label: ClassVar[str]
    order: ClassVar[str] = "id"
    #: Fields of all versions, without those that every model has.
    declared: ClassVar[Sequence[Field]]
    #: Called with the arguments as they come.
    on_model: frozenset[str] = frozenset(
        {"create", "fields_get", "load", "name_search", "read_group", "search", "search_count", "search_read"}
    )
    #: Called on records: their ids come first.
    on_records: frozenset[str] = frozenset({"read", "toggle_active", "unlink", "write"})
    #: Fields whose texts make the display name.
    rec_name: ClassVar[str] = "name"

    def __init__(self, db: "Database") -> None:
        self.db = db
        self.fields = {field.name: field for field in (*_COMMON, *self.declared) if field.only in (None, db.version)}
        self.table = Table(self.name, db.undo)
        self._required = [field.name for field in self.fields.values() if field.required and not field.computed]
        self._defaults = {field.name: field.default for field in self.fields.values() if field.default is not None}

    # ---- what a subclass adds ----------------------------------------------------------------------------------------

    def fill(self, row: Row, given: Values) -> None:
        """Give a new row the values that nobody sent."""

    def changed(self, row_id: int, given: Values, before: Row | None) -> None:
        """A record was written by a client's values, or created where there was none before."""

    def removing(self, ids: Sequence[int]) -> None:
        """Refuse a removal, or remove what hangs on it."""

    def compute(self, field: str, row: Row) -> Any:
        """The value of a computed field."""
        return self.display_name(row["id"])

    def display_name(self, row_id: int) -> str:
        """How a relation shows the record."""
        return str(self.table.rows[row_id].get(self.rec_name) or f"{self.name},{row_id}")

    # ---- values ------------------------------------------------------------------------------------------------------

    def value(self, field: Field, row_id: int) -> Any:
        """A field as it is kept or computed."""
        row = self.table.rows[row_id]
        return self.compute(field.name, row) if field.computed else row.get(field.name)

    def related(self, field: Field, row_id: int) -> Collection[int]:
        """Ids that a relation leads to."""
        if field.kind == "one2many":
            there = self.db.models[field.relation]
            return there.sorted(there.table.matching(field.inverse, row_id))
        value = self.value(field, row_id)
        if field.kind == "many2many":
            return value or ()
        return () if value is None else (value,)

    def sorted(self, ids: Iterable[int], order: str | None = None) -> list[int]:
        """In the model's order, or another such as "write_date, id desc"."""
        found = list(ids)
        if len(found) > 1:
            for part in reversed((order or self.order).split(",")):
                name, _, direction = part.strip().partition(" ")
                found.sort(key=self._sort_key(self.field(name), found), reverse=direction.lower() == "desc")
        return found

    def _sort_key(self, field: Field, ids: Iterable[int]) -> Callable[[int], Any]:
        """Nothing sorts last, as on Postgres; a relation sorts as its own model does."""
        values = {row_id: self.value(field, row_id) for row_id in ids}
        if field.kind == "many2one":
            there = self.db.models[field.relation]
            given = {value for value in values.values() if value is not None}
            ranks: dict[Any, Any] = {value: rank for rank, value in enumerate(there.sorted(given))}
        else:
            ranks = {value: value for value in values.values()}
        return lambda row_id: (True, 0) if values[row_id] is None else (False, ranks[values[row_id]])

    def field(self, name: str) -> Field:
        """A field to be read."""
        found = self.fields.get(name)
        if found is None:
            raise errors.no_field_read(self.db.version, self.name, name)
        return found

    def existing(self, ids: Iterable[int]) -> list[int]:
        """The ids, or MissingError for the first that is gone."""
        found = list(ids)
        for row_id in found:
            if row_id not in self.table.rows:
                raise errors.missing_record(self.name, row_id, self.db.user)
        return found

    # ---- reading -----------------------------------------------------------------------------------------------------

    def fields_get(self, allfields: Sequence[str] | None = None, attributes: Sequence[str] | None = None) -> Any:
        """Names and properties of fields."""
        chosen = {name: field for name, field in self.fields.items() if not allfields or name in allfields}
        return {
            name: {key: value for key, value in field.described().items() if not attributes or key in attributes}
            for name, field in chosen.items()
        }

    def search(
        self, domain: Sequence[Any], offset: int = 0, limit: int | None = None, order: str | None = None
    ) -> list[int]:
        """Ids in order. Archived records are left out unless the domain or the context asks for them."""
        found = domains.search(self, domain)
        if "active" in self.fields and self.db.context.get("active_test", True) and not _asks_for_archived(domain):
            found = [row_id for row_id in found if self.table.rows[row_id].get("active")]
        found = self.sorted(found, order)
        return found[offset : offset + limit if limit else None]

    def search_count(self, domain: Sequence[Any], limit: int | None = None) -> int:
        """How many records pass."""
        return len(self.search(domain, limit=limit))

    def search_read(
        self,
        domain: Sequence[Any] | None = None,
        fields: Sequence[str] | None = None,
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
    ) -> list[dict[str, Any]]:
        """Search and read in one."""
        return self.read(self.search(domain or (), offset, limit, order), fields)

    def read(
        self, ids: Iterable[int], fields: Sequence[str] | None = None, load: str = "_classic_read"
    ) -> list[dict[str, Any]]:
        """The records that exist; nothing is said about others."""
        chosen = [self.field(name) for name in fields or self.fields]
        named = load == "_classic_read"
        rows = self.table.rows
        return [
            {"id": row_id, **{field.name: self._shown(field, row_id, named) for field in chosen}}
            for row_id in ids
            if row_id in rows
        ]

    def read_group(
        self, domain: Sequence[Any], fields: Sequence[str], groupby: str | Sequence[str], *, lazy: bool = True
    ) -> list[dict[str, Any]]:
        """Sums by some fields."""
        return grouping.read_group(self, domain, fields, groupby, lazy=lazy)

    def _shown(self, field: Field, row_id: int, named: bool) -> Any:
        if field.kind in TO_MANY:
            return list(self.related(field, row_id))
        value = self.value(field, row_id)
        if field.kind == "many2one" and value is not None and named:
            return [value, self.db.models[field.relation].display_name(value)]
        return to_json(field.kind, value)

    def name_search(
        self, name: str = "", args: Sequence[Any] = (), operator: str = "ilike", limit: int = 100
    ) -> list[list[Any]]:
        """Records by what their display name says."""
        found = self.search([*args, ("display_name", operator, name)] if name else args, limit=limit)
        return [[row_id, self.display_name(row_id)] for row_id in found]

    # ---- writing -----------------------------------------------------------------------------------------------------

    def create(self, vals_list: Values | Sequence[Values]) -> int | list[int]:
        """One record for a dict, several for a list."""
        if isinstance(vals_list, Mapping):
            return self.create_one(vals_list)
        return [self.create_one(values) for values in vals_list]

    def create_one(self, values: Values) -> int:
        """A record with its defaults, and what hangs on it."""
        given, to_many = self._taken(values)
        row: Row = {**self._defaults, **given}
        row["create_date"] = row["write_date"] = self.db.now
        self.fill(row, values)
        self._require(row, self._required)
        row_id = self.table.insert(row)
        self._write_to_many(row_id, to_many)
        self.changed(row_id, values, None)
        return row_id

    def write(self, ids: Iterable[int], vals: Values) -> bool:
        """The same values for all records."""
        for row_id in self.existing(ids):
            self.write_one(row_id, vals)
        return True

    def write_one(self, row_id: int, values: Values) -> None:
        """Change one record."""
        given, to_many = self._taken(values)
        given["write_date"] = self.db.now
        self._require(given, given)
        before = self.table.rows[row_id]
        self.table.update(row_id, given)
        self._write_to_many(row_id, to_many)
        self.changed(row_id, values, before)

    def unlink(self, ids: Iterable[int]) -> bool:
        """Remove records and the External IDs that name them."""
        found = self.existing(ids)
        self.removing(found)
        for row_id in found:
            self.table.delete(row_id)
            self.db.external_ids.forget(self.name, row_id)
        return True

    def toggle_active(self, ids: Iterable[int]) -> None:
        """Archive or bring back; like many methods of Odoo it answers nothing."""
        for row_id in self.existing(ids):
            self.write_one(row_id, {"active": not self.table.rows[row_id].get("active")})

    def load(self, fields: Sequence[str], data: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """Create or update from rows of texts, all or nothing."""
        return Loader(self, fields, data).run()

    def _taken(self, values: Values) -> tuple[Row, dict[Field, Any]]:
        """A client's values as ours, those of one2many fields apart."""
        row: Row = {}
        to_many: dict[Field, Any] = {}
        for name, value in values.items():
            field = self.fields.get(name)
            if field is None:
                raise errors.no_field_written(self.db.version, self.name, name)
            if field.computed or name == "id":
                continue
            if field.kind in TO_MANY:
                to_many[field] = value
            else:
                row[name] = (
                    self._related(field, value) if field.kind == "many2one" else to_ours(self.name, field, value)
                )
        return row, to_many

    def _related(self, field: Field, value: Any) -> int | None:
        if not value:
            return None
        if value not in self.db.models[field.relation].table.rows:
            raise errors.missing_record(field.relation, value, self.db.user)
        return int(value)

    def _require(self, row: Row, names: Collection[str]) -> None:
        for name in self._required:
            if name in names and row.get(name) is None:
                raise errors.missing_value(self.db.version, self.name, self.label, name, self.fields[name].label)

    def _write_to_many(self, row_id: int, to_many: Mapping[Field, Any]) -> None:
        for field, value in to_many.items():
            if field.kind == "many2many":
                self.table.update(row_id, {field.name: commands.linked(self, field, row_id, value)})
            else:
                for command in commands.commands_of(value):
                    commands.hang(self, field, row_id, command)


def _asks_for_archived(domain: Sequence[Any]) -> bool:
    return domains.mentions(domain, "active")
