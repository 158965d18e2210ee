"""One installation: the configuration with its adapters and contracts, built once and handed to every role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.clock import Clock, SystemClock, Timing
from tallystick.contract.compile import Contract
from tallystick.contract.load import load_contract
from tallystick.errors import SetupError
from tallystick.flows.plan import Plan, plans_into
from tallystick.ports import OrderSink, OrderSource
from tallystick.registry import AdapterKind, find_kind
from tallystick.settings import Mode, Route, Settings
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
        """Connections that documents are made in."""
        return sorted({route.erp for route in self.settings.routes if route.mode is not Mode.OFF})

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
        _require(route.store, adapters[route.store], OrderSource, "orders cannot be read from it")
        _require(route.erp, adapters[route.erp], OrderSink, "orders cannot be written to it")
    return Installation(
        settings=settings,
        adapters=adapters,
        contracts={route: load_contract(route.contract) for route in settings.routes},
        addresses=addresses,
        clock=clock,
        timing=Timing().scaled(settings.work.time_scale),
        metrics=metrics or Metrics(),
        unclean=unclean,
    )


def _require(name: str, adapter: object, ability: type, lack: str) -> None:
    if not isinstance(adapter, ability):
        raise SetupError(f"a route uses the connection {name!r}, but {lack}: not offered by this system")
