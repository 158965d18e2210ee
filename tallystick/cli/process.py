"""One process of the product: its roles side by side, with what operators look at over HTTP beside them."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

import structlog

from tallystick.cli.running import until_signalled
from tallystick.cli.screen import known_error
from tallystick.installation import Installation

log = structlog.get_logger(__name__)

#: A role, told when to stop, and whom to tell that it has started.
Role = Callable[[asyncio.Event, Callable[[], None]], Coroutine[Any, Any, None]]


class Readiness:
    """What has not started yet, or stops already."""

    def __init__(self, roles: Sequence[str], stop: asyncio.Event) -> None:
        self._missing = list(roles)
        self._stop = stop

    def started(self, role: str) -> None:
        """This role runs."""
        self._missing.remove(role)

    def __call__(self) -> Sequence[str]:
        return ["stopping"] if self._stop.is_set() else self._missing


async def run_roles(installation: Installation, roles: Mapping[str, Role]) -> None:
    """Run the roles until a signal, then give everything back. The first that fails ends them all."""

    async def together(stop: asyncio.Event) -> None:
        from service.telemetry import telemetry_server

        ready = Readiness(list(roles), stop)
        async with telemetry_server(installation, ready), asyncio.TaskGroup() as tasks:
            for name, role in roles.items():
                tasks.create_task(role(stop, partial(ready.started, name)))

    try:
        await until_signalled(together)
    except Exception as error:
        if known_error(error) is None:
            log.exception("ended by a fault of ours")
        raise
    finally:
        await installation.close()
