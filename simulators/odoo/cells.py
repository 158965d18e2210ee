"""A load's cells: texts that become values of a field, or are refused in the words of the importer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import OdooError
from .fields import Field, number

_TRUE, FALSE = ("1", "true", "yes"), ("", "0", "false", "no")


@dataclass(slots=True)
class Refused(Exception):
    """A cell that cannot be converted. `%(field)s` in the message stands for the field's label."""

    message: str
    more: dict[str, Any] = field(default_factory=dict)


def no_match(by: str, cell: Any) -> Refused:
    """A reference that leads nowhere."""
    more = {"moreinfo": {"name": "Possible Values", "type": "ir.actions.act_window"}}
    return Refused(f"No matching record found for {by} '{cell}' in field '%(field)s'", more)


def converted(field: Field, cell: Any) -> Any:
    """The value of a cell that is no reference and no moment."""
    convert = _CONVERT.get(field.kind)
    return cell if convert is None else convert(field, cell)


def _boolean(field: Field, cell: Any) -> bool:
    text = str(cell).lower()
    if text not in (*_TRUE, *FALSE):
        raise Refused(
            f"Unknown value '{cell}' for boolean field '%(field)s'", {"moreinfo": "Use '1' for yes and '0' for no"}
        )
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


_CONVERT: dict[str, Callable[[Field, Any], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "float": _number,
    "monetary": _number,
    "selection": _choice,
}
