"""Looks again and again at what may only grow: the epochs of lanes and the committed offsets of the groups."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from consumers.target import group
from tallystick.away import AWAY
from tallystick.ledger.pool import Pool
from tests.crash.history import Sample

EVERY_S = 0.5


class Watch:
    """Samples until it is closed; a server that is away is looked at next time."""

    def __init__(self, kafka: str, pool: Pool, prefix: str, targets: Sequence[str]) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=kafka, request_timeout_ms=2000)
        self._pool = pool
        self._prefix = prefix
        self._targets = targets
        self._task: asyncio.Task[None] | None = None
        self.epochs: defaultdict[str, list[Sample]] = defaultdict(list)
        self.offsets: defaultdict[str, list[Sample]] = defaultdict(list)

    async def __aenter__(self) -> Self:
        await self._admin.start()
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._admin.close()

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(*AWAY):
                await self._look_at_epochs()
            with contextlib.suppress(*AWAY, KafkaError):
                await self._look_at_offsets()
            await asyncio.sleep(EVERY_S)

    async def _look_at_epochs(self) -> None:
        rows = await self._pool.fetch("SELECT target, lane_key, epoch FROM lane")
        epochs: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for row in rows:
            epochs[row["target"]][row["lane_key"]] = row["epoch"]
        for target, values in epochs.items():
            self.epochs[target].append(Sample(time.monotonic(), values))

    async def _look_at_offsets(self) -> None:
        for target in self._targets:
            found = await self._admin.list_consumer_group_offsets(self._prefix + group(target))
            values = {f"{tp.topic}/{tp.partition}": at.offset for tp, at in found.items()}
            self.offsets[target].append(Sample(time.monotonic(), values))
