"""The words of a contract file. Unknown keys are mistakes; what a key means stands beside it here, once."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tallystick.contract.price_schema import Prices
from tallystick.contract.return_rules import RestockUnknown, Returns
from tallystick.contract.rounding import RoundingMode
from tallystick.contract.stock_rules import Stock

Scalar = str | int | bool | None


class Strict(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


#: References of the target, by its own names; one may be written without brackets.
References = Annotated[tuple[str, ...], BeforeValidator(_as_list)]


class PostWhen(StrEnum):
    """From which state of payment on an order is booked."""

    PLACED = "placed"
    AUTHORISED = "authorised"
    PAID = "paid"


class Basis(StrEnum):
    """How prices stand in the target's document."""

    INCLUDED = "included"
    EXCLUDED = "excluded"
    #: As each order states it; the table of taxes needs both columns then.
    AS_STORE = "as_store"


class State(StrEnum):
    """What a store's own state means."""

    DRAFT = "draft"
    PENDING = "pending"
    PLACED = "placed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Currencies(Strict):
    """Which currencies the target keeps, and how it is told; a document is in the shop's currency."""

    #: The header field that takes the reference, such as Odoo's `pricelist_id`.
    to: str
    rows: dict[str, str]


class TaxRow(Strict):
    """The target's codes for one rate, by how the prices stand."""

    #: In per cent; only for rows by the store's code, where the store states no rate.
    rate: Decimal | None = Field(default=None, ge=0, le=1000)
    included: References = ()
    excluded: References = ()


class Taxes(Strict):
    """The store's stated rate decides, never one computed from rounded amounts."""

    basis: Basis
    #: By rate in per cent: "7", "2.6"; several on one line as "5+9.975", a compound one as "5+9.975c".
    rates: dict[str, TaxRow]
    #: By the store's own code of the tax, which wins over the rate.
    codes: dict[str, TaxRow] = {}
    #: For lines without any tax: nothing, or a zero-rate code.
    untaxed: References = ()
    #: The same for a buyer who is exempt; as `untaxed` when left out.
    exempt: References | None = None
    #: Levies that the store reports among the taxes: by title or code, the product that takes them as a fee.
    as_fees: dict[str, str] = {}


class TaxRounding(StrEnum):
    """Where the target rounds tax."""

    PER_LINE = "per_line"
    PER_DOCUMENT = "per_document"


class Unrepresentable(StrEnum):
    """What to do when no unit price of the target gives the line's amount (three for 10.00)."""

    #: Two lines whose prices differ by one minor unit.
    SPLIT = "split"
    #: A second line of the same tax takes the rest.
    ROUNDING_LINE = "rounding_line"
    #: Nothing: the target keeps enough decimals, or the order is held.
    PRECISE = "precise"


class Arithmetic(Strict):
    """How the target computes its own total from the lines."""

    #: Decimals that the target keeps of a unit price.
    price_decimals: int | Literal["unlimited"] = Field(default=2)
    unrepresentable_price: Unrepresentable = Unrepresentable.SPLIT
    tax_rounding: TaxRounding = TaxRounding.PER_LINE
    #: Of tax.
    rounding: RoundingMode = RoundingMode.HALF_UP
    #: Of price times quantity.
    line_rounding: RoundingMode = RoundingMode.HALF_UP


class Rounding(Strict):
    """How much rounding may explain. Above it an order is held UNBALANCED."""

    #: Minor units for each tax of each line.
    per_part: int = Field(default=1, ge=0, le=100)
    #: Minor units for a whole document.
    at_most: int = Field(default=50, ge=0, le=10_000)


class ByCode(Strict):
    """A product for each of the store's codes, and one for all others (held when left out)."""

    by_code: dict[str, str]
    otherwise: str | None = None


class Products(Strict):
    """The target's products for what has no SKU. Left out: an order that needs it is held MAPPING."""

    shipping: str | ByCode | None = None
    fee: str | ByCode | None = None
    tip: str | None = None
    duty: str | None = None
    rounding: str | None = None
    #: A line typed by hand.
    custom: str | None = None
    #: A gift card that is sold; its own SKU when left out.
    gift_card: str | None = None
    #: Money given back that belongs to no line.
    goodwill: str | None = None
    #: What is kept of a refund (a restocking fee); a line below zero.
    kept: str | None = None


class Sku(Strict):
    """How a store's SKU becomes the target's. Nothing is changed that is not written here."""

    trim: bool = False
    case: Literal["keep", "upper", "lower"] = "keep"
    #: SKUs that the target knows under another code; applied last.
    rows: dict[str, str] = {}


class UseValue(Strict):
    """The value for all rows that are not in the table."""

    use: Scalar


class Table(Strict):
    """A code table: the store's word on the left, the target's on the right."""

    rows: dict[str, Scalar]
    otherwise: Literal["hold", "empty"] | UseValue = "hold"


class FieldRow(Strict):
    """One field of the target: from a path of the order, or a constant, through a table if need be."""

    to: str
    from_: str | None = Field(default=None, alias="from")
    value: Scalar = None
    table: str | None = None
    #: An order without it is held MAPPING.
    required: bool = False
    max: int | None = Field(default=None, ge=1)
    too_long: Literal["hold", "cut"] = "hold"
    #: A Python codec such as ascii, latin-1, shift_jis, tis-620; `bmp` leaves out emoji only.
    charset: str | None = None
    misfit: Literal["hold", "drop"] = "drop"
    #: `erp`: given when the document is made, the target's own afterwards.
    owner: Literal["store", "erp"] = "store"
    #: Of an amount: the currency in which the target takes it; in any other one it is held.
    currency: str | None = None


class Anonymous(Strict):
    """The one customer who stands for buyers that nobody names, or whom a marketplace masks."""

    key: str = "anonymous"
    name: str = "Online buyer"


class CustomerPart(StrEnum):
    """What every target keeps of a customer, whatever it calls its fields."""

    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    TAX_ID = "tax_id"
    ACCOUNT_NUMBER = "account_number"
    ADDRESS = "address"
    #: Of a company: its further addresses.
    LOCATIONS = "locations"


class CustomerKey(StrEnum):
    """By what a company that is in the target already may be found."""

    ACCOUNT_NUMBER = "account_number"
    TAX_ID = "tax_id"
    EMAIL = "email"


class Customer(Strict):
    """Who stands on the document. Customers are made when absent and never updated from an order.

    Where the route carries customers, their own revisions update what the store owns of them.
    """

    #: Which customers cross by their own revisions: companies, or consumers as well (as a light reference).
    which: Literal["b2b", "all"] = "b2b"
    #: How a company that is in the target already is found before one is made, in this order. One hit binds, several
    #: hold; consumers are never looked for, since strangers must not merge.
    match: tuple[CustomerKey, ...] = ()
    #: What is given when a customer is made and is the target's own afterwards; of `fields` see their `owner`.
    owned_by_erp: tuple[CustomerPart, ...] = ()

    #: A buyer without an account: one customer for each e-mail address, or all on the anonymous one.
    guests: Literal["per_email", "anonymous"] = "per_email"
    anonymous: Anonymous | Literal["hold"] = Anonymous()
    #: Paths of the order that may hold the tax number; the first that is not empty.
    tax_id: References = ("customer.company.tax_id",)
    #: How long the target's fields are: name, street … A longer street goes on in street2, all else is cut.
    limits: dict[str, int] = {}
    #: Paths begin at the order; those that begin with `customer.` are asked of a customer's own revisions too.
    fields: tuple[FieldRow, ...] = ()


class GoodwillTax(StrEnum):
    """Which taxes goodwill carries."""

    UNTAXED = "untaxed"
    #: Those of the order, each by its share: the sale is worth less as a whole.
    AS_ORDER = "as_order"


class Bundles(StrEnum):
    """Which lines of a bundle move stock and carry its price, each once."""

    #: Every line as the store shows it; a bundle without a price of its own only groups its parts, and is left out.
    AS_SOLD = "as_sold"
    #: The bundle, with the prices of its parts; the ERP's product is a kit.
    PARENT = "parent"
    #: The parts, each with its share of the bundle's price.
    COMPONENTS = "components"


class Refunds(Strict):
    """Credit documents."""

    #: What a refund means for the stock whose store does not tell.
    restock_unknown: RestockUnknown = RestockUnknown.HOLD
    #: Also of what is kept back.
    goodwill_tax: GoodwillTax = GoodwillTax.AS_ORDER
    #: Where the credit document takes its currency by another field than the order's; left out, no field is given.
    currencies: Currencies | None = None
    #: Paths begin at the refund.
    header: tuple[FieldRow, ...] = ()


class ByCurrency(Strict):
    """A place for each currency, and one for all others (held when left out)."""

    by_currency: dict[str, str]
    otherwise: str | None = None


class UseReference(Strict):
    """The place of whatever has no row."""

    use: str | ByCurrency


class Payments(Strict):
    """Where the target books the money that buyers paid: a bank's journal, a wallet's, the till's."""

    #: The field that takes the reference, such as Odoo's `journal_id`.
    to: str
    #: By the store's word for the way of payment.
    gateways: dict[str, str | ByCurrency] = {}
    #: A gift card that pays: the journal of the liability that its sale made. Left out, such a payment is held.
    gift_card: str | ByCurrency | None = None
    otherwise: Literal["hold"] | UseReference = "hold"
    #: In the zone of the contract. What was paid earlier is booked already, by hand or by another way.
    since: date | None = None


class RiskAt(StrEnum):
    """From which risk of fraud on an order is kept back."""

    NEVER = "never"
    MEDIUM = "medium"
    HIGH = "high"


class Fulfilment(Strict):
    """What the store is told of a shipment."""

    #: The ERP's warehouse on the left, the store's location on the right. Empty: the store decides by itself.
    locations: dict[str, str] = {}
    #: The ERP's carrier on the left, the store's word for it on the right; others are passed on as they are.
    carriers: dict[str, str] = {}
    #: Let the store write to the buyer, once for each shipment.
    notify: bool = True


class Example(Strict):
    """An order, a refund, a return, a product or a customer, and what has to become of it; run at every load."""

    name: str
    order: dict[str, Any] | None = None
    refund: dict[str, Any] | None = None
    returned: dict[str, Any] | None = Field(default=None, alias="return")
    product: dict[str, Any] | None = None
    #: A revision of its own.
    customer: dict[str, Any] | None = None
    expect: dict[str, Any]


class ContractFile(Strict):
    """The whole file."""

    contract: str
    version: int = Field(ge=1)
    #: Of the selling entity: it decides which day a sale belongs to.
    time_zone: str
    post_when: PostWhen = PostWhen.PAID
    #: Payment methods of the store that are booked although unpaid (cash on delivery, invoice).
    post_unpaid_by: tuple[str, ...] = ()
    #: An order in which the store sees such a risk of fraud is not booked until the store clears it.
    hold_risk: RiskAt = RiskAt.NEVER
    #: A tag by which people of the store clear an order whatever its risk.
    risk_cleared_tag: str | None = None
    #: Paths that name, in an order which somebody put here from another channel, that channel's order
    #: (`<connection>/<id>`): it crosses from there, and the copy is only observed.
    copy_of: References = ("attributes.tallystick_order",)
    #: Confirm documents, or leave them as drafts.
    confirm: bool = True
    #: An order that is cancelled when its document is there: cancel that too, or hold it for a person.
    when_cancelled: Literal["cancel", "hold"] = "cancel"
    #: Which of a bundle's lines are booked, where the store shows it beside its parts.
    bundles: Bundles = Bundles.AS_SOLD
    #: An order that is edited when its document can no longer be changed: hold it for a person, or book what differs
    #: as documents beside it (needs the flow of refunds, since what is charged less is credited).
    when_locked: Literal["hold", "delta"] = "hold"
    #: Meaning of states that plugins of the store invented.
    states: dict[str, State] = {}
    currencies: Currencies
    taxes: Taxes
    arithmetic: Arithmetic = Arithmetic()
    rounding: Rounding = Rounding()
    products: Products = Products()
    sku: Sku = Sku()
    customer: Customer = Customer()
    refunds: Refunds = Refunds()
    returns: Returns = Returns()
    #: Needed where a route carries payments.
    payments: Payments | None = None
    fulfilment: Fulfilment = Fulfilment()
    #: Left out, no prices go to the store.
    prices: Prices | None = None
    stock: Stock = Stock()
    tables: dict[str, Table] = {}
    header: tuple[FieldRow, ...] = ()
    #: For lines of goods; paths begin at the line.
    lines: tuple[FieldRow, ...] = ()
    examples: tuple[Example, ...] = ()
