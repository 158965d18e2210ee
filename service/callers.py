"""Who calls: the name for audits, and the one that limits count by."""

from typing import Any, TypeAlias

import grpc

ACTOR_KEY = "tallystick-actor"
_ACTOR_MAX = 100

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


def actor(context: Context) -> str:
    """The name that the caller gives itself in the metadata, else the address it calls from."""
    for name, value in context.invocation_metadata() or ():
        if name == ACTOR_KEY:
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
            said = "".join(c for c in text if c.isprintable()).strip()[:_ACTOR_MAX]
            if said:
                return said
    return host(context)


def host(context: Context) -> str:
    """The address without its port: one machine is one caller, however many connections it opens."""
    kind, _, rest = context.peer().partition(":")
    return f"{kind}:{rest.rpartition(':')[0]}" if kind in ("ipv4", "ipv6") else context.peer()
