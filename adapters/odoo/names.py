"""External IDs: the names under which Odoo folds a repeated `load` into one record.

`__tallystick__.order__odoo__woocommerce__1042`: the kind, the connection of this Odoo, and the parts of our reference.
Readable, without a dot, and such that two things never share one: each part escapes all but letters, digits and
`-`, so that `__` stands between parts only. The module is no real one, else its update would purge our rows.
"""

import hashlib
import re
from collections.abc import Iterable

from tallystick.canonical.keys import parts

MODULE = "__tallystick__"
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")
#: (module, name) is indexed, and one entry of a PostgreSQL index holds 2.7 kB at most.
_LENGTH_MAX = 160
_KEPT = 80
_BETWEEN = "__"
#: What follows an order's own name in that of an order beside it, and what it is of.
_DELTA = ("delta",)
#: No escape begins with this, so a shortened name is never another's whole one.
_SHORTENED = "_z"
_ESCAPE = re.compile(rb"_([0-9a-f]{2})")


def order_name(connection: str, ref: str) -> str:
    """Of the sales order with our reference `ref`."""
    return _name("order", connection, *ref.split("/"))


def refund_name(connection: str, ref: str) -> str:
    """Of the credit note with our reference `ref`."""
    return _name("refund", connection, *ref.split("/"))


def payment_name(connection: str, ref: str) -> str:
    """Of the customer payment with our reference `ref`."""
    return _name("payment", connection, *ref.split("/"))


def return_name(connection: str, ref: str) -> str:
    """Of the return transfer of the refund with our reference `ref`."""
    return _name("return", connection, *ref.split("/"))


def returned_name(connection: str, ref: str, move_id: str) -> str:
    """Of one of its moves, by the id of the move that took the goods to the buyer."""
    return _name("returned", connection, *ref.split("/"), move_id)


def line_name(connection: str, ref: str, line_key: str) -> str:
    """Of one line of a document with our reference `ref`."""
    return _name("line", connection, *ref.split("/"), line_key)


def customer_name(connection: str, ref: str) -> str:
    """Of the contact with our reference `ref`."""
    return _name("customer", connection, *ref.split("/"))


def location_name(connection: str, ref: str, location: str) -> str:
    """Of a further address of the contact with our reference `ref`."""
    return _name("location", connection, *ref.split("/"), location)


def external_id(name: str) -> str:
    """The complete External ID."""
    return f"{MODULE}.{name}"


def order_of(connection: str, name: str) -> tuple[str, str] | None:
    """The store's connection and order id, from the name of one of our orders, one that stands beside another
    (`delta`, with its revision) as well; None for any other name.

    A name that was shortened tells neither; it takes ids longer than any store has.
    """
    kind, told = _read(connection, name)
    return (told[0], told[1]) if kind == "order" and len(told) in (2, 4) and told[2:3] in ((), _DELTA) else None


def customer_of(connection: str, name: str) -> tuple[str, str] | None:
    """The store's connection and the customer's key, from the name of one of our contacts; None for any other name."""
    kind, told = _read(connection, name)
    return (told[1], told[2]) if kind == "customer" and len(told) == 3 else None


def line_of(connection: str, name: str) -> str | None:
    """The key of the line, from the name of a line of one of our orders; None for any other name."""
    kind, told = _read(connection, name)
    return told[-1] if kind == "line" and len(told) in (3, 5) and told[2:-2] in ((), _DELTA) else None


def _read(connection: str, name: str) -> tuple[str, tuple[str, ...]]:
    """The kind and the parts after the connection, each as it was given."""
    kind, *rest = name.split(_BETWEEN)
    if _SHORTENED in name or not rest or _plain(rest[0]) != connection:
        return "", ()
    # A line's key follows the parts of the reference, which are percent-encoded themselves, and is not.
    ref, key = (rest[1:-1], rest[-1:]) if kind == "line" else (rest[1:], [])
    return kind, (*parts("/".join(map(_plain, ref))), *map(_plain, key))


def _name(*parts: str) -> str:
    whole = _BETWEEN.join(_escaped(part) for part in parts)
    if len(whole) <= _LENGTH_MAX:
        return whole
    return f"{whole[:_KEPT]}{_SHORTENED}{hashlib.sha256(whole.encode()).hexdigest()}"


def _escaped(part: str) -> str:
    return "".join(_bytes(character) for character in part)


def _bytes(character: str) -> str:
    return character if character in _PLAIN else "".join(_hex(character.encode()))


def _hex(raw: bytes) -> Iterable[str]:
    return (f"_{byte:02x}" for byte in raw)


def _plain(escaped: str) -> str:
    whole = _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), escaped.encode())
    return whole.decode(errors="replace")
