"""A WooCommerce shop in memory: its settings, its orders, and what each event makes it send.

Seen on WooCommerce 11.0.1; with `hpos=False` as on the old storage, where edits do not move the date of an order.
"""

import random
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from simulators.faults import FaultScript
from simulators.journal import Journal

from . import refunding
from .accounts import Accounts
from .bodies import body_of
from .cart import Cart
from .catalogue import Catalogue
from .hooks import Delivery, Outbox, Request, Webhook
from .model import Coupon, Fee, Item, Line, Meta, Order, Product, Refund, address_block
from .shape import Shape, encode
from .shipments import Shipments
from .storeroom import Storeroom
from .taxes import Rate, Rounding

#: Never sent by webhooks; `checkout-draft` is not among them.
_UNSENT = ("draft", "auto-draft", "new")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class ShopSettings:
    """What a merchant sets; may be changed while the shop runs."""

    name: str = "Test shop"
    home: str = "https://shop.example"
    currency: str = "EUR"
    decimals: int = 2
    prices_include_tax: bool = False
    round_at_subtotal: bool = False
    zone: str = "Europe/Zurich"
    hpos: bool = True
    #: Old shops do not know `orderby=modified`.
    sorts_by_change: bool = True
    #: Older ones do not know `modified_after` either, and ignore it like every parameter that they do not know.
    filters_by_change: bool = True
    #: WooCommerce is switched off: WordPress has no such route.
    offline: bool = False
    version: str = "11.0.1"
    wordpress: str = "7.0.4"
    rates: tuple[Rate, ...] = (
        Rate(1, Decimal(10), "VAT 10"),
        Rate(2, Decimal(7), "VAT 7", tax_class="reduced-rate"),
    )
    #: API keys: consumer key -> (secret, "read", "write" or "read_write").
    keys: dict[str, tuple[str, str]] = field(default_factory=lambda: {"ck_demo": ("cs_demo", "read_write")})

    @property
    def rounding(self) -> Rounding:
        """How this shop rounds."""
        return Rounding(self.decimals, self.prices_include_tax, self.round_at_subtotal)


class Shop:
    """The double. Everything that happens is in `journal`; `faults` spoils the calls of the API."""

    def __init__(
        self,
        settings: ShopSettings | None = None,
        *,
        seed: int = 1,
        now: Callable[[], datetime] = _utc_now,
        first_id: int = 10,
    ) -> None:
        self.settings = settings or ShopSettings()
        self.faults = FaultScript(seed=seed)
        self.journal = Journal()
        self.products: dict[str, Product] = {}
        self.orders: dict[int, Order] = {}
        self.coupons: dict[str, Coupon] = {}
        self.shipments = Shipments(self.journal, self.now)
        self.catalogue = Catalogue(self)
        self.storeroom = Storeroom(self)
        #: What plugins make of single orders that the API shows, by order id.
        self.spoiled: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        self._now = now
        self.accounts = Accounts(self)
        self._die = random.Random(seed)
        self._posts, self._items = first_id - 1, 0
        self.outbox = Outbox(
            self.settings.home,
            self.settings.version,
            self.settings.wordpress,
            self.now,
            self._body_of,
            self.journal,
            self._die,
        )

    def now(self) -> datetime:
        """The shop's clock, in whole seconds."""
        return self._now().replace(microsecond=0)

    # ---- what is for sale

    def add_product(self, sku: str, price: Decimal | str, name: str = "", tax_class: str = "") -> Product:
        """A product at a price as the merchant types it."""
        product = Product(self._post_id(), sku, name or sku.title(), Decimal(price), tax_class)
        self.products[sku] = product
        self.outbox.owe("product.created", product.id)
        return product

    def add_coupon(self, code: str, kind: str, amount: Decimal | str) -> Coupon:
        """A coupon: `percent` or `fixed_cart`."""
        self.coupons[code] = Coupon(code, kind, Decimal(amount))
        return self.coupons[code]

    # ---- orders

    def place_order(
        self,
        items: Sequence[Item],
        *,
        status: str = "processing",
        currency: str = "",
        billing: dict[str, str] | None = None,
        shipping_address: dict[str, str] | None = None,
        customer_id: int = 0,
        shipping: Decimal | None = None,
        fees: Sequence[Fee] = (),
        coupons: Sequence[str] = (),
        payment_method: str = "stripe",
        created_via: str = "checkout",
        note: str = "",
        meta: Meta | None = None,
    ) -> Order:
        """An order, its taxes computed as the real shop does; its events are owed. Raises `SoldOut` at the checkout.

        From a checkout `order.updated` is queued before `order.created`, from the API after it.
        """
        if created_via == "checkout":
            self.storeroom.admit(items)
        moment, order_id = self.now(), self._post_id()
        order = Order(
            id=order_id,
            key=f"wc_order_{self._letters(13)}",
            status=status,
            currency=currency or self.settings.currency,
            prices_include_tax=self.settings.prices_include_tax,
            created=moment,
            modified=moment,
            created_via=created_via,
            customer_id=customer_id,
            billing=address_block(billing, email=True),
            shipping_address=address_block(shipping_address if shipping_address is not None else billing),
            payment_method=payment_method,
            payment_title=payment_method.title(),
            note=note,
            meta=dict(meta or {}),
        )
        self._charge(order, items, shipping, fees, coupons)
        self.orders[order_id] = order
        self._date_payment(order)
        self.journal.note("created", str(order_id), _facts(order))
        self.storeroom.follow(order)
        self._announce_new(order)
        return order

    def _charge(
        self,
        order: Order,
        items: Sequence[Item],
        shipping: Decimal | None,
        fees: Sequence[Fee],
        coupons: Sequence[str],
    ) -> None:
        cart = self.cart
        order.lines = [cart.line(item) for item in items]
        order.discounts = [cart.apply(self.coupons[code], order.lines) for code in coupons]
        order.shipping = [] if shipping is None else [cart.shipping("Parcel", shipping)]
        order.fees = [cart.fee(fee, order.lines) for fee in fees]
        order.sums = cart.sums(order)

    def _announce_new(self, order: Order) -> None:
        if order.status in _UNSENT:
            return
        topics = ["order.created", "order.updated"]
        if order.created_via == "checkout":
            topics.reverse()
        for topic in topics:
            self.outbox.owe(topic, order.id)

    def edit(self, order_id: int, change: Callable[[Order, Cart], None] = lambda order, cart: None) -> Order:
        """Change an order by hand; without a change it is the empty save that still sends `order.updated`."""
        order = self.orders[order_id]
        change(order, self.cart)
        order.sums = self.cart.sums(order)
        return self._saved(order, moves_date=self.settings.hpos)

    def set_quantity(self, order_id: int, line: int, quantity: int) -> Order:
        """Edit a line's quantity together with its amounts, as the shop's own screen does; 0 removes the line."""

        def change(order: Order, cart: Cart) -> None:
            found = order.lines[line]
            if not quantity:
                order.lines.remove(found)
                return
            share = Decimal(quantity) / Decimal(found.quantity)
            cart.reprice(found, found.subtotal * share, found.total * share)
            found.quantity = quantity

        return self.edit(order_id, change)

    def add_line(self, order_id: int, item: Item) -> Line:
        """Add a line to an order."""
        return self.edit(order_id, lambda order, cart: order.lines.append(cart.line(item))).lines[-1]

    def set_status(self, order_id: int, status: str) -> Order:
        """Another status; `refunded` makes a refund of the full rest.

        Out of the trash by this way nothing is sent on the new storage.
        """
        order = self.orders[order_id]
        was_in_trash = order.status == "trash"
        if status == "completed" != order.status:
            self.journal.note("mail", str(order_id), "completed")
        order.status = status
        self.storeroom.follow(order)
        self._date_payment(order)
        if status == "refunded" and not order.refunds:
            order.refunds.append(
                Refund(self._post_id(), order.sums.total, "Order fully refunded.", self.now(), full=True)
            )
        return self._saved(order, moves_date=True, silent=was_in_trash and self.settings.hpos)

    def pay(self, order_id: int, transaction_id: str = "") -> Order:
        """The payment came in."""
        order = self.orders[order_id]
        order.transaction_id = transaction_id or f"tx-{order_id}"
        order.paid = self.now()
        return self.set_status(order_id, "processing")

    def cancel(self, order_id: int) -> Order:
        """The order is cancelled."""
        return self.set_status(order_id, "cancelled")

    def refund(
        self,
        order_id: int,
        amount: Decimal | None = None,
        reason: str = "",
        *,
        back: Mapping[int, int] = {},
        nets: Mapping[int, Decimal] = {},
        restock: bool = True,
        by_gateway: bool = False,
    ) -> Refund:
        """Give money back: pieces by the id of the charge (of shipping and fees one), all else by its share.

        `nets` states another amount without tax for a charge. Without an amount it is computed from what is given
        back, and where nothing is, it stays empty: the real shop accepts that.
        """
        order = self.orders[order_id]
        given = self.cart.given_back(order, back, nets)
        refund = Refund(self._post_id(), amount, reason, self.now(), given, by_gateway=by_gateway)
        refunding.add(order, refund)
        if restock:
            refunding.restock(given, self.products)
        self._saved(order, moves_date=True)
        return refund

    def delete_refund(self, order_id: int, refund_id: int) -> None:
        """A refund vanishes: no event, and the order's date stays."""
        order = self.orders[order_id]
        order.refunds = [refund for refund in order.refunds if refund.id != refund_id]
        self.journal.note("refund deleted", str(order_id), refund_id)

    def trash(self, order_id: int) -> None:
        """Put an order in the trash: `order.deleted` is sent. The old storage also sends `product.deleted`."""
        order = self.orders[order_id]
        order.before_trash, order.status, order.modified = order.status, "trash", self.now()
        self.journal.note("trashed", str(order_id), _facts(order))
        if not self.settings.hpos:
            self.outbox.owe("product.deleted", order_id)
        self.outbox.owe("order.deleted", order_id)

    def untrash(self, order_id: int) -> None:
        """Take an order out of the trash."""
        order = self.orders[order_id]
        order.status, order.modified = order.before_trash, self.now()
        self.journal.note("restored", str(order_id), _facts(order))
        self.outbox.owe("order.restored", order_id)
        if not self.settings.hpos:
            self.outbox.owe("order.updated", order_id)

    def delete(self, order_id: int) -> None:
        """Delete for good: nothing is sent."""
        order = self.orders.pop(order_id)
        self.journal.note("deleted", str(order_id), _facts(order))

    def _saved(self, order: Order, *, moves_date: bool, silent: bool = False) -> Order:
        if moves_date:
            order.modified = self.now()
        self.journal.note("updated", str(order.id), _facts(order))
        if order.status not in _UNSENT and not silent:
            self.outbox.owe("order.updated", order.id)
        return order

    def _date_payment(self, order: Order) -> None:
        """A status that means payment dates it; cash on delivery is only paid when completed."""
        paid = ("completed",) if order.payment_method == "cod" else ("processing", "completed")
        if order.status in paid and order.paid is None:
            order.paid = self.now()
        if order.status == "completed" and order.completed is None:
            order.completed = self.now()

    # ---- deliveries

    async def subscribe(self, address: str, secret: str, topics: Sequence[str]) -> list[Webhook]:
        """Webhooks as a merchant makes them, each with its ping."""
        made = [self.outbox.subscribe(topic, address, secret) for topic in topics]
        for webhook in made:
            await self.outbox.ping(webhook)
        return made

    def pending_deliveries(self) -> list[Delivery]:
        """What the shop owes; the caller decides what becomes of it."""
        return self.outbox.pending()

    def take(self, delivery: Delivery) -> Request:
        """Build a delivery now; send it (again) with `send`, or forge it."""
        return self.outbox.take(delivery)

    async def send(self, request: Request) -> int | None:
        """Send a request; the status of the answer, None when none came."""
        return await self.outbox.send(request)

    async def deliver(self, delivery: Delivery) -> int | None:
        """Build and send one delivery."""
        return await self.send(self.take(delivery))

    async def deliver_all(self) -> list[int | None]:
        """Everything that is owed, in order."""
        return [await self.deliver(delivery) for delivery in self.pending_deliveries()]

    def _body_of(self, delivery: Delivery) -> bytes:
        return encode(body_of(self, delivery))

    # ---- parts

    @property
    def cart(self) -> Cart:
        """The computing of charges by the settings as they are now."""
        return Cart(self.settings.rates, self.settings.rounding, self.products, self._item_id)

    def shown(self, order: Order, digits: int | None = None) -> dict[str, Any]:
        """An order as the API and deliveries show it."""
        spoil, plain = self.spoiled.get(order.id), self.shape(digits).order(order)
        return spoil(plain) if spoil else plain

    def shape(self, digits: int | None = None) -> Shape:
        """The JSON forms, with the shop's decimals or others."""
        settings = self.settings
        return Shape(
            home=settings.home,
            zone=ZoneInfo(settings.zone),
            version=settings.version,
            rounding=settings.rounding,
            rates={rate.id: rate for rate in settings.rates},
            digits=settings.decimals if digits is None else digits,
        )

    def _post_id(self) -> int:
        self._posts += 1
        return self._posts

    def _item_id(self) -> int:
        self._items += 1
        return self._items

    def _letters(self, count: int) -> str:
        return "".join(self._die.choices(string.ascii_letters + string.digits, k=count))


def _facts(order: Order) -> dict[str, Any]:
    """What the truth of the tests needs to know."""
    return {"currency": order.currency, "total": order.sums.total, "status": order.status}
