"""What is seen while the plot runs: one line of progress, and above it what happens, with its time."""

import asyncio
import contextlib
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from simulators.monday import Scene

_NINE = datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001
_DUE = 45


class Live:
    """Shows the progress of a scene on `console`; through a pipe only what happens is printed."""

    def __init__(self, scene: Scene, console: Console) -> None:
        self._scene = scene
        self._console = console
        self._progress = Progress(
            TextColumn("  in Odoo"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:>2.0f} of {task.total:.0f}"),
            TextColumn("[dim]{task.fields[words]}[/]"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._bar = self._progress.add_task("", total=_DUE, words="")

    def __enter__(self) -> Self:
        self._began_s = asyncio.get_running_loop().time()
        self._progress.start()
        self._task = asyncio.create_task(self._refresh())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        self._progress.stop()

    def tell(self, text: str) -> None:
        """Something happened."""
        since = timedelta(seconds=asyncio.get_running_loop().time() - self._began_s)
        self._console.print(f"[dim]{(_NINE + since):%H:%M:%S}[/]  {text}")

    async def _refresh(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                counts, odoo = self._scene.post.counts, self._scene.odoo
                confirmed = sum(order.state == "sale" for order in odoo.orders)
                words = f"sent {counts.sent} · late {counts.late} · replies lost {self._scene.lost_replies}"
                self._progress.update(self._bar, completed=confirmed, words=words)
                await asyncio.sleep(0.2)
