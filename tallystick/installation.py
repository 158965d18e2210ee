"""One installation: the configuration with its adapters and contracts, built once and handed to every role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tallystick.clock import Clock, SystemClock, Timing
from tallystick.contract.compile import Contract
from tallystick.contract.load import load_contract
from tallystick.customers.ports import CustomerSource
from tallystick.errors import SetupError
from tallystick.flows.flow import Direction, Flow
from tallystick.flows.plan import Plan, plans_into
from tallystick.flows.table import FLOWS
from tallystick.money_ports import PaymentSink, PaymentSource, RefundSink, RiskSource
from tallystick.ports import (
    CustomerSink,
    FulfilmentSink,
    FulfilmentSource,
    OrderSink,
    OrderSource,
)
from tallystick.prices.ports import PriceSink, PriceSource
from tallystick.registry import AdapterKind, find_kind
from tallystick.return_ports import ReturnSink, ReturnSource
from tallystick.settings import FlowName, Mode, Route, Settings
from tallystick.stock import agreement
from tallystick.stock.ports import PushesStock, StockHook, StockSink, StockSource
from tallystick.telemetry import Metrics


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where Kafka and Postgres are. `postgres` may be pgbouncer; migrations take a direct one."""

    kafka: str
    postgres: str


@dataclass(frozen=True, slots=True)
class Installation:
    """What every role is built from. Opens nothing by itself."""

    settings: Settings
    adapters: Mapping[str, Any]
    contracts: Mapping[Route, Contract]
    addresses: Addresses
    clock: Clock
    timing: Timing
    metrics: Metrics
    #: The last run on this data did not end cleanly: pollers look back further.
    unclean: bool = False

    @property
    def stores(self) -> dict[str, Any]:
        """Connections whose orders are read, by id."""
        wanted = {route.store for route in self.settings.routes if route.mode is not Mode.OFF}
        return {name: self.adapters[name] for name in sorted(wanted)}

    @property
    def targets(self) -> list[str]:
        """Connections that something is written to: ERPs, and stores that are told something."""
        return sorted(name for name in self.settings.connections if self.flows_into(name))

    def flows_into(self, target: str) -> tuple[Flow, ...]:
        """The flows that end in `target` on any route."""
        return tuple(flow for flow in FLOWS if any(_carries(route, flow, target) for route in self.settings.routes))

    def targets_of(self, store: str) -> list[str]:
        """ERPs that the orders of a store go to."""
        return sorted({one.erp for one in self.settings.routes if one.store == store and one.mode is not Mode.OFF})

    def sources(self, flow: FlowName) -> dict[str, datetime]:
        """ERPs from which a flow is read, each with where its first look begins."""
        first: dict[str, datetime] = {}
        for route in self.settings.routes:
            if route.mode_of(flow) is not Mode.OFF:
                first[route.erp] = min(first.get(route.erp, route.since), route.since).astimezone(UTC)
        return first

    @property
    def price_lists(self) -> dict[str, tuple[str, ...]]:
        """The price lists that are read from each ERP, as the contracts of its routes name them."""
        found: dict[str, set[str]] = {}
        for route in self.settings.routes:
            if route.mode_of(FlowName.PRICES) is not Mode.OFF:
                found.setdefault(route.erp, set()).update(self.contracts[route].price_lists)
        return {erp: tuple(sorted(lists)) for erp, lists in found.items()}

    @property
    def stock_hooks(self) -> dict[str, StockHook]:
        """What takes pushes of ERPs, by id: only of a flow that is on, and where a secret is set."""
        adapters = {name: self.adapters[name] for name in sorted(self.sources(FlowName.STOCK))}
        hooks = {name: one.stock_hook for name, one in adapters.items() if isinstance(one, PushesStock)}
        return {name: found for name, found in hooks.items() if found is not None}

    @property
    def customer_stores(self) -> dict[str, datetime]:
        """Stores whose customers are carried, each with where its first look begins."""
        first: dict[str, datetime] = {}
        for route in self.settings.routes:
            if route.mode_of(FlowName.CUSTOMERS) is not Mode.OFF:
                first[route.store] = min(first.get(route.store, route.since), route.since).astimezone(UTC)
        return first

    def plans(self, target: str) -> dict[str, Plan]:
        """The routes into one target."""
        return plans_into(target, self.settings.routes, self.contracts)

    async def close(self) -> None:
        """Give the adapters' connections back."""
        for adapter in self.adapters.values():
            await adapter.close()


def assemble(
    settings: Settings,
    kinds: Sequence[AdapterKind],
    addresses: Addresses,
    *,
    metrics: Metrics | None = None,
    clock: Clock | None = None,
    unclean: bool = False,
) -> Installation:
    """Build the adapters and compile the contracts. Raises `SetupError` for the first thing that cannot work."""
    clock = clock or SystemClock()
    adapters = {
        name: find_kind(kinds, connection.kind).build(name, connection, clock)
        for name, connection in settings.connections.items()
    }
    for route in settings.routes:
        _check_abilities(route, adapters)
    contracts = {route: load_contract(route.contract) for route in settings.routes}
    for route, contract in contracts.items():
        _check_contract(route, contract, adapters[route.store])
        _check_deltas(route, contract)
    agreement.check(contracts, adapters)
    return Installation(
        settings=settings,
        adapters=adapters,
        contracts=contracts,
        addresses=addresses,
        clock=clock,
        timing=Timing().scaled(settings.work.time_scale),
        metrics=metrics or Metrics(),
        unclean=unclean,
    )


def _carries(route: Route, flow: Flow, target: str) -> bool:
    end = route.erp if flow.direction is Direction.TO_ERP else route.store
    names = (flow.name, *_NEEDED_BY.get(flow.name, ()))
    return end == target and any(route.mode_of(name) is not Mode.OFF for name in names)


#: Flows whose effects need another's, so that its sink is there whenever they are.
_NEEDED_BY: Mapping[FlowName, tuple[FlowName, ...]] = {FlowName.CUSTOMERS: (FlowName.ORDERS,)}


#: What each flow needs of the store and of the ERP.
_ABILITIES: Mapping[FlowName, tuple[type | None, type | None]] = {
    FlowName.ORDERS: (OrderSource, OrderSink),
    FlowName.CUSTOMERS: (CustomerSource, CustomerSink),
    FlowName.REFUNDS: (None, RefundSink),
    FlowName.RETURNS: (ReturnSource, ReturnSink),
    FlowName.PAYMENTS: (PaymentSource, PaymentSink),
    FlowName.FULFILMENTS: (FulfilmentSink, FulfilmentSource),
    FlowName.STOCK: (StockSink, StockSource),
    FlowName.PRICES: (PriceSink, PriceSource),
}


def _check_deltas(route: Route, contract: Contract) -> None:
    if contract.deltas and route.mode is Mode.LIVE and route.mode_of(FlowName.REFUNDS) is not Mode.LIVE:
        raise SetupError(
            f"the contract {route.contract} says `when_locked: delta`, which credits what an edit takes off an order; "
            f"set `refunds: live` under `flows` of the route {route.store} -> {route.erp}"
        )


def _check_abilities(route: Route, adapters: Mapping[str, object]) -> None:
    if route.mode is not Mode.OFF:
        _require(route.erp, adapters[route.erp], CustomerSink, "an order needs its customer there (CustomerSink)")
    for flow, needed in _ABILITIES.items():
        if route.mode_of(flow) is Mode.OFF:
            continue
        for name, ability in zip((route.store, route.erp), needed, strict=True):
            if ability is not None:
                _require(name, adapters[name], ability, f"{flow} cannot go by it ({ability.__name__})")


def _check_contract(route: Route, contract: Contract, store: object) -> None:
    """What the contract and the store have to tell each other, beyond what types say."""
    if route.mode_of(FlowName.PAYMENTS) is not Mode.OFF:
        if not contract.tells_payments:
            raise SetupError(f"{route.contract} has no section `payments`, and a route carries payments by it")
        if isinstance(store, PaymentSource) and store.lacks_payments:
            raise SetupError(f"the connection {route.store!r} brings no single payments: {store.lacks_payments}")
    if route.mode_of(FlowName.RETURNS) is not Mode.OFF and isinstance(store, ReturnSource) and store.lacks_returns:
        raise SetupError(f"the connection {route.store!r} does not tell of returns in time: {store.lacks_returns}")
    if route.mode_of(FlowName.PRICES) is not Mode.OFF and not contract.price_lists:
        raise SetupError(f"{route.contract} names no list under `prices.lists`, and a route carries prices by it")
    if contract.asks_for_risk and route.mode is not Mode.OFF:
        lacks = store.lacks_risk if isinstance(store, RiskSource) else "not offered by this system"
        if lacks:
            raise SetupError(f"{route.contract} says `hold_risk`, but {route.store!r} brings no risk of fraud: {lacks}")


def _require(name: str, adapter: object, ability: type, lack: str) -> None:
    if not isinstance(adapter, ability):
        raise SetupError(f"a route uses the connection {name!r}, but {lack}: not offered by this system")
