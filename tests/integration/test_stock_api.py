"""What the API tells of shelves: published, the ERP's figure, reserved, buffer and age; by filter and by pages."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from service.errors import ApiError
from service.stock import StockShelves
from tallystick.contract.stock import Reserved
from tallystick.contract.stock_rules import Stock
from tallystick.ledger.migrate import migrate
from tallystick.ledger.pool import Pool, open_pool
from tallystick.ledger.shelves import Seen, ShelfTable
from tallystick.ledger.stock import Goods, Level, Stocks
from tallystick.ledger.views import Views
from tallystick.settings import Route
from tallystick.v1 import stock_pb2 as pb

#: The call asks nothing of its context.
NOBODY: Any = None
RULES = Stock.model_validate(
    {
        "locations": [{"location": "main", "warehouses": [{"warehouse": "WH", "share": 50}]}],
        "reserve_from": {"otherwise": "WH"},
        "buffer": {"every": 1},
    }
)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    await migrate(database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


@pytest.fixture
async def api(pool: Pool) -> StockShelves:
    route = Route.model_validate(
        {"store": "shop", "erp": "erp", "contract": "c.yaml", "since": "2026-01-01T00:00:00Z", "flows": {}}
    )
    installation: Any = SimpleNamespace(contracts={route: SimpleNamespace(stock=RULES)})
    levels = [Level("erp", sku, "WH", Decimal(12), Decimal(13), 1, datetime.now(UTC)) for sku in ("CUP", "MUG")]
    goods = Goods("erp", "shop/1", 1, (Reserved("l1", "MUG", "WH", Decimal(2)),))
    await Stocks(pool, {"erp": ["shop"]}).record(levels, [goods])
    table = ShelfTable(pool)
    seen = [
        Seen(("main", "CUP"), 7),
        Seen(("main", "JAM"), None, "two variants bear it", True),
        Seen(("main", "MUG"), 4),
    ]
    await table.looked("shop", "erp", seen)
    await table.decide("shop", {("main", "MUG"): 4})
    return StockShelves(installation, Views(pool, (route,)), pool)


async def test_a_shelf_with_all_that_it_is_made_of(api: StockShelves) -> None:
    (mug,) = (await api.ListStock(pb.ListStockRequest(sku="MUG"), NOBODY)).shelves
    (figure,) = mug.figures
    # Half of what is free, less one that is kept back.
    assert (mug.published, mug.sellable, mug.buffer, mug.location) == (4, 4, 1, "main")
    assert (figure.available, figure.on_hand, figure.reserved, figure.share) == ("12", "13", "2", "50")
    assert mug.HasField("decided_at")
    assert figure.HasField("read_at")


async def test_what_nobody_can_set_says_why(api: StockShelves) -> None:
    (jam,) = (await api.ListStock(pb.ListStockRequest(sku="JAM"), NOBODY)).shelves
    assert (jam.HasField("published"), jam.HasField("sellable"), jam.wrong) == (False, False, True)
    assert (jam.why, list(jam.figures)) == ("two variants bear it", [])


async def test_pages_hold_everything_once(api: StockShelves) -> None:
    found, request = [], pb.ListStockRequest(page_size=2, connection="shop")
    while True:
        answer = await api.ListStock(request, NOBODY)
        found += [one.sku for one in answer.shelves]
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            break
    assert found == ["CUP", "JAM", "MUG"]
    with pytest.raises(ApiError):
        await api.ListStock(pb.ListStockRequest(connection="nobody"), NOBODY)
