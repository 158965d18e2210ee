"""Both halves of the tally stick: what the shops sold against what stands in Odoo, from the doubles' own state."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from simulators import shopify, woocommerce
from simulators.monday.weekend import SHOPIFY, WOOCOMMERCE
from simulators.odoo import Odoo
from simulators.shopify import pricing
from simulators.shopify.model import Order as ShopifyOrder
from tallystick.canonical.money import quantise

Money = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Sold:
    """One order as its shop holds it."""

    shop: str
    id: int
    #: As Odoo shows it in `client_order_ref`.
    number: str
    currency: str
    total: Decimal
    cancelled: bool


@dataclass(frozen=True, slots=True)
class ShopBook:
    """One shop against Odoo."""

    shop: str
    orders_in: int
    documents: int
    missing: tuple[str, ...]
    duplicates: int
    in_shop: Money
    in_odoo: Money

    @property
    def difference(self) -> dict[str, Decimal]:
        """Odoo less shop, per currency."""
        return {code: self.in_odoo.get(code, _ZERO) - total for code, total in sorted(self.in_shop.items())}

    @property
    def agrees(self) -> bool:
        """Whether every single figure is right."""
        return not (self.missing or self.duplicates or any(self.difference.values())) and set(self.in_odoo) <= set(
            self.in_shop
        )


_ZERO = Decimal(0)


class Books:
    """Compares. `held` are the numbers of orders that are rightly held: they are in no sum and not missing."""

    def __init__(self, shop: shopify.Shop, woo: woocommerce.Shop, odoo: Odoo) -> None:
        self._shopify = shop
        self._woocommerce = woo
        self._odoo = odoo

    def sold(self) -> list[Sold]:
        """All orders of both shops."""
        return [*self._of_shopify(), *self._of_woocommerce()]

    def _of_shopify(self) -> list[Sold]:
        return [
            Sold(
                SHOPIFY,
                order.id,
                f"#{order.number}",
                order.currency,
                _booked(order),
                order.cancelled_at is not None,
            )
            for order in self._shopify.orders.values()
        ]

    def _of_woocommerce(self) -> list[Sold]:
        return [
            Sold(
                WOOCOMMERCE,
                order.id,
                str(order.id),
                order.currency,
                order.sums.total,
                order.status == "cancelled",
            )
            for order in self._woocommerce.orders.values()
        ]

    def compare(self, held: Sequence[str]) -> list[ShopBook]:
        """One book a shop."""
        return [self._compare(shop, held) for shop in (SHOPIFY, WOOCOMMERCE)]

    def _compare(self, shop: str, held: Sequence[str]) -> ShopBook:
        sold = [one for one in self.sold() if one.shop == shop]
        due = [one for one in sold if not one.cancelled and one.number not in held]
        numbers = {one.number for one in sold}
        documents = [order for order in self._odoo.orders if order.client_order_ref in numbers]
        # One that was made before its order was cancelled, and cancelled after it, books nothing.
        standing = [order for order in documents if order.state != "cancel"]
        count = Counter(order.client_order_ref for order in documents)
        return ShopBook(
            shop=shop,
            orders_in=len(sold),
            documents=len(standing),
            missing=tuple(one.number for one in due if not self._booked(one)),
            duplicates=sum(number - 1 for number in count.values()),
            in_shop=_sums((one.currency, one.total) for one in due),
            in_odoo=_sums((order.currency, order.amount_total) for order in standing),
        )

    def _booked(self, sold: Sold) -> bool:
        return any(order.client_order_ref == sold.number and order.state == "sale" for order in self._odoo.orders)

    def complete(self, held: Sequence[str]) -> bool:
        """Whether everything that is due stands in Odoo, confirmed and with the shop's total."""
        return all(not book.missing and not any(book.difference.values()) for book in self.compare(held))


def _booked(order: ShopifyOrder) -> Decimal:
    """What the order is worth without its refunds, which are documents of their own."""
    given_back = sum((one.amount for refund in order.refunds for one in refund.payments), _ZERO)
    return pricing.current(order).price + (_ZERO if order.cancelled_at else given_back)


def _sums(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for currency, total in amounts:
        sums[currency] = quantise(sums.get(currency, _ZERO) + total, currency)
    return sums
