"""What a shop has of its products: taken by orders, put back by cancellations, set by its people and over the API.

Seen on WooCommerce 11.0.1: an order takes its pieces when it is paid or put on hold, whatever is there; a batch takes
any figure and keeps 0 for what is no number; where stock is not kept, or by the parent, a figure is ignored. The
checkout alone refuses what is not there.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .model import Item, Order, Product

if TYPE_CHECKING:
    from .shop import Shop

_TAKEN_IN = ("processing", "on-hold", "completed")
_GIVEN_BACK_IN = ("cancelled", "pending")
_NUMBER = re.compile(r"-?\d+")


class SoldOut(Exception):
    """The checkout refuses a cart: it has not enough of something that may not be sold beyond what is there."""


@dataclass(frozen=True, slots=True)
class Change:
    """What the journal keeps of a figure that changed."""

    sku: str
    before: int
    after: int


class Storeroom:
    """The stock of one shop."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        #: What a plugin makes of a figure before it is kept.
        self.keeps: Callable[[int], int] = lambda quantity: quantity
        self._taken: set[int] = set()

    def count(self, sku: str, quantity: int) -> None:
        """Somebody counts; the product's stock is kept from now on."""
        self._set("stock counted", self._shop.products[sku], quantity)

    def available(self, sku: str) -> int:
        """What buyers may still have of it."""
        return self._shop.products[sku].stock or 0

    # ---- what orders do ----------------------------------------------------------------------------------------------

    def admit(self, items: Sequence[Item]) -> None:
        """What the checkout looks at. Raises `SoldOut`."""
        wanted: dict[str, int] = {}
        for item in items:
            wanted[item.sku] = wanted.get(item.sku, 0) + int(item.quantity)
        for sku, pieces in wanted.items():
            product = self._shop.products.get(sku)
            if product is not None and product.stock is not None and not product.backorders and product.stock < pieces:
                self._shop.journal.note("sold out", sku, pieces)
                raise SoldOut(f"only {product.stock} of {sku} are left")

    def follow(self, order: Order) -> None:
        """The order's status takes its pieces, or gives back those that were not refunded; each once."""
        if order.status in _TAKEN_IN and order.id not in self._taken:
            self._taken.add(order.id)
            self._move("stock sold", order, -1)
        elif order.status in _GIVEN_BACK_IN and order.id in self._taken:
            self._taken.remove(order.id)
            self._move("stock returned", order, 1)

    def _move(self, what: str, order: Order, sign: int) -> None:
        for line in order.lines:
            product = self._shop.products.get(line.sku or "")
            if product is not None and product.stock is not None:
                pieces = int(line.quantity) - int(line.meta.get("_restock_refunded_items", 0))
                self._set(what, product, product.stock + sign * pieces)

    # ---- what the API does -------------------------------------------------------------------------------------------

    def save(self, product: Product, given: Mapping[str, Any]) -> None:
        """The part of a save that is about stock."""
        if "manage_stock" in given and not product.stock_of_parent:
            product.stock = (product.stock or 0) if given["manage_stock"] else None
        if "stock_quantity" in given and product.stock is not None:
            digits = "".join(_NUMBER.findall(str(given["stock_quantity"])))
            self._set("stock set", product, self.keeps(int(digits or 0)))

    def _set(self, what: str, product: Product, quantity: int) -> None:
        before, product.stock = product.stock or 0, quantity
        self._shop.journal.note(what, product.sku, Change(product.sku, before, quantity))
        self._shop.outbox.owe("product.updated", product.id)
