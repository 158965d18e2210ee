"""A WooCommerce shop as a store: signed deliveries, orders read back or found by their change, shipments told to it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta

from yarl import URL

from adapters.http import HttpDoor
from tallystick.clock import Clock
from tallystick.errors import NotFound, Unauthorised, Unavailable, Unreadable
from tallystick.ports import Hint, NeedsRead, NotOurs, Reading, Sink, WebhookState, Window
from tallystick.stock.ports import Shelves
from tallystick.v1 import event_pb2

from . import accounts, translate, webhook
from .api import Api
from .changes import Changes
from .fields import Json, flag, gmt, part, reference, text
from .fulfilments import FulfilmentSinkOfWooCommerce
from .prices import PriceSinkOfWooCommerce
from .probe import Probe
from .settings import WooCommerceSettings
from .stock import ShelvesOfWooCommerce
from .subscriptions import Subscriptions

#: How often an order whose refunds change while they are read is begun anew.
TORN_READS = 3


class WooCommerce:
    """One shop. Has the abilities `WebhookSource`, `WebhookKeeper`, `OrderSource`, `CustomerSource`, `PaymentSource`,
    `FulfilmentSink`, `PriceSink`, `Identified` and `ConnectionTest`."""

    #: An order tells its one payment itself.
    lacks_payments = ""
    #: Dates are whole seconds, and a page cache of the host may lag behind for a while.
    overlap_s = 120.0
    #: `GET /customers` has no filter by date.
    lists_all_customers = True

    def __init__(self, connection: str, settings: WooCommerceSettings, clock: Clock) -> None:
        self._connection = connection
        self._settings = settings
        self._door = HttpDoor(
            settings.url, pacer=settings.pace.pacer(clock), clock=clock, private_network=settings.private_network
        )
        self.pacer = self._door.pacer
        self._api = Api(self._door, settings, clock)
        self._changes = Changes(self._api)
        self._subscriptions = Subscriptions(self._api, settings, self._door.pacer, clock)
        self.fulfilments: Sink = FulfilmentSinkOfWooCommerce(settings, self._api, self._door.pacer)
        self.prices: Sink = PriceSinkOfWooCommerce(settings, self._api, self._door.pacer, clock)
        self.stock: Shelves = ShelvesOfWooCommerce(settings, self._api, self._door.pacer)
        self._legacy: bool | None = None

    # ---- deliveries

    def verify(self, headers: Mapping[str, str], raw: bytes) -> bool:
        """Whether one of our secrets signed exactly these bytes. Pings are unsigned: ask `hint` first."""
        return webhook.verify(headers, raw, self._settings.webhook_secrets)

    def hint(self, headers: Mapping[str, str], raw: bytes) -> Hint:
        """The order's id from the first bytes of the body."""
        return webhook.hint(headers, raw)

    def reading(self, headers: Mapping[str, str], raw: bytes) -> Reading | NeedsRead | NotOurs:
        """The order in the body; `NeedsRead` for thin and deletion bodies. Raises `Unreadable`."""
        settings = self._settings
        return webhook.reading(headers, raw, self._connection, settings.dialect, trust_bodies=settings.trust_bodies)

    # ---- orders

    async def identity(self) -> str:
        """The shop's home address without its scheme: a copy of a shop has the same database but another address."""
        index = await self._api.index()
        home = URL(text(index.get("home")) or text(index.get("url")))
        return f"{home.host_port_subcomponent}{home.path}".rstrip("/").lower()

    async def read_order(self, order_id: str) -> Reading:
        """The order as it is now. One in the trash is a cancelled one; `gone` is only what the shop does not know."""
        if not order_id.isdigit():
            raise Unreadable(f"{order_id[:40]!r} is no id of a WooCommerce order, which is a number such as 1042")
        try:
            for _ in range(TORN_READS):
                found = await self._whole(await self._api.one(f"orders/{order_id}"))
                if found is not None:
                    return found
        except NotFound:
            return Reading(event_pb2.ENTITY_TYPE_ORDER, order_id, source_modified=None, gone=True)
        raise Unavailable("the refunds of the order changed each time while they were read", 5.0)

    async def changed_orders(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """Pages of orders that changed in the window, those in the trash included.

        On the old storage (posts) edits of lines, addresses and coupons do not move an order's date, so the orders
        placed within `legacy_lookback_h` before the window's end come along. What is edited later than that and
        whose delivery is lost as well is found by a full reconciliation only.
        """
        async for rows in self._changes.modified(window):
            yield [found async for found in self._readings(rows)]
        hours = self._settings.legacy_lookback_h
        if hours and await self.legacy_storage():
            placed = Window(min(window.start, window.end - timedelta(hours=hours)), window.end)
            async for rows in self._changes.created(placed):
                yield [found async for found in self._readings(rows)]

    async def count_orders(self, window: Window) -> int | None:
        """How many orders changed in the window by their dates; None when the shop states no totals."""
        return await self._changes.count(window)

    def parse_order(self, raw: bytes) -> Reading:
        """An order as the API or a delivery shows it, also a list of one. Raises `Unreadable`."""
        content = webhook.parse(raw)
        if isinstance(content, list):
            if len(content) != 1:
                raise Unreadable(f"this is a list of {len(content)}; give one order at a time")
            content = content[0]
        if not isinstance(content, Mapping):
            raise Unreadable(f"this is no WooCommerce order but a JSON {type(content).__name__}")
        return self._reading(content)

    # ---- customers

    async def read_customer(self, customer_id: str) -> Reading:
        """The account as it is now."""
        if not customer_id.isdigit():
            raise Unreadable(f"{customer_id[:40]!r} is no id of a WooCommerce customer, which is a number such as 7")
        try:
            row = await self._api.one(f"customers/{customer_id}")
        except NotFound:
            return accounts.gone(customer_id)
        return accounts.reading(row, self._connection, self._settings.dialect)

    async def changed_customers(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """All accounts, of which those are told that changed in the window: the API has no filter by date.

        Without `role=all` it lists those with the role `customer` only, and wholesale buyers have another.
        """
        async for rows in self._changes.accounts():
            yield [found for row in rows if (found := self._account(row, window)) is not None]

    def _account(self, row: Json, window: Window) -> Reading | NeedsRead | None:
        changed = gmt(row, "date_modified")
        if not accounts.is_customer(row) or (changed is not None and not window.start <= changed <= window.end):
            return None
        try:
            return accounts.reading(row, self._connection, self._settings.dialect)
        except Unreadable as error:
            return NeedsRead(event_pb2.ENTITY_TYPE_CUSTOMER, reference(row.get("id")), str(error))

    async def webhooks(self) -> Sequence[WebhookState]:
        """The subscriptions of the shop."""
        return await self._subscriptions.states()

    @property
    def mends_webhooks(self) -> bool:
        """Whether the settings want webhooks to be mended."""
        return self._settings.webhook_repair

    async def mend_webhooks(self) -> Sequence[str]:
        """Make those that are missing, activate those that are disabled."""
        return await self._subscriptions.mend()

    async def legacy_storage(self) -> bool:
        """Whether orders are kept as posts, by `system_status`; asked once."""
        if self._legacy is None:
            settings = part((await self._api.one("system_status")).get("settings"))
            stated = settings.get("HPOS_enabled")
            # Versions before the order tables do not state the setting at all.
            self._legacy = stated is None or not flag(stated)
        return self._legacy

    # ---- housekeeping

    async def check(self) -> Sequence[tuple[str, bool, str]]:
        """What was tried on the real shop, whether it is fine, and what to do if not."""
        return await Probe(self._api, self._settings, self).run()

    async def close(self) -> None:
        """Give connections back."""
        await self._door.close()

    async def _readings(self, rows: Sequence[Json]) -> AsyncIterator[Reading | NeedsRead]:
        """Rows of a list; one that cannot be translated is left to a read of its own, one without an id is none."""
        for row in rows:
            order_id, why = reference(row.get("id")), "its refunds changed while they were read"
            try:
                found = await self._whole(row)
            except (Unavailable, Unauthorised):
                raise
            except Exception as error:
                found, why = None, type(error).__name__
            if found is not None:
                yield found
            elif order_id:
                yield NeedsRead(event_pb2.ENTITY_TYPE_ORDER, order_id, why)

    async def _whole(self, row: Json) -> Reading | None:
        """The order with its refunds, which are listed apart; None when they are not those that the order shows."""
        shown = {reference(refund.get("id")) for refund in translate.shown_refunds(row)}
        if not shown:
            return self._reading(row)
        listed = await self._api.all(f"orders/{reference(row.get('id'))}/refunds")
        if {reference(refund.get("id")) for refund in listed} != shown:
            return None
        return translate.reading(row, self._connection, self._settings.dialect, listed)

    def _reading(self, row: Json) -> Reading:
        return translate.reading(row, self._connection, self._settings.dialect)
