"""`tallystick connections`: try every connection out, and let one go for good."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from tallystick.cli import options, places
from tallystick.cli.codes import Exit, Stop
from tallystick.cli.running import run
from tallystick.cli.screen import say, show_json
from tallystick.errors import SetupError, TallystickError
from tallystick.settings import load_settings

if TYPE_CHECKING:
    from tallystick.installation import Installation

_group = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="The stores and ERPs that are connected.")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(_group, name="connections")


@dataclass(frozen=True, slots=True)
class Tried:
    """One thing that was tried on one connection."""

    connection: str
    what: str
    fine: bool
    #: What to do about it; empty when it is fine.
    advice: str


@_group.command("test")
def try_out(
    config: options.Config,
    names: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Only these.")] = None,
    json: options.Json = False,
) -> None:
    """Ask every system who it is, and whether it lets us do what the routes need. Changes nothing.

    Exit code 1 when something is not right.

    `tallystick connections test --config shop.yaml`
    """
    installation = places.installation_of(config)
    unknown = sorted(set(names or ()) - set(installation.adapters))
    if unknown:
        raise SetupError(f"there is no connection {', '.join(unknown)}; there are {', '.join(installation.adapters)}")
    tried = run(_test(installation, names or sorted(installation.adapters)))
    if json:
        show_json({"checks": [asdict(one) for one in tried]})
    else:
        _show(tried)
    if not all(one.fine for one in tried):
        raise typer.Exit(Exit.FAILED)


async def _test(installation: "Installation", names: Sequence[str]) -> list[Tried]:
    try:
        found = await asyncio.gather(*(_test_one(name, installation.adapters[name]) for name in names))
    finally:
        await installation.close()
    return [one for several in found for one in several]


async def _test_one(name: str, adapter: Any) -> list[Tried]:
    from tallystick.ports import ConnectionTest

    try:
        tried = [Tried(name, f"it is {await adapter.identity()}", True, "")]
        if isinstance(adapter, ConnectionTest):
            tried += [Tried(name, what, fine, "" if fine else advice) for what, fine, advice in await adapter.check()]
    except TallystickError as error:
        return [Tried(name, "it answers", False, str(error))]
    return tried


def _show(tried: Sequence[Tried]) -> None:
    heading = ""
    for one in tried:
        if one.connection != heading:
            heading = one.connection
            say(f"[bold]{escape(heading)}[/]")
        mark = "[green]fine[/]" if one.fine else "[bold red]not right[/]"
        say(f"  {mark}  {escape(one.what)}" + (f": {escape(one.advice)}" if one.advice else ""))


@_group.command()
def forget(
    name: Annotated[str, typer.Argument(metavar="ID", help="The connection that was taken out.")],
    config: options.Config,
    data: options.Data = None,
    postgres: options.Postgres = None,
    json: options.Json = False,
) -> None:
    """Let a connection go that was taken out of the configuration for good. Its history stays in the ledger.

    Without this the roles refuse to start, because a connection that is missing by mistake would lose its orders.

    `tallystick connections forget old-shop --config shop.yaml`
    """
    settings = load_settings(config)
    if name in settings.connections:
        raise SetupError(f"{name!r} stands in {config}; take it out there first")

    async def let_go() -> bool:
        from tallystick.identity import forget as forget_in
        from tallystick.ledger.pool import open_pool

        async with places.ledger(settings, data, postgres) as address, places.reaching("PostgreSQL"):
            pool = await open_pool(address)
            try:
                return await forget_in(pool, name)
            finally:
                await pool.close()

    if not run(let_go()):
        raise Stop(Exit.NOT_FOUND, f"the ledger knows no connection {name!r}")
    if json:
        show_json({"forgotten": name})
    else:
        say(f"{escape(name)} is forgotten.")
