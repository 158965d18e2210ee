"""`tallystick records`: where payments, refunds, returns, shipments, customers and prices are."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape

from tallystick.canonical import returns
from tallystick.canonical.money import amount
from tallystick.cli import options, words
from tallystick.cli.client import Api, ask, plain
from tallystick.cli.codes import Exit
from tallystick.cli.screen import Cell, note, say, show_json, show_table
from tallystick.v1 import order_sync_pb2, price_pb2
from tallystick.v1 import record_pb2 as pb

_group = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Where payments, refunds, returns, shipments, customers and prices are, and why.",
)
_PAGE_MAX = 500
_COLUMNS = ("known since", "record", "to", "state", "document", "what", "why")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(_group, name="records")


# ---- list ----------------------------------------------------------------------------------------------------------


@_group.command("list")
def list_records(
    kind: Annotated[
        str | None, typer.Option(help="Only this kind, such as refund, payment, fulfilment, customer or price.")
    ] = None,
    order: Annotated[
        str | None, typer.Option(help="Only what belongs to this order: its number or name.", metavar="ORDER")
    ] = None,
    connection: Annotated[
        str | None, typer.Option("--connection", help="Only what comes from this store or ERP.", metavar="ID")
    ] = None,
    target: Annotated[str | None, typer.Option("--target", help="Only what goes there.", metavar="ID")] = None,
    state: Annotated[words.State | None, typer.Option(help="Only records in this state.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason, such as MAPPING or LOCKED.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Known then or later, such as 2026-11-20.", metavar="TIME")
    ] = None,
    before: Annotated[
        str | None, typer.Option("--before", help="Known before, such as 2026-12-01.", metavar="TIME")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """List records, the last known first: what came, whether it is where it belongs, and if not, why.

    Every refund that is not in the books, and why:

    `tallystick records list --kind refund --state held`

    All payments of November, for a spreadsheet:

    `tallystick records list --kind payment --since 2026-11-01 --before 2026-12-01 --limit 10000 > payments.tsv`

    Everything that belongs to one order:

    `tallystick records list --order 1042`
    """
    request = pb.ListRecordsRequest(
        kind=kind or "",
        order=order or "",
        connection=connection or "",
        target=target or "",
        state=words.STATES[state] if state else order_sync_pb2.SYNC_STATE_UNSPECIFIED,
        reason=reason or "",
        since=options.timestamp(since),
        before=options.timestamp(before),
    )
    found, more = ask(api, data, lambda client: listed(client, request, limit))
    if json:
        show_json({"records": [plain(one) for one in found], "more": more})
        return
    show_table(_COLUMNS, [_row(one) for one in found], whole=("record",))
    if more:
        note(f"there are more than {limit}; --limit shows them")
    if not found:
        note("no record is like that")


async def listed(client: Api, request: pb.ListRecordsRequest, limit: int) -> tuple[list[pb.Record], bool]:
    """The first so many, and whether there are more."""
    found: list[pb.Record] = []
    while True:
        request.page_size = min(_PAGE_MAX, limit + 1 - len(found))
        answer = await client.records.ListRecords(request)
        found += answer.records
        request.page_token = answer.next_page_token
        if len(found) > limit or not answer.next_page_token:
            return found[:limit], len(found) > limit


def _row(one: pb.Record) -> tuple[Cell, ...]:
    return (
        words.moment(one.known_since),
        one.name,
        one.target,
        words.cell(one.state),
        one.document_number or one.external_id,
        what(one),
        why(one),
    )


def what(one: pb.Record) -> str:
    """What it is about, in a few words."""
    details = one.WhichOneof("details")
    if details == "money":
        return f"{amount(one.money.amount)} {one.money.amount.currency_code}"
    if details == "shipment":
        return ", ".join(f"{t.carrier} {t.number}".strip() for t in one.shipment.trackings) or "no tracking yet"
    if details == "returned":
        return f"{one.returned.pieces} pieces, {returns.state_words(one.returned.state)}"
    if details == "price":
        return ", ".join(map(_price, one.price.prices)) or "no price"
    return ""


def _price(one: price_pb2.Price) -> str:
    many = f" from {one.quantity_min}" if one.quantity_min not in ("", "0", "1") else ""
    return f"{one.price_list}: {amount(one.price)} {one.price.currency_code}{many}"


def why(one: pb.Record) -> str:
    """Why it is not there; nothing when it is."""
    return "" if one.state == order_sync_pb2.SYNC_STATE_SYNCED else one.detail or one.words


# ---- show ----------------------------------------------------------------------------------------------------------


@_group.command()
def show(
    name: Annotated[str, typer.Argument(metavar="RECORD", help="In full, as `records list` names it.")],
    target: Annotated[str | None, typer.Option("--target", help="Only there.", metavar="ID")] = None,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Tell where one record is: which document it became, or why there is none and what to do about it.

    Exit code 3 when it is held or not eligible, 4 when nobody ever showed it.

    `tallystick records show shopify/5512345678901/refund/930`

    `tallystick records show woocommerce/price/MUG-01 --json`
    """

    async def asked(client: Api) -> Sequence[pb.Record]:
        answer = await client.records.GetRecord(pb.GetRecordRequest(name=name, target=target or ""))
        records: Sequence[pb.Record] = answer.records
        return records

    found = ask(api, data, asked)
    if json:
        show_json({"records": [plain(one) for one in found]})
    else:
        for one in found:
            _tell(one)
    if any(one.state in words.STOPPED for one in found):
        raise typer.Exit(Exit.HELD)


def _tell(one: pb.Record) -> None:
    gone = ", no longer there" if one.gone else ""
    revision = f" · revision {one.revision}" if one.revision else ""
    say(
        f"[bold]{escape(one.kind.capitalize())}[/] · {escape(one.name)} · from {escape(one.connection)}{revision}{gone}"
    )
    say(words.coloured(one.state, one.words))
    if one.detail:
        say(f"  {escape(one.detail)}")
    if one.advice:
        say(f"  what to do: {escape(one.advice)}")
        say(f"  [dim]tallystick held resume {escape(one.order or one.name)} --target {escape(one.target)}[/]")
    if one.in_doubt:
        say("  a request got no answer; whether it was applied is being looked up")
    for label, text in _facts(one):
        say(f"  {label:<12}{escape(text)}")


def _facts(one: pb.Record) -> list[tuple[str, str]]:
    facts = [
        ("what", what(one)),
        ("paid with", " ".join(filter(None, (one.money.gateway, one.money.reference)))),
        ("document", " · ".join(dict.fromkeys(filter(None, (one.document_number, one.external_id))))),
        ("order", one.order),
        ("contract", one.contract_version),
        ("known since", words.moment(one.known_since)),
        ("applied", words.moment(one.applied_at) if one.HasField("applied_at") else ""),
        ("stopped", words.moment(one.since) if one.HasField("since") else ""),
        ("goes on", words.moment(one.due_at) if one.HasField("due_at") else ""),
    ]
    return [(label, text) for label, text in facts if text]
