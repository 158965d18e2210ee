"""The buyers and the post of a flash sale. Chance comes from one seed."""

import asyncio
import random
from collections.abc import Mapping

from simulators.flash.stalls import SoldOut, Stall

#: Of the deliveries, in hundredths: lost, and late.
_LOST, _LATE = 10, 30
_STEPS = 400


class Sale:
    """So many buyers, each of whom wants one piece; `over_s` seconds from the first to the last."""

    def __init__(self, stall: Stall, units: Mapping[str, int], buyers: int, over_s: float, *, seed: int = 1) -> None:
        self.stall = stall
        self.units = dict(units)
        self.buyers = buyers
        self.came = 0
        self.sold = 0
        self.late = 0
        self.lost = 0
        self._over_s = over_s
        self._die = random.Random(seed)
        self._under_way: set[asyncio.Task[None]] = set()
        self._on_its_way: dict[int, object] = {}

    def stock_up(self) -> None:
        """Everything lies in Odoo's warehouse; the shop has nothing yet."""
        for sku, pieces in self.units.items():
            self.stall.odoo.add_product(sku, sku.title(), "10.00")
            self.stall.odoo.set_stock(sku, "WH", pieces)
            self.stall.offer(sku)
        for owed in self.stall.owed():
            self.stall.lose(owed)

    @property
    def open(self) -> bool:
        """Whether the shop shows all that there is."""
        return all(self.stall.shown(sku) == pieces for sku, pieces in self.units.items())

    async def run(self) -> None:
        """The doors are open. The wanted SKU goes by how many there are of it."""
        skus, weights = list(self.units), list(self.units.values())
        for step in range(_STEPS):
            until = self.buyers * (step + 1) // _STEPS
            for sku in self._die.choices(skus, weights, k=until - self.came):
                self._one(sku)
            self._post()
            await asyncio.sleep(self._over_s / _STEPS)
        while self._under_way or self.stall.owed():
            self._post()
            await asyncio.sleep(0.05)

    def _one(self, sku: str) -> None:
        self.came += 1
        try:
            self.stall.buy(sku)
            self.sold += 1
        except SoldOut:
            pass

    def _post(self) -> None:
        """Each delivery leaves at once, late, or never."""
        for owed in self.stall.owed():
            if id(owed) in self._on_its_way:
                continue
            fate = self._die.randrange(100)
            if fate < _LOST:
                self.lost += 1
                self.stall.lose(owed)
                continue
            late = fate < _LOST + _LATE
            self.late += late
            self._send(owed, self._die.uniform(0.2, 1) * self._over_s / 3 if late else 0.0)

    def _send(self, owed: object, in_s: float) -> None:
        self._on_its_way[id(owed)] = owed

        async def send() -> None:
            await asyncio.sleep(in_s)
            await self.stall.deliver(owed)
            del self._on_its_way[id(owed)]

        task = asyncio.create_task(send())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
