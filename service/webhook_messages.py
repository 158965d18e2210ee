"""What passes between the little HTTP server of the edge and whoever deals with deliveries."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from tallystick.kafka.topics import VALUE_MAX


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with a line of text for whoever sets the store up. Refusals before the body's end close."""

    status: int
    phrase: str
    text: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    closes: bool = False

    def encode(self, keep_alive: bool, method: str) -> bytes:
        """As it goes on the wire; an answer to HEAD has a head only."""
        whole = _encoded(self, keep_alive and not self.closes)
        return whole if method != "HEAD" else whole[: whole.index(b"\r\n\r\n") + 4]


@lru_cache(maxsize=256)
def _encoded(answer: Answer, keep_alive: bool) -> bytes:
    body = f"{answer.text}\n".encode() if answer.text else b""
    lines = [f"HTTP/1.1 {answer.status} {answer.phrase}", f"Content-Length: {len(body)}"]
    if body:
        lines.append("Content-Type: text/plain; charset=utf-8")
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines.append(f"Connection: {'keep-alive' if keep_alive else 'close'}")
    return "\r\n".join([*lines, "", ""]).encode() + body


MALFORMED = Answer(400, "Bad Request", "this is no HTTP request", closes=True)
TOO_SLOW = Answer(408, "Request Timeout", "the request did not arrive in time", closes=True)
BODY_TOO_LARGE = Answer(413, "Content Too Large", f"a delivery has at most {VALUE_MAX} bytes", closes=True)
HEAD_TOO_LARGE = Answer(431, "Request Header Fields Too Large", "the headers are too large", closes=True)
TOO_MANY = Answer(503, "Service Unavailable", "too many connections", (("Retry-After", "5"),), closes=True)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the listener; times in seconds, sizes in bytes."""

    body_max: int = VALUE_MAX
    head_max: int = 32 * 1024
    #: From the first byte of a request to its last.
    request_s: float = 30.0
    #: Between two requests of one connection.
    idle_s: float = 75.0
    #: How long a refused sender may go on sending before it is cut off; cut at once, it would never read why.
    linger_s: float = 2.0
    connections_max: int = 512
    #: Bodies in memory at once; who comes above it waits before sending.
    held_max: int = 16 * VALUE_MAX


@dataclass(slots=True)
class Request:
    """One request. The headers' names are lower-case; `body` is complete when the handler is asked to `take` it."""

    source: str
    target: bytes = b""
    method: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    keep_alive: bool = True
    #: Bytes reserved for its body.
    held: int = 0


class Handler(Protocol):
    """What is done with requests."""

    def screen(self, request: Request) -> Answer | None:
        """Look at the head before the body is read; an answer refuses it."""
        ...

    def too_large(self, request: Request) -> None:
        """The body of this request was refused for its size; to be counted."""
        ...

    def take(self, request: Request, reply: Callable[[Answer], None]) -> None:
        """Deal with a complete request; `reply` is called once, now or later, and never raises."""
        ...
