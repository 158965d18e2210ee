"""The other contender of the intake bench: an aiohttp handler that checks the HMAC and produces with acks=all."""

import base64
import hashlib
import hmac
import sys

import uvloop
from aiohttp import web
from aiokafka import AIOKafkaProducer

from bench.children import questions, say


async def main(kafka: str, topic: str, secret: str) -> None:
    """Until the parent ends."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
    await producer.start()
    key = secret.encode()

    async def deliver(request: web.Request) -> web.Response:
        raw = await request.read()
        signature = base64.b64encode(hmac.digest(key, raw, hashlib.sha256)).decode()
        if not hmac.compare_digest(signature, request.headers.get("X-WC-Webhook-Signature", "")):
            return web.Response(status=401)
        await producer.send_and_wait(topic, raw)
        return web.Response()

    application = web.Application(client_max_size=4 * 1024 * 1024)
    application.router.add_post("/webhooks/{connection}", deliver)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    say(address=f"127.0.0.1:{runner.addresses[0][1]}")
    async for _ in questions():
        say()
    await runner.cleanup()
    await producer.stop()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
