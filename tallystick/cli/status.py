"""`tallystick status`: the whole installation at a glance."""

from typing import Annotated

import typer
from rich.markup import escape

from tallystick.cli import options, words
from tallystick.cli.client import DEADLINE_S, Api, ask, plain
from tallystick.cli.codes import Exit
from tallystick.cli.screen import say, show_json
from tallystick.v1 import status_pb2 as pb

_STATES = {
    pb.LANE_STATE_UNFINISHED: "under way",
    pb.LANE_STATE_WAITING: "waiting",
    pb.LANE_STATE_HELD: "held",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


def status(
    webhooks: Annotated[bool, typer.Option("--webhooks", help="Ask the stores whether they still send.")] = False,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Show what is under way, waiting and held, which system is down, and how far the stores were polled.

    Exit code 1 when an ERP is down, a route is paused or a webhook is not active; 3 when orders are held; else 0.

    `tallystick status --webhooks`
    """

    async def look(client: Api) -> pb.GetStatusResponse:
        request = pb.GetStatusRequest(with_webhooks=webhooks)
        answer: pb.GetStatusResponse = await client.status.GetStatus(request, timeout=2 * DEADLINE_S)
        return answer

    found = ask(api, data, look)
    if json:
        show_json(plain(found))
    else:
        _show(found)
    raise typer.Exit(_judge(found, webhooks=webhooks))


def _judge(found: pb.GetStatusResponse, *, webhooks: bool) -> Exit:
    down = any(target.HasField("circuit") for target in found.targets)
    paused = any(route.pauses for target in found.targets for route in target.routes)
    if down or paused or (webhooks and not all(map(_sends, found.connections))):
        return Exit.FAILED
    held = any(lane.state == pb.LANE_STATE_HELD for target in found.targets for lane in target.lanes)
    return Exit.HELD if held else Exit.FINE


def _sends(store: pb.ConnectionStatus) -> bool:
    """Without subscriptions, or with a silent one, changes are found by polling only."""
    return bool(store.webhooks) and all(hook.active for hook in store.webhooks)


def _show(found: pb.GetStatusResponse) -> None:
    say(f"Tallystick {found.version} · PostgreSQL {found.postgres_version} · {words.moment(found.at)}")
    for target in found.targets:
        _show_target(target)
    for connection in found.connections:
        _show_store(connection)


def _show_target(target: pb.TargetStatus) -> None:
    routes = ", ".join(f"{escape(route.connection)} ({route.mode})" for route in target.routes)
    say(f"\n[bold]{escape(target.target)}[/] · {target.kind} · from {routes}")
    if target.HasField("circuit"):
        circuit = target.circuit
        say(f"  [bold red]down[/]: {escape(circuit.detail)}; tried again at {words.time_of_day(circuit.until)}")
    for lane in target.lanes:
        why = f": {lane.reason}, {escape(lane.words)}" if lane.reason else ""
        since = f" (since {words.moment(lane.oldest_since)})" if lane.HasField("oldest_since") else ""
        colour = "[bold yellow]" if lane.state == pb.LANE_STATE_HELD else "[default]"
        say(f"  {colour}{lane.number} {_STATES.get(lane.state, 'unknown')}[/]{why}{since}")
    for route in target.routes:
        for pause in route.pauses:
            say(f"  [bold red]paused[/]: {escape(route.connection)}, {_why(pause)}")
    if not target.lanes and not target.HasField("circuit"):
        say("  [green]nothing under way, nothing held[/]")


def _why(pause: pb.RoutePause) -> str:
    if pause.reason == "RESTORED":
        return "after a restore; `tallystick restore --release` lets it go"
    return f"too many {pause.reason}, until {words.time_of_day(pause.until)}"


def _show_store(store: pb.ConnectionStatus) -> None:
    say(f"\n[bold]{escape(store.connection)}[/] · {store.kind}")
    if store.HasField("polled_at"):
        until = words.moment(store.polled_until)
        say(f"  polled at {words.moment(store.polled_at)}; every change until {until} is known")
    for one in store.pending:
        say(f"  [yellow]{one.number} deliveries wait[/]: {one.reason}, since {words.moment(one.oldest_at)}")
    for kind in store.not_eligible:
        say(f"  {kind.number} not eligible: {kind.reason}, {escape(kind.words)}")
    for hook in store.webhooks:
        say(f"  webhook {escape(hook.topic)}: " + ("[green]active[/]" if hook.active else "[bold red]not active[/]"))
    if store.webhooks_error:
        say(f"  [bold red]webhooks not checked[/]: {escape(store.webhooks_error)}")
