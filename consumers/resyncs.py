"""Resyncs that people asked for: read orders again through intake's door, then force them into their targets.

An operation is worked in parts; between two parts it is given back, so that a long one does not hold up a short one
and several processes may help. A part that is repeated after a crash reads again and records nothing twice.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tallystick.away import persist, sleep_unless
from tallystick.clock import Clock
from tallystick.crashpoints import reach
from tallystick.flows.router import Router
from tallystick.intake.looks import Look, Looks
from tallystick.intake.rereads import Entrance, Rereads, Wish
from tallystick.kafka.codec import encode
from tallystick.ledger.acts import Act, force, forced_op_id
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.operations import Operations, Part, Taken
from tallystick.ledger.pool import Pool
from tallystick.ledger.rows import Row
from tallystick.ledger.views import Order
from tallystick.v1 import event_pb2

_PART = 50
_READ_WITHIN_S = 20.0
_LEASE_S = 60.0
_AGAIN_S = 2.0
_ATTEMPTS_MAX = 8
_INSIST_AFTER = 4
#: Lanes of a window's target that may be unfinished: live orders go first.
_OUTSTANDING_MAX = 200


@dataclass(frozen=True, slots=True)
class Into:
    """A target that orders are forced into."""

    ledger: Ledger
    router: Router


class Resyncs:
    """Works operations. `scale` shortens its durations in tests and the demo."""

    def __init__(
        self,
        pool: Pool,
        rereads: Rereads,
        door: Entrance,
        targets: Sequence[Into],
        clock: Clock,
        *,
        every_s: float = 1.0,
        scale: float = 1.0,
    ) -> None:
        self._pool = pool
        self._operations = Operations(pool)
        self._looks = Looks(rereads, door, self._operations)
        self._targets = targets
        self._clock = clock
        self._every_s = every_s
        self._scale = scale

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            busy = await persist(self.turn, stop, "resyncs")
            if not busy:
                await sleep_unless(stop, self._every_s)

    async def turn(self) -> bool:
        """Work one part of the operation that waits longest; False when none is due."""
        taken = await self._operations.claim(_LEASE_S * self._scale)
        if taken is None:
            return False
        reach("resyncs.claimed")
        if await self._enough(taken):
            await self._operations.later(taken, _AGAIN_S * self._scale, tried=False)
        else:
            await self._part(taken, await self._operations.next_orders(taken, _PART))
        return True

    async def _enough(self, taken: Taken) -> bool:
        """A window waits while its targets have much to do; what a person names goes on."""
        if taken.wanted.names:
            return False
        open_lanes = [await into.ledger.unfinished(_OUTSTANDING_MAX) for into in self._into(taken)]
        return max(open_lanes, default=0) >= _OUTSTANDING_MAX

    async def _part(self, taken: Taken, orders: Sequence[Order]) -> None:
        looks = await self._look(taken, orders)
        passing = [look.again_in_s for look in looks if look.again_in_s is not None]
        if passing and taken.attempts < _ATTEMPTS_MAX:
            await self._operations.later(taken, max(*passing, _AGAIN_S * self._scale), tried=True)
            return
        await self._force(taken, [look.event for look in looks if look.event is not None])
        reach("resyncs.forced")
        await self._operations.advance(taken, _outcome(taken, orders, looks))

    async def _look(self, taken: Taken, orders: Sequence[Order]) -> list[Look]:
        now = self._clock.now()
        # A date that stays older than the stored one was set back by the store; a replica would have caught up.
        insist = taken.attempts > _INSIST_AFTER
        wishes = [Wish(one.connection, one.order_id, event_pb2.ORIGIN_RESYNC, now, insist=insist) for one in orders]
        return await self._looks.look(wishes, _READ_WITHIN_S * self._scale)

    async def _force(self, taken: Taken, events: Sequence[event_pb2.Event]) -> None:
        act = Act(taken.actor, taken.request_id, taken.note)
        for into in self._into(taken):
            rows = [row for row in (_forced(into.router, event, taken) for event in events) if row is not None]
            if rows:
                await force(self._pool, into.ledger, rows, act)

    def _into(self, taken: Taken) -> list[Into]:
        return [into for into in self._targets if taken.wanted.target in ("", into.ledger.target)]


def _forced(router: Router, event: event_pb2.Event, taken: Taken) -> Row | None:
    row = router.row(event, encode(event).value or b"", None)
    return None if row is None else replace(row, forced=True, op_id=forced_op_id(taken.request_id))


def _outcome(taken: Taken, orders: Sequence[Order], looks: Sequence[Look]) -> Part:
    problems = tuple(f"{look.order.name}: {look.problem}" for look in looks if look.problem)
    position = taken.position
    if orders:
        position = orders[-1].name if taken.wanted.names else orders[-1].order_id
    return Part(position, len(orders), len(problems), problems, last=len(orders) < _PART)
