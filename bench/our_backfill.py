"""Worker, sweeper and the feeder of backfills as they run in the product, over a past without an end."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from adapters.woocommerce.settings import Dialect
from adapters.woocommerce.translate import reading
from adapters.woocommerce.webhook import parse
from bench.children import questions, say
from bench.installation import STORE, TARGET, installation
from bench.orders import store_order
from consumers.backfill import Backfills, Source
from consumers.target import Target
from tallystick.cli.running import run
from tallystick.intake.door import Door
from tallystick.kafka.producer import Producer
from tallystick.ledger.objects import Objects
from tallystick.ledger.operations import Operations, Wanted
from tallystick.ledger.pending import PendingDeliveries
from tallystick.ledger.pool import open_pool
from tallystick.ports import Reading, WebhookState, Window
from tallystick.telemetry import set_up_logging

#: Numbers of old orders begin here; those of new ones stay below.
OLD = 1_000_000
PAGE = 100


class Past:
    """A store whose walk never comes to its end. Nothing but its pages is asked for."""

    overlap_s = 0.0

    async def changed_orders(self, window: Window) -> AsyncIterator[Sequence[Reading]]:
        """Pages of a hundred, each made when it is asked for."""
        for first in count(OLD, PAGE):
            yield [reading(parse(store_order(number)), STORE, Dialect()) for number in range(first, first + PAGE)]

    async def identity(self) -> str:
        """Nobody asks."""
        return STORE

    async def read_order(self, order_id: str) -> Reading:
        """As its page shows it."""
        return reading(parse(store_order(int(order_id))), STORE, Dialect())

    def parse_order(self, raw: bytes) -> Reading:
        """As WooCommerce spells it."""
        return reading(parse(raw), STORE, Dialect())

    async def webhooks(self) -> Sequence[WebhookState]:
        """None."""
        return ()


async def main(kafka: str, postgres: str, prefix: str, url: str) -> None:
    """A question `{"backfill": true}` begins one; every question is answered with what was taken in so far."""
    set_up_logging(as_json=True, level="warning")
    ours = installation(kafka, postgres, prefix, url)
    pool = await open_pool(postgres, ours.settings.ledger, ours.metrics)
    producer = Producer(kafka, prefix=prefix, metrics=ours.metrics)
    await producer.start()
    objects, operations, stop = Objects(pool), Operations(pool), asyncio.Event()
    feeder = Backfills(
        pool,
        {STORE: Source(Past(), (TARGET,))},
        objects,
        Door(objects, producer, ours.metrics),
        PendingDeliveries(pool),
        ours.clock,
        every_s=0.2,
    )
    feeding = asyncio.create_task(feeder.run(stop))
    working = asyncio.create_task(Target(ours, pool, producer, TARGET, None).run(stop))
    say()
    async for question in questions():
        if question.get("backfill"):
            now = datetime.now(UTC)
            wanted = Wanted(connection=STORE, since=now - timedelta(hours=1), until=now, from_store=True)
            await operations.create("bench", wanted, "bench", "")
        [row] = await pool.fetch("SELECT count(*) AS taken FROM source_object WHERE type = 'order'")
        say(taken=row["taken"])
    feeding.cancel()
    stop.set()
    await asyncio.gather(feeding, working, return_exceptions=True)
    await producer.stop()
    await pool.close()
    await ours.close()


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
