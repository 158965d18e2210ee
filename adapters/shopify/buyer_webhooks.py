"""Deliveries about customers and companies, and those that the law wants answered.

The bodies of company topics are known from the vendor's reference only, so they are taken as hints: of them no more is
read than which company it is.
"""

from collections.abc import Mapping

from adapters.shopify.buyers import company_key, customer_from_rest
from adapters.shopify.fields import Json, identifier, part
from tallystick.errors import TallystickError
from tallystick.ports import NeedsRead, NotOurs, Reading
from tallystick.v1 import event_pb2

_ID, _GID = "id", "admin_graphql_api_id"
Paths = tuple[tuple[str, ...], ...]
#: Topics about a customer, and where their body names it: of two that were merged the one that is kept.
CUSTOMER_TOPICS: Mapping[str, Paths] = {
    **dict.fromkeys(("customers/create", "customers/update", "customers/delete"), ((_ID,),)),
    "customers/merge": (("admin_graphql_api_id_customer_kept",),),
}
_OWN: Paths = ((_GID,), (_ID,))
_PARENT: Paths = (("company", _GID), ("company", _ID), ("company_id",))
#: Topics about a company or a part of it.
COMPANY_TOPICS: Mapping[str, Paths] = {
    **{f"companies/{event}": _OWN for event in ("create", "update", "delete")},
    **{f"company_locations/{event}": _PARENT for event in ("create", "update", "delete")},
    **{f"company_contacts/{event}": _PARENT for event in ("create", "update", "delete")},
}
#: Mandatory for apps of the app store: somebody asks what is stored about a customer, or that it is deleted.
PRIVACY_TOPICS = frozenset({"customers/data_request", "customers/redact", "shop/redact"})


#: What a body has to show to be the whole customer; a subscription may leave fields out.
_SHOWN = frozenset({"updated_at", "first_name", "last_name", "email", "phone", "default_address"})


def key_in(topic: str, body: object) -> str:
    """The canonical key of whom a delivery is about; empty when none can be read."""
    for paths, named in ((CUSTOMER_TOPICS, str), (COMPANY_TOPICS, company_key)):
        for path in paths.get(topic, ()):
            if number := _at(body, path):
                return named(number)
    return ""


def reading(connection: str, topic: str, body: Json) -> Reading | NeedsRead | NotOurs:
    """What a delivery of one of these topics says."""
    if topic in PRIVACY_TOPICS:
        words = f"{topic}: a person has to answer this request in the systems that hold the data"
        return NotOurs(words, tell=True)
    key = key_in(topic, body)
    if not key:
        return NotOurs(f"a delivery of {topic} names no customer and no company; polling finds what changed")
    if topic in ("customers/create", "customers/update") and body.keys() >= _SHOWN:
        try:
            return customer_from_rest(connection, body)
        except TallystickError as error:
            return NeedsRead(event_pb2.ENTITY_TYPE_CUSTOMER, key, str(error))
    return NeedsRead(event_pb2.ENTITY_TYPE_CUSTOMER, key, f"{topic} does not show all of it")


def _at(body: object, path: tuple[str, ...]) -> str:
    for name in path[:-1]:
        body = part(body).get(name)
    value = part(body).get(path[-1])
    return identifier(value) if isinstance(value, int | str) else ""
