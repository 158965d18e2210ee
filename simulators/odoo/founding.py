"""What every database holds from the first day: currencies, countries, the company, a warehouse, the user."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from iso4217 import Currency

from . import geography

if TYPE_CHECKING:
    from .server import Odoo


def found(odoo: "Odoo") -> None:
    """Fill a new database."""
    for currency in Currency:
        if currency.exponent is not None:
            _add_currency(odoo, currency, currency.exponent)
    for code, name in geography.COUNTRIES.items():
        _add_country(odoo, code, name)
    _add_company(odoo)
    odoo.add("uom.uom", "uom.product_uom_unit", {"name": "Units"})
    odoo.add("stock.warehouse", "stock.warehouse0", {"name": odoo.settings.company, "code": "WH"})
    for login in ("__system__", odoo.settings.login):
        odoo.add("res.users", "", {"login": login, "name": login, "tz": odoo.settings.zone, "lang": "en_US"})
    odoo.add("ir.config_parameter", "", {"key": "database.uuid", "value": odoo.settings.uuid})


def _add_currency(odoo: "Odoo", currency: Currency, exponent: int) -> None:
    values = {
        "name": currency.code,
        "full_name": currency.currency_name,
        "symbol": currency.code,
        "decimal_places": exponent,
        "rounding": Decimal(1).scaleb(-exponent),
        "active": currency.code in ("EUR", "USD", odoo.settings.currency),
    }
    odoo.add("res.currency", f"base.{currency.code}", values)


def _add_country(odoo: "Odoo", code: str, name: str) -> None:
    country = odoo.add("res.country", geography.external_id(code), {"code": code, "name": name})
    for state, called in geography.STATES.get(code, {}).items():
        values = {"code": state, "name": called, "country_id": country}
        odoo.add("res.country.state", f"base.state_{code.lower()}_{state.lower()}", values)


def _add_company(odoo: "Odoo") -> None:
    settings = odoo.settings
    values: dict[str, Any] = {
        "name": settings.company,
        "partner_id": odoo.add("res.partner", "base.main_partner", {"name": settings.company, "is_company": True}),
        "currency_id": odoo.id_of(f"base.{settings.currency}"),
        "country_id": odoo.id_of(geography.external_id(settings.country)),
    }
    if settings.rounding:
        values["tax_calculation_rounding_method"] = settings.rounding
    odoo.add("res.company", "base.main_company", values)
