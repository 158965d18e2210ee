"""Calls of clients, one after another, each a transaction of its own."""

import asyncio
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from simulators.journal import Journal

from . import errors, records
from .database import Database, Effect
from .errors import OdooError
from .model import Model

#: What a Python method may stumble over in a client's values; the server tells it as an error like any other.
_STUMBLES = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)
Named = Mapping[str, Any]


class Calls:
    """Runs methods. Overlapping calls see each other as the settings of contention say."""

    def __init__(self, db: Database, journal: Journal) -> None:
        self._db = db
        self._journal = journal
        self._commits = 0
        #: The number of the commit that changed a record last.
        self._changed: dict[tuple[str, int], int] = {}

    async def call(self, model: str, method: str, arguments: Sequence[Any], named: Named) -> Any:
        """A client's call: it arrives, takes its time, and is applied."""
        arrived = self._commits
        if self._db.settings.latency_s:
            await asyncio.sleep(self._db.settings.latency_s)
        if self._db.settings.contention and self._overtaken(model, method, arguments, named, arrived):
            if method == "load":
                return _not_serializable()
            self._run_in_vain(model, method, arguments, named)
        return self.apply(model, method, arguments, named)

    def apply(self, model: str, method: str, arguments: Sequence[Any], named: Named) -> Any:
        """Run a method now; it commits, or raises `OdooError` and leaves nothing."""
        try:
            result = self._run(model, method, arguments, named)
        except OdooError:
            self._db.roll_back()
            raise
        except _STUMBLES as error:
            self._db.roll_back()
            raise OdooError(f"builtins.{type(error).__name__}", str(error)) from error
        self.commit()
        return result

    def commit(self) -> None:
        """Keep what was done, and write it down."""
        self._commits += 1
        if self._db.settings.contention:
            self._changed |= {(table.model, row_id): self._commits for table, row_id, _ in self._db.undo.steps}
        for effect in self._db.commit():
            if effect.key:
                self._journal.note(effect.what, effect.key, effect.detail)
                continue
            found = self._described(effect)
            self._journal.note(effect.what, found.external_id or f"{effect.model},{effect.row_id}", found)

    def _described(self, effect: Effect) -> records.Document:
        row = effect.gone or self._db.models[effect.model].table.rows[effect.row_id]
        return records.document(self._db, effect.model, effect.row_id, row)

    def _run(self, name: str, method: str, arguments: Sequence[Any], named: Named) -> Any:
        context = named.get("context") or {}
        named = {key: value for key, value in named.items() if key != "context"}
        self._db.begin(context)
        model = self.model(name)
        self.check(model, method)
        if method in model.on_records:
            arguments = [_ids(arguments[0]), *arguments[1:]]
        result = getattr(model, method)(*arguments, **named)
        self._db.flush()
        return result

    def model(self, name: str) -> Model:
        """A model of an installed module."""
        model = self._db.models.get(name)
        if model is None:
            raise errors.no_model(name)
        return model

    def check(self, model: Model, method: str) -> None:
        """Whether clients may call the method."""
        if method.startswith("_"):
            raise errors.private_method(self._db.version, model.name, method)
        if method not in model.on_model and method not in model.on_records:
            raise errors.no_method(self._db.version, model.name, method)

    def signature(self, model: Model, method: str) -> inspect.Signature:
        """The arguments that the method takes, without the ids."""
        found = inspect.signature(getattr(model, method))
        own = list(found.parameters.values())
        return found.replace(parameters=own[1:] if method in model.on_records else own)

    # ---- calls that overlap ------------------------------------------------------------------------------------------

    def _overtaken(self, model: str, method: str, arguments: Sequence[Any], named: Named, arrived: int) -> bool:
        """Whether another call has committed a change of one of these records since this one arrived."""
        ids: Sequence[int] = ()
        if method == "load":
            fields, rows = named.get("fields") or arguments[0], named.get("data") or arguments[-1]
            at = list(fields).index("id") if "id" in fields else None
            ids = [self._db.external_ids.named(str(row[at])) for row in rows] if at is not None else ()
        else:
            known = model in self._db.models and method in self._db.models[model].on_records - {"read"}
            ids = _ids(arguments[0]) if known and arguments else ()
        return any(self._changed.get((model, row_id), 0) > arrived for row_id in ids)

    def _run_in_vain(self, model: str, method: str, arguments: Sequence[Any], named: Named) -> None:
        """The server itself repeats what could not be serialised: the first run leaves nothing but used-up ids."""
        try:
            self._run(model, method, arguments, named)
        except OdooError:
            return
        finally:
            self._db.roll_back()
            self._journal.note("run again", f"{model}.{method}")


def _ids(given: Any) -> Sequence[int]:
    return [given] if isinstance(given, int) else given


def _not_serializable() -> dict[str, Any]:
    message = {"type": "error", "message": "could not serialize access due to concurrent update\n"}
    return {"ids": False, "messages": [message], "nextrow": 0}
