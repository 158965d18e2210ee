"""What the tests of the Shopify adapter share: shops of every kind, settings, and headers of a delivery."""

from decimal import Decimal

from adapters.shopify import ShopifySettings
from simulators.shopify import B2B, Cart, Discount, Item, Rate, Shop
from simulators.shopify.hooks import sign
from simulators.shopify.model import Order
from tallystick.secrets import Secret

CONNECTION = "shopify"
VAT7 = (Rate("VAT", Decimal("0.07")),)
VAT23 = (Rate("VAT", Decimal("0.23")),)
TWO = (Rate("State", Decimal("0.0625")), Rate("City", Decimal("0.01875")))
MUG = Item("Mug", Decimal("19.99"), 3, sku="MUG", rates=VAT7)
TEA = Item("Tea", Decimal("7.35"), 7, sku="TEA", rates=VAT7)


def D(text: str) -> Decimal:  # the tests read better with it
    return Decimal(text)


def settings(url: str = "", **more: object) -> ShopifySettings:
    """Credentials of the double."""
    values = {"shop": "example", "url": url, "client_id": "app-1", "client_secret": Secret.of("hush")}
    return ShopifySettings.model_validate({**values, "private_network": True, **more})


def headers(topic: str, body: bytes, secret: str = "hush", **more: str) -> dict[str, str]:
    """Headers of a signed delivery, names in lower case as the edge hands them on."""
    return {
        "x-shopify-topic": topic,
        "x-shopify-shop-domain": "example.myshopify.com",
        "x-shopify-hmac-sha256": sign(secret, body),
        "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        **more,
    }


#: Carts of every kind that the platform computes in its own way.
CARTS = {
    "plain": Cart([MUG, TEA]),
    "tax on top, with shipping": Cart([MUG, TEA], shipping=D("50"), shipping_rates=VAT7),
    "tax inside, with shipping": Cart([MUG, TEA], shipping=D("50"), shipping_rates=VAT7, taxes_included=True),
    "two taxes on top": Cart([Item("Hat", D("33.33"), 3, sku="HAT", rates=TWO)], currency="USD"),
    "two taxes inside": Cart([Item("Hat", D("33.33"), 3, sku="HAT", rates=TWO)], currency="EUR", taxes_included=True),
    "discount code": Cart([MUG, TEA], discounts=[Discount("TENOFF", amount=D("10.00"))]),
    "a tenth off, tax inside": Cart([MUG, TEA], discounts=[Discount("TENTH", share=D("0.1"))], taxes_included=True),
    "three discounts": Cart(
        [MUG, Item("Jam", D("8.88"), 2, sku="JAM", off=D("1.11"), rates=VAT23)],
        discounts=[Discount("A", amount=D("3.33")), Discount("B", share=D("0.05"), kind="manual")],
        shipping=D("12.00"),
        shipping_off=D("4.00"),
    ),
    "yen": Cart(
        [Item("Pen", D("1624"), 3, sku="PEN", rates=(Rate("JCT", D("0.1")),))], currency="JPY", shipping=D("500")
    ),
    "dinar": Cart([Item("Date", D("1.375"), 5, sku="DATE", rates=VAT7)], currency="KWD"),
    "tip": Cart([MUG], tip=D("5.00")),
    "tip as a line": Cart([MUG], tip=D("5.00"), tip_as_line=True),
    "duties": Cart([Item("Coat", D("120"), 2, sku="COAT", duty=D("14.40"))], currency="CAD"),
    "cash rounding": Cart([Item("Bread", D("4.98"), sku="BREAD")], currency="CHF", rounding=D("0.02"), channel="pos"),
    "gift card sold": Cart([MUG, Item("Gift card", D("50"), sku="GC", gift_card=True, requires_shipping=False)]),
    "paid by gift card": Cart([MUG], gift_card=D("1000")),
    "partly paid by gift card": Cart([MUG], gift_card=D("20")),
    "custom line": Cart([Item("Engraving", D("15"), custom=True), MUG]),
    "same variant twice": Cart([MUG, Item("Mug", D("0.00"), 1, sku="MUG")]),
    "guest": Cart([MUG], customer_id=None, email="Guest@Shop.example "),
    "nobody": Cart([MUG], customer_id=None, email="", billing=None),
    "unpaid": Cart([MUG], paid=False),
    "buyer pays in euro": Cart([MUG], currency="USD", presentment=("EUR", D("0.91"))),
    "company": Cart([MUG], company=B2B(501, 601, "Siam Trading", "ACC-7"), po_number="PO-9", payment_terms="Net 30"),
    "test": Cart([MUG], test=True),
    "remarks": Cart(
        [Item("Ring", D("99"), sku="RING", properties=(("engraving", "ê â \u2028"),))],
        note="Ring twice",
        tags=["vip", "b2c"],
        attributes=[("gift", "yes")],
    ),
    "digital": Cart([Item("Song", D("0.99"), sku="SONG", requires_shipping=False)]),
    "many lines": Cart([Item(f"Item {n}", D("3.33") + n, 1 + n % 3, sku=f"S{n}", rates=VAT7) for n in range(60)]),
}


def shop_of(cart: Cart) -> tuple[Shop, Order]:
    """A shop in which somebody bought this."""
    shop = Shop()
    return shop, shop.place_order(cart)
