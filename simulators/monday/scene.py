"""The stage: two shops and one Odoo on loopback, with the faults of that Monday."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from simulators import shopify, woocommerce
from simulators.faults import Fault, Rule
from simulators.monday.books import Books
from simulators.monday.goods import stock_odoo, stock_woocommerce
from simulators.monday.post import Post
from simulators.monday.shelves import Shelves
from simulators.monday.way_back import WayBack
from simulators.monday.weekend import SHOPIFY, WOOCOMMERCE, Sale, weekend
from simulators.odoo import Odoo, OdooSettings, demo_company
from simulators.odoo import application as odoo_application
from simulators.serving import serve
from simulators.woocommerce.taxes import Rate

#: Every call of Odoo that writes.
WRITES = "*.load|*.write|*.create|*.action_confirm"
WEBHOOK_SECRET = "woo-demo-secret"  # noqa: S105
ODOO_KEY = "odoo-demo-key"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the doubles listen."""

    shopify: str
    woocommerce: str
    odoo: str


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything on the stage."""

    shop: shopify.Shop
    woo: woocommerce.Shop
    odoo: Odoo
    addresses: Addresses
    post: Post
    books: Books
    way_back: WayBack
    shelves: Shelves

    async def subscribe(self, webhooks: str) -> None:
        """Both shops subscribe to `webhooks`, an address such as http://127.0.0.1:8080."""
        self.shop.subscribe(f"{webhooks}/webhooks/{SHOPIFY}")
        await self.woo.subscribe(f"{webhooks}/webhooks/{WOOCOMMERCE}", WEBHOOK_SECRET, woocommerce.TOPICS)

    def sales(self, now: datetime) -> list[Sale]:
        """The 47 orders to come."""
        return weekend(self.shop, self.woo, now=now)

    def spoil(self) -> None:
        """From now on Odoo loses every fifth reply after it has committed, and throttles now and then."""
        self.odoo.faults.rules += [
            Rule(Fault.LOST_REPLY, WRITES, every=5),
            Rule(Fault.THROTTLED, WRITES, every=25, retry_after="1"),
        ]

    def down(self, down: bool) -> None:
        """Odoo is down, or up again."""
        self.odoo.down = down

    @property
    def lost_replies(self) -> int:
        """How many replies Odoo lost."""
        return self.odoo.faults.struck[Fault.LOST_REPLY]


@asynccontextmanager
async def open_scene() -> AsyncIterator[Scene]:
    """The doubles, served for as long as the context lasts."""
    shop = shopify.Shop("ombre", currency="EUR", taxes_included=True)
    rates = (Rate(1, Decimal(19), "VAT 19"), Rate(2, Decimal(7), "VAT 7", tax_class="reduced-rate"))
    woo = woocommerce.Shop(woocommerce.ShopSettings(name="Ombre", rates=rates), first_id=5000)
    odoo = Odoo(OdooSettings(version="19.0", key=ODOO_KEY))
    demo_company(odoo)
    stock_odoo(odoo)
    stock_woocommerce(woo)
    shelves = Shelves(shop, woo, odoo)
    shelves.fill()
    async with AsyncExitStack() as exits:
        addresses = Addresses(
            await exits.enter_async_context(serve(shopify.application(shop))),
            await exits.enter_async_context(serve(woocommerce.application(woo))),
            await exits.enter_async_context(serve(odoo_application(odoo))),
        )
        sender = await exits.enter_async_context(shopify.Sender())
        post = Post(shop, woo, sender)
        yield Scene(shop, woo, odoo, addresses, post, Books(shop, woo, odoo), WayBack(shop, woo, odoo), shelves)
