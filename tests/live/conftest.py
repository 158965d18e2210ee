"""Real systems by address; what has none is skipped with the reason."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.odoo import OdooAdapter
from tests.unit.adapters.odoo.jobs import CLOCK

from .odoo_company import OdooCompany


def from_environment(what: str, *names: str) -> list[str]:
    """The values of these variables; without one of them the test is skipped."""
    values = [os.environ.get(name, "") for name in names]
    if not all(values):
        pytest.skip(f"no real {what}: set {' and '.join(names)} (see the head of the suite)")
    return values


@pytest_asyncio.fixture(scope="session")
async def company() -> OdooCompany:
    """The Odoo company, seeded."""
    address, key = from_environment("Odoo", "TALLYSTICK_LIVE_ODOO", "TALLYSTICK_LIVE_ODOO_KEY")
    return await OdooCompany(address, key).open()


@pytest.fixture
async def adapter(company: OdooCompany) -> AsyncIterator[OdooAdapter]:
    """A connection to it."""
    adapter = OdooAdapter("live", company.settings(), CLOCK)
    yield adapter
    await adapter.close()
