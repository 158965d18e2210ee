"""`tallystick orders`: where orders are, and the story of each."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import grpc
import orjson
import typer
from rich.markup import escape

from tallystick.cli import options, records, words
from tallystick.cli.client import Api, ask, plain
from tallystick.cli.codes import Exit
from tallystick.cli.screen import Cell, note, out, say, show_json, show_table
from tallystick.v1 import order_sync_pb2 as pb
from tallystick.v1 import record_pb2
from tallystick.words import short_name

_group = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Where orders are, and why.")
_PAGE_MAX = 500
_AGAIN_S = 1.0

Name = Annotated[
    str, typer.Argument(metavar="ORDER", help="The order's number, its id, or CONNECTION/ID where several have it.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(_group, name="orders")


# ---- list ----------------------------------------------------------------------------------------------------------


@_group.command("list")
def list_orders(
    connection: options.Store = None,
    target: options.Target = None,
    state: Annotated[words.State | None, typer.Option(help="Only orders in this state.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason, such as MAPPING or UNPAID.")] = None,
    since: options.Since = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """List orders, those first seen last first.

    `tallystick orders list --state held`

    `tallystick orders list --connection shopify --since 2026-11-20 --json`
    """
    request = pb.ListOrderSyncsRequest(
        connection=connection or "",
        target=target or "",
        state=words.STATES[state] if state else pb.SYNC_STATE_UNSPECIFIED,
        reason=reason or "",
        changed_since=options.timestamp(since),
    )
    found = ask(api, data, lambda client: _listed(client, request, limit))
    if json:
        show_json({"orders": [plain(one) for one in found]})
        return
    show_table(("order", "number", "revision", "target", "state", "document", "why"), _rows(found))
    if not found:
        note("no order is like that")


async def _listed(client: Api, request: pb.ListOrderSyncsRequest, limit: int) -> list[pb.OrderSync]:
    found: list[pb.OrderSync] = []
    while len(found) < limit:
        request.page_size = min(_PAGE_MAX, limit - len(found))
        answer = await client.orders.ListOrderSyncs(request)
        found += answer.order_syncs
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            break
    return found


def _rows(found: Sequence[pb.OrderSync]) -> list[tuple[Cell, ...]]:
    return [
        (
            order.name,
            order.number,
            str(order.revision),
            one.target,
            words.cell(one.state),
            one.document_number or one.external_id,
            "" if one.state == pb.SYNC_STATE_SYNCED else one.detail or one.words,
        )
        for order in found
        for one in order.targets
    ]


# ---- show ----------------------------------------------------------------------------------------------------------


@_group.command()
def show(
    name: Name,
    target: options.Target = None,
    newest_first: Annotated[bool, typer.Option("--newest-first", help="What happened last stands first.")] = False,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Tell the story of one order across everything that belongs to it: its documents, payments, refunds, returns and
    shipments, what became of each there and back, what stopped, and who acted, in the order in which it happened.

    Exit code 3 when it is held or not eligible, 4 when no store ever showed it.

    `tallystick orders show 1042`

    `tallystick orders show shopify/5512345678901 --newest-first --json`
    """
    order, records, events = ask(api, data, lambda client: _story(client, name, target or "", newest_first))
    if json:
        document = {"order": plain(order), "records": [plain(one) for one in records]}
        show_json({**document, "events": [plain(event) for event in events]})
    else:
        _tell(order, records, events)
    if any(one.state in words.STOPPED for one in order.targets):
        raise typer.Exit(Exit.HELD)


async def _story(
    client: Api, name: str, target: str, newest_first: bool
) -> tuple[pb.OrderSync, list[record_pb2.Record], list[pb.OrderEvent]]:
    order = (await client.orders.GetOrderSync(pb.GetOrderSyncRequest(name=name, target=target))).order_sync
    belonging = record_pb2.ListRecordsRequest(order=order.name, target=target)
    found, _ = await records.listed(client, belonging, _PAGE_MAX)
    events: list[pb.OrderEvent] = []
    request = pb.ListOrderEventsRequest(name=order.name, target=target, page_size=_PAGE_MAX, newest_first=newest_first)
    while True:
        answer = await client.orders.ListOrderEvents(request)
        events += answer.events
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            return order, found[::-1], events


def _tell(order: pb.OrderSync, found: Sequence[record_pb2.Record], events: Sequence[pb.OrderEvent]) -> None:
    called = f"Order {order.number}" if order.number else "Order"
    gone = ", no longer in the store" if order.gone else ""
    say(f"[bold]{escape(called)}[/] · {escape(order.name)} · revision {order.revision}{gone}")
    for one in order.targets:
        _tell_target(one, found)
    say()
    if found:
        show_table(("belongs to it", "to", "state", "document", "what", "why"), [_belonging(one) for one in found])
        say()
    day = ""
    for event in events:
        day = _heading(event, day)
        say(f"  {words.time_of_day(event.at)}  {escape(_sentence(event))}")


def _tell_target(one: pb.TargetSync, found: Sequence[record_pb2.Record]) -> None:
    """Where the order is in one target; and what of it has stopped, where that is not the order itself."""
    stopped = next((part for part in found if part.target == one.target and part.state == pb.SYNC_STATE_HELD), None)
    part = f"{stopped.kind} {short_name(stopped.name)}: " if stopped and one.state == pb.SYNC_STATE_HELD else ""
    holds = f" · holds revision {one.applied_revision}" if one.applied_revision else ""
    document = one.document_number or one.external_id
    if part and document:
        say(f"[green]{escape(f'it is in {one.target} as {document}')}[/]{holds}")
        holds = ""
    say(f"{words.coloured(one.state, part + one.words)}{holds}")
    if one.detail:
        say(f"  {escape(one.detail)}")
    if one.advice:
        say(f"  what to do: {escape(one.advice)}")
    if one.HasField("due_at"):
        say(f"  goes on at {words.moment(one.due_at)}")


def _belonging(one: record_pb2.Record) -> tuple[Cell, ...]:
    document = one.document_number or one.external_id
    name = f"{one.kind} {short_name(one.name)}"
    return name, one.target, words.cell(one.state), document, records.what(one), records.why(one)


def _heading(event: pb.OrderEvent, day: str) -> str:
    """The day above its first event."""
    today = words.day(event.at)
    if today != day:
        say(f"[bold]{today}[/]")
    return today


def _sentence(event: pb.OrderEvent) -> str:
    parts = [event.words]
    if event.content:
        parts.append(event.content)
    if event.detail and event.detail not in event.words:
        parts.append(event.detail)
    if event.actor and event.actor not in event.words:
        parts.append(f"by {event.actor}")
    return " · ".join(parts)


# ---- watch ---------------------------------------------------------------------------------------------------------


@_group.command()
def watch(
    name: Annotated[str | None, typer.Argument(metavar="ORDER", help="Only this order.")] = None,
    connection: options.Store = None,
    target: options.Target = None,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Show what happens as it happens, until Ctrl-C. With --json, one document a line.

    Nothing is left out: a broken connection is taken up again where it ended.

    `tallystick orders watch --connection woocommerce`
    """
    request = pb.WatchOrderSyncRequest(name=name or "", connection=connection or "", target=target or "")
    ask(api, data, lambda client: _watch(client, request, json))


async def _watch(client: Api, request: pb.WatchOrderSyncRequest, json: bool) -> None:
    async for event in _events(client, request):
        if json:
            out().out(orjson.dumps(plain(event)).decode(), highlight=False)
        else:
            say(f"{words.moment(event.at)}  [bold]{escape(event.order)}[/]  {escape(_sentence(event))}")


async def _events(client: Api, request: pb.WatchOrderSyncRequest) -> AsyncIterator[pb.OrderEvent]:
    """Without end; every hour, and when the other side restarts, from the last position on."""
    while True:
        try:
            async for answer in client.orders.WatchOrderSync(request):
                request.resume_token = answer.resume_token
                if answer.HasField("event"):
                    yield answer.event
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or not request.resume_token:
                raise
            note("the connection broke off; going on …")
        await asyncio.sleep(_AGAIN_S)
