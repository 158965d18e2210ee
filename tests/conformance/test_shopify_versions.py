"""FC-044: the end of the API version is told weeks ahead, by the calendar and by what the replies say."""

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from consumers.versions import VersionWatch
from simulators.shopify import Shop
from simulators.shopify.shop import WEBHOOK_TOPICS
from tallystick.clock import SystemClock
from tallystick.support import Versioned
from tallystick.telemetry import Metrics
from tests.conformance.test_shopify import connected


class Day(SystemClock):
    """The same instant for ever."""

    def __init__(self, year: int, month: int, day: int) -> None:
        self._now = datetime(year, month, day, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now


def shop() -> Shop:
    shop = Shop()
    shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
    shop.subscribe("https://tally.example/shop", WEBHOOK_TOPICS)
    return shop


@pytest.mark.parametrize(
    ("day", "reason", "words"),
    [
        (Day(2026, 11, 28), "", ""),
        (Day(2027, 5, 1), "", "2026-07 ends on 2027-07-01"),
        (Day(2026, 11, 28), "https://shopify.example/changes", "a call that we make will be given up"),
    ],
)
async def test_the_end_of_a_version_is_told_weeks_ahead(day: Day, reason: str, words: str) -> None:
    """FC-044: as a metric, in the log, and by `tallystick connections test`."""
    store, metrics = shop(), Metrics()
    store.deprecated_reason = reason
    async with connected(store, clock=day) as adapter:
        assert isinstance(adapter, Versioned)
        bad = [advice for name, fine, advice in await adapter.check() if not fine]
        with capture_logs() as logs:
            VersionWatch({"shopify": adapter, "other": object()}, day, metrics).look()
    assert len(bad) == len(logs) == bool(words)
    assert all(words in text for text in (*bad, *(entry["what"] for entry in logs)))
    left_s = metrics.registry.get_sample_value(
        "tallystick_api_version_ends_seconds", {"connection": "shopify", "version": "2026-07"}
    )
    assert left_s == (datetime(2027, 7, 1, tzinfo=UTC) - day.now()).total_seconds()


async def test_a_version_that_has_ended_is_told_by_the_reply() -> None:
    """FC-044: Shopify answers with the oldest version that is left."""
    async with connected(shop(), api_version="2024-01") as adapter:
        await adapter.identity()
        assert "2026-01 served the last call" in adapter.support().warning(datetime(2024, 2, 1, tzinfo=UTC))
