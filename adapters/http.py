"""The only door to other systems over HTTP: pacing, time-outs, size limits, and what a failure means.

Reads may be repeated; a write is sent once, and its failure says whether the first byte may have left
(`NotSent` or `Lost`). Redirects are never followed, and no URL, header or body reaches an error text.
"""

import asyncio
import ipaddress
import json
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import stamina
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from tallystick.clock import Budget, Clock
from tallystick.crashpoints import reach
from tallystick.errors import SetupError, Throttled, Unavailable, Unreadable
from tallystick.pacing import Pacer

BODY_MAX = 32 * 1024 * 1024
RETRY_AFTER_MAX_S = 900.0


class NotSent(Exception):
    """The request surely never reached the other side: refused connection, DNS, TLS, no free connection."""


class Lost(Exception):
    """The request may have been applied: time-out, reset or an unreadable answer after the first byte."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose body was read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body with numbers as `Decimal`. Raises `Unreadable` for HTML, cut JSON and the like."""
        try:
            return json.loads(self.body, parse_float=Decimal)
        except ValueError as error:
            kind = self.headers.get("content-type", "no content type")
            raise Unreadable(f"HTTP {self.status} with a body that is not JSON ({kind})") from error

    def retry_after_s(self, now_s: float) -> float | None:
        """The wait the answer asks for, in seconds; absurd values are bounded. None when it does not say."""
        text = self.headers.get("retry-after", "").strip()
        seconds = _seconds(text, now_s)
        return None if seconds is None else min(max(seconds, 0.0), RETRY_AFTER_MAX_S)


def _seconds(text: str, now_s: float) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now_s


class HttpDoor:
    """Requests to one base address. `private_network` allows addresses inside the own network (an ERP on premises)."""

    def __init__(
        self, base_url: str, *, pacer: Pacer, clock: Clock, timeout_s: float = 30.0, private_network: bool = False
    ) -> None:
        self._base = URL(base_url.rstrip("/") + "/")
        if self._base.scheme not in ("http", "https") or not self._base.host:
            raise SetupError(f"{base_url!r} is no address: write https://host, with a path if the system has one")
        self._private = private_network
        if not private_network:
            _refuse_private_literal(self._base.host)
        self.pacer = pacer
        self._clock = clock
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def read(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        attempts: int = 3,
    ) -> Reply:
        """A request without effects, paced and repeated on passing failures.

        Raises `Unavailable` (429 and 503 as `Throttled`); every other status is returned.
        """
        async for attempt in stamina.retry_context(
            on=_Again, attempts=attempts, wait_initial=0.1, wait_max=2.0, timeout=None
        ):
            with attempt:
                await self.pacer.wait()
                return await self._read_once(method, path, params, headers, data)
        raise AssertionError("unreachable")

    async def _read_once(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        data: bytes | None,
    ) -> Reply:
        try:
            reply = await self._request(method, path, params, headers, data, lambda: self._timeout_s)
        except (NotSent, Lost) as error:
            raise _Again(str(error)) from error
        if reply.status == 429:
            raise Throttled("HTTP 429", reply.retry_after_s(self._clock.now().timestamp()))
        if reply.status >= 500 and not _is_json(reply):
            raise _Again(f"HTTP {reply.status}")
        return reply

    async def write(
        self,
        method: str,
        path: str,
        *,
        budget: Budget,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
    ) -> Reply:
        """One request with effects, sent at most once, its permit already taken by the caller.

        Raises `NotSent` or `Lost`; every answer that was read whole is returned, whatever its status.
        """
        return await self._request(method, path, params, headers, data, budget.left_s)

    async def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        data: bytes | None,
        left_s: Callable[[], float],
    ) -> Reply:
        """`left_s` is asked when it is this request's turn: waiting for a slot uses its time up."""
        async with self.pacer.slot():
            timeout_s = left_s()
            if timeout_s <= 0:
                raise NotSent("the time for this request was over before it was sent")
            reply = await self._exchange(method, path, params, headers, data, timeout_s)
            if reply.status == 429:
                retry_after_s = reply.retry_after_s(self._clock.now().timestamp())
                self.pacer.close_for(1.0 if retry_after_s is None else retry_after_s)
            return reply

    async def _exchange(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        data: bytes | None,
        timeout_s: float,
    ) -> Reply:
        sent = _Sent()
        try:
            async with asyncio.timeout(timeout_s):
                request = self._open().request(
                    method,
                    self._base.join(URL(path.lstrip("/"))),
                    params=params,
                    headers=headers,
                    data=data,
                    allow_redirects=False,
                    trace_request_ctx=sent,
                )
                async with request as response:
                    return await _read_whole(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            kind = type(error).__name__
            if sent.first_byte:
                raise Lost(f"no whole answer to the request ({kind})") from error
            raise NotSent(f"the request could not be sent ({kind})") from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_note_first_byte)
            trace.on_request_chunk_sent.append(_pass_sent)
            connector = aiohttp.TCPConnector(
                resolver=None if self._private else _PublicResolver(), ssl=ssl.create_default_context(), limit=0
            )
            # A persistent connection that died is not silently used again for a write: aiohttp would repeat PUT and
            # DELETE by itself, so nothing of ours relies on those being sent once without a probe.
            self._session = aiohttp.ClientSession(
                connector=connector,
                trace_configs=[trace],
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
                auto_decompress=True,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class _Again(Unavailable):
    """A passing failure of a read."""


class _Sent:
    first_byte = False


async def _note_first_byte(_session: aiohttp.ClientSession, context: Any, _params: Any) -> None:
    context.trace_request_ctx.first_byte = True


async def _pass_sent(_session: aiohttp.ClientSession, _context: Any, _params: Any) -> None:
    # Told just before the bytes go to the socket, in the same turn of the loop.
    asyncio.get_running_loop().call_soon(reach, "http.sent")


async def _read_whole(response: aiohttp.ClientResponse) -> Reply:
    chunks, size = [], 0
    async for chunk in response.content.iter_chunked(1 << 16):
        size += len(chunk)
        if size > BODY_MAX:
            raise aiohttp.ClientPayloadError("the answer is larger than any document can be")
        chunks.append(chunk)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status, headers, b"".join(chunks))


def _is_json(reply: Reply) -> bool:
    return "json" in reply.headers.get("content-type", "")


def _refuse_private_literal(host: str) -> None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if not address.is_global:
        raise SetupError(
            f"{host} is an address of a private network; if the system really stands there, "
            "set `private_network: true` on the connection"
        )


class _PublicResolver(AbstractResolver):
    """Names that resolve into private networks are refused at each connect (a name may change its address)."""

    def __init__(self) -> None:
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        results = await self._inner.resolve(host, port, family)
        if not all(ipaddress.ip_address(result["host"].split("%")[0]).is_global for result in results):
            raise OSError("the name resolves into a private network; set `private_network: true` if that is right")
        return results

    async def close(self) -> None:
        await self._inner.close()
