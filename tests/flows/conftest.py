"""One company for all flows: each test has orders of its own."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from tallystick.stack import Stack
from tests.flows.company import Company, Options, open_company

_CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"


@pytest_asyncio.fixture(scope="package")
async def company(stack: Stack) -> AsyncIterator[Company]:
    """Two shops, the product, and an Odoo."""
    async with new_company(stack) as company:
        yield company


@pytest_asyncio.fixture(scope="package")
async def locking(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Company]:
    """As `company`, by contracts that book beside a locked document what an edit changed."""
    folder = tmp_path_factory.mktemp("contracts")
    for example in _CONTRACTS.glob("*-odoo.yaml"):
        text = example.read_text()
        assert "when_locked: hold" in text
        (folder / example.name).write_text(text.replace("when_locked: hold", "when_locked: delta"))
    async with new_company(stack, Options(contracts=folder)) as opened:
        yield opened


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
