"""`tallystick records`, `stock` and `orders show` beside a running API: tables, colours, JSON, exit codes."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from service.api import api_server
from tallystick.contract.stock import Reserved
from tallystick.ledger.rows import EffectState
from tallystick.ledger.shelves import Seen, ShelfTable
from tallystick.ledger.stock import Goods, Level, Stocks
from tallystick.reasons import HoldReason
from tallystick.stack import Stack
from tests.integration.api_help import World
from tests.integration.records_help import end, open_records, payment, refund, shipment, shown, take, to_store

#: What is shown of a shelf is worked out by the rules of its contract.
_STOCK = """
stock:
  locations:
    - location: main
      warehouses: [{warehouse: WH, share: 50}, {warehouse: OUTLET}]
  reserve_from: {otherwise: WH}
  buffer: {every: 1}
"""


@dataclass(frozen=True)
class Shell:
    """Commands in processes of their own, beside a world's API."""

    world: World
    port: int

    async def run(self, *arguments: str, colour: bool = False) -> tuple[int, str, str]:
        """Exit code, standard output and standard error; as in a wide terminal, or as through a pipe."""
        env = {**os.environ, "TALLYSTICK_API": f"127.0.0.1:{self.port}", "COLUMNS": "300"}
        env |= {"FORCE_COLOR": "1", "TERM": "xterm-256color"} if colour else {}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tallystick.cli", *arguments),
            env=env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def json(self, *arguments: str, code: int = 0) -> Any:
        """The one JSON document on standard output."""
        got, out, err = await self.run(*arguments, "--json")
        assert got == code, err
        return json.loads(out)


@pytest.fixture
async def shell(stack: Stack, database: str, tmp_path: Path) -> AsyncIterator[Shell]:
    async with (
        open_records(stack, database, tmp_path, _STOCK) as world,
        api_server(world.installation, world.pool, "127.0.0.1:0") as port,
    ):
        yield Shell(world, port)


def table(out: str) -> list[list[str]]:
    """What comes through a pipe: lines of cells."""
    return [line.split("\t") for line in out.splitlines()]


async def lived(world: World) -> None:
    """An order that was paid and shipped, whose refund is held."""
    ledger, back = world.engine.ledger, to_store(world)
    world.shop.put("1", number="#1042")
    await world.take("1")
    await end(ledger, await take(ledger, payment("p1")))
    await end(back, await take(back, shipment("31")))
    await shown(world, "1", "9", number="#1042")
    claims = await take(ledger, refund("9", total="5.00"))
    await end(ledger, claims, state=EffectState.QUEUED, hold=HoldReason.MAPPING, detail="no journal for 'card'")


# ---- records -------------------------------------------------------------------------------------------------------


async def test_records_are_listed_with_their_documents_and_reasons(shell: Shell) -> None:
    await lived(shell.world)
    code, out, err = await shell.run("records", "list", "--order", "1042")
    assert (code, err) == (0, "")
    head, *rows = table(out)
    assert head == ["known since", "record", "to", "state", "document", "what", "why"]
    assert [row[1:] for row in rows] == [
        ["shop/1/refund/9", "erp", "held", "", "5.00 EUR", "no journal for 'card'"],
        ["erp/fulfilment/31", "shop", "synced", "DOC/1", "DHL 1Z999", ""],
        ["shop/1/payment/p1", "erp", "synced", "DOC/2", "25.00 EUR", ""],
    ]
    _, out, err = await shell.run("records", "list", "--order", "1042", "--limit", "2")
    assert (len(table(out)), "more than 2" in err) == (3, True)
    found = await shell.json("records", "list", "--state", "held")
    assert ([one["name"] for one in found["records"]], found["more"]) == (["shop/1/refund/9"], False)
    assert found["records"][0]["money"]["amount"] == {"currency_code": "EUR", "units": 5, "nanos": 0}
    code, out, err = await shell.run("records", "list", "--kind", "price")
    assert (code, err.strip()) == (0, "no record is like that")


async def test_a_terminal_shows_states_in_colour_and_names_whole(shell: Shell) -> None:
    await lived(shell.world)
    _, out, _ = await shell.run("records", "list", colour=True)
    assert "\x1b[1;33mheld" in out
    assert "\x1b[32msynced" in out
    assert "shop/1/payment/p1" in out


async def test_one_record_says_what_to_do_about_it(shell: Shell) -> None:
    """3 where it stands still, 0 where it belongs, 4 for what nobody showed, 2 for what cannot be asked."""
    await lived(shell.world)
    code, out, _ = await shell.run("records", "show", "shop/1/refund/9")
    assert code == 3
    assert out.startswith("Refund · shop/1/refund/9 · from shop")
    assert "it is held until somebody acts" in out
    assert f"what to do: {HoldReason.MAPPING.advice}" in out
    assert "tallystick held resume shop/1 --target erp" in out
    code, out, _ = await shell.run("records", "show", "erp/fulfilment/31")
    assert (code, "it is in shop as DOC/1" in out, "DHL 1Z999" in out) == (0, True, True)
    assert set(await shell.json("records", "show", "shop/1/refund/404", code=4)) == {"error"}
    refused = await shell.json("records", "list", "--kind", "refunds", code=2)
    assert "customer, fulfilment, payment, price, reduction, refund" in refused["error"]


async def test_the_story_of_an_order_begins_with_what_belongs_to_it(shell: Shell) -> None:
    await lived(shell.world)
    code, out, _ = await shell.run("orders", "show", "1042")
    assert code == 3
    head = out.splitlines()
    assert head[0].startswith("Order #1042 · shop/1 · revision ")
    # The order is there; it is a part of it that has stopped.
    assert head[1].startswith("it is in erp as P")
    assert head[2].startswith("refund 9: it is held until somebody acts")
    rows = [row for row in table(out) if len(row) == 6]
    assert [(row[0], row[2]) for row in rows[1:]] == [
        ("payment p1", "synced"),
        ("fulfilment 31", "synced"),
        ("refund 9", "held"),
    ]
    assert "payment p1: revision 1 is in erp as DOC/2" in out
    assert "fulfilment 31: revision 1 was written down for shop · DHL 1Z999" in out
    told = await shell.json("orders", "show", "1042", code=3)
    back = await shell.json("orders", "show", "1042", "--newest-first", code=3)
    assert back["events"] == told["events"][::-1]
    assert [one["kind"] for one in told["records"]] == ["payment", "fulfilment", "refund"]


# ---- stock ---------------------------------------------------------------------------------------------------------


async def stocked(world: World) -> None:
    """A mug of which too many are shown, a cup as it should be, and a jam that two variants bear."""
    now = datetime.now(UTC)
    levels = [
        Level("erp", "MUG", "WH", Decimal(12), Decimal(13), 1, now - timedelta(hours=3)),
        Level("erp", "MUG", "OUTLET", Decimal("2.5"), Decimal(3), 1, now),
        Level("erp", "CUP", "WH", Decimal(4), Decimal(4), 1, now),
        Level("erp", "CUP", "OUTLET", Decimal(0), Decimal(0), 1, now),
    ]
    goods = Goods("erp", "shop/1", 1, (Reserved("l1", "MUG", "WH", Decimal(2)),))
    await Stocks(world.pool, {"erp": ["shop"]}).record(levels, [goods])
    jam = Seen(("main", "JAM"), None, "two variants bear it", True)
    seen = [Seen(("main", "MUG"), 9), Seen(("main", "CUP"), 1), jam]
    await ShelfTable(world.pool).looked("shop", "erp", seen)


async def test_shelves_are_listed_with_what_they_are_made_of(shell: Shell) -> None:
    code, out, _ = await shell.run("stock", "list")
    assert (code, "No store was looked at yet." in out) == (0, True)
    await stocked(shell.world)
    code, out, err = await shell.run("stock", "list", "--connection", "shop")
    assert (code, err) == (0, "")
    head, *rows = table(out)
    assert head[3:8] == ["shown", "may be shown", "ERP", "reserved", "buffer"]
    shelves = {row[2]: row[3:] for row in rows}
    assert shelves["MUG"] == ["9", "6", "WH 12, OUTLET 2.5", "WH 2, OUTLET 0", "1", "3 h ago", ""]
    assert shelves["CUP"][:2] == ["1", "1"]
    assert shelves["JAM"] == ["-", "-", "never read", "-", "1", "-", "two variants bear it"]
    _, out, err = await shell.run("stock", "list", "--limit", "1")
    assert (len(table(out)), "more than 1" in err) == (2, True)
    found = await shell.json("stock", "list")
    assert ([one["sku"] for one in found["shelves"]], found["more"]) == (["CUP", "JAM", "MUG"], False)
    assert (await shell.run("stock", "list", "--connection", "ebay"))[0] == 2


async def test_one_sku_is_shown_warehouse_by_warehouse(shell: Shell) -> None:
    await stocked(shell.world)
    code, out, _ = await shell.run("stock", "show", "MUG")
    assert code == 0
    _, first, second = table(out)
    assert first[:5] == ["shop", "main", "9", "6", "1"]
    assert first[5:11] == ["WH", "12", "13", "2", "50 %", "3 h ago"]
    assert second[:10] == ["", "", "", "", "", "OUTLET", "2.5", "3", "0", "100 %"]
    _, jam = table((await shell.run("stock", "show", "JAM"))[1])
    assert jam[5:] == ["-", "never read", "-", "-", "-", "-", "two variants bear it"]
    found = await shell.json("stock", "show", "MUG", "--connection", "shop")
    (mug,) = found["shelves"]
    assert (mug["published"], mug["sellable"], mug["buffer"]) == (9, 6, 1)
    assert [one["warehouse"] for one in mug["figures"]] == ["WH", "OUTLET"]
    assert set(await shell.json("stock", "show", "GHOST", code=4)) == {"error"}


async def test_what_is_not_as_it_may_be_has_a_colour(shell: Shell) -> None:
    await stocked(shell.world)
    _, out, _ = await shell.run("stock", "list", colour=True)
    assert "\x1b[33m9" in out
    assert "\x1b[33m1" not in out
    assert "\x1b[1;31mtwo variants bear it" in out
