"""The 47 orders: 26 of a Shopify shop, 21 of a WooCommerce shop, in an order that a seeded die chose.

An order is placed at the moment when its turn comes, but dated to the weekend: its webhooks leave on Monday.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto

from simulators import shopify, woocommerce
from simulators.monday.goods import shopify_item

SHOPIFY, WOOCOMMERCE = "shopify", "woocommerce"
_SHOPIFY_ORDERS, _WOOCOMMERCE_ORDERS = 26, 21


class Role(Enum):
    """What is special about an order."""

    PLAIN = auto()
    #: Changed in its shop before the document in Odoo is confirmed.
    EDITED = auto()
    #: Cancelled in its shop before Odoo has a document.
    CANCELLED = auto()
    #: The shop's own total is not the sum of its parts.
    UNBALANCED = auto()


@dataclass(frozen=True, slots=True)
class Sale:
    """One order to come; `place` makes it and answers its id."""

    shop: str
    role: Role
    place: Callable[[], int]


def weekend(shop: shopify.Shop, woo: woocommerce.Shop, *, now: datetime, seed: int = 9) -> list[Sale]:
    """All sales, shuffled; those with a role stand in the second half, when there is an outage to meet."""
    die = random.Random(seed)
    plain = [*_shopify_sales(shop, now, die), *_woocommerce_sales(woo, now, die)]
    die.shuffle(plain)
    special = [
        Sale(WOOCOMMERCE, Role.EDITED, lambda: _two_lines(woo)),
        Sale(SHOPIFY, Role.CANCELLED, lambda: shop.place_order(_cart(0, die, now)).id),
        Sale(WOOCOMMERCE, Role.UNBALANCED, lambda: _unbalanced(woo)),
    ]
    half = len(plain) // 2
    return [*plain[:half], *special, *plain[half:]]


# ---- Shopify -------------------------------------------------------------------------------------------------------


def _rate(percent: str) -> tuple[shopify.Rate, ...]:
    return (shopify.Rate(f"VAT {percent} %", Decimal(percent) / 100),)


def _shopify_sales(shop: shopify.Shop, now: datetime, die: random.Random) -> Iterator[Sale]:
    for number in range(_SHOPIFY_ORDERS - 1):
        cart = _cart(number, die, now)
        yield Sale(SHOPIFY, Role.PLAIN, lambda cart=cart: shop.place_order(cart).id)  # type: ignore[misc]


def _cart(number: int, die: random.Random, now: datetime) -> shopify.Cart:
    kinds = (_euros, _discounted, _yen, _pounds, _without_tax_inside, _company, _three_for_ten, _gift_card)
    placed_at = now - timedelta(hours=die.randint(4, 60), minutes=die.randint(0, 59))
    return kinds[number % len(kinds)](die, placed_at.replace(microsecond=0), f"buyer{die.randint(1, 9)}@mail.example")


def _euros(die: random.Random, placed_at: datetime, email: str) -> shopify.Cart:
    items = [
        shopify_item("MUG-01", die.randint(1, 6), _rate("19")),
        shopify_item("TEA-GREEN", die.randint(1, 9), _rate("7")),
    ]
    return shopify.Cart(
        items, Decimal("4.90"), _rate("19"), currency="EUR", taxes_included=True, email=email, placed_at=placed_at
    )


def _discounted(die: random.Random, placed_at: datetime, email: str) -> shopify.Cart:
    items = [shopify_item("POT-CAST", 1, _rate("19")), shopify_item("MUG-01", die.randint(2, 7), _rate("19"))]
    return shopify.Cart(
        items,
        discounts=[shopify.Discount("WELCOME10", share=Decimal("0.10"))],
        currency="EUR",
        taxes_included=True,
        email=email,
        placed_at=placed_at,
    )


def _yen(die: random.Random, placed_at: datetime, email: str) -> shopify.Cart:
    items = [
        shopify_item("TEA-GREEN", die.randint(1, 9), _rate("8"), Decimal(1080)),
        shopify_item("POT-CAST", 1, _rate("10"), Decimal(8799)),
    ]
    return shopify.Cart(
        items, Decimal(660), _rate("10"), currency="JPY", taxes_included=True, email=email, placed_at=placed_at
    )


def _pounds(die: random.Random, placed_at: datetime, email: str) -> shopify.Cart:
    items = [shopify_item("MUG-01", die.randint(1, 5), _rate("20")), shopify_item("BOOK-07", die.randint(1, 3), ())]
    return shopify.Cart(items, currency="GBP", taxes_included=True, email=email, placed_at=placed_at)


def _without_tax_inside(die: random.Random, placed_at: datetime, email: str) -> shopify.Cart:
    items = [shopify_item("BOOK-07", die.randint(1, 4), _rate("5")), shopify_item("MUG-01", 3, _rate("5"))]
    return shopify.Cart(
        items,
        Decimal("9.95"),
        discounts=[shopify.Discount("FALL", amount=Decimal("5.00"))],
        currency="USD",
        taxes_included=False,
        tip=Decimal(die.randint(1, 5)),
        email=email,
        placed_at=placed_at,
    )


def _company(die: random.Random, placed_at: datetime, email: str) -> shopify.Cart:
    branch = die.randint(1, 3)
    company = shopify.B2B(4100 + branch, 4200 + branch, f"Ombre Interiors {branch} GmbH", f"OMB-{branch}")
    return shopify.Cart(
        [shopify_item("DESK-XL", die.randint(2, 8), _rate("19"))],
        currency="EUR",
        taxes_included=False,
        paid=False,
        company=company,
        po_number=f"PO-{die.randint(1000, 9999)}",
        payment_terms="Net 30",
        email=email,
        placed_at=placed_at,
    )


def _three_for_ten(die: random.Random, placed_at: datetime, email: str) -> shopify.Cart:
    towels = shopify_item("TOWEL-3", 3, _rate("19"), Decimal("3.34"))
    return shopify.Cart(
        [towels],
        discounts=[shopify.Discount("Three for ten", amount=Decimal("0.02"), kind="automatic")],
        currency="EUR",
        taxes_included=True,
        email=email,
        placed_at=placed_at,
    )


def _gift_card(die: random.Random, placed_at: datetime, email: str) -> shopify.Cart:
    return shopify.Cart(
        [shopify_item("POT-CAST", die.randint(1, 2), _rate("8.1"))],
        currency="CHF",
        taxes_included=True,
        gift_card=Decimal("50.00"),
        email=email,
        placed_at=placed_at,
    )


# ---- WooCommerce ---------------------------------------------------------------------------------------------------


def _woocommerce_sales(shop: woocommerce.Shop, now: datetime, die: random.Random) -> Iterator[Sale]:
    for number in range(_WOOCOMMERCE_ORDERS - 2):
        placed_at = now - timedelta(hours=die.randint(4, 60), minutes=die.randint(0, 59))
        details = _details(number, die)
        yield Sale(WOOCOMMERCE, Role.PLAIN, lambda d=details, p=placed_at: _place(shop, p, **d))  # type: ignore[misc]


def _details(number: int, die: random.Random) -> dict[str, object]:
    goods: Sequence[str] = die.sample(["MUG-01", "TEA-GREEN", "BOOK-07", "POT-CAST", "TOWEL-3"], die.randint(1, 4))
    details: dict[str, object] = {"items": [woocommerce.Item(sku, die.randint(1, 7)) for sku in goods]}
    details["billing"] = _buyer(die, company="Ombre Interiors GmbH" if number % 7 == 3 else "")
    if number % 2:
        details["shipping"] = Decimal("5.60")
    if number % 5 == 1:
        details["coupons"] = ["TEATIME"]
    if number % 6 == 2:
        details["fees"] = [woocommerce.Fee("Gift wrapping", Decimal("2.50"))]
    if number % 4 == 3:
        details["currency"] = ("USD", "CHF", "GBP")[number % 3]
    if number % 9 == 4:
        details["payment_method"] = "cod"
    return details


def _buyer(die: random.Random, company: str = "") -> dict[str, str]:
    who = die.randint(1, 9)
    return {
        "first_name": "Noi",
        "last_name": f"Example {who}",
        "company": company,
        "address_1": f"{who} Orchard Lane",
        "city": "Hamburg",
        "postcode": "20095",
        "country": "DE",
        "email": f"noi{who}@mail.example",
        "phone": "",
    }


def _place(shop: woocommerce.Shop, placed_at: datetime, **details: object) -> int:
    order = shop.place_order(**details)  # type: ignore[arg-type]
    order.created = placed_at.astimezone(UTC).replace(microsecond=0)
    return order.id


def _two_lines(shop: woocommerce.Shop) -> int:
    items = [woocommerce.Item("POT-CAST", 1), woocommerce.Item("MUG-01", 4)]
    return shop.place_order(items, billing=_buyer(random.Random(2)), shipping=Decimal("5.60")).id


def _unbalanced(shop: woocommerce.Shop) -> int:
    order = shop.place_order([woocommerce.Item("BOOK-07", 2)], billing=_buyer(random.Random(3)))
    order.sums.total += Decimal("0.50")
    return order.id
