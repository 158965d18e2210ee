"""What the double keeps: products, orders and what is charged on them."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from .taxes import Taxes

#: `meta_data` by key.
Meta = dict[str, Any]

ADDRESS_FIELDS = (
    "first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country", "phone"
)  # fmt: skip


@dataclass(slots=True)
class Product:
    """A product; `price` as the merchant typed it. `stock` is None where stock is not managed. `parent` is the product
    that a variation belongs to."""

    id: int
    sku: str
    name: str
    price: Decimal
    tax_class: str = ""
    stock: int | None = None
    #: Of a variation: its stock is that of the parent.
    stock_of_parent: bool = False
    #: Sold beyond what is there.
    backorders: bool = False
    parent: int = 0
    #: simple, or variable: such a product has no price of its own.
    kind: str = "simple"
    status: str = "publish"
    sale: Decimal | None = None
    sale_from: datetime | None = None
    sale_to: datetime | None = None
    barcode: str = ""


@dataclass(slots=True)
class Item:
    """A line as it is ordered. Without `price` the product's own price counts."""

    sku: str
    quantity: int | Decimal = 1
    price: Decimal | None = None
    meta: Meta = field(default_factory=dict)


@dataclass(slots=True)
class Fee:
    """A fee as it is ordered, without tax; negative for a rebate."""

    name: str
    amount: Decimal
    taxable: bool = True
    tax_class: str = ""


@dataclass(slots=True)
class Coupon:
    """A coupon of the shop: `percent`, or `fixed_cart` (an amount over the whole cart, in the basis of prices)."""

    code: str
    kind: str
    amount: Decimal


@dataclass(slots=True)
class Line:
    """A line of an order; amounts without tax, to six decimals."""

    id: int
    name: str
    product_id: int
    sku: str | None
    quantity: int | Decimal
    tax_class: str
    subtotal: Decimal
    total: Decimal
    subtotal_taxes: Taxes
    taxes: Taxes
    meta: Meta = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Charge:
    """Shipping or a fee of an order."""

    id: int
    name: str
    total: Decimal
    taxes: Taxes
    tax_class: str = ""
    taxable: bool = True


@dataclass(slots=True)
class Discount:
    """A coupon as applied."""

    id: int
    coupon: Coupon
    discount: Decimal
    tax: Decimal


@dataclass(slots=True)
class Back:
    """What of a charge a refund gives back; amounts above zero. `id` is its own, `of` the order's charge."""

    id: int
    of: Line | Charge
    quantity: int
    total: Decimal
    taxes: Taxes

    @property
    def gross(self) -> Decimal:
        """With its taxes."""
        return sum(self.taxes.values(), self.total)


@dataclass(slots=True)
class Refund:
    """Money given back; `amount` None shows as "-" in the order, as the real shop does for one without an amount."""

    id: int
    amount: Decimal | None
    reason: str
    created: datetime
    back: list[Back] = field(default_factory=list)
    #: All that was left of the order.
    full: bool = False
    #: Paid back by the gateway.
    by_gateway: bool = False

    @property
    def taxes(self) -> Taxes:
        """What it gives back of each rate."""
        found: Taxes = {}
        for one in self.back:
            for rate_id, tax in one.taxes.items():
                found[rate_id] = found.get(rate_id, Decimal(0)) + tax
        return found


@dataclass(slots=True)
class Sums:
    """What the order states; kept as computed, so that a later change of the shop's decimals does not move it."""

    total: Decimal = Decimal(0)
    cart_tax: Decimal = Decimal(0)
    shipping_tax: Decimal = Decimal(0)
    shipping: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    discount_tax: Decimal = Decimal(0)
    #: Per rate id: (tax of lines and fees, tax of shipping).
    by_rate: dict[int, tuple[Decimal, Decimal]] = field(default_factory=dict)


@dataclass(slots=True)
class Order:
    """An order. Times are UTC in whole seconds."""

    id: int
    key: str
    status: str
    currency: str
    prices_include_tax: bool
    created: datetime
    modified: datetime
    created_via: str
    customer_id: int
    billing: dict[str, str]
    shipping_address: dict[str, str]
    payment_method: str = ""
    payment_title: str = ""
    transaction_id: str = ""
    note: str = ""
    paid: datetime | None = None
    completed: datetime | None = None
    lines: list[Line] = field(default_factory=list)
    shipping: list[Charge] = field(default_factory=list)
    fees: list[Charge] = field(default_factory=list)
    discounts: list[Discount] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    meta: Meta = field(default_factory=dict)
    sums: Sums = field(default_factory=Sums)
    #: The status to which it returns from the trash.
    before_trash: str = ""


def address_block(given: dict[str, str] | None, *, email: bool = False) -> dict[str, str]:
    """All fields of an address, those that were not given empty; only the billing one has an e-mail."""
    block = {name: (given or {}).get(name, "") for name in ADDRESS_FIELDS}
    if email:
        phone = block.pop("phone")
        block |= {"email": (given or {}).get("email", ""), "phone": phone}
    return block
