"""`tallystick preview`: what would become of one order, without a call to anybody."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from tallystick.cli import options
from tallystick.cli.examples import demo_configuration
from tallystick.cli.screen import say, show_json, show_table
from tallystick.errors import SetupError, Unreadable
from tallystick.settings import FlowName, Mode, Route, Settings, load_settings

if TYPE_CHECKING:
    from tallystick.contract.preview import Preview
    from tallystick.ports import OrderSource, Reading

Store = Annotated[str, typer.Option("--store", help="The connection that the payload comes from.", show_default=False)]
Erp = Annotated[str | None, typer.Option("--erp", help="Where the store's orders go to more than one ERP.")]
Payload = Annotated[
    str,
    typer.Option("--payload", help="The file with the order; - reads standard input.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(preview)


def preview(
    store: Store,
    payload: Payload,
    config: options.MaybeConfig = None,
    erp: Erp = None,
    json: options.Json = False,
) -> None:
    """Show the ERP documents that an order with its refunds and returns would become, with proof, or why not.

    The payload is an order as the store's API answers it (also a list of one) or a webhook's body. Nothing is called
    and nothing is written; secrets are not needed. What only the ERP can resolve is listed as unresolved. Without
    --config it takes the example contracts, with the connections `shopify`, `woocommerce` and `odoo`.

    Exit code 0: it balances. 3: its money or its state would hold it, or it is not eligible. 2: it cannot be read.

    `tallystick preview --store woocommerce --payload order.json`

    `curl … | tallystick preview --config shop.yaml --store shopify --payload - --json`
    """
    found = _preview(config or demo_configuration(), store, erp, _read(payload))
    if json:
        show_json(found.body)
    else:
        _show(found.body)
    raise typer.Exit(found.exit_code)


def _read(payload: str) -> bytes:
    if payload == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(payload).read_bytes()
    except OSError as error:
        raise SetupError(f"the payload {payload} cannot be read: {error.strerror}") from error


def _preview(config: Path, store: str, erp: str | None, raw: bytes) -> "Preview":
    from adapters import KINDS
    from tallystick.clock import SystemClock
    from tallystick.contract.load import load_contract
    from tallystick.contract.preview import preview as apply
    from tallystick.intake.door import to_event
    from tallystick.ports import OrderSource
    from tallystick.registry import find_kind

    settings = load_settings(config)
    route = _route(settings, store, erp)
    connection = settings.connections[store]
    adapter = find_kind(KINDS, connection.kind).build(store, connection, SystemClock())
    if not isinstance(adapter, OrderSource):
        raise SetupError(f"the connection {store!r} is {connection.kind}, which has no orders to preview")
    reading = _parse(adapter, connection.kind, raw)
    event, parts = to_event(store, reading), [to_event(store, part) for part in reading.parts]
    if not event.HasField("order"):
        raise Unreadable("the payload names an order without holding it (a deletion, or a notice of one)")
    returns = route.mode_of(FlowName.RETURNS) is Mode.LIVE
    return apply(event.order, load_contract(route.contract), event.findings, route.since, parts, returns=returns)


def _parse(adapter: "OrderSource", kind: str, raw: bytes) -> "Reading":
    try:
        return adapter.parse_order(raw)
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(f"the payload is no order as {kind} writes it ({type(error).__name__})") from error


def _route(settings: Settings, store: str, erp: str | None) -> Route:
    routes = [route for route in settings.routes if route.store == store and erp in (None, route.erp)]
    if len(routes) == 1:
        return routes[0]
    if routes:
        raise SetupError(f"orders of {store!r} go to {', '.join(r.erp for r in routes)}; choose one with --erp")
    known = ", ".join(sorted({f"{route.store} -> {route.erp}" for route in settings.routes})) or "none"
    raise SetupError(f"no route leads from {store!r}{f' to {erp!r}' if erp else ''}; there are: {known}")


# ---- for people ----------------------------------------------------------------------------------------------------


def _show(body: Mapping[str, Any]) -> None:
    order, document = body["canonical"], body["document"]
    say(f"[bold]Order {escape(order.get('number') or order.get('id', '?'))}[/] · {_facts(order)}")
    if document is not None:
        _show_document(document)
    _show_balance(body["balance"])
    for item in body["unresolved"]:
        what = f"{item['kind']} {item['value']}".strip()
        say(f"unresolved: {escape(what)}: {escape(item['detail'])}")
    say(_verdict(body))
    for part in body["parts"]:
        _show_part(part)


def _show_part(part: Mapping[str, Any]) -> None:
    if part["type"] == "return":
        _show_return(part)
        return
    at = part["canonical"].get("refundedAt", "without a date")
    say(f"\n[bold]{part['type'].capitalize()} {escape(part['id'])}[/] · {escape(at)}")
    if part["document"] is not None:
        _show_document(part["document"])
    _show_balance(part["balance"])
    held = part["held"]
    if held is None:
        say("[green]It balances and would be credited.[/]")
    else:
        say(f"[yellow]It would not be credited: {held['reason']}[/]: {escape(held['detail'])}")


def _show_return(part: Mapping[str, Any]) -> None:
    number, state = part["canonical"].get("number", ""), part["canonical"].get("state", "")
    said = state.removeprefix("RETURN_STATE_").lower()
    say(f"\n[bold]Return {escape(number or part['id'])}[/] · {escape(said)}")
    lines = part["document"]["lines"] if part["document"] is not None else ()
    rows = [(one["product"], one["quantity"], one["location"] or "where it left from", one["reason"]) for one in lines]
    if rows:
        show_table(("product", "quantity", "to", "reason"), rows)
    if part["held"] is not None:
        say(f"[yellow]It would be held: {part['held']['reason']}[/]: {escape(part['held']['detail'])}")
    elif part["not_eligible"] is not None:
        say(f"Nothing would be announced: {part['not_eligible']['reason']}: {escape(part['not_eligible']['detail'])}")
    else:
        say("[green]The goods would be announced to the warehouse.[/]")


def _show_balance(balance: Mapping[str, Any]) -> None:
    if balance["document_total"] is not None:
        say(
            f"Store {balance['store_total']} · document {balance['document_total']} · "
            f"difference [bold]{balance['difference']}[/] {balance['currency']}"
        )


def _verdict(body: Mapping[str, Any]) -> str:
    held = body["held"]
    if held is not None:
        return f"[yellow]It would not be booked: {held['reason']}[/]: {escape(held['detail'])}"
    if all(item["kind"] == "customer" for item in body["unresolved"]):
        return "[green]It balances and would be booked.[/]"
    return "[green]It balances[/], and is booked once everything unresolved is there."


def _facts(order: Mapping[str, Any]) -> str:
    state = order.get("state", "").removeprefix("ORDER_STATE_").lower()
    paid = order.get("paymentState", "").removeprefix("PAYMENT_STATE_").lower().replace("_", " ")
    return escape(" · ".join(filter(None, (order.get("placedAt"), state, paid, order.get("currencyCode")))))


def _show_document(document: Mapping[str, Any]) -> None:
    say(f"dated {document['business_date']}" + "".join(f" · {k}: {escape(str(v))}" for k, v in _fields(document)))
    rows = [
        (line["product"], line["name"], line["quantity"], line["unit_price"], ", ".join(line["taxes"]), line["gross"])
        for line in document["lines"]
    ]
    show_table(("product", "text", "quantity", "price", "taxes", "with tax"), [[str(c) for c in row] for row in rows])
    for note in document["notes"]:
        say(f"note: {escape(note)}")


def _fields(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in document["fields"].items() if value not in (None, "")]
