"""`tallystick stock`: what stores show, what the ERP says, and what lies between the two."""

from typing import Annotated

import typer

from tallystick.cli import options, words
from tallystick.cli.client import Api, ask, plain
from tallystick.cli.codes import Exit, Stop
from tallystick.cli.screen import say, show_json, show_table
from tallystick.v1 import stock_pb2 as pb

_group = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="What stores show of the ERP's stock.")
_PAGE_MAX = 500
_COLUMNS = ("store", "location", "sku", "shown", "may be shown", "ERP", "reserved", "buffer", "read", "note")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(_group, name="stock")


@_group.command("list")
def list_stock(
    connection: options.Store = None,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """List every shelf: what is shown, what may be shown, the ERP's figure, what is reserved, and how old it is.

    `tallystick stock list --connection shopify`
    """
    _show(ask(api, data, lambda client: _listed(client, pb.ListStockRequest(connection=connection or ""))), json)


@_group.command("show")
def show_stock(
    sku: Annotated[str, typer.Argument(metavar="SKU", help="As the ERP calls it.")],
    connection: options.Store = None,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Show one SKU in every store.

    `tallystick stock show MUG`
    """
    request = pb.ListStockRequest(connection=connection or "", sku=sku)
    found = ask(api, data, lambda client: _listed(client, request))
    if not found:
        raise Stop(Exit.NOT_FOUND, f"no store was asked for {sku!r} yet; `tallystick stock list` shows which were")
    _show(found, json)


async def _listed(client: Api, request: pb.ListStockRequest) -> list[pb.StockShelf]:
    found: list[pb.StockShelf] = []
    request.page_size = _PAGE_MAX
    while True:
        answer = await client.stock.ListStock(request)
        found += answer.shelves
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            return found


def _show(found: list[pb.StockShelf], json: bool) -> None:
    if json:
        show_json({"shelves": [plain(one) for one in found]})
        return
    show_table(_COLUMNS, [_row(one) for one in found])
    if not found:
        say("No store was looked at yet.")


def _row(one: pb.StockShelf) -> tuple[str, ...]:
    several = len(one.figures) > 1
    figures = [f"{f.warehouse} {f.available}" if several else f.available for f in one.figures]
    reserved = [f"{f.warehouse} {f.reserved}" if several else f.reserved for f in one.figures]
    oldest = min((f.read_at for f in one.figures), key=lambda at: (at.seconds, at.nanos), default=None)
    return (
        one.connection,
        one.location or "-",
        one.sku,
        str(one.published) if one.HasField("published") else "-",
        str(one.sellable) if one.HasField("sellable") else "-",
        ", ".join(figures) or "never read",
        ", ".join(reserved) or "-",
        str(one.buffer),
        words.moment(oldest) if oldest is not None else "-",
        one.why,
    )
