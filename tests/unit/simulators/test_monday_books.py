"""The judge of the demo judges by what stands in Odoo."""

from decimal import Decimal

from simulators.monday.books import Books, ShopBook
from simulators.odoo import Odoo, OdooSettings, demo_company
from simulators.shopify import Cart, Item, Shop
from simulators.woocommerce import Shop as WooShop

_MUG = Item("Mug", Decimal("10.00"), 2, sku="MUG")


class Day:
    """A shop, an Odoo, and people who book by hand."""

    def __init__(self) -> None:
        self.shop, self.odoo = Shop(), Odoo(OdooSettings())
        demo_company(self.odoo)
        self.odoo.add_product("MUG", "Mug", "10.00")

    def book(self, number: str) -> int:
        """A confirmed order of two mugs."""
        [product] = self.odoo.act("product.product", "search", [["default_code", "=", "MUG"]])
        [partner] = self.odoo.act("res.partner", "search", [], limit=1)
        line = {"product_id": product, "product_uom_qty": 2, "price_unit": 10.0, "tax_ids": [(6, 0, [])]}
        values = {"partner_id": partner, "client_order_ref": number, "order_line": [(0, 0, line)]}
        [order] = self.odoo.act("sale.order", "create", [values])
        self.odoo.act("sale.order", "action_confirm", [order])
        return int(order)

    @property
    def figures(self) -> ShopBook:
        return Books(self.shop, WooShop(), self.odoo).compare([])[0]


def test_a_document_that_was_cancelled_with_its_order_books_nothing() -> None:
    day = Day()
    sold = day.shop.place_order(Cart([_MUG]))
    made = day.book(f"#{sold.number}")
    day.shop.cancel(sold.id)
    assert day.figures.documents == 1
    assert sum(day.figures.in_odoo.values()) > 0
    day.odoo.act("sale.order", "action_cancel", [made])
    assert (day.figures.orders_in, day.figures.documents, sum(day.figures.in_odoo.values())) == (1, 0, 0)
    assert day.figures.agrees


def test_a_second_document_is_seen_though_it_was_cancelled() -> None:
    day = Day()
    sold = day.shop.place_order(Cart([_MUG]))
    day.book(f"#{sold.number}")
    second = day.book(f"#{sold.number}")
    day.odoo.act("sale.order", "action_cancel", [second])
    assert day.figures.duplicates == 1
