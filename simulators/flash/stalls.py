"""The shop of a flash sale and its Odoo: one face for each kind of shop."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Protocol

from simulators import shopify, woocommerce
from simulators.faults import Fault, FaultScript, Rule
from simulators.journal import Journal
from simulators.odoo import Odoo, OdooSettings, demo_company
from simulators.odoo import application as odoo_application
from simulators.serving import serve
from simulators.woocommerce.taxes import Rate

STORES = ("shopify", "woocommerce")
ERP = "odoo"
SECRET = "flash-sale-secret"  # noqa: S105
_PRICE = "10.70"
_VAT = Decimal("0.07")
#: What Odoo takes its time for: writing documents, and telling its stock.
_SLOW = "*.load|*.action_confirm|stock.quant.*"


class SoldOut(Exception):
    """The shop has not enough of it."""


class Stall(Protocol):
    """A shop where people queue."""

    name: str
    odoo: Odoo
    journal: Journal
    faults: FaultScript
    #: Its operation that sets stock, as rules of faults name it.
    sets_stock: str
    #: How the product reaches it.
    connection: Mapping[str, Any]
    erp_connection: Mapping[str, Any]

    def offer(self, sku: str) -> None:
        """It sells this from now on, and has none of it yet."""
        ...

    def buy(self, sku: str) -> None:
        """A buyer takes one. Raises `SoldOut`."""
        ...

    def shown(self, sku: str) -> int:
        """How many buyers may still have."""
        ...

    def orders(self) -> list[str]:
        """The ids of all that were placed."""
        ...

    async def subscribe(self, edge: str) -> None:
        """Webhooks go to `edge`."""
        ...

    def owed(self) -> list[Any]:
        """Deliveries that are due."""
        ...

    async def deliver(self, owed: Any) -> None:
        """Send one."""
        ...

    def lose(self, owed: Any) -> None:
        """It never leaves."""
        ...


@asynccontextmanager
async def open_stall(store: str, slow_s: float) -> AsyncIterator[Stall]:
    """A shop with its Odoo, whose answers take `slow_s`; served for as long as the context lasts."""
    odoo = Odoo(OdooSettings(version="19.0"))
    demo_company(odoo)
    odoo.faults.rules.append(Rule(Fault.SLOW, _SLOW, seconds=slow_s))
    async with serve(odoo_application(odoo)) as erp_address:
        if store == "shopify":
            shop = shopify.Shop()
            async with serve(shopify.application(shop)) as address, shopify.Sender() as sender:
                yield ShopifyStall(shop, odoo, address, erp_address, sender)
        else:
            woo = woocommerce.Shop(woocommerce.ShopSettings(rates=(Rate(1, Decimal(7), "VAT 7"),)))
            async with serve(woocommerce.application(woo)) as address:
                yield WooStall(woo, odoo, address, erp_address)


_PACE = {"private_network": True, "pace": {"rate_per_s": 5000, "burst": 5000, "parallel": 4}}


def _erp(odoo: Odoo, address: str) -> dict[str, Any]:
    settings = odoo.settings
    return {
        "kind": "odoo",
        "url": address,
        "database": settings.database,
        "login": settings.login,
        "api_key": settings.key,
        **_PACE,
    }


class ShopifyStall:
    """A Shopify shop."""

    name = "shopify"
    sets_stock = "SetQuantities"

    def __init__(self, shop: shopify.Shop, odoo: Odoo, address: str, erp: str, sender: shopify.Sender) -> None:
        self.odoo = odoo
        self.journal = shop.journal
        self.faults = shop.faults
        self._shop = shop
        self._sender = sender
        # The points of the largest plan: what is seen here is not about waiting for them.
        shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
        self.connection: Mapping[str, Any] = {
            "kind": "shopify",
            "shop": "example",
            "url": address,
            "client_id": shop.client_id,
            "client_secret": shop.secret,
            **_PACE,
        }
        self.erp_connection: Mapping[str, Any] = _erp(odoo, erp)

    def offer(self, sku: str) -> None:
        """See `Stall`."""
        self._shop.stockroom.add(sku)

    def buy(self, sku: str) -> None:
        """See `Stall`."""
        item = shopify.Item(sku, Decimal(_PRICE), 1, sku=sku, rates=(shopify.Rate("VAT", _VAT),))
        try:
            self._shop.place_order(shopify.Cart([item], taxes_included=True))
        except shopify.SoldOut as error:
            raise SoldOut(sku) from error

    def shown(self, sku: str) -> int:
        """See `Stall`."""
        return self._shop.stockroom.available(sku)

    def orders(self) -> list[str]:
        """See `Stall`."""
        return [str(order_id) for order_id in self._shop.orders]

    async def subscribe(self, edge: str) -> None:
        """See `Stall`."""
        self._shop.subscribe(f"http://{edge}/webhooks/{self.name}")

    def owed(self) -> list[Any]:
        """See `Stall`."""
        return self._shop.pending_deliveries()

    async def deliver(self, owed: Any) -> None:
        """See `Stall`."""
        await self._shop.deliver(owed, self._sender)

    def lose(self, owed: Any) -> None:
        """See `Stall`."""
        self._shop.lose(owed)


class WooStall:
    """A WooCommerce shop."""

    name = "woocommerce"
    sets_stock = "POST /products/batch"

    def __init__(self, shop: woocommerce.Shop, odoo: Odoo, address: str, erp: str) -> None:
        self.odoo = odoo
        self.journal = shop.journal
        self.faults = shop.faults
        self._shop = shop
        key, (secret, _) = next(iter(shop.settings.keys.items()))
        self.connection: Mapping[str, Any] = {
            "kind": "woocommerce",
            "url": address,
            "consumer_key": key,
            "consumer_secret": secret,
            "webhook_secrets": [SECRET],
            **_PACE,
        }
        self.erp_connection: Mapping[str, Any] = _erp(odoo, erp)

    def offer(self, sku: str) -> None:
        """See `Stall`."""
        self._shop.add_product(sku, _PRICE)
        self._shop.storeroom.count(sku, 0)

    def buy(self, sku: str) -> None:
        """See `Stall`."""
        try:
            self._shop.place_order([woocommerce.Item(sku)])
        except woocommerce.SoldOut as error:
            raise SoldOut(sku) from error

    def shown(self, sku: str) -> int:
        """See `Stall`."""
        return self._shop.storeroom.available(sku)

    def orders(self) -> list[str]:
        """See `Stall`."""
        return [str(order_id) for order_id in self._shop.orders]

    async def subscribe(self, edge: str) -> None:
        """See `Stall`."""
        await self._shop.subscribe(f"http://{edge}/webhooks/{self.name}", SECRET, woocommerce.TOPICS)

    def owed(self) -> list[Any]:
        """See `Stall`."""
        return self._shop.pending_deliveries()

    async def deliver(self, owed: Any) -> None:
        """See `Stall`."""
        await self._shop.send(self._shop.take(owed))

    def lose(self, owed: Any) -> None:
        """See `Stall`."""
        self._shop.outbox.drop(owed)
