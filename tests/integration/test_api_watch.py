"""Events as they happen, over gRPC: each once, none left out, whatever transactions overlap and streams break."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import pytest

from service.watch import WatchLimits
from tallystick.stack import Stack
from tallystick.v1 import order_sync_pb2 as pb
from tests.integration.api_help import DEADLINE_S, World, open_world, refused

TELL = (
    "INSERT INTO event (target, lane_key, entity_type, entity_id, revision, what)"
    " VALUES ('erp', $1, 'order', $1, $2, 'applied')"
)


@pytest.fixture
async def world(stack: Stack, database: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(stack, database, tmp_path) as world:
        yield world


class Watcher:
    """A client that reads one stream in the background."""

    def __init__(self, world: World, **fields: Any) -> None:
        self.call = world.syncs.WatchOrderSync(pb.WatchOrderSyncRequest(**fields))
        self.got: list[pb.WatchOrderSyncResponse] = []
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for answer in self.call:
            self.got.append(answer)

    @property
    def seen(self) -> list[tuple[str, int]]:
        """Orders and revisions in the order in which they came."""
        return [(one.event.order, one.event.revision) for one in self.got if one.HasField("event")]

    @property
    def token(self) -> str:
        """Where the stream stands."""
        return self.got[-1].resume_token

    async def begun(self) -> "Watcher":
        """The first heartbeat says that the stream's beginning is fixed."""
        await self.until(lambda: bool(self.got))
        return self

    async def until(self, condition: Any, within_s: float = 30) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        self.call.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def watch(world: World, **fields: Any) -> Watcher:
    return await Watcher(world, **fields).begun()


async def tell(world: World, order: str, revision: int) -> None:
    await world.pool.fetch(TELL, order, revision)


async def test_a_watcher_of_one_order_sees_its_way_into_the_erp(world: World) -> None:
    world.shop.put("1")
    world.shop.put("2")
    await world.see("1", "2")
    watcher = await watch(world, name="shop/1")
    await world.take("2")
    await world.take("1")
    await watcher.until(lambda: len(watcher.seen) >= 2)
    events = [one.event for one in watcher.got if one.HasField("event")]
    assert {event.order for event in events} == {"shop/1"}
    assert events[-1].kind == pb.ORDER_EVENT_KIND_APPLIED
    assert events[-1].words == "revision 1 is in erp"
    await watcher.close()


async def test_a_watcher_of_a_connection_or_of_all_leaves_out_what_it_did_not_ask_for(world: World) -> None:
    everything, connection = await watch(world), await watch(world, connection="shop", target="erp")
    await tell(world, "shop/1", 1)
    await tell(world, "shop2/1", 1)
    await world.pool.fetch(
        "INSERT INTO event (target, lane_key, entity_type, what)"
        " VALUES ('erp', 'customer/shop/1', 'customer', 'applied')"
    )
    await tell(world, "shop/2", 1)
    await everything.until(lambda: len(everything.seen) == 3)
    await connection.until(lambda: len(connection.seen) == 2)
    assert everything.seen == [("shop/1", 1), ("shop2/1", 1), ("shop/2", 1)]
    assert connection.seen == [("shop/1", 1), ("shop/2", 1)]
    await everything.close()
    await connection.close()


async def test_transactions_that_commit_out_of_order_lose_nothing_and_repeat_nothing(
    world: World, database: str
) -> None:
    """An id is given at insert and seen at commit: a cursor over ids alone would lose the slow one."""
    watcher = await watch(world)
    slow, quick = await asyncpg.connect(database), await asyncpg.connect(database)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(TELL, "shop/slow", 1)
    for number in range(5):
        await quick.execute(TELL, "shop/quick", number + 1)
    await asyncio.sleep(0.2)
    assert watcher.seen == [], "what began later waits for what began first"
    token = watcher.token
    await transaction.commit()
    await watcher.until(lambda: len(watcher.seen) == 6)
    expected = [("shop/slow", 1), *(("shop/quick", number + 1) for number in range(5))]
    assert watcher.seen == expected
    again = await watch(world, resume_token=token)
    await again.until(lambda: len(again.seen) == 6)
    assert again.seen == expected
    for one in (slow, quick):
        await one.close()
    await watcher.close()
    await again.close()


async def test_a_watch_begins_exactly_after_what_was_visible_then(world: World, database: str) -> None:
    """Also when a transaction was open at that moment whose events come later, and others had committed before."""
    slow = await asyncpg.connect(database)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(TELL, "shop/slow", 1)
    await tell(world, "shop/before", 1)
    world.shop.put("1")
    await world.see("1")
    answer = await world.syncs.GetOrderSync(pb.GetOrderSyncRequest(name="shop/1"), timeout=DEADLINE_S)
    now, from_get = await watch(world), await watch(world, resume_token=answer.resume_token)
    await tell(world, "shop/after", 1)
    await transaction.commit()
    for watcher in (now, from_get):
        await watcher.until(lambda watcher=watcher: len(watcher.seen) == 2)
        await asyncio.sleep(0.1)
        assert watcher.seen == [("shop/slow", 1), ("shop/after", 1)]
        await watcher.close()
    await slow.close()


async def test_a_stream_that_breaks_at_any_event_goes_on_after_it(world: World, database: str) -> None:
    """Writers overlap all the time; the client reconnects after every few events with its last token."""
    first = await watch(world)
    await first.close()
    writers = [asyncio.create_task(_write(database, name)) for name in "abcd"]
    seen: list[tuple[str, int]] = []
    token = first.token
    async with asyncio.timeout(60):
        while len(seen) < 4 * 30:
            watcher = Watcher(world, resume_token=token)
            await watcher.until(lambda watcher=watcher: bool(watcher.seen))
            await watcher.close()
            answers = [one for one in watcher.got if one.HasField("event")][:7]
            seen += [(one.event.order, one.event.revision) for one in answers]
            token = answers[-1].resume_token
    await asyncio.gather(*writers)
    assert len(set(seen)) == 120, "none twice"
    for name in "abcd":
        assert [revision for order, revision in seen if order == f"shop/{name}"] == list(range(30))


async def _write(database: str, name: str) -> None:
    connection = await asyncpg.connect(database)
    for revision in range(30):
        async with connection.transaction():
            await connection.execute(TELL, f"shop/{name}", revision)
            await asyncio.sleep(0.003 * (ord(name) % 4))
    await connection.close()


async def test_a_quiet_stream_beats_and_its_beats_move_the_token_on(world: World) -> None:
    watcher = await watch(world, name="")
    await tell(world, "shop/1", 1)
    await watcher.until(lambda: len(watcher.got) >= 4)
    beats = [one for one in watcher.got if one.HasField("heartbeat")]
    assert len(beats) >= 3
    assert all(one.resume_token and one.heartbeat.HasField("at") for one in beats)
    again = await watch(world, resume_token=watcher.token)
    await tell(world, "shop/2", 1)
    await again.until(lambda: bool(again.seen))
    assert again.seen == [("shop/2", 1)]
    await watcher.close()
    await again.close()


async def test_a_client_that_does_not_read_holds_up_nobody_and_misses_nothing(world: World) -> None:
    """Nothing is buffered for it: the log is read on when it has read."""
    call = world.syncs.WatchOrderSync(pb.WatchOrderSyncRequest())
    await call.read()
    other = await watch(world)
    detail = "x" * 2000
    await world.pool.fetch(
        "INSERT INTO event (target, lane_key, entity_type, revision, what, detail)"
        " SELECT 'erp', 'shop/' || n, 'order', n, 'applied', $1 FROM generate_series(1, 400) n",
        detail,
    )
    await other.until(lambda: len(other.seen) == 400)
    seen = 0
    while seen < 400:
        answer = await call.read()
        seen += answer.HasField("event")
    call.cancel()
    await other.close()


async def test_the_stream_ends_by_itself_and_is_taken_up_again(stack: Stack, database: str, tmp_path: Path) -> None:
    limits = WatchLimits(ends_after_s=0.3, heartbeat_s=0.1, poll_s=0.02)
    async with open_world(stack, database, tmp_path, watch=limits) as world:
        watcher = await watch(world)
        await asyncio.wait_for(watcher.task, 30)
        assert await watcher.call.code() is grpc.StatusCode.OK
        await tell(world, "shop/1", 1)
        again = await watch(world, resume_token=watcher.token)
        await again.until(lambda: again.seen == [("shop/1", 1)])
        await again.close()


async def test_a_caller_may_have_so_many_streams_and_no_more(world: World) -> None:
    """Those that ended count no longer, however they ended."""
    for _ in range(3):
        streams = [await watch(world) for _ in range(3)]
        refusal = await refused(world.syncs.WatchOrderSync(pb.WatchOrderSyncRequest()).read())
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_WATCHERS")
        assert refusal.retry_after_s == 5
        for stream in streams:
            await stream.close()
        await _until_admitted(world)


async def _until_admitted(world: World) -> None:
    """The server hears of a cancelled stream a little later."""
    async with asyncio.timeout(30):
        while True:
            call = world.syncs.WatchOrderSync(pb.WatchOrderSyncRequest())
            try:
                await call.read()
                return
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.02)
            finally:
                call.cancel()


async def test_what_cannot_be_watched_is_refused(world: World) -> None:
    for fields, code in (
        ({"resume_token": "nonsense"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"resume_token": "é"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"connection": "ebay"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"target": "sap"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"name": "shop/404"}, grpc.StatusCode.NOT_FOUND),
    ):
        refusal = await refused(world.syncs.WatchOrderSync(pb.WatchOrderSyncRequest(**fields)).read())
        assert refusal.code is code
