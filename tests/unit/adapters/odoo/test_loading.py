"""Tables for `load`, and what its answers mean, by a transport that answers as written."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from adapters.odoo.loading import Loader
from adapters.odoo.rows import Item, grouped, sheet
from adapters.odoo.transport import Call, Done, Rejected, Written
from tallystick.clock import Budget
from tallystick.pacing import Pacer
from tallystick.ports import Applied, Doubt, NotApplied, Refused
from tallystick.reasons import HoldReason
from tests.shared import shared

from . import jobs

HEAD = {"partner_id/.id": "7", "origin": "x"}


def item(name: str, lines: int = 1, **more: Any) -> Item:
    below = tuple({"order_line/id": f"{name}-{number}", "order_line/name": "Mug"} for number in range(lines))
    return Item(name, name, more.pop("cells", HEAD), below, **more)


class Scripted:
    """A transport whose answers are given; it keeps the names of the records of each call."""

    def __init__(self, *answers: Written) -> None:
        self._answers = list(answers)
        self.calls: list[list[str]] = []

    async def version(self) -> Sequence[Any]:
        return [19]

    async def read(self, call: Call) -> Any:
        raise AssertionError("nothing is read here")

    async def write(self, call: Call, budget: Budget) -> Written:
        rows: Sequence[Sequence[str]] = call.arguments["data"]
        self.calls.append([row[0].partition(".")[2] for row in rows if row[0]])
        return self._answers.pop(0)


def made(*ids: int) -> Done:
    return Done({"ids": list(ids), "messages": [], "nextrow": 0})


def failed(*messages: dict[str, Any]) -> Done:
    return Done({"ids": False, "messages": [{"type": "error", **message} for message in messages], "nextrow": 0})


async def load(transport: Scripted, *items: Item, seconds: float = 20.0) -> dict[str, Any]:
    pacer = Pacer(jobs.CLOCK, rate_per_s=1000, burst=1000, parallel=1)
    return await Loader(transport, pacer, {"tz": "UTC"}).load("sale.order", items, jobs.budget(seconds))


def test_the_lines_of_an_order_are_rows_with_an_empty_head() -> None:
    one = Item("r", "n", HEAD, ({"order_line/id": "a"}, {"order_line/id": "b", "order_line/discount": "0"}))
    table = sheet([one, item("other", 0)])
    assert table.columns == ("id", "partner_id/.id", "origin", "order_line/id", "order_line/discount")
    assert table.rows == (
        ("__tallystick__.n", "7", "x", "a", ""),
        ("", "", "", "b", "0"),
        ("__tallystick__.other", "7", "x", "", ""),
    )
    assert table.owners == (0, 0, 1)


def test_records_with_other_columns_go_into_another_table() -> None:
    """An empty cell would clear the field of those that do not carry it."""
    items = [item("a"), item("b", cells={"origin": "x"}), item("c"), item("d", 0)]
    assert [[one.ref for one in group] for group in grouped(items)] == [["a", "c"], ["b"], ["d"]]


async def test_ids_come_back_in_the_order_of_the_records() -> None:
    assert await load(Scripted(made(5, 3)), item("a", 2), item("b")) == {"a": Applied("5"), "b": Applied("3")}


async def test_named_rows_are_taken_out_and_the_rest_is_sent_again() -> None:
    first = failed(
        {"rows": {"from": 1, "to": 2}, "field": "order_line", "message": "no number"},
        {"rows": {"from": 3, "to": 3}, "field": "pricelist_id", "message": "no pricelist"},
    )
    transport = Scripted(first, made(9))
    answers = await load(transport, item("a"), item("b", 2), item("c"))
    assert transport.calls == [["a", "b", "c"], ["a"]]
    assert answers == {
        "a": Applied("9"),
        "b": Refused(HoldReason.DATA, "Odoo refused the field order_line: no number"),
        "c": Refused(HoldReason.MAPPING, "Odoo refused the field pricelist_id: no pricelist"),
    }


@pytest.mark.parametrize("refusal", [Rejected("odoo.exceptions.UserError", "no"), failed({"message": "no"})])
async def test_a_refusal_that_names_nobody_is_bisected(refusal: Written) -> None:
    transport = Scripted(refusal, made(1, 2), refusal, refusal, made(4))
    answers = await load(transport, *(item(name) for name in "abcd"))
    assert transport.calls == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["d"]]
    assert answers["c"] == Refused(HoldReason.DATA, "Odoo refused: no")
    assert [answers[name] for name in "abd"] == [Applied("1"), Applied("2"), Applied("4")]


async def test_what_is_refused_is_told_without_what_is_personal() -> None:
    refusal = failed({"rows": {"from": 0, "to": 0}, "message": "Erika Beispiel is blocked"})
    answers = await load(Scripted(refusal), item("a", personal=("Erika Beispiel",)))
    assert answers["a"] == Refused(HoldReason.DATA, "Odoo refused: … is blocked")


async def test_when_the_time_is_over_the_others_come_again() -> None:
    refusal = failed({"rows": {"from": 0, "to": 0}, "message": "no"})
    transport = Scripted(refusal)
    answers = await load(transport, item("a"), item("b"), seconds=0)
    assert transport.calls == [["a", "b"]]
    assert isinstance(answers["b"], NotApplied)


async def test_a_conflict_passes_for_all() -> None:
    conflict = failed({"message": "could not serialize access due to concurrent update\n"})
    answers = await load(Scripted(conflict), item("a"), item("b"))
    assert all(isinstance(answer, NotApplied) for answer in answers.values())


async def test_a_doubt_is_about_those_that_were_sent() -> None:
    refusal = failed({"rows": {"from": 0, "to": 0}, "message": "no"})
    answers = await load(Scripted(refusal, Doubt("lost")), item("a"), item("b"))
    assert isinstance(answers["a"], Refused)
    assert answers["b"] == Doubt("lost")


@pytest.mark.parametrize("value", [None, True, {}, {"ids": [1]}, {"ids": [1, False]}, {"ids": 2}, {"ids": False}])
async def test_an_answer_that_names_no_record_is_in_doubt(value: Any) -> None:
    answers = await load(Scripted(Done(value)), item("a"), item("b"))
    assert all(isinstance(answer, Doubt) and not answer.unanswered for answer in answers.values())


async def test_another_id_than_the_known_one_is_a_deleted_record() -> None:
    answers = await load(Scripted(made(8)), item("a", expected_id=5))
    assert isinstance(answers["a"], Refused)
    assert answers["a"].reason is HoldReason.DELETED_IN_TARGET
    assert "record 5" in answers["a"].detail
    assert "record 8" in answers["a"].detail


@pytest.mark.parametrize("version", ["16.0", "19.0"])
@pytest.mark.parametrize("name", ["load_first", "load_again"])
async def test_recorded_loads_are_applied(version: str, name: str) -> None:
    path = shared(f"vendors/odoo/samples/{version}_sale_order_{name}.json")
    body = json.loads(path.read_text(encoding="utf-8"))["response"]["body"]
    assert await load(Scripted(Done(body["result"])), item("a")) == {"a": Applied("28")}
