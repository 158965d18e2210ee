"""A faithful double of a WooCommerce shop (REST API v3 and webhooks), as seen on WooCommerce 11.0.1.

shop = Shop(ShopSettings(currency="EUR"))
shop.add_product("MUG-1", "11.00")
async with serve(application(shop)) as address:
    await shop.subscribe("http://127.0.0.1:8080/webhooks/woocommerce", "secret", TOPICS)
    order = shop.place_order([Item("MUG-1", 2)])
    for delivery in shop.pending_deliveries():
        await shop.deliver(delivery)        # or drop, take and send twice, take and forge, in any order
"""

from .application import application
from .hooks import Delivery, Request, Webhook
from .model import Coupon, Fee, Item, Order, Product, Refund
from .shop import Shop, ShopSettings
from .storeroom import SoldOut
from .taxes import Rate

TOPICS = ("order.created", "order.updated", "order.deleted", "order.restored")
CUSTOMER_TOPICS = ("customer.created", "customer.updated", "customer.deleted")

__all__ = [
    "CUSTOMER_TOPICS",
    "TOPICS",
    "Coupon",
    "Delivery",
    "Fee",
    "Item",
    "Order",
    "Product",
    "Rate",
    "Refund",
    "Request",
    "Shop",
    "ShopSettings",
    "SoldOut",
    "Webhook",
    "application",
]
