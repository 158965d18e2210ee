"""Names of things across systems. Parts are percent-encoded, so a key splits in one way only."""

import hashlib
import re
import unicodedata
from urllib.parse import quote, unquote

from tallystick.errors import Unreadable

#: What stays as it is in percent-encoding, which is nearly every id.
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+")


def key(*parts: str) -> str:
    """`<part>/<part>…`. Raises `Unreadable` when a part is empty: two things would share the key."""
    if not parts or not all(parts):
        raise Unreadable("a part of a key is empty: the source named no id")
    return "/".join(part if _PLAIN.fullmatch(part) else quote(part, safe="") for part in parts)


def parts(text: str) -> tuple[str, ...]:
    """The parts of a key again."""
    return tuple(unquote(part) for part in text.split("/"))


def order_key(connection: str, order_id: str) -> str:
    """The lane, the Kafka key and the reference of everything about one order."""
    return key(connection, order_id)


def customer_key(connection: str, customer: str) -> str:
    """The lane of one customer; `customer` is the canonical `Customer.key`."""
    return key(connection, customer)


def sku_key(connection: str, sku: str) -> str:
    """The lane of one SKU's price."""
    return key(connection, sku)


def inventory_key(connection: str, warehouse: str, sku: str) -> str:
    """The lane of one SKU's stock in one warehouse."""
    return key(connection, warehouse, sku)


def normalised_email(email: str) -> str:
    """Without surrounding space, in one Unicode form and in lower case: one mailbox, one text."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def guest_key(connection: str, email: str) -> str:
    """The customer key of a buyer without an account: a digest, so that it may stand in logs and references.

    Empty when there is no e-mail: then nobody is known. Two stores never share a guest.
    """
    mailbox = normalised_email(email)
    if not mailbox:
        return ""
    return "guest-" + hashlib.sha256(f"{connection}\0{mailbox}".encode()).hexdigest()[:24]
