"""From a canonical order to the target's document, with its proof; everything that is missing is told at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from tallystick.canonical import checks
from tallystick.canonical.money import EXACT, amount, minor_unit
from tallystick.canonical.times import business_date, to_datetime, zone
from tallystick.contract.arithmetic import Prediction, TargetArithmetic
from tallystick.contract.charges import Charge, charges, fees_out_of_taxes, untaxed
from tallystick.contract.customers import CustomerPolicy
from tallystick.contract.document import DocumentLine, LineRole, OrderDocument, Value
from tallystick.contract.pricing import Pricer
from tallystick.contract.products import ProductTable
from tallystick.contract.rates import shared_fairly
from tallystick.contract.report import Report
from tallystick.contract.rows import Row, apply
from tallystick.contract.schema import ContractFile
from tallystick.contract.taxes import TaxTable
from tallystick.reasons import HoldReason
from tallystick.v1 import money_pb2, order_pb2

_ZERO = Decimal(0)


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
    taxes: TaxTable
    products: ProductTable
    customers: CustomerPolicy
    header: Sequence[Row]
    lines: Sequence[Row]
    bounds: checks.Bounds

    def build(self, order: order_pb2.Order) -> Built:
        """Check, convert, price, and prove the balance."""
        report = Report()
        sheet = checks.Sheet(order)
        unsound = checks.unsound(sheet)
        for finding in unsound or checks.judged(sheet, self.bounds, checks.SUMS):
            report.hold(HoldReason(finding.reason), finding.detail)
        if unsound:
            return Built(None, report)
        with localcontext(EXACT):
            return Built(self._document(order, report), report)

    def _document(self, order: order_pb2.Order, report: Report) -> OrderDocument:
        placed_at = to_datetime(order.placed_at)
        fields = self._fields(order, report)
        customer = self.customers.document(order, report)
        lines = self._lines(order, report)
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
        fields = apply(self.header, order, report)
        currency, rows = order.currency_code, self.file.currencies.rows
        if currency in rows:
            return {**fields, self.file.currencies.to: rows[currency]}
        known = ", ".join(sorted(rows)) or "none"
        report.missing("currency", currency, f"the contract has no row for the currency {currency}; there are {known}")
        return fields

    def _lines(self, order: order_pb2.Order, report: Report) -> list[DocumentLine]:
        arithmetic = TargetArithmetic(self.file.arithmetic, order.currency_code)
        policy = self.file.arithmetic.unrepresentable_price
        pricer = Pricer(order.currency_code, arithmetic, policy, self.file.products.rounding or "")
        lines: list[DocumentLine] = []
        for charge in self._charges(order, report):
            priced = pricer.price(self._line(order, charge, pricer, report))
            if len(priced) > 1:
                _note_two_lines(charge, priced, report)
            lines += priced
        predicted = arithmetic.predict(lines)
        self._prove_taxes(order, predicted, lines, report)
        missing = amount(order.totals.total) - predicted.total
        return lines + self._rounding(order, missing, pricer, lines, report) if missing else lines

    def _charges(self, order: order_pb2.Order, report: Report) -> list[Charge]:
        found = fees_out_of_taxes(charges(order), self.file.taxes.as_fees)
        included = order.tax_basis == money_pb2.TAX_BASIS_INCLUDED
        shared = shared_fairly(found, order.currency_code, included=included)
        if shared != found:
            report.note("the store reported the tax of several lines on one of them; each line got its own share")
        return shared

    def _line(self, order: order_pb2.Order, charge: Charge, pricer: Pricer, report: Report) -> DocumentLine:
        included = self.taxes.prices_included(order.tax_basis == money_pb2.TAX_BASIS_INCLUDED)
        coin, exempt = minor_unit(order.currency_code), order.customer.tax_exempt
        codes = self.taxes.resolve(charge, coin, report, included=included, exempt=exempt)
        return DocumentLine(
            key=charge.key,
            role=charge.role,
            product=self.products.resolve(charge, report),
            name=charge.name,
            quantity=charge.quantity,
            unit_price=pricer.unit_price(charge.part(included=included), charge.quantity),
            tax_included=included,
            taxes=codes.references,
            rates=codes.rates,
            net=charge.net,
            tax=charge.tax,
            gross=charge.gross,
            fields=apply(self.lines, charge.line, report) if charge.line is not None else {},
        )

    def _prove_taxes(
        self, order: order_pb2.Order, predicted: Prediction, lines: Sequence[DocumentLine], report: Report
    ) -> None:
        """A total may be right with a wrong tax in it: for each set of rates the target's tax is the store's."""
        stated: dict[tuple[Decimal, ...], list[DocumentLine]] = {}
        for line in lines:
            stated.setdefault(line.rates, []).append(line)
        for rates, members in stated.items():
            store = sum((line.tax for line in members), _ZERO)
            target = predicted.by_rates[rates].tax
            allowed = self.bounds.of(len(members) * max(1, len(rates)), order.currency_code)
            if abs(store - target) > allowed:
                shown = " + ".join(f"{rate.normalize():f} %" for rate in rates) or "no rate"
                report.hold(
                    HoldReason.UNBALANCED,
                    f"tax at {shown}: the store charged {store} {order.currency_code}, the ERP would compute {target}; "
                    f"rounding may explain at most {allowed}",
                )

    def _rounding(
        self,
        order: order_pb2.Order,
        missing: Decimal,
        pricer: Pricer,
        lines: Sequence[DocumentLine],
        report: Report,
    ) -> list[DocumentLine]:
        """The line that brings the target's total to the store's, where rounding explains the difference."""
        total = amount(order.totals.total)
        allowed = self.bounds.of(sum(max(1, len(line.rates)) for line in lines), order.currency_code)
        told = f"the store's total is {total} {order.currency_code}, the ERP would compute {total - missing}"
        if abs(missing) > allowed:
            report.hold(
                HoldReason.UNBALANCED, f"{told}: a difference of {missing}, rounding may explain at most {allowed}"
            )
            return []
        own = sum((line.gross for line in lines), _ZERO)
        report.note(f"{told}, the store's own lines add up to {own}; a rounding line of {missing} makes up for it")
        charge = untaxed("rounding-difference", LineRole.ROUNDING, "Rounding difference", missing)
        line = pricer.price(replace(self._line(order, charge, pricer, report), taxes=(), rates=()))[0]
        if pricer.arithmetic.predict([*lines, line]).total != total:
            report.hold(HoldReason.UNBALANCED, f"{told}, and keeps too few decimals of a price to round by {missing}")
        return [line]


def _note_two_lines(charge: Charge, priced: Sequence[DocumentLine], report: Report) -> None:
    parts = " and ".join(f"{line.quantity:f} at {line.unit_price:f}" for line in priced)
    report.note(f"line {charge.key} has no unit price in the ERP that gives its amount, so it stands as {parts}")
