"""What a double does wrong, and when: a script of rules, seeded, counted, the same for every vendor.

A rule names the operations it strikes (such as "sale.order.load" or "GET /orders"), the fault, and which calls:
every n-th, a share of them by a seeded die, the first few, or those between two moments.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatch

from aiohttp import web


class Fault(StrEnum):
    """One way in which a call can go wrong."""

    #: The call is applied, its answer is cut off.
    LOST_REPLY = "lost reply"
    #: The connection is cut at once; the call is applied after `seconds`.
    LATE_APPLY = "late apply"
    #: The connection is cut and the call is never applied.
    NEVER_APPLIED = "never applied"
    #: Nothing is answered for `seconds`, then the connection is cut; the call is never applied.
    SILENT = "silent"
    #: 429, with `retry_after` as given (seconds, an HTTP date, nonsense, or none).
    THROTTLED = "throttled"
    #: `status` (default 503) with an HTML page; not applied.
    SERVER_ERROR = "server error"
    #: Applied and answered after `seconds`.
    SLOW = "slow"
    #: Applied; the answer's bytes come one by one over `seconds`.
    DRIP_FEED = "drip feed"
    #: Applied, but the answer is a 200 with an HTML page.
    HTML_ANSWER = "html answer"
    #: Applied, but the JSON of the answer is cut in the middle.
    CUT_JSON = "cut json"


@dataclass(slots=True)
class Rule:
    """Strikes calls whose operation matches `operation`: a shell pattern, or several with `|` between them."""

    fault: Fault
    operation: str = "*"
    every: int = 0
    share: float = 0.0
    first: int = 0
    seconds: float = 0.0
    status: int = 503
    retry_after: str | None = None
    #: Strikes only while this answers True (an outage of ten seconds, say).
    while_true: Callable[[], bool] | None = None
    seen: int = 0
    struck: int = 0

    def strikes(self, operation: str, die: random.Random) -> bool:
        """Whether this call is struck; counts it."""
        if not any(fnmatch(operation, pattern) for pattern in self.operation.split("|")):
            return False
        if self.while_true is not None and not self.while_true():
            return False
        self.seen += 1
        chosen = (
            (self.every > 0 and self.seen % self.every == 0)
            or (self.first > 0 and self.seen <= self.first)
            or (self.share > 0 and die.random() < self.share)
            or not (self.every or self.first or self.share)
        )
        self.struck += chosen
        return chosen


@dataclass(slots=True)
class FaultScript:
    """The rules in their order; the first that strikes decides."""

    rules: list[Rule] = field(default_factory=list)
    seed: int = 1
    struck: Counter[Fault] = field(default_factory=Counter)
    _die: random.Random = field(init=False)
    _late: set[asyncio.Task[object]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._die = random.Random(self.seed)

    def next(self, operation: str) -> Rule | None:
        """The rule that strikes this call, if any."""
        for rule in self.rules:
            if rule.strikes(operation, self._die):
                self.struck[rule.fault] += 1
                return rule
        return None

    async def run(
        self, operation: str, request: web.Request, handler: Callable[[], Awaitable[web.Response]]
    ) -> web.StreamResponse:
        """Answer one call: `handler` applies it and makes the honest answer."""
        rule = self.next(operation)
        if rule is None:
            return await handler()
        if rule.fault is Fault.SILENT:
            await asyncio.sleep(rule.seconds)
        if rule.fault in _NOT_APPLIED_NOW:
            return self._refuse(rule, request, handler)
        return await _spoil(rule, request, await handler())

    def _refuse(self, rule: Rule, request: web.Request, handler: Callable[[], Awaitable[object]]) -> web.Response:
        match rule.fault:
            case Fault.THROTTLED:
                headers = {"Retry-After": rule.retry_after} if rule.retry_after is not None else {}
                return web.json_response({"error": "too many requests"}, status=429, headers=headers)
            case Fault.SERVER_ERROR:
                return _html(rule.status)
            case Fault.LATE_APPLY:
                self._apply_later(rule.seconds, handler)
        return _cut(request)

    def _apply_later(self, seconds: float, handler: Callable[[], Awaitable[object]]) -> None:
        async def late() -> None:
            await asyncio.sleep(seconds)
            await handler()

        task: asyncio.Task[object] = asyncio.create_task(late())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    @property
    def late(self) -> int:
        """How many late calls are still to be applied."""
        return len(self._late)

    async def settle(self) -> None:
        """Wait until every late call has been applied."""
        while self._late:
            await asyncio.gather(*self._late, return_exceptions=True)


_NOT_APPLIED_NOW = {Fault.THROTTLED, Fault.SERVER_ERROR, Fault.LATE_APPLY, Fault.NEVER_APPLIED, Fault.SILENT}


async def _spoil(rule: Rule, request: web.Request, response: web.Response) -> web.StreamResponse:
    match rule.fault:
        case Fault.LOST_REPLY:
            return _cut(request)
        case Fault.HTML_ANSWER:
            return _html(200)
        case Fault.CUT_JSON:
            body = _bytes(response)
            return web.Response(body=body[: len(body) // 2], content_type="application/json")
        case Fault.SLOW:
            await asyncio.sleep(rule.seconds)
        case Fault.DRIP_FEED:
            return await _drip(request, response, rule.seconds)
    return response


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _html(status: int) -> web.Response:
    return web.Response(
        status=status, text="<html><body><h1>Something went wrong</h1></body></html>", content_type="text/html"
    )


def _bytes(response: web.Response) -> bytes:
    body = response.body
    return body if isinstance(body, bytes) else b""


async def _drip(request: web.Request, response: web.Response, seconds: float) -> web.StreamResponse:
    body = _bytes(response)
    stream = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
    await stream.prepare(request)
    for index in range(len(body)):
        await asyncio.sleep(seconds / max(1, len(body)))
        await stream.write(body[index : index + 1])
    return stream
