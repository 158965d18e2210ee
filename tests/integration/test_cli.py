"""The command line beside a running product: each command in a process of its own, as people type it."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from simulators.woocommerce import Item
from tallystick.installation import Addresses
from tallystick.stack import Stack
from tests.integration.product_help import Product, at, product, running, standing, stands, until


@pytest_asyncio.fixture
async def sold(
    stack: Stack, database: str, tmp_path: Path, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Product]:
    """An installation whose tables were made by the command."""
    async with product(stack, database, tmp_path, topic_prefix) as made:
        for name, value in made.env.items():
            monkeypatch.setenv(name, value)
        migrated = await made.run("migrate", "--json")
        assert migrated.code == 0, migrated.err
        assert migrated.json["applied"]
        assert (await made.run("migrate", "--json")).json == {"applied": []}
        yield made


async def test_orders_are_told_held_resumed_and_resynced(sold: Product) -> None:
    """Who asks gets words and codes: 0 synced, 3 held, 4 unknown; an act goes on from the shell."""
    sold.scene.woo.add_product("GHOST", "5.00", "Ghost")
    good, ghost = sold.sell(), sold.sell(Item("GHOST", 1))
    async with running(sold) as listening:
        api = listening.grpc
        await until(lambda: bool(sold.booked(str(good.id))))
        await until(lambda: stands(api, ghost.id, "HELD"))

        shown = await sold.run("orders", "show", str(good.id), api=api)
        assert shown.code == 0, shown.err
        number = sold.booked(str(good.id))[0]
        assert f"Order {good.id} · woocommerce/{good.id} · revision 1" in shown.out
        assert f"it is in odoo as {number}" in shown.out
        assert "was seen for the first time" in shown.out

        story = await sold.run("orders", "show", f"woocommerce/{ghost.id}", "--json", api=api)
        assert (story.code, story.json["order"]["targets"][0]["reason"]) == (3, "MAPPING")
        assert "GHOST" in story.json["order"]["targets"][0]["detail"]
        listed = await sold.run("orders", "list", "--state", "held", "--json", api=api)
        assert [one["order_id"] for one in listed.json["orders"]] == [str(ghost.id)]
        unknown = await sold.run("orders", "show", "999", "--json", api=api)
        assert (unknown.code, set(unknown.json)) == (4, {"error"})
        status = await sold.run("status", "--json", api=api)
        assert status.code == 3, status.err

        sold.scene.odoo.add_product("GHOST", "Ghost", "5.00")
        for order in (ghost, good):
            answer = await sold.run("held", "resume", str(order.id), "--reason", "it is there now", api=api)
            assert answer.code == (0 if order is ghost else 3), answer.err
        await until(lambda: bool(sold.booked(str(ghost.id))))
        resync = await sold.run("resync", str(good.id), str(ghost.id), "--json", api=api)
        assert (resync.code, resync.json["done"], resync.json["failed"]) == (0, 2, 0)
        await until(lambda: stands(api, good.id, "SYNCED"))
        story = await sold.run("orders", "show", str(good.id), "--json", api=api)
        assert story.json["events"][-1]["kind"] == "ORDER_EVENT_KIND_VERIFIED"
    assert len(sold.booked(str(good.id))) == len(sold.booked(str(ghost.id))) == 1


async def test_watching_shows_what_happens(sold: Product) -> None:
    async with running(sold) as listening:
        watching = asyncio.create_task(_first_line(sold, listening.grpc))
        await until(lambda: _watched(sold, watching))
        assert "woocommerce/" in watching.result()


async def _first_line(sold: Product, api: str) -> str:
    import sys

    command = (sys.executable, "-m", "tallystick.cli", "orders", "watch", "--api", api)
    process = await asyncio.create_subprocess_exec(*command, env=sold.env, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    line = await process.stdout.readline()
    process.terminate()
    await process.communicate()
    return line.decode()


async def _watched(sold: Product, watching: "asyncio.Task[str]") -> bool:
    """Sells until the watcher, who sees only what happens after it began, has seen something."""
    if not watching.done():
        sold.sell()
        await asyncio.sleep(1.0)
    return watching.done()


async def test_orders_typed_by_hand_are_adopted_and_never_made(sold: Product) -> None:
    """What a person entered before go-live is found by its reference, bound, and only observed."""
    found, twice, missing = sold.sell(), sold.sell(), sold.sell()
    for order in (found, twice, twice):
        _type_by_hand(sold, str(order.id), order.sums.total)
    go_live = datetime.now(UTC) + timedelta(hours=1)
    sold.change(routes=[{**route, "since": go_live.isoformat()} for route in sold.routes()])
    since = (go_live - timedelta(days=2)).isoformat()
    command = ("adopt", "--config", str(sold.config), "--route", "woocommerce:odoo", "--since", since)

    report = await sold.run(*command, "--json")
    assert report.code == 3, report.err
    assert report.json["counts"] == {"found": 1, "ambiguous": 1, "missing": 1, "ours": 0}
    assert report.json["bound"] is None
    assert {one["number"]: one["standing"] for one in report.json["orders"]} == {
        str(found.id): "found",
        str(twice.id): "ambiguous",
        str(missing.id): "missing",
    }
    assert (await sold.run(*command, "--apply", "--json")).json["bound"] == 1
    again = (await sold.run(*command, "--apply", "--json")).json
    assert (again["counts"]["ours"], again["bound"]) == (1, 0)

    made_before = len(sold.scene.odoo.orders)
    async with running(sold) as listening:
        await until(lambda: stands(listening.grpc, found.id, "ADOPTED"))
        sold.scene.woo.set_status(found.id, "completed")
        await until(lambda: stands(listening.grpc, missing.id, "NOT_ELIGIBLE"))
        await until(lambda: _revised(listening.grpc, found.id))
        assert await stands(listening.grpc, found.id, "ADOPTED")
    assert len(sold.scene.odoo.orders) == made_before == 3


def _type_by_hand(sold: Product, reference: str, total: object) -> None:
    odoo = sold.scene.odoo
    partner = odoo.act("res.partner", "create", {"name": "Typed by hand"})
    odoo.act("sale.order", "create", {"partner_id": partner, "client_order_ref": reference})


async def _revised(api: str, order_id: int) -> bool:
    return (await standing(api, order_id)).revision > 1


async def test_a_restored_ledger_doubles_nothing(sold: Product, stack: Stack, tmp_path: Path) -> None:
    """What the ERP was told after the backup is looked up, not sent again; what is new goes on after the release."""
    before = sold.sell()
    file = tmp_path / "monday.tally"
    async with running(sold):
        await until(lambda: bool(sold.booked(str(before.id))))
        taken = await sold.run("backup", str(file), "--json")
        assert (taken.code, taken.json["rows"]["connection"]) == (0, 3), taken.err
        assert (await sold.run("backup", str(file))).code == 2, "a backup never overwrites another"
        after = sold.sell()
        await until(lambda: bool(sold.booked(str(after.id))))

    async with _empty_database(stack) as dsn:
        restored = at(sold, Addresses(stack.kafka, dsn))
        done = await restored.run("restore", str(file), "--config", str(sold.config), "--json")
        assert done.code == 0, done.err
        assert (await restored.run("restore", str(file), "--config", str(sold.config))).code == 2, "not empty any more"
        new = sold.sell()
        async with running(restored) as listening:
            await until(lambda: stands(listening.grpc, new.id, "SYNCING"))
            status = await restored.run("status", api=listening.grpc)
            assert (status.code, "after a restore" in status.out) == (1, True)
            assert sold.booked(str(new.id)) == []
            released = await restored.run("restore", "--release", "--config", str(sold.config), "--json")
            assert released.json["released"] == 2
            await until(lambda: bool(sold.booked(str(new.id))))
            await until(lambda: stands(listening.grpc, after.id, "SYNCED"))
            assert await stands(listening.grpc, before.id, "SYNCED")
    assert [len(sold.booked(str(order.id))) for order in (before, after, new)] == [1, 1, 1]


class _empty_database:
    """A second database of the same server."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._name = f"test_{uuid.uuid4().hex[:16]}"

    async def __aenter__(self) -> str:
        self._administrator = await asyncpg.connect(self._stack.postgres)
        await self._administrator.execute(f'CREATE DATABASE "{self._name}"')
        return self._stack.postgres.rsplit("/", 1)[0] + f"/{self._name}"

    async def __aexit__(self, *_: object) -> None:
        await self._administrator.execute(f'DROP DATABASE "{self._name}" WITH (FORCE)')
        await self._administrator.close()


async def test_connections_are_tried_and_one_can_be_let_go(sold: Product) -> None:
    tried = await sold.run("connections", "test", "--config", str(sold.config), "odoo", "--json")
    assert tried.code == 0, tried.out
    assert {one["connection"] for one in tried.json["checks"]} == {"odoo"}
    sold.scene.down(True)
    assert (await sold.run("connections", "test", "--config", str(sold.config), "odoo")).code == 1
    sold.scene.down(False)
    async with running(sold):
        pass
    sold.drop("woocommerce")
    forget = ("connections", "forget", "woocommerce", "--config", str(sold.config), "--json")
    assert (await sold.run(*forget)).json == {"forgotten": "woocommerce"}
    assert (await sold.run(*forget)).code == 4
    async with running(sold):
        pass
