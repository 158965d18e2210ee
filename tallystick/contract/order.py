"""From a canonical order to the target's document, with its proof; everything that is missing is told at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import localcontext

from tallystick.canonical import checks
from tallystick.canonical.money import EXACT, amount
from tallystick.canonical.soundness import plainly_sound
from tallystick.canonical.times import business_date, to_datetime, zone
from tallystick.contract.bundles import gathered
from tallystick.contract.charges import charges
from tallystick.contract.currency import currency_field
from tallystick.contract.customers import CustomerPolicy
from tallystick.contract.document import OrderDocument, Value
from tallystick.contract.lines import LineBuilder, Terms
from tallystick.contract.report import Report
from tallystick.contract.rows import Row, apply
from tallystick.contract.schema import ContractFile
from tallystick.reasons import HoldReason
from tallystick.v1 import money_pb2, order_pb2


@dataclass(frozen=True, slots=True)
class Built:
    """A document as far as one could be built, and everything that came up."""

    document: OrderDocument | None
    report: Report


@dataclass(frozen=True, slots=True)
class OrderBuilder:
    """The contract's rules for orders, compiled."""

    file: ContractFile
    version: str
    customers: CustomerPolicy
    header: Sequence[Row]
    lines: LineBuilder

    def build(self, order: order_pb2.Order) -> Built:
        """Check, convert, price, and prove the balance."""
        report = Report()
        if not plainly_sound(order) and not self._computable(order, report):
            return Built(None, report)
        with localcontext(EXACT):
            return Built(self._document(order, report), report)

    def _computable(self, order: order_pb2.Order, report: Report) -> bool:
        """Tell what is wrong; False when there is nothing to compute with."""
        sheet = checks.Sheet(order)
        unsound = checks.unsound(sheet)
        for finding in unsound or checks.judged(sheet, self.lines.bounds, checks.SUMS):
            report.hold(HoldReason(finding.reason), finding.detail)
        return not unsound

    def _document(self, order: order_pb2.Order, report: Report) -> OrderDocument:
        placed_at = to_datetime(order.placed_at)
        fields = self._fields(order, report)
        customer = self.customers.document(order, report)
        found = gathered(charges(order), self.file.bundles, order.currency_code)
        lines = self.lines.build(found, _terms(order), report)
        return OrderDocument(
            connection=order.connection,
            order_id=order.id,
            number=order.number,
            currency=order.currency_code,
            placed_at=placed_at,
            business_date=business_date(placed_at, zone(self.file.time_zone)),
            lines=tuple(lines),
            total=amount(order.totals.total),
            customer=customer,
            fields=fields,
            confirm=self.file.confirm,
            cancelled=order.state == order_pb2.ORDER_STATE_CANCELLED,
            contract_version=self.version,
            given_once=frozenset(row.to for row in self.header if row.given_once),
            notes=tuple(report.notes),
        )

    def _fields(self, order: order_pb2.Order, report: Report) -> Mapping[str, Value]:
        currencies = self.file.currencies
        return {**apply(self.header, order, report), **currency_field(currencies, order.currency_code, report)}


def _terms(order: order_pb2.Order) -> Terms:
    return Terms(
        currency=order.currency_code,
        included=order.tax_basis == money_pb2.TAX_BASIS_INCLUDED,
        exempt=order.customer.tax_exempt,
        total=amount(order.totals.total),
    )
