"""`tallystick backup` and `restore`: the ledger in a file, and back into an empty database."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tallystick.cli import options, places
from tallystick.cli.running import run
from tallystick.cli.screen import note, say, show_json
from tallystick.cli.state import running_in
from tallystick.errors import SetupError
from tallystick.settings import Mode, Settings, load_settings

if TYPE_CHECKING:
    from tallystick.backup import Manifest
    from tallystick.installation import Addresses

_REWIND_S = 3600


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.")],
    config: options.MaybeConfig = None,
    data: options.Data = None,
    postgres: options.Postgres = None,
    json: options.Json = False,
) -> None:
    """Write the whole ledger into one file, in one snapshot, while everything runs on.

    It holds what buyers wrote, so only you may read it. It needs a direct connection (not pgbouncer) and no programs
    of PostgreSQL, and it can be restored under another version of PostgreSQL. Kafka is not in it: what lies there is
    either in the ledger already or is found again by polling.

    `tallystick backup monday.tally --data /var/lib/tallystick`

    `TALLYSTICK_POSTGRES=postgresql://… tallystick backup monday.tally`
    """
    from tallystick.backup import backup as write
    from tallystick.clock import SystemClock

    settings = load_settings(config) if config is not None else None

    async def take() -> "Manifest":
        async with places.ledger(settings, data, postgres) as address, places.reaching("PostgreSQL"):
            return await write(address, file, SystemClock().now())

    manifest = run(take())
    if json:
        show_json({"file": str(file), **manifest.as_json()})
        return
    say(f"{escape(str(file))}: {sum(manifest.rows.values())} rows, as of {manifest.taken_at:%Y-%m-%d %H:%M:%S %Z}")


def restore(
    config: options.Config,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The backup.", show_default=False)] = None,
    release: Annotated[bool, typer.Option("--release", help="Let the restored routes go; the last step.")] = False,
    data: options.Data = None,
    kafka: options.Kafka = None,
    postgres: options.Postgres = None,
    json: options.Json = False,
) -> None:
    """Fill an empty database from a backup. Nothing is sent to any ERP until you let it go.

    The ledger of a backup does not know what the ERPs were told after it was taken, so it goes in steps:

    1. Stop every Tallystick, then **tallystick restore FILE** into a new --data folder or an empty database. It
    rewinds the consumer groups on Kafka to an hour before the backup, sets the pollers back by an hour, and pauses
    every route.

    2. Start `run` (or `serve` and `work`) as usual. Stores are polled and orders are recorded, but nothing is sent:
    `tallystick status` shows the routes as paused, and how far each store was polled. Wait until that is now.

    3. Orders from before a route's start that were adopted after the backup: **tallystick adopt … --apply** again.

    4. **tallystick restore --release**. Every unfinished order is first looked up in its ERP, and is sent only
    where it is not there or holds older content.

    5. **tallystick resync --connection STORE --since BACKUP-TIME** for each store compares all the rest. An ERP
    without unique references (class E2) may need its look-up lag to be over first; one without any look-up (E3) has
    its unfinished orders held for you to decide.

    `tallystick restore monday.tally --config shop.yaml --data /var/lib/tallystick-2`
    """
    settings = load_settings(config)
    if (file is None) != release:
        raise SetupError("name the backup to restore, or --release the routes of one that was restored")
    if file is None:
        _release(settings, data, postgres, json)
        return
    manifest = run(_restore(settings, file, (data, kafka, postgres)))
    if json:
        show_json({"file": str(file), **manifest.as_json()})
        return
    taken = f"{manifest.taken_at:%Y-%m-%d %H:%M:%S %Z}"
    say(f"{sum(manifest.rows.values())} rows restored, as of {taken}. All routes are paused.")
    note(
        "Next: start it, wait until `tallystick status` shows the stores as polled, then `tallystick restore --release`"
    )


def _routes(settings: Settings) -> list[tuple[str, str]]:
    return [(route.store, route.erp) for route in settings.routes if route.mode is not Mode.OFF]


async def _restore(settings: Settings, file: Path, where: tuple[Path | None, str | None, str | None]) -> "Manifest":
    from tallystick.backup import read_manifest
    from tallystick.backup import restore as fill

    read_manifest(file)
    if where[0] is not None and running_in(where[0]) is not None:
        raise SetupError(f"something runs on {where[0]}; a backup is restored into a new folder, before anything runs")
    async with places.servers(settings, *where) as addresses, places.reaching("PostgreSQL"):
        manifest = await fill(addresses.postgres, file, _routes(settings))
        await _rewind(settings, addresses, manifest)
    return manifest


async def _rewind(settings: Settings, addresses: "Addresses", manifest: "Manifest") -> None:
    """Everything that came in after the backup is read once more."""
    from datetime import timedelta

    from consumers.intake import GROUP
    from consumers.stock_books import GROUP as BOOKS
    from consumers.target import group
    from tallystick.kafka.admin import ensure_topics
    from tallystick.kafka.consumer import rewind
    from tallystick.kafka.topics import INTAKE, ORDERS, Topic
    from tallystick.stock.agreement import shops

    await ensure_topics(addresses.kafka, settings.kafka)
    to = manifest.taken_at - timedelta(seconds=_REWIND_S)
    groups: Sequence[tuple[str, Topic]] = [
        (GROUP, INTAKE),
        *((group(target), ORDERS) for target in sorted({target for _, target in _routes(settings)})),
        *([(BOOKS, ORDERS)] if shops(settings.routes) else []),
    ]
    for name, topic in groups:
        await rewind(addresses.kafka, name, [topic], prefix=settings.kafka.prefix, to=to)


def _release(settings: Settings, data: Path | None, postgres: str | None, json: bool) -> None:
    from tallystick.backup import release
    from tallystick.ledger.pool import open_pool

    async def let_go() -> tuple[int, int]:
        async with places.ledger(settings, data, postgres) as address, places.reaching("PostgreSQL"):
            pool = await open_pool(address)
            try:
                return await release(pool)
            finally:
                await pool.close()

    routes, effects = run(let_go())
    if json:
        show_json({"released": routes, "looked_up_first": effects})
        return
    say(f"{routes} routes are released; {effects} unfinished effects are looked up in their ERP first.")
