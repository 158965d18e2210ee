"""Requests that nobody we know has signed: slowed down per source, and told apart from a wrong set-up."""

from collections import OrderedDict
from dataclasses import dataclass

import structlog

from tallystick.clock import Clock

log = structlog.get_logger(__name__)

#: Wrongly signed requests of one source: so many at once, then so many a second.
BURST = 20.0
RATE_PER_S = 1.0
#: Sources that are remembered; beyond it the one that was quiet the longest is forgotten.
SOURCES_MAX = 10_000
#: After so many in a row without a single good one a connection is probably set up wrongly.
NEVER_VERIFIED = 3
_TELL_AGAIN_S = 3600.0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


class SourceLimiter:
    """A token bucket per source address. Only requests without a good signature spend from it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def spend(self, source: str) -> bool:
        """False when the source has spent what it may."""
        now_s = self._clock.monotonic_s()
        bucket = self._buckets.pop(source, None) or _Bucket(BURST, now_s)
        bucket.tokens = min(BURST, bucket.tokens + (now_s - bucket.at_s) * RATE_PER_S)
        bucket.at_s = now_s
        self._buckets[source] = bucket
        if len(self._buckets) > SOURCES_MAX:
            self._buckets.popitem(last=False)
        if bucket.tokens < 1.0:
            return False
        bucket.tokens -= 1.0
        return True


class SetupHints:
    """Tells, once an hour, of a connection whose signatures never verify: more likely its secret than an attack."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._verified: set[str] = set()
        self._refused: dict[str, int] = {}
        self._told_at_s: dict[str, float] = {}

    def verified(self, connection: str) -> None:
        """A good signature: the secret is right."""
        self._verified.add(connection)

    def refused(self, connection: str) -> None:
        """A wrong or missing signature."""
        if connection in self._verified:
            return
        number = self._refused[connection] = self._refused.get(connection, 0) + 1
        now_s = self._clock.monotonic_s()
        if number < NEVER_VERIFIED or now_s - self._told_at_s.get(connection, -_TELL_AGAIN_S) < _TELL_AGAIN_S:
            return
        self._told_at_s[connection] = now_s
        log.error(
            "no delivery of this connection was ever signed with its secret",
            connection=connection,
            refused=number,
            hint="compare the secret of the store's webhook with the one named in webhook_secrets; a webhook made "
            "without a secret got a random one that nobody can read: give it one. If the store sends nothing at "
            "all, somebody else tries this address out",
        )
