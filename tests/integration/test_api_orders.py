"""Where orders are, over gRPC: every state in words, lists whose pages stay stable, the story of one order."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from simulators.faults import Fault, Rule
from tallystick.canonical.keys import order_key
from tallystick.canonical.times import to_timestamp
from tallystick.ledger import views
from tallystick.stack import Stack
from tallystick.v1 import order_sync_pb2 as pb
from tests.integration.api_help import DEADLINE_S, World, open_world, refused


@pytest.fixture
async def world(stack: Stack, database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(stack, database, tmp_path) as world:
        yield world


async def listed(world: World, **fields: Any) -> list[str]:
    """The ids of all pages."""
    return [sync.order_id for page in await pages(world, **fields) for sync in page]


async def pages(world: World, **fields: Any) -> Sequence[Sequence[pb.OrderSync]]:
    found: list[Sequence[pb.OrderSync]] = []
    token = ""
    while True:
        request = pb.ListOrderSyncsRequest(page_token=token, **fields)
        answer = await world.syncs.ListOrderSyncs(request, timeout=DEADLINE_S)
        found.append(answer.order_syncs)
        token = answer.next_page_token
        if not token:
            return found


# ---- one order -----------------------------------------------------------------------------------------------------


async def test_an_order_in_the_erp_is_shown_with_its_document_whatever_name_it_is_called_by(world: World) -> None:
    world.shop.put("7", number="#1042")
    await world.take("7")
    for name in ("shop/7", "7", "#1042", "1042", "shop/#1042", "shop/1042"):
        sync = await world.sync(name)
        assert (sync.name, sync.number, sync.revision, sync.gone) == ("shop/7", "#1042", 1, False)
    (target,) = sync.targets
    document = world.erp.of("orders")[0]
    assert (target.external_id, target.document_number) == (document.id, f"P{document.id}")
    assert (target.target, target.state, target.reason) == ("erp", pb.SYNC_STATE_SYNCED, "")
    assert target.words == f"it is in erp as P{document.id}"
    assert (target.applied_revision, target.contract_version[:2]) == (1, "1+")
    assert target.HasField("applied_at")
    assert not target.HasField("due_at")


async def test_every_state_has_its_reason_in_words(world: World) -> None:
    """Accepted, syncing, waiting, held, synced, not eligible, skipped."""
    world.shop.put("1")
    assert await world.see("1")
    assert await world.state() == ("ACCEPTED", "")
    await world.take("1", work=False)
    assert await world.state() == ("SYNCING", "")
    world.erp.busy.add("shop/1")
    await world.work()
    assert await world.state() == ("WAITING", "TRANSIENT")
    (target,) = (await world.sync()).targets
    assert target.words == "it waits and goes on by itself: the last try failed for a passing reason"
    assert target.detail == "the document is being edited"
    assert target.HasField("due_at")
    assert target.HasField("since")

    await world.hold("2")
    assert await world.state("shop/2") == ("HELD", "DATA")
    (target,) = (await world.sync("shop/2")).targets
    assert target.words == "it is held until somebody acts: the target refused the content"
    assert target.detail == "the plain ERP does not know a product of this order"

    world.shop.put("3", state="draft")
    await world.take("3")
    assert await world.state("shop/3") == ("NOT_ELIGIBLE", "DRAFT")
    (target,) = (await world.sync("shop/3")).targets
    assert target.words == "it is not for erp: it was never placed (a draft or a checkout left behind)"

    await world.skip("shop/2")
    assert await world.state("shop/2") == ("SKIPPED", "")
    assert await listed(world, state=pb.SYNC_STATE_SKIPPED) == ["2"]


async def test_an_adopted_order_is_shown_with_the_document_that_was_there_before_us(world: World) -> None:
    world.shop.put("1")
    await world.see("1")
    await world.pool.fetch(
        "INSERT INTO binding (target, entity_type, entity_id, external_id, number, adopted)"
        " VALUES ('erp', 'order', 'shop/1', '77', 'S00077', true)"
    )
    assert await world.state() == ("ADOPTED", "")
    (target,) = (await world.sync()).targets
    assert target.words == "it was in erp before us as S00077, and is only observed"
    assert await listed(world, state=pb.SYNC_STATE_ADOPTED) == ["1"]


async def test_a_target_that_is_down_is_the_reason_of_all_that_is_due(world: World) -> None:
    world.shop.put("1")
    await world.take("1", work=False)
    await world.engine.ledger.open_circuit(60, "DOWN", "connection refused")
    assert await world.state() == ("WAITING", "TARGET_DOWN")
    (target,) = (await world.sync()).targets
    assert target.detail == "connection refused"
    assert target.due_at.ToDatetime(UTC) > datetime.now(UTC) + timedelta(seconds=30)
    assert await listed(world, reason="TARGET_DOWN") == ["1"]


async def test_a_lost_answer_is_said_to_be_in_doubt(world: World) -> None:
    """FC-008: until it is looked up, nobody claims that it is there or that it is not."""
    world.shop.put("1")
    world.erp.faults.rules.append(Rule(Fault.LOST_REPLY, "orders.write", first=1))
    world.erp.faults.rules.append(Rule(Fault.SERVER_ERROR, "orders.find"))
    await world.take("1")
    (target,) = (await world.sync()).targets
    assert target.in_doubt
    assert "IN_DOUBT" in await world.kinds()


async def test_an_order_that_no_store_showed_is_not_found(world: World) -> None:
    for name in ("shop/404", "404", "#404", "other/1", "#", "shop/"):
        refusal = await refused(world.syncs.GetOrderSync(pb.GetOrderSyncRequest(name=name), timeout=DEADLINE_S))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "ORDER_NOT_FOUND")


async def test_a_number_that_two_orders_share_is_refused_with_their_names(world: World) -> None:
    """Numbers are unique only by custom; ids are."""
    world.shop.put("1", number="#1001")
    world.shop.put("2", number="1001")
    world.shop.put("1001", number="#7")
    await world.see("1", "2", "1001")
    refusal = await refused(world.syncs.GetOrderSync(pb.GetOrderSyncRequest(name="#1001"), timeout=DEADLINE_S))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ORDER_AMBIGUOUS")
    assert "shop/1, shop/2" in refusal.text
    assert (await world.sync("shop/1001")).number == "#7", "an id goes before an equal number"


async def test_what_names_no_order_and_no_target_of_ours_is_refused_by_field(world: World) -> None:
    world.shop.put("1")
    await world.see("1")
    for name in ("", "x" * 401, "a\0b"):
        refusal = await refused(world.syncs.GetOrderSync(pb.GetOrderSyncRequest(name=name), timeout=DEADLINE_S))
        assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["name"])
    request = pb.GetOrderSyncRequest(name="shop/1", target="sap")
    refusal = await refused(world.syncs.GetOrderSync(request, timeout=DEADLINE_S))
    assert refusal.fields == ["target"]
    assert "there are erp" in refusal.text


async def test_the_database_encodes_parts_of_names_as_we_do(world: World) -> None:
    """Joins between orders and lanes go by it."""
    odd = ["1042", "a/b", "100 %", "ä#ß?", "gid://shop/Order/1", "%41", "日本", "a.b-c_d~e", "'\"\\"]
    rows = await world.pool.fetch(
        "SELECT key_part(t) AS part, key_text(key_part(t)) AS text FROM unnest($1::text[]) WITH ORDINALITY AS u (t, n)"
        " ORDER BY n",
        odd,
    )
    assert [row["part"] for row in rows] == [order_key("x", one)[2:] for one in odd]
    assert [row["text"] for row in rows] == odd


async def test_an_order_with_an_odd_id_is_found_by_its_name_and_in_lists(world: World) -> None:
    await world.hold("gid://shop/1 %", number="#9")
    assert await listed(world, state=pb.SYNC_STATE_HELD) == ["gid://shop/1 %"]
    sync = await world.sync("#9")
    assert sync.name == "shop/gid%3A%2F%2Fshop%2F1%20%25"
    assert (await world.sync(sync.name)).order_id == "gid://shop/1 %"


# ---- lists ---------------------------------------------------------------------------------------------------------


async def test_lists_go_from_the_newest_to_the_oldest_and_are_filtered(world: World) -> None:
    for number in range(1, 7):
        world.shop.put(str(number), state="draft" if number == 6 else "placed")
    world.erp.refuses |= {"shop/2", "shop/3"}
    for number in range(1, 7):
        await world.take(str(number))
    before = to_timestamp(datetime.now(UTC))
    world.shop.put("4", "12")
    await world.take("4")
    assert await listed(world) == ["6", "5", "4", "3", "2", "1"]
    assert await listed(world, page_size=2) == ["6", "5", "4", "3", "2", "1"]
    assert await listed(world, state=pb.SYNC_STATE_HELD) == ["3", "2"]
    assert await listed(world, state=pb.SYNC_STATE_HELD, page_size=1) == ["3", "2"]
    assert await listed(world, state=pb.SYNC_STATE_SYNCED) == ["5", "4", "1"]
    assert await listed(world, state=pb.SYNC_STATE_SYNCED, page_size=1) == ["5", "4", "1"]
    assert await listed(world, reason="DATA") == ["3", "2"]
    assert await listed(world, reason="DRAFT") == ["6"]
    assert await listed(world, state=pb.SYNC_STATE_NOT_ELIGIBLE, target="erp", connection="shop") == ["6"]
    assert await listed(world, changed_since=before) == ["4"]
    assert await listed(world, reason="LOCKED") == []


async def test_a_page_looks_at_a_bounded_number_of_orders_and_the_next_goes_on_behind_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few among many: a page may be short or empty, and none is left out."""
    monkeypatch.setattr(views, "LOOKED_AT", 3)
    for number in range(8):
        world.shop.put(str(number), state="draft" if number in (1, 2, 6) else "placed")
        await world.see(str(number))
    await world.take("0", "2", "6", work=False)
    assert await listed(world, state=pb.SYNC_STATE_ACCEPTED, page_size=2) == ["7", "5", "4", "3", "1"]
    assert [len(page) for page in await pages(world, state=pb.SYNC_STATE_SYNCED, page_size=2)] == [0, 0, 0]
    assert await listed(world, state=pb.SYNC_STATE_NOT_ELIGIBLE, page_size=1) == ["6", "2"]
    assert await listed(world, state=pb.SYNC_STATE_SYNCING, page_size=1) == ["0"]


async def test_pages_stay_stable_while_orders_come_in_and_change(world: World) -> None:
    for number in range(10):
        world.shop.put(str(number))
        await world.take(str(number), work=False)
    first = await world.syncs.ListOrderSyncs(pb.ListOrderSyncsRequest(page_size=4), timeout=DEADLINE_S)
    for number in (2, 7, 9, 20, 21):
        world.shop.put(str(number), "99")
        await world.take(str(number), work=False)
    seen = [sync.order_id for sync in first.order_syncs]
    token = first.next_page_token
    while token:
        page = await world.syncs.ListOrderSyncs(
            pb.ListOrderSyncsRequest(page_size=4, page_token=token), timeout=DEADLINE_S
        )
        seen += [sync.order_id for sync in page.order_syncs]
        token = page.next_page_token
    assert seen == [str(number) for number in reversed(range(10))]


async def test_a_list_takes_the_same_number_of_statements_for_any_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        world.shop.put(str(number))
    await world.take(*map(str, range(12)), work=False)
    statements: list[str] = []
    fetch = world.pool.fetch

    async def counted(query: str, *arguments: object) -> Any:
        statements.append(query)
        return await fetch(query, *arguments)

    monkeypatch.setattr(world.pool, "fetch", counted)
    for size in (1, 12):
        request = pb.ListOrderSyncsRequest(page_size=size, state=pb.SYNC_STATE_SYNCING)
        answer = await world.syncs.ListOrderSyncs(request, timeout=DEADLINE_S)
        assert len(answer.order_syncs) == size
    assert len(statements) == 2 * 2


async def test_a_page_token_holds_for_its_filters_only(world: World) -> None:
    for number in range(3):
        world.shop.put(str(number))
    await world.see("0", "1", "2")
    first = await world.syncs.ListOrderSyncs(pb.ListOrderSyncsRequest(page_size=1), timeout=DEADLINE_S)
    other = pb.ListOrderSyncsRequest(page_token=first.next_page_token, connection="shop")
    for request in (other, pb.ListOrderSyncsRequest(page_token="bm8"), pb.ListOrderSyncsRequest(page_token="é")):
        refusal = await refused(world.syncs.ListOrderSyncs(request, timeout=DEADLINE_S))
        assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["page_token"])


async def test_what_no_filter_can_be_is_refused_by_field(world: World) -> None:
    for fields, name in (
        ({"connection": "ebay"}, "connection"),
        ({"target": "sap"}, "target"),
        ({"state": 99}, "state"),
        ({"changed_since": {"seconds": -(10**14)}}, "changed_since"),
    ):
        request = pb.ListOrderSyncsRequest(**fields)
        refusal = await refused(world.syncs.ListOrderSyncs(request, timeout=DEADLINE_S))
        assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, [name])


# ---- the story -----------------------------------------------------------------------------------------------------


async def test_the_story_of_an_order_tells_what_happened_in_its_order(world: World) -> None:
    """A lost answer, a hold, a person's act, a newer revision: with times and in words."""
    world.shop.put("1")
    world.erp.faults.rules.append(Rule(Fault.LOST_REPLY, "orders.write", first=1))
    await world.take("1")
    world.erp.refuses.add("shop/1")
    world.shop.put("1", "12")
    await world.take("1")
    world.erp.refuses.clear()
    await world.resume()
    await world.work()
    assert await world.kinds() == [
        "FIRST_SEEN",
        "RECORDED",
        "IN_DOUBT",
        "STEP_DONE",
        "APPLIED",
        "RECORDED",
        "HELD",
        "RESUMED",
        "STEP_DONE",
        "APPLIED",
    ]
    answer = await world.syncs.ListOrderEvents(pb.ListOrderEventsRequest(name="shop/1"), timeout=DEADLINE_S)
    times = [event.at.ToDatetime() for event in answer.events]
    assert times == sorted(times)
    words = [event.words for event in answer.events]
    assert words[0] == "the order was seen for the first time"
    assert words[2] == "revision 1: an answer of erp was lost, so it is looked up"
    assert words[6] == "revision 2 is held: the target refused the content"
    assert words[7] == "Ada resumed what was held for erp: the target refused the content"
    assert answer.events[1].HasField("received_at")
    assert (answer.events[7].actor, answer.events[7].detail) == ("Ada", "asked by finance")


async def test_a_revision_that_gave_way_unsent_is_part_of_the_story(world: World) -> None:
    world.shop.put("1")
    await world.take("1", work=False)
    world.shop.put("1", "12")
    await world.take("1")
    assert (await world.kinds()).count("SUPERSEDED") == 1


async def test_a_story_comes_in_pages(world: World) -> None:
    world.shop.put("1")
    await world.take("1")
    whole = await world.syncs.ListOrderEvents(pb.ListOrderEventsRequest(name="shop/1"), timeout=DEADLINE_S)
    found: list[pb.OrderEvent] = []
    token = ""
    while True:
        request = pb.ListOrderEventsRequest(name="shop/1", page_size=1, page_token=token)
        page = await world.syncs.ListOrderEvents(request, timeout=DEADLINE_S)
        found += page.events
        token = page.next_page_token
        if not token:
            break
    assert found == list(whole.events)
    assert len(found) > 2
