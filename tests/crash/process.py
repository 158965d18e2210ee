"""One worker process of the crash tests: what the product runs for each target, with the plain ERP among the kinds.

It is forked from a server that has imported everything, so that a worker is there at once; from then on it is a
process like any other, with its own loop, connections and end.
"""

import asyncio
import contextlib
import importlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from consumers.target import Target
from tallystick import crashpoints
from tallystick.installation import Addresses, assemble
from tallystick.kafka.consumer import Times
from tallystick.settings import load_settings
from tallystick.start import ground
from tallystick.telemetry import set_up_logging
from tests.doubles import plain_adapter, quiet_store

KINDS = (plain_adapter.KIND, plain_adapter.TOLD, quiet_store.KIND)
#: A dead member is thrown out as soon as the broker's defaults allow.
TIMES = Times(session_s=6.0, rebalance_s=6.0, heartbeat_s=0.5)


def main(config: Path, environment: Mapping[str, str], log: Path) -> None:
    """The whole life of the process, until SIGTERM or the end of the server it was forked from."""
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.update(environment)
    # It has read the environment of the server.
    importlib.reload(crashpoints)
    set_up_logging(as_json=True)
    asyncio.run(_run(config))


async def _run(config: Path) -> None:
    addresses = Addresses(os.environ["TALLYSTICK_KAFKA"], os.environ["TALLYSTICK_POSTGRES"])
    installation = assemble(load_settings(config), KINDS, addresses)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    orphaned = asyncio.create_task(_end_with(os.getppid()))
    try:
        async with ground(installation) as base, asyncio.TaskGroup() as tasks:
            for name in installation.targets:
                target = Target(installation, base.pool, base.producer, name, reread=None, times=TIMES)
                tasks.create_task(target.run(stop))
    finally:
        orphaned.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await orphaned
        await installation.close()


async def _end_with(parent: int) -> None:
    """A test run that was killed leaves no worker behind."""
    while os.getppid() == parent:
        await asyncio.sleep(1.0)
    os._exit(1)
