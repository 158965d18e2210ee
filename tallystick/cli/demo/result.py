"""How that Monday ended: the figures, all from the doubles' own state and journals, and how they are shown."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from simulators.monday import Compared, Role, Scene, ShopBook
from tallystick.cli.demo.office import HeldOrder
from tallystick.cli.demo.plot import Plot
from tallystick.cli.screen import out
from tallystick.stack import Stack


@dataclass(frozen=True, slots=True)
class Result:
    """The end of the day. `ok` only when every single figure is right."""

    stack: Stack
    books: Sequence[ShopBook]
    shipments: Compared
    refunds: Compared
    stock: Compared
    held: Sequence[HeldOrder]
    held_expected: int
    forged: int
    forged_refused: int
    killed_workers: int
    lost_replies: int
    latencies_s: Sequence[float]
    elapsed_s: float

    @property
    def ok(self) -> bool:
        """Whether both halves of the tally stick match."""
        return (
            all(book.agrees for book in self.books)
            and not self.shipments.mismatches
            and not self.refunds.mismatches
            and not self.stock.mismatches
            and len(self.held) == self.held_expected
            and self.forged_refused == self.forged > 0
            and self.killed_workers > 0
            and self.lost_replies > 0
        )

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "ok": self.ok,
            "kafka": self.stack.kafka_version,
            "postgres": self.stack.postgres_version,
            "shops": [_book_json(book) for book in self.books],
            "held": [{"order": one.name, "reason": one.reason, "detail": one.detail} for one in self.held],
            "shipments": _compared_json(self.shipments),
            "refunds": _compared_json(self.refunds),
            "stock": _compared_json(self.stock),
            "forged_refused": self.forged_refused,
            "killed_workers": self.killed_workers,
            "lost_replies": self.lost_replies,
            "latency_s": {"p50": round(self._latency(50), 2), "p99": round(self._latency(99), 2)},
            "elapsed_s": round(self.elapsed_s, 1),
        }

    def _latency(self, percent: int) -> float:
        if len(self.latencies_s) < 2:
            return max(self.latencies_s, default=0.0)
        return statistics.quantiles(self.latencies_s, n=100, method="inclusive")[percent - 1]

    def show(self) -> None:
        """For people."""
        console = out()
        console.print()
        console.print(self._table())
        shipped, refunded = _told(self.shipments), _told(self.refunds)
        console.print(f"  back    parcels told to the shops: {shipped} · refunds credited in Odoo: {refunded}")
        console.print(f"  stock   products on the shops' shelves against what is left of them: {_told(self.stock)}")
        for one in self.held:
            console.print(f"  [yellow]held[/]    {escape(one.name)}  {one.reason}: {escape(one.detail)}")
        console.print(f"  [green]forged[/]  {self.forged_refused} of {self.forged} refused")
        faults = f"{self.lost_replies} replies lost after the commit · {self.killed_workers} worker killed with -9"
        console.print(f"  faults  {faults} · Odoo down for 10 s")
        speed = f"median {self._latency(50):.1f} s, p99 {self._latency(99):.1f} s"
        console.print(f"  speed   from webhook to confirmed document: {speed}")
        verdict = "[bold green]both halves match[/]" if self.ok else "[bold red]the halves do not match[/]"
        console.print(f"\n{verdict} after {self.elapsed_s:.0f} s")

    def _table(self) -> Table:
        table = Table(
            title="Store against ERP", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True
        )
        table.add_column("shop", no_wrap=True)
        for column in ("orders", "in Odoo", "missing", "twice"):
            table.add_column(column, justify="right", no_wrap=True)
        for column in ("sold", "booked", "off by"):
            table.add_column(column, justify="right", no_wrap=True)
        for book in self.books:
            _add_rows(table, book)
        return table


def _add_rows(table: Table, book: ShopBook) -> None:
    counts = [book.shop, str(book.orders_in), str(book.documents), _bad(len(book.missing)), _bad(book.duplicates)]
    for code, difference in book.difference.items():
        in_odoo = book.in_odoo.get(code, Decimal(0))
        table.add_row(*counts, f"{book.in_shop[code]:,} {code}", f"{in_odoo:,}", _bad(difference))
        counts = [""] * len(counts)
    table.add_section()


def _bad(figure: int | Decimal) -> str:
    return f"[red]{figure}[/]" if figure else f"[green]{figure}[/]"


def _told(compared: Compared) -> str:
    which = f" ({escape('; '.join(compared.mismatches))})" if compared.mismatches else ""
    return f"{compared.number}, {_bad(len(compared.mismatches))} off{which}"


def _compared_json(compared: Compared) -> dict[str, int]:
    return {"compared": compared.number, "mismatches": len(compared.mismatches)}


def _book_json(book: ShopBook) -> dict[str, Any]:
    return {
        "shop": book.shop,
        "orders_in": book.orders_in,
        "documents": book.documents,
        "missing": len(book.missing),
        "duplicates": book.duplicates,
        "difference": {code: str(difference) for code, difference in book.difference.items()},
    }


def conclude(plot: Plot, stack: Stack, held: Sequence[HeldOrder], elapsed_s: float) -> Result:
    """Add everything up."""
    scene, post = plot.scene, plot.scene.post
    return Result(
        stack=stack,
        books=scene.books.compare([one.number for one in held]),
        shipments=scene.way_back.shipments(),
        refunds=scene.way_back.refunds(),
        stock=scene.shelves.compare(),
        held=held,
        held_expected=sum(sale.role is Role.UNBALANCED for sale in plot.placed.values()),
        forged=post.counts.forged,
        forged_refused=post.counts.forged_refused,
        killed_workers=plot.killed_workers,
        lost_replies=scene.lost_replies,
        latencies_s=_latencies(scene),
        elapsed_s=elapsed_s,
    )


def _latencies(scene: Scene) -> list[float]:
    """From the moment at which an order's first webhook left, or should have, to its confirmation in Odoo."""
    numbers = {(one.shop, one.id): one.number for one in scene.books.sold()}
    confirmed = {entry.detail.reference: entry.at_s for entry in scene.odoo.journal.of("confirmed")}
    left = ((numbers[key], at_s) for key, at_s in scene.post.left_at_s.items())
    return [confirmed[number] - at_s for number, at_s in left if number in confirmed]
