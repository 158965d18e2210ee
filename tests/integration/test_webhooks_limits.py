"""What a sender can exhaust, and cannot: size, time, connections, memory (reliability S4, S5, F24)."""

import asyncio
import gzip
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import psutil
import pytest

from service.webhook_messages import Limits
from tallystick.kafka.topics import VALUE_MAX
from tallystick.stack import Stack
from tests.integration.webhooks_help import (
    ODD_BODY,
    Edge,
    Raw,
    fresh_edge,
    on_topic,
    raw,
    request,
    shopify_headers,
    woo_headers,
)

MIB = 1024 * 1024
QUICK = Limits(request_s=0.6, idle_s=0.6, linger_s=0.3, connections_max=80, held_max=8 * MIB)
GOOD = request(ODD_BODY, woo_headers(ODD_BODY))


@pytest.fixture
async def running(stack: Stack, database: str, topic_prefix: str) -> AsyncIterator[Edge]:
    async with fresh_edge(stack.kafka, database, topic_prefix) as running:
        yield running


@pytest.fixture
async def quick(stack: Stack, database: str, topic_prefix: str) -> AsyncIterator[Edge]:
    async with fresh_edge(stack.kafka, database, topic_prefix, limits=QUICK) as running:
        yield running


class Watch:
    """The most memory that this process took while it was watched, above what it had before, in MiB."""

    async def __aenter__(self) -> "Watch":
        self._process = psutil.Process()
        self._before = self._most = self._process.memory_info().rss
        self._task = asyncio.create_task(self._look())
        return self

    async def _look(self) -> None:
        while True:
            self._most = max(self._most, self._process.memory_info().rss)
            await asyncio.sleep(0.005)

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def grown_mib(self) -> float:
        return (self._most - self._before) / MIB


# ---- size ----------------------------------------------------------------------------------------------------------


async def test_the_largest_delivery_passes_and_one_byte_more_does_not(stack: Stack, running: Edge) -> None:
    """S4: an order of 1.5 MB and one at the limit, incompressible."""
    bodies = [b'{"id":1}' + os.urandom(1_500_000), b'{"id":2}' + os.urandom(VALUE_MAX - 8)]
    async with raw(running.address) as sender:
        for body in bodies:
            await sender.send(request(body, woo_headers(body)))
            assert (await sender.answer())[0] == 200
        await sender.send(request(b"", woo_headers(b""), length=VALUE_MAX + 1))
        assert (await sender.answer())[0] == 413
        assert await sender.ended()
    assert sorted(record.value or b"" for record in await on_topic(stack.kafka, running.prefix)) == sorted(bodies)
    assert running.counted("too_large") == 1


async def test_a_hundred_megabytes_are_refused_before_they_are_read(running: Edge) -> None:
    """S4: announced or in chunks, memory stays where it was, and the sender learns why."""
    piece = b"x" * 65536
    chunk = b"10000\r\n" + piece + b"\r\n"
    announced = request(b"", woo_headers(b""), length=100 * MIB)
    chunked = announced.replace(b"Content-Length: %d" % (100 * MIB), b"Transfer-Encoding: chunked")
    for head, part in ((announced, piece), (chunked, chunk)):
        async with Watch() as watch, raw(running.address) as sender:
            await sender.send(head)
            answer = asyncio.create_task(sender.answer())
            try:
                for _ in range(1600):
                    await sender.send(part)
            except ConnectionError:
                pass
            assert (await answer)[0] == 413
        assert watch.grown_mib < 20
    assert running.counted("too_large") == 2


async def test_a_chunked_delivery_is_taken(stack: Stack, running: Edge) -> None:
    """A proxy between may pass bodies on without their length."""
    head = GOOD.partition(b"\r\n\r\n")[0].replace(b"Content-Length: %d" % len(ODD_BODY), b"Transfer-Encoding: chunked")
    parts = [ODD_BODY[:5], ODD_BODY[5:]]
    async with raw(running.address) as sender:
        await sender.send(head + b"\r\n\r\n")
        for part in parts:
            await sender.send(b"%x\r\n%s\r\n" % (len(part), part))
        await sender.send(b"0\r\n\r\n")
        assert (await sender.answer())[0] == 200
    [record] = await on_topic(stack.kafka, running.prefix)
    assert record.value == ODD_BODY


async def test_a_decompression_bomb_is_not_unpacked(running: Edge) -> None:
    """S4"""
    bomb = gzip.compress(b"0" * 50 * MIB)
    async with Watch() as watch, raw(running.address) as sender:
        await sender.send(request(bomb, woo_headers(bomb, **{"Content-Encoding": "gzip"})))
        assert (await sender.answer())[0] == 415
    assert watch.grown_mib < 20
    assert running.counted("invalid") == 1


@pytest.mark.parametrize(
    "head",
    [
        b"POST /webhooks/woo HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
        b"POST /webhooks/woo HTTP/1.1\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(200)) + b"\r\n",
        b"POST /" + b"a" * 2 * MIB,
        b"POST /webhooks/woo HTTP/1.1\r\nX: " + b"a" * 2 * MIB,
    ],
    ids=["long header", "many headers", "endless target", "endless header"],
)
async def test_heads_have_an_end(running: Edge, head: bytes) -> None:
    async with raw(running.address) as sender:
        await sender.send(head)
        assert (await sender.answer())[0] == 431
        assert await sender.ended()


async def test_memory_is_bounded_whoever_comes(stack: Stack, database: str, topic_prefix: str) -> None:
    """64 senders with 3 MB each at the same time: who finds no room waits, and everybody is answered."""
    body = b"x" * 3 * MIB
    limits = Limits(held_max=24 * MIB)
    forged = request(body, woo_headers(b"another"))

    async def send(address: str) -> int:
        async with raw(address) as sender:
            for start in range(0, len(forged), 65536):
                await sender.send(forged[start : start + 65536])
            return (await sender.answer(within_s=120))[0]

    async with fresh_edge(stack.kafka, database, topic_prefix, limits=limits) as running, Watch() as watch:
        answers = await asyncio.gather(*(send(running.address) for _ in range(64)))
    assert set(answers) == {401, 429}
    assert watch.grown_mib < 96


# ---- time ----------------------------------------------------------------------------------------------------------


async def test_who_sends_a_byte_now_and_then_is_cut_off(quick: Edge) -> None:
    """F24: slow in its head, slow in its body, or silent from the start. The others do not notice."""

    async def drip(sent_at_once: int) -> int:
        async with raw(quick.address) as sender:
            await sender.send(GOOD[:sent_at_once])
            dripping = asyncio.create_task(_drip(sender.writer, GOOD[sent_at_once:]))
            status = (await sender.answer())[0]
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)
            assert await sender.ended()
            return status

    slow = [asyncio.create_task(drip(n)) for n in (5, 60, len(GOOD) - 20)]
    async with raw(quick.address) as silent, raw(quick.address) as normal:
        await normal.send(GOOD)
        assert (await normal.answer())[0] == 200
        assert await silent.ended()
    assert await asyncio.gather(*slow) == [408] * 3


async def _drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    for byte in data:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.1)


async def test_an_idle_connection_is_closed_and_a_busy_one_is_not(quick: Edge) -> None:
    async with raw(quick.address) as sender:
        began_s = time.monotonic()
        while time.monotonic() - began_s < 3 * QUICK.idle_s:
            await sender.send(GOOD)
            assert (await sender.answer())[0] == 200
            await asyncio.sleep(0.1)
        assert await sender.ended()


# ---- connections ---------------------------------------------------------------------------------------------------


async def test_one_connection_serves_many_and_says_when_it_ends(stack: Stack, running: Edge) -> None:
    """Keep-alive, several at once on one connection, HTTP/1.0, and a sender that closes its half first."""
    async with raw(running.address) as sender:
        for _ in range(3):
            await sender.send(GOOD)
            status, headers = await sender.answer()
            assert (status, headers["connection"]) == (200, "keep-alive")
        await sender.send(GOOD * 4)
        assert [(await sender.answer())[0] for _ in range(4)] == [200] * 4
        await sender.send(GOOD.replace(b"Host: edge", b"Connection: close"))
        status, headers = await sender.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await sender.ended()
    async with raw(running.address) as sender:
        await sender.send(GOOD.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert (await sender.answer())[1]["connection"] == "close"
        assert await sender.ended()
    async with raw(running.address) as sender:
        await sender.send(GOOD)
        sender.writer.write_eof()
        assert (await sender.answer())[0] == 200
        assert await sender.ended()
    assert len(await on_topic(stack.kafka, running.prefix)) == 10


async def test_who_asks_before_sending_a_body_is_told_to_go_on(running: Edge) -> None:
    """WordPress's client does so for bodies of more than a megabyte."""
    body = b'{"id":5}' + b" " * 2 * MIB
    whole = request(body, woo_headers(body, Expect="100-continue"))
    head = whole.index(b"\r\n\r\n") + 4
    async with raw(running.address) as sender:
        await sender.send(whole[:head])
        assert (await sender.answer())[0] == 100
        await sender.send(whole[head:])
        assert (await sender.answer())[0] == 200


async def test_what_is_no_http_is_told_so_and_dropped(running: Edge) -> None:
    die = random.Random(5)
    for noise in (
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"POST /webhooks/woo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ):
        async with raw(running.address) as sender:
            await sender.send(noise)
            assert (await sender.answer())[0] == 400
            assert await sender.ended()
    for _ in range(30):
        async with raw(running.address) as sender:
            await sender.send(die.randbytes(300) + b"\r\n\r\n")
            assert (await sender.answer())[0] in (400, 404, 431)


async def test_more_connections_than_it_takes_are_told_to_come_again(quick: Edge) -> None:
    idle = [raw(quick.address) for _ in range(QUICK.connections_max)]
    opened = [await one.__aenter__() for one in idle]
    try:
        async with raw(quick.address) as sender:
            status, headers = await sender.answer()
            assert (status, headers["retry-after"]) == (503, "5")
    finally:
        for one in idle:
            await one.__aexit__(None, None, None)
    assert len(opened) == QUICK.connections_max
    async with asyncio.timeout(30):
        while True:
            async with raw(quick.address) as sender:
                await sender.send(GOOD)
                if (await sender.answer())[0] == 200:
                    break


async def test_64_connections_at_once_lose_nothing(stack: Stack, running: Edge) -> None:
    """FC-104: every answer came after the write, and long before the store gives up."""

    async def send(number: int) -> float:
        slowest_s = 0.0
        async with raw(running.address) as sender:
            for turn in range(10):
                body = b'{"id":%d}' % (number * 10 + turn + 1)
                connection, headers = ("shop", shopify_headers(body)) if number % 2 else ("woo", woo_headers(body))
                began_s = time.monotonic()
                await sender.send(request(body, headers, path=f"/webhooks/{connection}"))
                assert (await sender.answer())[0] == 200
                slowest_s = max(slowest_s, time.monotonic() - began_s)
        return slowest_s

    slowest_s = await asyncio.gather(*(send(number) for number in range(64)))
    assert len({record.value for record in await on_topic(stack.kafka, running.prefix)}) == 640
    assert max(slowest_s) < 5


async def test_deliveries_under_way_are_answered_when_the_edge_ends(
    stack: Stack, database: str, topic_prefix: str
) -> None:
    """F3: nothing that was taken is dropped, and what was taken is answered."""
    async with AsyncExitStack() as stays:
        async with fresh_edge(stack.kafka, database, topic_prefix) as running:
            senders = [await stays.enter_async_context(raw(running.address)) for _ in range(20)]
            for sender in senders:
                await sender.send(GOOD)
                assert (await sender.answer())[0] == 200
            for sender in senders:
                await sender.send(GOOD)
            # One turn of the loop reads what came; its answers take several.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        answered = sum([await answered_once_more(sender) for sender in senders])
    assert answered > 0
    assert len(await on_topic(stack.kafka, topic_prefix)) == 20 + answered


async def answered_once_more(sender: Raw) -> bool:
    try:
        return (await sender.answer())[0] == 200
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
