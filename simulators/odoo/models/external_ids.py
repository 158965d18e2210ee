"""ir.model.data: External IDs, the names by which a load finds its records again."""

from collections.abc import Sequence
from typing import Any, ClassVar

from .. import errors
from ..fields import Field
from ..model import Model, Values
from ..table import Row

_FIELDS = (
    Field("module", "char", "Module", required=True, default=""),
    Field("name", "char", "External Identifier", required=True),
    Field("model", "char", "Model Name", required=True),
    Field("res_id", "many2one_reference", "Record ID"),
    Field("complete_name", "char", "Complete ID", readonly=True, store=False, computed=True),
    Field("noupdate", "boolean", "Non Updatable", default=False),
)


class ExternalIds(Model):
    """Unique by (module, name). A load writes over a name whose record is gone, a plain `create` is refused."""

    name: ClassVar[str] = "ir.model.data"
    label: ClassVar[str] = "Model Data"
    order: ClassVar[str] = "module, model, name"
    declared: ClassVar[Sequence[Field]] = _FIELDS

    def compute(self, field: str, row: Row) -> Any:
        if field == "complete_name":
            return f"{row['module']}.{row['name']}"
        return self.display_name(row["id"])

    def fill(self, row: Row, given: Values) -> None:
        module, name = row.get("module") or "", row.get("name") or ""
        if self._row(module, name) is not None:
            raise errors.duplicate_external_id(module, name)

    def find(self, external_id: str, model: str) -> int | None:
        """The id of the record that is named so and still exists."""
        module, _, name = external_id.partition(".")
        row = self._row(module, name)
        if row is None:
            return None
        if row["model"] != model:
            raise errors.value_error(
                f"Invalid external ID {external_id}: expected model {model!r}, found {row['model']!r}"
            )
        res_id: int = row["res_id"]
        return res_id if res_id in self.db.models[model].table.rows else None

    def named(self, external_id: str) -> int:
        """The id that an External ID names, whatever its model; 0 for none."""
        module, _, name = external_id.partition(".")
        row = self._row(module, name)
        return row["res_id"] if row is not None else 0

    def name_record(self, external_id: str, model: str, row_id: int) -> None:
        """Give a record its External ID, or move the ID to it."""
        module, _, name = external_id.partition(".")
        known = self._row(module, name)
        values = {"model": model, "res_id": row_id, "write_date": self.db.now}
        if known is not None:
            self.table.update(known["id"], values)
        else:
            self.table.insert({"module": module, "name": name, "noupdate": False, "create_date": self.db.now, **values})

    def of_record(self, model: str, row_id: int) -> str:
        """The External ID of a record, or ""."""
        for found in self._of_record(model, row_id):
            row = self.table.rows[found]
            return f"{row['module']}.{row['name']}"
        return ""

    def forget(self, model: str, row_id: int) -> None:
        """The record is gone, and its names with it."""
        for found in self._of_record(model, row_id):
            self.table.delete(found)

    def _row(self, module: str, name: str) -> Row | None:
        for found in self.table.matching("name", name):
            if self.table.rows[found]["module"] == module:
                return self.table.rows[found]
        return None

    def _of_record(self, model: str, row_id: int) -> Sequence[int]:
        return [found for found in self.table.matching("res_id", row_id) if self.table.rows[found]["model"] == model]
