"""What an Odoo pushes, as its double and its automation rules have it, and the SKUs that it stands for."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.odoo import OdooAdapter
from simulators.odoo import Odoo
from tallystick.errors import Unauthorised, Unreadable
from tallystick.secrets import Secret
from tallystick.stock.hook import TOKEN
from tallystick.stock.ports import PushesStock, StockHook
from tests.unit.adapters.odoo import jobs
from tests.unit.adapters.odoo.jobs import company, connected, deliver, document, job

_SETTINGS: dict[str, Any] = {"stock_hook": {"tokens": [Secret.of("t0ken")]}}
ORDER = "__tallystick__.order__odoo__woocommerce__1042"


@pytest.fixture(params=["16.0", "19.0"])
def odoo(request: pytest.FixtureRequest) -> Odoo:
    return company(request.param)


@pytest.fixture
async def adapter(odoo: Odoo) -> AsyncIterator[OdooAdapter]:
    async with connected(odoo, **_SETTINGS) as adapter:
        yield adapter


def hook_of(adapter: OdooAdapter) -> StockHook:
    assert isinstance(adapter, PushesStock)
    assert adapter.stock_hook is not None
    return adapter.stock_hook


def moved(model: str, record: Any) -> bytes:
    """As a rule of Odoo 19 posts it (measured), with a chosen field."""
    return json.dumps(
        {"_action": "Moved(#461)", "_id": record, "_model": model, "id": record, "state": "done"}
    ).encode()


async def skus(adapter: OdooAdapter, *bodies: bytes) -> list[str]:
    told = {word for body in bodies for word in hook_of(adapter).told({}, body)}
    return sorted(await hook_of(adapter).skus_of(told))


def test_nobody_is_listened_to_unless_a_secret_is_set(odoo: Odoo) -> None:
    adapter = OdooAdapter("odoo", jobs.settings("http://127.0.0.1:9", odoo), jobs.CLOCK)
    assert adapter.stock_hook is None


async def test_the_token_lets_in(adapter: OdooAdapter) -> None:
    assert hook_of(adapter).verify({TOKEN: "t0ken"}, b"{}")
    assert not hook_of(adapter).verify({}, b"{}")


async def test_skus_are_taken_as_they_are(adapter: OdooAdapter) -> None:
    assert await skus(adapter, b'{"skus": ["MUG", "A:B"]}') == ["A:B", "MUG"]


async def test_records_of_a_rule_stand_for_products(adapter: OdooAdapter, odoo: Odoo) -> None:
    """A quant, a move, a transfer with all its moves, the product itself; several of one change are one."""
    odoo.set_stock("MUG", "WH", 9)
    await deliver(adapter, job(document()))
    picking = odoo.ship(ORDER)
    (quant,) = odoo.db.models["stock.quant"].table.rows
    first, *_ = odoo.db.models["stock.move"].table.rows
    desk = next(iter(odoo.db.models["product.product"].table.matching("default_code", "DESK")))
    assert await skus(adapter, *[moved("stock.quant", quant)] * 6) == ["MUG"]
    assert await skus(adapter, moved("stock.move", first)) == ["MUG"]
    assert await skus(adapter, moved("stock.picking", picking)) == ["DESK", "MUG"]
    assert await skus(adapter, moved("product.product", desk), moved("stock.quant", quant)) == ["DESK", "MUG"]


async def test_what_is_gone_or_of_no_interest_stands_for_nothing(adapter: OdooAdapter) -> None:
    assert await skus(adapter, moved("stock.quant", 99_999), moved("res.partner", 1)) == []


@pytest.mark.parametrize("record", [None, "21", True, -1, 2**40])
async def test_a_body_that_names_no_record(adapter: OdooAdapter, record: Any) -> None:
    with pytest.raises(Unreadable):
        hook_of(adapter).told({}, moved("stock.quant", record))


async def test_an_odoo_that_refuses_says_so(adapter: OdooAdapter, odoo: Odoo) -> None:
    odoo.settings = replace(odoo.settings, key="changed")
    with pytest.raises(Unauthorised):
        await hook_of(adapter).skus_of(["stock.quant:1"])
