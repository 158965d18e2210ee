"""The installation whose stock is measured: a Shopify shop and an Odoo, as the examples join them."""

import os
from pathlib import Path

from adapters.odoo import KIND as ODOO
from adapters.shopify import KIND as SHOPIFY
from simulators.odoo import OdooSettings
from tallystick.installation import Addresses, Installation, assemble
from tallystick.settings import Settings

HOOK_SECRET = "bench-hook-secret"
SKUS = 5000
_CONTRACT = Path(__file__).resolve().parents[1] / "contracts" / "shopify-odoo.yaml"
_PACE = {"rate_per_s": 1000, "burst": 1000, "parallel": 4}


def sku_of(number: int) -> str:
    """The SKU of the product with that number."""
    return f"SKU-{number:05}"


def installation(
    kafka: str, postgres: str, prefix: str, shop: str, odoo: str, client: str, secret: str
) -> Installation:
    """As a process of the product would build it from a file; nothing but stock and orders crosses."""
    server = OdooSettings()
    names = {"SHOP": secret, "ODOO": server.key, "HOOK": HOOK_SECRET}
    for name, value in names.items():
        os.environ[f"TALLYSTICK_BENCH_{name}"] = value
    secrets = {name: {"env": f"TALLYSTICK_BENCH_{name}"} for name in names}
    common = {"private_network": True, "pace": _PACE}
    settings = Settings.model_validate(
        {
            "connections": {
                "shopify": {
                    "kind": "shopify",
                    "shop": "example",
                    "url": shop,
                    "client_id": client,
                    "client_secret": secrets["SHOP"],
                    **common,
                },
                "odoo": {
                    "kind": "odoo",
                    "url": odoo,
                    "database": server.database,
                    "login": server.login,
                    "api_key": secrets["ODOO"],
                    "stock_hook": {"secrets": [secrets["HOOK"]]},
                    **common,
                },
            },
            "routes": [
                {
                    "store": "shopify",
                    "erp": "odoo",
                    "contract": _CONTRACT,
                    "since": "2026-11-01T00:00:00Z",
                    "flows": {"stock": "live"},
                }
            ],
            "kafka": {"prefix": prefix, "partitions": 8},
            "listen": {"webhooks": "127.0.0.1:0"},
        }
    )
    return assemble(settings, (SHOPIFY, ODOO), Addresses(kafka, postgres))
