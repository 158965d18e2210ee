"""One route with its compiled contract, and how far each flow of it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tallystick.contract.compile import Contract
from tallystick.errors import SetupError
from tallystick.settings import FlowName, Mode, Route


@dataclass(frozen=True, slots=True)
class Plan:
    """What a flow needs to know of the route that it runs on."""

    route: Route
    contract: Contract

    def mode(self, flow: FlowName) -> Mode:
        """How far a flow goes on this route."""
        return self.route.mode_of(flow)


def plans_into(target: str, routes: Sequence[Route], contracts: Mapping[Route, Contract]) -> dict[str, Plan]:
    """The plans of all routes that touch `target`, by the connection at their other end. Raises `SetupError`."""
    plans = {}
    for route in routes:
        if target in (route.store, route.erp):
            _refuse_shadow(route)
            plans[route.store if route.erp == target else route.erp] = Plan(route, contracts[route])
    return plans


def _refuse_shadow(route: Route) -> None:
    shadows = [flow for flow in FlowName if route.mode_of(flow) is Mode.SHADOW]
    if shadows:
        raise SetupError(
            f"on the route {route.store} -> {route.erp} {', '.join(shadows)} is set to shadow, which this version does "
            "not offer; set off, observe or live"
        )
