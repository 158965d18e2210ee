"""Kafka and Postgres for this process: by address, in containers, or the real ones from the package indexes.

The choice is made per server, in that order. One stack, always real: there is no mock broker anywhere.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from tallystick.stack.errors import OTHER_WAYS, StackError

if TYPE_CHECKING:
    from tallystick.stack.embedded import Embedded

__all__ = ["Stack", "StackError", "open_stack"]
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stack:
    """Where the servers are and what they are."""

    kafka: str
    postgres: str
    kafka_version: str = "(by address)"
    postgres_version: str = "(by address)"
    kind: str = "by address"
    #: Where the data stays; None when it is not ours to keep or goes with the process.
    data: Path | None = None
    #: The last run on this data did not end cleanly.
    unclean: bool = False
    #: For tests that stop, kill and restart servers; None when none is ours.
    servers: "Embedded | None" = None

    def describe(self) -> str:
        """The one line shown at the start."""
        place = f" · data in {self.data}" if self.data else ""
        return f"Apache Kafka {self.kafka_version} · PostgreSQL {self.postgres_version} · {self.kind}{place}"


@asynccontextmanager
async def open_stack(
    *,
    data: Path | None = None,
    kafka: str | None = None,
    postgres: str | None = None,
    docker: bool = False,
    brokers: int = 1,
    durable: bool | None = None,
    report: Report = print,
) -> AsyncIterator[Stack]:
    """Servers for as long as the context lasts. Raises `StackError` that names the other ways.

    `data` keeps everything durably in that folder; without it the data is temporary. `durable` False gives up
    flushing to the disk, which only tests do.
    """
    if kafka and postgres:
        yield await _with_version(Stack(kafka, postgres))
        return
    start, stop = (
        _containers() if docker else _embedded(data, data is not None if durable is None else durable, brokers)
    )
    # Starting is blocking work of the main thread: the servers die with the thread that started them.
    stack = start(kafka, postgres, report)
    try:
        yield await _with_version(stack)
    finally:
        await asyncio.to_thread(stop)


async def _with_version(stack: Stack) -> Stack:
    if stack.postgres_version != "(by address)":
        return stack
    try:
        connection = await asyncpg.connect(stack.postgres, timeout=15)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise StackError(f"PostgreSQL cannot be reached at the address given ({type(error).__name__})") from error
    version = connection.get_server_version()
    await connection.close()
    return replace(stack, postgres_version=f"{version.major}.{version.minor}")


Start = Callable[[str | None, str | None, Report], Stack]
Stop = Callable[[], None]


def _containers() -> tuple[Start, Stop]:
    from tallystick.stack.docker import Containers

    containers = Containers()
    return containers.start, containers.stop


def _embedded(data: Path | None, durable: bool, brokers: int) -> tuple[Start, Stop]:
    try:
        from tallystick.stack.embedded import Embedded
    except ImportError as error:
        raise StackError(
            f"the embedded servers are not installed ({error.name} is missing): "
            f"install tallystick[embedded]. {OTHER_WAYS}"
        ) from error
    running: list[Embedded] = []

    def start(kafka: str | None, postgres: str | None, report: Report) -> Stack:
        embedded = Embedded(data, durable=durable, brokers=brokers, report=report)
        running.append(embedded)
        try:
            return _started(embedded, data, kafka, postgres)
        except BaseException:
            embedded.close()
            raise

    def stop() -> None:
        for embedded in running:
            embedded.close()

    return start, stop


def _started(embedded: "Embedded", data: Path | None, kafka: str | None, postgres: str | None) -> Stack:
    stack = Stack(kafka or "", postgres or "", kind="embedded", data=data, unclean=embedded.unclean, servers=embedded)
    if postgres is None:
        server = embedded.start_postgres()
        stack = replace(stack, postgres=server.dsn, postgres_version=server.version())
    if kafka is None:
        cluster = embedded.start_kafka()
        stack = replace(stack, kafka=cluster.bootstrap, kafka_version=cluster.version)
    return stack
