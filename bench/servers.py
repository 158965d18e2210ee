"""The servers of one run: Kafka as in a cluster that replicates, PostgreSQL with fsync; databases by copy."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from bench.report import Progress
from tallystick.ledger.migrate import migrate
from tallystick.stack import open_stack

_TEMPLATE = "bench_template"


@dataclass(slots=True)
class Servers:
    """Where they are."""

    kafka: str
    postgres: str
    described: str
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def database(self) -> str:
        """The DSN of a fresh database with an empty ledger."""
        name = f"bench_{next(self._numbers)}"
        administrator = await asyncpg.connect(self.postgres)
        await administrator.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        await administrator.close()
        return self._dsn(name)

    async def drop(self, dsn: str) -> None:
        """Give its room back."""
        administrator = await asyncpg.connect(self.postgres)
        await administrator.execute(f"DROP DATABASE {dsn.rsplit('/', 1)[1]} WITH (FORCE)")
        await administrator.close()

    def prefix(self) -> str:
        """Before the names of topics and groups of one measurement."""
        return f"bench{next(self._numbers)}."

    async def prepare(self) -> None:
        """Make the template."""
        administrator = await asyncpg.connect(self.postgres)
        await administrator.execute(f"CREATE DATABASE {_TEMPLATE}")
        await administrator.close()
        await migrate(self._dsn(_TEMPLATE))

    def _dsn(self, name: str) -> str:
        return self.postgres.rsplit("/", 1)[0] + f"/{name}"


@asynccontextmanager
async def servers(progress: Progress) -> AsyncIterator[Servers]:
    """Start them. An acknowledged record is in the broker's memory; a committed row is on the disk."""
    progress.step("starting Kafka and PostgreSQL")
    async with (
        open_stack(kafka="(the next one)", durable=True, report=progress.step) as database,
        open_stack(postgres=database.postgres, durable=False, report=progress.step) as broker,
    ):
        described = f"Apache Kafka {broker.kafka_version} · PostgreSQL {database.postgres_version}"
        running = Servers(broker.kafka, database.postgres, described)
        await running.prepare()
        yield running
