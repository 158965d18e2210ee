"""One role of the intake side as a process that a crash point may end: `python -m … ROLE KAFKA DSN PREFIX URL`."""

import asyncio
import sys

from adapters.woocommerce.adapter import WooCommerce
from consumers.intake import GROUP, Intake
from tallystick.kafka.consumer import Consumer, Times
from tallystick.kafka.producer import Producer
from tallystick.kafka.topics import INTAKE
from tallystick.ledger.pool import open_pool
from tallystick.settings import KafkaSettings
from tests.integration.intake_help import Side, Time, woo_settings

#: The broker takes no shorter one.
QUICK = Times(session_s=6, rebalance_s=6, heartbeat_s=0.5)


async def main(role: str, kafka: str, dsn: str, prefix: str, url: str) -> None:
    """Do the role's work until it is done or the process ends."""
    pool, producer = await open_pool(dsn), Producer(kafka, prefix=prefix)
    await producer.start()
    side = Side(kafka, KafkaSettings(prefix=prefix), pool, Time(), producer)
    side.stores["woo"] = WooCommerce("woo", woo_settings(url), side.time)
    side.begin()
    match role:
        case "intake":
            consumer = Consumer(kafka, GROUP, (INTAKE,), prefix=prefix, times=QUICK)
            async with consumer:
                await Intake(consumer, producer, side.admission, side.pending, batch=10).run(asyncio.Event())
        case "relay":
            await side.relay().run(asyncio.Event())
        case "poll":
            await side.pollers().run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
