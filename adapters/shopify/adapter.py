"""A Shopify shop: signed deliveries in, orders read back and watched; shipments, stock and prices told to it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.http import HttpDoor
from adapters.shopify import documents
from adapters.shopify.client import ShopifyClient
from adapters.shopify.customers import CustomersOfShopify
from adapters.shopify.fields import Json, identifier, instant, objects, part, text
from adapters.shopify.forms import order_of
from adapters.shopify.fulfilments import FulfilmentSinkOfShopify
from adapters.shopify.prices import PriceSinkOfShopify
from adapters.shopify.searching import WALK_MAX, changed_between
from adapters.shopify.settings import RETURN_TOPICS, ShopifySettings
from adapters.shopify.stock import ShelvesOfShopify
from adapters.shopify.subscriptions import Subscriptions
from adapters.shopify.translate import reading as canonical
from adapters.shopify.translate_graphql import order_from_graphql
from adapters.shopify.webhooks import ShopifyWebhooks
from tallystick.clock import Clock
from tallystick.errors import TallystickError, Unauthorised, Unavailable, Unreadable
from tallystick.listing import Listed
from tallystick.ports import Hint, NeedsRead, NotOurs, Reading, Sink, WebhookState, Window
from tallystick.stock.ports import Shelves
from tallystick.support import Support
from tallystick.v1 import event_pb2

#: How often an order that changes while its pages are read is begun anew.
TORN_READS = 3
SCOPES = frozenset({"read_orders", "read_customers", "read_returns"})
#: Wanted by shops that are told their stock.
STOCK_SCOPES = frozenset({"read_products", "read_inventory", "write_inventory", "read_locations"})

_READ = {
    "lines": documents.LINES,
    "shipping": documents.SHIPPING_LINES,
    "discounts": documents.DISCOUNTS,
    "refunds": documents.REFUNDS,
    "returns": documents.RETURNS,
}
_READ_WITH_MONEY = {**_READ, "payments": documents.PAYMENTS_WHOLE}
_PAGE = {
    "lines": documents.PAGE_LINES,
    "shipping": documents.PAGE_SHIPPING_LINES,
    "discounts": documents.PAGE_DISCOUNTS,
    "refunds": 1,
    "returns": 1,
}


class Torn(Unavailable):
    """The order is changing while it is read; it alone is read again later."""


class ShopifyAdapter:
    """One shop. Has the abilities WebhookSource, WebhookKeeper, OrderSource, OrderListing, CustomerSource,
    PaymentSource, RiskSource, ReturnSource, FulfilmentSink, StockSink, PriceSink, PartlyShown, Identified and
    ConnectionTest."""

    #: Searches lag some seconds behind, and dates are whole seconds.
    overlap_s = 300.0
    lists_all_customers = False

    def __init__(self, connection: str, settings: ShopifySettings, clock: Clock) -> None:
        self._connection = connection
        self._settings = settings
        #: As `PaymentSource` and `RiskSource` have it.
        self.lacks_payments = self.lacks_risk = "set `trust_bodies: false` on it" if settings.trust_bodies else ""
        #: As `ReturnSource` has it.
        self.lacks_returns = _lacking_topics(settings)
        self._clock = clock
        self._webhooks = ShopifyWebhooks(connection, settings)
        self._door = HttpDoor(
            settings.address,
            pacer=settings.pace.pacer(clock),
            clock=clock,
            private_network=settings.private_network,
        )
        self.pacer = self._door.pacer
        self._client = ShopifyClient(settings, self._door, clock)
        self._subscriptions = Subscriptions(self._client, settings, self._door.pacer, clock)
        self._customers = CustomersOfShopify(connection, settings, self._client)
        self.fulfilments: Sink = FulfilmentSinkOfShopify(settings, self._client, self._door.pacer)
        self.prices: Sink = PriceSinkOfShopify(settings, self._client, self._door.pacer, clock)
        self.stock: Shelves = ShelvesOfShopify(settings, self._client, self._door.pacer, clock)

    # ---- deliveries ----

    def verify(self, headers: Mapping[str, str], raw: bytes) -> bool:
        """See `ShopifyWebhooks.verify`."""
        return self._webhooks.verify(headers, raw)

    def hint(self, headers: Mapping[str, str], raw: bytes) -> Hint:
        """See `ShopifyWebhooks.hint`."""
        return self._webhooks.hint(headers, raw)

    def reading(self, headers: Mapping[str, str], raw: bytes) -> Reading | NeedsRead | NotOurs:
        """See `ShopifyWebhooks.reading`."""
        return self._webhooks.reading(headers, raw)

    # ---- reads ----

    async def read_order(self, order_id: str) -> Reading:
        """The order as it is now, with all its lines and refunds; `gone` when the shop answers null."""
        gid = _gid(order_id)
        query = documents.READ_ORDER if self._settings.trust_bodies else documents.READ_WITH_MONEY
        shown = _READ if self._settings.trust_bodies else _READ_WITH_MONEY
        for _ in range(TORN_READS):
            data = await self._client.query(query, {"id": gid, **shown})
            node = data.get("order")
            if node is None:
                return Reading(event_pb2.ENTITY_TYPE_ORDER, order_id, None, gone=True)
            whole = await self._completed(gid, part(node))
            if whole is not None:
                return canonical(self._connection, order_from_graphql(whole))
        raise Torn("the order changed each time while its pages were read", 5.0)

    async def changed_orders(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """Pages of whole orders by the date of their last change, both ends included."""
        whole = {"first": self._settings.page_size, **_PAGE}
        async for nodes in self._changed(documents.CHANGED_ORDERS, whole, window):
            yield [await self._found(node) for node in nodes]

    async def list_orders(self, window: Window) -> AsyncIterator[Sequence[Listed]]:
        """Pages of ids and dates of what `changed_orders` shows."""
        async for nodes in self._changed(documents.LIST_ORDERS, {"first": documents.LISTED}, window):
            dated = [(identifier(node.get("id")), instant(node.get("updatedAt"))) for node in nodes]
            yield [Listed(order_id, modified) for order_id, modified in dated if modified is not None]

    async def read_orders(self, ids: Sequence[str]) -> Sequence[Reading | NeedsRead]:
        """These orders, as many at once as a page of `changed_orders` holds."""
        size = self._settings.page_size
        return [
            found for start in range(0, len(ids), size) for found in await self._read_some(ids[start : start + size])
        ]

    async def _read_some(self, ids: Sequence[str]) -> list[Reading | NeedsRead]:
        variables = {"ids": [_gid(order_id) for order_id in ids], **_PAGE}
        nodes = (await self._client.query(documents.READ_ORDERS, variables)).get("nodes")
        if not isinstance(nodes, list) or len(nodes) != len(ids):
            raise Unreadable(f"Shopify answered {len(ids)} ids with something else than as many orders")
        return [
            await self._found(part(node)) if node else Reading(event_pb2.ENTITY_TYPE_ORDER, order_id, None, gone=True)
            for order_id, node in zip(ids, nodes, strict=True)
        ]

    async def _changed(self, document: str, shown: Mapping[str, Any], window: Window) -> AsyncIterator[list[Json]]:
        """All pages of a window, by several searches where one does not reach."""
        start: datetime | None = window.start
        while start is not None:
            walked, newest, start_here = 0, None, start
            start = None
            async for nodes in self._pages(document, shown, start_here, window.end):
                yield nodes
                walked += len(nodes)
                newest = max((seen for node in nodes if (seen := instant(node.get("updatedAt")))), default=newest)
                if walked >= WALK_MAX and newest is not None and newest > start_here:
                    start = newest
                    break

    async def count_orders(self, window: Window) -> int | None:
        """How many orders changed in the window."""
        variables = {"query": f"{changed_between(window.start, window.end)} AND status:any", "limit": None}
        told = part((await self._client.query(documents.COUNT_ORDERS, variables)).get("ordersCount"))
        count = told.get("count")
        return int(count) if isinstance(count, int) and told.get("precision") == "EXACT" else None

    async def _pages(
        self, document: str, shown: Mapping[str, Any], start: datetime, end: datetime
    ) -> AsyncIterator[list[Json]]:
        variables = {"query": f"{changed_between(start, end)} AND status:any", "after": None, **shown}
        while True:
            page = part((await self._client.query(document, variables)).get("orders"))
            yield objects(page.get("nodes"))
            info = part(page.get("pageInfo"))
            if info.get("hasNextPage") is not True:
                return
            variables["after"] = text(info.get("endCursor"))

    async def _found(self, node: Json) -> Reading | NeedsRead:
        """The order of a page; one that cannot be translated, or changes meanwhile, must not stop the walk."""
        try:
            return await self._whole(node)
        except Torn as error:
            why = str(error)
        except (Unavailable, Unauthorised):
            raise
        except Exception as error:
            why = type(error).__name__
        return NeedsRead(event_pb2.ENTITY_TYPE_ORDER, identifier(node.get("id")), why)

    async def _whole(self, node: Json) -> Reading:
        """An order of a page; one that a page cuts, or that has refunds, returns or mixed payments, is read on its own.

        So is every order whose single payments are wanted, which no page has room for.
        """
        connections = ("lineItems", "shippingLines", "discountApplications")
        cut = any(part(part(node.get(name)).get("pageInfo")).get("hasNextPage") for name in connections)
        beside = objects(node.get("refunds")) or objects(part(node.get("returns")).get("nodes"))
        if self._settings.trust_bodies and not cut and not beside:
            order = order_from_graphql(node)
            if not order.gift_card_mixed:
                return canonical(self._connection, order)
        return await self.read_order(identifier(node.get("id")))

    def parse_order(self, raw: bytes) -> Reading:
        """An order in either spelling. Raises `Unreadable`."""
        return canonical(self._connection, order_of(raw))

    async def read_customer(self, customer_id: str) -> Reading:
        """A customer, or a company with its locations, as it is now; `gone` when the shop answers null."""
        return await self._customers.read(customer_id)

    def changed_customers(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """Pages of companies, then of customers, that changed in the window."""
        return self._customers.changed(window)

    # ---- what a first answer leaves out ----

    async def _completed(self, gid: str, node: Json) -> Json | None:
        """The node with all lines, refunds and payments; None when the order changed in between."""
        refunds = objects(node.get("refunds"))
        if len(refunds) >= documents.REFUNDS:
            raise Unreadable(f"the order has {documents.REFUNDS} refunds or more, which one read cannot show")
        whole: dict[str, Any] = dict(node)
        whole["refunds"] = [await self._refund(text(refund.get("id"))) for refund in refunds]
        returns = part(node.get("returns"))
        back = [await self._return(text(one.get("id"))) for one in objects(returns.get("nodes"))]
        whole["returns"] = {**returns, "nodes": back}
        lines = await self._lines(gid, node)
        if lines is None:
            return None
        whole["lineItems"] = {"nodes": lines}
        if len(objects(whole.get("transactions"))) >= documents.PAYMENTS_WHOLE:
            raise Unreadable(
                f"the order has {documents.PAYMENTS_WHOLE} transactions or more, which one read cannot show"
            )
        if "transactions" not in whole and order_from_graphql(whole).gift_card_mixed:
            whole["transactions"] = await self._payments(gid)
        return whole

    async def _lines(self, gid: str, node: Json) -> list[Json] | None:
        shown = part(node.get("lineItems"))
        lines = objects(shown.get("nodes"))
        while part(shown.get("pageInfo")).get("hasNextPage"):
            after = text(part(shown["pageInfo"]).get("endCursor"))
            variables = {"id": gid, "first": documents.LINES, "after": after}
            more = part((await self._client.query(documents.ORDER_LINES, variables)).get("order"))
            if more.get("updatedAt") != node.get("updatedAt"):
                return None
            shown = part(more.get("lineItems"))
            lines += objects(shown.get("nodes"))
        return lines

    async def _refund(self, gid: str) -> Json:
        variables: dict[str, Any] = {"id": gid, "lines": documents.REFUND_LINES, "after": None}
        refund: dict[str, Any] | None = None
        lines: list[Json] = []
        while True:
            shown = part((await self._client.query(documents.READ_REFUND, variables)).get("refund"))
            if not shown:
                raise Torn("a refund that the order names is not there yet", 5.0)
            refund = refund or dict(shown)
            page = part(shown.get("refundLineItems"))
            lines += objects(page.get("nodes"))
            if not part(page.get("pageInfo")).get("hasNextPage"):
                return {**refund, "refundLineItems": {"nodes": lines}}
            variables["after"] = text(part(page["pageInfo"]).get("endCursor"))

    async def _return(self, gid: str) -> Json:
        variables: dict[str, Any] = {"id": gid, "lines": documents.RETURN_LINES, "after": None}
        lines: list[Json] = []
        while True:
            shown = part((await self._client.query(documents.READ_RETURN, variables)).get("return"))
            if not shown:
                raise Torn("a return that the order names is not there yet", 5.0)
            page = part(shown.get("returnLineItems"))
            lines += objects(page.get("nodes"))
            if not part(page.get("pageInfo")).get("hasNextPage"):
                return {**shown, "returnLineItems": {"nodes": lines}}
            variables["after"] = text(part(page["pageInfo"]).get("endCursor"))

    async def _payments(self, gid: str) -> list[Json]:
        data = await self._client.query(documents.READ_PAYMENTS, {"id": gid, "first": documents.PAYMENTS})
        payments = objects(part(data.get("order")).get("transactions"))
        if len(payments) >= documents.PAYMENTS:
            raise Unreadable(f"the order has {documents.PAYMENTS} payments or more, which one read cannot show")
        return payments

    # ---- the shop itself ----

    async def identity(self) -> str:
        """The shop's number, which stays when its name and domains change."""
        shop = part((await self._client.query(documents.READ_SHOP, {})).get("shop"))
        number = identifier(shop.get("id"))
        if not number:
            raise Unreadable("the shop does not tell its id")
        return number

    async def webhooks(self) -> Sequence[WebhookState]:
        """The subscriptions made by the API, and as inactive the wanted topics that have none."""
        return await self._subscriptions.states()

    @property
    def mends_webhooks(self) -> bool:
        """Whether the settings want subscriptions to be mended."""
        return self._settings.webhook_repair

    async def mend_webhooks(self) -> Sequence[str]:
        """Make the wanted subscriptions that are missing."""
        return await self._subscriptions.mend()

    async def shows_all_orders(self) -> bool:
        """Without the scope read_all_orders those of more than 60 days look as if they were gone."""
        return "read_all_orders" in _scopes(await self._client.query(documents.READ_SHOP, {}))

    def support(self) -> Support:
        """The API version in use, and until when it is."""
        return self._client.versions.support

    async def check(self) -> Sequence[tuple[str, bool, str]]:
        """Scopes, API version and subscriptions, each with what to do about it."""
        try:
            data = await self._client.query(documents.READ_SHOP, {})
            states = await self.webhooks()
        except TallystickError as error:
            return [("ask the shop for its name", False, str(error))]
        granted = _scopes(data)
        lacking, for_stock = sorted(SCOPES - granted), sorted(STOCK_SCOPES - granted)
        support = self.support()
        served, wanted, warning = support.served, support.version, support.warning(self._clock.now())
        return [
            ("access scopes", not lacking, f"grant the app {', '.join(lacking)}" if lacking else ""),
            ("scopes for stock", True, f"before stock is told, grant {', '.join(for_stock)}" if for_stock else ""),
            ("API version", served == wanted, f"{served or 'another one'} served the call, not {wanted}"),
            *((("API version's end", False, warning),) if warning and served == wanted else ()),
            *(
                (
                    f"webhook {s.topic}",
                    s.active,
                    "" if s.active else "subscribe to it; polling finds the orders until then",
                )
                for s in states
            ),
        ]

    async def close(self) -> None:
        """Give connections back."""
        await self._door.close()


def _lacking_topics(settings: ShopifySettings) -> str:
    """A return has topics of its own, and it is not told whether it moves its order's date."""
    lacking = [topic for topic in RETURN_TOPICS if topic not in settings.topics]
    return f"add {', '.join(lacking)} to its `topics`" if lacking else ""


def _gid(order_id: str) -> str:
    return f"gid://shopify/Order/{order_id}"


def _scopes(data: Json) -> set[str]:
    """What the app was granted, in the answer of `READ_SHOP`."""
    return {text(one.get("handle")) for one in objects(part(data.get("currentAppInstallation")).get("accessScopes"))}
