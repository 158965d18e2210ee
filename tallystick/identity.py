"""Connections are bound to the vendor's own identity at first start.

Under another shop, database or company every document would be new; so a connection whose id vanished from the
configuration, or whose id now leads somewhere else, is refused.
"""

from collections.abc import Collection, Mapping

import structlog

from tallystick.errors import SetupError, Unauthorised, Unavailable
from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries
from tallystick.ports import Identified
from tallystick.settings import Connection

log = structlog.get_logger(__name__)
_SQL = queries("connections")


async def bind_identities(
    pool: Pool, connections: Mapping[str, Connection], adapters: Mapping[str, Identified]
) -> None:
    """Check every connection against what it was bound to, and bind new ones. Raises `SetupError`.

    A system that cannot be asked now passes if it is bound already; a new one has to answer once.
    """
    known = await known_connections(pool, connections)
    for connection_id, adapter in adapters.items():
        try:
            identity = await adapter.identity()
        except (Unauthorised, Unavailable) as error:
            if connection_id not in known:
                raise SetupError(
                    f"the connection {connection_id!r} is new and cannot be asked ({error}); "
                    "it has to answer once, so that it is known which shop or company it is"
                ) from error
            log.warning("identity not checked", connection=connection_id)
            continue
        await _bind(pool, connection_id, connections[connection_id].kind, identity)


async def _bind(pool: Pool, connection_id: str, kind: str, identity: str) -> None:
    bound = (await pool.fetch(_SQL["bind"], connection_id, kind, identity))[0]["identity"]
    if bound != identity:
        raise SetupError(
            f"the connection {connection_id!r} was bound to {bound!r} and now leads to {identity!r}: every document "
            "would be made a second time. Give the new system a connection id of its own"
        )


async def known_connections(pool: Pool, connections: Collection[str]) -> set[str]:
    """Those that are bound. Raises `SetupError` for any that the configuration lacks."""
    known = {row["id"] for row in await pool.fetch(_SQL["known"])}
    vanished = sorted(known - set(connections))
    if vanished:
        raise SetupError(
            f"the ledger knows connections that the configuration lacks: {', '.join(vanished)}. An id never changes: "
            "put it back, or let it go for good with `tallystick connections forget ID`"
        )
    return known


async def forget(pool: Pool, connection_id: str) -> bool:
    """Let a connection go; True when it was known."""
    return bool(await pool.fetch(_SQL["forget"], connection_id))
