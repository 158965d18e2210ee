"""Search domains: conditions in prefix notation with `&`, `|` and `!`, answered from indexes where equality allows."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import errors
from .fields import Field, moment

if TYPE_CHECKING:
    from .model import Model

_JOINS = ("&", "|", "!")
_OPERATORS = frozenset(
    {"=", "!=", "<>", "==", "in", "not in", "<", ">", "<=", ">="}
    | {"like", "ilike", "not like", "not ilike", "=like", "=ilike"}
)
Test = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of a record, and, where an index knows, the only records that can pass it."""

    test: Test
    candidates: Collection[int] | None = None


def search(model: "Model", domain: Sequence[Any]) -> Iterable[int]:
    """Ids of the records that pass, in no order."""
    condition = compile_domain(model, domain)
    candidates = condition.candidates if condition.candidates is not None else model.table.rows
    return [row_id for row_id in candidates if condition.test(row_id)]


def compile_domain(model: "Model", domain: Sequence[Any]) -> Condition:
    """The whole domain as one condition; terms without an operator between them are joined by `&`."""
    stack: list[Condition] = []
    for term in reversed(list(domain)):
        if not isinstance(term, str):
            stack.append(_leaf(model, term))
        elif term == "!":
            stack.append(_negated(stack.pop()))
        elif term in _JOINS:
            stack.append((_both if term == "&" else _either)(stack.pop(), stack.pop()))
        else:
            raise errors.value_error(f"Invalid domain term {term!r}")
    condition = stack.pop() if stack else Condition(lambda _: True)
    while stack:
        condition = _both(condition, stack.pop())
    return condition


def mentions(domain: Sequence[Any], field: str) -> bool:
    """Whether a condition of the domain is about the field."""
    return any(not isinstance(term, str) and term and term[0] == field for term in domain)


def _both(one: Condition, other: Condition) -> Condition:
    fewer = [condition.candidates for condition in (one, other) if condition.candidates is not None]
    return Condition(lambda row_id: one.test(row_id) and other.test(row_id), min(fewer, key=len) if fewer else None)


def _either(one: Condition, other: Condition) -> Condition:
    candidates: Collection[int] | None = None
    if one.candidates is not None and other.candidates is not None:
        candidates = {*one.candidates, *other.candidates}
    return Condition(lambda row_id: one.test(row_id) or other.test(row_id), candidates)


def _negated(condition: Condition) -> Condition:
    return Condition(lambda row_id: not condition.test(row_id))


def _leaf(model: "Model", term: Sequence[Any]) -> Condition:
    path, operator, value = term
    if operator not in _OPERATORS:
        raise errors.value_error(f"Invalid operator {operator!r} in {tuple(term)!r}")
    operator = {"==": "=", "<>": "!="}.get(operator, operator)
    if isinstance(path, str) and "." in path:
        return _along(model, path, operator, value)
    field = model.fields.get(path)
    if field is None:
        raise errors.no_field_searched(model.db.version, model.name, tuple(term))
    if operator in ("=", "in"):
        return _equal(model, field, value if operator == "in" else [value])
    if operator in ("!=", "not in"):
        return _negated(_equal(model, field, value if operator == "not in" else [value]))
    if operator.endswith("like"):
        return _like(model, field, operator, value)
    return _compared(model, field, operator, value)


def _along(model: "Model", path: str, operator: str, value: Any) -> Condition:
    """A condition on what a relation leads to."""
    first, _, rest = path.partition(".")
    field = model.fields.get(first)
    if field is None or not field.relation:
        raise errors.no_field_searched(model.db.version, model.name, (path, operator, value))
    there = compile_domain(model.db.models[field.relation], [(rest, operator, value)])
    return Condition(lambda row_id: any(there.test(other) for other in model.related(field, row_id)))


def _equal(model: "Model", field: Field, values: Any) -> Condition:
    given = list(values) if isinstance(values, (list, tuple, set)) else [values]
    if field.kind == "many2one" and any(isinstance(value, str) for value in given):
        return _like(model, field, "=ilike", given[0])
    wanted = {_comparable(field, value) for value in given}
    if field.kind in ("one2many", "many2many"):
        return Condition(lambda row_id: _meets(model.related(field, row_id), wanted))
    if field.computed:
        return Condition(lambda row_id: model.value(field, row_id) in wanted)
    rows, name = model.table.rows, field.name
    candidates = model.table.matching(name, next(iter(wanted))) if len(wanted) == 1 else None
    if candidates is None:
        candidates = {row_id for value in wanted for row_id in model.table.matching(name, value)}
    return Condition(lambda row_id: rows[row_id].get(name) in wanted, candidates)


def _meets(related: Collection[int], wanted: set[Any]) -> bool:
    return any(other in wanted for other in related) if related else None in wanted


def _comparable(field: Field, value: Any) -> Any:
    """A value of a condition as it is kept."""
    if field.kind == "boolean":
        return bool(value)
    if field.kind == "integer":
        return int(value or 0)
    if field.kind in ("float", "monetary"):
        return Decimal(str(value or 0))
    if value is None or value is False or value == "":
        return None
    if field.kind == "datetime":
        return moment(value)
    return value


def _like(model: "Model", field: Field, operator: str, value: Any) -> Condition:
    """`like` looks for a part, `=like` at the whole; `%` and `_` stand for any text and any character."""
    pattern = re.escape(str(value)).replace("%", ".*").replace("_", ".")
    anywhere = not operator.startswith("=")
    flags = re.DOTALL | (re.IGNORECASE if "ilike" in operator else 0)
    found = re.compile(f".*{pattern}.*" if anywhere else pattern, flags).fullmatch
    negated = operator.startswith("not")

    def test(row_id: int) -> bool:
        text = _text(model, field, row_id)
        return (text is None or found(text) is None) if negated else (text is not None and found(text) is not None)

    return Condition(test)


def _text(model: "Model", field: Field, row_id: int) -> str | None:
    value = model.value(field, row_id)
    if field.kind == "many2one" and value is not None:
        return model.db.models[field.relation].display_name(value)
    return None if value is None else str(value)


def _compared(model: "Model", field: Field, operator: str, value: Any) -> Condition:
    """Order. Odoo 19 compares moments in whole seconds, Odoo 16 with the hidden microseconds."""
    limit = _comparable(field, value)
    whole = field.kind == "datetime" and model.db.version >= 17
    passes = _ORDER[operator]

    def test(row_id: int) -> bool:
        found = model.value(field, row_id)
        if found is None or limit is None:
            return False
        return passes(found.replace(microsecond=0) if whole else found, limit)

    return Condition(test)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: bool(one < other),
    ">": lambda one, other: bool(one > other),
    "<=": lambda one, other: bool(one <= other),
    ">=": lambda one, other: bool(one >= other),
}
