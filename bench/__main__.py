"""Speed and memory as ratios of one run: `make bench`, or `python -m bench --quick` for a first look.

Contenders take turns and medians are compared, since other work on the machine hits whoever runs just then. The last
line of standard output is one line of JSON.
"""

import argparse
import asyncio
from collections.abc import Sequence

import orjson
import uvloop

from bench import growth
from bench.parts import PARTS, Measured, Size
from bench.report import Figure, Progress, console, table
from bench.servers import servers

FULL = Size(
    5, 6000, 4.0, growth_orders=1000, growth_large=growth.LARGE, backfill_orders=200, backfill_rounds=2,
    stock_singles=100, stock_changes=50_000,
)  # fmt: skip
QUICK = Size(
    1, 2000, 2.0, growth_orders=500, growth_large=20_000, backfill_orders=100, backfill_rounds=1,
    stock_singles=20, stock_changes=10_000,
)  # fmt: skip


async def main(size: Size, parts: Sequence[str]) -> None:
    """Measure these parts, show the table, print the line."""
    progress = Progress()
    async with servers(progress) as running:
        found = [await PARTS[name](running, progress, size) for name in parts]
        described = running.described
    figures = [figure for one in found for figure in one.figures] + _memory(found)
    console.print(table(figures, described))
    line = {one.key: round(one.value, 3) for one in figures}
    line |= {key: round(value, 2) for one in found for key, value in one.line.items()}
    print(orjson.dumps(line).decode())


def _memory(found: Sequence[Measured]) -> list[Figure]:
    rss_mb = {name: value for one in found for name, value in one.rss_mb.items()}
    each = ", ".join(f"{name} {value:.3g} MB" for name, value in rss_mb.items())
    return [Figure("memory, MB", "rss_mb", max(rss_mb.values()), 200, True, each)] if rss_mb else []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of each: a look, not a measurement")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), metavar="PART", help=f"of {', '.join(PARTS)}")
    asked = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(QUICK if asked.quick else FULL, asked.only or list(PARTS)))
