"""The post of that Monday: a third of the deliveries goes out twice, some late, some never, and one is forged."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from simulators import shopify, woocommerce
from simulators.monday.weekend import SHOPIFY, Role, Sale

#: Sends one delivery, as often as it is called; answers the status, or None or 0 when nobody answered.
Send = Callable[[], Awaitable[int | None]]


@dataclass(slots=True)
class Counts:
    """What was done with the deliveries."""

    sent: int = 0
    twice: int = 0
    late: int = 0
    lost: int = 0
    forged: int = 0
    forged_refused: int = 0


@dataclass(slots=True)
class Post:
    """Carries the deliveries of both shops; what it does to them follows from the seed alone."""

    shop: shopify.Shop
    woo: woocommerce.Shop
    sender: shopify.Sender
    seed: int = 17
    counts: Counts = field(default_factory=Counts)
    #: When the first delivery of an order left, or should have: (shop, order id) -> monotonic seconds.
    left_at_s: dict[tuple[str, int], float] = field(default_factory=dict)
    _late: list[asyncio.Task[None]] = field(default_factory=list)
    _orders: int = 0
    _die: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._die = random.Random(self.seed)

    async def carry(self, sale: Sale, order_id: int) -> None:
        """Everything that the shop owes about a new order; of every twentieth order nothing ever arrives."""
        self._orders += 1
        self.left_at_s[(sale.shop, order_id)] = time.monotonic()
        if self._orders % 20 == 0 and sale.role is Role.PLAIN:
            self._lose(sale.shop)
            return
        sends = self._owed(sale.shop)
        self._die.shuffle(sends)
        for send in sends:
            await self._carry_one(send, hold_back=len(sends) > 1 and self._die.random() < 0.2)

    async def _carry_one(self, send: Send, *, hold_back: bool) -> None:
        if hold_back:
            self.counts.late += 1
            self._later(send, self._die.uniform(1.0, 3.0))
        else:
            await self._send(send)
        if self._die.random() < 0.3:
            self.counts.twice += 1
            self._later(send, self._die.uniform(0.1, 2.0))

    async def _send(self, send: Send) -> None:
        self.counts.sent += 1
        await send()

    def _later(self, send: Send, seconds: float) -> None:
        async def late() -> None:
            await asyncio.sleep(seconds)
            await self._send(send)

        self._late.append(asyncio.create_task(late()))

    async def carry_twice(self, shop: str) -> None:
        """Everything that the shop owes, and all of it again."""
        sends = self._owed(shop)
        for send in (*sends, *sends):
            await self._send(send)

    async def settle(self) -> None:
        """Until everything that was held back has left."""
        await asyncio.gather(*self._late)

    # ---- what the shops owe ----------------------------------------------------------------------------------------

    def _owed(self, shop: str) -> list[Send]:
        if shop == SHOPIFY:
            return [self._of_shopify(delivery) for delivery in self.shop.pending_deliveries()]
        # Taken at once: the body is what the shop holds now, however late it is sent.
        requests = [self.woo.take(delivery) for delivery in self.woo.pending_deliveries()]
        return [self._of_woocommerce(request) for request in requests]

    def _of_shopify(self, delivery: shopify.Delivery) -> Send:
        # From here on it is the post's: what is held back must not be owed, and so sent, a second time.
        self.shop.hooks.queue.remove(delivery)
        return lambda: self.shop.deliver(delivery, self.sender)

    def _of_woocommerce(self, request: woocommerce.Request) -> Send:
        return lambda: self.woo.send(request)

    def _lose(self, shop: str) -> None:
        if shop == SHOPIFY:
            lost: Sequence[object] = self.shop.pending_deliveries()
            for delivery in self.shop.pending_deliveries():
                self.shop.lose(delivery)
        else:
            lost = self.woo.pending_deliveries()
            for owed in self.woo.pending_deliveries():
                self.woo.outbox.drop(owed)
        self.counts.lost += len(lost)

    async def forge(self, delivery: shopify.Delivery) -> None:
        """Somebody who does not know the secret sends an order with another total."""
        self.counts.forged += 1
        self.counts.forged_refused += await self.sender.send(delivery.forged()) == 401
