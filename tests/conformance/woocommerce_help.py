"""What the tests of the WooCommerce adapter against its double share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from adapters.woocommerce.adapter import WooCommerce
from adapters.woocommerce.settings import WooCommerceSettings
from simulators.serving import serve
from simulators.woocommerce import Shop, application
from tallystick.clock import SystemClock
from tallystick.ports import NeedsRead, Reading, Window
from tallystick.registry import Pace
from tallystick.secrets import Secret

SECRET = "whs-secret-1"
START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


class Time:
    """A clock for the shop that only the test moves."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, seconds: float = 1) -> None:
        self.moment += timedelta(seconds=seconds)


@asynccontextmanager
async def connected(shop: Shop, **options: object) -> AsyncIterator[WooCommerce]:
    async with serve(application(shop)) as address:
        settings = WooCommerceSettings.model_validate(
            {
                "url": address,
                "consumer_key": Secret.of("ck_demo"),
                "consumer_secret": Secret.of("cs_demo"),
                "webhook_secrets": (Secret.of(SECRET),),
                "private_network": True,
                "pace": Pace(rate_per_s=1000, burst=1000, parallel=2),
                **options,
            }
        )
        adapter = WooCommerce("woocommerce", settings, SystemClock())
        try:
            yield adapter
        finally:
            await adapter.close()


async def changed(adapter: WooCommerce, start: datetime, end: datetime) -> list[Reading | NeedsRead]:
    return [found async for page in adapter.changed_orders(Window(start, end)) for found in page]


def ids(found: list[Reading | NeedsRead]) -> list[str]:
    return sorted({reading.object_id for reading in found}, key=int)
