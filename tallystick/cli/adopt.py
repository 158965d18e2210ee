"""`tallystick adopt`: bind orders from before a route's start to the documents that were typed by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.canonical.times import to_datetime
from tallystick.cli import options, places
from tallystick.cli.client import caller
from tallystick.cli.codes import Exit
from tallystick.cli.running import run
from tallystick.cli.screen import note, say, show_json, show_table
from tallystick.errors import SetupError
from tallystick.ports import Window

if TYPE_CHECKING:
    from tallystick.adoption import By, Candidate
    from tallystick.installation import Addresses, Installation
    from tallystick.settings import Route

RouteOption = Annotated[
    str, typer.Option("--route", help="From which store to which ERP.", metavar="STORE:ERP", show_default=False)
]
Field = Annotated[str, typer.Option("--field", help="The ERP's field that names the store's order.")]
Reference = Annotated[str, typer.Option("--by", help="What stands in that field: number, or id.")]
PlacedSince = Annotated[
    str, typer.Option("--since", help="Orders placed then or later.", metavar="TIME", show_default=False)
]
Apply = Annotated[bool, typer.Option("--apply", help="Bind what was found; without it nothing is written.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(adopt)


def adopt(
    config: options.Config,
    route: RouteOption,
    since: PlacedSince,
    field: Field = "client_order_ref",
    by: Reference = "number",
    apply: Apply = False,
    data: options.Data = None,
    kafka: options.Kafka = None,
    postgres: options.Postgres = None,
    json: options.Json = False,
) -> None:
    """Look up orders from before the route's start in the ERP, and bind each to its document. Creates nothing.

    Without --apply it only reports: found (exactly one document), ambiguous (several, or one that several orders
    claim), missing (none), ours (known already). Bound orders are shown as adopted and stay observed. Orders placed
    after the route's start are none of its business. Exit code 3 while something is ambiguous or missing.

    `tallystick adopt --config shop.yaml --route shopify:odoo --field client_order_ref --since 2026-01-01`

    `… the same with --apply`     once the report is right
    """
    from tallystick.adoption import Standing, counts

    reference = _by(by)
    installation = places.installation_of(config)
    chosen = _route(installation, route)
    placed = Window(options.instant(since), chosen.since)
    if placed.start >= placed.end:
        raise SetupError(f"--since has to be before the route's start, which is {chosen.since:%Y-%m-%d %H:%M %Z}")
    found, bound = run(_adopt(installation, chosen, placed, field, reference, apply, (data, kafka, postgres)))
    report = {"route": route, "field": field, "by": by, "counts": counts(found), "bound": bound}
    if json:
        show_json({**report, "orders": [_plain(one) for one in found]})
    else:
        _show(found, bound)
    if any(one.standing in (Standing.AMBIGUOUS, Standing.MISSING) for one in found):
        raise typer.Exit(Exit.HELD)


def _by(text: str) -> "By":
    from tallystick.adoption import By

    try:
        return By(text)
    except ValueError as error:
        raise SetupError(f"--by is {text!r}; there are {' and '.join(By)}") from error


def _route(installation: "Installation", text: str) -> "Route":
    for route in installation.settings.routes:
        if f"{route.store}:{route.erp}" == text:
            return route
    known = ", ".join(f"{route.store}:{route.erp}" for route in installation.settings.routes) or "none"
    raise SetupError(f"there is no route {text!r}; there are: {known}")


async def _adopt(
    blank: "Installation",
    route: "Route",
    placed: Window,
    field: str,
    by: "By",
    apply: bool,
    where: tuple[Path | None, str | None, str | None],
) -> tuple[list["Candidate"], int | None]:
    try:
        async with places.servers(blank.settings, *where) as addresses, places.reaching("PostgreSQL"):
            return await _with_ledger(places.at(blank, addresses), addresses, route, placed, field, by, apply)
    finally:
        await blank.close()


async def _with_ledger(
    installation: "Installation",
    addresses: "Addresses",
    route: "Route",
    placed: Window,
    field: str,
    by: "By",
    apply: bool,
) -> tuple[list["Candidate"], int | None]:
    from tallystick.adoption import Adoption
    from tallystick.identity import bind_identities
    from tallystick.intake.door import Door
    from tallystick.ledger.migrate import require_current
    from tallystick.ledger.objects import Objects
    from tallystick.ledger.pool import open_pool
    from tallystick.ports import ReferenceLookup
    from tallystick.start import ground

    erp = installation.adapters[route.erp]
    if not isinstance(erp, ReferenceLookup):
        raise SetupError(f"orders of {route.erp!r} cannot be looked up by a field: not offered by this system")
    now = installation.clock.now()
    if not apply:
        await require_current(addresses.postgres)
        pool = await open_pool(addresses.postgres)
        try:
            adoption = Adoption(pool, route.store, installation.adapters[route.store], route.erp, erp)
            return await adoption.report(placed, now, field, by), None
        finally:
            await pool.close()
    async with ground(installation) as base:
        used = {name: installation.adapters[name] for name in (route.store, route.erp)}
        await bind_identities(base.pool, installation.settings.connections, used)
        adoption = Adoption(base.pool, route.store, installation.adapters[route.store], route.erp, erp)
        found = await adoption.report(placed, now, field, by)
        door = Door(Objects(base.pool), base.producer, installation.metrics)
        return found, await adoption.apply(found, door, now, caller(), f"found by {field}")


# ---- for people and programs ---------------------------------------------------------------------------------------


def _plain(one: "Candidate") -> dict[str, Any]:
    return {
        "order": one.name,
        "number": one.order.number,
        "placed_at": to_datetime(one.order.placed_at).isoformat(),
        "standing": one.standing.value,
        "total": _total(one),
        "currency": one.order.totals.total.currency_code,
        "differs": one.differs,
        "documents": [
            {"id": found.external_id, "number": found.number, "total": found.total, "currency": found.currency}
            for found in one.documents
        ],
    }


def _total(one: "Candidate") -> str:
    from tallystick.canonical.money import amount

    return f"{amount(one.order.totals.total):f}"


def _show(found: Sequence["Candidate"], bound: int | None) -> None:
    from tallystick.adoption import Standing, counts

    rows = [
        (
            one.name,
            one.order.number,
            one.standing.value,
            ", ".join(document.number or document.external_id for document in one.documents),
            f"{_total(one)} {one.order.totals.total.currency_code}",
            ", ".join(f"{document.total} {document.currency}" for document in one.documents),
            "differs" if one.differs else "",
        )
        for one in found
    ]
    show_table(("order", "number", "standing", "document", "store total", "ERP total", ""), rows)
    say(" · ".join(f"{number} {name}" for name, number in counts(found).items()))
    if bound is not None:
        say(f"{bound} bound.")
    elif any(one.standing is Standing.FOUND for one in found):
        note("Nothing was written. Run the same with --apply to bind what was found.")
