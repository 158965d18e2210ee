"""A contract, compiled: what the engine and the preview ask."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tallystick.canonical import checks, payments
from tallystick.canonical.times import business_date, to_datetime, zone
from tallystick.contract import arithmetic, eligibility, fulfilment, payment, prices
from tallystick.contract.customers import CustomerPolicy
from tallystick.contract.document import (
    Balance,
    CustomerDocument,
    FulfilmentDocument,
    Hold,
    OrderDocument,
    PaymentDocument,
    PriceDocument,
    RefundDocument,
    ReturnDocument,
)
from tallystick.contract.eligibility import Part
from tallystick.contract.lines import LineBuilder
from tallystick.contract.order import Built, OrderBuilder
from tallystick.contract.paths import Path
from tallystick.contract.products import ProductTable
from tallystick.contract.refund import RefundBuilder
from tallystick.contract.report import Report
from tallystick.contract.returned import ReturnBuilder
from tallystick.contract.rows import Row
from tallystick.contract.schema import ContractFile, RiskAt
from tallystick.contract.stock import Reserved, Stocking
from tallystick.contract.stock_rules import Stock
from tallystick.contract.taxes import TaxTable
from tallystick.reasons import NotEligible
from tallystick.v1 import customer_pb2, fulfilment_pb2, order_pb2, price_pb2, refund_pb2, return_pb2

_STATES: Mapping[str, order_pb2.OrderState.ValueType] = {
    "draft": order_pb2.ORDER_STATE_DRAFT,
    "pending": order_pb2.ORDER_STATE_PENDING,
    "placed": order_pb2.ORDER_STATE_PLACED,
    "cancelled": order_pb2.ORDER_STATE_CANCELLED,
    "failed": order_pb2.ORDER_STATE_FAILED,
}


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a contract file, checked and turned into closures."""

    header: tuple[Row, ...]
    lines: tuple[Row, ...]
    customer: tuple[Row, ...]
    tax_id: tuple[Path, ...]
    refund: tuple[Row, ...]
    reserve_by: Path | None = None
    copy_of: tuple[Path, ...] = ()


class Contract:
    """The rules of one route. Pure: it never calls anybody, and the same order gives the same answer."""

    def __init__(self, file: ContractFile, names: Names) -> None:
        self.name = file.contract
        #: The file's own number and a digest of what it says; every document records it.
        self.version = f"{file.version}+{_digest(file)}"
        self._file = file
        #: Whether the document of an order that is cancelled in the store is cancelled too.
        self.cancels = file.when_cancelled == "cancel"
        #: What the contract asks of the store and the target beyond orders.
        self.tells_payments = file.payments is not None
        self.asks_for_risk = file.hold_risk is not RiskAt.NEVER
        #: Whether an edit of an order whose document is locked is booked beside it.
        self.deltas = file.when_locked == "delta"
        self._unpaid_by = frozenset(file.post_unpaid_by)
        self._copy_of = names.copy_of
        self._states = {word: _STATES[state.value] for word, state in file.states.items()}
        self._products = ProductTable(file.products, file.sku)
        self._stocking = Stocking(file.stock, names.reserve_by, self._products)
        lines = LineBuilder(
            file=file,
            taxes=TaxTable(file.taxes),
            products=self._products,
            rows=names.lines,
            bounds=checks.Bounds(file.rounding.per_part, file.rounding.at_most),
        )
        customers = CustomerPolicy(file.customer, names.tax_id, names.customer)
        self._builder = OrderBuilder(file, self.version, customers, names.header, lines)
        self._refunds = RefundBuilder(file, self.version, names.refund, replace(lines, rows=()))
        self._returns = ReturnBuilder(file.returns, self._products, file.confirm, self.version)

    def eligibility(
        self, order: order_pb2.Order, since: datetime | None = None, only: Part | None = None
    ) -> NotEligible | None:
        """Why this order is not for the ERP; None when it is.

        To be asked only while the order has no document: one that is booked is followed whatever becomes of it.
        """
        order = self.understood(order)
        return (
            eligibility.not_placed(order, since)
            or eligibility.copied(order, self._copy_of)
            or (NotEligible.FRAUD_RISK if self.risky(order) else None)
            or eligibility.unpaid(order, self._file.post_when, self._unpaid_by)
            or (eligibility.outside(order, only) if only is not None else None)
        )

    def document(self, order: order_pb2.Order) -> OrderDocument | Hold:
        """The document whose total is proved, or why there is none: MAPPING, UNBALANCED or DATA, with its detail."""
        built = self.build(order)
        verdict = built.report.verdict()
        if verdict is not None:
            return verdict
        if built.document is None:
            raise AssertionError("an order without a document has a reason")
        return built.document

    def customer(self, order: order_pb2.Order) -> CustomerDocument:
        """Who the order's document stands for."""
        return self._builder.customers.document(order, Report())

    def customer_eligibility(self, customer: customer_pb2.Customer) -> NotEligible | None:
        """Why this customer does not cross by a revision of its own; None when it does."""
        return self._builder.customers.eligibility(customer)

    def customer_revision(self, customer: customer_pb2.Customer) -> CustomerDocument | Hold:
        """What a revision of the customer's own says in the target's terms, or MAPPING or DATA."""
        report = Report()
        document = self._builder.customers.revision(customer, report)
        return report.verdict() or document

    def refund(self, refund: refund_pb2.Refund, *, goods: bool = True) -> RefundDocument | Hold:
        """The credit document whose total is proved, or why there is none: MAPPING, UNBALANCED or DATA.

        Without `goods` it gives back the money alone: they come back by the return that the refund names.
        """
        return self._refunds.document(refund, goods=goods)

    def returned(self, returned: return_pb2.Return) -> ReturnDocument | Hold | NotEligible:
        """The document that brings goods back; MAPPING or DATA; or why there is none (yet)."""
        return self._returns.document(returned)

    def return_over(self, returned: return_pb2.Return) -> ReturnDocument:
        """The document of a return that came to nothing, to be cancelled."""
        return self._returns.over(returned)

    def same_return(self, one: return_pb2.Return, other: return_pb2.Return) -> bool:
        """Whether two revisions of a return ask for the same document."""
        return self._returns.same(one, other)

    def paid(self, order: order_pb2.Order, since: datetime | None = None) -> Iterator[order_pb2.Payment]:
        """The payments of an order that are to be booked: none from before `since`, nor before the contract's own."""
        for one in payments.received(order):
            if not one.HasField("paid_at") or self._paid_in_time(to_datetime(one.paid_at), since):
                yield one

    def _paid_in_time(self, at: datetime, since: datetime | None) -> bool:
        first = self._file.payments.since if self._file.payments is not None else None
        if since is not None and at < since:
            return False
        return first is None or business_date(at, zone(self._file.time_zone)) >= first

    def payment(self, order: order_pb2.Order, paid: order_pb2.Payment) -> PaymentDocument | Hold:
        """The document of one of its payments, or why there is none: MAPPING, DATA or UNBALANCED."""
        return payment.document(order, paid, self._file, self.version)

    def fulfilment(self, shipped: fulfilment_pb2.Fulfilment) -> FulfilmentDocument | Hold:
        """What the store is told of a shipment, or MAPPING."""
        return fulfilment.document(shipped, self._file.fulfilment, self.version)

    @property
    def price_lists(self) -> tuple[str, ...]:
        """The price lists of the ERP that the store is told of; none without a section `prices`."""
        return tuple(self._file.prices.lists) if self._file.prices else ()

    def price(self, product: price_pb2.Product) -> PriceDocument | Hold | NotEligible:
        """What the store is told of a product; MAPPING or DATA; or why it is none of the store's business."""
        return prices.document(product, self._file, self.version)

    def held_price(self, product: price_pb2.Product, hold: Hold) -> PriceDocument:
        """What cannot be told of a product, for a store that sells it."""
        return prices.held(product, self._file, hold, self.version)

    @property
    def stock(self) -> Stock:
        """What may be sold where."""
        return self._file.stock

    @property
    def confirms(self) -> bool:
        """Whether documents are confirmed, or left as drafts."""
        return self._file.confirm

    def store_sku(self, sku: str) -> str:
        """Under which SKU the store sells what the ERP calls `sku`."""
        return self._products.store_sku(sku)

    def reserved(
        self, order: order_pb2.Order, since: datetime | None = None, only: Part | None = None
    ) -> Sequence[Reserved]:
        """The goods that an order holds: as soon as it is placed, paid or not; nothing when it is not for the ERP."""
        order = self.understood(order)
        if eligibility.not_placed(order, since) or eligibility.copied(order, self._copy_of):
            return ()
        if only is not None and eligibility.outside(order, only):
            return ()
        return self._stocking.reserved(order)

    def balance(self, document: OrderDocument | RefundDocument) -> Balance:
        """The proof: the total that the target will compute against the store's."""
        return arithmetic.balance(self._file.arithmetic, document)

    def build(self, order: order_pb2.Order) -> Built:
        """The document as far as it can be built, with everything that came up; for previews."""
        return self._builder.build(self.understood(order))

    def risky(self, order: order_pb2.Order) -> bool:
        """Whether the store sees a risk of fraud from which on the contract keeps an order back."""
        return eligibility.risky(order, self._file.hold_risk, self._file.risk_cleared_tag)

    def understood(self, order: order_pb2.Order) -> order_pb2.Order:
        """The order with the contract's meaning of its store's state."""
        state = self._states.get(order.store_state)
        if state is None or state == order.state:
            return order
        understood = order_pb2.Order()
        understood.CopyFrom(order)
        understood.state = state
        return understood


def _digest(file: ContractFile) -> str:
    """Of the rules alone: neither comments nor examples make another version."""
    rules = json.dumps(file.model_dump(mode="json", exclude={"examples"}), sort_keys=True)
    return hashlib.sha256(rules.encode()).hexdigest()[:8]
