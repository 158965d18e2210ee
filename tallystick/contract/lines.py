"""From charges to the lines of a document, with the proof that the target will compute the store's total from them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tallystick.canonical import checks
from tallystick.canonical.money import minor_unit
from tallystick.contract.arithmetic import Prediction, TargetArithmetic
from tallystick.contract.charges import Charge, fees_out_of_taxes, untaxed
from tallystick.contract.document import DocumentLine, LineRole
from tallystick.contract.pricing import Pricer
from tallystick.contract.products import ProductTable
from tallystick.contract.rates import shared_fairly
from tallystick.contract.report import Report
from tallystick.contract.rows import Row, apply
from tallystick.contract.schema import ContractFile
from tallystick.contract.taxes import TaxTable
from tallystick.reasons import HoldReason

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Terms:
    """What all lines of one document share."""

    currency: str
    #: The store's prices contain the tax.
    included: bool
    #: The buyer is exempt from tax.
    exempt: bool
    #: The store's, which the target has to compute.
    total: Decimal


@dataclass(frozen=True, slots=True)
class LineBuilder:
    """The contract's rules for lines, compiled."""

    file: ContractFile
    taxes: TaxTable
    products: ProductTable
    #: For lines of goods.
    rows: Sequence[Row]
    bounds: checks.Bounds
    _pricers: dict[str, Pricer] = field(default_factory=dict, compare=False)

    def build(self, charges: list[Charge], terms: Terms, report: Report) -> list[DocumentLine]:
        """Convert, price, and prove the balance. To be called with exact decimals (`EXACT`)."""
        pricer = self._pricer(terms.currency)
        lines: list[DocumentLine] = []
        for charge in self._shared(charges, terms, report):
            priced = pricer.price(self._line(charge, terms, pricer, report))
            if len(priced) > 1:
                _note_two_lines(charge, priced, report)
            lines += priced
        predicted = pricer.arithmetic.predict(lines)
        self._prove_taxes(terms, predicted, lines, report)
        missing = terms.total - predicted.total
        return lines + self._rounding(terms, missing, pricer, lines, report) if missing else lines

    def _pricer(self, currency: str) -> Pricer:
        pricer = self._pricers.get(currency)
        if pricer is None:
            arithmetic = TargetArithmetic(self.file.arithmetic, currency)
            policy = self.file.arithmetic.unrepresentable_price
            pricer = self._pricers[currency] = Pricer(currency, arithmetic, policy, self.file.products.rounding or "")
        return pricer

    def _shared(self, charges: list[Charge], terms: Terms, report: Report) -> list[Charge]:
        found = fees_out_of_taxes(charges, self.file.taxes.as_fees)
        shared = shared_fairly(found, terms.currency, included=terms.included)
        if shared != found:
            report.note("the store reported the tax of several lines on one of them; each line got its own share")
        return shared

    def _line(self, charge: Charge, terms: Terms, pricer: Pricer, report: Report) -> DocumentLine:
        included = self.taxes.prices_included(terms.included)
        coin = minor_unit(terms.currency)
        codes = self.taxes.resolve(charge, coin, report, included=included, exempt=terms.exempt)
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
            fields=apply(self.rows, charge.line, report) if charge.line is not None else {},
        )

    def _prove_taxes(self, terms: Terms, predicted: Prediction, lines: Sequence[DocumentLine], report: Report) -> None:
        """A total may be right with a wrong tax in it: for each set of rates the target's tax is the store's."""
        stated: dict[tuple[Decimal, ...], list[DocumentLine]] = {}
        for line in lines:
            stated.setdefault(line.rates, []).append(line)
        for rates, members in stated.items():
            store = sum((line.tax for line in members), _ZERO)
            target = predicted.by_rates[rates].tax
            allowed = self.bounds.of(len(members) * max(1, len(rates)), terms.currency)
            if abs(store - target) > allowed:
                shown = " + ".join(f"{rate.normalize():f} %" for rate in rates) or "no rate"
                report.hold(
                    HoldReason.UNBALANCED,
                    f"tax at {shown}: the store charged {store} {terms.currency}, the ERP would compute {target}; "
                    f"rounding may explain at most {allowed}",
                )

    def _rounding(
        self,
        terms: Terms,
        missing: Decimal,
        pricer: Pricer,
        lines: Sequence[DocumentLine],
        report: Report,
    ) -> list[DocumentLine]:
        """The line that brings the target's total to the store's, where rounding explains the difference."""
        total = terms.total
        allowed = self.bounds.of(sum(max(1, len(line.rates)) for line in lines), terms.currency)
        told = f"the store's total is {total} {terms.currency}, the ERP would compute {total - missing}"
        if abs(missing) > allowed:
            report.hold(
                HoldReason.UNBALANCED, f"{told}: a difference of {missing}, rounding may explain at most {allowed}"
            )
            return []
        own = sum((line.gross for line in lines), _ZERO)
        report.note(f"{told}, the store's own lines add up to {own}; a rounding line of {missing} makes up for it")
        charge = untaxed("rounding-difference", LineRole.ROUNDING, "Rounding difference", missing)
        line = pricer.price(replace(self._line(charge, terms, pricer, report), taxes=(), rates=()))[0]
        if pricer.arithmetic.predict([*lines, line]).total != total:
            report.hold(HoldReason.UNBALANCED, f"{told}, and keeps too few decimals of a price to round by {missing}")
        return [line]


def _note_two_lines(charge: Charge, priced: Sequence[DocumentLine], report: Report) -> None:
    parts = " and ".join(f"{line.quantity:f} at {line.unit_price:f}" for line in priced)
    report.note(f"line {charge.key} has no unit price in the ERP that gives its amount, so it stands as {parts}")
