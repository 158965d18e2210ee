"""Arenas: one of its own for a test that kills, and a shared one whose three workers live through a whole module."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from tallystick.stack import Stack
from tests.crash.arena import REFUSED, Arena, open_arena


@pytest.fixture
async def arena(stack: Stack, database: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Arena]:
    """All kinds of targets, no worker yet."""
    async with open_arena(request.node.name, stack, database, tmp_path) as opened:
        yield opened


@pytest.fixture
async def told_arena(
    stack: Stack, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Arena]:
    """One target for orders with their refunds, and the store itself for shipments."""
    async with open_arena(request.node.name, stack, database, tmp_path, (REFUSED,), told=True) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module")
async def crowd(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Arena]:
    """All kinds of targets and three workers that nobody kills; each test takes orders of its own."""
    name = request.node.name.rpartition("/")[2].removesuffix(".py")
    async with new_database(stack) as dsn, open_arena(name, stack, dsn, tmp_path_factory.mktemp(name)) as opened:
        for _ in range(3):
            opened.workers.start()
        yield opened


@asynccontextmanager
async def new_database(stack: Stack) -> AsyncIterator[str]:
    """As the fixture `database`, for a longer life; the server may be restarted meanwhile."""
    name = f"crash_{uuid.uuid4().hex[:16]}"
    await _administer(stack, f'CREATE DATABASE "{name}"')
    try:
        yield stack.postgres.rsplit("/", 1)[0] + f"/{name}"
    finally:
        await _administer(stack, f'DROP DATABASE "{name}" WITH (FORCE)')


async def _administer(stack: Stack, statement: str) -> None:
    administrator = await asyncpg.connect(stack.postgres)
    try:
        await administrator.execute(statement)
    finally:
        await administrator.close()
