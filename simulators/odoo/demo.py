"""The company of the example contracts: everything that `contracts/*-odoo.yaml` refers to."""

from decimal import Decimal

from .server import Odoo

RATES = ("0", "2.6", "5", "7", "7.7", "8", "8.1", "10", "19", "20", "25")
CURRENCIES = ("THB", "EUR", "USD", "JPY", "KWD", "GBP", "CHF")
#: Products for what has no SKU in a store.
SERVICES = {
    "SHIPPING": "Shipping",
    "FEE": "Fee",
    "TIP": "Tip",
    "DUTY": "Import duty",
    "ROUNDING": "Rounding",
    "CUSTOM": "Custom item",
    "GIFTCARD": "Gift card",
    "DELIVERY-LEVY": "Levy on deliveries",
}
_MODULE = "tallystick_demo"


def demo_company(odoo: Odoo) -> None:
    """Give the Odoo its taxes, pricelists and products, and a default tax of 19 % on top of every product."""
    for rate in RATES:
        for included in (True, False):
            _add_tax(odoo, rate, included=included)
    found = odoo.record(f"{_MODULE}.tax_19_excluded")
    assert found is not None
    odoo.act("res.company", "write", [1], {"account_sale_tax_id": found[1]})
    for currency in CURRENCIES:
        _add_pricelist(odoo, currency)
    for code, name in SERVICES.items():
        odoo.add_product(code, name, service=True)
    odoo.journal.entries.clear()


def _add_tax(odoo: Odoo, rate: str, *, included: bool) -> None:
    kind = "included" if included else "excluded"
    values = {"name": f"{rate}% {kind}", "amount": Decimal(rate)}
    values |= {"price_include_override": f"tax_{kind}"} if odoo.db.version >= 17 else {"price_include": included}
    odoo.add("account.tax", f"{_MODULE}.tax_{rate.replace('.', '_')}_{kind}", values)


def _add_pricelist(odoo: Odoo, currency: str) -> None:
    found = odoo.record(f"base.{currency}")
    assert found is not None
    odoo.act("res.currency", "write", [found[1]], {"active": True})
    values = {"name": f"{currency} store", "currency_id": found[1]}
    odoo.add("product.pricelist", f"{_MODULE}.pricelist_{currency.lower()}", values)
