"""An Odoo of each version with the company of the example contracts."""

import pytest

from simulators.odoo import Odoo, OdooSettings, demo_company

from .orders import BUYER, MODULE, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["16.0", "19.0"])
def odoo(request: pytest.FixtureRequest, clock: Clock) -> Odoo:
    return company(request.param, clock)


@pytest.fixture
def odoo_16(clock: Clock) -> Odoo:
    return company("16.0", clock)


@pytest.fixture
def odoo_19(clock: Clock) -> Odoo:
    return company("19.0", clock)


def company(version: str, clock: Clock) -> Odoo:
    """With two products and one buyer."""
    odoo = Odoo(OdooSettings(version=version), now=clock)
    demo_company(odoo)
    odoo.add_product("MUG", "Mug", "12.90")
    odoo.add_product("DESK", "Desk", "349.00")
    odoo.add("res.partner", f"{MODULE}.{BUYER}", {"name": "Anna Example", "email": "anna@mail.example"})
    odoo.journal.entries.clear()
    return odoo
