"""The real servers, once for the whole run; a database of its own for each test that asks."""

import os
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import settings as hypothesis_settings

from tallystick.stack import Stack, open_stack

hypothesis_settings.register_profile("tallystick", deadline=None, derandomize=True)
hypothesis_settings.load_profile("tallystick")


@pytest_asyncio.fixture(scope="session")
async def stack(request: pytest.FixtureRequest) -> AsyncIterator[Stack]:
    """Real Kafka and real Postgres: by address, in containers, or embedded."""
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")

    def report(line: str) -> None:
        if terminal is not None:
            terminal.write_line(line)

    async with open_stack(
        kafka=os.environ.get("TALLYSTICK_KAFKA"),
        postgres=os.environ.get("TALLYSTICK_POSTGRES"),
        docker=bool(os.environ.get("TALLYSTICK_DOCKER")),
        durable=False,
        report=report,
    ) as running:
        report(running.describe())
        yield running


@pytest_asyncio.fixture
async def database(stack: Stack) -> AsyncIterator[str]:
    """The DSN of an empty database that goes with the test."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    administrator = await asyncpg.connect(stack.postgres)
    await administrator.execute(f'CREATE DATABASE "{name}"')
    try:
        yield stack.postgres.rsplit("/", 1)[0] + f"/{name}"
    finally:
        await administrator.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await administrator.close()


@pytest.fixture
def topic_prefix() -> str:
    """Before the names of topics and groups, so that tests share the broker without meeting."""
    return f"t{uuid.uuid4().hex[:10]}."
