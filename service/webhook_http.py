"""The little of HTTP/1.1 that deliveries need, on asyncio and httptools: one request at a time per connection.

Everything that a sender could exhaust has a bound: head, body, time, connections, and the bytes held by all together.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import NoReturn, cast

import httptools

from service.webhook_messages import (
    BODY_TOO_LARGE,
    HEAD_TOO_LARGE,
    MALFORMED,
    TOO_MANY,
    TOO_SLOW,
    Answer,
    Handler,
    Limits,
    Request,
)
from tallystick.errors import SetupError

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_SWEEP_S = 0.25
_HEADERS_MAX = 100


class Listener:
    """All connections of one address, their deadlines, and the bytes that they hold."""

    def __init__(self, handler: Handler, limits: Limits | None = None) -> None:
        self.handler = handler
        self.limits = limits or Limits()
        self.loop = asyncio.get_running_loop()
        self.connections: set[Connection] = set()
        self.stopping = False
        self._all_gone = asyncio.Event()
        self._held = 0
        self._waiting: deque[Connection] = deque()

    @asynccontextmanager
    async def listen(self, address: str) -> AsyncIterator[str]:
        """Listen on `host:port`; the address with the real port. At the end requests under way are answered first."""
        host, _, port = address.rpartition(":")
        try:
            server = await self.loop.create_server(lambda: Connection(self), host.strip("[]"), int(port), backlog=1024)
        except (OSError, ValueError) as error:
            raise SetupError(f"cannot listen on {address!r}: {error}; give a free host:port of this machine") from error
        sweeper = self.loop.create_task(self._sweep())
        try:
            yield f"{host}:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            await self._drain()
            sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeper

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            now_s = self.loop.time()
            for connection in [one for one in self.connections if one.deadline_s < now_s]:
                connection.expire()

    async def _drain(self, within_s: float = 6.0) -> None:
        self.stopping = True
        for connection in list(self.connections):
            connection.close_when_idle()
        if self.connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_gone.wait(), within_s)
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)

    # ---- bytes held ------------------------------------------------------------------------------------------------

    def reserve(self, connection: "Connection", size: int) -> bool:
        """Room for a body; False when the connection has to wait for it, and is told when it has it."""
        if self._waiting or self._held + size > self.limits.held_max:
            self._waiting.append(connection)
            return False
        self._held += size
        return True

    def give_back(self, size: int) -> None:
        """Room is free again: let those who wait go on, the first first."""
        self._held -= size
        while self._waiting and self._held + self._waiting[0].wants <= self.limits.held_max:
            connection = self._waiting.popleft()
            self._held += connection.wants
            connection.go_on()

    def withdraw(self, connection: "Connection") -> None:
        """It does not wait for room any more."""
        if connection in self._waiting:
            self._waiting.remove(connection)

    def forget(self, connection: "Connection") -> None:
        """The connection is gone."""
        self.connections.discard(connection)
        if not self.connections and self.stopping:
            self._all_gone.set()


class Connection(asyncio.Protocol):
    """One sender. What follows while a request is being dealt with is read no further than it came already."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._limits = listener.limits
        self._parser = httptools.HttpRequestParser(self)
        #: The request that is being read, its head first.
        self._request: Request | None = None
        self._head_done = False
        self._chunks: list[bytes] = []
        self._size = 0
        #: Raw bytes of that request, whatever they are.
        self._raw = 0
        #: Read completely, behind the one that is being dealt with.
        self._complete: deque[Request] = deque()
        self._busy = False
        self._paused = False
        #: Nothing more is taken from this sender: it was refused, or said its last.
        self._deaf = False
        #: The size of a body that waits for room.
        self.wants = 0
        self.deadline_s = 0.0

    # ---- called by asyncio -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A sender has connected."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._source = peer[0] if isinstance(peer, tuple) else "local"
        self.deadline_s = self._listener.loop.time() + self._limits.request_s
        full = len(self._listener.connections) >= self._limits.connections_max
        self._listener.connections.add(self)
        if full or self._listener.stopping:
            self._refuse(TOO_MANY)

    def connection_lost(self, error: Exception | None) -> None:
        """The sender is gone; what is being dealt with goes on all the same."""
        self._drop()
        self._listener.forget(self)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, which calls back below."""
        if self._deaf:
            return
        self._raw += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.answer if isinstance(cause, _Refused) else MALFORMED)
        else:
            self._bound()

    def _bound(self) -> None:
        """Heads without an end, and bodies of more frame than content."""
        if self._request is None:
            return
        if not self._head_done and self._raw > self._limits.head_max:
            self._refuse(HEAD_TOO_LARGE)
        elif self._raw > 2 * self._limits.body_max + self._limits.head_max:
            self._refuse(BODY_TOO_LARGE)

    def eof_received(self) -> bool:
        """The sender will send no more; it may still wait for its answer."""
        self._deaf = True
        return self._busy

    def pause_writing(self) -> None:
        """Answers are not read: take no more questions."""
        self._pause()

    def resume_writing(self) -> None:
        """Answers are read again."""
        if not self._complete and not self.wants:
            self._resume()

    # ---- called by the parser --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._request = Request(self._source)
        self._head_done = False
        if not self._busy:
            self.deadline_s = self._listener.loop.time() + self._limits.request_s

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._reading().target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; trailers behind the body are none of ours."""
        if not self._head_done:
            self._reading().headers[_name(name)] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is complete: refuse now what would be refused later."""
        request, headers = self._reading(), self._reading().headers
        self._head_done = True
        request.method = self._parser.get_method().decode("latin-1")
        if len(headers) > _HEADERS_MAX or sum(map(len, headers.values())) > self._limits.head_max:
            raise _Refused(HEAD_TOO_LARGE)
        refused = self._listener.handler.screen(request)
        if refused is not None:
            raise _Refused(refused)
        size = _announced(headers, self._limits.body_max)
        if size > self._limits.body_max:
            self._too_large(request)
        if size:
            self._make_room(size, request)

    def _too_large(self, request: Request) -> NoReturn:
        self._listener.handler.too_large(request)
        raise _Refused(BODY_TOO_LARGE)

    def _make_room(self, size: int, request: Request) -> None:
        if self._listener.reserve(self, size):
            request.held = size
            self._ask_for_body(request)
        else:
            self.wants = size
            self._pause()

    def go_on(self) -> None:
        """There is room for the body now."""
        request = self._reading()
        request.held, self.wants = self.wants, 0
        self._resume()
        self._ask_for_body(request)

    def _ask_for_body(self, request: Request) -> None:
        if request.headers.get("expect", "").lower() == "100-continue" and not self._busy:
            self._transport.write(_CONTINUE)

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        self._size += len(part)
        if self._size > self._limits.body_max:
            self._too_large(self._reading())
        self._chunks.append(part)

    def on_message_complete(self) -> None:
        """The request is complete."""
        request, chunks = self._reading(), self._chunks
        request.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        request.keep_alive = self._parser.should_keep_alive()
        self._request, self._chunks, self._size, self._raw = None, [], 0, 0
        self._complete.append(request)
        if self._busy:
            self._pause()
        else:
            self._next()

    # ---- answers ---------------------------------------------------------------------------------------------------

    def _next(self) -> None:
        request = self._complete.popleft()
        self._busy = True
        self.deadline_s = float("inf")
        self._listener.handler.take(request, lambda answer: self._reply(request, answer))

    def _reply(self, request: Request, answer: Answer) -> None:
        self._busy = False
        self._release(request)
        if self._transport.is_closing():
            return
        keep = request.keep_alive and not answer.closes and not self._deaf and not self._listener.stopping
        self._transport.write(answer.encode(keep, request.method))
        self.deadline_s = self._listener.loop.time() + self._limits.idle_s
        if not keep:
            self._transport.close()
        elif self._complete:
            self._next()
        elif not self.wants:
            self._resume()

    def _refuse(self, answer: Answer) -> None:
        """Answer at once, and listen no more; what the sender still has to say is thrown away until it stops."""
        method = self._request.method if self._request is not None else ""
        self._drop()
        if self._busy or self._transport.is_closing():
            return
        self._transport.write(answer.encode(False, method))
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._resume()
        self.deadline_s = self._listener.loop.time() + self._limits.linger_s

    def expire(self) -> None:
        """The deadline is over: of the request, of the idle connection, or of a refused sender's rest."""
        if self._request is not None:
            self._refuse(TOO_SLOW)
        else:
            self._transport.abort()

    def close_when_idle(self) -> None:
        """The listener ends: nothing new, but what is being dealt with is answered."""
        if not self._busy:
            self._transport.close()

    def abort(self) -> None:
        """Cut off."""
        self._transport.abort()

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _reading(self) -> Request:
        assert self._request is not None
        return self._request

    def _drop(self) -> None:
        """Let go of everything that is not being dealt with already."""
        self._deaf = True
        for request in (*self._complete, *((self._request,) if self._request else ())):
            self._release(request)
        self._request, self._chunks, self._complete, self.wants = None, [], deque(), 0
        self._listener.withdraw(self)

    def _release(self, request: Request) -> None:
        held, request.held = request.held, 0
        if held:
            self._listener.give_back(held)

    def _pause(self) -> None:
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()


class _Refused(Exception):
    """Raised inside the parser's callbacks to stop it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer


@lru_cache(maxsize=1024)
def _name(name: bytes) -> str:
    return name.decode("latin-1").lower()


def _announced(headers: dict[str, str], body_max: int) -> int:
    """How large the body may be; without a length it may be as large as it may be. The parser checked the number."""
    if "transfer-encoding" in headers:
        return body_max
    return int(headers.get("content-length") or 0)
