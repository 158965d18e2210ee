"""One company for all flows: each test has orders of its own."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest_asyncio

from tallystick.stack import Stack
from tests.flows.company import Company, Options, open_company


@pytest_asyncio.fixture(scope="package")
async def company(stack: Stack) -> AsyncIterator[Company]:
    """Two shops, the product, and an Odoo."""
    async with new_company(stack) as company:
        yield company


@asynccontextmanager
async def new_company(stack: Stack, options: Options | None = None) -> AsyncIterator[Company]:
    """A company with a database and topics of its own."""
    name = f"flows_{uuid.uuid4().hex[:16]}"
    administrator = await asyncpg.connect(stack.postgres)
    await administrator.execute(f'CREATE DATABASE "{name}"')
    try:
        async with open_company(stack, stack.postgres.rsplit("/", 1)[0] + f"/{name}", f"{name}.", options) as company:
            yield company
    finally:
        await administrator.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await administrator.close()
