"""One shop: what happens in it, what its search shows, and which deliveries it owes.

The Python side is for tests and the demo: place, pay, edit, refund and cancel orders, then decide what becomes of the
deliveries. Everything is in memory and deterministic; time comes from `now`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from simulators.faults import FaultScript
from simulators.journal import Journal
from simulators.shopify import pricing
from simulators.shopify.bucket import Bucket
from simulators.shopify.checkout import Cart, Till
from simulators.shopify.clients import Clients
from simulators.shopify.fulfilments import Dispatch
from simulators.shopify.graph import order_node
from simulators.shopify.hooks import Delivery, Hooks, Sender
from simulators.shopify.model import ZERO, Item, Order, Payment, Refund, RefundLine
from simulators.shopify.pricebook import PriceBook
from simulators.shopify.pricing import received
from simulators.shopify.rest import RestForm
from simulators.shopify.returns import Counter
from simulators.shopify.stockroom import Stockroom
from simulators.shopify.tokens import Tokens
from simulators.shopify.window import bounds
from tallystick.clock import SystemClock

LIVE_VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
#: Of the double only.
CLIENT_SECRET = "hush"  # noqa: S105
WEBHOOK_TOPICS = ("orders/create", "orders/updated", "orders/edited", "orders/delete", "refunds/create")
RETURN_TOPICS = tuple(
    f"returns/{event}" for event in ("request", "approve", "decline", "cancel", "close", "reopen", "update", "process")
)
CUSTOMER_TOPICS = (
    *(f"customers/{event}" for event in ("create", "update", "delete", "merge", "data_request", "redact")),
    *(f"{what}/{event}" for what in ("companies", "company_locations") for event in ("create", "update", "delete")),
)
#: Without read_all_orders only orders of so many days are shown.
RECENT = timedelta(days=60)


class Shop:
    """A Shopify shop as a double."""

    def __init__(
        self,
        name: str = "example",
        *,
        currency: str = "THB",
        taxes_included: bool = False,
        secret: str = CLIENT_SECRET,
        now: Callable[[], datetime] | None = None,
        seconds: Callable[[], float] | None = None,
    ) -> None:
        self.domain = f"{name}.myshopify.com"
        self.gid = "gid://shopify/Shop/548380009"
        self.currency = currency
        self.taxes_included = taxes_included
        self.client_id = "app-1"
        self.secret = secret
        self.scopes: tuple[str, ...] = ("read_orders", "read_all_orders", "read_customers", "read_returns")
        self.now = now or SystemClock().now
        seconds = seconds or SystemClock().monotonic_s
        self.bucket = Bucket(seconds)
        self.tokens = Tokens(seconds)
        self.hooks = Hooks(self.domain, "2026-07", secret)
        self.faults = FaultScript()
        self.journal = Journal()
        self.orders: dict[int, Order] = {}
        self.dispatch = Dispatch(self)
        self.counter = Counter(self)
        self.clients = Clients(self)
        self.stockroom = Stockroom(self)
        self.pricebook = PriceBook(self)
        #: What else the API answers, by the field's name.
        self.roots = self.dispatch.roots | self.counter.roots | self.stockroom.roots | self.pricebook.roots
        self.roots |= self.clients.roots
        #: How long a change stays unknown to searches, in seconds.
        self.search_lag_s = 0.0
        self.throttled_status = 200
        self.denied_fields: set[str] = set()
        #: Said with every reply while a call of the app is one that will be given up.
        self.deprecated_reason = ""
        #: Whether `total_price` takes in lines that an edit added; the vendor does not tell.
        self.total_follows_additions = False
        #: What is wrong with what the API shows of single orders, by order id.
        self.spoiled: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        self._rest = RestForm(timezone(timedelta(hours=7)))
        self._till = Till()
        #: (known from, updated_at then) for each order, in order of time.
        self._index: dict[int, list[tuple[datetime, datetime]]] = {}

    # ---- what happens ----

    def place_order(self, cart: Cart) -> Order:
        """Somebody buys. Raises `SoldOut`."""
        self.stockroom.sell(cart.items)
        included = self.taxes_included if cart.taxes_included is None else cart.taxes_included
        order = self._till.order(cart, cart.currency or self.currency, included, self._second())
        self.orders[order.id] = order
        self._till.pay(order, cart.gateway, gift_card=cart.gift_card, rest=cart.paid)
        paid = ("orders/paid",) if cart.paid else ()
        self._changed(order, "placed", "orders/create", *paid, "orders/updated")
        return order

    def pay(self, order_id: int, gateway: str = "manual") -> None:
        """The rest is paid."""
        order = self._touch(order_id)
        self._till.pay(order, gateway)
        self._changed(order, "paid", "orders/paid", "orders/updated")

    def authorise(self, order_id: int, gateway: str = "shopify_payments") -> Payment:
        """The rest is reserved at the buyer's bank; nothing is paid by that."""
        order = self._touch(order_id)
        owed = pricing.current(order).price - received(order)
        made = Payment(self._till.next_id(), "AUTHORIZATION", gateway, owed, at=self.now())
        order.financial_status = "authorized"
        self._moved(order, made, "authorised")
        return made

    def capture(self, order_id: int, amount: Decimal, *, status: str = "SUCCESS") -> Payment:
        """A part of what was authorised is taken."""
        order = self._touch(order_id)
        authorised = next(one for one in order.payments if one.kind == "AUTHORIZATION")
        made = Payment(self._till.next_id(), "CAPTURE", authorised.gateway, amount, status, self.now(), authorised.id)
        self._moved(order, made, "captured")
        return made

    def _moved(self, order: Order, made: Payment, what: str) -> None:
        order.payments.append(made)
        if made.kind == "CAPTURE":
            whole = received(order) >= pricing.current(order).price
            order.financial_status = "paid" if whole else "partially_paid" if received(order) else "authorized"
        parts = {"order_transactions/create": self._rest.payment(order, made)}
        self._changed(order, what, "orders/updated", parts=parts)

    def assess(self, order_id: int, recommendation: str) -> None:
        """Shopify or an app judges the risk of fraud: CANCEL, INVESTIGATE, ACCEPT or NONE. No order body tells it."""
        order = self._touch(order_id)
        order.recommendation = recommendation
        parts = {"orders/risk_assessment_changed": {"order_id": order.id, "provider_id": None}}
        self._changed(order, "assessed", parts=parts)

    def edit_order(
        self,
        order_id: int,
        quantities: Mapping[int, int] | None = None,
        *,
        add: Sequence[Item] = (),
        remove_shipping: bool = False,
        traced: bool = True,
    ) -> None:
        """Staff edits: new current quantities by line id (0 removes), lines added, shipping removed.

        Pieces that go leave a refund record without payments, unless `traced` is off.
        """
        order = self._touch(order_id)
        order.edited = True
        removed = {line.id: line.current - (quantities or {}).get(line.id, line.current) for line in order.lines}
        gone = {line_id: pieces for line_id, pieces in removed.items() if pieces > 0}
        if gone:
            self._remove(order, gone, traced)
        lines = self._till.lines(add, order.discounts, order.currency, order.taxes_included)
        for line in lines:
            line.added = True
        order.lines += lines
        for carriage in order.shipping if remove_shipping else ():
            carriage.removed = True
        additions = [{"id": line.id, "delta": line.item.quantity} for line in lines]
        removals = [{"id": line_id, "delta": pieces} for line_id, pieces in gone.items()]
        edit = self._rest.edit(order, self._till.next_id(), additions, removals)
        self._changed(order, "edited", "orders/updated", parts={"orders/edited": edit})

    def refund(
        self,
        order_id: int,
        quantities: Mapping[int, int],
        *,
        shipping: Decimal = ZERO,
        paid: Decimal | None = None,
        restock_type: str = "return",
        return_id: int | None = None,
        status: str = "SUCCESS",
        note: str = "",
    ) -> Refund:
        """Pieces go back; `paid` is what the buyer gets, the calculated sum unless another is agreed."""
        order = self._touch(order_id)
        refund = Refund(self._till.next_id(), self.now(), return_id=return_id, note=note)
        self._take(order, refund, quantities, restock_type)
        refund.shipping, refund.shipping_tax = shipping, self._shipping_tax(order, shipping)
        taxed = ZERO if order.taxes_included else sum((line.tax for line in refund.lines), refund.shipping_tax)
        calculated = sum((line.subtotal for line in refund.lines), shipping) + taxed
        amount = calculated if paid is None else paid
        refund.discrepancy = calculated - amount
        if amount:
            gateway = order.gateways[0] if order.gateways else "manual"
            refund.payments.append(Payment(self._till.next_id(), "REFUND", gateway, amount, status))
            order.payments.append(refund.payments[0])
        order.refunds.append(refund)
        if restock_type != "no_restock":
            self._put_back(order, refund)
        whole = received(order) <= 0
        order.financial_status = "refunded" if whole else "partially_refunded"
        self._changed(order, "refunded", "orders/updated", parts={"refunds/create": self._rest.refund(order, refund)})
        return refund

    def cancel(self, order_id: int, reason: str = "customer", *, give_back: bool = True, restock: bool = True) -> None:
        """The order is cancelled: its pieces are for sale again, and what was paid is given back."""
        order = self._touch(order_id)
        order.cancelled_at, order.cancel_reason = order.updated_at, reason
        refund = Refund(self._till.next_id(), self.now())
        self._take(order, refund, {line.id: line.current for line in order.lines if line.current}, "cancel")
        kept = [line for line in order.shipping if not line.removed]
        refund.shipping = sum((line.amount for line in kept), ZERO) - sum((r.shipping for r in order.refunds), ZERO)
        refund.shipping_tax = self._shipping_tax(order, refund.shipping)
        paid = received(order)
        if give_back and paid > 0:
            refund.payments.append(Payment(self._till.next_id(), "REFUND", order.gateways[0], paid))
            order.payments.append(refund.payments[0])
        order.refunds.append(refund)
        if restock:
            self._put_back(order, refund)
        order.financial_status = "refunded" if paid > 0 and give_back else "voided" if not paid else "paid"
        self._changed(order, "cancelled", "orders/cancelled", "orders/updated")

    def fulfil(self, order_id: int) -> None:
        """Everything is shipped: the order changes, nothing that is booked does."""
        order = self._touch(order_id)
        order.fulfilled = True
        self._changed(order, "fulfilled", "orders/fulfilled", "orders/updated")

    def shipped(self, order: Order) -> None:
        """Fulfilments of the order were made or changed."""
        self._touch(order.id)
        goods = [line for line in order.lines if line.item.requires_shipping]
        order.fulfilled = all(order.shipped(line.id) >= line.current for line in goods)
        what = "fulfilled" if order.fulfilled else "partially_fulfilled"
        self._changed(order, what, f"orders/{what}", "orders/updated")

    def returned(self, order: Order, event: str, body: dict[str, Any], *, moves: bool) -> None:
        """Something happened to a return of the order; `moves` tells whether the order's own date follows."""
        parts = {f"returns/{event}": body}
        if moves:
            self._touch(order.id)
            self._changed(order, f"return {event}", "orders/updated", parts=parts)
        else:
            self.journal.note(f"return {event}", str(order.id))
            self.hooks.announce(self.now(), order.id, parts)

    def tag(self, order_id: int, *tags: str) -> None:
        """Somebody tags the order."""
        order = self._touch(order_id)
        order.tags = sorted({*order.tags, *tags})
        self._changed(order, "tagged", "orders/updated")

    def delete_product(self, sku: str) -> None:
        """The product is deleted; lines that sold it lose its ids and stay. No webhook of the order tells."""
        for order in self.orders.values():
            for line in order.lines:
                if line.item.sku == sku:
                    line.product_id = line.variant_id = None

    def delete_order(self, order_id: int) -> None:
        """The order is gone for good."""
        order = self.orders.pop(order_id)
        self.journal.note("deleted", str(order.id))
        self.hooks.announce(self.now(), order.id, {"orders/delete": {"id": order.id}})

    # ---- deliveries ----

    def subscribe(self, address: str, topics: Sequence[str] = WEBHOOK_TOPICS) -> None:
        """The app subscribes to the topics by the API."""
        for topic in topics:
            self.hooks.subscribe(topic, address)

    def pending_deliveries(self) -> list[Delivery]:
        """What the shop owes, in order of happening; retries that are not due yet are left out."""
        return [delivery for delivery in self.hooks.queue if delivery.due_at <= self.now()]

    async def deliver(self, delivery: Delivery, sender: Sender) -> int:
        """Send one delivery as it is. The answer decides about retries; sending it once more is a duplicate."""
        status = await sender.send(delivery)
        self.hooks.settled(delivery, self.now(), 200 <= status < 300)
        self.journal.note("delivered", str(delivery.order_id), (delivery.topic, status))
        return status

    def lose(self, delivery: Delivery) -> None:
        """Shopify does not guarantee delivery: this one never leaves."""
        self.hooks.queue.remove(delivery)
        self.journal.note("lost", str(delivery.order_id), delivery.topic)

    # ---- what others see ----

    def body(self, order: Order) -> dict[str, Any]:
        """The order in the REST spelling, as of now."""
        return self._rest.order(order, with_added=self.total_follows_additions)

    def node(self, order: Order) -> dict[str, Any]:
        """The order in the GraphQL spelling, as of now."""
        spoil, plain = self.spoiled.get(order.id), order_node(order, with_added=self.total_follows_additions)
        plain |= self.counter.order(order)
        return spoil(plain) if spoil else plain | self.dispatch.order(order)

    def visible(self, order_id: int) -> Order | None:
        """The order, unless it is not there or too old for the app's scopes."""
        order = self.orders.get(order_id)
        if order is None or ("read_all_orders" not in self.scopes and order.placed_at < self.now() - RECENT):
            return None
        return order

    def search(self, query: str) -> list[tuple[str, Order]]:
        """Orders by the date that the index knows of, ascending, each with its cursor key. Both bounds included."""
        low, high = bounds(query)
        found = []
        for order in self.orders.values():
            known = self._known(order.id)
            if known is not None and low <= known <= high and self.visible(order.id):
                found.append((f"{known.isoformat()}/{order.id:020d}", order))
        return sorted(found, key=lambda pair: pair[0])

    def find_refund(self, refund_id: int) -> tuple[Order, Refund] | None:
        """A refund with its order."""
        found = ((order, refund) for order in self.orders.values() for refund in order.refunds)
        return next((pair for pair in found if pair[1].id == refund_id), None)

    def served(self, version: str) -> str:
        """The version that serves a call: an expired one falls forward to the oldest live one."""
        return version if version in LIVE_VERSIONS else LIVE_VERSIONS[0]

    # ---- inside ----

    def _known(self, order_id: int) -> datetime | None:
        dates = [updated for known_from, updated in self._index.get(order_id, []) if known_from <= self.now()]
        return dates[-1] if dates else None

    def _second(self) -> datetime:
        return self.now().replace(microsecond=0)

    def _touch(self, order_id: int) -> Order:
        order = self.orders[order_id]
        order.updated_at = self._second()
        return order

    def _changed(self, order: Order, what: str, *topics: str, parts: Mapping[str, Any] | None = None) -> None:
        known_from = self.now() + timedelta(seconds=self.search_lag_s)
        self._index.setdefault(order.id, []).append((known_from, order.updated_at))
        self.journal.note(what, str(order.id))
        body = self.body(order)
        self.hooks.announce(self.now(), order.id, {**(parts or {}), **dict.fromkeys(topics, body)})

    def _remove(self, order: Order, gone: Mapping[int, int], traced: bool) -> None:
        record = Refund(self._till.next_id(), self.now())
        for line in order.lines:
            if pieces := gone.get(line.id, 0):
                amount, tax = pricing.taken(line, pieces, order.currency)
                record.lines.append(RefundLine(self._till.next_id(), line.id, pieces, "no_restock", amount, tax))
                line.removed += pieces
        if traced:
            order.refunds.append(record)

    def _take(self, order: Order, refund: Refund, quantities: Mapping[int, int], restock_type: str) -> None:
        for line in order.lines:
            if pieces := quantities.get(line.id, 0):
                amount, tax = pricing.taken(line, pieces, order.currency)
                refund.lines.append(RefundLine(self._till.next_id(), line.id, pieces, restock_type, amount, tax))
                line.refunded += pieces

    def _put_back(self, order: Order, refund: Refund) -> None:
        skus = {line.id: line.item.sku for line in order.lines}
        for line in refund.lines:
            self.stockroom.put_back(skus[line.line_id], line.quantity)

    def _shipping_tax(self, order: Order, amount: Decimal) -> Decimal:
        whole = sum((line.amount for line in order.shipping), ZERO)
        if not whole or not amount:
            return ZERO
        tax = sum((line.tax for line in order.shipping), ZERO)
        return pricing.portion(tax, int(amount * 1000), int(whole * 1000), order.currency)
