"""Shopify: orders by signed webhooks (REST form) and by GraphQL reads."""

from adapters.shopify.adapter import ShopifyAdapter
from adapters.shopify.settings import ShopifySettings
from tallystick.registry import AdapterKind

KIND = AdapterKind("shopify", "store", ShopifySettings, ShopifyAdapter)

__all__ = ["KIND", "ShopifyAdapter", "ShopifySettings"]
