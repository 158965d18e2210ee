"""Whether the routes agree on who sells what: nothing is sold twice, and every sale is missing somewhere."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from tallystick.contract.compile import Contract
from tallystick.errors import SetupError
from tallystick.settings import FlowName, Mode, Route
from tallystick.stock.ports import StockSource, TakesStockAt

Contracts = Mapping[Route, Contract]


def shops(routes: Sequence[Route]) -> dict[str, list[str]]:
    """By ERP, the stores that are told what it has."""
    found: dict[str, list[str]] = {}
    for route in routes:
        if route.mode_of(FlowName.STOCK) is Mode.LIVE:
            found.setdefault(route.erp, []).append(route.store)
    return {erp: sorted(stores) for erp, stores in found.items()}


def reserving(routes: Sequence[Route]) -> list[Route]:
    """Routes whose orders take goods of an ERP that some store sells from."""
    sources = {route.erp for route in routes if route.mode_of(FlowName.STOCK) is not Mode.OFF}
    return [route for route in routes if route.erp in sources and route.mode is Mode.LIVE]


def taking_step(erp: StockSource) -> str | None:
    """The step of an order's document that takes its goods; None for the first."""
    return None if erp.takes_stock_at is TakesStockAt.DRAFT else "confirm"


def check(contracts: Contracts, adapters: Mapping[str, object]) -> None:
    """Raises `SetupError` for the first contradiction."""
    for problem in _problems(contracts, adapters):
        raise SetupError(problem)


def _problems(contracts: Contracts, adapters: Mapping[str, object]) -> Iterator[str]:
    routes = list(contracts)
    for route in routes:
        if route.mode_of(FlowName.STOCK) is not Mode.OFF:
            yield from _of_route(route, contracts[route], adapters[route.erp])
    for route in reserving(routes):
        if contracts[route].stock.reserve_from is None:
            yield (
                f"the route {route.store} -> {route.erp} sells what others show as stock, but its contract does not "
                "say from which warehouse: set stock.reserve_from"
            )
    for erp, stores in shops(routes).items():
        yield from _sold_twice(erp, {route.store: contracts[route] for route in routes if route.store in stores})
    for store in sorted({route.store for route in routes}):
        erps = [route.erp for route in routes if route.store == store and route.mode_of(FlowName.STOCK) is Mode.LIVE]
        if len(erps) > 1:
            yield f"{store} is told its stock by {' and '.join(erps)}; only one of them can be right"


def _of_route(route: Route, contract: Contract, erp: object) -> Iterator[str]:
    name = f"the route {route.store} -> {route.erp}"
    if not contract.stock.locations:
        yield f"{name} carries stock, but its contract does not say what stands behind its shelves: set stock.locations"
    takes = erp.takes_stock_at if isinstance(erp, StockSource) else TakesStockAt.DRAFT
    if takes in (TakesStockAt.RESERVE, TakesStockAt.SHIP):
        yield (
            f"{route.erp} takes goods off its figure only at the step {takes.value!r}, which is not ours: nobody could "
            "tell from when on a sale is in it"
        )
    if takes is TakesStockAt.CONFIRM and not contract.confirms:
        yield (
            f"{name} leaves documents as drafts, and {route.erp} takes goods off its figure when they are confirmed: "
            "nobody could tell from when on a sale is in it; set confirm: true, or leave out the stock"
        )


def _sold_twice(erp: str, contracts: Mapping[str, Contract]) -> Iterator[str]:
    shares: dict[str, dict[str, Decimal]] = {}
    for store, contract in contracts.items():
        for warehouse, share in contract.stock.shares().items():
            shares.setdefault(warehouse, {})[store] = share
    for warehouse, by_store in shares.items():
        knowing = all(warehouse in contracts[store].stock.shared() for store in by_store)
        if sum(by_store.values()) > 100 and not knowing:
            told = ", ".join(f"{store} {share:f} %" for store, share in sorted(by_store.items()))
            yield (
                f"the warehouse {warehouse!r} of {erp} is shown by several stores ({told}): its pieces would be sold "
                "twice; split it by `share`, or say `shared: true` in each of their contracts"
            )
