"""Load for the intake bench, in a process of its own: so many connections, each sends when it was answered."""

import asyncio
import base64
import hashlib
import hmac
import sys
import time
from typing import cast

import uvloop

from bench.children import questions, say
from bench.orders import store_order

#: Distinct deliveries that are sent round and round.
DELIVERIES = 2000
ANSWER = b"HTTP/1.1 200 "


class Sender(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: list[bytes], first: int, took_s: list[float]) -> None:
        self._requests = requests
        self._next = first
        self._took_s = took_s
        self._seen = b""
        self.failed = 0
        self.stopping = False
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        self._began_s = time.perf_counter()
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1

    def data_received(self, data: bytes) -> None:
        self._seen += data
        if not self._seen.endswith(b"\r\n\r\n"):
            return
        self._took_s.append(time.perf_counter() - self._began_s)
        self.failed += not self._seen.startswith(ANSWER)
        self._seen = b""
        if self.stopping:
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self.failed += not self.stopping
        if not self.done.done():
            self.done.set_result(None)


async def load(address: str, requests: list[bytes], connections: int, seconds: float) -> dict[str, object]:
    """Send for so long; rate, percentiles in milliseconds, and how many were not answered by 200."""
    host, _, port = address.rpartition(":")
    loop, took_s = asyncio.get_running_loop(), list[float]()
    senders = [Sender(requests, number * 31, took_s) for number in range(connections)]
    began_s = time.perf_counter()
    for sender in senders:
        await loop.create_connection(lambda sender=sender: sender, host, int(port))  # type: ignore[misc]
    await asyncio.sleep(seconds)
    elapsed_s, count = time.perf_counter() - began_s, len(took_s)
    for sender in senders:
        sender.stopping = True
    await asyncio.wait([sender.done for sender in senders], timeout=10)
    took_s.sort()
    return {
        "per_s": count / elapsed_s,
        "p50_ms": took_s[len(took_s) // 2] * 1000,
        "p99_ms": took_s[len(took_s) * 99 // 100] * 1000,
        "failed": sum(sender.failed for sender in senders),
    }


def deliveries(secret: str) -> list[bytes]:
    """Signed requests, as the shop's own client writes them."""
    return [_request(store_order(number), secret) for number in range(1, DELIVERIES + 1)]


def _request(body: bytes, secret: str) -> bytes:
    signature = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    head = (
        "POST /webhooks/woo HTTP/1.1\r\nHost: edge.example\r\n"
        "User-Agent: WooCommerce/11.0.1 Hookshot (WordPress/6.9)\r\nAccept: */*\r\n"
        "Accept-Encoding: deflate, gzip, br, zstd\r\nContent-Type: application/json\r\n"
        "X-WC-Webhook-Source: https://shop.example/\r\nX-WC-Webhook-Topic: order.updated\r\n"
        "X-WC-Webhook-Resource: order\r\nX-WC-Webhook-Event: updated\r\n"
        f"X-WC-Webhook-Signature: {signature}\r\nX-WC-Webhook-ID: 12\r\n"
        f"X-WC-Webhook-Delivery-ID: 5f2f3c0f6b6d4b3f0e8d2a1c9b7a6e54\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def main(secret: str) -> None:
    """Answer each question of the parent with one measurement."""
    requests = deliveries(secret)
    say(bytes=len(requests[0]))
    async for question in questions():
        connections, seconds = int(str(question["connections"])), float(str(question["seconds"]))
        say(**await load(str(question["address"]), requests, connections, seconds))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
