"""A way to the plain ERP without a network, whose faults come from a seed: for many short lives in one process."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import orjson

from adapters.http import Lost, Reply
from simulators.faults import Fault
from tallystick.clock import Budget, SystemClock
from tallystick.pacing import Pacer
from tests.doubles.plain_erp import PlainErp

_JSON = {"content-type": "application/json"}
#: Late ones are the hardest, so they are frequent.
FAULTS = (Fault.LATE_APPLY,) * 3 + (Fault.LOST_REPLY, Fault.NEVER_APPLIED, Fault.THROTTLED, Fault.HTML_ANSWER)


@dataclass(slots=True)
class MemoryDoor:
    """`share` of the writes go wrong in one of the ways of `faults`; a late one lands within `late_s`, or never."""

    erp: PlainErp
    die: random.Random
    late_s: float
    share: float = 0.0
    faults: Sequence[Fault] = FAULTS
    #: For `Fault.THROTTLED`.
    retry_after: str | None = None
    pacer: Pacer = field(default_factory=lambda: Pacer(SystemClock(), rate_per_s=1e6, burst=1e6, parallel=64))
    struck: set[Fault] = field(default_factory=set)
    late: set[asyncio.Task[None]] = field(default_factory=set)

    async def read(self, method: str, path: str, *, data: bytes | None = None) -> Reply:
        """An honest answer, after a moment."""
        await asyncio.sleep(self.die.uniform(0, 0.002))
        return self._apply(path, data)

    async def write(self, method: str, path: str, *, budget: Budget, data: bytes | None = None) -> Reply:
        """Applied and answered, unless it is struck."""
        await asyncio.sleep(self.die.uniform(0, 0.005))
        if self.die.random() >= self.share:
            reply = self._apply(path, data)
            await asyncio.sleep(self.die.uniform(0, 0.005))
            return reply
        fault = self.die.choice(self.faults)
        self.struck.add(fault)
        match fault:
            case Fault.THROTTLED:
                return Reply(429, {} if self.retry_after is None else {"retry-after": self.retry_after}, b"")
            case Fault.HTML_ANSWER:
                self._apply(path, data)
                return Reply(200, {"content-type": "text/html"}, b"<html></html>")
            case Fault.LOST_REPLY:
                self._apply(path, data)
            case Fault.LATE_APPLY:
                self._apply_later(lambda: self._apply(path, data))
        raise Lost("no whole answer to the request")

    def _apply_later(self, apply: Callable[[], object]) -> None:
        last_s = time.monotonic() + self.late_s

        async def late() -> None:
            await asyncio.sleep(self.late_s * self.die.uniform(0.2, 1))
            # Later than the ERP's promise it does not come: the loop itself may have been late.
            if time.monotonic() < last_s:
                apply()

        task = asyncio.create_task(late())
        self.late.add(task)
        task.add_done_callback(self.late.discard)

    def _apply(self, path: str, data: bytes | None) -> Reply:
        kind, _, name = path.partition("/")
        call = {"write": self.erp.write, "confirm": self.erp.confirm, "find": self.erp.find}[name]
        return Reply(200, _JSON, orjson.dumps([call(kind, item) for item in orjson.loads(data or b"[]")]))
