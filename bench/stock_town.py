"""Both ends of a stock change: doubles of an Odoo and of a Shopify shop, which see it made and see it shown."""

import asyncio
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack

import aiohttp
import orjson
import uvloop

from bench.children import questions, say
from bench.stock_installation import HOOK_SECRET, SKUS, sku_of
from simulators import shopify
from simulators.odoo import Odoo, OdooSettings, demo_company
from simulators.odoo import application as odoo_application
from simulators.serving import serve
from tallystick.stock import hook

#: Of each product on both sides before the first change; all changes are falls.
START = 1_000_000
#: SKUs in one message of the ERP.
PUSHED = 100
_AGAIN_S = 0.001
_PATIENCE_S = 600.0


class Town:
    """One warehouse, one shop, and an ERP that tells the given edge what changed."""

    def __init__(self) -> None:
        self.shop = shopify.Shop("example", currency="THB")
        # The points of the largest plan: what is measured here is not the waiting for them.
        self.shop.bucket.maximum = self.shop.bucket.restore_per_s = 40_000.0
        self.odoo = Odoo(OdooSettings(version="19.0"))
        demo_company(self.odoo)
        for number in range(SKUS):
            self.odoo.add_product(sku_of(number), sku_of(number))
            self.odoo.set_stock(sku_of(number), "WH", START)
            self.shop.stockroom.add(sku_of(number), START)
        self.left = [START] * SKUS

    def fall(self, number: int) -> str:
        """One piece less in the warehouse."""
        self.left[number] -= 1
        self.odoo.set_stock(sku_of(number), "WH", self.left[number])
        return sku_of(number)

    def shows(self, number: int) -> bool:
        """Whether buyers see what is left."""
        return self.shop.stockroom.available(sku_of(number)) == self.left[number]

    async def one(self, client: aiohttp.ClientSession, edge: str, number: int) -> float:
        """Milliseconds from a change in the ERP until the shop shows it."""
        began_s = time.perf_counter()
        await push(client, edge, [self.fall(number)])
        await self._until(number)
        return (time.perf_counter() - began_s) * 1000

    async def many(self, client: aiohttp.ClientSession, edge: str, changes: int) -> Counter[str]:
        """That many changes as fast as they can be told; the calls of the shop until it shows all of them, by name."""
        before = len(self.shop.journal.entries)
        for start in range(0, changes, PUSHED):
            numbers = [(start * 7919 + step) % SKUS for step in range(PUSHED)]
            await push(client, edge, [self.fall(number) for number in numbers])
        for number in range(SKUS):
            await self._until(number)
        return Counter(entry.key for entry in self.shop.journal.entries[before:] if entry.what == "read")

    async def _until(self, number: int) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                if self.shows(number):
                    return
                await asyncio.sleep(_AGAIN_S)

    def told(self, number: int) -> dict[str, object]:
        """What a loop needs to know that carries this change itself."""
        variant = next(one for one in self.shop.stockroom.variants if one.sku == sku_of(number))
        [location] = variant.levels
        return {
            "sku": variant.sku,
            "item": f"gid://shopify/InventoryItem/{variant.item_id}",
            "location": f"gid://shopify/Location/{location}",
            "shown": self.left[number] + 1,
        }


async def push(client: aiohttp.ClientSession, edge: str, skus: list[str]) -> None:
    """As an ERP that signs."""
    raw = orjson.dumps({"skus": skus})
    signature = hook.sign(HOOK_SECRET, b"msg_1.1795413600." + raw).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1795413600", "webhook-signature": f"v1,{signature}"}
    async with client.post(f"http://{edge}/webhooks/odoo", data=raw, headers=headers) as answer:
        answer.raise_for_status()


async def main() -> None:
    """Questions: `{"fall": n}`, `{"one": n, "edge": …}`, `{"many": changes, "edge": …}`."""
    town = Town()
    async with AsyncExitStack() as exits:
        shop = await exits.enter_async_context(serve(shopify.application(town.shop)))
        odoo = await exits.enter_async_context(serve(odoo_application(town.odoo)))
        client = await exits.enter_async_context(aiohttp.ClientSession())
        say(shop=shop, odoo=odoo, client_id=town.shop.client_id, secret=town.shop.secret)
        async for question in questions():
            edge = str(question.get("edge"))
            if "fall" in question:
                number = int(str(question["fall"]))
                town.fall(number)
                say(**town.told(number))
            elif "one" in question:
                say(ms=await town.one(client, edge, int(str(question["one"]))))
            else:
                say(calls=dict(await town.many(client, edge, int(str(question["many"])))))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
