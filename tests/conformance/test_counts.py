"""How many orders a walk will find, as the stores tell it beforehand."""

from datetime import timedelta

from simulators.shopify import Cart
from simulators.shopify import Shop as ShopifyShop
from simulators.woocommerce import Item, Shop
from tallystick.counting import OrderCount
from tallystick.ports import Window
from tests.conformance import test_shopify as shopify
from tests.conformance import woocommerce_help as woo
from tests.unit.adapters.shopify.shops import MUG


async def test_woocommerce_counts_what_a_walk_finds() -> None:
    """Those in the trash are among them; the window ends before the last one."""
    time = woo.Time()
    shop = Shop(now=time)
    shop.add_product("MUG", "11.00", "Mug")
    for number in range(4):
        time.forward(60)
        order = shop.place_order([Item("MUG")])
        if not number:
            shop.trash(order.id)
    window = Window(woo.START, time.moment - timedelta(seconds=30))
    async with woo.connected(shop) as adapter:
        assert isinstance(adapter, OrderCount)
        found = woo.ids(await woo.changed(adapter, window.start, window.end))
        assert await adapter.count_orders(window) == len(found) == 3


async def test_shopify_counts_what_a_walk_finds() -> None:
    time = woo.Time()
    shop = ShopifyShop(now=time)
    for _ in range(4):
        time.forward(60)
        shop.place_order(Cart([MUG]))
    window = Window(woo.START, time.moment - timedelta(seconds=30))
    async with shopify.connected(shop) as adapter:
        assert isinstance(adapter, OrderCount)
        found = await shopify.changed(adapter, window.start, window.end)
        assert await adapter.count_orders(window) == len(found) == 3
