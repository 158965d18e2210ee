"""Our own servers go away and come back under load: Kafka and Postgres, in order and by force (F4, F8)."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from simulators.faults import Fault, Rule
from tallystick.stack import Stack, open_stack
from tallystick.stack.embedded import Embedded
from tests.crash.arena import Arena, open_arena
from tests.crash.conftest import new_database
from tests.crash.orders import disturbed, revisions


@pytest_asyncio.fixture(scope="module")
async def own() -> AsyncIterator[Stack]:
    """Durable servers that nobody else uses."""
    async with open_stack(durable=True, report=lambda _: None) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def shaken(own: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Arena]:
    """Three workers on them, and an ERP that loses some replies, so that doubts are open when a server goes."""
    folder = tmp_path_factory.mktemp("servers")
    async with new_database(own) as dsn, open_arena("test_servers", own, dsn, folder) as opened:
        opened.spoil(Rule(Fault.LOST_REPLY, "*.write|*.confirm", every=5))
        for _ in range(3):
            opened.workers.start()
        yield opened


def restart_broker(servers: Embedded) -> None:
    assert servers.kafka is not None
    servers.kafka.restart()


def kill_broker(servers: Embedded) -> None:
    assert servers.kafka is not None
    (broker,) = servers.kafka.brokers
    broker.kill()
    broker.start()


def restart_postgres(servers: Embedded) -> None:
    assert servers.postgres is not None
    servers.postgres.restart()


def crash_postgres(servers: Embedded) -> None:
    assert servers.postgres is not None
    servers.postgres.restart(immediate=True)


@pytest.mark.parametrize("shake", [restart_broker, kill_broker, restart_postgres, crash_postgres])
async def test_a_server_that_goes_and_comes_back_costs_nothing_but_time(
    own: Stack, shaken: Arena, shake: Callable[[Embedded], None]
) -> None:
    """No effect is sent without its intent, none is lost, and everybody goes on by himself."""
    assert own.servers is not None
    die = random.Random(9)
    before, after = shaken.orders(60), shaken.orders(30)
    await shaken.produce(disturbed(revisions(before, 3), die))
    await shaken.until(lambda: _some_arrived(shaken, before))
    producing = asyncio.create_task(shaken.produce(disturbed(revisions(after, 2), die)))
    shake(own.servers)
    await producing
    await shaken.settled()
    await shaken.judge()


async def _some_arrived(arena: Arena, orders: list[int]) -> bool:
    return any([await arena.applied(name, orders) for name in arena.erps])
