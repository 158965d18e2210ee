"""Our contender of the intake bench: the edge as it runs in the product, in a process of its own."""

import sys

from bench.children import questions, say
from bench.installation import installation
from service.webhooks import webhook_server
from tallystick.cli.running import run
from tallystick.kafka.producer import Producer
from tallystick.ledger.pending import PendingDeliveries
from tallystick.ledger.pool import open_pool
from tallystick.telemetry import set_up_logging


async def main(kafka: str, postgres: str, prefix: str) -> None:
    """Until the parent ends."""
    set_up_logging(as_json=True, level="warning")
    ours = installation(kafka, postgres, prefix)
    pool = await open_pool(postgres, ours.settings.ledger, ours.metrics)
    producer = Producer(kafka, prefix=prefix, metrics=ours.metrics)
    await producer.start()
    async with webhook_server(ours, producer, PendingDeliveries(pool)) as address:
        say(address=address)
        async for _ in questions():
            say()
    await producer.stop()
    await pool.close()
    await ours.close()


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
