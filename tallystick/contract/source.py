"""A YAML text as plain data that still knows its lines.

Keys are always text and a number with decimals stays text: a tax table's `7.70` is no float, `NO` is Norway.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

Place = tuple[str | int, ...]

_DEPTH_MAX = 40
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a contract file: where, what was written, and what is allowed."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(slots=True)
class Source:
    """The data of one file with the line of every place in it, and what was wrong already at reading."""

    file: str
    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def line(self, place: Place) -> int:
        """The line of the place, or of what is nearest around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def finding(self, place: Place, message: str) -> None:
        """Note what is wrong at the place."""
        found = Finding(self.file, self.line(place), message)
        if found not in self.findings:
            self.findings.append(found)


def read(text: str, file: str) -> Source:
    """Parse the text; never raises, see `findings`."""
    source = Source(file)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        source.findings.append(Finding(file, line, f"this is not YAML: {error.problem or error.context}"))
        return source
    except yaml.YAMLError as error:
        source.findings.append(Finding(file, 1, f"this is not YAML: {error}"))
        return source
    if node is not None:
        source.data = _build(source, node, ())
    return source


def _build(source: Source, node: yaml.Node, place: Place) -> Any:
    source.lines.setdefault(place, node.start_mark.line + 1)
    if len(place) > _DEPTH_MAX:
        source.finding(place, "this is nested too deeply")
        return None
    builders: dict[type[yaml.Node], Callable[..., Any]] = {
        yaml.MappingNode: _mapping,
        yaml.SequenceNode: _sequence,
        yaml.ScalarNode: _scalar,
    }
    return builders[type(node)](source, node, place)


def _mapping(source: Source, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in node.value:
        name = str(key.value)
        line = key.start_mark.line + 1
        if name in data:
            first = source.lines[(*place, name)]
            source.findings.append(Finding(source.file, line, f"{name!r} is written twice, first in line {first}"))
            continue
        source.lines[(*place, name)] = line
        data[name] = _build(source, value, (*place, name))
    return data


def _sequence(source: Source, node: yaml.SequenceNode, place: Place) -> list[Any]:
    return [_build(source, value, (*place, index)) for index, value in enumerate(node.value)]


def _scalar(source: Source, node: yaml.ScalarNode, place: Place) -> object:
    text = str(node.value)
    if node.style is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _INTEGER.fullmatch(text) else text
