"""The two calls that no carrier of stock can do without: the ERP is asked for a figure, and the shop is told it."""

import sys
import time
import uuid
from decimal import Decimal

import uvloop

from adapters.http import HttpDoor
from adapters.odoo.adapter import OdooAdapter
from adapters.shopify.client import ShopifyClient
from adapters.shopify.levels import SET_QUANTITIES
from adapters.shopify.settings import ShopifySettings
from bench.children import questions, say
from bench.stock_installation import installation
from tallystick.clock import Budget, SystemClock


async def main(shop: str, odoo: str, client_id: str, secret: str) -> None:
    """Each question names a change; the answer tells the milliseconds from asking to the shop's reply."""
    clock = SystemClock()
    ours = installation("", "", "", shop, odoo, client_id, secret)
    erp = ours.adapters["odoo"]
    assert isinstance(erp, OdooAdapter)
    settings = ShopifySettings.model_validate(ours.settings.connections["shopify"].options)
    door = HttpDoor(settings.address, pacer=settings.pace.pacer(clock), clock=clock, private_network=True)
    client = ShopifyClient(settings, door, clock)
    say()
    async for change in questions():
        began_s = time.perf_counter()
        [level] = [one.level for one in await erp.read_stock([str(change["sku"])]) if one.level is not None][:1]
        entry = {
            "inventoryItemId": change["item"],
            "locationId": change["location"],
            "quantity": int(Decimal(level.available)),
            "changeFromQuantity": change["shown"],
        }
        given = {"name": "available", "reason": "correction", "quantities": [entry]}
        budget = Budget(clock, clock.monotonic_s() + 30)
        told = await client.change(SET_QUANTITIES, {"input": given, "key": uuid.uuid4().hex}, budget)
        assert isinstance(told, dict), told
        say(ms=(time.perf_counter() - began_s) * 1000)
    await door.close()
    await ours.close()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
