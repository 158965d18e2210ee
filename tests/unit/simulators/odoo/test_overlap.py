"""Calls that overlap in time, under the repeatable read of Postgres."""

import asyncio
from typing import Any

import pytest

from simulators.odoo import Odoo

from .orders import BUYER, MODULE, loaded

_LOST = {
    "ids": False,
    "messages": [{"type": "error", "message": "could not serialize access due to concurrent update\n"}],
    "nextrow": 0,
}


@pytest.fixture
def contended(odoo: Odoo) -> Odoo:
    odoo.settings.contention = True
    odoo.settings.latency_s = 0.01
    return odoo


def load_once(odoo: Odoo, key: str = "1", origin: str = "") -> Any:
    rows = [[f"{MODULE}.so_{key}", f"{MODULE}.{BUYER}", origin]]
    return odoo.calls.call("sale.order", "load", [["id", "partner_id/id", "origin"], rows], {})


async def test_parallel_loads_of_one_external_id_make_one_order(contended: Odoo) -> None:
    answers = await asyncio.gather(*(load_once(contended) for _ in range(4)))
    assert answers == [{"ids": [1], "messages": [], "nextrow": 0}, _LOST, _LOST, _LOST]
    assert len(contended.orders) == 1
    assert (await load_once(contended, origin="again"))["ids"] == [1]
    assert contended.orders[0].origin == "again"


async def test_loads_of_different_orders_do_not_meet(contended: Odoo) -> None:
    answers = await asyncio.gather(*(load_once(contended, str(number)) for number in range(4)))
    assert [answer["ids"] for answer in answers] == [[1], [2], [3], [4]]


async def test_a_load_loses_against_a_write_of_the_same_order(contended: Odoo) -> None:
    order = loaded(contended)
    written = contended.calls.call("sale.order", "write", [[order.id], {"origin": "person"}], {})
    assert list(await asyncio.gather(written, load_once(contended, origin="us"))) == [True, _LOST]
    assert order.origin == "person"


async def test_without_contention_the_last_one_wins(odoo: Odoo) -> None:
    odoo.settings.latency_s = 0.01
    answers = await asyncio.gather(*(load_once(odoo, origin=str(number)) for number in range(3)))
    assert [answer["ids"] for answer in answers] == [[1], [1], [1]]
    assert odoo.orders[0].origin == "2"


async def test_the_server_itself_runs_a_call_again(contended: Odoo) -> None:
    """FC-010: the first run is rolled back, the second one counts; one order, one delivery, one note of it."""
    order = loaded(contended)
    lines = [(0, 0, {"product_id": order.lines[0].row["product_id"]})]
    calls = contended.calls
    await asyncio.gather(
        calls.call("sale.order", "write", [[order.id], {"origin": "first"}], {}),
        calls.call("sale.order", "write", [[order.id], {"order_line": lines}], {}),
    )
    assert [entry.key for entry in contended.journal.of("run again")] == ["sale.order.write"]
    assert len(order.lines) == 2
    assert order.lines[1].id - order.lines[0].id == 2
    await asyncio.gather(
        calls.call("sale.order", "write", [[order.id], {"origin": "second"}], {}),
        calls.call("sale.order", "action_confirm", [[order.id]], {}),
    )
    assert len(order.pickings) == 1
    assert len(contended.journal.of("confirmed")) == 1


async def test_of_two_confirmations_one_counts(contended: Odoo) -> None:
    order = loaded(contended)
    confirm = ("sale.order", "action_confirm", [[order.id]], dict[str, Any]())
    first, second = await asyncio.gather(*(contended.calls.call(*confirm) for _ in range(2)), return_exceptions=True)
    assert first is True
    assert (second is True) == (contended.settings.major == 16)
    assert len(order.pickings) == 1
