"""Our contender: the worker and the sweeper of one target as they run in the product, in a process of its own."""

import asyncio
import sys

from bench.children import questions, say
from bench.installation import installation
from consumers.target import Target
from tallystick.cli.running import run
from tallystick.kafka.producer import Producer
from tallystick.ledger.pool import open_pool
from tallystick.telemetry import set_up_logging


async def main(kafka: str, postgres: str, prefix: str, url: str) -> None:
    """Until the parent ends."""
    set_up_logging(as_json=True, level="warning")
    ours = installation(kafka, postgres, prefix, url)
    pool = await open_pool(postgres, ours.settings.ledger, ours.metrics)
    producer = Producer(kafka, prefix=prefix, metrics=ours.metrics)
    await producer.start()
    stop = asyncio.Event()
    working = asyncio.create_task(Target(ours, pool, producer, "erp", None).run(stop))
    say()
    async for _ in questions():
        say()
    stop.set()
    await working
    await producer.stop()
    await pool.close()
    await ours.close()


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
