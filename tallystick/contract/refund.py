"""From a canonical refund to the credit document, with its proof.

It stands beside the order's document and never changes it; it is booked without the order at hand.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from tallystick.canonical import refunds
from tallystick.canonical.money import EXACT, allocate, amount, minor_digits, quantise
from tallystick.canonical.times import business_date, to_datetime, zone
from tallystick.contract.bundles import gathered
from tallystick.contract.charges import Charge, of_refund, stated_taxes, untaxed
from tallystick.contract.currency import currency_field
from tallystick.contract.document import Hold, LineRole, RefundDocument, Value
from tallystick.contract.lines import LineBuilder, Terms
from tallystick.contract.rates import in_gross, on_net
from tallystick.contract.report import Report
from tallystick.contract.return_rules import RestockUnknown
from tallystick.contract.rows import Row, apply
from tallystick.contract.schema import ContractFile, GoodwillTax
from tallystick.reasons import HoldReason
from tallystick.v1 import money_pb2, order_pb2, refund_pb2

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class RefundBuilder:
    """The contract's rules for refunds, compiled."""

    file: ContractFile
    version: str
    header: Sequence[Row]
    lines: LineBuilder

    def document(self, refund: refund_pb2.Refund, *, goods: bool = True) -> RefundDocument | Hold:
        """The document whose total is proved, or why there is none: MAPPING, UNBALANCED or DATA, with its detail.

        Without `goods` it gives back the money alone.
        """
        for finding in refunds.unsound(refund):
            return Hold(HoldReason(finding.reason), finding.detail)
        report = Report()
        with localcontext(EXACT):
            document = self._document(refund, report, goods)
        return report.verdict() or replace(document, notes=tuple(report.notes))

    def _document(self, refund: refund_pb2.Refund, report: Report, bring_goods: bool) -> RefundDocument:
        refunded_at = to_datetime(refund.refunded_at)
        goods = gathered(of_refund(refund), self.file.bundles, refund.currency_code)
        charges = [*goods, *self._adjustment(refund)]
        return RefundDocument(
            connection=refund.connection,
            order_id=refund.order_id,
            refund_id=refund.id,
            currency=refund.currency_code,
            refunded_at=refunded_at,
            business_date=business_date(refunded_at, zone(self.file.time_zone)),
            lines=tuple(self.lines.build(charges, _terms(refund), report)),
            total=amount(refund.total),
            restocked=tuple(self._restocked(goods, report)) if bring_goods else (),
            fields=self._fields(refund, report),
            confirm=self.file.confirm,
            contract_version=self.version,
            return_id=refund.return_id,
        )

    def _fields(self, refund: refund_pb2.Refund, report: Report) -> Mapping[str, Value]:
        own, fields = self.file.refunds.currencies, apply(self.header, refund, report)
        reference = currency_field(own or self.file.currencies, refund.currency_code, report)
        return fields | reference if own else fields

    # ---- goods ---------------------------------------------------------------------------------------------------

    def _restocked(self, goods: Sequence[Charge], report: Report) -> Iterator[tuple[str, Decimal]]:
        """Pieces that went back into stock; where the store does not say, what the contract says."""
        for charge in goods:
            line = charge.line
            if isinstance(line, refund_pb2.RefundLine) and _may_come_back(line) and self._came_back(line, report):
                yield charge.key, charge.quantity

    def _came_back(self, line: refund_pb2.RefundLine, report: Report) -> bool:
        if line.restock in (refund_pb2.RESTOCK_YES, refund_pb2.RESTOCK_NO):
            return line.restock == refund_pb2.RESTOCK_YES
        policy = self.file.refunds.restock_unknown
        if policy is RestockUnknown.HOLD:
            detail = f"the store does not say whether the goods of line {line.line_id} went back into stock"
            report.missing("restock", line.line_id, f"{detail}; decide it under `refunds.restock_unknown`")
        return policy is RestockUnknown.YES

    # ---- what belongs to no line ---------------------------------------------------------------------------------

    def _adjustment(self, refund: refund_pb2.Refund) -> list[Charge]:
        """Goodwill, or what was kept of the lines: without tax, or with the taxes of the order, each its share."""
        value = amount(refund.adjustment.gross)
        if not value:
            return []
        role, name = (LineRole.GOODWILL, "Goodwill") if value > 0 else (LineRole.KEPT, "Kept back")
        shares = [share for share in refund.order_shares if amount(share.amount.gross) > 0]
        if self.file.refunds.goodwill_tax is GoodwillTax.UNTAXED or not shares:
            return [untaxed("adjustment", role, name, value)]
        weights = [amount(share.amount.gross) for share in shares]
        parts = allocate(value, weights, minor_digits(refund.currency_code))
        charges = [untaxed(f"adjustment-{place}", role, name, part) for place, part in enumerate(parts, 1)]
        return [_taxed(*pair, refund.currency_code) for pair in zip(charges, shares, strict=True) if pair[0].gross]


def _taxed(charge: Charge, share: refund_pb2.TaxShare, currency: str) -> Charge:
    """The charge with the taxes of a part of the order inside it; none where the order was not charged any."""
    if not amount(share.amount.tax):
        return charge
    taxes = stated_taxes(share.taxes)
    tax = quantise(in_gross(charge.gross, on_net(taxes)), currency)
    return replace(charge, net=charge.gross - tax, tax=tax, taxes=taxes)


def _may_come_back(line: refund_pb2.RefundLine) -> bool:
    """Only goods have a stock, and money may go back without a piece."""
    return line.kind == order_pb2.LINE_KIND_GOODS and line.quantity not in ("", "0")


def _terms(refund: refund_pb2.Refund) -> Terms:
    return Terms(
        currency=refund.currency_code,
        included=refund.tax_basis == money_pb2.TAX_BASIS_INCLUDED,
        exempt=refund.tax_exempt,
        total=amount(refund.total),
    )
