"""What Odoo's errors mean. Decided by `data.name`: the code differs by version, texts are translated.

JSON-RPC answers HTTP 200 with `error`; its `code` is 200 in Odoo 16 and 0 in Odoo 19.
"""

import re
from collections.abc import Iterable
from enum import Enum, auto

#: PostgreSQL's words for "somebody else was first"; `load` passes them on as the text of a message.
_PASSING_TEXTS = ("could not serialize access", "deadlock detected", "could not obtain lock")
_PASSING_NAMES = ("psycopg2.", "odoo.sql_db.PoolError", "odoo.exceptions.ConcurrencyError")
_REFUSED = {
    "odoo.exceptions.AccessError",
    "odoo.exceptions.MissingError",
    "odoo.exceptions.RedirectWarning",
    "odoo.exceptions.UserError",
    "odoo.exceptions.ValidationError",
    "builtins.AttributeError",
    "builtins.KeyError",
    "builtins.TypeError",
    "builtins.ValueError",
}
_DETAIL_MAX = 300
_EMAIL = re.compile(r"[^\s@<>\"'\[\]()]+@[^\s@<>\"'\[\]()]+")
#: Phone, account and tax numbers.
_LONG_NUMBER = re.compile(r"\b[A-Z]{0,3}\d[\d ./-]{5,}\d\b")


class Meaning(Enum):
    """What to do about an error."""

    #: Rolled back for a passing reason: send it again later.
    PASSING = auto()
    #: Asked for a slower pace.
    THROTTLED = auto()
    #: The key or the password is refused.
    DENIED = auto()
    #: Refused for good, rolled back.
    REFUSED = auto()
    #: No error that is known: whether the call was applied is not known either.
    UNKNOWN = auto()


def meaning(name: str) -> Meaning:
    """The meaning of an error by the name of its class, such as `odoo.exceptions.UserError`."""
    if name == "odoo.exceptions.AccessDenied":
        return Meaning.DENIED
    if name == "werkzeug.exceptions.TooManyRequests":
        return Meaning.THROTTLED
    if name.startswith(_PASSING_NAMES):
        return Meaning.PASSING
    return Meaning.REFUSED if name in _REFUSED else Meaning.UNKNOWN


def is_passing(message: str) -> bool:
    """Whether the text of a message of `load` tells a conflict with another transaction."""
    return any(text in message for text in _PASSING_TEXTS)


def redacted(message: str, personal: Iterable[str]) -> str:
    """Odoo's own words without what is personal: the values that we sent, addresses and long numbers; cut to fit."""
    text = " ".join(message.split())
    for value in sorted({value.strip() for value in personal}, key=len, reverse=True):
        if len(value) > 1:
            text = re.sub(re.escape(value), "…", text, flags=re.IGNORECASE)
    text = _LONG_NUMBER.sub("…", _EMAIL.sub("…", text))
    return text if len(text) <= _DETAIL_MAX else text[:_DETAIL_MAX].rstrip() + " …"
