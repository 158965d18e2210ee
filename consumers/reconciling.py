"""Everything that is reconciled in this process, put together."""

from collections.abc import Iterator, Sequence

from consumers.reconcile import Reconcile
from consumers.target import Target, sinks_of
from tallystick.installation import Installation
from tallystick.intake.door import Door
from tallystick.intake.rereads import Rereads
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import PendingDeliveries
from tallystick.ledger.pool import Pool
from tallystick.reconcile.documents import Documents, Into
from tallystick.reconcile.duplicates import Duplicates
from tallystick.reconcile.plan import FULFILMENTS, ORDERS, places
from tallystick.reconcile.ports import PartlyShown
from tallystick.reconcile.source import Sources
from tallystick.reconcile.walk import DuplicateWalk, Side, SourceWalk, Walkable
from tallystick.settings import ReconcileSettings


def build_reconcile(
    installation: Installation, pool: Pool, door: Door, rereads: Rereads, targets: Sequence[Target],
    settings: ReconcileSettings | None = None,
) -> Reconcile:  # fmt: skip
    """The loop with all its walks."""
    side = Side(Sources(pool), Objects(pool), door, PendingDeliveries(pool), rereads, installation.clock)
    documents = [Documents(pool, _into(installation, target)) for target in targets]
    work = installation.settings.work
    return Reconcile(
        pool,
        list(_walks(installation, pool, side, documents)),
        [target.engine.ledger for target in targets],
        installation.clock,
        installation.metrics,
        settings or installation.settings.reconcile,
        every_s=work.sweep_every_s,
        scale=work.time_scale,
    )


def _into(installation: Installation, target: Target) -> Into:
    return Into(target.engine.ledger, target.router, sinks_of(installation, target.engine.ledger.target))


def _walks(installation: Installation, pool: Pool, side: Side, documents: Sequence[Documents]) -> Iterator[Walkable]:
    for (connection, flow), since in places(installation).items():
        adapter = installation.adapters[connection]
        if flow == ORDERS:
            hides = adapter if isinstance(adapter, PartlyShown) else None
            yield SourceWalk(side, connection, flow, "order", adapter.changed_orders, since, documents, hides)
        elif flow == FULFILMENTS:
            yield SourceWalk(side, connection, flow, "fulfilment", adapter.changed_fulfilments, since)
        else:
            yield DuplicateWalk(connection, adapter, Duplicates(pool, connection, installation.metrics), since)
