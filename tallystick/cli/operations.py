"""`tallystick operations`: resyncs and backfills that run or have run; how far they are; cancelling one."""

from typing import Annotated

import typer

from tallystick.cli import options, words
from tallystick.cli.client import Api, ask, plain
from tallystick.cli.progress import report, state, until_ended
from tallystick.cli.screen import say, show_json, show_table
from tallystick.v1 import operation_pb2
from tallystick.v1 import order_sync_pb2 as pb

_group = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Resyncs and backfills that take a while.")
_PAGE_MAX = 500
_SHOWN_MAX = 1000

Name = Annotated[str, typer.Argument(metavar="OPERATION", help="As `operations list` names it.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(_group, name="operations")


@_group.command("list")
def list_operations(
    running: Annotated[bool, typer.Option("--running", help="Only those that have not ended.")] = False,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """List operations, the newest first.

    `tallystick operations list --running`
    """
    found = ask(api, data, lambda client: _listed(client, running))
    if json:
        show_json({"operations": [plain(one) for one in found]})
        return
    rows = [
        (one.operation_id, one.what, state(one), one.connection, f"{one.done} of {one.total or '?'}", one.actor,
         words.moment(one.created_at))
        for one in found
    ]  # fmt: skip
    show_table(("operation", "what", "state", "store", "orders", "by", "since"), rows)
    if not found:
        say("Nothing runs." if running else "There was none yet.")


async def _listed(client: Api, running: bool) -> list[operation_pb2.Operation]:
    found: list[operation_pb2.Operation] = []
    request = pb.ListOperationsRequest(running=running, page_size=_PAGE_MAX)
    while len(found) < _SHOWN_MAX:
        answer = await client.orders.ListOperations(request)
        found += answer.operations
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            break
    return found


@_group.command()
def show(
    name: Name,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay until it has ended.")] = False,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Show how far an operation is.

    `tallystick operations show op-4f1c… --follow`
    """

    async def look(client: Api) -> operation_pb2.Operation:
        operation: operation_pb2.Operation = (
            await client.orders.GetOperation(pb.GetOperationRequest(operation_id=name))
        ).operation
        return await until_ended(client, operation, quiet=json) if follow else operation

    _report(ask(api, data, look), json)


@_group.command()
def cancel(name: Name, api: options.Api = None, data: options.Data = None, json: options.Json = False) -> None:
    """Leave undone what is not done yet. Orders that were handed on already reach the ERP.

    `tallystick operations cancel op-4f1c…`
    """

    async def act(client: Api) -> operation_pb2.Operation:
        answer: pb.CancelOperationResponse = await client.orders.CancelOperation(
            pb.CancelOperationRequest(operation_id=name)
        )
        return answer.operation

    _report(ask(api, data, act), json)


def _report(operation: operation_pb2.Operation, json: bool) -> None:
    if json:
        show_json(plain(operation))
    else:
        report(operation)
