"""The local servers: really durable, really alone, and really gone afterwards."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tallystick.stack import Stack, StackError, open_stack
from tallystick.stack.kafka import new_cluster_id

_CHILD = """
import asyncio, signal, sys
from tallystick.stack import open_stack

# A shell that runs the tests in the background has its children ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

async def main():
    async with open_stack() as stack:
        print(stack.describe(), flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


async def _config(stack: Stack) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, "1")])
    finally:
        await admin.close()
    return {entry[0]: entry[1] for entry in answer.resources[0][4]}


def _folder() -> Path:
    """Where an unprivileged Postgres may enter even when the tests run as root."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="tallystick-test-"))
    folder.chmod(0o755)
    return folder


async def test_a_durable_folder_keeps_everything_and_says_how_it_was_left() -> None:
    """A lone broker acknowledges from the page cache, so the durable one flushes each message."""
    folder = _folder()
    quiet = lambda _line: None  # noqa: E731
    async with open_stack(data=folder, report=quiet) as stack:
        config = await _config(stack)
        assert config["log.flush.interval.messages"] == "1"
        assert config["offsets.retention.minutes"] == "2147483647"
        assert not stack.unclean
        with pytest.raises(StackError, match="in use by another"):
            async with open_stack(data=folder, report=quiet):
                pass
    (folder / "running").touch()
    async with open_stack(data=folder, report=quiet) as again:
        assert again.unclean


def test_no_cluster_begins_with_a_dash() -> None:
    """One in 64 would, and its folder could never be formatted."""
    assert not [made for made in (new_cluster_id() for _ in range(3000)) if made.startswith("-")]


async def test_a_folder_of_other_major_versions_is_refused_with_the_way_out() -> None:
    folder = _folder()
    (folder / "versions.json").write_text('{"kafka": "4.3.1", "postgres": "0.6"}\n'.replace('"0.6"', '"12.3"'))
    with pytest.raises(StackError, match="tallystick backup"):
        async with open_stack(data=folder, report=lambda _line: None):
            pass


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
async def test_nothing_is_left_running_however_the_parent_ends(how: signal.Signals) -> None:
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", _CHILD, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    assert b"Apache Kafka" in await asyncio.wait_for(child.stdout.readuntil(b"embedded"), 180)
    servers = psutil.Process(child.pid).children(recursive=True)
    assert len(servers) >= 3, "Kafka, Postgres and the guardian"
    os.kill(child.pid, how)
    await child.wait()
    async with asyncio.timeout(60):
        while any(server.is_running() and server.status() != psutil.STATUS_ZOMBIE for server in servers):
            await asyncio.sleep(0.1)
