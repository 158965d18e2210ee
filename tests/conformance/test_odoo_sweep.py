"""The sweep for second documents against the Odoo double, both versions: found by the mark, whatever made them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.odoo.adapter import OdooAdapter
from simulators.odoo import Odoo
from tallystick.ports import Window
from tallystick.reconcile.ports import DuplicateSweep, Marked
from tests.unit.adapters.odoo.jobs import company, connected

MARK = "S00042 [tallystick woocommerce/1042 r3.9f3c1a2b7d]"


@pytest.fixture(params=["16.0", "19.0"])
def odoo(request: pytest.FixtureRequest) -> Odoo:
    return company(request.param)


@pytest.fixture
async def adapter(odoo: Odoo) -> AsyncIterator[OdooAdapter]:
    async with connected(odoo) as adapter:
        yield adapter


def sold(odoo: Odoo, origin: str, state: str = "draft") -> str:
    partner = odoo.act("res.partner", "create", {"name": "A buyer"})
    made = odoo.act("sale.order", "create", {"partner_id": partner, "origin": origin})
    if state != "draft":
        odoo.act("sale.order", "write", [made], {"state": state})
    return str(made)


async def swept(adapter: OdooAdapter, back: timedelta = timedelta(hours=1)) -> list[Marked]:
    now = datetime.now(UTC) + timedelta(seconds=2)
    return [one async for page in adapter.marked_documents(Window(now - back, now)) for one in page]


async def test_documents_with_our_mark_are_listed_whoever_made_them(adapter: OdooAdapter, odoo: Odoo) -> None:
    """A person's copy keeps `origin` and has no External ID of ours; other people's orders are none of ours."""
    assert isinstance(adapter, DuplicateSweep)
    first, copy = sold(odoo, MARK), sold(odoo, MARK)
    sold(odoo, "S00007")
    sold(odoo, MARK, state="cancel")
    found = await swept(adapter)
    assert [(one.entity_type, one.ref, one.external_id) for one in found] == [
        ("order", "woocommerce/1042", first),
        ("order", "woocommerce/1042", copy),
    ]
    assert all(one.number for one in found)


async def test_more_documents_than_a_page_holds_are_all_listed(
    adapter: OdooAdapter, odoo: Odoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.odoo.sweep.PER_PAGE", 2)
    made = [sold(odoo, MARK) for _ in range(5)]
    assert [one.external_id for one in await swept(adapter)] == made


async def test_only_what_was_made_in_the_window_is_listed(adapter: OdooAdapter, odoo: Odoo) -> None:
    sold(odoo, MARK)
    long_ago = datetime.now(UTC) - timedelta(days=2)
    window = Window(long_ago - timedelta(hours=1), long_ago)
    assert [one async for page in adapter.marked_documents(window) for one in page] == []
