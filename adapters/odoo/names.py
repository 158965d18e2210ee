"""External IDs: the names under which Odoo folds a repeated `load` into one record.

`__tallystick__.order__odoo__woocommerce__1042`: the kind, the connection of this Odoo, and the parts of our reference.
Readable, without a dot, and such that two things never share one: each part escapes all but letters, digits and
`-`, so that `__` stands between parts only. The module is no real one, else its update would purge our rows.
"""

import hashlib
from collections.abc import Iterable

MODULE = "__tallystick__"
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")
#: (module, name) is indexed, and one entry of a PostgreSQL index holds 2.7 kB at most.
_LENGTH_MAX = 160
_KEPT = 80


def order_name(connection: str, ref: str) -> str:
    """Of the sales order with our reference `ref`."""
    return _name("order", connection, *ref.split("/"))


def refund_name(connection: str, ref: str) -> str:
    """Of the credit note with our reference `ref`."""
    return _name("refund", connection, *ref.split("/"))


def line_name(connection: str, ref: str, line_key: str) -> str:
    """Of one line of a document with our reference `ref`."""
    return _name("line", connection, *ref.split("/"), line_key)


def customer_name(connection: str, ref: str) -> str:
    """Of the contact with our reference `ref`."""
    return _name("customer", connection, *ref.split("/"))


def external_id(name: str) -> str:
    """The complete External ID."""
    return f"{MODULE}.{name}"


def _name(*parts: str) -> str:
    whole = "__".join(_escaped(part) for part in parts)
    if len(whole) <= _LENGTH_MAX:
        return whole
    # No escape begins with "_z", so a shortened name is never another's whole one.
    return f"{whole[:_KEPT]}_z{hashlib.sha256(whole.encode()).hexdigest()}"


def _escaped(part: str) -> str:
    return "".join(_bytes(character) for character in part)


def _bytes(character: str) -> str:
    return character if character in _PLAIN else "".join(_hex(character.encode()))


def _hex(raw: bytes) -> Iterable[str]:
    return (f"_{byte:02x}" for byte in raw)
