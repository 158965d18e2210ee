"""Intake, relay and pollers end as by kill -9 at each of their named points (F1): nothing is lost, nothing doubled."""

import asyncio
import os
import sys
import uuid
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from adapters.woocommerce.adapter import WooCommerce
from simulators.serving import serve
from simulators.woocommerce import Shop, application
from tallystick.intake.delivery import Waits, to_waiting
from tallystick.ledger.pending import PendingReason
from tallystick.stack import Stack
from tests.integration.intake_help import Side, mugs, open_side, woo_settings, woo_shop

POINTS = {
    "intake": (
        "intake.polled",
        "intake.accepted",
        "intake.published",
        "intake.noted",
        "intake.kept",
        "intake.dealt",
        "intake.committed",
    ),
    "relay": ("relay.claimed", "relay.dealt", "intake.accepted", "intake.published"),
    "poll": ("poll.page", "poll.advanced", "intake.accepted", "intake.published"),
}


async def given(role: str, side: Side, shop: Shop) -> None:
    """What there is to do for the role."""
    deliveries = side.all_taken("woo", shop)
    if role == "intake":
        await side.put(deliveries)
    elif role == "relay":
        await side.pending.put([to_waiting(one, Waits(PendingReason.KAFKA_DOWN)) for one in deliveries])


async def recovered(role: str, side: Side) -> None:
    """The same work by a process that stays alive."""
    if role == "intake":
        async with side.consuming():
            await side.caught_up()
    elif role == "poll":
        await side.pollers().turn("woo")
    await side.relayed()
    await side.pool.fetch("UPDATE source_object SET changed_at = changed_at - interval '1 hour'")
    await side.relay().publish_again("woo")


async def crashed(role: str, point: str, side: Side, dsn: str, url: str) -> int:
    """Run the role in a process until the point ends it; its exit code."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.intake_process",
        *(role, side.kafka, dsn, side.settings.prefix, url),
        env={**os.environ, "TALLYSTICK_CRASH_AT": point},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        return await asyncio.wait_for(process.wait(), 120)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def one_crash(stack: Stack, role: str, point: str) -> None:
    """Orders come in, the role dies at the point and is taken up again; then every order is there, once."""

    async def judge(dsn: str, side: Side) -> None:
        shop = woo_shop(side.time)
        async with serve(application(shop)) as url:
            side.stores["woo"] = adapter = WooCommerce("woo", woo_settings(url), side.time)
            side.begin()
            orders = {str(shop.place_order(mugs(number % 3 + 1)).id) for number in range(30)}
            await given(role, side, shop)
            assert await crashed(role, point, side, dsn, url) == 137, point
            await recovered(role, side)
            events = await side.events()
            await adapter.close()
        assert {event.object_id for event in events} == orders, point
        # The same revision may be published twice; another one would be another change.
        assert {event.revision for event in events} == {1}, point
        assert len({event.order.SerializeToString(deterministic=True) for event in events}) == len(orders), point
        rows = await side.pool.fetch("SELECT count(*) AS number FROM source_object WHERE published_revision < revision")
        assert rows[0]["number"] == 0, point

    await _with_database(stack, judge)


async def _with_database(stack: Stack, work: Callable[[str, Side], Awaitable[None]]) -> None:
    name = f"test_{uuid.uuid4().hex[:16]}"
    administrator = await asyncpg.connect(stack.postgres)
    await administrator.execute(f'CREATE DATABASE "{name}"')
    try:
        dsn = stack.postgres.rsplit("/", 1)[0] + f"/{name}"
        async with open_side(stack, dsn, f"{name}.") as side:
            await work(dsn, side)
    finally:
        await administrator.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await administrator.close()


@pytest.mark.parametrize("role", POINTS)
async def test_killed_at_every_point_nothing_is_lost_and_nothing_doubled(stack: Stack, role: str) -> None:
    """FC-005, the half before the ledger of the ERP. Three at a time: they mostly wait."""
    slots = asyncio.Semaphore(3)

    async def bounded(point: str) -> None:
        async with slots:
            await one_crash(stack, role, point)

    await asyncio.gather(*(bounded(point) for point in POINTS[role]))
