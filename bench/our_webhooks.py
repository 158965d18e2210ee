"""Our contender of the intake bench: the edge as it runs in the product, in a process of its own."""

import sys
from datetime import UTC, datetime

import uvloop

from adapters.woocommerce import KIND
from bench.children import questions, say
from service.webhooks import webhook_server
from tallystick.clock import SystemClock, Timing
from tallystick.installation import Addresses, Installation
from tallystick.kafka.producer import Producer
from tallystick.ledger.pending import PendingDeliveries
from tallystick.ledger.pool import open_pool
from tallystick.secrets import Secret
from tallystick.settings import Settings
from tallystick.telemetry import Metrics, set_up_logging


async def main(kafka: str, postgres: str, prefix: str, secret: str) -> None:
    """Until the parent ends."""
    set_up_logging(as_json=True, level="warning")
    installation = _installation(kafka, postgres, prefix, secret)
    pool = await open_pool(postgres, metrics=installation.metrics)
    producer = Producer(kafka, prefix=prefix, metrics=installation.metrics)
    await producer.start()
    async with webhook_server(installation, producer, PendingDeliveries(pool)) as address:
        say(address=address)
        async for _ in questions():
            say()
    await producer.stop()
    await pool.close()


def _installation(kafka: str, postgres: str, prefix: str, secret: str) -> Installation:
    route = {"store": "woo", "erp": "erp", "contract": "none.yaml", "since": datetime.now(UTC)}
    settings = Settings.model_validate(
        {
            "connections": {"woo": {"kind": "woocommerce"}, "erp": {"kind": "bench"}},
            "routes": [route],
            "listen": {"webhooks": "127.0.0.1:0"},
        }
    )
    shop = KIND.settings(
        url="https://shop.example",
        consumer_key=Secret.of("key"),
        consumer_secret=Secret.of("secret"),
        webhook_secrets=[Secret.of(secret)],
    )
    clock = SystemClock()
    adapters = {"woo": KIND.open("woo", shop, clock)}
    return Installation(settings, adapters, {}, Addresses(kafka, postgres), clock, Timing(), Metrics())


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
