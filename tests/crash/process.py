"""One worker process of the crash tests: a part of what the product runs, with the plain ERP among the kinds.

It is forked from a server that has imported everything, so that a worker is there at once; from then on it is a
process like any other, with its own loop, connections and end.
"""

import asyncio
import contextlib
import importlib
import os
import signal
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from pathlib import Path

import adapters
from consumers.target import Target
from tallystick import crashpoints
from tallystick.installation import Addresses, Installation, assemble
from tallystick.kafka.consumer import Times
from tallystick.settings import load_settings
from tallystick.start import Ground, ground
from tallystick.telemetry import set_up_logging
from tests.crash import stock_roles
from tests.doubles import plain_adapter, quiet_store

KINDS = (*adapters.KINDS, plain_adapter.KIND, plain_adapter.TOLD, quiet_store.KIND)
#: A dead member is thrown out as soon as the broker's defaults allow.
TIMES = Times(session_s=6.0, rebalance_s=6.0, heartbeat_s=0.5)
Loop = Callable[[asyncio.Event], Coroutine[None, None, None]]


def main(config: Path, environment: Mapping[str, str], log: Path, role: str) -> None:
    """The whole life of the process, until SIGTERM or the end of the server it was forked from."""
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.update(environment)
    # It has read the environment of the server.
    importlib.reload(crashpoints)
    set_up_logging(as_json=True)
    asyncio.run(_run(config, ROLES[role]))


async def _run(config: Path, role: Callable[[Installation, Ground], Iterable[Loop]]) -> None:
    addresses = Addresses(os.environ["TALLYSTICK_KAFKA"], os.environ["TALLYSTICK_POSTGRES"])
    installation = assemble(load_settings(config), KINDS, addresses)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    orphaned = asyncio.create_task(_end_with(os.getppid()))
    try:
        async with ground(installation) as base, asyncio.TaskGroup() as tasks:
            for loop in role(installation, base):
                tasks.create_task(loop(stop))
    finally:
        orphaned.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await orphaned
        await installation.close()


def _targets(installation: Installation, base: Ground) -> Iterator[Loop]:
    """Worker and sweeper of each target."""
    for name in installation.targets:
        yield Target(installation, base.pool, base.producer, name, reread=None, times=TIMES).run


ROLES = {"targets": _targets, "desks": stock_roles.desks, "books": stock_roles.books, "reads": stock_roles.reads}


async def _end_with(parent: int) -> None:
    """A test run that was killed leaves no worker behind."""
    while os.getppid() == parent:
        await asyncio.sleep(1.0)
    os._exit(1)
