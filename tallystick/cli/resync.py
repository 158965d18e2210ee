"""`tallystick resync`: bring documents to what the store holds, of orders by name or of a span of time."""

from typing import Annotated

import typer

from tallystick.cli import options
from tallystick.cli.client import Api, ask, plain
from tallystick.cli.codes import Exit
from tallystick.cli.progress import report, until_ended
from tallystick.cli.screen import note, show_json
from tallystick.errors import SetupError
from tallystick.v1 import operation_pb2
from tallystick.v1 import order_sync_pb2 as pb

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
        str | None, typer.Option("--until", help="Changed until then; now when left out.", metavar="TIME")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Of a window: every order that is known, also where nothing has changed.")
    ] = False,
    target: options.Target = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the audit.", show_default=False)] = "",
    request_id: options.Request = None,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Bring documents to what the store holds. Where nothing differs, nothing is written.

    Orders by name are read again and compared with the ERP. A window (--connection with --since) walks through all
    that changed in the store and takes in what is missing or was missed; new orders go first meanwhile. With --force
    a window compares every known order with the ERP instead, such as after a correction of the contract.

    It goes on when this command is ended; `tallystick operations` shows and cancels it. Exit code 1 when an order
    could not be read.

    `tallystick resync 1042 1043`

    `tallystick resync --connection shopify --since 2026-11-20`

    `tallystick resync --connection shopify --since 2026-11-20 --force --reason "tax table corrected"`
    """
    request = pb.ResyncOrdersRequest(
        request_id=options.request_id(request_id),
        names=names or [],
        window=_window(names, connection, since, until, force),
        target=target or "",
        reason=reason,
    )
    operation = ask(api, data, lambda client: _resync(client, request, quiet=json))
    if json:
        show_json(plain(operation))
    else:
        report(operation)
        if operation.done > operation.failed:
            note("`tallystick orders show` tells what the ERP made of each")
    if operation.failed or operation.state != operation_pb2.OPERATION_STATE_DONE:
        raise typer.Exit(Exit.FAILED)


def _window(
    names: list[str] | None, connection: str | None, since: str | None, until: str | None, force: bool
) -> pb.ResyncWindow | None:
    if names:
        if connection or since or until or force:
            raise SetupError("name orders, or give a window by --connection and --since; not both")
        return None
    if not connection or not since:
        raise SetupError("name the orders, or give a window: --connection shopify --since 2026-11-20")
    return pb.ResyncWindow(
        connection=connection,
        since=options.timestamp(since),
        until=options.timestamp(until),
        from_store=not force,
    )


async def _resync(client: Api, request: pb.ResyncOrdersRequest, *, quiet: bool) -> operation_pb2.Operation:
    operation = (await client.orders.ResyncOrders(request)).operation
    if not quiet:
        note(f"{operation.what} {operation.operation_id}, request id {request.request_id}")
    return await until_ended(client, operation, quiet=quiet)
