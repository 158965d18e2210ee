"""Everything that runs for one target: its ledger, its engine, and the hands that worker and sweeper share."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping, Sequence

from consumers.hands import Hands
from consumers.sweeper import Sweeper
from consumers.worker import Worker
from tallystick.canonical.keys import parts
from tallystick.engine import Engine, Limits, Reread
from tallystick.flows.router import Router
from tallystick.installation import Installation
from tallystick.kafka.consumer import Consumer, Times
from tallystick.kafka.producer import Producer
from tallystick.ledger.ledger import Ledger, Listener
from tallystick.ledger.pool import Pool
from tallystick.ledger.rows import Row
from tallystick.ledger.stock import FiguresSettled, GoodsTaken
from tallystick.ports import Sink
from tallystick.settings import FlowName
from tallystick.stock.agreement import taking_step


def group(target: str) -> str:
    """One consumer group per target, so that a slow ERP holds back only itself."""
    return f"tallystick.worker.{target}"


def sinks_of(installation: Installation, target: str) -> Mapping[str, Sink]:
    """What takes documents into a target, by entity type."""
    # A flow's name is the name of the ability that takes it.
    return {flow.entity: getattr(installation.adapters[target], flow.name) for flow in installation.flows_into(target)}


def build_engine(installation: Installation, pool: Pool, target: str, reread: Reread | None = None) -> Engine:
    """The engine of one target, with the contracts of its routes."""
    sinks = sinks_of(installation, target)
    late_s = max(sink.traits.late_apply_max_s for sink in sinks.values())
    owner = f"{socket.gethostname()}:{os.getpid()}"
    listeners = _listeners(installation, target)
    ledger = Ledger(pool, target, owner, installation.timing, late_s, installation.metrics, listeners)
    router = Router(target, installation.plans(target))
    return Engine(
        ledger,
        sinks,
        router.build,
        clock=installation.clock,
        timing=installation.timing,
        metrics=installation.metrics,
        limits=Limits(attempts_max=installation.settings.work.attempts_max),
        reread=reread,
        beside=router.beside,
    )


def _listeners(installation: Installation, target: str) -> list[Listener]:
    """What of this target's outcomes is news for the flow of stock."""
    listeners: list[Listener] = []
    if target in installation.sources(FlowName.STOCK):
        listeners.append(GoodsTaken(target, taking_step(installation.adapters[target])))
    if any(flow.name is FlowName.STOCK for flow in installation.flows_into(target)):
        listeners.append(FiguresSettled(target))
    return listeners


class Target:
    """Worker and sweeper of one target in this process."""

    def __init__(
        self,
        installation: Installation,
        pool: Pool,
        producer: Producer,
        target: str,
        reread: Reread | None,
        times: Times | None = None,
    ) -> None:
        self._installation = installation
        self._producer = producer
        self._name = target
        self._times = times or Times().scaled(installation.settings.work.time_scale)
        settings = installation.settings
        self.engine = build_engine(installation, pool, target, _by_lane(reread))
        self._hands = Hands(self.engine, installation.metrics, 2 * settings.work.batch)
        self.router = Router(target, installation.plans(target))

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then every lane ends its wave and is given back."""
        settings, metrics = self._installation.settings, self._installation.metrics
        kafka = self._installation.addresses.kafka
        prefix = settings.kafka.prefix
        carried = {flow.topic for flow in self._installation.flows_into(self._name) if flow.topic is not None}
        topics = sorted(carried, key=lambda one: one.name)
        consumer = Consumer(kafka, group(self._name), topics, prefix=prefix, times=self._times, metrics=metrics)
        try:
            async with consumer if topics else contextlib.nullcontext(), asyncio.TaskGroup() as tasks:
                if topics:
                    worker = Worker(consumer, self._producer, self.router, self._hands, settings.work, metrics)
                    tasks.create_task(worker.run(stop))
                tasks.create_task(Sweeper(self._hands, settings.work).run(stop))
        finally:
            await self._hands.drain()

    async def take_in(self, rows: Sequence[Row]) -> None:
        """Record what was decided in this process, and work it at once where there is room."""
        result = await self.engine.deliver(rows)
        self._hands.take(result.claims)


def _by_lane(reread: Reread | None) -> Reread | None:
    """The engine knows lanes; intake knows orders."""
    if reread is None:
        return None

    async def by_lane(connection: str, lane_key: str) -> None:
        await reread(connection, parts(lane_key)[-1])

    return by_lane
