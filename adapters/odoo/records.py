"""Look-ups in the database: set-based searches, and the types of a model's fields."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.clock import Clock
from tallystick.errors import Unavailable

from .names import MODULE
from .transport import Call, Json, Transport

_FIELDS_TTL_S = 600.0


@dataclass(frozen=True, slots=True)
class FieldType:
    """What `fields_get` tells of a field. `relation` is the model that it leads to."""

    kind: str
    relation: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """The record that an External ID leads to; it may have been deleted since."""

    model: str
    record_id: int


class Records:
    """Reads of one connection. Raises `Unavailable`, `Unauthorised`."""

    def __init__(self, transport: Transport, clock: Clock, company_id: int | None) -> None:
        self._transport = transport
        self._clock = clock
        self.company_id = company_id
        # `load` takes datetimes to be in the user's zone unless the context names another.
        self.context: Json = {"tz": "UTC"} | ({"allowed_company_ids": [company_id]} if company_id else {})
        self._fields: dict[str, tuple[float, Mapping[str, FieldType]]] = {}

    async def find(
        self, model: str, domain: Sequence[Any], fields: Collection[str], *, archived: bool = False, limit: int = 0,
        order: str = "",
    ) -> list[Json]:  # fmt: skip
        """The records that match, with `id`. `archived` finds those out of use too."""
        context = {**self.context, "active_test": False} if archived else self.context
        arguments: dict[str, Any] = {"domain": list(domain), "fields": sorted(fields), "context": context}
        arguments |= {name: value for name, value in (("limit", limit), ("order", order)) if value}
        found = await self._transport.read(Call(model, "search_read", arguments))
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise Unavailable(f"Odoo answered a search in {model} with something that is no list of records")
        return found

    async def sums(self, model: str, domain: Sequence[Any], fields: Collection[str], by: Collection[str]) -> list[Json]:
        """The sums of kept fields over the records that match, for each combination of the fields `by`."""
        named = {"domain": list(domain), "fields": [f"{one}:sum" for one in fields], "groupby": list(by)}
        arguments = {**named, "lazy": False, "context": self.context}
        found = await self._transport.read(Call(model, "read_group", arguments))
        wanted = {*fields, *by}
        if not isinstance(found, list) or not all(isinstance(row, dict) and wanted <= row.keys() for row in found):
            raise Unavailable(f"Odoo answered sums in {model} with something that is no list of such groups")
        return found

    async def by_id(self, model: str, ids: Collection[int], fields: Collection[str]) -> dict[int, Json]:
        """These records, without those that do not exist. No call for no ids."""
        if not ids:
            return {}
        found = await self.find(model, [["id", "in", sorted(ids)]], fields, archived=True)
        return {row["id"]: row for row in found}

    async def addresses(self, names: Collection[str], module: str = MODULE) -> dict[str, Address]:
        """Where External IDs of one module lead to."""
        if not names:
            return {}
        domain = [["module", "=", module], ["name", "in", sorted(names)]]
        found = await self.find("ir.model.data", domain, ("name", "model", "res_id"))
        return {row["name"]: Address(row["model"], row["res_id"]) for row in found}

    async def names(self, model: str, ids: Collection[int], module: str = MODULE) -> list[tuple[int, str]]:
        """Records with their External IDs of one module; a record may have several, and most have none."""
        if not ids:
            return []
        domain = [["module", "=", module], ["model", "=", model], ["res_id", "in", sorted(ids)]]
        found = await self.find("ir.model.data", domain, ("name", "res_id"))
        return [(row["res_id"], row["name"]) for row in found]

    async def fields(self, model: str) -> Mapping[str, FieldType]:
        """The model's fields. Versions rename them and customers add their own, so the server is asked."""
        known = self._fields.get(model)
        now_s = self._clock.monotonic_s()
        if known is None or known[0] < now_s:
            known = (now_s + _FIELDS_TTL_S, await self._ask_fields(model))
            self._fields[model] = known
        return known[1]

    async def _ask_fields(self, model: str) -> Mapping[str, FieldType]:
        arguments = {"allfields": [], "attributes": ["type", "relation"], "context": self.context}
        found = await self._transport.read(Call(model, "fields_get", arguments))
        if not isinstance(found, dict) or not found:
            raise Unavailable(f"Odoo does not tell the fields of {model}; is the app Sales installed?")
        return {name: FieldType(about["type"], about.get("relation", "")) for name, about in found.items()}
