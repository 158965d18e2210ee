"""The shelves of that Monday: what each shop shows of each product against what is left of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from simulators import shopify, woocommerce
from simulators.monday.goods import GOODS
from simulators.monday.way_back import Compared
from simulators.monday.weekend import SHOPIFY, WOOCOMMERCE
from simulators.odoo import Odoo

#: Of each product, in Odoo's one warehouse and on both shops' shelves, before the first order.
PIECES = 400
_WAREHOUSE = "WH"


@dataclass(frozen=True, slots=True)
class Shelves:
    """Both shops sell the pieces of one warehouse."""

    shop: shopify.Shop
    woo: woocommerce.Shop
    odoo: Odoo

    def fill(self) -> None:
        """On Friday evening everything was counted."""
        for sku, _, _ in GOODS:
            self.odoo.set_stock(sku, _WAREHOUSE, PIECES)
            self.shop.stockroom.add(sku, PIECES)
            self.woo.storeroom.count(sku, PIECES)

    def compare(self) -> Compared:
        """Each product of each shop: what buyers see against what is left."""
        left = self._left()
        shown = {(shop, sku): figure for shop, sku, figure in self._shown()}
        off = tuple(
            f"{shop} {sku}: {figure} shown, {left[sku]} left"
            for (shop, sku), figure in shown.items()
            if figure != left[sku]
        )
        return Compared(len(shown), off)

    def _shown(self) -> Iterator[tuple[str, str, int]]:
        for sku, _, _ in GOODS:
            yield SHOPIFY, sku, self.shop.stockroom.available(sku)
            yield WOOCOMMERCE, sku, self.woo.storeroom.available(sku)

    def _left(self) -> dict[str, Decimal]:
        """What Odoo has promised to nobody, less what is sold and has no document there: an order that is held."""
        waiting = self._waiting()
        return {sku: self.odoo.stock(sku, _WAREHOUSE).available - waiting[sku] for sku, _, _ in GOODS}

    def _waiting(self) -> Counter[str]:
        booked = {order.client_order_ref for order in self.odoo.orders if order.state == "sale"}
        waiting: Counter[str] = Counter()
        for sold in self.shop.orders.values():
            if sold.cancelled_at is None and f"#{sold.number}" not in booked:
                waiting.update({line.item.sku: line.current for line in sold.lines})
        for bought in self.woo.orders.values():
            if bought.status != "cancelled" and str(bought.id) not in booked:
                waiting.update({line.sku or "": int(line.quantity) for line in bought.lines})
        return waiting
