"""A cart becomes an order: lines, discounts, taxes, shipping and payments, computed as the platform does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from simulators.shopify import pricing
from simulators.shopify.model import B2B, ZERO, Address, Discount, Item, Line, Order, Payment, Rate, Shipping

HOME = Address()


@dataclass(frozen=True, slots=True)
class Cart:
    """All that a buyer and the shop's settings decide. Amounts in the shop's currency."""

    items: Sequence[Item]
    #: The price of shipping; None for none.
    shipping: Decimal | None = None
    shipping_rates: Sequence[Rate] = ()
    shipping_off: Decimal = ZERO
    discounts: Sequence[Discount] = ()
    #: Empty: the shop's own. A shop may change its currency; then older orders keep theirs.
    currency: str = ""
    taxes_included: bool | None = None
    tip: Decimal = ZERO
    #: The tip stands in the lines, as the platform shows it at some checkouts.
    tip_as_line: bool = False
    rounding: Decimal = ZERO
    #: The buyer's currency, and what one unit of the shop's is worth in it.
    presentment: tuple[str, Decimal] = ("", Decimal(1))
    paid: bool = True
    gateway: str = "shopify_payments"
    gift_card: Decimal = ZERO
    email: str = "buyer@shop.example"
    customer_id: int | None = 7001
    billing: Address | None = HOME
    delivery: Address | None = HOME
    company: B2B | None = None
    po_number: str | None = None
    payment_terms: str | None = None
    channel: str = "web"
    test: bool = False
    note: str | None = None
    tags: Sequence[str] = ()
    attributes: Sequence[tuple[str, str]] = ()
    #: Earlier than now for orders that are brought in from elsewhere.
    placed_at: datetime | None = None


class Till:
    """Makes orders and their parts, and gives them ids."""

    def __init__(self) -> None:
        self._last_id = 5_600_000_000_000
        self._number = 1000

    def next_id(self) -> int:
        """A new id; two more are kept free beside it for parts that share its origin."""
        self._last_id += 3
        return self._last_id

    def order(self, cart: Cart, currency: str, included: bool, moment: datetime) -> Order:
        """The order of a cart, not paid yet."""
        items = list(cart.items)
        if cart.tip_as_line:
            items.append(Item("Tip", cart.tip, custom=True, requires_shipping=False))
        given = list(cart.discounts)
        lines = self.lines(items, given, currency, included, spread=tuple(given))
        self._number += 1
        return Order(
            id=self.next_id(),
            number=self._number,
            currency=currency,
            taxes_included=included,
            placed_at=cart.placed_at or moment,
            updated_at=moment,
            lines=lines,
            shipping=self._shipping(cart, given, currency, included),
            discounts=given,
            email=cart.email,
            customer_id=cart.customer_id,
            billing=cart.billing,
            delivery=cart.delivery if any(item.requires_shipping for item in items) else None,
            channel=cart.channel,
            test=cart.test,
            company=cart.company,
            po_number=cart.po_number,
            payment_terms=cart.payment_terms,
            presentment=cart.presentment[0],
            presentment_rate=cart.presentment[1],
            tip=ZERO if cart.tip_as_line else cart.tip,
            rounding=cart.rounding,
            note=cart.note,
            tags=sorted(cart.tags),
            attributes=list(cart.attributes),
        )

    def lines(
        self,
        items: Sequence[Item],
        given: list[Discount],
        currency: str,
        included: bool,
        *,
        spread: Sequence[Discount] = (),
    ) -> list[Line]:
        """Priced lines over which the cart's discounts are spread; discounts of single lines are added to `given`."""
        lines = [self._line(item) for item in items]
        pricing.discount(lines, spread, currency)
        for line in lines:
            if line.item.off:
                line.allocations.append((len(given), line.item.off))
                given.append(Discount(f"{line.item.title} offer", kind="automatic"))
            line.taxes = pricing.taxes(line.amount, line.item.rates, currency, included)
        return lines

    def _line(self, item: Item) -> Line:
        return Line(self.next_id(), item, *((None, None) if item.custom else (self.next_id(), self.next_id())))

    def _shipping(self, cart: Cart, given: list[Discount], currency: str, included: bool) -> list[Shipping]:
        if cart.shipping is None:
            return []
        line = Shipping(self.next_id(), "Standard", cart.shipping)
        if cart.shipping_off:
            line.allocations.append((len(given), cart.shipping_off))
            given.append(Discount("Shipping offer", kind="automatic"))
        line.taxes = pricing.taxes(line.amount, cart.shipping_rates, currency, included)
        return [line]

    def pay(self, order: Order, gateway: str, *, gift_card: Decimal = ZERO, rest: bool = True) -> None:
        """A gift card first, then the rest."""
        owed = pricing.current(order).price - pricing.received(order)
        by_card = min(gift_card, owed)
        if by_card:
            order.payments.append(Payment(self.next_id(), "SALE", "gift_card", by_card))
        if rest and owed > by_card:
            order.payments.append(Payment(self.next_id(), "SALE", gateway, owed - by_card))
        if rest or by_card == owed:
            order.financial_status = "paid"
        else:
            order.financial_status = "partially_paid" if by_card else "pending"
