"""A double in a thread of its own: it answers while the test's own thread restarts a server."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from aiohttp import web

from simulators.serving import serve

_Running = tuple[str, asyncio.AbstractEventLoop, asyncio.Event]


@contextmanager
def serve_in_thread(application: Callable[[], web.Application]) -> Iterator[str]:
    """The base address for as long as the context lasts; what the double holds may be read from any thread."""
    started: Future[_Running] = Future()

    async def run() -> None:
        stop = asyncio.Event()
        async with serve(application()) as url:
            started.set_result((url, asyncio.get_running_loop(), stop))
            await stop.wait()

    def main() -> None:
        try:
            asyncio.run(run())
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=main, name="double")
    thread.start()
    try:
        url, loop, stop = started.result()
        try:
            yield url
        finally:
            loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()
