"""Fields of models: their types, how a client's value becomes ours, and how ours is shown to it.

Inside, numbers with a fraction are `Decimal`, moments are naive UTC with microseconds, many2one is an id, many2many a
tuple of ids, and nothing is `None`. Outside, as JSON-RPC has it: floats, texts to the second, and `false` for nothing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from . import errors

_DATETIME, _DATE = "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"
#: Lengths of texts that leave out seconds, minutes, the time of day.
_SHORTENED = (16, 13, 10)
RELATIONS = frozenset({"many2one", "one2many", "many2many"})
TO_MANY = frozenset({"one2many", "many2many"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one model."""

    name: str
    kind: str
    label: str
    relation: str = ""
    #: Of a one2many: the many2one that leads back.
    inverse: str = ""
    required: bool = False
    readonly: bool = False
    #: As `fields_get` reports it; product.product keeps most of its fields on the template.
    store: bool = True
    #: Worked out when it is read, never kept here.
    computed: bool = False
    #: Decimals that are kept; None keeps all.
    digits: int | None = None
    selection: tuple[tuple[str, str], ...] = ()
    default: Any = None
    #: Exists in this major version only.
    only: int | None = None

    def label_of(self, value: Any) -> str:
        """How a choice is shown."""
        return dict(self.selection).get(value, "")

    def described(self) -> dict[str, Any]:
        """What `fields_get` tells."""
        found: dict[str, Any] = {
            "type": self.kind,
            "string": self.label,
            "required": self.required,
            "readonly": self.readonly,
            "store": self.store,
        }
        if self.relation:
            found["relation"] = self.relation
        if self.inverse:
            found["relation_field"] = self.inverse
        if self.selection:
            found["selection"] = [list(choice) for choice in self.selection]
        if self.digits is not None:
            found["digits"] = [16, self.digits]
        return found


ACTIVE = Field("active", "boolean", "Active", default=True)
ONE = Decimal(1)


def to_ours(model: str, field: Field, value: Any) -> Any:
    """A scalar as a client writes it. Raises ValueError in Odoo's words."""
    if field.kind == "boolean":
        return bool(value)
    if field.kind in ("float", "monetary"):
        return number(value, field.digits)
    if field.kind == "integer":
        return int(value or 0)
    if value is None or value is False or value == "":
        return None
    if field.kind == "selection":
        if value not in (choice for choice, _ in field.selection):
            raise errors.value_error(f"Wrong value for {model}.{field.name}: {value!r}")
        return value
    return _PLAIN[field.kind](value)


def number(value: Any, digits: int | None) -> Decimal:
    """A number, rounded half up to the digits that are kept."""
    try:
        exact = value if isinstance(value, Decimal) else Decimal(str(value or 0))
    except InvalidOperation:
        raise errors.value_error(f"could not convert string to float: {value!r}") from None
    return exact if digits is None else exact.quantize(_QUANTA[digits], ROUND_HALF_UP)


_QUANTA = [Decimal(1).scaleb(-digits) for digits in range(10)]


def moment(value: Any) -> datetime:
    """A naive moment, to the second, minute, hour or day; `T`, `Z` and offsets are refused."""
    text = str(value)
    try:
        return datetime.strptime(text, _DATETIME[: len(text) - 2] if len(text) in _SHORTENED else _DATETIME)  # noqa: DTZ007
    except ValueError as error:
        raise errors.value_error(str(error)) from None


def _day(value: Any) -> date:
    try:
        return datetime.strptime(str(value)[:10], _DATE).date()  # noqa: DTZ007
    except ValueError as error:
        raise errors.value_error(str(error)) from None


def _html(value: Any) -> str:
    """As Odoo's sanitiser leaves it: unknown tags are dropped, what is no block becomes a paragraph."""
    text = _TAG.sub(lambda tag: tag[0] if tag[1].lower() in _INLINE | _BLOCKS else "", str(value))
    text = _LONE_AMPERSAND.sub("&amp;", text).replace("<br/>", "<br>")
    first = _TAG.match(text.lstrip())
    return text if first is not None and first[1].lower() in _BLOCKS else f"<p>{text}</p>"


_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)[^>]*>")
_LONE_AMPERSAND = re.compile(r"&(?!#?\w+;)")
_INLINE = frozenset({"a", "b", "br", "em", "i", "span", "strong", "u"})
_BLOCKS = frozenset({"div", "h1", "h2", "h3", "li", "ol", "p", "table", "tbody", "td", "tr", "ul"})


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "char": str,
    "text": str,
    "html": _html,
    "date": _day,
    "datetime": moment,
    "many2one": int,
    "many2one_reference": int,
}


def to_json(kind: str, value: Any) -> Any:
    """A scalar as a client reads it."""
    if kind in ("float", "monetary"):
        return float(value or 0)
    if kind in ("integer", "many2one_reference"):
        return value or 0
    if value is None:
        return False
    if kind == "datetime":
        return value.isoformat(" ", "seconds")
    return value.isoformat() if kind == "date" else value
