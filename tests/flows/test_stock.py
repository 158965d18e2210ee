"""Stock on its way from Odoo to both shops: pushed, looked up, decided, set; on real Kafka and Postgres."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest_asyncio

from simulators.woocommerce import Item
from tallystick.secrets import Secret
from tallystick.stack import Stack
from tallystick.stock import hook
from tests.flows.company import ODOO, SHOPIFY, WOO, Company, Options
from tests.flows.conftest import new_company

_SECRET, _TOKEN = "hook-secret", "hook-token"
_HOOK = {"stock_hook": {"secrets": [Secret.of(_SECRET)], "tokens": [Secret.of(_TOKEN)]}}


@pytest_asyncio.fixture(scope="module")
async def company(stack: Stack) -> AsyncIterator[Company]:
    """Nothing is polled but at the start."""
    async with new_company(stack, Options(flows={"stock": "live"}, odoo=_HOOK)) as company:
        for sku in ("MUG", "BOOK"):
            company.woo.storeroom.count(sku, 0)
            company.shop.stockroom.add(sku, 0)
            company.odoo.set_stock(sku, "WH", 0)
        yield company


async def push(company: Company, body: dict[str, Any], *, secret: str = "", token: str = "") -> int:
    raw = json.dumps(body).encode()
    signature = hook.sign(secret, b"msg_1.1795413600." + raw).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1795413600", "webhook-signature": f"v1,{signature}"}
    address = f"http://{company.edge}/webhooks/{ODOO}" + (f"?token={token}" if token else "")
    async with (
        aiohttp.ClientSession() as client,
        client.post(address, data=raw, headers=headers if secret else {}) as answer,
    ):
        return answer.status


async def shown(company: Company, sku: str, quantity: int) -> None:
    """Until both shops show it."""

    async def both() -> bool:
        return company.woo.storeroom.available(sku) == quantity == company.shop.stockroom.available(sku)

    await company.until(both)


async def test_what_the_erp_tells_is_read_and_shown_in_both_shops(company: Company) -> None:
    """FC-093: the figure is that of the moment of the read, whatever the message says."""
    company.odoo.set_stock("MUG", "WH", 50)
    assert await push(company, {"skus": ["MUG", "NOBODY"], "quantity": 9}, secret=_SECRET) == 200
    await shown(company, "MUG", 50)


async def test_a_rule_of_odoo_tells_by_a_token_where_to_look(company: Company) -> None:
    """Unsigned, several of one change, and of other things too."""
    company.odoo.set_stock("BOOK", "WH", 20)
    quants = company.odoo.db.models["stock.quant"].table.rows
    places = [row["id"] for row in quants.values() if company.odoo.stock("BOOK").on_hand == row["quantity"]]
    for record in places * 3:
        body = {"_action": "Stock moved(#461)", "_id": record, "_model": "stock.quant", "id": record}
        assert await push(company, body, token=_TOKEN) == 200
    assert await push(company, {"_id": 1, "_model": "res.partner", "id": 1}, token=_TOKEN) == 200
    await shown(company, "BOOK", 20)


async def test_who_neither_signs_nor_knows_the_token_is_not_heard(company: Company) -> None:
    body = {"skus": ["MUG"]}
    answers = [await push(company, body, **given) for given in ({}, {"secret": "a guess"}, {"token": "a guess"})]
    assert answers == [401, 401, 401]


async def test_a_sale_in_one_shop_lowers_the_other(company: Company) -> None:
    """Booked in Odoo, whose own figure falls, and told to nobody: both shops show what is left."""
    company.odoo.set_stock("MUG", "WH", 30)
    await push(company, {"skus": ["MUG"]}, secret=_SECRET)
    await shown(company, "MUG", 30)
    order = company.woo.place_order([Item("MUG", 4)])
    await company.deliver()
    await company.document(WOO, order.id)
    await shown(company, "MUG", 26)
    assert company.odoo.stock("MUG").available == 26
    assert SHOPIFY in company.installation.stores
