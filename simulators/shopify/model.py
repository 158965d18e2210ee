"""What a shop holds. Amounts are in the shop's currency; what the buyer saw is computed from the rate."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Rate:
    """A tax: its title and its rate as a fraction, 0.07 for 7 %."""

    title: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Item:
    """What somebody puts into the cart. `custom` has no product behind it; `off` is a discount on this line alone."""

    title: str
    price: Decimal
    quantity: int = 1
    sku: str = ""
    rates: tuple[Rate, ...] = ()
    off: Decimal = ZERO
    custom: bool = False
    gift_card: bool = False
    requires_shipping: bool = True
    duty: Decimal = ZERO
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount on the whole cart: a fixed `amount`, or a `share` such as 0.10."""

    name: str
    amount: Decimal = ZERO
    share: Decimal = ZERO
    #: discount_code, automatic or manual
    kind: str = "discount_code"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address."""

    first_name: str = "Somsri"
    last_name: str = "Example"
    company: str = ""
    address1: str = "1 Example Road"
    address2: str = ""
    city: str = "Bangkok"
    province: str = "Bangkok"
    province_code: str = "TH-10"
    zip: str = "10110"
    country: str = "Thailand"
    country_code: str = "TH"
    phone: str = ""


@dataclass(frozen=True, slots=True)
class B2B:
    """A company that buys, at one of its locations."""

    id: int
    location_id: int
    name: str
    account: str = ""
    location_name: str = "Head office"


@dataclass(slots=True)
class Tax:
    """A tax of a line as computed."""

    title: str
    rate: Decimal
    amount: Decimal


@dataclass(slots=True)
class Line:
    """A line of an order. `removed` and `refunded` count pieces; nothing else of it ever goes down."""

    id: int
    item: Item
    product_id: int | None
    variant_id: int | None
    #: (index of the discount, amount)
    allocations: list[tuple[int, Decimal]] = field(default_factory=list)
    taxes: list[Tax] = field(default_factory=list)
    removed: int = 0
    refunded: int = 0
    #: Added by an edit after the order was placed.
    added: bool = False

    @property
    def current(self) -> int:
        """Pieces neither removed nor refunded."""
        return self.item.quantity - self.removed - self.refunded

    @property
    def amount(self) -> Decimal:
        """After discounts, for all pieces that were ever ordered."""
        return self.item.price * self.item.quantity - sum((share for _, share in self.allocations), ZERO)

    @property
    def tax(self) -> Decimal:
        """All taxes, for all pieces that were ever ordered."""
        return sum((tax.amount for tax in self.taxes), ZERO)


@dataclass(slots=True)
class Shipping:
    """A shipping line."""

    id: int
    title: str
    price: Decimal
    taxes: list[Tax] = field(default_factory=list)
    allocations: list[tuple[int, Decimal]] = field(default_factory=list)
    removed: bool = False

    @property
    def amount(self) -> Decimal:
        """After discounts."""
        return self.price - sum((share for _, share in self.allocations), ZERO)

    @property
    def tax(self) -> Decimal:
        """All taxes."""
        return sum((tax.amount for tax in self.taxes), ZERO)


@dataclass(slots=True)
class RefundLine:
    """Pieces that a refund record names."""

    id: int
    line_id: int
    quantity: int
    restock_type: str
    subtotal: Decimal
    tax: Decimal


@dataclass(slots=True)
class Payment:
    """A transaction: kind SALE, AUTHORIZATION, CAPTURE, VOID, CHANGE or REFUND; status SUCCESS, FAILURE or PENDING."""

    id: int
    kind: str
    gateway: str
    amount: Decimal
    status: str = "SUCCESS"
    #: None for the moment at which the order was placed.
    at: datetime | None = None
    #: The authorisation of a capture, the sale that change belongs to.
    parent_id: int | None = None


@dataclass(slots=True)
class Refund:
    """A refund record; one without payments is what an edit leaves behind."""

    id: int
    at: datetime
    lines: list[RefundLine] = field(default_factory=list)
    shipping: Decimal = ZERO
    shipping_tax: Decimal = ZERO
    payments: list[Payment] = field(default_factory=list)
    #: Calculated less paid, where they differ.
    discrepancy: Decimal = ZERO
    return_id: int | None = None
    note: str = ""


@dataclass(slots=True)
class Disposal:
    """What became of pieces that were to come back, in Shopify's words."""

    kind: str
    quantity: int
    location_id: int


@dataclass(slots=True)
class ReturnLine:
    """Pieces of a line that are to come back."""

    id: int
    line_id: int
    quantity: int
    reason: str
    disposals: list[Disposal] = field(default_factory=list)


@dataclass(slots=True)
class Return:
    """A return: status REQUESTED, OPEN, CLOSED, CANCELED or DECLINED."""

    id: int
    order_id: int
    name: str
    status: str
    at: datetime
    lines: list[ReturnLine]


@dataclass(slots=True)
class Task:
    """A fulfilment order: pieces by line id that one location has to ship, with what it shipped of them."""

    id: int
    location_id: int
    pieces: dict[int, int]
    status: str = "OPEN"
    shipped: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Fulfilment:
    """Pieces by line id that left one location."""

    id: int
    location_id: int
    at: datetime
    pieces: dict[int, int]
    company: str = ""
    numbers: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    cancelled: bool = False


@dataclass(slots=True)
class Order:
    """An order as the shop holds it."""

    id: int
    number: int
    currency: str
    taxes_included: bool
    placed_at: datetime
    updated_at: datetime
    lines: list[Line]
    shipping: list[Shipping]
    discounts: list[Discount]
    email: str
    customer_id: int | None
    billing: Address | None
    delivery: Address | None
    channel: str
    test: bool
    company: B2B | None = None
    po_number: str | None = None
    payment_terms: str | None = None
    presentment: str = ""
    presentment_rate: Decimal = Decimal(1)
    tip: Decimal = ZERO
    rounding: Decimal = ZERO
    note: str | None = None
    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    financial_status: str = "pending"
    #: Shopify's summary of the risk of fraud: CANCEL, INVESTIGATE, ACCEPT or NONE.
    recommendation: str = "NONE"
    fulfilled: bool = False
    #: Made when somebody first looks at them or splits them.
    tasks: list[Task] = field(default_factory=list)
    fulfilments: list[Fulfilment] = field(default_factory=list)
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    edited: bool = False

    @property
    def gid(self) -> str:
        """The global id."""
        return f"gid://shopify/Order/{self.id}"

    def shipped(self, line_id: int) -> int:
        """Pieces of a line that left, whatever became of them later."""
        return sum(one.pieces.get(line_id, 0) for one in self.fulfilments if not one.cancelled)

    def returned(self, line_id: int) -> int:
        """Pieces of a line that are on a return, or came back by one."""
        under_way = [one for one in self.returns if one.status not in ("DECLINED", "CANCELED")]
        return sum(line.quantity for one in under_way for line in one.lines if line.line_id == line_id)

    @property
    def gateways(self) -> list[str]:
        """The ways of payment, each once, in order of use."""
        return list(dict.fromkeys(paid.gateway for paid in self.payments if paid.kind != "REFUND"))
