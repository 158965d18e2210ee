"""Source paths of a contract: `number`, `shipping.city`, `attributes.vat_number`, `payments.first.gateway`.

Compiled once, against the Protobuf descriptors: a path that does not exist is found when the contract is loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from tallystick.canonical.money import amount
from tallystick.canonical.times import to_datetime
from tallystick.contract.document import Value
from tallystick.v1 import privacy_pb2

Getter = Callable[[Message], Value]


class PathError(ValueError):
    """The path names nothing; the text says what is there."""


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path: the value of a message, None where nothing is set."""

    text: str
    #: Its value never appears in messages to people.
    personal: bool
    get: Getter


def compile_path(root: Descriptor, text: str) -> Path:
    """Compile. Raises `PathError`."""
    personal, get = _walk(root, text, text.split("."))
    return Path(text, personal, get)


def allowed(what: str, written: str, names: list[str]) -> str:
    """`what` is wrong; these are right, and this one may have been meant."""
    near = get_close_matches(written, names, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"{what}; allowed are {', '.join(sorted(names)) or 'none'}{meant}"


def _walk(within: Descriptor, text: str, names: list[str]) -> tuple[bool, Getter]:
    field = within.fields_by_name.get(names[0])
    if field is None:
        raise PathError(allowed(f"{text!r} has no {names[0]!r}", names[0], list(within.fields_by_name)))
    personal = bool(field.GetOptions().Extensions[privacy_pb2.personal])
    deeper, get = _field(field, text, names[1:])
    return personal or deeper, get


def _field(field: FieldDescriptor, text: str, rest: list[str]) -> tuple[bool, Getter]:
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry:
        return False, _entry(field.name, text, ".".join(rest))
    if field.is_repeated:
        return _repeated(field, text, rest)
    if inner is None:
        _ends(text, rest)
        return False, _scalar(field)
    if inner.full_name == _MONEY and rest == ["currency_code"]:
        return False, lambda message: getattr(message, field.name).currency_code or None
    if inner.full_name in _WHOLE:
        _ends(text, rest)
        return False, _whole(field.name, _WHOLE[inner.full_name])
    if not rest:
        raise PathError(allowed(f"{text!r} is a group", "", list(inner.fields_by_name)))
    personal, get = _walk(inner, text, rest)
    return personal, lambda message: get(getattr(message, field.name))


def _repeated(field: FieldDescriptor, text: str, rest: list[str]) -> tuple[bool, Getter]:
    inner = field.message_type
    if inner is None:
        _ends(text, rest)
        return False, lambda message: ", ".join(getattr(message, field.name)) or None
    if not rest or rest[0] not in _POSITIONS:
        raise PathError(f"{text!r} is a list; write {field.name}.first or {field.name}.last")
    if not rest[1:]:
        raise PathError(allowed(f"{text!r} is a group", "", list(inner.fields_by_name)))
    position = _POSITIONS[rest[0]]
    personal, get = _walk(inner, text, rest[1:])

    def of_one(message: Message) -> Value:
        values = getattr(message, field.name)
        return get(values[position]) if values else None

    return personal, of_one


def _entry(name: str, text: str, key: str) -> Getter:
    if not key:
        raise PathError(f"{text!r} is a table of extra fields; write {name}.<name of the field>")
    return lambda message: getattr(message, name).get(key) or None


def _scalar(field: FieldDescriptor) -> Getter:
    if field.enum_type is None:
        return lambda message: _or_none(getattr(message, field.name))
    prefix = len(field.enum_type.values[0].name.removesuffix("UNSPECIFIED"))
    words = {value.number: value.name[prefix:].lower() for value in field.enum_type.values if value.number}
    return lambda message: words.get(getattr(message, field.name))


def _or_none(value: Value) -> Value:
    return None if value == "" else value


def _whole(name: str, read: Callable[..., Value]) -> Getter:
    return lambda message: read(getattr(message, name)) if message.HasField(name) else None


def _ends(text: str, rest: list[str]) -> None:
    if rest:
        raise PathError(f"{text!r} goes on after a single value; leave out {'.'.join(rest)!r}")


_POSITIONS = {"first": 0, "last": -1}
_MONEY = "google.type.Money"
_WHOLE: dict[str, Callable[..., Value]] = {
    _MONEY: amount,
    "google.protobuf.Timestamp": lambda stamp: to_datetime(stamp).strftime("%Y-%m-%dT%H:%M:%SZ"),
}
