"""One pass over a company's last hours, made when a test wants it, as of another process."""

from collections import Counter
from datetime import timedelta

from consumers.main import _reread
from consumers.reconcile import Reconcile
from consumers.reconciling import build_reconcile
from consumers.target import Target
from tallystick.intake.door import Door
from tallystick.intake.rereads import Rereads
from tallystick.kafka.producer import Producer
from tallystick.ledger.objects import Objects
from tallystick.ledger.pending import PendingDeliveries
from tallystick.reconcile.findings import COMPARED, Finding
from tallystick.reconcile.plan import places
from tallystick.reconcile.runs import WINDOW_S, Run, Runs, Span
from tallystick.settings import ReconcileSettings
from tests.flows.company import Company


def reconcile_of(company: Company, producer: Producer) -> Reconcile:
    """The loop, with nothing that runs by itself."""
    installation, objects = company.installation, Objects(company.pool)
    door = Door(objects, producer)
    rereads = Rereads(objects, door, installation.stores, installation.clock)
    reread = _reread(installation, PendingDeliveries(company.pool))
    targets = [Target(installation, company.pool, producer, name, reread) for name in installation.targets]
    return build_reconcile(installation, company.pool, door, rereads, targets, ReconcileSettings(pause_s=0))


async def compared(company: Company, request: str, back: timedelta = timedelta(minutes=30)) -> list[Run]:
    """Every flow, up to now; answers the passes once they are made."""
    installation = company.installation
    # A second later than whatever was dated in this one.
    end = installation.clock.now() + timedelta(seconds=2)
    spans = [Span(connection, flow, end - back, end) for connection, flow in places(installation)]
    runs = Runs(company.pool)
    producer = Producer(installation.addresses.kafka, prefix=installation.settings.kafka.prefix)
    await producer.start()
    try:
        reconcile = reconcile_of(company, producer)
        asked = await runs.ask(spans, request, "Ada", WINDOW_S)

        async def made() -> bool:
            await reconcile.turn()
            return all(run.finished_at for run in await runs.ask(spans, request, "Ada", WINDOW_S))

        await company.until(made)
    finally:
        await producer.stop()
    whole = [await runs.get(run.id) for run in asked]
    return [run for run in whole if run is not None]


def findings(runs: list[Run], name: str) -> list[Finding]:
    """What was found about one order and its parts."""
    return [one for run in runs for one in run.findings if one.name == name or one.name.startswith(f"{name}/")]


def tallies(runs: list[Run]) -> Counter[tuple[str, str]]:
    """What was found in all, by flow and kind."""
    found: Counter[tuple[str, str]] = Counter()
    for run in runs:
        found.update({what: number for what, number in run.tallies.items() if what[1] != COMPARED})
    return found
