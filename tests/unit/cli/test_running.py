"""Signals: the first asks for a drain, a budget bounds it, the second ends at once."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from tallystick.cli.running import until_signalled

_STUBBORN = """
import asyncio
from tallystick.cli.running import run, until_signalled
from tallystick.telemetry import set_up_logging

set_up_logging(as_json=True, level="error")

async def role(stop):
    print("running", flush=True)
    await stop.wait()
    print("draining", flush=True)
    await asyncio.sleep(600)

run(until_signalled(role))
"""


async def test_a_signal_asks_for_a_drain() -> None:
    drained = asyncio.Event()

    async def role(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        drained.set()

    await until_signalled(role)
    assert drained.is_set()


async def test_what_does_not_drain_in_its_budget_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def role(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    await asyncio.wait_for(until_signalled(role, drain_s=0.05), 30)
    assert cancelled.is_set()


async def test_a_role_that_ends_by_itself_tells_why() -> None:
    async def role(_stop: asyncio.Event) -> None:
        raise LookupError("nothing to do")

    with pytest.raises(LookupError, match="nothing to do"):
        await until_signalled(role)


def test_a_second_signal_ends_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", _STUBBORN], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "draining\n"
        began_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    assert time.monotonic() - began_s < 20, "far below the 25 s of the budget"
