"""How the target is told a document's currency."""

from tallystick.contract.document import Value
from tallystick.contract.report import Report
from tallystick.contract.schema import Currencies


def currency_field(currencies: Currencies, currency: str, report: Report) -> dict[str, Value]:
    """The field with its reference; a currency that the target does not keep is reported."""
    if currency in currencies.rows:
        return {currencies.to: currencies.rows[currency]}
    known = ", ".join(sorted(currencies.rows)) or "none"
    report.missing("currency", currency, f"the contract has no row for the currency {currency}; there are {known}")
    return {}
