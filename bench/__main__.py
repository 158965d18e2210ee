"""Speed and memory as ratios of one run: `make bench`, or `python -m bench --quick` for a first look.

Contenders take turns and medians are compared, since other work on the machine hits whoever runs just then. The last
line of standard output is one line of JSON.
"""

import argparse
import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
import uvloop

from bench import backfill, delivery, footprint, growth, intake, stock
from bench.report import Figure, Progress, console, table
from bench.servers import servers


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rounds: int
    orders: int
    intake_s: float
    growth_orders: int
    growth_large: int
    backfill_orders: int
    backfill_rounds: int
    stock_singles: int
    stock_changes: int


FULL = Size(
    5, 6000, 4.0, growth_orders=1000, growth_large=growth.LARGE, backfill_orders=200, backfill_rounds=2,
    stock_singles=100, stock_changes=50_000,
)  # fmt: skip
QUICK = Size(
    1, 2000, 2.0, growth_orders=500, growth_large=20_000, backfill_orders=100, backfill_rounds=1,
    stock_singles=20, stock_changes=10_000,
)  # fmt: skip


async def main(size: Size) -> None:
    """Measure all six, show the table, print the line."""
    progress = Progress()
    async with servers(progress) as running:
        small = await footprint.measure(running, progress)
        edge = await intake.measure(running, progress, rounds=size.rounds, seconds=size.intake_s)
        carried = await delivery.measure(running, progress, orders=size.orders, rounds=size.rounds)
        grown = await growth.measure(
            running, progress, rounds=size.rounds, orders=size.growth_orders, large=size.growth_large
        )
        passed = await backfill.measure(running, progress, orders=size.backfill_orders, rounds=size.backfill_rounds)
        shown = await stock.measure(running, progress, singles=size.stock_singles, changes=size.stock_changes)
        described = running.described
    rss_mb = {**small.rss_mb, "edge under load": edge.rss_mb, "worker under load": carried.rss_mb}
    figures = [
        Figure(
            "delivery / bare loop", "delivery_ratio", carried.ratio, 0.15, False,
            f"{carried.ours_per_s:.0f} orders/s against {carried.bare_per_s:.0f}",
        ),
        Figure(
            "delivery / naive ledger", "naive_ledger_ratio", carried.naive_ratio, 0.5, False,
            f"{carried.ours_per_s:.0f} orders/s against {carried.naive_per_s:.0f}",
        ),
        Figure(
            "intake / bare handler", "intake_ratio", edge.ratio, 0.8, False,
            f"{edge.ours.per_s:.0f} requests/s against {edge.bare.per_s:.0f}; "
            f"p50 {edge.ours.p50_ms:.1f} ms ({edge.bare.p50_ms:.1f}), "
            f"p99 {edge.ours.p99_ms:.1f} ms ({edge.bare.p99_ms:.1f})",
        ),
        Figure(
            "cost in a large ledger", "ledger_growth_ratio", grown.ratio, 1.15, True,
            f"{grown.large_ms:.2f} ms an order with {size.growth_large} effects, "
            f"{grown.small_ms:.2f} ms with {growth.SMALL}",
        ),
        Figure(
            "p99 beside a backfill", "backfill_p99_ratio", passed.ratio, 3, True,
            f"new orders {passed.busy_p99_ms:.0f} ms against {passed.quiet_p99_ms:.0f} ms alone; "
            f"{passed.old_per_s:.0f} old ones a second beside them",
        ),
        Figure(
            "calls that set stock / least", "stock_calls_ratio", shown.sets / shown.least, 10, True,
            f"{shown.changes} changes: {shown.sets} calls set, {shown.looks} looked, {shown.least} at least; "
            f"one fall is shown after {shown.p50_ms:.0f} ms, p99 {shown.p99_ms:.0f} ms, "
            f"the two calls alone {shown.calls_ms:.0f} ms",
        ),
        Figure("memory, MB", "rss_mb", max(rss_mb.values()), 200, True, _each(rss_mb, "MB")),
        Figure("until ready, s", "ready_s", max(small.ready_s.values()), 3, True, _each(small.ready_s, "s")),
    ]  # fmt: skip
    console.print(table(figures, described))
    line = {one.key: round(one.value, 3) for one in figures} | {
        "intake_p50_ms": round(edge.ours.p50_ms, 2),
        "intake_p99_ms": round(edge.ours.p99_ms, 2),
        "bare_intake_p99_ms": round(edge.bare.p99_ms, 2),
        "orders_per_s": round(carried.ours_per_s),
        "bare_orders_per_s": round(carried.bare_per_s),
        "naive_ledger_orders_per_s": round(carried.naive_per_s),
        "backfill_p99_ms": round(passed.busy_p99_ms, 1),
        "quiet_p99_ms": round(passed.quiet_p99_ms, 1),
        "stock_p50_ms": round(shown.p50_ms),
        "stock_p99_ms": round(shown.p99_ms),
        "stock_calls_alone_ms": round(shown.calls_ms, 1),
        "stock_sets": shown.sets,
        "stock_looks": shown.looks,
        "stock_sets_least": shown.least,
        "requests_per_s": round(edge.ours.per_s),
        "bare_requests_per_s": round(edge.bare.per_s),
    }
    print(orjson.dumps(line).decode())


def _each(values: Mapping[str, float], unit: str) -> str:
    return ", ".join(f"{name} {value:.3g} {unit}" for name, value in values.items())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of each: a look, not a measurement")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(QUICK if parser.parse_args().quick else FULL))
