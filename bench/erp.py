"""The local ERP of the bench: takes batches of documents over HTTP, answers after 5 ms, and counts what it got."""

import asyncio
import sys
import time

import orjson
import uvloop
from aiohttp import web

from bench.children import questions, say

ANSWER_S = 0.005
BATCH_MAX = 100


class Books:
    """What arrived since the last question."""

    def __init__(self) -> None:
        #: When each came first, by a clock that all processes of this machine share.
        self.came_s: dict[str, float] = {}
        self.documents = 0
        self.first_s = self.last_s = 0.0

    def take(self, refs: list[str]) -> None:
        """One batch."""
        self.last_s = time.perf_counter()
        self.first_s = self.first_s or self.last_s
        for ref in refs:
            self.came_s.setdefault(ref, self.last_s)
        self.documents += len(refs)

    @property
    def told(self) -> dict[str, object]:
        """For the parent."""
        return {
            "documents": self.documents,
            "distinct": len(self.came_s),
            "elapsed_s": self.last_s - self.first_s,
        }


async def main() -> None:
    """A question `{"begin": true}` begins anew; every question is answered with the books.

    `{"of": [reference, …]}` also tells when each of those came that did.
    """
    books = Books()

    async def orders(request: web.Request) -> web.Response:
        rows = orjson.loads(await request.read())
        if len(rows) > BATCH_MAX:
            return web.Response(status=413)
        books.take([row["ref"] for row in rows])
        return await _answer(rows)

    async def customers(request: web.Request) -> web.Response:
        return await _answer(orjson.loads(await request.read()))

    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_post("/orders", orders)
    application.router.add_post("/customers", customers)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    say(url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    async for question in questions():
        if question.get("begin"):
            books = Books()
        wanted = question.get("of", ())
        assert isinstance(wanted, list | tuple)
        say(**books.told, came_s={ref: books.came_s[ref] for ref in wanted if ref in books.came_s})
    await runner.cleanup()


async def _answer(rows: list[dict[str, str]]) -> web.Response:
    await asyncio.sleep(ANSWER_S)
    body = orjson.dumps([{"ref": row["ref"], "id": f"erp-{row['ref']}"} for row in rows])
    return web.Response(body=body, content_type="application/json")


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
