"""The plot: sell, lose, duplicate, forge; take Odoo down for ten seconds; kill a worker; wait until the books agree."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from simulators.monday import Role, Sale, Scene
from simulators.monday.weekend import SHOPIFY, WOOCOMMERCE
from tallystick.cli.demo.company import WORKERS, Company
from tallystick.cli.demo.office import Office
from tallystick.clock import SystemClock

#: Between two orders.
_PACE_S = 0.25
_OUTAGE_S = 10.0
#: Far more than it takes; when it is over the figures are shown as they are, and are wrong.
_PATIENCE_S = 150.0
Tell = Callable[[str], None]


@dataclass(slots=True)
class Plot:
    """Plays one Monday. `tell` hears what happens, in words."""

    scene: Scene
    company: Company
    office: Office
    tell: Tell
    placed: dict[int, Sale] = field(default_factory=dict)
    killed_workers: int = 0

    async def play(self) -> None:
        """From nine o'clock until the books agree, or patience ends."""
        sales = self.scene.sales(SystemClock().now())
        plain = [sale for sale in sales if sale.role is Role.PLAIN]
        special = [sale for sale in sales if sale.role is not Role.PLAIN]
        third = len(plain) // 3
        self.scene.spoil()
        self.tell(f"{len(sales)} orders of the weekend leave the shops; Odoo loses every fifth reply and throttles")
        await self._sell(plain[:third])
        await self._outage(plain[third : 2 * third], special)
        await self._kill_a_worker(plain[2 * third :])
        await self.scene.post.settle()
        self.tell("the last delivery has left; what was lost is found by the pollers")
        await self._until(self._agreed, _PATIENCE_S)
        await self._way_back()

    async def _way_back(self) -> None:
        """Parcels and refunds, under the same lost replies."""
        way = self.scene.way_back
        way.ship()
        way.refund()
        self.tell(f"Odoo ships a part of {len(way.parcels)} orders; {len(way.given_back)} buyers get money back")
        for shop in (SHOPIFY, WOOCOMMERCE):
            await self.scene.post.carry_twice(shop)
        await self._until(self._came_back, _PATIENCE_S)

    async def _came_back(self) -> bool:
        """The shops know the parcels and show what is left, Odoo has the credit notes, and nothing is unfinished."""
        self.company.require_running()
        way = self.scene.way_back
        off = (*way.shipments().mismatches, *way.refunds().mismatches, *self.scene.shelves.compare().mismatches)
        return not off and await self.office.idle()

    async def _sell(self, sales: Sequence[Sale]) -> None:
        for sale in sales:
            await self._sell_one(sale)
            await asyncio.sleep(_PACE_S)

    async def _sell_one(self, sale: Sale) -> int:
        order_id = sale.place()
        self.placed[order_id] = sale
        if sale.shop == SHOPIFY and not self.scene.post.counts.forged:
            await self._forge()
        await self.scene.post.carry(sale, order_id)
        return order_id

    async def _forge(self) -> None:
        """Somebody who does not know the secret sends an order with another total; the true delivery follows."""
        await self.scene.post.forge(self.scene.shop.pending_deliveries()[0])
        refused = self.scene.post.counts.forged_refused
        self.tell(f"a forged delivery with another total was {'refused' if refused else 'TAKEN'}")

    async def _outage(self, sales: Sequence[Sale], special: Sequence[Sale]) -> None:
        self.scene.down(True)
        began_s = time.monotonic()
        self.tell(f"Odoo is down for {_OUTAGE_S:.0f} seconds; orders go on coming in")
        half = len(sales) // 2
        await self._sell(sales[:half])
        await self._until(self.office.circuit_open, _OUTAGE_S)
        for sale in special:
            await self._special(sale)
        await self._sell(sales[half:])
        await asyncio.sleep(max(0.0, began_s + _OUTAGE_S - time.monotonic()))
        self.scene.down(False)
        self.tell("Odoo is back")

    async def _special(self, sale: Sale) -> None:
        order_id = await self._sell_one(sale)
        if sale.role is Role.EDITED:
            self.scene.woo.set_quantity(order_id, 1, 2)
            self.tell(f"order {order_id} is edited before Odoo has confirmed it: two mugs instead of four")
        elif sale.role is Role.CANCELLED:
            self.scene.shop.cancel(order_id)
            self.tell("an order is cancelled before Odoo has a document of it")
        else:
            self.tell(f"order {order_id} does not add up: its shop states 0.50 more than its lines")
            return
        await self.scene.post.carry(sale, order_id)

    async def _kill_a_worker(self, sales: Sequence[Sale]) -> None:
        half = len(sales) // 2
        await self._sell(sales[:half])
        await asyncio.to_thread(self.company.kill, WORKERS[0])
        self.killed_workers += 1
        self.tell("a worker is killed with -9 in the middle of it")
        await self._sell(sales[half : half + 4])
        self.company.start(WORKERS[0], "work")
        self.tell("the worker is started again")
        await self._sell(sales[half + 4 :])

    async def _agreed(self) -> bool:
        """All that is due stands in Odoo, nothing is unfinished, and the one that does not add up is held."""
        self.company.require_running()
        held = await self.office.held()
        unbalanced = [order_id for order_id, sale in self.placed.items() if sale.role is Role.UNBALANCED]
        return (
            len(held) == len(unbalanced)
            and self.scene.books.complete([one.number for one in held])
            and await self.office.idle()
        )

    async def _until(self, condition: Callable[[], Awaitable[bool]], patience_s: float) -> bool:
        ends_at_s = time.monotonic() + patience_s
        while time.monotonic() < ends_at_s:
            if await condition():
                return True
            await asyncio.sleep(0.2)
        return False
