"""What is measured, part by part: each gives its figures for people, and its keys for the one line of JSON."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bench import backfill, delivery, footprint, growth, intake, stock
from bench.report import Figure, Progress
from bench.servers import Servers


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


@dataclass(frozen=True, slots=True)
class Measured:
    """What one part found. `rss_mb` is the memory of processes that it ran, by their names."""

    figures: list[Figure]
    line: Mapping[str, float] = field(default_factory=dict)
    rss_mb: Mapping[str, float] = field(default_factory=dict)


async def of_footprint(servers: Servers, progress: Progress, size: Size) -> Measured:
    """Memory at rest, and how soon a process is ready."""
    small = await footprint.measure(servers, progress)
    each = ", ".join(f"{name} {value:.3g} s" for name, value in small.ready_s.items())
    return Measured([Figure("until ready, s", "ready_s", max(small.ready_s.values()), 3, True, each)], {}, small.rss_mb)


async def of_intake(servers: Servers, progress: Progress, size: Size) -> Measured:
    """Signed deliveries at the edge."""
    edge = await intake.measure(servers, progress, rounds=size.rounds, seconds=size.intake_s)
    said = (
        f"{edge.ours.per_s:.0f} requests/s against {edge.bare.per_s:.0f}; "
        f"p50 {edge.ours.p50_ms:.1f} ms ({edge.bare.p50_ms:.1f}), "
        f"p99 {edge.ours.p99_ms:.1f} ms ({edge.bare.p99_ms:.1f})"
    )
    line = {
        "intake_p50_ms": edge.ours.p50_ms,
        "intake_p99_ms": edge.ours.p99_ms,
        "bare_intake_p99_ms": edge.bare.p99_ms,
        "requests_per_s": edge.ours.per_s,
        "bare_requests_per_s": edge.bare.per_s,
    }
    figures = [Figure("intake / bare handler", "intake_ratio", edge.ratio, 0.8, False, said)]
    return Measured(figures, line, {"edge under load": edge.rss_mb})


async def of_delivery(servers: Servers, progress: Progress, size: Size) -> Measured:
    """Orders from the topic into an ERP."""
    carried = await delivery.measure(servers, progress, orders=size.orders, rounds=size.rounds)
    ours = f"{carried.ours_per_s:.0f} orders/s against"
    figures = [
        Figure(
            "delivery / bare loop", "delivery_ratio", carried.ratio, 0.15, False, f"{ours} {carried.bare_per_s:.0f}"
        ),
        Figure(
            "delivery / naive ledger", "naive_ledger_ratio", carried.naive_ratio, 0.5, False,
            f"{ours} {carried.naive_per_s:.0f}",
        ),
    ]  # fmt: skip
    line = {
        "orders_per_s": carried.ours_per_s,
        "bare_orders_per_s": carried.bare_per_s,
        "naive_ledger_orders_per_s": carried.naive_per_s,
    }
    return Measured(figures, line, {"worker under load": carried.rss_mb})


async def of_growth(servers: Servers, progress: Progress, size: Size) -> Measured:
    """What an order costs in a ledger that has grown."""
    grown = await growth.measure(
        servers, progress, rounds=size.rounds, orders=size.growth_orders, large=size.growth_large
    )
    said = (
        f"{grown.large_ms:.2f} ms an order with {size.growth_large} effects, "
        f"{grown.small_ms:.2f} ms with {growth.SMALL}"
    )
    return Measured([Figure("cost in a large ledger", "ledger_growth_ratio", grown.ratio, 1.15, True, said)])


async def of_backfill(servers: Servers, progress: Progress, size: Size) -> Measured:
    """New orders beside a backfill."""
    passed = await backfill.measure(servers, progress, orders=size.backfill_orders, rounds=size.backfill_rounds)
    said = (
        f"new orders {passed.busy_p99_ms:.0f} ms against {passed.quiet_p99_ms:.0f} ms alone; "
        f"{passed.old_per_s:.0f} old ones a second beside them"
    )
    line = {"backfill_p99_ms": passed.busy_p99_ms, "quiet_p99_ms": passed.quiet_p99_ms}
    return Measured([Figure("p99 beside a backfill", "backfill_p99_ratio", passed.ratio, 3, True, said)], line)


async def of_stock(servers: Servers, progress: Progress, size: Size) -> Measured:
    """Changes of stock from the ERP to the shop."""
    shown = await stock.measure(servers, progress, singles=size.stock_singles, changes=size.stock_changes)
    said = (
        f"{shown.changes} changes: {shown.sets} calls set, {shown.looks} looked, {shown.least} at least; "
        f"one fall is shown after {shown.p50_ms:.0f} ms, p99 {shown.p99_ms:.0f} ms, "
        f"the two calls alone {shown.calls_ms:.0f} ms"
    )
    line = {
        "stock_p50_ms": shown.p50_ms,
        "stock_p99_ms": shown.p99_ms,
        "stock_calls_alone_ms": shown.calls_ms,
        "stock_sets": shown.sets,
        "stock_looks": shown.looks,
        "stock_sets_least": shown.least,
    }
    ratio = shown.sets / shown.least
    return Measured([Figure("calls that set stock / least", "stock_calls_ratio", ratio, 10, True, said)], line)


PARTS: Mapping[str, Callable[[Servers, Progress, Size], Awaitable[Measured]]] = {
    "footprint": of_footprint,
    "intake": of_intake,
    "delivery": of_delivery,
    "growth": of_growth,
    "backfill": of_backfill,
    "stock": of_stock,
}
