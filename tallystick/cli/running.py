"""Run roles until a signal: the first asks for a drain, the second ends at once, and a budget bounds the drain."""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog
import uvloop

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: Below the 30 s that orchestrators grant, and above one request with its margin where it is in flight already.
DRAIN_S = 25.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on uvloop."""
    _rest_the_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def _rest_the_collector() -> None:
    """What was imported stays, and a batch makes thousands of objects but hardly a cycle: look for those less often."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def until_signalled(role: Callable[[asyncio.Event], Awaitable[None]], drain_s: float = DRAIN_S) -> None:
    """Run `role`; SIGTERM or SIGINT sets its `stop`. What does not drain within `drain_s` is left to the sweepers."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, _signalled, stop, number)
    task = asyncio.ensure_future(role(stop))
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        _, running = await asyncio.wait({task}, timeout=drain_s)
        if running:
            log.warning("not drained in time; the rest is taken up by leases", budget_s=drain_s)
            task.cancel()
        await asyncio.gather(task, return_exceptions=bool(running))
    finally:
        stopped.cancel()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _signalled(stop: asyncio.Event, number: signal.Signals) -> None:
    if stop.is_set():
        # Everything that counts is in the ledger already; whatever is in flight is probed by whoever comes next.
        os._exit(128 + number)
    log.info("stopping", signal=number.name)
    stop.set()
