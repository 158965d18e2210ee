"""As much of GraphQL as a double needs: a query's selection, its points, and the answer cut to it.

Only queries and mutations with variables, named fragments, inline fragments and directives of fields are understood; no
literals beyond numbers, texts, names, booleans and lists of them. What is not understood is an error, never ignored.
"""

import base64
import bisect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_TOKEN = re.compile(
    r'\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<var>\$\w+)|(?P<num>-?\d+)|(?P<str>"[^"]*")|(?P<punct>\.\.\.|[{}()\[\]:!=,@]))'
)

Values = Mapping[str, Any]


@dataclass(slots=True)
class Field:
    """A selected field. `on` names the type of the inline fragment that it stands in, empty outside of one."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    fields: list["Field"] = field(default_factory=list)
    on: str = ""
    #: Arguments by the directive's name.
    directives: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """A named query or mutation whose fragments were put in place."""

    name: str
    variables: dict[str, str]
    fields: list[Field]


@dataclass(frozen=True, slots=True)
class Connection:
    """A list that is shown in pages. A cursor names the key of the last one shown, as Shopify's do, so a list that
    changes between two pages neither skips nor repeats what stayed in its place."""

    items: list[Any]
    #: Ascending and unique; the place in the list where none are given.
    keys: list[str] = field(default_factory=list)

    def page(self, first: int, after: str | None) -> dict[str, Any]:
        """`first` items after the cursor."""
        keys = self.keys or [f"{index:08d}" for index in range(len(self.items))]
        passed = base64.b64decode(after).decode() if after else ""
        start = bisect.bisect_right(keys, passed) if after else 0
        shown = self.items[start : start + first]
        last = base64.b64encode(keys[start + len(shown) - 1].encode()).decode() if shown else None
        return {"nodes": shown, "pageInfo": {"hasNextPage": start + first < len(keys), "endCursor": last}}


class Malformed(ValueError):
    """The document is not one that this double understands."""


class _Tokens:
    def __init__(self, text: str) -> None:
        self._list: list[str] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise Malformed(f"unexpected text at {at}")
            if match[0].strip() != ",":
                self._list.append(match[0].strip())
            at = match.end()
        self._at = 0

    @property
    def next(self) -> str:
        return self._list[self._at] if self._at < len(self._list) else ""

    def take(self, wanted: str = "") -> str:
        token = self.next
        if not token or (wanted and token != wanted):
            raise Malformed(f"expected {wanted or 'more'}, found {token!r}")
        self._at += 1
        return token


def parse(document: str) -> Query:
    """The query or mutation of the document. Raises `Malformed`."""
    tokens = _Tokens(document)
    tokens.take("mutation" if tokens.next == "mutation" else "query")
    name = tokens.take()
    variables = _variables(tokens)
    fields = _fields(tokens, "")
    fragments: dict[str, list[Field]] = {}
    while tokens.next:
        tokens.take("fragment")
        fragment = tokens.take()
        tokens.take("on")
        tokens.take()
        fragments[fragment] = _fields(tokens, "")
    return Query(name, variables, _inlined(fields, fragments))


def _variables(tokens: _Tokens) -> dict[str, str]:
    found: dict[str, str] = {}
    if tokens.next != "(":
        return found
    tokens.take("(")
    while tokens.next != ")":
        name = tokens.take().removeprefix("$")
        tokens.take(":")
        found[name] = _type(tokens)
    tokens.take(")")
    return found


def _type(tokens: _Tokens) -> str:
    """A type, a list of one, either of them required or not."""
    written = tokens.take()
    if written == "[":
        written = f"[{_type(tokens)}{tokens.take(']')}"
    return written + (tokens.take() if tokens.next == "!" else "")


def _fields(tokens: _Tokens, on: str) -> list[Field]:
    found: list[Field] = []
    tokens.take("{")
    while tokens.next != "}":
        if tokens.next != "...":
            found.append(_field(tokens, on))
            continue
        tokens.take()
        if tokens.next == "on":
            tokens.take()
            found += _fields(tokens, tokens.take())
        else:
            found.append(Field("..." + tokens.take(), on=on))
    tokens.take("}")
    return found


def _field(tokens: _Tokens, on: str) -> Field:
    made = Field(tokens.take(), on=on)
    made.arguments = _arguments(tokens)
    while tokens.next == "@":
        tokens.take()
        directive = tokens.take()
        made.directives[directive] = _arguments(tokens)
    if tokens.next == "{":
        made.fields = _fields(tokens, "")
    return made


def _arguments(tokens: _Tokens) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if tokens.next == "(":
        tokens.take()
        while tokens.next != ")":
            name = tokens.take()
            tokens.take(":")
            found[name] = _values(tokens)
        tokens.take(")")
    return found


def _values(tokens: _Tokens) -> Any:
    """One value, or a list of them."""
    if tokens.next != "[":
        return _literal(tokens.take())
    tokens.take()
    found = []
    while tokens.next != "]":
        found.append(_literal(tokens.take()))
    tokens.take()
    return found


def _literal(written: str) -> Any:
    if written in ("true", "false"):
        return written == "true"
    return int(written) if written.lstrip("-").isdigit() else written.strip('"')


def _inlined(fields: list[Field], fragments: Mapping[str, list[Field]]) -> list[Field]:
    found: list[Field] = []
    for one in fields:
        if one.name.startswith("..."):
            if one.name[3:] not in fragments:
                raise Malformed(f"there is no fragment {one.name[3:]}")
            found += [replace(f, on=f.on or one.on) for f in _inlined(fragments[one.name[3:]], fragments)]
        else:
            found.append(replace(one, fields=_inlined(one.fields, fragments)))
    return found


def bound(one: Field, name: str, values: Values, directive: str = "") -> Any:
    """The value of an argument, None when it is not given."""
    value = (one.directives.get(directive, {}) if directive else one.arguments).get(name)
    return values.get(value[1:]) if isinstance(value, str) and value.startswith("$") else value


def points(fields: list[Field], values: Values) -> int:
    """What a selection asks for: an object 1, a connection or a limited list by its `first`, a list by its ids."""
    total = 0
    for one in fields:
        if not one.fields:
            continue
        first = bound(one, "first", values)
        ids = bound(one, "ids", values)
        if isinstance(ids, list):
            total += len(ids) * (1 + points(one.fields, values))
        elif first is None:
            total += 1 + points(one.fields, values)
        elif any(inner.name == "nodes" for inner in one.fields):
            inside = [inner for inner in one.fields if inner.name == "nodes"]
            total += 1 + int(first) * points(inside, values)
            total += points([inner for inner in one.fields if inner.name != "nodes"], values)
        else:
            total += int(first) * (1 + points(one.fields, values))
    return total


def cut(value: Any, fields: list[Field], values: Values) -> Any:
    """The answer: of each object what was selected, of each connection the page asked for."""
    if isinstance(value, list):
        return [cut(item, fields, values) for item in value]
    if not isinstance(value, dict):
        return value
    return {one.name: _shown(value, one, values) for one in fields if one.on in ("", value.get("__typename"))}


def _shown(value: dict[str, Any], one: Field, values: Values) -> Any:
    if one.name not in value:
        raise Malformed(f"this double has no field {one.name} of {value.get('__typename', 'an object')}")
    inner = value[one.name]
    if callable(inner):
        inner = inner({name: bound(one, name, values) for name in one.arguments})
    first = bound(one, "first", values)
    if isinstance(inner, Connection):
        inner = inner.page(int(first or 0), bound(one, "after", values))
    elif isinstance(inner, list) and first is not None:
        inner = inner[: int(first)]
    return cut(inner, one.fields, values)


def objects(answer: Any) -> int:
    """What an answer really cost: its objects."""
    if isinstance(answer, list):
        return sum(objects(item) for item in answer)
    return 1 + sum(objects(item) for item in answer.values()) if isinstance(answer, dict) else 0
