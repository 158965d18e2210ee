"""A double of a Shopify shop: Admin GraphQL, access tokens, a leaky bucket of points, and signed webhooks."""

from simulators.shopify.admin import application
from simulators.shopify.checkout import Cart
from simulators.shopify.hooks import Delivery, Sender
from simulators.shopify.model import B2B, Address, Discount, Item, Order, Rate
from simulators.shopify.shop import CUSTOMER_TOPICS, RETURN_TOPICS, WEBHOOK_TOPICS, Shop
from simulators.shopify.stockroom import SoldOut

__all__ = [
    "B2B",
    "CUSTOMER_TOPICS",
    "RETURN_TOPICS",
    "WEBHOOK_TOPICS",
    "Address",
    "Cart",
    "Delivery",
    "Discount",
    "Item",
    "Order",
    "Rate",
    "Sender",
    "Shop",
    "SoldOut",
    "application",
]
