"""The contract's fields against the fields that this Odoo has: which can be written, which lead to other records."""

from collections.abc import Iterable, Mapping

from tallystick.contract.document import Value
from tallystick.errors import Unreadable

from .records import FieldType
from .references import Ids
from .values import cell, link, links, same

Types = Mapping[str, FieldType]
#: A model and the contract's reference to one of its records, such as ("account.tax", "l10n_th.tax_output_vat").
Reference = tuple[str, str]

_LINKS = ("many2one", "many2many")
#: What cannot stand in one cell.
_NO_CELL = ("one2many", "binary", "reference", "properties", "json")


def unfit(model: str, fields: Mapping[str, Value], types: Types) -> list[str]:
    """Fields that this Odoo does not have, that `load` cannot take, or whose value is none for them, in words."""
    return [words for name, value in fields.items() if (words := _unfit(model, name, value, types))]


def _unfit(model: str, name: str, value: Value, types: Types) -> str:
    if name not in types:
        return f"{model} has no field {name!r} in this Odoo: correct the contract's row"
    kind = types[name].kind
    if kind in _NO_CELL:
        return f"the field {name!r} of {model} is a {kind}, which a contract cannot fill"
    try:
        cell(value, kind)
    except Unreadable:
        return f"the field {name!r} of {model} is a {kind}, and the contract gives it something else"
    return ""


def references(fields: Mapping[str, Value], types: Types) -> list[Reference]:
    """The records that the fields lead to."""
    return [_reference(types[name], value) for name, value in fields.items() if _leads(types.get(name), value)]


def unresolved(wanted: Iterable[Reference], found: Mapping[Reference, Ids]) -> list[str]:
    """References that lead nowhere, in words."""
    return [
        f"{reference!r} is no {model} in Odoo: write an External ID such as module.name, or a database id, "
        "into the contract"
        for model, reference in dict.fromkeys(wanted)
        if not found[model, reference]
    ]


def cells(fields: Mapping[str, Value], types: Types, ids: Mapping[Reference, int]) -> dict[str, str]:
    """The fields as columns and cells."""
    return dict(_cell(name, value, types[name], ids) for name, value in fields.items())


def _cell(name: str, value: Value, about: FieldType, ids: Mapping[Reference, int]) -> tuple[str, str]:
    if about.kind not in _LINKS:
        return name, cell(value, about.kind)
    return f"{name}/.id", str(ids[_reference(about, value)]) if _leads(about, value) else ""


def is_link(about: FieldType) -> bool:
    """Whether the field leads to other records."""
    return about.kind in _LINKS


def holds(stored: object, value: Value, about: FieldType, ids: Mapping[Reference, int]) -> bool:
    """Whether a field that was read back is as the contract wants it."""
    if not is_link(about):
        return same(stored, value, about.kind)
    wanted = (ids[_reference(about, value)],) if _leads(about, value) else ()
    single = link(stored)
    return (links(stored) if about.kind == "many2many" else (single,) if single else ()) == wanted


def _leads(about: FieldType | None, value: Value) -> bool:
    return about is not None and is_link(about) and value not in (None, "")


def _reference(about: FieldType, value: Value) -> Reference:
    return about.relation, str(value)
