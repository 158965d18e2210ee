"""Leases that last as long as the wave that holds them.

A wave asks a target several times before it sends anything. Where the target takes its time, that is longer than a
lease; if the lease ended meanwhile, the sweeper would take the lanes anew, make the first wave's work void, ask the
slow target the same again, and be overtaken in turn: nothing would ever be done.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from tallystick.away import AWAY
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.rows import Claim

log = structlog.get_logger(__name__)

#: A wave is many requests, each with an end of its own. One that outlasts so many leases is stuck, and loses its lanes.
LEASES_MAX = 40


@asynccontextmanager
async def kept(ledger: Ledger, claims: Sequence[Claim], lease_s: float) -> AsyncIterator[None]:
    """Begin the leases of these lanes anew in time, as long as the context lasts. What others took stays theirs."""
    keeping = asyncio.create_task(_keep(ledger, claims, lease_s))
    try:
        yield
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


async def _keep(ledger: Ledger, claims: Sequence[Claim], lease_s: float) -> None:
    for _ in range(3 * LEASES_MAX):
        await asyncio.sleep(lease_s / 3)
        try:
            await ledger.renew(claims)
        except AWAY as error:
            log.warning("leases not kept", target=ledger.target, kind=type(error).__name__)
    log.error("a wave is stuck", target=ledger.target, lanes=len(claims))
