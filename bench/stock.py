"""From a change of stock in the ERP to what buyers see: how long it takes, and how many calls of the shop many take."""

import math
from dataclasses import dataclass

from bench.children import child
from bench.report import Progress
from bench.servers import Servers
from bench.stock_installation import SKUS
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.topics import ALL
from tallystick.settings import KafkaSettings

#: Figures that Shopify takes in one call.
CALL_MAX = 250


@dataclass(frozen=True, slots=True)
class StockFigures:
    """Of falls; a rise waits for the shop's search by rule, thirty seconds, before it is shown."""

    p50_ms: float
    p99_ms: float
    #: Median of the two calls that nobody can do without, made by a bare loop.
    calls_ms: float
    changes: int
    #: Calls that set figures, and that looked at what is shown.
    sets: int
    looks: int

    @property
    def least(self) -> int:
        """Calls that set each SKU once."""
        return math.ceil(SKUS / CALL_MAX)


async def measure(servers: Servers, progress: Progress, *, singles: int, changes: int) -> StockFigures:
    """One after another, then all at once."""
    database, prefix = await servers.database(), servers.prefix()
    await ensure_topics(servers.kafka, KafkaSettings(partitions=8, prefix=prefix), ALL)
    async with child("stock_town") as town:
        ends = [str(town.said[name]) for name in ("shop", "odoo", "client_id", "secret")]
        progress.step(f"stock: the two calls alone, {singles} times")
        async with child("bare_stock", *ends) as bare:
            alone = [await bare.ask(**await town.ask(fall=number)) for number in range(singles)]
        progress.step(f"stock: {SKUS} shelves are looked at for the first time")
        async with child("our_stock", servers.kafka, database, prefix, *ends) as ours:
            edge = ours.said["edge"]
            progress.step(f"stock: {singles} changes, one after another")
            took = [await town.ask(one=number, edge=edge) for number in range(singles, 2 * singles)]
            progress.step(f"stock: {changes} changes of {SKUS} SKUs")
            await ours.ask()
            told = (await town.ask(many=changes, edge=edge))["calls"]
    await servers.drop(database)
    assert isinstance(told, dict)
    took_ms, alone_ms = (sorted(float(str(one["ms"])) for one in answers) for answers in (took, alone))
    return StockFigures(
        took_ms[singles // 2], took_ms[singles * 99 // 100], alone_ms[singles // 2], changes,
        told.get("SetQuantities", 0), told.get("ReadLevels", 0),
    )  # fmt: skip
