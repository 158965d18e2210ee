"""`tallystick reconcile`: compare stores, ledger and ERPs now, and look at what passes found."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer
from google.protobuf.duration_pb2 import Duration

from tallystick.canonical.times import to_datetime, to_timestamp
from tallystick.cli import options
from tallystick.cli.client import Api, ask, plain
from tallystick.cli.codes import Exit
from tallystick.cli.screen import complain, note, say, show_json, show_table
from tallystick.clock import SystemClock
from tallystick.reconcile.findings import COMPARED, What
from tallystick.v1 import reconcile_pb2 as pb

_WAIT_S = 5
_BACK = timedelta(hours=48)

app = typer.Typer(no_args_is_help=True, help="Compare stores, ledger and ERPs, and look at what passes found.")

Run = Annotated[int, typer.Argument(metavar="RUN", help="Its number, as `reconcile list` shows it.", min=1)]
Connection = Annotated[
    str | None,
    typer.Option("--connection", help="Only this store or ERP.", show_default=False, metavar="ID"),
]


def register(app_: typer.Typer) -> None:
    """Add the commands."""
    app_.add_typer(app, name="reconcile")


@app.command("run")
def run_(
    connection: Connection = None,
    since: Annotated[
        str | None, typer.Option("--since", help="From when on; two days back when left out.", metavar="TIME")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Now when left out.", metavar="TIME")] = None,
    request_id: options.Request = None,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Compare now, and wait for the end. It goes on when this command is ended.

    Exit code 1 when something disagreed or could not be compared. What disagreed has entered again, is held, or is
    told; `tallystick reconcile show` says which.
    """
    start = options.instant(since) if since else SystemClock().now() - _BACK
    request = pb.StartReconcileRequest(
        request_id=options.request_id(request_id),
        connection=connection or "",
        since=to_timestamp(start),
        until=options.timestamp(until),
    )
    runs = ask(api, data, lambda client: _run(client, request, quiet=json))
    if json:
        show_json({"runs": [plain(run) for run in runs]})
    else:
        _table(runs)
        for finding in (finding for run in runs for finding in run.findings):
            note(_told(finding))
    if any(run.mismatches or run.problem for run in runs):
        raise typer.Exit(Exit.FAILED)


async def _run(client: Api, request: pb.StartReconcileRequest, *, quiet: bool) -> list[pb.ReconcileRun]:
    started = (await client.reconcile.StartReconcile(request)).runs
    if not quiet:
        note(f"{len(started)} passes, request id {request.request_id}")
    return list(await asyncio.gather(*(_finished(client, run, quiet=quiet) for run in started)))


async def _finished(client: Api, run: pb.ReconcileRun, *, quiet: bool) -> pb.ReconcileRun:
    asked = pb.GetReconcileRunRequest(run_id=run.run_id, wait=Duration(seconds=_WAIT_S))
    found = pb.ReconcileRun()
    while not found.HasField("finished_at"):
        before = found.progress
        found = (await client.reconcile.GetReconcileRun(asked)).run
        if not quiet and found.progress != before:
            waits = f", waits: {found.waits}" if found.waits else ""
            note(f"{found.connection}, {found.flow}: {found.progress:.0%}{waits}")
    return found


@app.command("list")
def list_(
    connection: Connection = None,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """The newest passes."""

    async def work(client: Api) -> Any:
        return await client.reconcile.ListReconcileRuns(pb.ListReconcileRunsRequest(connection=connection or ""))

    answer = ask(api, data, work)
    if json:
        show_json({"runs": [plain(run) for run in answer.runs]})
    else:
        _table(answer.runs)


@app.command("show")
def show(run: Run, api: options.Api = None, data: options.Data = None, json: options.Json = False) -> None:
    """One pass with all that it found."""

    async def work(client: Api) -> Any:
        return (await client.reconcile.GetReconcileRun(pb.GetReconcileRunRequest(run_id=run))).run

    found = ask(api, data, work)
    if json:
        show_json(plain(found))
        return
    _table([found])
    for tally in found.tallies:
        parts = [f"{getattr(tally, str(what))} {str(what).replace('_', ' ')}" for what in (COMPARED, *What)]
        say(f"{tally.flow}: {', '.join(part for part in parts if not part.startswith('0 '))}")
    for finding in found.findings:
        say(_told(finding))
    for problem in (found.problem, found.waits):
        if problem:
            complain(problem)


def _told(finding: pb.ReconcileFinding) -> str:
    where = f" ({finding.target})" if finding.target else ""
    detail = f": {finding.detail}" if finding.detail else ""
    return f"{finding.name}{where} {What(finding.what).words}{detail}"


def _table(runs: Sequence[pb.ReconcileRun]) -> None:
    columns = ("run", "connection", "flow", "depth", "since", "until", "progress", "compared", "disagree")
    show_table(columns, [_row(run) for run in runs])


def _row(run: pb.ReconcileRun) -> tuple[str, ...]:
    span = (f"{to_datetime(moment):%Y-%m-%d %H:%M}" for moment in (run.since, run.until))
    compared = sum(tally.compared for tally in run.tallies)
    numbers = (f"{run.progress:.0%}", str(compared), str(run.mismatches))
    return (str(run.run_id), run.connection, run.flow, run.depth, *span, *numbers)
