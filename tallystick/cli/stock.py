"""`tallystick stock`: what stores show, what the ERP says, and what lies between the two."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import typer
from rich.text import Text

from tallystick.cli import options, words
from tallystick.cli.client import Api, ask, plain
from tallystick.cli.codes import Exit, Stop
from tallystick.cli.screen import Cell, note, say, show_json, show_table
from tallystick.clock import SystemClock
from tallystick.v1 import stock_pb2 as pb

_group = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="What stores show of the ERP's stock.")
_PAGE_MAX = 500
_SHELVES = ("store", "location", "sku", "shown", "may be shown", "ERP", "reserved", "buffer", "read", "note")
_WAREHOUSES = (
    "store", "location", "shown", "may be shown", "buffer", "warehouse", "ERP", "on hand", "reserved", "share", "read",
    "note",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(_group, name="stock")


@_group.command("list")
def list_stock(
    connection: options.Store = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 1000,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """List shelves: what is shown, what may be shown, the ERP's figure, what is reserved, and how old it is.

    Reserved is what is sold, in any store, and not in the ERP's figure yet. A figure in yellow is about to be set anew.

    `tallystick stock list --connection shopify`

    `tallystick stock list --json`
    """
    request = pb.ListStockRequest(connection=connection or "")
    found, more = ask(api, data, lambda client: _listed(client, request, limit))
    if json:
        show_json({"shelves": [plain(one) for one in found], "more": more})
        return
    now = SystemClock().now()
    show_table(_SHELVES, [_row(one, now) for one in found])
    if more:
        note(f"there are more than {limit}; --limit shows them")
    if not found:
        say("No store was looked at yet.")


@_group.command("show")
def show_stock(
    sku: Annotated[str, typer.Argument(metavar="SKU", help="As the ERP calls it.")],
    connection: options.Store = None,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Show one SKU in every store, with each warehouse that its figure is made of.

    Exit code 4 when no store was asked for it yet.

    `tallystick stock show MUG`

    `tallystick stock show MUG --connection shopify --json`
    """
    request = pb.ListStockRequest(connection=connection or "", sku=sku)
    found, _ = ask(api, data, lambda client: _listed(client, request, 100_000))
    if not found:
        raise Stop(Exit.NOT_FOUND, f"no store was asked for {sku!r} yet; `tallystick stock list` shows which were")
    if json:
        show_json({"shelves": [plain(one) for one in found]})
        return
    now = SystemClock().now()
    show_table(_WAREHOUSES, [row for one in found for row in _parts(one, now)])


async def _listed(client: Api, request: pb.ListStockRequest, limit: int) -> tuple[list[pb.StockShelf], bool]:
    """The first so many, and whether there are more."""
    found: list[pb.StockShelf] = []
    while True:
        request.page_size = min(_PAGE_MAX, limit + 1 - len(found))
        answer = await client.stock.ListStock(request)
        found += answer.shelves
        request.page_token = answer.next_page_token
        if len(found) > limit or not answer.next_page_token:
            return found[:limit], len(found) > limit


# ---- rows ----------------------------------------------------------------------------------------------------------


def _row(one: pb.StockShelf, now: datetime) -> tuple[Cell, ...]:
    """A shelf, its warehouses in one line."""
    several = len(one.figures) > 1
    figures = [f"{f.warehouse} {f.available}" if several else f.available for f in one.figures]
    reserved = [f"{f.warehouse} {f.reserved}" if several else f.reserved for f in one.figures]
    oldest = min((f.read_at.ToDatetime(UTC) for f in one.figures), default=None)
    return (
        one.connection,
        one.location or "-",
        one.sku,
        _shown(one),
        _pieces(one, "sellable"),
        ", ".join(figures) or "never read",
        ", ".join(reserved) or "-",
        str(one.buffer),
        _ago(oldest, now),
        _note(one),
    )


def _parts(one: pb.StockShelf, now: datetime) -> list[tuple[Cell, ...]]:
    """A shelf, one line for each warehouse; what they have in common stands in the first."""
    head: tuple[Cell, ...] = (
        one.connection, one.location or "-", _shown(one), _pieces(one, "sellable"), str(one.buffer),
    )  # fmt: skip
    warehouses = [
        (f.warehouse, f.available, f.on_hand, f.reserved, f"{f.share} %", _ago(f.read_at.ToDatetime(UTC), now))
        for f in one.figures
    ] or [("-", "never read", "-", "-", "-", "-")]
    blank: tuple[Cell, ...] = ("",) * len(head)
    return [
        (*(blank if place else head), *figure, "" if place else _note(one)) for place, figure in enumerate(warehouses)
    ]


def _pieces(one: pb.StockShelf, field: Literal["published", "sellable"]) -> str:
    return str(getattr(one, field)) if one.HasField(field) else "-"


def _shown(one: pb.StockShelf) -> Cell:
    """What is shown; in colour where that is not what may be."""
    text = _pieces(one, "published")
    if not one.HasField("published") or not one.HasField("sellable") or one.published == one.sellable:
        return text
    return Text(text, style="yellow")


def _note(one: pb.StockShelf) -> Cell:
    """Why there is nothing to set; in red where a person has to look."""
    return Text(one.why, style="bold red") if one.wrong else one.why


def _ago(at: datetime | None, now: datetime) -> str:
    return "-" if at is None else words.ago(now - at)
