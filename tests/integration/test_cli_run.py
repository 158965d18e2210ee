"""`tallystick run` as a process: it starts its own servers, drains at SIGTERM, and nothing of it outlives a kill."""

import asyncio
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from tallystick.cli.state import running_in
from tallystick.stack import Stack
from tests.integration.product_help import Product, product, stands, until

DRAIN_S = 60.0


def _folder() -> Path:
    """Where an unprivileged Postgres may enter even when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-test-"))
    folder.chmod(0o755)
    return folder


@asynccontextmanager
async def _run(sold: Product, data: Path) -> AsyncIterator[Process]:
    """The process, once its API listens; killed at the end if it still runs."""
    env = {name: value for name, value in sold.env.items() if name not in ("TALLYSTICK_KAFKA", "TALLYSTICK_POSTGRES")}
    command = (sys.executable, "-m", "tallystick.cli", "run", "--config", str(sold.config), "--data", str(data))
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=PIPE)
    try:
        await until(lambda: running_in(data) is not None or process.returncode is not None, within_s=180)
        assert process.returncode is None, "it ended at its start"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _descendants(process: Process) -> list[psutil.Process]:
    found = psutil.Process(process.pid).children(recursive=True)
    assert len(found) >= 3, "Kafka, Postgres and the guardian"
    return found


async def _gone(processes: list[psutil.Process]) -> None:
    await until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes))


async def test_it_brings_its_servers_keeps_everything_and_leaves_nothing_behind(
    stack: Stack, database: str, tmp_path: Path, topic_prefix: str
) -> None:
    data = _folder()
    async with product(stack, database, tmp_path, topic_prefix) as sold:
        first = sold.sell()
        async with _run(sold, data) as process:
            assert process.stdout is not None
            assert b"Apache Kafka" in await process.stdout.readline()
            await until(lambda: bool(sold.booked(str(first.id))))
            shown = await sold.run("orders", "show", str(first.id), "--data", str(data))
            assert shown.code == 0, shown.err
            assert (await sold.run("run", "--config", str(sold.config), "--data", str(data))).code == 2
            servers = _descendants(process)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), DRAIN_S) == 0
            await _gone(servers)
        assert running_in(data) is None

        second = sold.sell()
        async with _run(sold, data) as process:
            state = running_in(data)
            assert state is not None
            assert await stands(state.grpc, first.id, "SYNCED"), "what was known is known"
            await until(lambda: bool(sold.booked(str(second.id))))
            servers = _descendants(process)
            process.kill()
            await process.wait()
            await _gone(servers)
    assert [len(sold.booked(str(order.id))) for order in (first, second)] == [1, 1]
