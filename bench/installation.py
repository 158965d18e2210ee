"""The installation that the bench measures: a WooCommerce shop, the bench's ERP, and a contract between them."""

import os
from pathlib import Path

from adapters.woocommerce import KIND as WOOCOMMERCE
from bench.adapter import KIND as ERP
from tallystick.installation import Addresses, Installation, assemble
from tallystick.settings import Settings

STORE, TARGET = "woo", "erp"
SECRET = "whs-secret-1"
_SECRET_ENV = "TALLYSTICK_BENCH_SECRET"
CONTRACT = Path(__file__).parent / "contract.yaml"
#: Placed before the orders of the bench.
SINCE = "2026-11-01T00:00:00Z"


def installation(kafka: str, postgres: str, prefix: str, url: str = "") -> Installation:
    """As a process of the product would build it from a file."""
    os.environ[_SECRET_ENV] = SECRET
    secret = {"env": _SECRET_ENV}
    settings = Settings.model_validate(
        {
            "connections": {
                STORE: {
                    "kind": "woocommerce",
                    "url": "https://shop.example",
                    "consumer_key": secret,
                    "consumer_secret": secret,
                    "webhook_secrets": [secret],
                },
                TARGET: {"kind": "bench", "url": url},
            },
            "routes": [{"store": STORE, "erp": TARGET, "contract": CONTRACT, "since": SINCE}],
            "kafka": {"prefix": prefix},
            "listen": {"webhooks": "127.0.0.1:0"},
        }
    )
    return assemble(settings, (WOOCOMMERCE, ERP), Addresses(kafka, postgres))
