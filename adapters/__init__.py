"""All systems that Tallystick speaks to, in one explicit tuple."""

from adapters.odoo import KIND as ODOO
from adapters.shopify import KIND as SHOPIFY
from adapters.woocommerce import KIND as WOOCOMMERCE
from tallystick.registry import AdapterKind

KINDS: tuple[AdapterKind, ...] = (ODOO, SHOPIFY, WOOCOMMERCE)
