"""Edge and worker in one process, as they run in the product, with stock from an Odoo to a Shopify shop."""

import asyncio
import sys

from bench.children import questions, say
from bench.stock_installation import SKUS, installation
from consumers.main import work
from service.webhooks import webhook_server
from tallystick.cli.running import run
from tallystick.kafka.producer import Producer
from tallystick.ledger.pending import PendingDeliveries
from tallystick.ledger.pool import Pool, open_pool
from tallystick.telemetry import set_up_logging

_KNOWN = """SELECT (SELECT count(*) FROM stock_shelf) = $1
    AND NOT EXISTS (SELECT FROM stock_touch) AND NOT EXISTS (SELECT FROM stock_wish) AS known"""


async def main(kafka: str, postgres: str, prefix: str, shop: str, odoo: str, client: str, secret: str) -> None:
    """Says where the edge is once every shelf was looked at; answers each question when nothing is under way."""
    set_up_logging(as_json=True, level="warning")
    ours = installation(kafka, postgres, prefix, shop, odoo, client, secret)
    pool, producer, stop = await open_pool(postgres), Producer(kafka, prefix=prefix), asyncio.Event()
    await producer.start()
    working = asyncio.create_task(work(ours, stop))
    async with webhook_server(ours, producer, PendingDeliveries(pool)) as edge:
        await _quiet(pool, working)
        say(edge=edge)
        async for _ in questions():
            await _quiet(pool, working)
            say()
    stop.set()
    await working
    await producer.stop()
    await pool.close()
    await ours.close()


async def _quiet(pool: Pool, working: asyncio.Task[None]) -> None:
    """Until every shelf was looked at and nothing is left to be, or nobody works any more."""
    while True:
        [row] = await pool.fetch(_KNOWN, SKUS)
        if row["known"] or working.done():
            return
        await asyncio.sleep(0.2)


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
