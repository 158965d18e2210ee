"""`tallystick simulate`: what cannot be waited for, played on real servers with doubles of the vendors' clouds."""

from typing import Annotated

import typer

from tallystick.cli import options
from tallystick.cli.codes import Exit, Stop
from tallystick.cli.running import run
from tallystick.cli.screen import say, show_json

_group = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Play what cannot be waited for.")
#: Stores that set a figure only while they still show what was expected.
_COMPARING = ("shopify",)
_BUYERS_MAX = 1_000_000


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(_group, name="simulate")


@_group.callback()
def _many() -> None:
    """More simulations may come."""


@_group.command("flash-sale")
def flash_sale(
    store: Annotated[str, typer.Option(help="The kind of shop.")] = "shopify",
    buyers: Annotated[int, typer.Option(min=1, max=_BUYERS_MAX, help="How many want one piece each.")] = 10_000,
    over_s: Annotated[float, typer.Option("--over", min=0.1, max=600, help="Seconds from first to last.")] = 12.0,
    kafka: options.Kafka = None,
    postgres: options.Postgres = None,
    json: options.Json = False,
) -> None:
    """Ten thousand buyers, 500 pieces of three products; Odoo takes 30 seconds (scaled), webhooks are late and lost.

    The shop and Odoo are doubles on this machine; Kafka, PostgreSQL and Tallystick are real. The figures come from the
    shop's own journal. Exit code 1 if one is off: a figure above what there was (a shop that compares), a piece sold
    twice, or a piece that nobody is shown afterwards.

    `tallystick simulate flash-sale --store shopify`
    """
    from simulators.flash import STORES
    from tallystick.cli.flash import flash_sale as play

    if store not in STORES:
        raise Stop(Exit.USAGE, f"there is no flash sale in {store!r}; there are {' and '.join(STORES)}")
    verdict = run(play(store, kafka, postgres, buyers=buyers, over_s=over_s, as_json=json))
    if json:
        show_json(verdict.as_json())
    else:
        say(f"{verdict.sold} of {verdict.units} pieces sold to {verdict.buyers:,} buyers in {verdict.store}.")
        say(f"  figures above what there was: {verdict.published_above_truth} (at worst by {verdict.overshoot})")
        say(f"  pieces nobody is shown:       {verdict.left_too_low}")
        say(f"  pieces sold twice:            {verdict.oversold}")
    if not verdict.ok(compares=store in _COMPARING):
        raise typer.Exit(Exit.FAILED)
