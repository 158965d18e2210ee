"""The company of the example contracts: everything that `contracts/*-odoo.yaml` refers to."""

from decimal import Decimal
from typing import Any

from .server import Odoo

RATES = ("0", "2.6", "5", "7", "7.7", "8", "8.1", "10", "19", "20", "25")
CURRENCIES = ("THB", "EUR", "USD", "JPY", "KWD", "GBP", "CHF")
TERMS = {"now": "Immediate Payment", "15": "15 Days", "30": "30 Days"}
#: Products for what has no SKU in a store.
SERVICES = {
    "SHIPPING": "Shipping",
    "FEE": "Fee",
    "TIP": "Tip",
    "DUTY": "Import duty",
    "ROUNDING": "Rounding",
    "CUSTOM": "Custom item",
    "GIFTCARD": "Gift card",
    "GOODWILL": "Goodwill",
    "KEPT": "Kept of a refund",
    "DELIVERY-LEVY": "Levy on deliveries",
}
#: Where payments are booked, by the last word of the reference: name, short code and type.
JOURNALS = {
    "bank": ("Bank", "BNK1", "bank"),
    "cash": ("Cash", "CSH1", "cash"),
    "card": ("Card payments", "CARD", "bank"),
    "paypal": ("PayPal", "PPL1", "bank"),
    "paypal_usd": ("PayPal in dollars", "PPL2", "bank"),
    "gift_card": ("Gift cards", "GIFT", "bank"),
}
_MODULE = "tallystick_demo"


def demo_company(odoo: Odoo) -> None:
    """Give the Odoo its taxes, pricelists, products and journals, and a default tax of 19 % on top of every product.

    It rounds taxes per line, as the contracts say, unless its settings name a rounding.
    """
    for rate in RATES:
        for included in (True, False):
            _add_tax(odoo, rate, included=included)
    company: dict[str, Any] = {"account_sale_tax_id": odoo.id_of(f"{_MODULE}.tax_19_excluded")}
    if not odoo.settings.rounding:
        company["tax_calculation_rounding_method"] = "round_per_line"
    odoo.act("res.company", "write", [1], company)
    for currency in CURRENCIES:
        _add_pricelist(odoo, currency)
    for name, days in TERMS.items():
        odoo.add("account.payment.term", f"{_MODULE}.terms_{name}", {"name": days})
    for code, name in SERVICES.items():
        odoo.add_product(code, name, service=True)
    for word, (name, code, kind) in JOURNALS.items():
        odoo.add("account.journal", f"{_MODULE}.journal_{word}", {"name": name, "code": code, "type": kind})
    odoo.journal.entries.clear()


def _add_tax(odoo: Odoo, rate: str, *, included: bool) -> None:
    kind = "included" if included else "excluded"
    values = {"name": f"{rate}% {kind}", "amount": Decimal(rate)}
    values |= {"price_include_override": f"tax_{kind}"} if odoo.db.version >= 17 else {"price_include": included}
    odoo.add("account.tax", f"{_MODULE}.tax_{rate.replace('.', '_')}_{kind}", values)


def _add_pricelist(odoo: Odoo, currency: str) -> None:
    currency_id = odoo.id_of(f"base.{currency}")
    odoo.act("res.currency", "write", [currency_id], {"active": True})
    values = {"name": f"{currency} store", "currency_id": currency_id}
    odoo.add("product.pricelist", f"{_MODULE}.pricelist_{currency.lower()}", values)
