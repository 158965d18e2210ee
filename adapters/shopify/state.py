"""An order in Shopify's own terms, the same for both of its spellings: REST (webhook bodies) and GraphQL (reads).

Each spelling is read into this form, and only this form becomes canonical; so a body and a read of one state are one
content. What only one spelling shows (names of companies, amounts of gift cards) is left empty by the other, and
the webhook side asks for a read then. Amounts are in the shop's currency.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax of a line. `rate_percent` as decimal text, empty when the store states none."""

    title: str
    rate_percent: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """A share of a discount that lies on one line."""

    #: The discount's place in the order's list of discounts.
    index: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was ordered; nothing of it goes down when pieces are removed or refunded."""

    id: str
    title: str
    sku: str
    product_id: str
    variant_id: str
    gift_card: bool
    requires_shipping: bool
    ordered: int
    #: Ordered less removed and less refunded; None in payloads older than 2024-01.
    current: int | None
    unit_price: Decimal
    allocations: tuple[Allocation, ...] = ()
    taxes: tuple[Tax, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def discount(self) -> Decimal:
        """All discounts on the line; Shopify's own `total_discount` may be 0 although there are some."""
        return sum((share.amount for share in self.allocations), ZERO)

    @property
    def amount(self) -> Decimal:
        """After discounts, in the basis of the order's prices."""
        return self.unit_price * self.ordered - self.discount

    @property
    def tax(self) -> Decimal:
        """All taxes of the line."""
        return sum((tax.amount for tax in self.taxes), ZERO)

    @property
    def typed_by_hand(self) -> bool:
        """Nothing of the catalogue behind it: a custom line, or a tip."""
        return not self.variant_id and not self.product_id and not self.sku


@dataclass(frozen=True, slots=True)
class Shipping:
    """A shipping line; an edit may have removed it."""

    id: str
    title: str
    code: str
    price: Decimal
    removed: bool = False
    allocations: tuple[Allocation, ...] = ()
    taxes: tuple[Tax, ...] = ()

    @property
    def amount(self) -> Decimal:
        """After discounts, in the basis of the order's prices."""
        return self.price - sum((share.amount for share in self.allocations), ZERO)

    @property
    def tax(self) -> Decimal:
        """All taxes of the line."""
        return sum((tax.amount for tax in self.taxes), ZERO)


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount as the order names it."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Pieces of a line that a refund record names. `subtotal` in the basis of the order's prices."""

    line_id: str
    quantity: int
    #: return, cancel, no_restock or legacy_restock
    restock_type: str
    subtotal: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class RefundRecord:
    """What Shopify keeps as a refund. An edit that removes pieces leaves such a record too, without any payment."""

    id: str
    at: datetime | None
    lines: tuple[RefundLine, ...] = ()
    shipping: Decimal = ZERO
    shipping_tax: Decimal = ZERO
    duties: Decimal = ZERO
    #: Stated differences between what was calculated and what was paid.
    adjusted: bool = False
    from_return: bool = False
    #: Empty where the payload does not name the return.
    return_id: str = ""
    #: How many payments back it holds, whatever their outcome; None when the payload does not show payments.
    payments: int | None = None
    #: One of them is still on its way.
    pending: bool = False
    #: What successful ones paid; None when they are in another currency than the shop's.
    paid: Decimal | None = ZERO
    gateway: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """Pieces of a shipped line that are to come back; `line_id` is empty for goods that stand on no line."""

    line_id: str
    #: Of the shipment: what became of the pieces is told by it.
    shipped_id: str
    quantity: int
    processed: int
    reason: str


@dataclass(frozen=True, slots=True)
class Disposal:
    """What became of pieces that came back: restocked, not_restocked, processing_required or missing."""

    shipped_id: str
    quantity: int
    kind: str
    location_id: str


@dataclass(frozen=True, slots=True)
class ReturnRecord:
    """A return (RMA); only reads show it."""

    id: str
    name: str
    #: requested, open, closed, canceled or declined
    status: str
    at: datetime | None
    lines: tuple[ReturnLine, ...]
    disposals: tuple[Disposal, ...]
    refund_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; every part may be empty."""

    name: str
    company: str
    line1: str
    line2: str
    city: str
    region: str
    region_code: str
    postal_code: str
    country_code: str
    phone: str


@dataclass(frozen=True, slots=True)
class Company:
    """The B2B buyer. Webhook bodies carry the two ids only."""

    id: str
    location_id: str
    name: str = ""
    account_number: str = ""
    location_name: str = ""


@dataclass(frozen=True, slots=True)
class Stated:
    """What the store says the order adds up to. `price` is everything, `fees` are its "additional fees"."""

    price: Decimal
    tax: Decimal
    duties: Decimal = ZERO
    fees: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Totals:
    """The store states its totals twice."""

    #: Before edits and refunds (whether with lines that an edit added is not told by the vendor).
    ordered: Stated
    #: Without what was removed and what was refunded; None in old payloads.
    current: Stated | None
    tips: Decimal
    rounding: Decimal
    presentment_currency: str
    presentment_price: Decimal | None


@dataclass(frozen=True, slots=True)
class Transaction:
    """Something that happened with money of the order; `kind` and `status` in small letters."""

    id: str
    kind: str
    status: str
    gateway: str
    amount: Decimal
    at: datetime | None
    #: The gateway's own id.
    reference: str = ""
    #: The transaction that it belongs to.
    parent: str = ""


@dataclass(frozen=True, slots=True)
class ShopifyOrder:
    """An order as the shop holds it now."""

    id: str
    name: str
    placed_at: datetime | None
    updated_at: datetime | None
    cancelled_at: datetime | None
    cancel_reason: str
    test: bool
    financial_status: str
    channel: str
    currency: str
    taxes_included: bool
    tax_exempt: bool
    duties_included: bool
    email: str
    phone: str
    locale: str
    customer_id: str
    customer_name: str
    company: Company | None
    billing: Address | None
    shipping: Address | None
    po_number: str
    payment_terms: str
    gateways: tuple[str, ...]
    note: str
    tags: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]
    totals: Totals
    lines: tuple[Line, ...]
    shipping_lines: tuple[Shipping, ...]
    discounts: tuple[Discount, ...]
    refunds: tuple[RefundRecord, ...]
    returns: tuple[ReturnRecord, ...] = ()
    #: Paid by gift card; None when the payload does not show payments.
    gift_cards: Decimal | None = None
    #: None when the payload does not show them one by one.
    transactions: tuple[Transaction, ...] | None = None
    #: What Shopify recommends for the risk of fraud, in small letters; empty when the payload does not show it.
    recommendation: str = ""
    extra: tuple[tuple[str, str], ...] = field(default=())

    @property
    def foreign(self) -> bool:
        """The buyer pays in another currency than the shop's."""
        return self.totals.presentment_currency not in ("", self.currency)

    @property
    def gift_card_mixed(self) -> bool:
        """Paid by gift card and something else, so that only the payments tell how much of each."""
        return GIFT_CARD in self.gateways and len(self.gateways) > 1


GIFT_CARD = "gift_card"
#: Statuses of a payment that is still on its way.
ON_ITS_WAY = frozenset({"pending", "awaiting_response", "unknown"})
