"""What both shops sell, and what Odoo knows by the same internal references."""

from decimal import Decimal

from simulators import shopify
from simulators.odoo import Odoo
from simulators.woocommerce import Shop as WooCommerceShop

#: (SKU, name, price): the same figure in every currency, for a demo.
GOODS = (
    ("MUG-01", "Mug", Decimal("12.90")),
    ("TEA-GREEN", "Green tea, 100 g", Decimal("8.45")),
    ("BOOK-07", "Tea book", Decimal("24.00")),
    ("POT-CAST", "Cast iron pot", Decimal("79.99")),
    ("TOWEL-3", "Towels, set of three", Decimal("10.00")),
    ("DESK-XL", "Standing desk", Decimal("349.00")),
)
#: Taxed at the lower rate.
REDUCED = ("TEA-GREEN", "BOOK-07")


def stock_odoo(odoo: Odoo) -> None:
    """Give Odoo the products."""
    for sku, name, price in GOODS:
        odoo.add_product(sku, name, price)


def stock_woocommerce(shop: WooCommerceShop) -> None:
    """Give the WooCommerce shop the products and its coupon."""
    for sku, name, price in GOODS:
        shop.add_product(sku, price, name, "reduced-rate" if sku in REDUCED else "")
    shop.add_coupon("TEATIME", "percent", "10")


def shopify_item(
    sku: str, quantity: int, rates: tuple[shopify.Rate, ...], price: Decimal | None = None
) -> shopify.Item:
    """A line of a Shopify cart."""
    name, listed = next((name, listed) for known, name, listed in GOODS if known == sku)
    return shopify.Item(name, listed if price is None else price, quantity, sku, rates)
