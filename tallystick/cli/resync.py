"""`tallystick resync`: read orders again and bring their documents to what the store holds."""

from typing import Annotated

import typer
from google.protobuf.duration_pb2 import Duration

from tallystick.cli import options
from tallystick.cli.client import Api, ask, plain
from tallystick.cli.codes import Exit
from tallystick.cli.screen import complain, note, say, show_json
from tallystick.errors import SetupError
from tallystick.v1 import operation_pb2
from tallystick.v1 import order_sync_pb2 as pb

_WAIT_S = 5

Names = Annotated[
    list[str] | None, typer.Argument(metavar="ORDER", help="Numbers, ids, or CONNECTION/ID.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(resync)


def resync(
    names: Names = None,
    connection: options.Store = None,
    since: options.Since = None,
    until: Annotated[
        str | None, typer.Option("--until", help="First seen until then; now when left out.", metavar="TIME")
    ] = None,
    target: options.Target = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the audit.", show_default=False)] = "",
    request_id: options.Request = None,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Read orders again and force them into the ERP. Where nothing differs, nothing is written.

    Either orders by name, or a window: --connection with --since. It goes on when this command is ended; with the
    same --request-id it can be looked at again. Exit code 1 when an order could not be read.

    `tallystick resync 1042 1043`

    `tallystick resync --connection shopify --since 2026-11-20 --reason "tax table corrected"`
    """
    request = pb.ResyncOrdersRequest(
        request_id=options.request_id(request_id),
        names=names or [],
        window=_window(names, connection, since, until),
        target=target or "",
        reason=reason,
    )
    operation = ask(api, data, lambda client: _resync(client, request, quiet=json))
    if json:
        show_json(plain(operation))
    else:
        _show(operation)
    if operation.failed or operation.state != operation_pb2.OPERATION_STATE_DONE:
        raise typer.Exit(Exit.FAILED)


def _window(
    names: list[str] | None, connection: str | None, since: str | None, until: str | None
) -> pb.ResyncWindow | None:
    if names:
        if connection or since or until:
            raise SetupError("name orders, or give a window by --connection and --since; not both")
        return None
    if not connection or not since:
        raise SetupError("name the orders, or give a window: --connection shopify --since 2026-11-20")
    return pb.ResyncWindow(connection=connection, since=options.timestamp(since), until=options.timestamp(until))


async def _resync(client: Api, request: pb.ResyncOrdersRequest, *, quiet: bool) -> operation_pb2.Operation:
    operation = (await client.orders.ResyncOrders(request)).operation
    if not quiet:
        note(f"resync of {operation.total} orders, request id {request.request_id}")
    asked = pb.GetOperationRequest(operation_id=operation.operation_id, wait=Duration(seconds=_WAIT_S))
    while operation.state == operation_pb2.OPERATION_STATE_RUNNING:
        before = operation.done
        operation = (await client.orders.GetOperation(asked)).operation
        if not quiet and operation.done != before:
            note(f"{operation.done} of {operation.total}")
    return operation


def _show(operation: operation_pb2.Operation) -> None:
    good = operation.done - operation.failed
    then = "; then it was cancelled" if operation.state == operation_pb2.OPERATION_STATE_CANCELLED else ""
    say(f"{good} of {operation.total} orders were read again and handed on{then}.")
    for problem in operation.problems:
        complain(problem)
    if good:
        note("`tallystick orders show` tells what the ERP made of each")
