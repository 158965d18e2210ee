"""Pydantic's findings in the words of a contract file: what was written, what is allowed."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from tallystick.contract.paths import allowed

Loc = tuple[int | str, ...]


def explain(problem: ErrorDetails, root: type[BaseModel]) -> str:
    """One finding as one sentence."""
    loc, kind = problem["loc"], problem["type"]
    name = str(loc[-1]) if loc else "the file"
    if kind == "extra_forbidden":
        return allowed(f"unknown key {name!r}", name, sorted(_keys(root, loc[:-1])))
    if kind == "missing":
        return f"the key {name!r} is missing"
    written = _shown(problem["input"])
    if kind in ("enum", "literal_error"):
        return f"{name} is {written}; allowed are {problem['ctx']['expected']}"
    return f"{name} is {written}; {problem['msg'][:1].lower()}{problem['msg'][1:]}"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a group of keys"
    return "a list" if isinstance(value, list) else repr(value)


def _keys(root: type[BaseModel], loc: Loc) -> set[str]:
    """The keys that are allowed at a place."""
    models: set[type[BaseModel]] = {root}
    for part in loc:
        deeper = {inner for model in models for inner in _inner(model, part)}
        models = deeper or models
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


def _inner(model: type[BaseModel], part: int | str) -> Iterator[type[BaseModel]]:
    for name, field in model.model_fields.items():
        if part in (name, field.alias):
            yield from _models(field.annotation)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models inside a field's type: itself, or what its lists, tables and alternatives hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
