"""`tallystick reconcile` beside a running product, as people type it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tallystick.stack import Stack
from tests.integration.product_help import Product, product, running, stands, until


@pytest_asyncio.fixture
async def sold(
    stack: Stack, database: str, tmp_path: Path, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Product]:
    async with product(stack, database, tmp_path, topic_prefix) as made:
        for name, value in made.env.items():
            monkeypatch.setenv(name, value)
        migrated = await made.run("migrate", "--json")
        assert migrated.code == 0, migrated.err
        yield made


async def test_a_pass_is_run_listed_and_shown(sold: Product) -> None:
    """Nothing differs: exit code 0. A person changes a document in the ERP: 1, told in words, and left as it is."""
    order = sold.sell()
    async with running(sold) as listening:
        api = listening.grpc
        await until(lambda: stands(api, order.id, "SYNCED"))
        here = ("--connection", "woocommerce")
        good = await sold.run("reconcile", "run", *here, "--json", api=api)
        assert good.code == 0, good.err
        [run] = good.json["runs"]
        assert (run["flow"], run["progress"], run["mismatches"], run["problem"]) == ("orders", 1.0, 0, "")
        assert {tally["flow"]: tally["compared"] for tally in run["tallies"]} == {"orders": 1, "documents": 1}

        [document] = sold.scene.odoo.orders
        sold.scene.odoo.act("sale.order.line", "write", [document.lines[0].id], {"product_uom_qty": 41})
        changed = await sold.run("reconcile", "run", *here, api=api)
        assert changed.code == 1, changed.err
        assert f"woocommerce/{order.id} (odoo) its document says something else than was written" in changed.err
        assert document.lines[0].quantity == 41

        listed = await sold.run("reconcile", "list", "--json", api=api)
        newest = listed.json["runs"][0]
        assert newest["mismatches"] == 1
        shown = await sold.run("reconcile", "show", str(newest["run_id"]), api=api)
        assert shown.code == 0, shown.err
        assert "orders: 1 compared, 1 differs in target" in shown.out
        unknown = await sold.run("reconcile", "show", "99999", "--json", api=api)
        assert (unknown.code, set(unknown.json)) == (4, {"error"})
