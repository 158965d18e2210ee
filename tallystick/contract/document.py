"""What a contract makes of a canonical object: a document in the target's terms, before any vendor's spelling.

Amounts are `Decimal` in the document's one currency. An adapter's `translate.py` spells it; it decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from tallystick.reasons import HoldReason

Value = str | int | Decimal | bool | None


class LineRole(StrEnum):
    """What a document line stands for."""

    GOODS = "goods"
    SHIPPING = "shipping"
    FEE = "fee"
    TIP = "tip"
    DUTY = "duty"
    ROUNDING = "rounding"
    #: Of a refund: money beyond what its lines come to.
    GOODWILL = "goodwill"
    #: Of a refund, below zero: what the store kept of its lines.
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line of the ERP's document; `key` is stable over revisions (the store's line id, `shipping-<id>` …)."""

    key: str
    role: LineRole
    product: str
    name: str
    quantity: Decimal
    #: Per piece in the basis that `tax_included` tells.
    unit_price: Decimal
    tax_included: bool
    #: The target's own tax references, from the contract's table; empty for an untaxed line.
    taxes: tuple[str, ...]
    #: The store's stated rates in percent, each on the amount without tax: for the balance and for people.
    #: A compound rate stands as what it is of that amount. Empty with a tax: the store states no rate.
    rates: tuple[Decimal, ...]
    #: What the store charged for this line.
    net: Decimal
    tax: Decimal
    gross: Decimal
    fields: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CustomerLocation:
    """One more address of a company; `key` is stable over revisions."""

    key: str
    #: `delivery` or `invoice`
    use: str
    name: str
    phone: str
    street: str
    street2: str
    city: str
    postal_code: str
    country_code: str
    region_code: str


@dataclass(frozen=True, slots=True)
class CustomerDocument:
    """A customer: a company in full, or enough of a person to put a name on an order.

    Texts that are empty say nothing: the target's are left alone. An address counts as a whole.
    """

    connection: str
    #: The binding's entity id.
    key: str
    name: str
    email: str
    phone: str
    company: bool
    tax_id: str
    street: str
    street2: str
    city: str
    postal_code: str
    country_code: str
    region_code: str
    fields: Mapping[str, Value] = field(default_factory=dict)
    #: The target's own number of it, as far as the store knows it.
    account_number: str = ""
    locations: tuple[CustomerLocation, ...] = ()
    #: A revision of its own: it changes what is there. Otherwise it is made if absent, and that is all.
    own: bool = False
    #: Parts (`CustomerPart`) and names of `fields` that are given when it is made and are the target's own afterwards.
    given_once: frozenset[str] = frozenset()
    #: How one that is in the target already is found before one is made: (`CustomerKey`, value), in this order.
    match: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class OrderDocument:
    """A sales order in the target's terms."""

    connection: str
    order_id: str
    number: str
    currency: str
    placed_at: datetime
    #: The day of the sale in the selling entity's time zone.
    business_date: date
    lines: tuple[DocumentLine, ...]
    #: What the buyer owes in all; the target's own total must equal it.
    total: Decimal
    customer: CustomerDocument
    #: Header fields of the target, by the contract's field rows.
    fields: Mapping[str, Value]
    #: Confirm the document, or leave it as a draft.
    confirm: bool
    #: The order is cancelled in the store.
    cancelled: bool
    contract_version: str
    #: Fields of `fields` that are given when the document is made and are the target's own afterwards.
    given_once: frozenset[str] = frozenset()
    #: What was done to make it fit (a rounding line, a text cut), in words without personal data.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefundDocument:
    """Money given back, as a document of its own beside the order's."""

    connection: str
    order_id: str
    refund_id: str
    currency: str
    refunded_at: datetime
    #: The day of the refund in the selling entity's time zone.
    business_date: date
    #: Positive amounts; what is taken off the sale, shipping and goodwill among them. Below zero is what was kept.
    lines: tuple[DocumentLine, ...]
    #: What went back to the buyer; the target's own total must equal it.
    total: Decimal
    #: Goods that go back into stock: (line key, quantity).
    restocked: tuple[tuple[str, Decimal], ...]
    fields: Mapping[str, Value]
    #: Book the document, or leave it as a draft.
    confirm: bool
    contract_version: str
    notes: tuple[str, ...] = ()
    #: The return whose goods the money is for, where it has a document of its own; it may have taken them back.
    return_id: str = ""


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """Pieces of a line of the order that come back."""

    key: str
    product: str
    quantity: Decimal
    #: The target's place that they go to; empty for the one that they left from.
    location: str
    #: In the target's words; empty where nobody says.
    reason: str


@dataclass(frozen=True, slots=True)
class ReturnDocument:
    """Goods of one order on their way back, as a document of its own beside the order's; the money is a refund."""

    connection: str
    order_id: str
    return_id: str
    #: What people call it; may be empty.
    number: str
    #: Refunds of the same goods; they may have taken back some of them before.
    refunds: tuple[str, ...]
    lines: tuple[ReturnedLine, ...]
    #: It came to nothing in the store: its document is cancelled.
    cancelled: bool
    #: Make the document ready, or leave it as a draft.
    confirm: bool
    contract_version: str


@dataclass(frozen=True, slots=True)
class PaymentDocument:
    """Money that a buyer paid for an order, as a document of its own beside the order's."""

    connection: str
    order_id: str
    #: What people call the order.
    order_number: str
    payment_id: str
    #: The store's word for the way of payment.
    gateway: str
    #: The gateway's own id of it; may be empty.
    reference: str
    currency: str
    amount: Decimal
    paid_at: datetime
    #: The day of the payment in the selling entity's time zone.
    business_date: date
    #: Where the target books it, by the contract's table.
    fields: Mapping[str, Value]
    #: Book the document, or leave it as a draft.
    confirm: bool
    contract_version: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """One tracking number, with the store's word for its carrier."""

    carrier: str
    number: str
    url: str


@dataclass(frozen=True, slots=True)
class FulfilmentDocument:
    """Goods of one order that left one warehouse, in the store's terms."""

    connection: str
    order_id: str
    fulfilment_id: str
    #: The store's location that the warehouse stands for; empty where the store decides.
    location: str
    #: (the store's line id, quantity)
    lines: tuple[tuple[str, Decimal], ...]
    parcels: tuple[Parcel, ...]
    shipped_at: datetime
    #: Tell the buyer; only ever once for a shipment.
    notify: bool
    contract_version: str


@dataclass(frozen=True, slots=True)
class StockDocument:
    """How many pieces of a SKU a store may sell at one of its locations; absolute."""

    connection: str
    sku: str
    #: Empty where the store has only one.
    location: str
    quantity: int
    #: What the store showed when this was decided; a store that compares refuses it when it shows something else.
    expected: int
    #: The store's own id of what holds the figure.
    external_id: str
    contract_version: str


@dataclass(frozen=True, slots=True)
class Sale:
    """A lower price for a time; both ends are open where they are None, `until` is the first moment after it."""

    price: Decimal
    starts: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class CatalogPrice:
    """A price in one of the store's own price lists."""

    catalog: str
    currency: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class PriceDocument:
    """What a store is told of one SKU, in its own basis of tax and whole coins. What `owned` does not name is left as
    the store has it, whatever stands here."""

    connection: str
    sku: str
    #: Of the plain prices; empty where there are none.
    currency: str
    owned: frozenset[str]
    #: The regular price; None where only catalogs or other fields are told.
    price: Decimal | None
    sale: Sale | None
    compare_at: Decimal | None
    catalogs: tuple[CatalogPrice, ...]
    title: str
    barcode: str
    active: bool
    contract_version: str
    #: What the store has no place for, in words.
    notes: tuple[str, ...] = ()
    #: Why nothing can be told. It holds the lane only where the store sells the product.
    hold: "Hold | None" = None


Document = (
    OrderDocument
    | CustomerDocument
    | RefundDocument
    | ReturnDocument
    | PaymentDocument
    | FulfilmentDocument
    | StockDocument
    | PriceDocument
)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why there is no document: a person has to look. The detail holds no personal data."""

    reason: HoldReason
    detail: str


@dataclass(frozen=True, slots=True)
class Balance:
    """The proof that the target will compute the store's total; all in minor-unit-exact Decimals."""

    store_total: Decimal
    document_total: Decimal
    currency: str

    @property
    def difference(self) -> Decimal:
        """Document less store; anything but zero is held."""
        return self.document_total - self.store_total
