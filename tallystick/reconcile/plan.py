"""What is reconciled in an installation: which flow of which connection, and from when on."""

from collections.abc import Mapping
from datetime import UTC, datetime

from tallystick.installation import Installation
from tallystick.reconcile.ports import DuplicateSweep
from tallystick.settings import FlowName, Mode

Place = tuple[str, str]
ORDERS, FULFILMENTS, DOCUMENTS = "orders", "fulfilments", "documents"


def places(installation: Installation) -> Mapping[Place, datetime]:
    """(connection, flow), each with where its source's time begins for us."""
    found: dict[Place, datetime] = {}
    for route in installation.settings.routes:
        if route.mode is Mode.OFF:
            continue
        wanted = [(route.store, ORDERS)]
        if route.mode_of(FlowName.FULFILMENTS) is not Mode.OFF:
            wanted.append((route.erp, FULFILMENTS))
        if isinstance(installation.adapters[route.erp], DuplicateSweep):
            wanted.append((route.erp, DOCUMENTS))
        since = route.since.astimezone(UTC)
        for place in wanted:
            found[place] = min(found.get(place, since), since)
    return found
