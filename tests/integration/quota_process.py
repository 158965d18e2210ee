"""A replica that asks one system as fast as its part of the quota lets it: `python -m … DSN URL NAME`."""

import asyncio
import signal
import sys

from adapters.http import HttpDoor
from consumers.shares import Shares
from tallystick.clock import SystemClock
from tallystick.ledger.pool import open_pool
from tallystick.ledger.quota import Quota
from tallystick.pacing import Pacer
from tallystick.telemetry import Metrics

RATE_PER_S, BURST = 40.0, 4.0
EVERY_S = 0.4


async def main(dsn: str, url: str, name: str) -> None:
    """Until SIGTERM, or the end by force."""
    clock, pool = SystemClock(), await open_pool(dsn)
    pacer = Pacer(clock, rate_per_s=RATE_PER_S, burst=BURST, parallel=4)
    door = HttpDoor(url, pacer=pacer, clock=clock, private_network=True)
    shares = Shares(Quota(pool, name), {"erp": pacer}, clock, Metrics(), every_s=EVERY_S)
    await shares.turn()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    asking = [asyncio.create_task(_ask(door, name)) for _ in range(4)]
    await shares.run(stop)
    for task in asking:
        task.cancel()
    await door.close()
    await pool.close()


async def _ask(door: HttpDoor, name: str) -> None:
    while True:
        await door.read("GET", name)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
