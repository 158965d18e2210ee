"""The edge: takes signed deliveries of stores, and of ERPs that push, and answers 2xx once their bytes are durable.

Size, signature over the raw bytes, one id for the key; nothing else is read here, so no fault of a parser can lose a
delivery. It never de-duplicates, and never answers 429 to a correct signature: WooCommerce does not send again.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

import structlog
from prometheus_client import Counter, Histogram

from service.webhook_http import Listener
from service.webhook_inbox import Inbox
from service.webhook_messages import Answer, Limits, Request
from service.webhook_refusals import SetupHints, SourceLimiter
from tallystick.clock import Clock
from tallystick.errors import SetupError
from tallystick.installation import Installation
from tallystick.intake.delivery import delivered
from tallystick.kafka.codec import new_traceparent
from tallystick.kafka.producer import Producer
from tallystick.ledger.pending import PendingDeliveries
from tallystick.ports import Hint, WebhookSource
from tallystick.stock.hook import TOKEN
from tallystick.stock.ports import StockHook
from tallystick.telemetry import INBOUND_OUTCOMES, Metrics

log = structlog.get_logger(__name__)

PREFIX = "/webhooks/"
#: WooCommerce's unsigned ping is `webhook_id=<n>` as a form; nothing longer is looked at without a signature.
_PING_MAX = 64
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

TAKEN = Answer(200, "OK")
NOT_FOUND = Answer(404, "Not Found", "nobody is connected here; the address is /webhooks/<connection>", closes=True)
ONLY_POST = Answer(405, "Method Not Allowed", "deliveries are sent by POST", (("Allow", "POST"),), closes=True)
ENCODED = Answer(415, "Unsupported Media Type", "send the body as it was signed, without Content-Encoding", closes=True)
WRONG_SIGNATURE = Answer(401, "Unauthorized", "the signature does not match the connection's secret", closes=True)
SLOWLY = Answer(429, "Too Many Requests", "too many wrongly signed requests", (("Retry-After", "60"),), closes=True)
NOT_NOW = Answer(503, "Service Unavailable", "the delivery cannot be kept now; send it again", (("Retry-After", "5"),))


@dataclass(slots=True)
class _Entrance:
    """One connection, with its metrics at hand."""

    connection: str
    store: WebhookSource | StockHook
    ack_seconds: Histogram
    outcomes: Mapping[str, Counter]


class Edge:
    """What is done with requests (`webhook_messages.Handler`)."""

    def __init__(self, stores: Mapping[str, object], inbox: Inbox, clock: Clock, metrics: Metrics) -> None:
        self._inbox = inbox
        self._clock = clock
        self._limiter = SourceLimiter(clock)
        self._hints = SetupHints(clock)
        self._entrances = {
            name: _entrance(name, store, metrics)
            for name, store in stores.items()
            if isinstance(store, WebhookSource | StockHook)
        }

    # ---- called by the listener ------------------------------------------------------------------------------------

    def screen(self, request: Request) -> Answer | None:
        """What the head alone shows to be wrong."""
        entrance = self._entrance_of(request)
        if entrance is None:
            return NOT_FOUND
        if request.method != "POST":
            return ONLY_POST
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            entrance.outcomes["invalid"].inc()
            return ENCODED
        return None

    def too_large(self, request: Request) -> None:
        """Count it."""
        entrance = self._entrance_of(request)
        if entrance is not None:
            entrance.outcomes["too_large"].inc()

    def take(self, request: Request, reply: Callable[[Answer], None]) -> None:
        """Verify, then keep; `reply` comes after the delivery is durable."""
        entrance = self._entrance_of(request)
        assert entrance is not None
        try:
            signed = entrance.store.verify(_headers(entrance, request), request.body)
        except SetupError as error:
            log.error("a secret cannot be read", connection=entrance.connection, detail=str(error))
            reply(NOT_NOW)
            return
        if signed:
            self._hints.verified(entrance.connection)
            self._keep(entrance, request, reply)
        else:
            reply(self._unsigned(entrance, request))

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _entrance_of(self, request: Request) -> _Entrance | None:
        path = request.target.partition(b"?")[0].decode("latin-1")
        return self._entrances.get(unquote(path[len(PREFIX) :])) if path.startswith(PREFIX) else None

    def _unsigned(self, entrance: _Entrance, request: Request) -> Answer:
        """A ping that names no topic comes without a signature; all else is refused."""
        if len(request.body) <= _PING_MAX:
            hint = _hint(entrance, request)
            if hint.ping and not hint.topic:
                return TAKEN
        entrance.outcomes["bad_signature"].inc()
        self._hints.refused(entrance.connection)
        return WRONG_SIGNATURE if self._limiter.spend(request.source) else SLOWLY

    def _keep(self, entrance: _Entrance, request: Request, reply: Callable[[Answer], None]) -> None:
        began_s = self._clock.monotonic_s()
        hint = _hint(entrance, request)
        if hint.ping:
            reply(TAKEN)
            return

        def settled(safe: bool) -> None:
            if safe:
                entrance.outcomes["accepted"].inc()
            entrance.ack_seconds.observe(self._clock.monotonic_s() - began_s)
            reply(TAKEN if safe else NOT_NOW)

        trace = _traceparent(request.headers)
        headers, body = request.headers, request.body
        self._inbox.put(delivered(entrance.connection, hint, headers, body, self._clock.now(), trace), settled)


def _headers(entrance: _Entrance, request: Request) -> Mapping[str, str]:
    """With the token of the address, for senders that cannot sign; it is looked at here and not kept."""
    query = request.target.partition(b"?")[2]
    if not query or not isinstance(entrance.store, StockHook):
        return request.headers
    token = dict(parse_qsl(query.decode("latin-1"))).get("token")
    return request.headers if token is None else {**request.headers, TOKEN: token}


def _entrance(name: str, store: WebhookSource | StockHook, metrics: Metrics) -> _Entrance:
    flow = "orders" if isinstance(store, WebhookSource) else "stock"
    outcomes = {outcome: metrics.inbound_events.labels(flow, name, outcome) for outcome in INBOUND_OUTCOMES}
    return _Entrance(name, store, metrics.inbound_ack_seconds.labels(name), outcomes)


def _hint(entrance: _Entrance, request: Request) -> Hint:
    """The key is a convenience: a delivery whose id cannot be read is kept under its own."""
    try:
        return entrance.store.hint(request.headers, request.body)
    except Exception as error:
        log.exception("no id could be read", connection=entrance.connection, kind=type(error).__name__)
        return Hint("", "", "")


def _traceparent(headers: Mapping[str, str]) -> bytes:
    """The sender's trace goes on (W3C Trace Context); without a valid one a new trace begins."""
    stated = headers.get("traceparent", "")
    return stated.encode() if _TRACEPARENT.fullmatch(stated) else new_traceparent()


@asynccontextmanager
async def webhook_server(
    installation: Installation, producer: Producer, pending: PendingDeliveries, *, limits: Limits | None = None
) -> AsyncIterator[str]:
    """Serve `POST /webhooks/<connection>` on the configured address; the address with its real port.

    At the end deliveries under way are made durable and answered. Raises `SetupError` when the address is taken.
    """
    inbox = Inbox(producer, pending)
    edge = Edge({**installation.stores, **installation.stock_hooks}, inbox, installation.clock, installation.metrics)
    try:
        async with Listener(edge, limits).listen(installation.settings.listen.webhooks) as address:
            log.info("listening for deliveries", address=address)
            yield address
    finally:
        await inbox.drain()
