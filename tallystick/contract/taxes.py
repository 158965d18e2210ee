"""The table of taxes: from the rates that a store states to the target's own codes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallystick.contract.charges import Charge, Tax
from tallystick.contract.rates import effective, on_net, rate_text, table_key
from tallystick.contract.report import Report
from tallystick.contract.schema import Basis, Taxes, TaxRow

_RATE = re.compile(r"(?P<rate>[0-9]+(\.[0-9]+)?)(?P<compound>c?)")

_Stated = tuple[bool, tuple[tuple[str, str, bool], ...]]
#: A shop has a handful of combinations of taxes; they are looked up once.
_FOUND_MAX = 1000


@dataclass(frozen=True, slots=True)
class TaxCodes:
    """What a line carries in the target."""

    references: tuple[str, ...]
    #: On the net amount, see `DocumentLine.rates`.
    rates: tuple[Decimal, ...]


class TaxTable:
    """The contract's taxes, compiled."""

    def __init__(self, taxes: Taxes) -> None:
        self._basis = taxes.basis
        self._rates: Mapping[str, TaxRow] = {normal_key(key): row for key, row in taxes.rates.items()}
        self._codes = taxes.codes
        self._untaxed = taxes.untaxed
        self._found: dict[_Stated, TaxCodes] = {}
        self._exempt = taxes.untaxed if taxes.exempt is None else taxes.exempt

    def prices_included(self, order_included: bool) -> bool:
        """Whether the document's prices contain the tax."""
        return order_included if self._basis is Basis.AS_STORE else self._basis is Basis.INCLUDED

    def resolve(self, charge: Charge, coin: Decimal, report: Report, *, included: bool, exempt: bool) -> TaxCodes:
        """The target's codes of a charge; what has none is reported, and the rates still stand for the proof."""
        taxes = tuple(self._with_rate(tax) for tax in effective(charge, coin))
        if not taxes or (exempt and not charge.tax):
            if charge.tax:
                _no_rate(charge, report)
            return TaxCodes(self._exempt if exempt else self._untaxed, ())
        if any(tax.rate is None for tax in taxes):
            _no_rate(charge, report)
            return TaxCodes((), ())
        # By the text of the rates: 7 and 7.0 are one row, and yet the document shows what the store wrote.
        stated = (included, tuple((tax.code, str(tax.rate), tax.compound) for tax in taxes))
        return self._found.get(stated) or self._look_up(stated, taxes, report, included)

    def _look_up(self, stated: _Stated, taxes: Sequence[Tax], report: Report, included: bool) -> TaxCodes:
        if table_key(taxes) == "0" and not self._single_rows(taxes):
            return TaxCodes(self._untaxed, ())
        codes = TaxCodes(self._references(taxes, report, included), on_net(taxes))
        if codes.references and len(self._found) < _FOUND_MAX:
            self._found[stated] = codes
        return codes

    def _with_rate(self, tax: Tax) -> Tax:
        row = self._codes.get(tax.code)
        if row is None or row.rate is None or tax.rate is not None:
            return tax
        return Tax(tax.title, tax.code, row.rate, tax.amount, tax.compound)

    def _references(self, taxes: Sequence[Tax], report: Report, included: bool) -> tuple[str, ...]:
        key, column = table_key(taxes), "included" if included else "excluded"
        rows = [self._rates[key]] if key in self._rates and len(taxes) > 1 else self._single_rows(taxes)
        found = [getattr(row, column) for row in rows]
        references = tuple(reference for one in found for reference in one)
        if not found or not all(found) or len(set(references)) < len(references):
            known = ", ".join(sorted(self._rates, key=_by_number)) or "none"
            detail = f"the tax {key} % (prices with tax {column}) has no row in the contract; there are {known}"
            report.missing("tax", key, detail)
            return ()
        return references

    def _single_rows(self, taxes: Sequence[Tax]) -> list[TaxRow]:
        """A row for each tax, by its code or its rate; none when the taxes have to be named together."""
        if len(taxes) > 1 and any(tax.compound for tax in taxes):
            return []
        rows = [self._codes.get(tax.code) or self._rates.get(rate_text(tax.rate or Decimal(0))) for tax in taxes]
        return [] if None in rows else [row for row in rows if row is not None]


def normal_key(text: str) -> str:
    """A key of the table as `table_key` writes it. Raises ValueError for what is no rate."""
    parts = [_RATE.fullmatch(part.strip()) for part in text.split("+")]
    found = [Tax("", "", Decimal(part["rate"]), None, bool(part["compound"])) for part in parts if part]
    if len(found) < len(parts):
        raise ValueError(f'{text!r} is no rate in per cent such as "7", "2.6" or "5+9.975"')
    return table_key(found)


def _no_rate(charge: Charge, report: Report) -> None:
    titles = ", ".join(repr(tax.title or tax.code) for tax in charge.taxes if tax.title or tax.code) or "a tax"
    detail = f"the store states no rate for {titles} on {charge.key}; name it under `taxes.codes` or `taxes.as_fees`"
    report.missing("tax", titles, detail)


def _by_number(key: str) -> tuple[Decimal, str]:
    return Decimal(key.split("+")[0].removesuffix("c")), key
