"""Held orders and what people do about them, over gRPC and the real engine: resume, skip, mark as applied."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest

from simulators.faults import Fault, Rule
from tallystick.ledger.rows import Claim, Kind, Row
from tallystick.stack import Stack
from tallystick.v1 import held_pb2 as pb
from tests.doubles.plain_erp import Document
from tests.integration.api_help import ACTOR, DEADLINE_S, World, open_world, refused


@pytest.fixture
async def world(stack: Stack, database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(stack, database, tmp_path) as world:
        yield world


async def held(world: World, **fields: Any) -> list[pb.Held]:
    """All pages of what is held."""
    found: list[pb.Held] = []
    token = ""
    while True:
        answer = await world.held.ListHeld(pb.ListHeldRequest(page_token=token, **fields), timeout=DEADLINE_S)
        found += answer.held
        token = answer.next_page_token
        if not token:
            return found


async def effects(world: World, lane: str = "shop/1") -> list[tuple[str, str]]:
    rows = await world.pool.fetch("SELECT op_id, state FROM effect WHERE lane_key = $1 ORDER BY seq", lane)
    return [(row["op_id"], row["state"]) for row in rows]


async def audit(world: World, lane: str = "shop/1") -> list[tuple[str, str, str, str]]:
    rows = await world.pool.fetch(
        "SELECT what, actor, detail, reason FROM event WHERE lane_key = $1 AND actor IS NOT NULL ORDER BY id", lane
    )
    return [tuple(row) for row in rows]


def mark(name: str = "shop/1", external_id: str = "H-17", **fields: str) -> pb.MarkAppliedRequest:
    return pb.MarkAppliedRequest(
        **{
            "name": name,
            "request_id": uuid.uuid4().hex,
            "reason": "typed in by hand",
            "external_id": external_id,
            "document_number": "S00017",
            **fields,
        }
    )


def refund(world: World, order_id: str = "1") -> Row:
    """A refund in the lane of its order; its content plays no part here."""
    lane = f"shop/{order_id}"
    return Row(lane, "shop", "order", f"{lane}/r1", "refund", "r1", Kind.DELTA, 1, b"", f"{lane}/r1", datetime.now(UTC))


# ---- the list ------------------------------------------------------------------------------------------------------


async def test_what_is_held_is_listed_with_its_reason_in_words(world: World) -> None:
    await world.hold("1", number="#1042")
    (one,) = await held(world)
    assert (one.name, one.target, one.connection, one.order_id, one.number) == ("shop/1", "erp", "shop", "1", "#1042")
    assert (one.reason, one.words) == ("DATA", "the target refused the content")
    assert one.detail == "the plain ERP does not know a product of this order"
    assert (one.entity_type, one.revision, one.in_doubt, one.external_id) == ("order", 1, False, "")
    assert one.HasField("since")


async def test_the_list_is_filtered_and_comes_in_pages(world: World) -> None:
    for number in range(5):
        await world.hold(str(number))
    names = [f"shop/{number}" for number in range(5)]
    assert [one.name for one in await held(world, page_size=2)] == names
    assert [one.name for one in await held(world, reason="DATA", target="erp", connection="shop")] == names
    assert await held(world, reason="LOCKED") == []
    refusal = await refused(world.held.ListHeld(pb.ListHeldRequest(connection="ebay"), timeout=DEADLINE_S))
    assert refusal.fields == ["connection"]


# ---- resume --------------------------------------------------------------------------------------------------------


async def test_a_resumed_order_is_delivered_under_the_contract_of_today(world: World) -> None:
    await world.hold()
    world.erp.refuses.clear()
    resumed = await world.resume()
    assert (resumed.name, resumed.reason, resumed.revision) == ("shop/1", "DATA", 1)
    assert await world.state() == ("SYNCING", "")
    await world.work()
    assert await world.state() == ("SYNCED", "")
    assert world.writes()[0] == "created"
    assert await audit(world) == [("resumed", "Ada", "asked by finance", "DATA")]


async def test_what_is_resumed_and_refused_again_is_held_again(world: World) -> None:
    await world.hold()
    await world.resume()
    await world.work()
    assert await world.state() == ("HELD", "DATA")
    assert await held(world)


async def test_a_resumed_order_whose_document_is_as_it_should_be_is_only_compared(world: World) -> None:
    """Somebody has mended the document in the ERP meanwhile: nothing is written over it."""
    world.shop.put("1")
    await world.take("1")
    before = world.writes()
    await _hold_applied(world)
    await world.resume()
    await world.work()
    assert await world.state() == ("SYNCED", "")
    assert world.writes() == before
    assert (await effects(world))[-1][1] == "VERIFIED"


async def _hold_applied(world: World) -> None:
    """As if the order, which the ERP has, was refused after it had been written."""
    await world.pool.fetch("UPDATE effect SET state = 'QUEUED', settled_at = NULL WHERE lane_key = 'shop/1'")
    await world.pool.fetch("UPDATE lane SET reason = 'LOCKED', held_seq = 1, since = now() WHERE lane_key = 'shop/1'")


async def test_a_document_that_was_deleted_in_the_erp_is_never_made_anew_by_resuming(world: World) -> None:
    world.shop.put("1")
    await world.take("1")
    await _hold_applied(world)
    _delete(world, world.erp.of("orders")[0])
    await world.resume()
    await world.work()
    assert await world.state() == ("HELD", "DELETED_IN_TARGET")
    assert world.erp.of("orders") == []


def _delete(world: World, document: Document) -> None:
    world.erp.documents.remove(document)
    del world.erp._by_id[document.id]
    world.erp._by_ref[("orders", document.ref)].remove(document)


async def test_a_resumed_order_in_doubt_is_looked_up_before_it_is_sent(world: World) -> None:
    """A hold keeps the doubt: what may have been applied is never sent blindly."""
    world.shop.put("1")
    world.erp.faults.rules.append(Rule(Fault.LOST_REPLY, "orders.write", first=1))
    down = Rule(Fault.SERVER_ERROR, "orders.find")
    world.erp.faults.rules.append(down)
    await world.take("1")
    await world.pool.fetch(
        "UPDATE lane SET reason = 'ATTEMPTS', held_seq = 1, due_at = NULL, since = now() WHERE lane_key = 'shop/1'"
    )
    (one,) = await held(world)
    assert one.in_doubt
    world.erp.faults.rules.clear()
    assert (await world.resume()).in_doubt
    await _work_until_synced(world)
    assert world.writes().count("created") == 1


async def _work_until_synced(world: World) -> None:
    async with asyncio.timeout(60):
        while (await world.state())[0] != "SYNCED":
            await world.work()
            await asyncio.sleep(0.05)


# ---- skip ----------------------------------------------------------------------------------------------------------


async def test_a_skipped_order_is_never_sent_and_a_newer_revision_is(world: World) -> None:
    await world.hold()
    skipped = await world.skip()
    assert (skipped.name, skipped.detail) == ("shop/1", "the plain ERP does not know a product of this order")
    world.erp.refuses.clear()
    await world.work()
    assert await world.state() == ("SKIPPED", "")
    assert world.writes() == []
    assert await audit(world) == [("skipped", "Ada", "asked by finance", "DATA")]
    world.shop.put("1", "12")
    await world.take("1")
    assert await world.state() == ("SYNCED", "")


async def test_what_depends_on_a_skipped_order_is_held_in_its_turn(world: World) -> None:
    await world.hold()
    await world.engine.deliver([refund(world)])
    (one,) = await held(world)
    assert one.waiting_behind == 1
    await world.skip()
    await world.work()
    (behind,) = await held(world)
    assert (behind.reason, behind.words) == ("PARENT_SKIPPED", "the order that this belongs to was skipped")


async def test_skipping_what_is_in_doubt_keeps_the_doubt(world: World) -> None:
    """The lost request may still land: the next create looks first, and there is one document."""
    world.shop.put("1")
    world.erp.faults.rules += [Rule(Fault.LOST_REPLY, "orders.write", first=1), Rule(Fault.SERVER_ERROR, "orders.find")]
    await world.take("1")
    await world.pool.fetch(
        "UPDATE lane SET reason = 'ATTEMPTS', held_seq = 1, due_at = NULL, since = now() WHERE lane_key = 'shop/1'"
    )
    await world.skip()
    row = (
        await world.pool.fetch(
            "SELECT e.state, e.doubt_at, l.late_until FROM effect e JOIN lane l USING (target, lane_key)"
            " WHERE lane_key = 'shop/1'"
        )
    )[0]
    assert row["state"] == "SKIPPED"
    assert row["doubt_at"] is not None
    assert row["late_until"] is not None
    world.erp.faults.rules.clear()
    world.shop.put("1", "12")
    await world.take("1")
    await _work_until_synced(world)
    assert len(world.erp.of("orders")) == 1


async def test_a_customer_cannot_be_skipped(world: World) -> None:
    """Its orders would wait for it for ever."""
    world.shop.put("1")
    key = "customer/shop/anonymous"
    world.erp.refuses.add(key)
    await world.take("1")
    (one,) = await held(world)
    assert one.entity_type == "customer"
    world.erp.refuses.clear()
    request = pb.SkipHeldRequest(name=one.name, request_id="r1", reason="no")
    refusal = await refused(world.held.SkipHeld(request, timeout=DEADLINE_S))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NOT_HELD")
    assert "cannot be skipped" in refusal.text
    await world.resume(one.name)
    await _work_until_synced(world)


# ---- mark as applied -----------------------------------------------------------------------------------------------


async def test_a_document_made_by_hand_is_bound_and_later_revisions_go_to_it(world: World) -> None:
    await world.hold()
    made = world.erp._create("orders", {"ref": "shop/1", "mark": "", "revision": 0, "content": {}})["id"]
    answer = await world.held.MarkApplied(mark(external_id=made), timeout=DEADLINE_S, metadata=ACTOR)
    assert answer.applied.name == "shop/1"
    (target,) = (await world.sync()).targets
    assert (target.external_id, target.document_number, target.applied_revision) == (made, "S00017", 1)
    assert await world.state() == ("SYNCED", "")
    assert await audit(world) == [("marked applied", "Ada", "typed in by hand", "DATA")]
    world.erp.refuses.clear()
    world.shop.put("1", "12")
    await world.take("1")
    assert await world.state() == ("SYNCED", "")
    assert [document.id for document in world.erp.of("orders")] == [made]


async def test_a_document_that_belongs_to_another_order_is_refused(world: World) -> None:
    world.shop.put("2")
    await world.take("2")
    await world.hold()
    request = mark(external_id=world.erp.of("orders")[0].id)
    refusal = await refused(world.held.MarkApplied(request, timeout=DEADLINE_S))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NOT_HELD")
    assert "belongs to shop/2 already" in refusal.text
    assert await world.state() == ("HELD", "DATA")


# ---- what every act keeps to ---------------------------------------------------------------------------------------


async def test_the_same_request_again_is_answered_as_the_first_time_and_done_once(world: World) -> None:
    await world.hold()
    first = await world.skip(request_id="r-1")
    assert await world.skip(request_id="r-1") == first
    assert len(await audit(world)) == 1
    request = pb.ResumeHeldRequest(name="shop/1", target="erp", request_id="r-1")
    refusal = await refused(world.held.ResumeHeld(request, timeout=DEADLINE_S))
    assert "used before for another act" in refusal.text


async def test_an_order_that_is_not_held_says_how_it_stands(world: World) -> None:
    world.shop.put("1")
    await world.take("1")
    world.shop.put("2")
    await world.take("2", work=False)
    world.erp.busy.add("shop/3")
    world.shop.put("3")
    await world.take("3")
    for name, words in (("1", "nothing is left to do"), ("2", "it is due"), ("3", "it waits (TRANSIENT)")):
        request = pb.ResumeHeldRequest(name=f"shop/{name}", target="erp", request_id="r1")
        refusal = await refused(world.held.ResumeHeld(request, timeout=DEADLINE_S))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NOT_HELD")
        assert words in refusal.text
    refusal = await refused(
        world.held.ResumeHeld(pb.ResumeHeldRequest(name="shop/1", request_id="r1"), timeout=DEADLINE_S)
    )
    assert "not held anywhere" in refusal.text


async def test_an_order_in_somebodys_hands_is_left_alone(world: World) -> None:
    await world.hold()
    await world.pool.fetch("UPDATE lane SET lease_until = clock_timestamp() + interval '1 min'")
    request = pb.SkipHeldRequest(name="shop/1", request_id="r1", reason="no")
    refusal = await refused(world.held.SkipHeld(request, timeout=DEADLINE_S))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NOT_HELD")
    assert "is being worked on" in refusal.text
    assert await audit(world) == []


async def test_a_job_of_a_dead_process_neither_blocks_an_act_nor_undoes_it(world: World) -> None:
    """FC-113: its lease is over, and what it writes late is fenced by the act's epoch."""
    await world.hold()
    epoch = (await world.pool.fetch("SELECT epoch FROM lane WHERE lane_key = 'shop/1'"))[0]["epoch"]
    await world.pool.fetch("UPDATE lane SET lease_until = clock_timestamp() - interval '1 s' WHERE lane_key = 'shop/1'")
    await world.skip()
    heads, idle = await world.engine.ledger.heads([Claim("shop/1", epoch)])
    assert (heads, idle) == ([], [])


async def test_two_people_who_act_at_once_do_not_both_succeed(world: World) -> None:
    await world.hold()
    answers = await asyncio.gather(world.skip(), world.skip(), world.resume(), return_exceptions=True)
    assert sum(isinstance(answer, pb.Held) for answer in answers) == 1
    assert len(await audit(world)) == 1


async def test_an_act_needs_a_request_id_and_what_cannot_be_undone_needs_a_reason(world: World) -> None:
    await world.hold()
    stub = world.held
    for call, field in (
        (stub.SkipHeld(pb.SkipHeldRequest(name="shop/1", request_id="r1"), timeout=DEADLINE_S), "reason"),
        (stub.SkipHeld(pb.SkipHeldRequest(name="shop/1", reason="no"), timeout=DEADLINE_S), "request_id"),
        (stub.ResumeHeld(pb.ResumeHeldRequest(name="shop/1", request_id="a b"), timeout=DEADLINE_S), "request_id"),
        (stub.ResumeHeld(pb.ResumeHeldRequest(name="shop/1", request_id="r", reason="x" * 501), timeout=9), "reason"),
        (stub.MarkApplied(mark(external_id=""), timeout=DEADLINE_S), "external_id"),
        (stub.MarkApplied(mark(external_id="1\n"), timeout=DEADLINE_S), "external_id"),
        (stub.MarkApplied(mark(document_number="x" * 201), timeout=DEADLINE_S), "document_number"),
        (stub.MarkApplied(mark(reason=" "), timeout=DEADLINE_S), "reason"),
    ):
        refusal = await refused(call)
        assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, [field])


async def test_an_act_without_a_name_for_its_actor_is_ascribed_to_the_address(world: World) -> None:
    await world.hold()
    request = pb.SkipHeldRequest(name="shop/1", request_id="r1", reason="no")
    await world.held.SkipHeld(request, timeout=DEADLINE_S)
    assert (await audit(world))[0][1] == "ipv4:127.0.0.1"


async def test_skips_are_counted_once(world: World) -> None:
    await world.hold()
    await world.skip(request_id="r-1")
    await world.skip(request_id="r-1")
    metrics = world.installation.metrics.registry
    labels = {"flow": "orders", "target": "erp", "outcome": "skipped"}
    assert metrics.get_sample_value("tallystick_effects_total", labels) == 1
