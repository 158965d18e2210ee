"""read_group: records counted and summed by some of their fields.

Card of Odoo, section 7: a field that is computed and not kept is a UserError in 16, and can be grouped by in 19.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import errors
from .fields import Field, to_json

if TYPE_CHECKING:
    from .model import Model


def read_group(
    model: "Model", domain: Sequence[Any], fields: Sequence[str], groupby: str | Sequence[str], *, lazy: bool
) -> list[dict[str, Any]]:
    """One entry for each combination that occurs, in its order; `lazy` groups by the first field alone."""
    names = [groupby] if isinstance(groupby, str) else list(groupby)
    by = [_groupable(model, name) for name in (names[:1] if lazy else names)]
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row_id in model.search(domain):
        groups.setdefault(tuple(model.value(field, row_id) for field in by), []).append(row_id)
    sums = [model.field(name.partition(":")[0]) for name in fields]
    count = f"{by[0].name}_count" if lazy and by else "__count"
    return [_group(model, by, sums, count, domain, ids) for _, ids in sorted(groups.items(), key=_place)]


def _groupable(model: "Model", name: str) -> Field:
    field = model.field(name)
    if field.computed and model.db.version < 17:
        raise errors.user_error(f"Field {name!r} of {model.name} is not stored: it cannot be grouped by.")
    return field


def _place(group: tuple[tuple[Any, ...], list[int]]) -> list[tuple[bool, Any]]:
    return [(value is None, value or 0) for value in group[0]]


def _group(
    model: "Model", by: Sequence[Field], sums: Sequence[Field], count: str, domain: Sequence[Any], ids: Sequence[int]
) -> dict[str, Any]:
    shown = model.read(ids[:1], [field.name for field in by])[0]
    keys = [(field.name, "=", shown[field.name][0] if field.relation and shown[field.name] else shown[field.name])
            for field in by]  # fmt: skip
    totals = {
        field.name: to_json(field.kind, sum((model.value(field, one) or 0 for one in ids), Decimal(0)))
        for field in sums
        if field.kind in ("float", "monetary", "integer") and field not in by
    }
    return {**{field.name: shown[field.name] for field in by}, **totals, count: len(ids),
            "__domain": ["&"] * (len(keys) - 1) + keys + list(domain)}  # fmt: skip
