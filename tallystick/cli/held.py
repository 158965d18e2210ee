"""`tallystick held`: orders that have stopped until a person acts, and the three acts."""

from typing import Annotated

import typer
from rich.markup import escape

from tallystick.cli import options, words
from tallystick.cli.client import Api, ask, plain
from tallystick.cli.screen import say, show_json, show_table
from tallystick.v1 import held_pb2 as pb

_group = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Orders that wait for a person.")
_PAGE_MAX = 500

Name = Annotated[str, typer.Argument(metavar="ORDER", help="As `held list` or `orders list` names it, or its number.")]
Why = Annotated[str, typer.Option("--reason", help="Why, for the audit.", show_default=False, metavar="TEXT")]
MaybeWhy = Annotated[str, typer.Option("--reason", help="Why, for the audit.", show_default=False, metavar="TEXT")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(_group, name="held")


@_group.command("list")
def list_held(
    connection: options.Store = None,
    target: options.Target = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason, such as MAPPING or UNBALANCED.")] = None,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """List what is held, with its reason and since when.

    `tallystick held list --reason MAPPING`
    """
    request = pb.ListHeldRequest(connection=connection or "", target=target or "", reason=reason or "")
    found = ask(api, data, lambda client: _listed(client, request))
    if json:
        show_json({"held": [plain(one) for one in found]})
        return
    rows = [
        (one.name, one.number, one.target, one.reason, words.moment(one.since), one.detail or one.words)
        for one in found
    ]
    show_table(("order", "number", "target", "reason", "since", "what exactly"), rows)
    if not found:
        say("Nothing is held.")


async def _listed(client: Api, request: pb.ListHeldRequest) -> list[pb.Held]:
    found: list[pb.Held] = []
    request.page_size = _PAGE_MAX
    while True:
        answer = await client.held.ListHeld(request)
        found += answer.held
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            return found


@_group.command()
def resume(
    name: Name,
    target: options.Target = None,
    reason: MaybeWhy = "",
    request_id: options.Request = None,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Try again, under the contract of today. What is in the ERP already is compared before anything is written.

    `tallystick held resume woocommerce/1042 --reason "product MUG is in Odoo now"`
    """
    request = pb.ResumeHeldRequest(
        name=name, target=target or "", reason=reason, request_id=options.request_id(request_id)
    )

    async def act(client: Api) -> pb.Held:
        answer: pb.ResumeHeldResponse = await client.held.ResumeHeld(request)
        return answer.resumed

    _report("resumed", ask(api, data, act), json)


@_group.command()
def skip(
    name: Name,
    reason: Why,
    target: options.Target = None,
    request_id: options.Request = None,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Never send what is held. What depends on it, such as a refund of this order, is held in its turn.

    `tallystick held skip woocommerce/1042 --reason "a test of the agency"`
    """
    request = pb.SkipHeldRequest(
        name=name, target=target or "", reason=reason, request_id=options.request_id(request_id)
    )

    async def act(client: Api) -> pb.Held:
        answer: pb.SkipHeldResponse = await client.held.SkipHeld(request)
        return answer.skipped

    _report("skipped", ask(api, data, act), json)


@_group.command("mark-applied")
def mark_applied(
    name: Name,
    document: Annotated[str, typer.Option("--document", help="The ERP's id of the document.", show_default=False)],
    reason: Why,
    number: Annotated[str, typer.Option("--number", help="Its number as people know it.", show_default=False)] = "",
    target: options.Target = None,
    request_id: options.Request = None,
    api: options.Api = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """A person has made the document in the ERP: bind it, and take what is held as applied.

    `tallystick held mark-applied shopify/5512345678901 --document 4711 --number S04711 --reason "typed by hand"`
    """
    request = pb.MarkAppliedRequest(
        name=name,
        target=target or "",
        reason=reason,
        request_id=options.request_id(request_id),
        external_id=document,
        document_number=number,
    )

    async def act(client: Api) -> pb.Held:
        answer: pb.MarkAppliedResponse = await client.held.MarkApplied(request)
        return answer.applied

    _report("marked as applied", ask(api, data, act), json)


def _report(done: str, held: pb.Held, json: bool) -> None:
    if json:
        show_json(plain(held))
        return
    say(f"{escape(held.name)} in {escape(held.target)} is {done}. It was held: {held.reason}, {escape(held.words)}.")
